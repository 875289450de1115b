import { deepEqual, equal, ok } from "node:assert/strict";
import { test } from "../sanitized.ts";
import { DELETE, EDIT, JOIN, membership, moderation, PART, settlement, text } from "../chat/bodies.ts";
import { House } from "../chat/house.ts";
import { leftRoomLog } from "../../lib/client/room_log.ts";
import { placeOf } from "../../lib/identity/log_entry.ts";
import type { Handle } from "../../lib/text/handle.ts";
import { type BodyOf, encodeBody } from "../../lib/wire/entry_body.ts";
import { provider } from "../crypto/test_provider.ts";
import { handleOf } from "../identity/people.ts";
import { GivenLog, READER, Reader, words } from "./given_log.ts";

const ANN = handleOf("ann");
const BOB = handleOf("bob");
const CLEO = handleOf("cleo");
const DAY_MS = 86_400_000;

/** A room in which ann, who owns it, bob and cleo are; entries 4 to `count` are texts of all three in turn. */
function teaRoom(count = 20): { readonly house: House; readonly room: GivenLog["room"] } {
  const house = new House(ANN, BOB, CLEO, READER);
  const room = house.open("#tea", ANN);
  house.bring(room, BOB);
  house.bring(room, CLEO);
  for (let at = 4; at <= count; at++) {
    house.must(room, [ANN, BOB, CLEO][at % 3], text(`line ${at}`));
  }
  return { house, room };
}

function given({ house, room }: ReturnType<typeof teaRoom>): GivenLog {
  return new GivenLog(room, house.log(room));
}

/** A client that has read all of it from the first entry on. */
async function readAll(log: GivenLog): Promise<Reader> {
  const reader = new Reader(log.room);
  await reader.catchUp(log, { limit: 1_000 });
  return reader;
}

test("a log that is what it says is complete, from the first entry or from the newest back", async () => {
  const log = given(teaRoom());
  const all = await readAll(log);
  deepEqual([all.log.base.sequence, all.log.head.sequence, all.log.flaws], [0, 20, []]);
  equal(all.shown.length, 20);
  const newest = new Reader(log.room);
  await newest.page(log, { limit: 5 });
  equal(newest.log.base.sequence, 15);
  newest.restart();
  for (const base of [9, 3, 0]) {
    const { shown } = await newest.before(log, undefined, 6);
    deepEqual(shown.map(({ doubt }) => doubt), shown.map(() => undefined));
    equal(newest.log.base.sequence, base);
  }
  deepEqual([newest.log.flaws, newest.kept.size, newest.doubtful.size], [[], 20, 0]);
});

test("the answer to a question that was overtaken brings nothing new, and accuses nobody", async () => {
  const { house, room } = teaRoom(5);
  const reader = new Reader(room);
  await reader.page(given({ house, room }));
  for (let at = 6; at <= 20; at++) house.must(room, ANN, text(`line ${at}`));
  for (const after of [5, 5]) await reader.page(given({ house, room }), { limit: 5, after });
  deepEqual([reader.log.head.sequence, reader.log.flaws], [10, []]);
});

test("attack 42: an entry that is not given is missing by its number, wherever it stands", async () => {
  for (const limit of [1, 3, 100]) {
    const log = given(teaRoom());
    log.remove(7, 8, 12);
    const reader = new Reader(log.room);
    await reader.page(log, { limit: 100 });
    const paged = await pagedFrom(log, limit);
    deepEqual(words(reader.log.flaws), ["missing 7-8", "missing 12"]);
    deepEqual(words(paged.log.flaws), ["missing 7-8", "missing 12"]);
    equal(paged.log.base.sequence, 12, "the chain is whole from there");
    paged.restart();
    await paged.catchUp(log);
    deepEqual(words(paged.told), ["missing 7-8", "missing 12"], "each is told once");
  }
});

/** A client that has read the first three, and then the rest in pages of `limit`. */
async function pagedFrom(log: GivenLog, limit: number): Promise<Reader> {
  const first = log.copy();
  first.cut(3);
  const reader = await readAll(first);
  await reader.catchUp(log, { limit });
  return reader;
}

test("attack 42: the last entries are missing where the server says that it has told all", async () => {
  const log = given(teaRoom());
  log.remove(19, 20);
  const reader = await readAll(log);
  deepEqual(words(reader.log.flaws), ["missing 19-20"]);
  equal(reader.log.head.sequence, 20, "and it goes on from there");
  const { house, room } = teaRoom(21);
  await reader.hear(house.entry(room, 21));
  deepEqual(words(reader.log.flaws), ["missing 19-20"]);
});

test("attack 42: missing entries are missing in pages of history, too", async () => {
  const log = given(teaRoom());
  log.remove(4, 9, 10, 15);
  const reader = new Reader(log.room);
  await reader.page(log, { limit: 5 });
  equal(reader.log.base.sequence, 15);
  await reader.before(log, undefined, 5);
  deepEqual(words(reader.log.flaws), ["missing 15", "missing 9-10"]);
  await reader.before(log, 8, 5);
  deepEqual(words(reader.log.flaws), ["missing 15", "missing 9-10", "missing 4"]);
  const empty = log.copy();
  empty.remove(1, 2, 3, 5, 6, 7, 8, 11, 12, 13, 14);
  const other = new Reader(log.room);
  await other.page(log, { limit: 5 });
  const { shown } = await other.before(empty);
  deepEqual([shown, words(other.log.flaws)], [[], ["missing 1-15"]]);
});

test("attack 42: an entry that was changed is named, whoever reads it how", async () => {
  const log = given(teaRoom());
  log.replace(9, (entry) => ({ ...entry, signature: new Uint8Array(64).fill(1) }));
  const forward = await pagedFrom(log, 4);
  deepEqual(words(forward.log.flaws), ["rewritten 9"], "what follows does not follow on it");
  const back = new Reader(log.room);
  await back.page(log, { limit: 5 });
  const { shown } = await back.before(log);
  deepEqual(words(back.log.flaws), ["rewritten 9"]);
  equal(shown.find(({ entry }) => entry.sequence === 9)?.doubt, "rewritten");
  equal(shown.find(({ entry }) => entry.sequence === 8)?.doubt, undefined);
});

test("attack 42: a text that is not what was signed is named, and doubtful", async () => {
  const log = given(teaRoom());
  const reader = new Reader(log.room);
  // As lib/client/entry_judge.ts finds out.
  reader.doubts.set(9, "not what was signed");
  await reader.catchUp(log);
  deepEqual(words(reader.log.flaws), ["rewritten 9"]);
  equal(reader.doubtful.get(9), "not what was signed");
});

test("attack 42: an entry that was given before is compared whenever it is given again", async () => {
  const tea = teaRoom();
  const reader = await readAll(given(tea));
  const log = given(tea);
  log.replace(9, (entry) => ({ ...entry, time: entry.time + 1 }));
  log.rechain(10);
  reader.restart();
  await reader.catchUp(log);
  deepEqual(
    words(reader.log.flaws),
    ["rewritten 20"],
    "the head is another: something before it was rewritten",
  );
  const { shown, keep } = await reader.before(log, 21);
  deepEqual(words(reader.log.flaws), ["rewritten 9-20"], "all that differs, by number");
  deepEqual([shown.length, keep.length], [20, 0], "and what was kept stays");
  deepEqual(
    shown.filter(({ doubt }) => doubt !== undefined).map(({ entry }) => entry.sequence),
    range(9, 20),
  );
});

test("attack 42: entries swapped or in another order are named", async () => {
  const log = given(teaRoom());
  const [nine, twelve] = [log.at(9), log.at(12)];
  log.replace(9, ({ sequence, previous, time }) => ({ ...twelve, sequence, previous, time }));
  log.replace(12, ({ sequence, previous, time }) => ({ ...nine, sequence, previous, time }));
  const forward = await pagedFrom(log, 100);
  deepEqual(words(forward.log.flaws), ["rewritten 9", "rewritten 12"]);
  const back = new Reader(log.room);
  await back.page(log, { limit: 3 });
  await back.before(log);
  deepEqual(words(back.log.flaws), ["rewritten 12", "rewritten 9"]);

  const turned = given(teaRoom());
  turned.entries = [
    ...turned.entries.slice(0, 8),
    ...turned.entries.slice(8, 11).reverse(),
    ...turned.entries.slice(11),
  ];
  const reader = await pagedFrom(turned, 100);
  deepEqual(words(reader.log.flaws), ["missing 9-10"], "they came after what follows on them");
  equal(reader.shown.length, 20);
  deepEqual([...reader.doubtful], [[10, "not linked"], [9, "not linked"]]);
});

test("attack 42: a history rewritten for a newcomer is found by what others say that they have seen", async () => {
  const log = given(teaRoom());
  log.replace(9, (entry) => ({ ...entry, signature: new Uint8Array(64).fill(1) }));
  log.rechain(10);
  const reader = await readAll(log);
  deepEqual(words(reader.log.flaws), ["forked 9-19"]);
  deepEqual([...reader.doubtful.keys()], range(10, 20));
});

test("attack 42: the same entry under a second number is doubtful there", async () => {
  const log = given(teaRoom());
  log.replace(15, ({ sequence, previous, time }) => ({ ...log.at(11), sequence, previous, time }));
  log.rechain(16, { isShown: true });
  const reader = await pagedFrom(log, 2);
  deepEqual([reader.log.flaws, [...reader.doubtful]], [[], [[15, "repeated message"]]]);
});

test("attack 42: a log that ends earlier than before was cut back, also after a restart of the client", async () => {
  const tea = teaRoom();
  const reader = await readAll(given(tea));
  const log = given(tea);
  log.cut(12);
  reader.restart();
  await reader.catchUp(log);
  deepEqual(words(reader.log.flaws), ["cutBack 13-20"]);
  equal(reader.log.head.sequence, 12);
  reader.restart();
  await reader.catchUp(log);
  deepEqual(words(reader.told), ["cutBack 13-20"], "it is told once");
  // What is said then follows on where it was cut, and takes the places of what was there.
  tea.house.must(tea.room, ANN, text("restored from #12"));
  const last = tea.house.entry(tea.room, 21);
  log.entries.push({ ...last, sequence: 13, previous: log.head.hash, seen: log.head });
  log.rechain(13);
  await reader.catchUp(log);
  deepEqual([words(reader.told), reader.doubtful.size], [["cutBack 13-20"], 0]);
  equal(reader.kept.get(13)?.entry.id, last.id);
});

test("attack 42: a log cut back to another entry was rewritten there, too", async () => {
  const tea = teaRoom();
  const reader = await readAll(given(tea));
  const log = given(tea);
  log.replace(12, (entry) => ({ ...entry, time: entry.time + 1 }));
  log.cut(12);
  await reader.catchUp(log);
  deepEqual(words(reader.log.flaws), ["cutBack 13-20", "rewritten 12"]);
});

test("attack 42: a live entry in a place that was given is no news, or rewritten", async () => {
  const tea = teaRoom();
  const log = given(tea);
  const reader = await readAll(log);
  deepEqual((await reader.hear(log.at(20))).shown, []);
  const other = { ...log.at(18), time: log.at(18).time + 5 };
  const taken = await reader.hear(other);
  deepEqual([words(taken.flaws), taken.keep], [["rewritten 18"], []]);
  equal(taken.shown[0]?.doubt, "rewritten");
  equal(reader.log.head.sequence, 20);
});

test("attack 42: two histories are told apart by the first entry that crosses", async () => {
  const tea = teaRoom(10);
  const bobs = given(tea);
  // Ann is shown another #9, and what ann says then has seen #10 of that history.
  const anns = given(tea);
  anns.replace(9, (entry) => ({ ...entry, signature: new Uint8Array(64).fill(1) }));
  anns.rechain(10, { isShown: true });
  const ann = await readAll(anns);
  const bob = await readAll(bobs);
  deepEqual([...ann.log.flaws, ...bob.log.flaws], []);
  tea.house.must(tea.room, ANN, text("crosses"));
  const crossing = { ...tea.house.entry(tea.room, 11), seen: anns.head };
  const { shown, flaws } = await bob.hear(crossing);
  deepEqual(words(flaws), ["forked 10"]);
  equal(shown[0]?.doubt, "saw another log");
  bob.restart();
  deepEqual(words(bob.log.flaws), ["forked 10"]);
});

test("attack 42: what an entry is about must be what was given there", async () => {
  const tea = teaRoom(10);
  tea.house.must(tea.room, BOB, EDIT, { about: 10 });
  const log = given(tea);
  log.replace(11, (entry) => ({
    ...entry,
    about: { sequence: entry.about?.sequence ?? 0, hash: new Uint8Array(32).fill(1) },
  }));
  log.rechain(12);
  const reader = await readAll(log);
  equal(reader.log.flaws[0]?.kind, "forked");
  equal(reader.doubtful.get(11), "saw another log");
});

test("attack 42: whoever came later finds the fork in what was said before, once that is read", async () => {
  const tea = teaRoom(10);
  tea.house.must(tea.room, ANN, text("has seen another"), {
    seen: { sequence: 6, hash: new Uint8Array(32).fill(6) },
  });
  const log = given(tea);
  const reader = new Reader(log.room);
  await reader.page(log, { limit: 2 });
  deepEqual(reader.log.flaws, []);
  reader.restart();
  await reader.before(log);
  deepEqual(words(reader.log.flaws), ["forked 6"]);
  // One that nobody else says to have seen is compared when it is read.
  const house = teaRoom(10);
  house.house.must(house.room, BOB, text("slow"), { seen: house.house.place(house.room, 9) });
  house.house.must(house.room, ANN, text("has seen another"), {
    seen: { sequence: 10, hash: new Uint8Array(32).fill(6) },
  });
  const lone = new Reader(house.room);
  await lone.page(given(house), { limit: 1 });
  const { shown } = await lone.before(given(house), undefined, 5);
  deepEqual(words(lone.log.flaws), ["forked 10"]);
  equal(shown.find(({ entry }) => entry.sequence === 10)?.doubt, "saw another log");
  // Where two have seen different entries, that is known before it is read.
  tea.house.must(tea.room, BOB, text("and I"), { seen: { sequence: 6, hash: new Uint8Array(32).fill(7) } });
  const both = given(tea);
  const other = new Reader(both.room);
  await other.page(both, { limit: 2 });
  deepEqual(words(other.log.flaws), ["forked 6"]);
});

test("an entry cannot have seen itself, nor what comes after it", async () => {
  const tea = teaRoom(10);
  const log = given(tea);
  log.replace(8, (entry) => ({ ...entry, seen: { sequence: 8, hash: new Uint8Array(32) } }));
  log.rechain(9);
  const reader = await readAll(log);
  equal(reader.doubtful.get(8), "out of order");
});

test("times that go back are doubtful, in both directions", async () => {
  const tea = teaRoom(10);
  const log = given(tea);
  log.replace(7, (entry) => ({ ...entry, time: entry.time - 1_000 }));
  log.rechain(8);
  const reader = await readAll(log);
  equal(reader.doubtful.get(7), "time went back");
  const back = new Reader(log.room);
  await back.page(log, { limit: 2 });
  const { shown } = await back.before(log);
  equal(shown.find(({ entry }) => entry.sequence === 6)?.doubt, "time went back");
});

test("attack 42: what an entry says is withheld where nobody has deleted it", async () => {
  const tea = teaRoom();
  tea.house.must(tea.room, ANN, DELETE, { about: 14 });
  const log = given(tea);
  const erase = (sequence: number, erasedBy: number | undefined) =>
    log.replace(sequence, ({ content: _, ...rest }) => ({
      ...rest,
      ...(erasedBy === undefined ? {} : { erasedBy }),
    }));
  // No reason; one before it; one that is a text; one of something else; one that is not there; and what cannot be
  // deleted at all.
  erase(6, undefined);
  erase(9, 5);
  erase(11, 13);
  erase(12, 21);
  erase(15, 99);
  erase(2, 13);
  for (const reader of [await readAll(log), await pagedFrom(log, 3)]) {
    deepEqual(words(reader.log.flaws).toSorted(), [
      "withheld 11-12",
      "withheld 15",
      "withheld 2",
      "withheld 6",
      "withheld 9",
    ]);
    for (const sequence of [2, 6, 9, 11, 12, 15]) equal(reader.kept.get(sequence)?.doubt, "withheld");
  }
  const back = new Reader(log.room);
  await back.page(log, { limit: 3 });
  await back.before(log);
  deepEqual(words(back.log.flaws).toSorted(), [
    "withheld 11-12",
    "withheld 2",
    "withheld 6",
    "withheld 9",
  ]);
});

test("attack 42: a deletion covers only where its author may delete", async () => {
  // Bob deletes what ann said: the rules refuse that, and a server that does not is found out.
  const tea = teaRoom(10);
  const anns = 6;
  equal(tea.house.entry(tea.room, anns).from, ANN);
  tea.house.must(tea.room, BOB, text("to become a deletion"));
  const log = given(tea);
  const before = await readAll(log.copy());
  log.replace(11, (entry) => ({ ...entry, kind: "delete", about: tea.house.place(tea.room, anns) }));
  log.rechain(12);
  const first = log.copy();
  first.cut(10);
  const live = await readAll(first);
  equal((await live.hear(log.at(11))).shown[0]?.doubt, "not allowed");
  ok(live.kept.get(anns)?.entry.content !== undefined, "nothing is erased here");
  log.replace(anns, ({ content: _, ...rest }) => ({ ...rest, erasedBy: 11 }));
  const reader = await readAll(log);
  deepEqual(words(reader.log.flaws), [`withheld ${anns}`]);
  // Who had it before still has it, and sees that it is withheld from others.
  equal(before.log.flaws.length, 0);
  await live.before(log, 11);
  deepEqual(words(live.log.flaws), [`withheld ${anns}`]);
  ok(live.kept.get(anns)?.entry.content !== undefined);
});

test("attack 42: nobody can have erased what the room is made of, nor somebody who never was in it anything", async () => {
  const tea = teaRoom(10);
  tea.house.must(tea.room, ANN, text("to become a deletion"));
  const log = given(tea);
  const deletes = (about: number, from = ANN) => {
    log.replace(11, (entry) => ({ ...entry, from, kind: "delete", about: tea.house.place(tea.room, about) }));
    log.head = placeOf(provider, log.room, log.at(11));
  };
  // The second entry is bob's coming.
  log.replace(2, ({ content: _, ...rest }) => ({ ...rest, erasedBy: 11 }));
  deletes(2);
  const back = new Reader(log.room);
  await back.page(log, { limit: 1 });
  await back.before(log);
  deepEqual(words(back.log.flaws), ["withheld 2"]);
  deepEqual(words((await readAll(log)).log.flaws), ["withheld 2"]);
  log.replace(2, () => tea.house.entry(tea.room, 2));
  deletes(10, handleOf("mallory"));
  deepEqual([...(await readAll(log)).doubtful], [[11, "not allowed"]]);
});

test("a first entry follows on nothing", async () => {
  const log = given(teaRoom(4));
  log.replace(1, (entry) => ({ ...entry, previous: new Uint8Array(32).fill(1) }));
  log.rechain(2, { isShown: true });
  deepEqual(words((await readAll(log)).log.flaws), ["rewritten 1"]);
});

test("an edit of somebody else's words is doubtful", async () => {
  const tea = teaRoom(10);
  tea.house.must(tea.room, BOB, EDIT, { about: 10 });
  const log = given(tea);
  equal((await readAll(log)).doubtful.size, 0);
  log.replace(11, (entry) => ({ ...entry, from: CLEO }));
  log.head = placeOf(provider, log.room, log.at(11));
  deepEqual([...(await readAll(log)).doubtful], [[11, "not allowed"]]);
});

test("what its author or an operator has deleted is erased here, with its edits, and is no flaw", async () => {
  const tea = teaRoom(10);
  const { house, room } = tea;
  const bobs = house.must(room, BOB, text("mine"));
  const edit = house.must(room, BOB, EDIT, { about: bobs });
  const reader = await readAll(given(tea));
  const early = given(tea);
  early.cut(bobs);
  const slow = await readAll(early);
  house.must(room, ANN, DELETE, { about: bobs });
  const log = given(tea);
  equal(log.at(edit).content, undefined);
  await reader.hear(log.at(13));
  for (const sequence of [bobs, edit]) {
    equal(reader.kept.get(sequence)?.entry.content, undefined);
    equal(reader.kept.get(sequence)?.entry.erasedBy, 13);
  }
  // Whoever was away gets the edit erased, and then why.
  await slow.catchUp(log, { limit: 1 });
  equal(slow.kept.get(bobs)?.entry.content, undefined);
  const later = await readAll(log);
  const back = new Reader(log.room);
  await back.page(log, { limit: 1 });
  await back.before(log);
  for (const each of [reader, slow, later, back]) deepEqual([each.log.flaws, each.doubtful.size], [[], 0]);
});

test("a deletion that is not its author's erases nothing, and covers nothing", async () => {
  const tea = teaRoom(10);
  const bobs = tea.house.must(tea.room, BOB, text("mine"));
  const before = given(tea);
  tea.house.must(tea.room, BOB, DELETE, { about: bobs });
  const log = given(tea);
  const live = await readAll(before);
  const reader = new Reader(log.room);
  for (const each of [live, reader]) {
    each.doubts.set(12, "bad signature");
    await each.catchUp(log);
  }
  ok(live.kept.get(bobs)?.entry.content !== undefined);
  deepEqual(words(reader.log.flaws), [`withheld ${bobs}`]);
});

test("a deletion by one of whom nothing is known is doubtful, and so is what it erased, but no flaw", async () => {
  const tea = teaRoom(10);
  const bobs = tea.house.must(tea.room, BOB, text("mine"));
  const early = given(tea);
  tea.house.must(tea.room, BOB, DELETE, { about: bobs });
  const log = given(tea);
  const live = await readAll(early);
  const forward = new Reader(log.room);
  const back = new Reader(log.room);
  for (const each of [live, forward, back]) each.doubts.set(12, "unknown person");
  await live.catchUp(log);
  await live.before(log, 12);
  await forward.catchUp(log);
  await back.page(log, { limit: 1 });
  await back.before(log);
  for (const each of [live, forward, back]) deepEqual(each.log.flaws, []);
  for (const each of [forward, back]) equal(each.kept.get(bobs)?.doubt, "withheld");
  ok(live.kept.get(bobs)?.entry.content !== undefined, "what was given stays");
  // It covers what it names, and nothing else.
  log.replace(6, ({ content: _, ...rest }) => ({ ...rest, erasedBy: 12 }));
  const lied = new Reader(log.room);
  lied.doubts.set(12, "unknown person");
  await lied.catchUp(log);
  deepEqual(words(lied.log.flaws), ["withheld 6"]);
});

test("an erased entry waits for its deletion over a restart, and is withheld if none comes", async () => {
  const tea = teaRoom(10);
  tea.house.must(tea.room, ANN, DELETE, { about: 6 });
  const log = given(tea);
  const first = log.copy();
  first.cut(3);
  for (const isHonest of [true, false]) {
    const reader = await readAll(first);
    const lying = log.copy();
    if (!isHonest) lying.replace(11, (entry) => ({ ...entry, kind: "text" }));
    await reader.page(lying, { limit: 4 });
    equal(reader.log.knowledge.awaited.length, 1);
    reader.restart();
    await reader.catchUp(lying, { limit: 4 });
    deepEqual(reader.log.knowledge.awaited, []);
    deepEqual(
      words(reader.told).filter((each) => each.startsWith("withheld")),
      isHonest ? [] : ["withheld 6"],
    );
  }
});

test("attack 42: a beginning is dropped only for a retention that was signed, and not before its time", async () => {
  const tea = teaRoom(10);
  const { house, room } = tea;
  for (const days of [0, 7]) {
    if (days > 0) house.must(room, ANN, settlement({ act: "retention", days }));
    const reader = await readAll(given(tea));
    const log = given(tea);
    log.drop(5);
    const early = reader.now = house.now + DAY_MS;
    await reader.catchUp(log);
    deepEqual(
      words(reader.log.flaws),
      ["missing 1-5"],
      "nobody has settled that, or not for so short a time",
    );
    const patient = await readAll(given(tea));
    patient.now = early + 8 * DAY_MS;
    await patient.catchUp(log);
    deepEqual(words(patient.log.flaws), days === 0 ? ["missing 1-5"] : []);
    equal(patient.log.base.sequence, 0, "what was read is still whole");
  }
});

test("what is settled by who may not is no retention", async () => {
  const tea = teaRoom(10);
  tea.house.must(tea.room, ANN, settlement({ act: "retention", days: 1 }));
  const log = given(tea);
  log.replace(11, (entry) => ({ ...entry, from: BOB }));
  log.rechain(12);
  const reader = await readAll(log);
  equal(reader.log.knowledge.retention, 0);
});

test("whoever was away longer than a room keeps its entries goes on from what is left", async () => {
  const tea = teaRoom(4);
  const { house, room } = tea;
  house.must(room, ANN, settlement({ act: "retention", days: 2 }));
  const reader = await readAll(given(tea));
  for (let at = 6; at <= 20; at++) house.must(room, BOB, text(`line ${at}`));
  const log = given(tea);
  log.drop(15);
  reader.now = house.now + 5 * DAY_MS;
  await reader.catchUp(log, { limit: 2 });
  deepEqual([reader.log.flaws, reader.log.base.sequence, reader.log.head.sequence], [[], 15, 20]);
  // More is gone than the server says that it has dropped.
  const other = await readAll(given(teaRoom(4)));
  other.now = reader.now;
  log.remove(16, 17);
  await other.catchUp(log);
  deepEqual(words(other.log.flaws), ["missing 5-17"], "what it has is not");
});

test("whoever left and came back is not missing what was said meanwhile", async () => {
  const house = new House(ANN, BOB);
  const room = house.open("#tea", ANN, "private");
  const invite = membership({ change: "invite", handle: BOB });
  house.bring(room, BOB);
  const reader = new Reader(room, BOB);
  await reader.catchUp(new GivenLog(room, house.log(room)));
  // On another device.
  house.must(room, BOB, PART);
  for (let at = 0; at < 5; at++) house.must(room, ANN, text("without bob"));
  house.must(room, ANN, invite);
  house.must(room, BOB, JOIN);
  house.must(room, ANN, text("with bob"));
  const log = new GivenLog(room, house.log(room));
  log.drop(10);
  equal(log.at(11).kind, "membership");
  const lied = log.copy();
  lied.remove(11);
  for (const limit of [1, 100]) {
    const back = new Reader(room, BOB);
    back.log = reader.log;
    for (const [at, kept] of reader.kept) back.kept.set(at, kept);
    await back.page(log, { limit, isLive: true });
    back.restart();
    await back.catchUp(log, { limit });
    deepEqual([back.log.flaws, back.log.base.sequence, back.log.head.sequence], [[], 10, 12]);
  }
  await reader.catchUp(lied);
  deepEqual(words(reader.log.flaws), ["missing 4-11"], "without one's own coming it is");
});

/** Zoe reads up to #10 and is away; #16 says that another brings her in, and what is before it is given no more. */
async function broughtIn(
  by: { readonly from: Handle | undefined; readonly body: BodyOf<"membership"> },
  { hasLeft }: { readonly hasLeft: "heard" | "signed" | "not" },
): Promise<Reader> {
  const tea = teaRoom(10);
  if (hasLeft === "signed") {
    tea.house.bring(tea.room, READER);
    tea.house.must(tea.room, ANN, moderation({ act: "kick", handle: READER }));
  }
  const reader = await readAll(given(tea));
  for (let at = reader.log.head.sequence; at < 20; at++) tea.house.must(tea.room, ANN, text(`line ${at}`));
  if (hasLeft === "heard") reader.log = leftRoomLog(reader.log);
  reader.restart();
  const log = given(tea);
  const content = {
    salt: new Uint8Array(32),
    body: encodeBody({ kind: "membership", body: by.body }),
  };
  log.replace(16, ({ from: _, ...entry }) => ({
    ...entry,
    kind: "membership",
    ...by.from === undefined ? {} : { from: by.from },
    content,
  }));
  log.rechain(17, { isShown: true });
  log.drop(15);
  await reader.catchUp(log, { limit: 2 });
  return reader;
}

test("attack 42: another's word that one came in explains nothing where one is not known to have left", async () => {
  const joins = { from: undefined, body: { change: "join", handle: READER } } as const;
  const allows = { from: ANN, body: { change: "allow", handle: READER } } as const;
  for (const by of [joins, allows]) {
    deepEqual(words((await broughtIn(by, { hasLeft: "not" })).log.flaws), ["missing 11-15"]);
    for (const hasLeft of ["signed", "heard"] as const) {
      const reader = await broughtIn(by, { hasLeft });
      deepEqual([words(reader.log.flaws), reader.log.knowledge.left], [[], false], hasLeft);
    }
  }
  const own = { from: READER, body: { change: "join" } } as const;
  deepEqual((await broughtIn(own, { hasLeft: "not" })).log.flaws, []);
});

test("attack 42: coming in again shortens no retention that was known", async () => {
  const tea = teaRoom(10);
  tea.house.must(tea.room, ANN, settlement({ act: "retention", days: 30 }));
  const reader = await readAll(given(tea));
  tea.house.bring(tea.room, READER);
  const log = given(tea);
  log.retention = 1;
  await reader.catchUp(log);
  equal(reader.log.knowledge.retention, 30);
});

test("what an operator was is known only as far as the log is: unknown ones may have been it", async () => {
  const tea = teaRoom(6);
  const { house, room } = tea;
  house.must(room, ANN, moderation({ act: "role", handle: BOB, role: "operator" }));
  const cleos = house.must(room, CLEO, text("of cleo"));
  house.must(room, BOB, DELETE, { about: cleos });
  house.must(room, ANN, moderation({ act: "role", handle: BOB, role: "member" }));
  house.must(room, CLEO, text("more"));
  const log = given(tea);
  const whole = await readAll(log);
  deepEqual([whole.log.flaws, whole.doubtful.size], [[], 0]);
  const part = new Reader(room);
  await part.page(log, { limit: 4 });
  deepEqual([part.log.flaws, part.doubtful.size], [[], 0]);
});

test("entries far from what is known are not linked to it, and not kept", async () => {
  const log = given(teaRoom());
  const reader = new Reader(log.room);
  await reader.page(log, { limit: 5 });
  const { shown, keep } = await reader.somewhere(log, 3, 8);
  deepEqual(shown.map(({ doubt }) => doubt), shown.map(() => "not linked"));
  deepEqual([keep, reader.log.base.sequence, reader.log.flaws], [[], 15, []]);
  await reader.before(log, undefined, 9);
  const again = await reader.somewhere(log, 3, 8);
  deepEqual(again.shown.map(({ doubt }) => doubt), shown.map(() => undefined), "now they are");
  equal(again.keep.length, 4);
});

function range(from: number, to: number): readonly number[] {
  return Array.from({ length: to - from + 1 }, (_, at) => from + at);
}
