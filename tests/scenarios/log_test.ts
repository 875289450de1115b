/**
 * A room's log as its readers know it: page by page back to its beginning, and what is missing or changed in it by number.
 *
 * @module
 */

import { deepEqual, equal, fail, ok } from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { ROOMS_FILE } from "../../lib/store/rooms_file.ts";
import { answerOf, deed, heard, type Request, said, textsIn } from "./asking.ts";
import { eventsOf } from "./json_events.ts";
import { type Client, scenario, type Server, type Stage } from "./stage.ts";

const LOBBY = "#lobby";

/** Messages of a log that is read in pages: more than one of the longest pages. */
const MESSAGES = 130;
const PAGE = 50;

scenario(
  "a newcomer sees the newest messages, and pages back to the first, in the one order",
  async (stage) => {
    const server = await stage.server();
    const ann = await stage.joined(server, { user: "ann", json: true });
    const texts = Array.from({ length: MESSAGES }, (_, at) => `line ${at}`);
    await ann.say(...texts);
    await ann.showsCount(MESSAGES);
    const numbers = eventsOf(ann.events, "message").map(({ seq }) => seq);
    const ben = await stage.joined(server, { user: "ben", json: true });
    await deed(ben, LOBBY, { change: "join", handle: "ben" });
    const shownAtFirst = textsIn(ben, LOBBY);
    ok(shownAtFirst.length > 0 && shownAtFirst.length <= PAGE, `${shownAtFirst.length} messages`);
    deepEqual(shownAtFirst, texts.slice(-shownAtFirst.length));

    const pages: string[][] = [];
    let seq: number | undefined;
    for (let more = true; more;) {
      const before = { from: "before", ...(seq === undefined ? {} : { seq }) };
      const { texts, page } = await readPage(ben, {
        type: "history",
        room: LOBBY,
        where: before,
        limit: PAGE,
      });
      ok(texts.length <= PAGE, `${texts.length} on a page`);
      pages.unshift([...texts]);
      ({ more } = page);
      seq = page.first ?? fail("a page without a first number");
    }
    equal(seq, 1);
    deepEqual(pages.flat(), texts);

    const middle = numbers[MESSAGES / 2] ?? 0;
    const around = await readPage(ben, {
      type: "history",
      room: LOBBY,
      where: { from: "around", seq: middle },
      limit: 11,
    });
    ok(around.texts.includes(`line ${MESSAGES / 2}`));
    ok((around.page.first ?? 0) < middle && (around.page.last ?? 0) > middle);
    const times = eventsOf(ann.events, "message").map(({ time }) => time);
    const time = times[MESSAGES - 5] ?? fail("it was said");
    // What came at once has one time.
    const first = times.findIndex((each) => each >= time);
    const since = await readPage(ben, {
      type: "history",
      room: LOBBY,
      where: { from: "since", time },
      limit: 100,
    });
    deepEqual(since.texts, texts.slice(first, first + 100));
    await whole([ann, ben]);
  },
);

scenario(
  "attack 42: an entry changed, taken out or moved on the server's disk is named by number to every client that reads it",
  async (stage) => {
    const { server, ann, numbers } = await spoken(stage, [
      "one",
      "two",
      "three",
      "four",
      "five",
      "six",
      "seven",
    ]);
    const [, changed = 0, , removed = 0, , swapped = 0, swappedWith = 0] = numbers;
    await server.stop("SIGKILL");
    await ann.ending();
    tamper(server, (database) => {
      const sealed = (sequence: number) => sealedOf(database, sequence);
      const set = database.prepare("UPDATE entries SET sealed = ? WHERE sequence = ?");
      set.run(sealed(changed).map((octet, at) => at === 40 ? octet ^ 1 : octet), changed);
      database.prepare("DELETE FROM entries WHERE sequence = ?").run(removed);
      const [first, second] = [sealed(swapped), sealed(swappedWith)];
      set.run(second, swapped);
      set.run(first, swappedWith);
    });

    const again = await stage.server({ dataDir: server.dataDir, port: server.port });
    const expected = [changed, removed, swapped, swappedWith];
    for (const user of ["ben", "cid"]) {
      const reader = await stage.joined(again, { user, json: true });
      await deed(reader, LOBBY, { change: "join", handle: user });
      // At once, and again when it is asked for.
      const { room } = await reader.event("integrity", ({ asked }) => !asked);
      equal(room, LOBBY);
      deepEqual(await missingIn(reader), expected, user);
      deepEqual(textsIn(reader, LOBBY).slice(0, 3), ["one", "three", "five"]);
      await said(reader, LOBBY, `${user} goes on`);
    }
    const terminal = await stage.joined(again, { user: "dan" });
    await terminal.program.line(
      "out",
      /^\* #lobby is NOT as it was written, of what was read up to #\d+:$/,
    );
    for (const number of [changed, removed]) {
      await terminal.program.line(
        "out",
        new RegExp(`^ *missing #${number}: the server does not give these entries$`),
      );
    }
    await terminal.program.line("out", new RegExp(`^ *missing #${swapped} to #${swappedWith}: `));

    // Whoever was there has it all: what is said from now on follows on it, and what is read of old is found wanting.
    const back = await stage.joined(again, { user: "ann", json: true });
    await heard(back, LOBBY, "cid goes on");
    await whole([back]);
    await readPage(back, { type: "history", room: LOBBY, limit: 100 });
    deepEqual(await missingIn(back), expected);
  },
);

scenario(
  "attack 42: a log that was put back to what it was before is told to all who have seen more, by number",
  async (stage) => {
    const server = await stage.server();
    const ann = await stage.joined(server, { user: "ann", json: true });
    const first = await said(ann, LOBBY, "what stays");
    equal((await server.stop()).code, 0);
    await ann.ending();
    const path = `${server.dataDir}/${ROOMS_FILE}`;
    await Deno.copyFile(path, `${stage.folder}/older.db`);

    const second = await stage.server({ dataDir: server.dataDir, port: server.port });
    const witness = await stage.joined(second, { user: "ann", json: true });
    const last = await said(witness, LOBBY, "what is lost");
    equal((await second.stop()).code, 0);
    await witness.ending();
    await Deno.copyFile(`${stage.folder}/older.db`, path);

    const third = await stage.server({ dataDir: server.dataDir, port: server.port });
    const ben = await stage.joined(third, { user: "ben", json: true });
    await said(ben, LOBBY, "nobody told me");
    const back = await stage.joined(third, { user: "ann", json: true });
    await heard(back, LOBBY, "nobody told me");
    const { flaws } = await answerOf(back, { type: "check", room: LOBBY }, "integrity");
    ok(flaws.length > 0, "it is told");
    for (const { from, to } of flaws) {
      ok(from > first && to <= Math.max(last, back.events.length), `#${from} to #${to}`);
    }
    ok(flaws.some(({ from, to }) => from <= last && last <= to), `#${last} is named`);
    await whole([ben]);
  },
);

/** Ann has said `texts` in the lobby, which have those numbers. */
async function spoken(
  stage: Stage,
  texts: readonly string[],
): Promise<{ readonly server: Server; readonly ann: Client; readonly numbers: readonly number[] }> {
  const server = await stage.server();
  const ann = await stage.joined(server, { user: "ann", json: true });
  const numbers: number[] = [];
  for (const text of texts) numbers.push(await said(ann, LOBBY, text));
  return { server, ann, numbers };
}

/** Changes the database of rooms of a server that does not run. */
function tamper({ dataDir }: Server, change: (database: DatabaseSync) => void): void {
  const database = new DatabaseSync(`${dataDir}/${ROOMS_FILE}`);
  try {
    change(database);
  } finally {
    database.close();
  }
}

function sealedOf(database: DatabaseSync, sequence: number): Uint8Array {
  const sealed = database.prepare("SELECT sealed FROM entries WHERE sequence = ?").get(sequence)?.["sealed"];
  if (!(sealed instanceof Uint8Array)) throw new Error(`there is no entry ${sequence}`);
  return sealed;
}

/** What `client` finds missing, number by number. */
async function missingIn(client: Client): Promise<readonly number[]> {
  const { flaws } = await answerOf(client, { type: "check", room: LOBBY }, "integrity");
  deepEqual(new Set(flaws.map(({ kind }) => kind)), new Set(["missing"]));
  return flaws.flatMap(({ from, to }) => Array.from({ length: to - from + 1 }, (_, at) => from + at))
    .sort((a, b) => a - b);
}

async function whole(clients: readonly Client[]): Promise<void> {
  for (const client of clients) {
    const { flaws } = await answerOf(client, { type: "check", room: LOBBY }, "integrity");
    deepEqual(flaws, [], client.user);
  }
}

/** Asks for a page of history; gives its messages with what is told at its end. */
async function readPage(client: Client, request: Request) {
  const from = client.events.length;
  const page = await answerOf(client, request, "page");
  return { page, texts: eventsOf(client.events.slice(from), "message").map(({ text }) => text) };
}
