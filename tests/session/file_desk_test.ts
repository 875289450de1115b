import { deepEqual, equal, ok } from "node:assert/strict";
import { createHash } from "node:crypto";
import {
  FILE_AHEAD_BYTES,
  FILE_ASKS_PER_PEER_MAX,
  FILE_PAUSE_MS,
  FILE_PUTS_PER_PEER_MAX,
  FILE_UNFINISHED_MS,
  FileDesk,
  type FileRequest,
  ROOM_QUOTA_ACCOUNTS,
} from "../../lib/session/file_desk.ts";
import { type Bytes, concat } from "../../lib/wire/bytes.ts";
import { encodeBody } from "../../lib/wire/entry_body.ts";
import { FILE_CHUNK_BYTES, FILE_WINDOW_CHUNKS } from "../../lib/wire/limits.ts";
import {
  decodeServerMessage,
  type FaultCode,
  type Logged,
  type ServerMessage,
} from "../../lib/wire/message.ts";
import { handleOf } from "../identity/people.ts";
import { test } from "../sanitized.ts";
import { MemoryFiles } from "./memory_files.ts";

const ROOM = new Uint8Array(16).fill(1);
const ELSEWHERE = new Uint8Array(16).fill(2);
/** Steps after which whatever the desk does in memory for one request is done. */
const STEPS_TO_REST = 1_000;
const DAY_MS = 86_400_000;
const HALF = FILE_CHUNK_BYTES * FILE_WINDOW_CHUNKS / 2;

/** A peer that keeps what it is told. */
class Hearer {
  /** Settles when it has room for more. */
  hasRoom: Promise<void> = Promise.resolve();
  readonly told: ServerMessage[] = [];
  /** Called with what it was told last. */
  onTold: () => void = () => {};

  async drained(octets: number): Promise<void> {
    equal(octets, FILE_AHEAD_BYTES);
    await this.hasRoom;
  }

  send(bytes: Bytes): void {
    const message = decodeServerMessage(bytes);
    ok(message !== undefined);
    this.told.push(message);
    this.onTold();
  }

  /** What it was told since this was asked last. */
  news(): ServerMessage[] {
    return this.told.splice(0);
  }
}

/** A desk with its store, and people: ann and ben are in the room, cleo is not. */
class House {
  readonly store = new MemoryFiles();
  readonly troubles: unknown[] = [];
  readonly members = new Set<string>(["ann", "ben"]);
  now = 1_000 * DAY_MS;
  refusal: FaultCode | undefined;
  desk: FileDesk;

  constructor(readonly limits = { quotaBytes: 1_000_000, days: 0 }) {
    this.desk = this.#open();
  }

  /** The server dies, and runs again. */
  restart(): void {
    this.store.crash();
    this.desk = this.#open();
  }

  async ask(peer: Hearer, handle: string, request: FileRequest): Promise<ServerMessage[]> {
    await this.desk.take({ peer, handle: handleOf(handle), isHere: () => true }, request);
    await rest();
    return peer.news();
  }

  /** Puts all that is missing of `bytes`, and gives the last answer. */
  async put(peer: Hearer, handle: string, bytes: Bytes, file = idOf(7)): Promise<ServerMessage | undefined> {
    const told = await this.ask(peer, handle, begin(bytes, file));
    const [state] = told;
    if (state?.type !== "fileState" || state.done) return told.at(-1);
    for (const chunk of chunksOf(bytes, file)) {
      if (chunk.offset >= state.have) told.push(...await this.ask(peer, handle, chunk));
    }
    while (!isOver(told.at(-1))) {
      await new Promise<void>((resolve) => peer.onTold = resolve);
      told.push(...peer.news());
    }
    return told.at(-1);
  }

  #open(): FileDesk {
    return new FileDesk({
      store: this.store,
      rooms: {
        refusalToPut: (_room, handle) => this.members.has(handle) ? this.refusal : "noSuchRoom",
        mayRead: (_room, handle) => this.members.has(handle),
      },
      limits: this.limits,
      wallClock: () => this.now,
      trouble: (error) => this.troubles.push(error),
    });
  }
}

function isOver(message: ServerMessage | undefined): boolean {
  return message?.type === "fault" || message?.type === "fileState" && message.done;
}

/** Everything that works in memory comes to rest. */
async function rest(): Promise<void> {
  for (let step = 0; step < STEPS_TO_REST; step++) await null;
}

function idOf(octet: number): Bytes {
  return new Uint8Array(16).fill(octet);
}

/** Octets that differ from one chunk to the next. */
function content(length: number): Bytes {
  return Uint8Array.from({ length }, (_, at) => (at + Math.floor(at / FILE_CHUNK_BYTES)) % 251);
}

function sha256(bytes: Bytes): Bytes {
  return new Uint8Array(createHash("sha256").update(bytes).digest());
}

function begin(bytes: Bytes, file = idOf(7), room = ROOM): FileRequest & { type: "fileBegin" } {
  return { type: "fileBegin", file, room, size: bytes.length, sha256: sha256(bytes) };
}

function chunksOf(bytes: Bytes, file = idOf(7)): (FileRequest & { type: "fileChunk" })[] {
  return Array.from({ length: Math.ceil(bytes.length / FILE_CHUNK_BYTES) }, (_, at) => ({
    type: "fileChunk",
    file,
    offset: at * FILE_CHUNK_BYTES,
    bytes: bytes.slice(at * FILE_CHUNK_BYTES, (at + 1) * FILE_CHUNK_BYTES),
  }));
}

function get(offset: number, chunks = FILE_WINDOW_CHUNKS, file = idOf(7)): FileRequest {
  return { type: "fileGet", file, offset, chunks };
}

function fault(code: FaultCode, about = idOf(7)): ServerMessage {
  return { type: "fault", code, about };
}

function fileEntry(from: string, file: Bytes): Logged {
  const body = encodeBody({ kind: "file", body: { file, name: "x", size: 1, sha256: new Uint8Array(32) } });
  const place = { sequence: 1, hash: new Uint8Array(32) };
  return {
    sequence: 2,
    time: 1,
    previous: place.hash,
    id: idOf(9),
    kind: "file",
    from: handleOf(from),
    device: new Uint8Array(32),
    seen: place,
    digest: new Uint8Array(32),
    signature: new Uint8Array(64),
    content: { salt: new Uint8Array(32), body },
  };
}

test("a file is put in pieces, told durable every half window, and fetched as it was", async () => {
  const house = new House();
  const [ann, ben] = [new Hearer(), new Hearer()];
  const bytes = content(HALF + 3 * FILE_CHUNK_BYTES + 5);
  deepEqual(await house.ask(ann, "ann", begin(bytes)), [state(0)]);
  const told: ServerMessage[] = [];
  const ended = new Promise<void>((resolve) => ann.onTold = () => isOver(ann.told.at(-1)) && resolve());
  for (const chunk of chunksOf(bytes)) told.push(...await house.ask(ann, "ann", chunk));
  await ended;
  told.push(...ann.news());
  deepEqual(told, [state(HALF), state(bytes.length), state(bytes.length, true)]);

  const given = [...await house.ask(ben, "ben", get(0)), ...await house.ask(ben, "ben", get(HALF * 2))];
  const pieces = given.filter((message) => message.type === "fileData");
  deepEqual(concat(...pieces.map((piece) => piece.bytes)), bytes);
  deepEqual(given.at(-1), fault("noSuchFile"), "nothing is beyond the end");
});

test("no more is given than was asked for", async () => {
  const house = new House();
  const ann = new Hearer();
  await house.put(ann, "ann", content(10 * FILE_CHUNK_BYTES));
  const given = await house.ask(ann, "ann", get(2 * FILE_CHUNK_BYTES, 3));
  deepEqual(given.map((message) => message.type === "fileData" && message.offset / FILE_CHUNK_BYTES), [
    2,
    3,
    4,
  ]);
});

test("an empty file is there as soon as it is begun", async () => {
  const house = new House();
  deepEqual(await house.put(new Hearer(), "ann", content(0)), state(0, true));
});

test("a file is gone on with over another connection, from what is durable", async () => {
  const house = new House();
  const [old, fresh] = [new Hearer(), new Hearer()];
  const bytes = content(5 * FILE_CHUNK_BYTES);
  await house.ask(old, "ann", begin(bytes));
  const [first, second, third] = chunksOf(bytes);
  ok(first !== undefined && second !== undefined && third !== undefined);
  await house.ask(old, "ann", first);
  await house.ask(old, "ann", second);
  await house.desk.leave(old);
  deepEqual(await house.put(fresh, "ann", bytes), state(bytes.length, true));
  equal(house.store.written, bytes.length, "nothing was written twice");
});

test("a connection that is dead, but not known to be, adds nothing once another goes on", async () => {
  const house = new House();
  const [old, fresh] = [new Hearer(), new Hearer()];
  const bytes = content(3 * FILE_CHUNK_BYTES);
  await house.ask(old, "ann", begin(bytes));
  const [first, second] = chunksOf(bytes);
  ok(first !== undefined && second !== undefined);
  await house.ask(old, "ann", first);
  deepEqual(await house.ask(fresh, "ann", begin(bytes)), [state(FILE_CHUNK_BYTES)]);
  deepEqual(await house.ask(old, "ann", second), [fault("noSuchFile")]);
  await house.desk.leave(old);
  deepEqual(await house.put(fresh, "ann", bytes), state(bytes.length, true));
});

test("a file goes on after the server has died, with no hole where something was lost", async () => {
  const house = new House();
  const bytes = content(HALF + 9 * FILE_CHUNK_BYTES);
  const ann = new Hearer();
  await house.ask(ann, "ann", begin(bytes));
  for (const chunk of chunksOf(bytes).slice(0, 36)) await house.ask(ann, "ann", chunk);
  house.restart();
  const again = new Hearer();
  deepEqual(await house.ask(again, "ann", begin(bytes)), [state(HALF)]);
  deepEqual(await house.put(again, "ann", bytes), state(bytes.length, true));
  deepEqual(house.store.content(idOf(7)), bytes);
});

test("a file whose hash was being compared when the server died is compared anew", async () => {
  const house = new House();
  const bytes = content(2 * FILE_CHUNK_BYTES);
  const ann = new Hearer();
  let reach = () => {};
  const reached = new Promise<void>((resolve) => reach = resolve);
  house.store.beforeFinish = () => (reach(), new Promise(() => {}));
  await house.ask(ann, "ann", begin(bytes));
  for (const chunk of chunksOf(bytes)) await house.ask(ann, "ann", chunk);
  await reached;
  house.store.beforeFinish = () => Promise.resolve();
  house.restart();
  deepEqual(await house.put(new Hearer(), "ann", bytes), state(bytes.length, true));
});

test("whoever comes back while the hash is compared is told what came of it", async () => {
  const house = new House();
  const bytes = content(FILE_CHUNK_BYTES);
  const [old, fresh] = [new Hearer(), new Hearer()];
  let release = () => {};
  house.store.beforeFinish = () => new Promise((resolve) => release = resolve);
  await house.ask(old, "ann", begin(bytes));
  for (const chunk of chunksOf(bytes)) await house.ask(old, "ann", chunk);
  await house.desk.leave(old);
  deepEqual(await house.ask(fresh, "ann", begin(bytes)), [state(bytes.length)]);
  const heard = new Promise<void>((resolve) => fresh.onTold = resolve);
  release();
  await heard;
  deepEqual(fresh.news(), [state(bytes.length, true)]);
  deepEqual(old.news(), []);
});

test("a file with another hash than it was said to have is thrown away", async () => {
  const house = new House();
  const bytes = content(2 * FILE_CHUNK_BYTES + 1);
  const other = bytes.slice();
  other[FILE_CHUNK_BYTES] = 255;
  const ann = new Hearer();
  const said = { ...begin(bytes) };
  await house.ask(ann, "ann", said);
  const told = new Promise<void>((resolve) => ann.onTold = () => isOver(ann.told.at(-1)) && resolve());
  for (const chunk of chunksOf(other)) await house.ask(ann, "ann", chunk);
  await told;
  equal(house.store.count, 0);
  deepEqual(await house.ask(ann, "ann", get(0)), [fault("noSuchFile")]);
});

test("a piece that is not the next one, or of another length, is not written, and what is there is gone on with", async () => {
  const bytes = content(3 * FILE_CHUNK_BYTES + 9);
  const [first, second, third, last] = chunksOf(bytes);
  ok(first !== undefined && second !== undefined && third !== undefined && last !== undefined);
  const wrong = [
    third,
    first,
    { ...second, offset: FILE_CHUNK_BYTES + 1 },
    { ...second, bytes: second.bytes.slice(1) },
    { ...last, offset: FILE_CHUNK_BYTES },
  ];
  for (const chunk of wrong) {
    const house = new House();
    const ann = new Hearer();
    await house.ask(ann, "ann", begin(bytes));
    await house.ask(ann, "ann", first);
    deepEqual(await house.ask(ann, "ann", chunk), [fault("noSuchFile")]);
    deepEqual(await house.ask(ann, "ann", second), [fault("noSuchFile")], "it has to be begun anew");
    equal(house.store.written, FILE_CHUNK_BYTES);
    deepEqual(await house.put(ann, "ann", bytes), state(bytes.length, true));
    deepEqual(house.store.content(idOf(7)), bytes);
  }
});

test("an id that is somebody else's, or another file's, is taken", async () => {
  const house = new House();
  const bytes = content(10);
  await house.put(new Hearer(), "ann", bytes);
  const ask = (handle: string, request: FileRequest) => house.ask(new Hearer(), handle, request);
  deepEqual(await ask("ben", begin(bytes)), [fault("idTaken")]);
  deepEqual(await ask("ann", begin(content(11))), [fault("idTaken")]);
  deepEqual(await ask("ann", begin(bytes, idOf(7), ELSEWHERE)), [fault("idTaken")]);
  deepEqual(await ask("ann", { ...begin(bytes), sha256: new Uint8Array(32) }), [fault("idTaken")]);
  deepEqual(await ask("ann", begin(bytes)), [state(bytes.length, true)], "its own is there already");
});

test("attack 33: who is over the quota, alone or with others, is refused before an octet is taken", async () => {
  const house = new House({ quotaBytes: 10 * FILE_CHUNK_BYTES, days: 0 });
  const tooMuch = content(10 * FILE_CHUNK_BYTES + 1);
  deepEqual(await house.put(new Hearer(), "ann", tooMuch), fault("quota"));
  equal(house.store.count, 0);

  const most = content(9 * FILE_CHUNK_BYTES);
  const both = await Promise.all([
    house.put(new Hearer(), "ann", most, idOf(1)),
    house.put(new Hearer(), "ann", most, idOf(2)),
  ]);
  deepEqual(both, [state(most.length, true, idOf(1)), fault("quota", idOf(2))], "two at once are counted");
  deepEqual(await house.put(new Hearer(), "ann", content(0), idOf(3)), state(0, true, idOf(3)));
  deepEqual(await house.put(new Hearer(), "ann", content(0), idOf(4)), fault("quota", idOf(4)));
});

test("attack 33: what a room keeps is bounded, however many accounts fill it", async () => {
  const house = new House({ quotaBytes: 2 * FILE_CHUNK_BYTES, days: 0 });
  const bytes = content(2 * FILE_CHUNK_BYTES);
  const people = Array.from({ length: ROOM_QUOTA_ACCOUNTS + 1 }, (_, at) => `p${at}`);
  for (const [at, handle] of people.entries()) {
    house.members.add(handle);
    const expected = at < ROOM_QUOTA_ACCOUNTS
      ? state(bytes.length, true, idOf(at))
      : fault("quota", idOf(at));
    deepEqual(await house.put(new Hearer(), handle, bytes, idOf(at)), expected);
  }
});

test("attack 33: one connection puts only so many files at once", async () => {
  const house = new House();
  const ann = new Hearer();
  for (let at = 0; at < FILE_PUTS_PER_PEER_MAX; at++) {
    deepEqual(await house.ask(ann, "ann", begin(content(9), idOf(at))), [state(0, false, idOf(at))]);
  }
  deepEqual(await house.ask(ann, "ann", begin(content(9), idOf(99))), [fault("limitReached", idOf(99))]);
  equal(await house.store.find(idOf(99)), undefined);
  deepEqual(
    await house.ask(ann, "ann", begin(content(9), idOf(0))),
    [state(0, false, idOf(0))],
    "one is begun anew",
  );
});

test("attack 33: who reads slowly is given one piece at a time, and may ask for so much ahead and no more", async () => {
  const house = new House();
  const ann = new Hearer();
  await house.put(ann, "ann", content(FILE_WINDOW_CHUNKS * FILE_CHUNK_BYTES));
  let giveRoom = () => {};
  ann.hasRoom = new Promise((resolve) => giveRoom = resolve);
  for (let at = 0; at < FILE_ASKS_PER_PEER_MAX; at++) deepEqual(await house.ask(ann, "ann", get(0)), []);
  deepEqual(await house.ask(ann, "ann", get(0)), [{ ...fault("tooFast"), wait: FILE_PAUSE_MS }]);
  ann.onTold = () => ann.hasRoom = new Promise((resolve) => giveRoom = resolve);
  for (let at = 0; at < 5; at++) {
    giveRoom();
    await rest();
    deepEqual(ann.news().map((message) => message.type === "fileData" && message.offset), [
      at * FILE_CHUNK_BYTES,
    ]);
  }
  deepEqual(await house.ask(ann, "ann", { ...begin(content(10)), file: idOf(8) }), [
    state(0, false, idOf(8)),
  ]);
});

test("attack 25: who is put out of the room is given no further piece", async () => {
  const house = new House();
  const ben = new Hearer();
  await house.put(new Hearer(), "ann", content(5 * FILE_CHUNK_BYTES));
  ben.onTold = () => house.members.delete("ben");
  const told = await house.ask(ben, "ben", get(0));
  deepEqual(told.map(({ type }) => type), ["fileData", "fault"]);
  deepEqual(told.at(-1), fault("noSuchFile"));
});

test("who has left is given nothing more, even where there is room again", async () => {
  const house = new House();
  const ann = new Hearer();
  await house.put(ann, "ann", content(5 * FILE_CHUNK_BYTES));
  let giveRoom = () => {};
  ann.hasRoom = new Promise((resolve) => giveRoom = resolve);
  await house.ask(ann, "ann", get(0));
  await house.desk.leave(ann);
  giveRoom();
  await rest();
  deepEqual(ann.news(), []);
});

test("who has gone is given nothing more", async () => {
  const house = new House();
  const ann = new Hearer();
  await house.put(ann, "ann", content(5 * FILE_CHUNK_BYTES));
  const caller = { peer: ann, handle: handleOf("ann"), isHere: () => ann.told.length < 2 };
  await house.desk.take(caller, get(0));
  await rest();
  equal(ann.news().length, 2);
});

test("attack 25: who is not in the room puts no file into it, and is told of none in it", async () => {
  const house = new House();
  const bytes = content(10);
  const cleo = new Hearer();
  deepEqual(await house.ask(cleo, "cleo", begin(bytes)), [fault("noSuchRoom")]);
  deepEqual(await house.ask(cleo, "cleo", { ...get(0), file: idOf(8) }), [fault("noSuchFile", idOf(8))]);
  await house.put(new Hearer(), "ann", bytes);
  deepEqual(await house.ask(cleo, "cleo", get(0)), [fault("noSuchFile")]);
  const [chunk] = chunksOf(bytes);
  ok(chunk !== undefined);
  deepEqual(await house.ask(cleo, "cleo", chunk), [fault("noSuchFile")]);
  house.members.delete("ben");
  deepEqual(await house.ask(new Hearer(), "ben", get(0)), [fault("noSuchFile")], "nor who was in it");
});

test("who may not speak in the room is told why, and puts nothing", async () => {
  const house = new House();
  house.refusal = "muted";
  deepEqual(await house.ask(new Hearer(), "ann", begin(content(10))), [fault("muted")]);
  equal(house.store.count, 0);
});

test("a file that is not all there is given to nobody", async () => {
  const house = new House();
  const ann = new Hearer();
  const bytes = content(3 * FILE_CHUNK_BYTES);
  await house.ask(ann, "ann", begin(bytes));
  for (const chunk of chunksOf(bytes).slice(0, 2)) await house.ask(ann, "ann", chunk);
  deepEqual(await house.ask(ann, "ann", get(0)), [fault("noSuchFile")]);
});

test("a file that is damaged on the disk is said to be bad where it is, and nowhere else", async () => {
  const house = new House();
  const ann = new Hearer();
  await house.put(ann, "ann", content(3 * FILE_CHUNK_BYTES));
  house.store.damage(idOf(7), FILE_CHUNK_BYTES);
  const told = await house.ask(ann, "ann", get(0));
  deepEqual(told.map(({ type }) => type), ["fileData", "fault"]);
  deepEqual(told.at(-1), fault("badFile"));
  equal((await house.ask(ann, "ann", get(2 * FILE_CHUNK_BYTES))).length, 1);
});

test("while the disk is full nothing is claimed to be there, and a file goes on when there is room", async () => {
  const house = new House();
  const ann = new Hearer();
  const bytes = content(3 * FILE_CHUNK_BYTES);
  const [first, second] = chunksOf(bytes);
  ok(first !== undefined && second !== undefined);
  await house.ask(ann, "ann", begin(bytes));
  await house.ask(ann, "ann", first);
  house.store.refusing = true;
  deepEqual(await house.ask(ann, "ann", second), [fault("notStored")]);
  deepEqual(await house.ask(ann, "ann", begin(content(1), idOf(8))), [fault("notStored", idOf(8))]);
  equal(house.troubles.length, 2);
  house.store.refusing = false;
  deepEqual(await house.put(ann, "ann", bytes), state(bytes.length, true));
});

test("a reader whom the disk fails does not end what the owner puts", async () => {
  const house = new House();
  const [ann, ben] = [new Hearer(), new Hearer()];
  const bytes = content(2 * FILE_CHUNK_BYTES);
  await house.ask(ann, "ann", begin(bytes));
  house.store.refusing = true;
  deepEqual(await house.ask(ben, "ben", get(0)), [fault("notStored")]);
  house.store.refusing = false;
  const [first] = chunksOf(bytes);
  ok(first !== undefined);
  deepEqual(await house.ask(ann, "ann", first), []);
});

test("the file of an entry that was erased is gone, but only where the entry was its owner's", async () => {
  const house = new House();
  await house.put(new Hearer(), "ann", content(10));
  await house.desk.entriesGone([fileEntry("ben", idOf(7)), {
    ...fileEntry("ann", idOf(7)),
    content: undefined,
  }]);
  equal(house.store.count, 1);
  await house.desk.entriesGone([fileEntry("ann", idOf(8)), fileEntry("ann", idOf(7))]);
  equal(house.store.count, 0);
  deepEqual(await house.ask(new Hearer(), "ann", get(0)), [fault("noSuchFile")]);
});

test("files expire after their days, and what was given up after a week", async () => {
  const house = new House({ quotaBytes: 1_000_000, days: 30 });
  const ann = new Hearer();
  await house.put(ann, "ann", content(10));
  const bytes = content(2 * FILE_CHUNK_BYTES);
  await house.ask(ann, "ann", begin(bytes, idOf(8)));
  house.now += FILE_UNFINISHED_MS + 1;
  equal(await house.desk.expire(), 1);
  const [first] = chunksOf(bytes, idOf(8));
  ok(first !== undefined);
  deepEqual(await house.ask(ann, "ann", first), [fault("noSuchFile", idOf(8))]);
  house.now += 23 * DAY_MS;
  equal(await house.desk.expire(), 1);
  equal(house.store.count, 0);

  const forever = new House();
  await forever.put(ann, "ann", content(10));
  forever.now += 9_999 * DAY_MS;
  equal(await forever.desk.expire(), 0);
});

function state(have: number, done = false, file = idOf(7)): ServerMessage {
  return { type: "fileState", file, have, done };
}
