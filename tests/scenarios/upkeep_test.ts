/**
 * What an operator does for a server as a whole: backups while people talk, what they see once one was put back, a data
 * folder that somebody else has changed, and whom the server keeps out.
 *
 * @module
 */

import { deepEqual, equal, match, ok } from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { eventsOf } from "./json_events.ts";
import { complained } from "./programs.ts";
import { scenario, type Stage } from "./stage.ts";

const CLOSED =
  /^Cannot go on with \S+: the account was disabled, banned or removed; ask the server's operator\.$/;
const NOT_BY_DEVICE =
  /^Cannot log in as \w+ with this device at \S+: the account was disabled, banned or removed, or this device revoked; /;

scenario(
  "a backup of a server that runs is put back elsewhere, and each client says what is lost",
  async (stage) => {
    const server = await stage.server();
    const ann = await stage.joined(server, { user: "ann", json: true });
    const bot = await stage.joined(server, { user: "bot" });
    await ann.say("before");
    await bot.shows("ann: before");
    const folder = stage.path("backup");
    // Nobody waits for a backup: what is said meanwhile is stored and delivered.
    const [made] = await Promise.all([
      stage.operate(server, "backup", folder),
      bot.say("meanwhile").then(() => ann.shows("bot: meanwhile")),
    ]);
    equal(made.code, 0, made.err.join("|"));
    match(made.out[0] ?? "", /^backed up 2 accounts, 1 room and 0 files to /);
    await ann.say("lost one", "lost two", "lost three");
    await bot.shows("ann: lost three");
    const { seq: last } = await ann.event("message", ({ text }) => text === "lost three");
    for (const client of [ann, bot]) {
      await client.quit();
      equal((await client.ending()).code, 0);
    }
    await server.stop();

    const dataDir = stage.path("restored");
    const put = await stage.operate({ dataDir }, "restore", folder);
    equal(put.code, 0, put.err.join("|"));
    match(put.out[0] ?? "", /^restored 2 accounts, 1 room and 0 files, as of \S+ \S+ UTC, to /);
    const again = await stage.server({ dataDir });
    equal(again.fingerprint, server.fingerprint);
    const back = await stage.client(again, { user: "ann", json: true, configDir: ann.configDir });
    const { flaws } = await back.event("integrity", ({ room }) => room === "#lobby");
    const notice = await back.event("message", ({ source }) => source === "server");
    const kept = Number(/^restored from #(\d+)$/.exec(notice.text)?.[1]);
    deepEqual([notice.kind, notice.from, notice.seq], ["notice", "server", kept + 1]);
    ok(kept < last - 2, `${kept} of ${last}`);
    ok(flaws.some(({ kind, to }) => kind === "cutBack" && to === last), JSON.stringify(flaws));

    const line = await stage.client(again, { user: "bot", configDir: bot.configDir });
    await line.program.line("out", /^\* #lobby is NOT as it was written, /);
    await line.program.line(
      "out",
      new RegExp(
        `^ {4}cutBack #\\d+ to #${last}: the log ends before that, though the server has given these entries$`,
      ),
    );
    await line.program.line(
      "out",
      new RegExp(` #lobby #${kept + 1} \\* the server: restored from #${kept} ☐ rewritten$`),
    );
    await back.say("we go on");
    await line.shows("ann: we go on");
    for (const client of [back, line]) {
      await client.quit();
      equal((await client.ending()).code, 0);
    }
    await again.stop();
    // The notice is written once.
    const third = await stage.server({ dataDir });
    const ear = await stage.joined(third, { user: "ann", json: true, configDir: ann.configDir });
    await ear.ask({ type: "history", room: "#lobby" });
    await ear.event("page");
    deepEqual(eventsOf(ear.events, "message").filter(({ source }) => source === "server").length, 1);
  },
  { varies: true },
);

scenario(
  "attack 42: a row that somebody changed by hand is found by its number, with nobody's help",
  async (stage) => {
    const server = await stage.server();
    const ann = await stage.joined(server, { user: "ann", json: true });
    await ann.say("one", "two", "three");
    const { seq } = await ann.event("message", ({ text }) => text === "two");
    await ann.shows("ann: three");
    const sound = await stage.operate(server, "doctor");
    deepEqual([sound.code, sound.out], [0, [`Nothing is at fault in ${server.dataDir}.`]]);
    await ann.quit();
    await server.stop();
    changeRow(server.dataDir, seq);
    const { code, out } = await stage.operate(server, "doctor");
    deepEqual([code, out], [65, [`Entry #${seq} of #lobby was altered or put in another's place.`]]);
  },
);

scenario(
  "attack 25: an account that is banned is out at once, with a reason and a time, until it is let in again",
  async (stage) => {
    const server = await stage.server();
    const ben = await stage.joined(server, { user: "ben" });
    const ann = await stage.joined(server, { user: "ann" });
    await operated(stage, server, "ban", "ann", "--expires=7d", "--reason=a flood");
    const { code, err } = await ann.ending();
    equal(code, 77);
    match(err.at(-1) ?? "", CLOSED);
    await ben.program.line("out", /^\S+ \* ann is offline$/);
    complained(await stage.visit(server, { user: "ann" }), { code: 77, sentence: NOT_BY_DEVICE });
    const [banned] = await operated(stage, server, "bans");
    match(
      banned ?? "",
      /^ann since \d{4}-\d\d-\d\d \d\d:\d\d UTC, until \d{4}-\d\d-\d\d \d\d:\d\d UTC: a flood$/,
    );
    deepEqual(await operated(stage, server, "unban", "ann"), ["banned no more: ann"]);
    equal((await stage.visit(server, { user: "ann" }, "I am back\n")).code, 0);
    await ben.shows("ann: I am back");
    await ben.quit();
  },
);

scenario(
  "attack 25: an address that is banned gets silence, and whoever is in from there is out",
  async (stage) => {
    const server = await stage.server();
    const ann = await stage.joined(server, { user: "ann" });
    await operated(stage, server, "ban", "127.0.0.1", "--reason=a flood");
    equal((await ann.ending()).code, 75);
    const from = await server.program.found(
      "err",
      / (\S+) gone: dropped during the conversation \(its address was banned\)$/,
    );
    match(from, /^127\.0\.0\.1:\d+$/);
    const refused = await stage.visit(server, { user: "ann" });
    ok(refused.code !== 0, `${refused.code}`);
    await server.program.line("err", / 127\.0\.0\.1:\d+ refused: the address is banned$/);
    equal(await heard(server.address), 0);
    await server.stop();

    // It holds over a start, and is lifted by whoever has the files.
    const again = await stage.server({ dataDir: server.dataDir });
    equal(await heard(again.address), 0);
    match(
      (await operated(stage, again, "bans"))[0] ?? "",
      /^127\.0\.0\.1 since \S+ \S+ UTC, for good: a flood$/,
    );
    deepEqual(await operated(stage, again, "unban", "127.0.0.1"), ["banned no more: 127.0.0.1"]);
    equal((await stage.visit(again, { user: "ann" }, "I am back\n")).code, 0);
  },
);

scenario("rooms are listed while the server runs and without it", async (stage) => {
  const keyFile = stage.path("rest.key");
  const server = await stage.server({ args: [`--key-file=${keyFile}`] });
  const ann = await stage.joined(server, { user: "ann", json: true });
  const heading = /^NAME +KIND +MEMBERS +ENTRIES +LAST$/;
  const lobby = /^#lobby +public +1 +\d+ +\d{4}-\d\d-\d\d \d\d:\d\d UTC$/;
  for (const args of [["room", "list"], ["room", "list", `--key-file=${keyFile}`]]) {
    const [first = "", second = "", third] = await operated(stage, server, ...args);
    match(first, heading);
    match(second, lobby);
    equal(third, "besides 0 conversations of two");
    await ann.quit();
    await ann.ending();
    await server.stop();
  }
  complained(await stage.operate(server, "room", "list"), {
    code: 66,
    sentence:
      /^Cannot open the rooms in \S+: their key \S+ is missing; put back your copy of it, or name it by --key-file\.$/,
  });
});

scenario("what cannot be backed up, restored or examined is told in one sentence", async (stage) => {
  const server = await stage.server();
  const folder = stage.path("backup");
  equal((await stage.operate(server, "backup", folder)).code, 0);
  complained(await stage.operate(server, "backup", folder), {
    code: 73,
    sentence: /^Cannot make a backup in \S+: the folder is not empty; name an empty one, or a new one\.$/,
  });
  complained(await stage.operate(server, "restore", folder), {
    code: 73,
    sentence: /^Cannot restore to \S+: the folder is not empty; name an empty one, or a new one\.$/,
  });
  complained(await stage.operate({ dataDir: stage.path("none") }, "backup", stage.path("backup")), {
    code: 66,
    sentence:
      /^Cannot back up \S+: it has no host_key\.pem; start a server there once, or give --data-dir\.$/,
  });
});

/** What an operator's command printed, which it could do. */
async function operated(
  stage: Stage,
  server: { readonly dataDir: string },
  ...args: readonly string[]
): Promise<readonly string[]> {
  const { code, out, err } = await stage.operate(server, ...args);
  equal(code, 0, err.join("|"));
  return out;
}

/** Turns one bit of what is kept of an entry. */
function changeRow(dataDir: string, sequence: number): void {
  const database = new DatabaseSync(`${dataDir}/rooms.db`);
  const sealed = database.prepare("SELECT sealed FROM entries WHERE room = 1 AND sequence = ?").get(sequence)
    ?.["sealed"];
  ok(sealed instanceof Uint8Array);
  const changed = sealed.with(40, (sealed[40] ?? 0) ^ 1);
  database.prepare("UPDATE entries SET sealed = ? WHERE room = 1 AND sequence = ?").run(changed, sequence);
  database.close();
}

/** How many octets a stranger hears before the other end closes. */
async function heard(address: string): Promise<number> {
  const [hostname = "", port] = address.split(":");
  using socket = await Deno.connect({ hostname, port: Number(port) });
  let octets = 0;
  const buffer = new Uint8Array(1_000);
  for (;;) {
    const count = await socket.read(buffer).catch(() => null);
    if (count === null) return octets;
    octets += count;
  }
}
