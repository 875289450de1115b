import { deepEqual, equal, match } from "node:assert/strict";
import type { Provider } from "../../lib/crypto/port.ts";
import type { ClientEvent } from "../../lib/client/event.ts";
import { verifyEntry } from "../../lib/identity/entry_signature.ts";
import { LOGIN_MS_MAX } from "../../lib/wire/limits.ts";
import { LOBBY, type ServerMessage } from "../../lib/wire/message.ts";
import { repeatable } from "../secure/recorded_session.ts";
import { test } from "../sanitized.ts";
import { keyOf, Person, THEN } from "../session/people.ts";
import { FakeBook } from "./fake_server.ts";
import { accountOf, cardOf, Lobby, ROOM } from "./lobby.ts";

function acknowledgement(id: Uint8Array<ArrayBuffer>, sequence: number): ServerMessage {
  return { type: "ack", room: LOBBY, id, sequence, time: THEN };
}

function typesOf(events: readonly ClientEvent[]): readonly string[] {
  return events.map(({ type }) => type);
}

test("an acknowledgement that arrives together with the close counts", async () => {
  const lobby = await Lobby.entered();
  await lobby.conversation.request({ type: "send", room: LOBBY, text: "last words" });
  await lobby.conversation.request({ type: "quit" });
  const { id } = await lobby.server.said("send");
  lobby.server.tell(acknowledgement(id, 1));
  await lobby.leave();
  deepEqual(typesOf(lobby.events), ["state", "state", "presence", "message", "ack", "state"]);
  equal(lobby.conversation.unacknowledged, 0);
  equal(await lobby.conversation.outcome, undefined);
});

test("what was sent and not acknowledged is named when the connection is lost", async () => {
  const lobby = await Lobby.entered();
  await lobby.conversation.request({ type: "send", room: LOBBY, text: "into the void" });
  await lobby.server.said("send");
  lobby.conversation.lost();
  lobby.server.link.lost();
  equal((await lobby.conversation.outcome)?.exit, "temporary");
  await lobby.until((event) => event.type === "state" && event.state === "cut");
  deepEqual(typesOf(lobby.events.slice(-2)), ["unacknowledged", "state"]);
  equal(lobby.conversation.unacknowledged, 1);
  match(
    await lobby.conversation.request({ type: "send", room: LOBBY, text: "more" }) ?? "",
    /^Cannot send the message: the connection has ended/,
  );
});

test("a burst waits for its window, is signed in its order and loses nothing", async () => {
  const burst = 600;
  let sequence = 0;
  const lobby = await Lobby.entered({
    script: async (message) => {
      if (message.type === "send") return [acknowledgement(message.id, ++sequence)];
      if (message.type === "enter") return [await accountOf(await Person.named("ann"))];
      return [{ type: "presence", room: LOBBY, change: "here", names: [lobbyName], time: THEN }];
    },
  });
  for (let index = 0; index < burst; index++) {
    equal(
      await lobby.conversation.request({ type: "send", room: LOBBY, text: `message ${index}` }),
      undefined,
    );
  }
  await lobby.leave();
  const shown = lobby.events.flatMap((event) => event.type === "message" ? [event] : []);
  deepEqual(shown.map(({ text }) => text), Array.from({ length: burst }, (_, index) => `message ${index}`));
  equal(shown.every(({ verified, own }) => verified && own), true);
  equal(lobby.events.filter(({ type }) => type === "ack").length, burst);
});

const lobbyName = (await Person.named("ann")).name;

test("requests at the same time go out in their order", async () => {
  const lobby = await Lobby.entered();
  const texts = Array.from({ length: 10 }, (_, index) => `at once ${index}`);
  await Promise.all(texts.map((text) => lobby.conversation.request({ type: "send", room: LOBBY, text })));
  await lobby.server.said("send", texts.length);
  deepEqual(
    lobby.server.heard.flatMap((message) => message.type === "send" ? [message.text] : []),
    texts,
  );
  await lobby.leave();
});

test("what is said is signed by the device, with the last place that was seen", async () => {
  const lobby = await Lobby.entered();
  const ben = await Person.named("ben");
  await lobby.tell({ type: "cards", cards: [await cardOf(ben)] }, await lobby.entry(ben));
  await lobby.conversation.request({ type: "send", room: LOBBY, text: "me, too" });
  const { id, salt, seen, text, signature } = await lobby.server.said("send");
  equal(seen, 1);
  const key = await repeatable.ed25519VerifyingKey(lobby.ann.device.publicKey);
  if (key === undefined) throw new Error("Cannot test: the device has no key");
  const claim = { room: ROOM, id, handle: lobby.ann.name, seen, salt, text };
  equal(await verifyEntry(repeatable, key, claim, signature), true);
  await lobby.leave();
});

test("what is signed while the end comes is refused and not noted as sent", async () => {
  const signing = Promise.withResolvers<void>();
  const signed = Promise.withResolvers<void>();
  let isGated = false;
  const provider: Provider = {
    ...repeatable,
    async ed25519SigningKey(seed) {
      const key = await repeatable.ed25519SigningKey(seed);
      return {
        ...key,
        async sign(data) {
          if (isGated) signing.resolve();
          if (isGated) await signed.promise;
          return await key.sign(data);
        },
      };
    },
  };
  const lobby = await Lobby.entered({ provider });
  isGated = true;
  const asked = lobby.conversation.request({ type: "send", room: LOBBY, text: "too late" });
  await signing.promise;
  await lobby.conversation.request({ type: "quit" });
  signed.resolve();
  match(await asked ?? "", /^Cannot send the message: the connection has ended/);
  await lobby.leave();
  deepEqual(lobby.server.heard.filter(({ type }) => type === "send"), []);
  equal(lobby.events.some(({ type }) => type === "unacknowledged"), false);
});

test("a device that is refused is told so, with exit 77", async () => {
  const book = new FakeBook();
  book.devices = false;
  const lobby = await Lobby.began({ book });
  equal(await lobby.conversation.admission, "deviceRefused");
  const failure = await lobby.conversation.outcome;
  equal(failure?.exit, "noPermission");
  match(failure?.message ?? "", /^Cannot log in as ann with this device at here: it was revoked or/);
  await lobby.leave();
});

test("a server that closes on a revoked device or a closed account is told of with exit 77", async () => {
  for (const reason of ["deviceRevoked", "accountClosed"] as const) {
    const lobby = await Lobby.entered();
    lobby.server.link.close(reason, 0);
    const failure = await lobby.conversation.outcome;
    equal(failure?.exit, "noPermission");
    match(failure?.message ?? "", reason === "deviceRevoked" ? /revoked/ : /disabled or removed/);
    await lobby.leave();
  }
});

test("a server that lets nobody in keeps nobody waiting", async () => {
  const lobby = await Lobby.began({
    script: async (message) => message.type === "enter" ? [await accountOf(await Person.named("ann"))] : [],
  });
  await lobby.server.said("join");
  lobby.clock.now = LOGIN_MS_MAX;
  lobby.conversation.tick(lobby.clock.now);
  equal(await lobby.conversation.admission, "ended");
  equal((await lobby.conversation.outcome)?.exit, "temporary");
  await lobby.leave();
});

test("a fault in place of the lobby ends with a sentence", async () => {
  const lobby = await Lobby.began({
    script: async (message) =>
      message.type === "enter"
        ? [await accountOf(await Person.named("ann"))]
        : [{ type: "fault", code: "noSuchRoom" }],
  });
  equal(await lobby.conversation.admission, "ended");
  match((await lobby.conversation.outcome)?.message ?? "", /^Cannot join as ann at here: the server answers/);
  await lobby.leave();
});

test("what may not come before the account, or to a device at all, ends the conversation", async () => {
  const ben = await Person.named("ben");
  const early: readonly ServerMessage[] = [
    { type: "presence", room: LOBBY, change: "here", names: [lobbyName], time: THEN },
    { type: "cards", cards: [await cardOf(ben)] },
    {
      type: "approval",
      device: ben.device.publicKey,
      name: "phone",
      share: ben.identity.publicKey,
    },
    { type: "recovery", blob: new Uint8Array(96) },
    { ...await accountOf(await Person.named("ann")), handle: ben.name },
    { type: "account", handle: lobbyName, role: "member", recovery: false },
  ];
  for (const message of early) {
    const lobby = await Lobby.began({ script: () => [message] });
    equal(await lobby.conversation.admission, "ended", message.type);
    equal((await lobby.conversation.outcome)?.exit, "protocol", message.type);
    await lobby.leave();
  }
});

test("people are asked about, verified and told apart from strangers", async () => {
  const lobby = await Lobby.entered();
  const ben = await Person.named("ben");
  const phone = await keyOf("ben's phone");
  await lobby.tell({ type: "cards", cards: [await cardOf(ben, ben.with(phone.publicKey, "phone"))] });
  const { conversation } = lobby;
  equal(await conversation.request({ type: "whois", handle: "ben" }), undefined);
  const person = lobby.events.find(({ type }) => type === "person");
  if (person?.type !== "person") throw new Error("Cannot test: nothing was told");
  deepEqual([person.handle, person.trust, person.words.length], ["ben", "seen", 12]);
  deepEqual(person.devices.map(({ name, here }) => [name, here]), [["laptop", false], ["phone", false]]);

  equal(await conversation.request({ type: "verify", handle: "ben" }), undefined);
  equal(lobby.peers.book.get(ben.name)?.verified, true);
  await conversation.request({ type: "whois", handle: "ben" });
  equal((await lobby.until((event) => event.type === "person" && event.trust === "verified")).type, "person");

  match(await conversation.request({ type: "whois", handle: "zoe" }) ?? "", /nobody of that name was seen/);
  match(await conversation.request({ type: "verify", handle: "Ben" }) ?? "", /capital letter/);
  match(await conversation.request({ type: "accept", handle: "ben" }) ?? "", /has not changed/);
  equal(await conversation.request({ type: "whois", handle: "ann" }), undefined);
  equal((await lobby.until((event) => event.type === "person" && event.trust === "own")).type, "person");
  await lobby.leave();
});
