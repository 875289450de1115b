import { deepEqual, equal, notEqual } from "node:assert/strict";
import { ENTRY_TIME_OFF_MS_MAX } from "../../lib/client/entry_judge.ts";
import type { DeviceList } from "../../lib/identity/device_list.ts";
import { entryId } from "../../lib/identity/entry_id.ts";
import { withDisplay, withRevoked } from "../../lib/identity/next_device_list.ts";
import type { Bytes } from "../../lib/wire/bytes.ts";
import { encodeBody } from "../../lib/wire/entry_body.ts";
import type { Logged, ServerMessage } from "../../lib/wire/message.ts";
import { test } from "../sanitized.ts";
import { repeatable } from "../secure/recorded_session.ts";
import { seededEntropy } from "../secure/seeded_entropy.ts";
import { HOST_KEY, keyOf, Person, THEN } from "../session/people.ts";
import { ChatBench, settle } from "./chat_bench.ts";
import { LOBBY_ID } from "./honest_server.ts";
import { cardOf } from "./memory_keepers.ts";

function flipped(bytes: Bytes): Bytes {
  return bytes.map((octet, at) => at === 5 ? octet ^ 1 : octet);
}

async function cards(person: Person, list: DeviceList = person.list): Promise<ServerMessage> {
  return { type: "cards", cards: [await cardOf(person, list)] };
}

/** What is told of people's keys because of what the server says now. */
async function newsOf(bench: ChatBench, ...messages: readonly ServerMessage[]): Promise<readonly string[]> {
  const before = bench.events.length;
  bench.line.visit.tell(...messages);
  await bench.said(bench.ben);
  return bench.events.slice(before).flatMap((event) =>
    event.type === "keys" ? [[event.handle, event.news, event.detail ?? ""].join(" ").trim()] : []
  );
}

/** From now on on this connection, somebody's cards are those that the test shows. */
function lieAbout({ line: { visit } }: ChatBench, person: Person): void {
  visit.shown.set(person.name, person.list);
}

/** One in which Ben was heard, so that his card was shown. */
async function withBen(): Promise<{ readonly bench: ChatBench; readonly ben: Person }> {
  const bench = await ChatBench.entered();
  await bench.server.text(bench.ben, "here I am");
  await bench.message("here I am");
  return { bench, ben: bench.ben };
}

test("what a listed device signed is ☒, with the device's name", async () => {
  const { bench, ben } = await withBen();
  const { verified, reason, device, display, from, own, source, trust } = await bench.said(ben);
  deepEqual({ verified, reason, device, display, from, own, source, trust }, {
    verified: true,
    reason: undefined,
    device: "laptop",
    display: undefined,
    from: "ben",
    own: false,
    source: "member",
    trust: "seen",
  });
  await bench.quit();
});

test("a second device is ☒ once the list with it was shown", async () => {
  const { bench, ben } = await withBen();
  const phone = await keyOf("ben's phone");
  equal((await bench.said(ben, { device: phone })).reason, "unknown device");
  const list = ben.with(phone.publicKey, "phone");
  deepEqual(await newsOf(bench, await cards(ben, list)), ["ben deviceAdded phone"]);
  const { verified, device } = await bench.said(ben, { device: phone });
  deepEqual({ verified, device }, { verified: true, device: "phone" });
  await bench.quit();
});

test("attack 32: a display name is shown with what is ☒, but not one that looks like somebody else's handle", async () => {
  const { bench, ben } = await withBen();
  deepEqual(await newsOf(bench, await cards(ben, withDisplay(ben.list, "Benjamin"))), [
    "ben renamed Benjamin",
  ]);
  equal((await bench.said(ben)).display, "Benjamin");
  const mallory = await Person.named("mallory");
  await newsOf(bench, await cards(mallory, { ...mallory.list, display: "BEN" }));
  const shown = await bench.said(mallory);
  deepEqual([shown.verified, shown.display], [true, undefined]);
  await bench.quit();
});

test("a server that alters anything that was signed gets ☐", async () => {
  const { bench, ben } = await withBen();
  const entry = await bench.server.unplaced(ben, { kind: "text", body: { text: "yes" } });
  const no = encodeBody({ kind: "text", body: { text: "no" } });
  const { content } = entry;
  const salt = content?.salt ?? new Uint8Array(32);
  const alterations: readonly (readonly [Partial<Logged>, string])[] = [
    [{ content: { salt, body: no } }, "not what was signed"],
    [{ signature: flipped(entry.signature) }, "bad signature"],
    [{ digest: flipped(entry.digest) }, "not what was signed"],
    [{ id: entryId(THEN, seededEntropy("another id")) }, "bad signature"],
    [{ kind: "reply" }, "bad signature"],
    [{ seen: bench.server.place(LOBBY_ID, 1) }, "bad signature"],
  ];
  for (const [alteration, reason] of alterations) {
    const shown = await bench.forced({ ...entry, ...alteration });
    deepEqual([shown.verified, shown.reason], [false, reason], Object.keys(alteration).join());
  }
  await bench.quit();
});

test("what one person signed is ☐ under another's name, with or without that one's device", async () => {
  const { bench, ben } = await withBen();
  const cara = await Person.named("cara");
  await newsOf(bench, await cards(cara));
  const entry = await bench.server.unplaced(ben, { kind: "text", body: { text: "hi" } });
  equal((await bench.forced({ ...entry, from: cara.name })).reason, "unknown device");
  const device = cara.device.publicKey;
  equal((await bench.forced({ ...entry, from: cara.name, device })).reason, "bad signature");
  const asOwn = await bench.forced({ ...entry, from: bench.ann.name });
  deepEqual([asOwn.verified, asOwn.reason, asOwn.trust], [false, "unknown device", undefined]);
  await bench.quit();
});

test("whoever has no card is ☐", async () => {
  const bench = await ChatBench.entered();
  equal((await bench.said(await Person.named("nobody-knows"))).reason, "unknown person");
  await bench.quit();
});

test("what a device signed before it was revoked stays ☒, and what it signs after that is ☐", async () => {
  const { bench, ben } = await withBen();
  const phone = await keyOf("ben's phone");
  const both = ben.with(phone.publicKey, "phone");
  await newsOf(bench, await cards(ben, both));
  const revokedAt = THEN + 1_000;
  const less = withRevoked(both, phone.publicKey, revokedAt) ?? both;
  deepEqual(await newsOf(bench, await cards(ben, less)), ["ben deviceRevoked phone"]);
  // At a place in the log from before that, as history may be read.
  equal((await bench.said(ben, { device: phone })).verified, true);
  bench.server.now = revokedAt;
  equal((await bench.said(ben, { device: phone })).reason, "revoked device");
  equal((await bench.said(ben)).verified, true);
  await bench.quit();
});

test("another identity is ☐ until it is accepted, also after a restart", async () => {
  const { bench, ben } = await withBen();
  const other = await Person.named("ben", "another life");
  const before = bench.events.length;
  bench.line.visit.tell(await cards(other));
  equal((await bench.said(other)).reason, "identity changed");
  equal((await bench.said(ben)).reason, "identity changed");
  deepEqual(bench.events.slice(before).flatMap((event) => event.type === "keys" ? [event.news] : []), [
    "identityChanged",
  ]);
  await bench.quit();

  await bench.start();
  lieAbout(bench, ben);
  bench.line.visit.tell(await cards(other));
  equal((await bench.said(other)).reason, "identity changed");
  await bench.ask({ type: "whois", handle: "ben" });
  await bench.ask({ type: "accept", handle: "ben" });
  equal((await bench.said(other)).verified, true);
  equal((await bench.said(ben)).reason, "unknown device");
  await bench.quit();
});

test("an identity that changes again after its words were shown is not accepted by them", async () => {
  const { bench } = await withBen();
  bench.line.visit.tell(await cards(await Person.named("ben", "another life")));
  await bench.said(bench.ben);
  await bench.ask({ type: "whois", handle: "ben" });
  const third = await Person.named("ben", "a third life");
  bench.line.visit.tell(await cards(third));
  await bench.said(third);
  equal(
    await bench.chat.request({ type: "accept", handle: "ben" }),
    "Cannot accept ben: the identity of ben has changed again; compare the words of /whois ben anew.",
  );
  equal((await bench.said(third)).reason, "identity changed");
  await bench.quit();
});

test("an older list is refused, and brings no device back", async () => {
  const { bench, ben } = await withBen();
  const phone = await keyOf("ben's phone");
  const old = ben.with(phone.publicKey, "phone");
  const revoked = withRevoked(old, phone.publicKey, THEN) ?? old;
  await newsOf(bench, await cards(ben, old), await cards(ben, revoked));
  deepEqual(await newsOf(bench, await cards(ben, old)), ["ben listRefused"]);
  equal((await bench.said(ben, { device: phone })).reason, "device list refused");
  equal((await bench.said(ben)).reason, "device list refused");
  deepEqual(await newsOf(bench, await cards(ben, revoked)), []);
  equal((await bench.said(ben)).verified, true);
  await bench.quit();
});

test("a list older than the one kept from an earlier run is refused", async () => {
  const { bench, ben } = await withBen();
  await newsOf(bench, await cards(ben, withDisplay(ben.list, "Benjamin")));
  await bench.quit();
  await bench.start();
  lieAbout(bench, ben);
  deepEqual(await newsOf(bench, await cards(ben)), ["ben listRefused"]);
  equal((await bench.said(ben)).reason, "device list refused");
  await bench.quit();
});

test("two lists of one number, and one that its identity did not sign, are refused", async () => {
  const { bench, ben } = await withBen();
  await newsOf(bench, await cards(ben, withDisplay(ben.list, "Benjamin")));
  const phone = await keyOf("ben's phone");
  const card = await cardOf(ben, withDisplay(withDisplay(ben.list, "x"), "Benny"));
  const unsigned = { ...card, signature: flipped(card.signature) };
  for (const shown of [await cardOf(ben, ben.with(phone.publicKey, "phone")), unsigned]) {
    deepEqual(await newsOf(bench, { type: "cards", cards: [shown] }), ["ben listRefused"]);
    equal((await bench.said(ben)).reason, "device list refused");
  }
  await bench.quit();
});

test("a keys entry whose list is another than the card of that number shows that the server has two", async () => {
  const { bench, ben } = await withBen();
  const { identity, list } = await ben.keys();
  const keys = async (hash: Bytes) =>
    await bench.server.host(LOBBY_ID, {
      kind: "keys",
      body: { handle: ben.name, identity, number: ben.list.number, list: hash },
    });
  const before = bench.events.length;
  const refusals = () => bench.events.slice(before).filter(({ type }) => type === "keys").length;
  await keys(await repeatable.sha256(list));
  await bench.until((event) => event.type === "log" && event.what?.kind === "keys");
  equal(refusals(), 0);
  await keys(flipped(await repeatable.sha256(list)));
  await bench.until((event) => event.type === "keys" && event.news === "listRefused");
  equal((await bench.said(ben)).reason, "device list refused");
  await bench.quit();
});

test("a message said again is ☐ repeated, and one's own told as another's too", async () => {
  const { bench, ben } = await withBen();
  const entry = await bench.server.unplaced(ben, { kind: "text", body: { text: "once" } });
  equal((await bench.forced(entry)).verified, true);
  equal((await bench.forced(entry)).reason, "repeated message");
  await bench.say("me");
  const { sequence } = await bench.message("me");
  for (const own of bench.server.log().slice(sequence - 1)) {
    equal((await bench.forced(own)).reason, "repeated message");
  }
  await bench.quit();
});

test("a message taken a day from when it was made is ☐ wrong time, before and after", async () => {
  const { bench, ben } = await withBen();
  for (const [off, reason] of [[0, undefined], [1, "wrong time"]] as const) {
    for (const way of [-1, 1]) {
      const time = bench.server.now + way * (ENTRY_TIME_OFF_MS_MAX + off);
      const id = entryId(time, seededEntropy(`${time}`));
      equal((await bench.said(ben, { id })).reason, reason, `${way * off}`);
    }
  }
  await bench.quit();
});

test("what is ☒ tells how far its author is known, and what is ☐ does not", async () => {
  const { bench, ben } = await withBen();
  await bench.ask({ type: "whois", handle: "ben" });
  await bench.ask({ type: "verify", handle: "ben" });
  equal((await bench.said(ben)).trust, "verified");
  const entry = await bench.server.unplaced(ben, { kind: "text", body: { text: "x" } });
  equal((await bench.forced({ ...entry, signature: flipped(entry.signature) })).trust, undefined);
  equal((await bench.said(bench.ann)).trust, "own");
  await bench.quit();
});

test("a message that says it saw what comes after it is ☐, and so is one that saw another log", async () => {
  const { bench, ben } = await withBen();
  const { head } = bench.server.room(LOBBY_ID);
  const ahead = { sequence: head.sequence + 5, hash: head.hash };
  equal((await bench.said(ben, { seen: ahead })).reason, "out of order");
  const forked = { sequence: head.sequence, hash: flipped(head.hash) };
  equal((await bench.said(ben, { seen: forked })).reason, "saw another log");
  const integrity = await bench.until(({ type }) => type === "integrity");
  deepEqual(
    integrity.type === "integrity" && integrity.flaws.map(({ kind }) => kind).includes("forked"),
    true,
  );
  await bench.quit();
});

test("the operator's lines have no mark, and what comes over the bridge is ☐ bridged", async () => {
  const bench = await ChatBench.entered();
  for (
    const [source, from, reason] of [["console", "console", undefined], [
      "bridge",
      "Robo",
      "bridged",
    ]] as const
  ) {
    await bench.server.host(LOBBY_ID, {
      kind: "notice",
      body: { source, name: source === "console" ? "operator" : "Robo", text: `by ${source}` },
    });
    const shown = await bench.message(`by ${source}`);
    deepEqual([shown.kind, shown.from, shown.source, shown.verified, shown.reason], [
      "notice",
      from,
      source,
      false,
      reason,
    ]);
  }
  await bench.quit();
});

test("a notice that the host key did not sign is ☐", async () => {
  const bench = await ChatBench.entered();
  const notice = await bench.server.unplaced(bench.ben, {
    kind: "notice",
    body: { source: "console", name: "operator", text: "send me your password" },
  });
  const { from: _, ...unnamed } = notice;
  const shown = await bench.forced({ ...unnamed, device: HOST_KEY.publicKey });
  deepEqual([shown.verified, shown.reason], [false, "bad signature"]);
  await bench.quit();
});

test("the people who were met are kept before what they say is shown", async () => {
  const bench = await ChatBench.entered();
  const zoe = await Person.named("zoe");
  notEqual(bench.peers.book.has(zoe.name), true);
  await bench.server.welcome(zoe);
  await bench.server.text(zoe, "new here");
  await bench.message("new here");
  equal(bench.peers.book.has(zoe.name), true);
  equal(bench.peers.book.has(bench.ann.name), false);
  await settle();
  await bench.quit();
});
