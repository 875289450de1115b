import { deepEqual, equal, notEqual } from "node:assert/strict";
import { ENTRY_TIME_OFF_MS_MAX } from "../../lib/client/people.ts";
import { entryId } from "../../lib/identity/entry_id.ts";
import { signNotice } from "../../lib/identity/notice_signature.ts";
import type { DeviceList } from "../../lib/identity/device_list.ts";
import { withDisplay } from "../../lib/identity/next_device_list.ts";
import type { Bytes } from "../../lib/wire/bytes.ts";
import { LOBBY, type Notice, type ServerMessage } from "../../lib/wire/message.ts";
import { test } from "../sanitized.ts";
import { seededEntropy } from "../secure/seeded_entropy.ts";
import { HOST_KEY, keyOf, Person, THEN } from "../session/people.ts";
import { cardOf, keysEvent, Lobby, MemoryPeers, ROOM } from "./lobby.ts";

function flipped(bytes: Bytes): Bytes {
  return bytes.map((octet, at) => at === 5 ? octet ^ 1 : octet);
}

async function cards(person: Person, list: DeviceList = person.list): Promise<ServerMessage> {
  return { type: "cards", cards: [await cardOf(person, list)] };
}

/** A lobby in which Ben's card was shown. */
async function withBen(): Promise<{ readonly lobby: Lobby; readonly ben: Person }> {
  const lobby = await Lobby.entered();
  const ben = await Person.named("ben");
  deepEqual(await lobby.tell(await cards(ben)), []);
  return { lobby, ben };
}

test("what a listed device signed is ☒, with the device's name", async () => {
  const { lobby, ben } = await withBen();
  const { verified, reason, device, display, from, text, own, source } = await lobby.shown(
    await lobby.entry(ben, { text: "hi, all" }),
  );
  deepEqual({ verified, reason, device, display, from, text, own, source }, {
    verified: true,
    reason: undefined,
    device: "laptop",
    display: undefined,
    from: "ben",
    text: "hi, all",
    own: false,
    source: "member",
  });
  await lobby.leave();
});

test("a second device is ☒ once the list with it was shown", async () => {
  const { lobby, ben } = await withBen();
  const phone = await keyOf("ben's phone");
  equal((await lobby.shown(await lobby.entry(ben, { device: phone }))).reason, "unknown device");
  const list = ben.with(phone.publicKey, "phone");
  deepEqual(await lobby.tell(await cards(ben, list)), [keysEvent(ben, "deviceAdded", "phone")]);
  const { verified, device } = await lobby.shown(await lobby.entry(ben, { device: phone }));
  deepEqual({ verified, device }, { verified: true, device: "phone" });
  await lobby.leave();
});

test("attack 32: a display name is shown with what is ☒, but not one that looks like somebody else's handle", async () => {
  const { lobby, ben } = await withBen();
  deepEqual(await lobby.tell(await cards(ben, withDisplay(ben.list, "Benjamin"))), [
    keysEvent(ben, "renamed", "Benjamin"),
  ]);
  equal((await lobby.shown(await lobby.entry(ben))).display, "Benjamin");
  const mallory = await Person.named("mallory");
  await lobby.tell(await cards(mallory, { ...mallory.list, display: "BEN" }));
  const shown = await lobby.shown(await lobby.entry(mallory));
  deepEqual([shown.verified, shown.display], [true, undefined]);
  await lobby.leave();
});

test("a server that alters anything that was signed gets ☐ bad signature", async () => {
  const { lobby, ben } = await withBen();
  const entry = await lobby.entry(ben, { text: "yes" });
  const alterations: readonly Partial<typeof entry>[] = [
    { text: "no" },
    { signature: flipped(entry.signature) },
    { salt: flipped(entry.salt) },
    { id: entryId(THEN, seededEntropy("another id")) },
    { seen: entry.seen + 1 },
  ];
  for (const [at, alteration] of alterations.entries()) {
    const sequence = at === 0 ? entry.sequence : lobby.nextSequence();
    const { verified, reason } = await lobby.shown({ ...entry, sequence, ...alteration });
    deepEqual(
      { verified, reason },
      { verified: false, reason: "bad signature" },
      Object.keys(alteration).join(),
    );
  }
  await lobby.leave();
});

test("what one person signed is ☐ under another's name, with or without that one's device", async () => {
  const { lobby, ben } = await withBen();
  const cara = await Person.named("cara");
  await lobby.tell(await cards(cara));
  const entry = await lobby.entry(ben);
  equal((await lobby.shown({ ...entry, from: cara.name })).reason, "unknown device");
  const sequence = lobby.nextSequence();
  equal(
    (await lobby.shown({ ...entry, sequence, from: cara.name, device: cara.device.publicKey })).reason,
    "bad signature",
  );
  await lobby.leave();
});

test("a message said to be one's own from elsewhere is judged by one's own list", async () => {
  const { lobby, ben } = await withBen();
  const entry = await lobby.entry(ben);
  const forged = await lobby.shown({ ...entry, from: lobby.ann.name });
  deepEqual([forged.verified, forged.reason, forged.own], [false, "unknown device", false]);
  await lobby.leave();
});

test("whoever has no card is ☐", async () => {
  const lobby = await Lobby.entered();
  const ben = await Person.named("ben");
  equal((await lobby.shown(await lobby.entry(ben))).reason, "unknown device");
  await lobby.leave();
});

test("what a revoked device signs is ☐", async () => {
  const { lobby, ben } = await withBen();
  const phone = await keyOf("ben's phone");
  ben.list = ben.with(phone.publicKey, "phone");
  await lobby.tell(await cards(ben));
  equal((await lobby.shown(await lobby.entry(ben, { device: phone }))).verified, true);
  deepEqual(await lobby.tell(await cards(ben, ben.without(phone.publicKey))), [
    keysEvent(ben, "deviceRevoked", "phone"),
  ]);
  equal((await lobby.shown(await lobby.entry(ben, { device: phone }))).reason, "revoked device");
  equal((await lobby.shown(await lobby.entry(ben))).verified, true);
  await lobby.leave();
});

test("another identity is ☐ until it is accepted, also after a restart", async () => {
  const { lobby, ben } = await withBen();
  const other = await Person.named("ben", "another life");
  deepEqual(await lobby.tell(await cards(other)), [keysEvent(ben, "identityChanged")]);
  const entry = await lobby.entry(other);
  equal((await lobby.shown(entry)).reason, "identity changed");
  equal((await lobby.shown(await lobby.entry(ben))).reason, "identity changed");
  await lobby.leave();

  const again = await Lobby.entered({ peers: lobby.peers });
  await again.tell(await cards(other));
  equal((await again.shown(await again.entry(other))).reason, "identity changed");
  equal(await again.conversation.request({ type: "whois", handle: "ben" }), undefined);
  equal(await again.conversation.request({ type: "accept", handle: "ben" }), undefined);
  equal((await again.shown(await again.entry(other))).verified, true);
  equal((await again.shown(await again.entry(ben))).reason, "unknown device");
  await again.leave();
});

test("an identity that changes again after its words were shown is not accepted by them", async () => {
  const { lobby } = await withBen();
  await lobby.tell(await cards(await Person.named("ben", "another life")));
  equal(await lobby.conversation.request({ type: "whois", handle: "ben" }), undefined);
  const third = await Person.named("ben", "a third life");
  await lobby.tell(await cards(third));
  const sentence = await lobby.conversation.request({ type: "accept", handle: "ben" });
  equal(
    sentence,
    "Cannot accept ben: the identity of ben has changed again; compare the words of /whois ben anew.",
  );
  equal((await lobby.shown(await lobby.entry(third))).reason, "identity changed");
  await lobby.leave();
});

test("an older list is refused, and brings no device back", async () => {
  const { lobby, ben } = await withBen();
  const phone = await keyOf("ben's phone");
  const old = ben.with(phone.publicKey, "phone");
  ben.list = old;
  const revoked = ben.without(phone.publicKey);
  await lobby.tell(await cards(ben, old), await cards(ben, revoked));
  deepEqual(await lobby.tell(await cards(ben, old)), [keysEvent(ben, "listRefused")]);
  equal((await lobby.shown(await lobby.entry(ben, { device: phone }))).reason, "device list refused");
  equal((await lobby.shown(await lobby.entry(ben))).reason, "device list refused");
  deepEqual(await lobby.tell(await cards(ben, revoked)), []);
  equal((await lobby.shown(await lobby.entry(ben))).verified, true);
  await lobby.leave();
});

test("a list older than the one kept from an earlier run is refused", async () => {
  const { lobby, ben } = await withBen();
  await lobby.tell(await cards(ben, withDisplay(ben.list, "Benjamin")));
  await lobby.leave();
  const again = await Lobby.entered({ peers: lobby.peers });
  deepEqual(await again.tell(await cards(ben)), [keysEvent(ben, "listRefused")]);
  equal((await again.shown(await again.entry(ben))).reason, "device list refused");
  await again.leave();
});

test("two lists of one number are refused", async () => {
  const { lobby, ben } = await withBen();
  await lobby.tell(await cards(ben, withDisplay(ben.list, "Benjamin")));
  const phone = await keyOf("ben's phone");
  deepEqual(await lobby.tell(await cards(ben, ben.with(phone.publicKey, "phone"))), [
    keysEvent(ben, "listRefused"),
  ]);
  equal((await lobby.shown(await lobby.entry(ben, { device: phone }))).reason, "device list refused");
  await lobby.leave();
});

test("a list that its identity did not sign is refused", async () => {
  const { lobby, ben } = await withBen();
  const card = await cardOf(ben, withDisplay(ben.list, "Benjamin"));
  deepEqual(
    await lobby.tell({ type: "cards", cards: [{ ...card, signature: flipped(card.signature) }] }),
    [keysEvent(ben, "listRefused")],
  );
  equal((await lobby.shown(await lobby.entry(ben))).reason, "device list refused");
  await lobby.leave();
});

test("a message said again is ☐ repeated", async () => {
  const { lobby, ben } = await withBen();
  const entry = await lobby.entry(ben);
  equal((await lobby.shown(entry)).verified, true);
  equal((await lobby.shown({ ...entry, sequence: lobby.nextSequence() })).reason, "repeated message");
  await lobby.leave();
});

test("one's own message told as another device's is ☐ repeated", async () => {
  const { lobby } = await withBen();
  await lobby.conversation.request({ type: "send", room: LOBBY, text: "me" });
  const send = await lobby.server.said("send");
  const acknowledged = await lobby.shown(
    { type: "ack", room: LOBBY, id: send.id, sequence: lobby.nextSequence(), time: THEN },
  );
  deepEqual([acknowledged.verified, acknowledged.own, acknowledged.device], [true, true, "laptop"]);
  const told = await lobby.shown({
    ...send,
    type: "entry",
    from: lobby.ann.name,
    device: lobby.ann.device.publicKey,
    sequence: lobby.nextSequence(),
    time: THEN,
  });
  equal(told.reason, "repeated message");
  await lobby.leave();
});

test("a message of another day, said again after a restart, is ☐ wrong time", async () => {
  const { lobby, ben } = await withBen();
  const entry = await lobby.entry(ben);
  lobby.wallClock = THEN + ENTRY_TIME_OFF_MS_MAX;
  equal((await lobby.shown(entry)).verified, true);
  await lobby.leave();
  const again = await Lobby.entered({ peers: lobby.peers });
  again.wallClock = THEN + ENTRY_TIME_OFF_MS_MAX + 1;
  equal((await again.shown({ ...entry, sequence: again.nextSequence() })).reason, "wrong time");
  await again.leave();
});

test("a message whose id is ahead of its time could be said again for as long, and is ☐ wrong time", async () => {
  const { lobby, ben } = await withBen();
  const ahead = (ms: number) => entryId(THEN + ms, seededEntropy(`${ms} ms ahead`));
  const near = await lobby.entry(ben, { id: ahead(ENTRY_TIME_OFF_MS_MAX) });
  equal((await lobby.shown(near)).verified, true);
  const far = await lobby.entry(ben, { id: ahead(ENTRY_TIME_OFF_MS_MAX + 1) });
  equal((await lobby.shown(far)).reason, "wrong time");
  await lobby.leave();
});

test("what is ☒ tells how far its author is known, and what is ☐ does not", async () => {
  const { lobby, ben } = await withBen();
  equal((await lobby.shown(await lobby.entry(ben))).trust, "seen");
  equal(await lobby.conversation.request({ type: "whois", handle: "ben" }), undefined);
  equal(await lobby.conversation.request({ type: "verify", handle: "ben" }), undefined);
  equal((await lobby.shown(await lobby.entry(ben))).trust, "verified");
  const forged = await lobby.entry(ben);
  equal((await lobby.shown({ ...forged, text: "forged" })).trust, undefined);
  equal((await lobby.shown(await lobby.entry(lobby.ann))).trust, "own");

  const other = await Person.named("ben", "another life");
  await lobby.tell(await cards(other));
  const changed = await lobby.shown(await lobby.entry(other));
  deepEqual([changed.reason, changed.trust], ["identity changed", undefined]);
  equal(await lobby.conversation.request({ type: "whois", handle: "ben" }), undefined);
  equal(await lobby.conversation.request({ type: "accept", handle: "ben" }), undefined);
  equal((await lobby.shown(await lobby.entry(other))).trust, "seen");
  await lobby.leave();
});

test("a message put before what its sender had seen is ☐ out of order", async () => {
  const { lobby, ben } = await withBen();
  equal((await lobby.shown(await lobby.entry(ben, { seen: 1 }))).reason, "out of order");
  await lobby.leave();
});

test("an entry for another room than its signature's ends the conversation", async () => {
  const { lobby, ben } = await withBen();
  const events = await lobby.tell({ ...await lobby.entry(ben), room: "#elsewhere" });
  equal(events.some(({ type }) => type === "message"), false);
  equal((await lobby.conversation.outcome)?.exit, "protocol");
});

test("entries of two people, one of them with new keys, keep their order", async () => {
  const { lobby, ben } = await withBen();
  const cara = await Person.named("cara");
  const said: ServerMessage[] = [];
  for (let at = 0; at < 20; at++) {
    if (at === 10) said.push(await cards(cara));
    said.push(await lobby.entry(at % 2 === 0 ? ben : cara, { text: `${at}` }));
  }
  const shown = (await lobby.tell(...said)).flatMap((event) => event.type === "message" ? [event] : []);
  deepEqual(shown.map(({ text }) => text), Array.from({ length: 20 }, (_, at) => `${at}`));
  deepEqual(
    shown.map(({ verified }) => verified),
    Array.from({ length: 20 }, (_, at) => at % 2 === 0 || at > 10),
  );
  await lobby.leave();
});

async function notice(lobby: Lobby, source: Notice["source"], name: string): Promise<Notice> {
  const id = entryId(THEN, seededEntropy(name));
  const text = "the coffee is ready";
  const signature = await signNotice(HOST_KEY, { room: ROOM, id, source, name, text });
  return {
    type: "notice",
    room: LOBBY,
    sequence: lobby.nextSequence(),
    id,
    source,
    name,
    time: THEN,
    text,
    signature,
  };
}

test("the operator's lines have no mark, and what comes over the bridge is ☐ bridged", async () => {
  const lobby = await Lobby.entered();
  const console = await lobby.shown(await notice(lobby, "console", "operator"));
  deepEqual([console.from, console.source, console.verified, console.reason], [
    "console",
    "console",
    false,
    undefined,
  ]);
  const bridge = await lobby.shown(await notice(lobby, "bridge", "Robo"));
  deepEqual([bridge.from, bridge.source, bridge.verified, bridge.reason], [
    "Robo",
    "bridge",
    false,
    "bridged",
  ]);
  await lobby.leave();
});

test("a notice that the host key did not sign ends the conversation", async () => {
  const lobby = await Lobby.entered();
  const events = await lobby.tell({
    ...await notice(lobby, "console", "operator"),
    text: "send me your password",
  });
  equal(events.some(({ type }) => type === "message"), false);
  equal((await lobby.conversation.outcome)?.exit, "protocol");
});

test("the people who were met are kept before what they say is shown", async () => {
  const peers = new MemoryPeers();
  const lobby = await Lobby.entered({ peers });
  const ben = await Person.named("ben");
  notEqual(peers.book.has(ben.name), true);
  await lobby.tell(await cards(ben));
  equal(peers.book.has(ben.name), true);
  equal(peers.book.has(lobby.ann.name), false);
  await lobby.leave();
});
