import { deepEqual, equal, match, notDeepEqual, ok } from "node:assert/strict";
import { createHash } from "node:crypto";
import fc from "npm:fast-check@4.10.2";
import { PUT_TRIES_MAX } from "../../lib/client/put_progress.ts";
import { TRANSFERS_MAX } from "../../lib/client/transfers.ts";
import { PROGRESS_MS } from "../../lib/client/transfer.ts";
import type { Bytes } from "../../lib/wire/bytes.ts";
import type { BodyOf } from "../../lib/wire/entry_body.ts";
import { FILE_CHUNK_BYTES, FILE_WINDOW_CHUNKS } from "../../lib/wire/limits.ts";
import { check } from "../properties.ts";
import { test } from "../sanitized.ts";
import { type Mishap, rest, ROOM, TransferBench } from "./transfer_bench.ts";

const RUNS = 30;
const WINDOW = FILE_CHUNK_BYTES * FILE_WINDOW_CHUNKS;

/** Octets that differ from one chunk to the next. */
function content(length: number): Bytes {
  return Uint8Array.from({ length }, (_, at) => (at + 7 * Math.floor(at / FILE_CHUNK_BYTES)) % 251);
}

/** A file in the room. */
async function stored(bench: TransferBench, bytes: Bytes, name = "x.bin"): Promise<BodyOf<"file">> {
  const sha256 = new Uint8Array(createHash("sha256").update(bytes).digest());
  const file = crypto.getRandomValues(new Uint8Array(16));
  await bench.keep({ file, room: ROOM.room, bytes, sha256 });
  return { file, name, size: bytes.length, sha256 };
}

const mishaps = fc.array(
  fc.record({
    after: fc.nat(60),
    what: fc.constantFrom<Mishap>("cut", "silentCut", "serverDies", "clientDies"),
  }),
  { minLength: 10, maxLength: 10 },
);
const sizes = fc.oneof(
  fc.constantFrom(0, 1, FILE_CHUNK_BYTES, 2 * FILE_CHUNK_BYTES, WINDOW, WINDOW + 1),
  fc.nat(2 * WINDOW),
);

/** Until the client has hashed its file and sent something of it. */
async function untilHeard(bench: TransferBench): Promise<void> {
  while (!bench.heard.some(({ type }) => type === "fileChunk")) await bench.deliver();
}

/** Each mishap after so many messages, then to the end. */
async function through(
  bench: TransferBench,
  plan: readonly { readonly after: number; readonly what: Mishap }[],
  again: () => Promise<unknown>,
): Promise<void> {
  for (const { after, what } of plan) {
    bench.connect();
    for (let left = after; left > 0 && await bench.deliver(); left--);
    await bench.suffer(what, again);
  }
  bench.connect();
  await bench.finish();
}

test("a put goes on after ten cuts and crashes of either side, and ends with the same octets, said once", () =>
  check(
    fc.asyncProperty(sizes, mishaps, async (size, plan) => {
      const bench = new TransferBench();
      const bytes = content(size);
      bench.disk.content.set("x", bytes);
      const put = async () => {
        // Whose program died looks first whether the file is in the room.
        if (bench.said.length === 0) equal(await bench.transfers.put({ ...ROOM, path: "x" }), undefined);
      };
      await put();
      await through(bench, plan, put);
      equal(bench.said.length, 1);
      const [said] = bench.said;
      ok(said !== undefined);
      deepEqual(bench.store.content(said.file), bytes);
      equal(bench.store.count, 1, "no try has left anything");
      equal(bench.settings.size, 0);
      equal(bench.ends.at(-1)?.done, true);
    }),
    RUNS,
  ));

test("a get goes on after ten cuts and crashes of either side, and ends with the same octets", () =>
  check(
    fc.asyncProperty(sizes, mishaps, async (size, plan) => {
      const bench = new TransferBench();
      const bytes = content(size);
      const file = await stored(bench, bytes);
      const get = async () => {
        if (bench.disk.content.has("x.bin")) return;
        equal(await bench.transfers.get({ ...ROOM, file, path: undefined }), undefined);
      };
      await get();
      await through(bench, plan, get);
      deepEqual([...bench.disk.content.keys()], ["x.bin"]);
      deepEqual(bench.disk.at("x.bin"), bytes);
      deepEqual(bench.ends.map(({ done, path }) => ({ done, path })), [{ done: true, path: "x.bin" }]);
    }),
    RUNS,
  ));

test("a cut costs no more than what was on its way", async () => {
  const bench = new TransferBench();
  const bytes = content(6 * WINDOW);
  bench.disk.content.set("x", bytes);
  await bench.transfers.put({ ...ROOM, path: "x" });
  await through(
    bench,
    Array.from({ length: 5 }, () => ({ after: 90, what: "cut" })),
    () => Promise.resolve(),
  );
  equal(bench.store.written, bytes.length, "what was written was flushed, and not sent again");
  const [said] = bench.said;
  ok(said !== undefined);
  bench.heard.splice(0);
  await bench.transfers.get({ ...ROOM, file: said, path: "y" });
  await through(
    bench,
    Array.from({ length: 5 }, () => ({ after: 90, what: "cut" })),
    () => Promise.resolve(),
  );
  const asked = bench.heard.reduce((sum, each) => sum + (each.type === "fileGet" ? each.chunks : 0), 0);
  ok(asked <= 6 * FILE_WINDOW_CHUNKS + 6 * FILE_WINDOW_CHUNKS, `${asked} pieces were asked for`);
  deepEqual(bench.disk.at("y"), bytes);
});

test("no more than a window is on its way to the server", async () => {
  const bench = new TransferBench();
  bench.disk.content.set("x", content(4 * WINDOW));
  await bench.transfers.put({ ...ROOM, path: "x" });
  bench.connect();
  let have = 0;
  bench.meddle = (message) => {
    if (message.type === "fileState") have = message.have;
    return message;
  };
  await untilHeard(bench);
  while (await bench.deliver()) ok(bench.piecesOnWay <= FILE_WINDOW_CHUNKS);
  await bench.finish();
  equal(have, 4 * WINDOW);
});

test("while the disk is slow, no more than a window is asked for ahead of what is written", async () => {
  const bench = new TransferBench();
  const bytes = content(4 * WINDOW);
  const file = await stored(bench, bytes);
  const held: (() => void)[] = [];
  bench.disk.beforeWrite = () => new Promise((resolve) => held.push(resolve));
  await bench.transfers.get({ ...ROOM, file, path: undefined });
  bench.connect();
  for (let written = 0; written * FILE_CHUNK_BYTES < bytes.length; written++) {
    while (await bench.deliver());
    const asked = bench.heard.reduce((sum, each) => sum + (each.type === "fileGet" ? each.chunks : 0), 0);
    ok(asked - written <= FILE_WINDOW_CHUNKS, `${asked - written} pieces are on their way`);
    held.shift()?.();
    await rest();
  }
  await bench.finish();
  deepEqual(bench.disk.at("x.bin"), bytes);
});

test("a piece that was read before a cut is not sent after it, out of its place", async () => {
  const bench = new TransferBench();
  bench.disk.content.set("x", content(2 * WINDOW));
  await bench.transfers.put({ ...ROOM, path: "x" });
  bench.connect();
  await untilHeard(bench);
  const { promise, resolve } = Promise.withResolvers<void>();
  bench.disk.beforeRead = () => promise;
  while (await bench.deliver());
  await bench.suffer("serverDies");
  bench.connect();
  while (await bench.deliver());
  bench.disk.beforeRead = () => Promise.resolve();
  resolve();
  await bench.finish();
  equal(bench.said.length, 1);
  equal(bench.heard.filter(({ type }) => type === "fileBegin").length, 2, "nothing was refused");
});

test("what the server gives in place of a file is thrown away, and told", async () => {
  const bench = new TransferBench();
  const file = await stored(bench, content(3 * FILE_CHUNK_BYTES));
  bench.meddle = (message) => {
    if (message.type === "fileData" && message.offset === FILE_CHUNK_BYTES) message.bytes[5] = 255;
    return message;
  };
  await bench.transfers.get({ ...ROOM, file, path: undefined });
  bench.connect();
  await bench.finish();
  match(
    bench.ends[0]?.failure ?? "",
    /^Cannot fetch x\.bin: what the server gave is not what its author put/,
  );
  equal(bench.ends[0]?.done, false);
  deepEqual([...bench.disk.content.keys()], []);
  equal(bench.disk.open, 0);
});

test("what the server gives of another length than it says is thrown away, and told", async () => {
  for (const change of [{ bytes: new Uint8Array(9) }, { size: 10 * FILE_CHUNK_BYTES }]) {
    const bench = new TransferBench();
    const file = await stored(bench, content(3 * FILE_CHUNK_BYTES));
    bench.meddle = (message) => message.type === "fileData" ? { ...message, ...change } : message;
    await bench.transfers.get({ ...ROOM, file, path: undefined });
    bench.connect();
    await bench.finish();
    match(bench.ends[0]?.failure ?? "", /was thrown away/);
    equal(bench.disk.content.size, 0);
  }
});

test("what an earlier try left is begun anew where it turns out to be something else", async () => {
  const bench = new TransferBench();
  const bytes = content(3 * FILE_CHUNK_BYTES + 1);
  const file = await stored(bench, bytes);
  bench.disk.content.set("x.bin.part", new Uint8Array(2 * FILE_CHUNK_BYTES));
  await bench.transfers.get({ ...ROOM, file, path: undefined });
  bench.connect();
  await bench.finish();
  deepEqual(bench.disk.at("x.bin"), bytes);
  equal(bench.disk.content.size, 1);
  deepEqual(bench.ends.map(({ done }) => done), [true]);
});

test("a file that is changed while it is put comes to nothing, and is not said", async () => {
  const bench = new TransferBench();
  bench.disk.content.set("x", content(2 * WINDOW));
  await bench.transfers.put({ ...ROOM, path: "x" });
  bench.connect();
  await untilHeard(bench);
  bench.disk.content.set("x", content(2 * WINDOW + 1));
  await bench.finish();
  match(bench.ends[0]?.failure ?? "", /was changed/);
  equal(bench.said.length, 0);
  equal(bench.disk.open, 0);
});

test("what the server refuses is told with its code, and nothing is sent or said", async () => {
  const bench = new TransferBench();
  bench.refusal = "muted";
  bench.disk.content.set("x", content(WINDOW));
  await bench.transfers.put({ ...ROOM, path: "x" });
  bench.connect();
  await bench.finish();
  const { about: _about, ...fault } = bench.events[0]?.type === "fault" ? bench.events[0] : {};
  deepEqual(fault, { type: "fault", code: "muted", room: "#lobby", text: "x", wait: undefined });
  equal(bench.said.length, 0);
  deepEqual(bench.heard.map(({ type }) => type), ["fileBegin"]);
  equal(bench.settings.size, 0);
});

test("a file that is gone leaves no part behind", async () => {
  const bench = new TransferBench();
  const file = await stored(bench, content(3 * FILE_CHUNK_BYTES));
  await bench.store.remove(file.file);
  bench.disk.content.set("x.bin.part", content(FILE_CHUNK_BYTES));
  await bench.transfers.get({ ...ROOM, file, path: undefined });
  bench.connect();
  await bench.finish();
  deepEqual(bench.events.map((event) => event.type === "fault" && event.code), ["noSuchFile"]);
  equal(bench.disk.content.size, 0);
});

test("while the server's disk is full a put waits, longer each time, and goes on when there is room", async () => {
  const bench = new TransferBench();
  const bytes = content(WINDOW);
  bench.disk.content.set("x", bytes);
  await bench.transfers.put({ ...ROOM, path: "x" });
  bench.connect();
  for (let count = 0; count < 30; count++) await bench.deliver();
  bench.store.refusing = true;
  for (let second = 0; second < 10; second++) {
    while (await bench.deliver());
    bench.transfers.tick(bench.now += 1_000);
  }
  const begun = bench.heard.filter(({ type }) => type === "fileBegin").length;
  ok(begun > 2 && begun < 7, `it was begun ${begun} times`);
  bench.store.refusing = false;
  await bench.finish();
  deepEqual(bench.store.content(bench.said[0]?.file ?? new Uint8Array(0)), bytes);
});

test("where the server's disk stays full, that is told in the end", async () => {
  const bench = new TransferBench();
  bench.store.refusing = true;
  bench.disk.content.set("x", content(9));
  await bench.transfers.put({ ...ROOM, path: "x" });
  bench.connect();
  await bench.finish(100);
  deepEqual(bench.events.map((event) => event.type === "fault" && event.code), ["notStored"]);
  equal(bench.heard.length, PUT_TRIES_MAX + 1);
});

test("a file that the server gives too slowly is asked for again, and is whole in the end", async () => {
  const bench = new TransferBench();
  const bytes = content(3 * WINDOW);
  const file = await stored(bench, bytes);
  let isSlow = true;
  bench.meddle = (message) => {
    if (!isSlow || message.type !== "fileData") return message;
    return message.offset === 0 ? message : { type: "fault", code: "tooFast", about: file.file, wait: 3_000 };
  };
  await bench.transfers.get({ ...ROOM, file, path: undefined });
  bench.connect();
  while (await bench.deliver());
  isSlow = false;
  bench.transfers.tick(bench.now += 2_999);
  equal(await bench.deliver(), false, "it waits as long as it was told to");
  await bench.finish();
  deepEqual(bench.disk.at("x.bin"), bytes);
});

test("what people say need not wait behind a file: no piece is sent while others wait", async () => {
  const bench = new TransferBench();
  bench.disk.content.set("x", content(WINDOW));
  let giveRoom = () => {};
  bench.drained = () => new Promise((resolve) => giveRoom = resolve);
  await bench.transfers.put({ ...ROOM, path: "x" });
  bench.connect();
  while (await bench.deliver());
  for (let sent = 0; sent < 5; sent++) {
    equal(bench.heard.filter(({ type }) => type === "fileChunk").length, sent);
    giveRoom();
    while (await bench.deliver());
  }
  bench.drained = () => Promise.resolve();
  giveRoom();
  await bench.finish();
  equal(bench.said.length, 1);
});

test("a full disk of one's own ends a get with a sentence, and what is there is gone on with later", async () => {
  const bench = new TransferBench();
  const bytes = content(WINDOW);
  const file = await stored(bench, bytes);
  await bench.transfers.get({ ...ROOM, file, path: undefined });
  bench.connect();
  for (let count = 0; count < 20; count++) await bench.deliver();
  bench.disk.full = true;
  await bench.finish();
  match(bench.ends[0]?.failure ?? "", /the disk is full/);
  bench.disk.full = false;
  const there = bench.disk.at("x.bin.part").length;
  ok(there > 0);
  bench.heard.splice(0);
  await bench.transfers.get({ ...ROOM, file, path: undefined });
  await bench.finish();
  const [ask] = bench.heard;
  equal(ask?.type === "fileGet" && ask.offset, there);
  deepEqual(bench.disk.at("x.bin"), bytes);
});

test("progress is told a few times a second at most, and the end always", async () => {
  const bench = new TransferBench();
  bench.disk.content.set("x", content(10 * WINDOW));
  await bench.transfers.put({ ...ROOM, path: "x" });
  bench.connect();
  bench.messageMs = 5;
  await bench.finish();
  const progress = bench.events.filter((event) => event.type === "file" && !event.done);
  ok(
    progress.length > 2 && progress.length <= bench.now / PROGRESS_MS + 1,
    `${progress.length} in ${bench.now} ms`,
  );
  const have = progress.map((event) => event.type === "file" ? event.bytes : 0);
  deepEqual(have, have.toSorted((a, b) => a - b));
  deepEqual(bench.events.at(-1), {
    type: "file",
    way: "put",
    room: "#lobby",
    id: bench.said[0]?.file.toHex(),
    name: "x",
    bytes: 10 * WINDOW,
    size: 10 * WINDOW,
    done: true,
    path: undefined,
    failure: undefined,
  });
});

test("many transfers wait their turn, both ways, and all come to their end", async () => {
  const bench = new TransferBench();
  const files = await Promise.all(
    Array.from({ length: 5 }, (_, at) => stored(bench, content(WINDOW + at), `got${at}`)),
  );
  for (const [at, file] of files.entries()) {
    bench.disk.content.set(`put${at}`, content(WINDOW - at));
    await bench.transfers.put({ ...ROOM, path: `put${at}` });
    await bench.transfers.get({ ...ROOM, file, path: undefined });
    await bench.transfers.get({ ...ROOM, file, path: `again${at}` });
  }
  bench.connect();
  await bench.finish();
  equal(bench.said.length, 5);
  for (const [at] of files.entries()) {
    deepEqual(bench.disk.at(`got${at}`), content(WINDOW + at));
    deepEqual(bench.disk.at(`again${at}`), content(WINDOW + at));
  }
  equal(bench.disk.open, 0);
});

test("the same file is put twice at once under two ids", async () => {
  const bench = new TransferBench();
  bench.disk.content.set("x", content(FILE_CHUNK_BYTES));
  await bench.transfers.put({ ...ROOM, path: "x" });
  await bench.transfers.put({ ...ROOM, path: "x" });
  bench.connect();
  await bench.finish();
  equal(bench.said.length, 2);
  notDeepEqual(bench.said[0]?.file, bench.said[1]?.file);
});

test("where the id of an earlier try is another file's by now, a put takes a new one", async () => {
  const bench = new TransferBench();
  const bytes = content(FILE_CHUNK_BYTES);
  const taken = await stored(bench, content(5));
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  bench.settings.set(`put ${ROOM.room.toHex()} ${sha256}`, taken.file.toHex());
  bench.disk.content.set("x", bytes);
  await bench.transfers.put({ ...ROOM, path: "x" });
  bench.connect();
  await bench.finish();
  deepEqual(bench.store.content(bench.said[0]?.file ?? new Uint8Array(0)), bytes);
  equal(bench.events.some(({ type }) => type === "fault"), false);
});

test("what cannot be opened, or is too much at once, is refused with a sentence", async () => {
  const bench = new TransferBench();
  equal(
    await bench.transfers.put({ ...ROOM, path: "none" }),
    "Cannot use the file: there is no none; use another.",
  );
  bench.disk.content.set("x", content(9));
  for (let at = 0; at < TRANSFERS_MAX; at++) {
    equal(await bench.transfers.put({ ...ROOM, path: "x" }), undefined);
  }
  match(await bench.transfers.put({ ...ROOM, path: "x" }) ?? "", /^Cannot put x: 100 files are on their way/);
  await bench.transfers.end();
  equal(bench.disk.open, 0);
});

test("at the end of the client all that is under way is told as failed, and its files are closed", async () => {
  const bench = new TransferBench();
  const file = await stored(bench, content(WINDOW));
  for (const name of ["a", "b", "c"]) {
    bench.disk.content.set(name, content(WINDOW));
    await bench.transfers.put({ ...ROOM, path: name });
  }
  await bench.transfers.get({ ...ROOM, file, path: undefined });
  bench.connect();
  for (let count = 0; count < 20; count++) await bench.deliver();
  await bench.transfers.end();
  await rest();
  equal(bench.disk.open, 0);
  deepEqual(bench.ends.map(({ name }) => name).sort(), ["a", "b", "c", "x.bin"]);
  ok(
    bench.ends.every(({ failure }) => /^Cannot (put|fetch) .*: the client ended first;/.test(failure ?? "")),
  );
  equal(bench.said.length, 0);
});

test("attack 27: a file is put under a name that others can take", async () => {
  const bench = new TransferBench();
  bench.disk.content.set("../..\u202e/.nul", content(9));
  await bench.transfers.put({ ...ROOM, path: "../..\u202e/.nul" });
  bench.connect();
  await bench.finish();
  equal(bench.said[0]?.name, "_nul");
});
