/**
 * Five small chats are Sotto's ancestors. What a user of each was used to, and what is there instead: a scenario each, by
 * that user's habits of ports and words. The fourth, which spoke in Fernet tokens, has one of its own in fernet_test.ts;
 * what was asked for at a terminal is in tests/compiled/tmux_test.ts.
 *
 * @module
 */

import { deepEqual, equal, match, ok } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { CERTIFICATE_FILES } from "../../lib/store/certificate_file.ts";
import { concat, utf8 } from "../../lib/wire/bytes.ts";
import { eventsOf } from "./json_events.ts";
import { keepKeys, withAnotherIdentity } from "./enrolled.ts";
import { habitualPort, impostor, unusedPort } from "./ports.ts";
import { complained } from "./programs.ts";
import { Relay } from "./relay.ts";
import { type Client, PASSWORD, scenario } from "./stage.ts";

/** The first octet of each TLS record that carries data, and of the one that begins a handshake (RFC 8446 §5.1). */
const TLS_DATA = 23;
const TLS_HANDSHAKE = 22;

/** A line of a trace that begins to tell of a message of handshake or login. */
const TOLD = / (?:sent|received) [A-Z]\w+, \d+ octets/;

/** How a Hello with both suites begins: type, length, magic (PROTOCOL §4.2). */
const HELLO_HEAD = concat(Uint8Array.of(1, 4, 234), utf8("sotto"));

scenario(
  "ancestor 1: AES-256-CTR on localhost:9990, every step and every frame to be seen, each error told",
  async (stage) => {
    const port = habitualPort(9_990);
    const cipher = "--cipher=a256ctr-hs512";
    const server = await stage.server({ port, args: [cipher, "--trace"] });
    equal(server.address, `127.0.0.1:${port}`);
    const ann = await stage.joined(server, { user: "ann", args: [cipher, "--trace"] });
    const ben = await stage.joined(server, { user: "ben", args: [cipher] });
    await ann.say("hello over CTR");
    await ben.shows("ann: hello over CTR");

    // The handshake in three steps, as both ends see it.
    for (
      const [program, [sent, received]] of [[ann.program, ["sent", "received"]], [server.program, [
        "received",
        "sent",
      ]]] as const
    ) {
      const steps = tracedMessages(program.err);
      deepEqual(steps.slice(0, 6), [
        `${sent} Hello`,
        `${received} Reply`,
        `${received} HostKey`,
        `${received} Signature`,
        `${received} Finished`,
        `${sent} Done`,
      ]);
      for (
        const step of ["step 1 of 3, the SYN", "step 2 of 3, the SYN-ACK begins", "step 3 of 3, the ACK"]
      ) {
        ok(program.err.some((line) => line.endsWith(step)), step);
      }
    }
    // Each record with its IV, its ciphertext both ways of writing, and its tag; no IV and no share comes twice.
    stage.show(
      "The client's trace tells of the handshake and of its login by a device",
      ann.program.err.filter((line) => TOLD.test(line)),
    );
    const records = ann.program.err.flatMap((line) =>
      / (?:sent|received) record epoch \d+ sequence \d+ iv=([0-9a-f]{32}) ciphertext\.hex=([0-9a-f]+) ciphertext\.base64=(\S+) tag=([0-9a-f]{64})$/
        .exec(line)?.slice(1) ?? []
    );
    ok(records.length >= 4 * 5, "there are records to be seen");
    const ivs = records.filter((_, at) => at % 4 === 0);
    equal(new Set(ivs).size, ivs.length, "no IV comes twice");
    equal(Buffer.from(records[2] ?? "", "base64").toString("hex"), records[1]);

    // Refused, reset, interrupted, taken: one sentence and an exit code each.
    const env = { SOTTO_CONFIG_DIR: stage.path("config"), SOTTO_PASSWORD: PASSWORD };
    complained(await stage.run("sotto", { args: [String(unusedPort()), "--user=ann"], env }), {
      code: 69,
      sentence:
        /^Cannot reach 127\.0\.0\.1 port \d+: no server answers there; start one, or check host and port\.$/,
    });
    complained(await stage.run("sotto", { args: [impostor(stage, utf8("")), "--user=ann"], env }), {
      code: 76,
      sentence:
        /: it closed without an answer; a pre-shared key may be required \(--psk-file\), or this address be banned there\.$/,
    });
    complained(
      await stage.run("sotto-server", { args: [String(port), `--data-dir=${stage.path("other")}`] }),
      {
        code: 69,
        sentence: new RegExp(
          `^Cannot listen on 127\\.0\\.0\\.1 port ${port}: another program uses that port; `,
        ),
      },
    );
    complained(await stage.visit(server, { user: "cid", args: ["--cipher=a256cbc-hs512"] }), {
      code: 76,
      sentence: /^Cannot agree on keys with \S+: it closed without an answer; /,
    });
    ann.program.signal("SIGINT");
    equal((await ann.ending()).code, 0);
    server.program.signal("SIGKILL");
    const { code, err } = await ben.ending();
    equal(code, 75);
    equal(err.at(-1), `Connection cut: ${server.address} went away without a goodbye; try again.`);
  },
);

scenario(
  "ancestor 2: a pre-shared key, a bare port, both sides talk, each message with its mark and time",
  async (stage) => {
    const port = unusedPort();
    const pskFile = stage.path("psk");
    await Deno.writeTextFile(pskFile, "a key that both sides know\n", { mode: 0o600 });
    const dataDir = stage.path("server");
    const program = stage.launch("sotto-server", {
      as: "server",
      args: [String(port), "--host=0.0.0.0", `--psk-file=${pskFile}`, "--console", `--data-dir=${dataDir}`],
    });
    const server = { ...await stage.announced(program, dataDir), address: `127.0.0.1:${port}` };
    await program.line("out", new RegExp(`^sotto-server listening on 0\\.0\\.0\\.0:${port}$`));
    // What can be reached from elsewhere takes nobody without an invitation.
    const invitation = await program.found("out", /^invitation (\S+)$/);
    const bare = { address: String(port), args: [`--psk-file=${pskFile}`] };

    const ann = await stage.joined(server, {
      ...bare,
      user: "ann",
      address: invitation,
      pinned: false,
      newcomer: true,
    });
    await program.line("out", /^\d\d:\d\d:\d\d #lobby \* ann joined from 127\.0\.0\.1:\d+$/);
    const bot = await stage.joined(server, { ...bare, user: "bot", json: true });
    await program.type("welcome, both of you");
    await ann.shows("console: welcome, both of you");
    await ann.program.line("out", /^\d\d:\d\d:\d\d #lobby <console> welcome, both of you$/);
    await ann.say("thank you");
    await program.line("out", /^\d\d:\d\d:\d\d #lobby <ann> thank you$/);
    await bot.shows("ann: thank you");
    await bot.say("beep");
    await ann.program.line("out", /^\d\d:\d\d:\d\d #lobby <bot> beep ☒$/);
    const [said] = eventsOf(bot.events, "message").filter(({ from }) => from === "ann");
    deepEqual([said?.verified, said?.reason, said?.device], [true, null, Deno.build.os]);

    // Somebody in the place of bot, with other keys: the same line has the other mark, and the reason.
    await bot.quit();
    equal((await bot.ending()).code, 0);
    const configDir = stage.path("impostor");
    await keepKeys(configDir, { dataDir, user: "bot", own: await withAnotherIdentity(dataDir, "bot") });
    const other = await stage.joined(server, { ...bare, user: "bot", configDir });
    await other.say("beep");
    await ann.program.line("out", /^\d\d:\d\d:\d\d #lobby <bot> beep ☐ identity changed$/);

    complained(await stage.visit(server, { user: "bot", address: String(port) }), {
      code: 76,
      sentence:
        /: it closed without an answer; a pre-shared key may be required \(--psk-file\), or this address be banned there\.$/,
    });
    await ann.program.type("quit()");
    equal((await ann.ending()).code, 0);
    stage.show("ann sees", ann.program.out);
    await program.line("out", /^\d\d:\d\d:\d\d #lobby \* ann left$/);
    await program.type("quit()");
    equal((await program.ending()).code, 0);
    equal((await other.ending()).code, 75);
  },
);

scenario("ancestor 3: by default a handshake, then a login, then and only then data", async (stage) => {
  const server = await stage.server({ args: ["--trace"] });
  const ann = await stage.joined(server, { user: "ann", newcomer: true, args: ["--trace"] });
  const ben = await stage.joined(server, { user: "ben" });
  await ann.say("and then data");
  await ben.shows("ann: and then data");
  await ann.quit();
  equal((await ann.ending()).code, 0);

  stage.show("ann sees", ann.program.out);
  stage.show(
    "and by --trace on standard error, among much else",
    ann.program.err.filter((line) => TOLD.test(line)),
  );
  const order = tracedMessages(ann.program.err).map((step) => step.replace(/^\w+ /, ""));
  const handshake = ["Hello", "Reply", "HostKey", "Signature", "Finished", "Done"];
  deepEqual(order, [
    // A registration with its login, and the device that it enrolled.
    ...handshake,
    "RegisterStart",
    "RegisterReply",
    "RegisterFinish",
    "LoginStart",
    "LoginReply",
    "LoginFinish",
    ...handshake,
    "DeviceLogin",
  ]);
  const accounts = Buffer.from(await Deno.readFile(`${server.dataDir}/accounts.db`));
  ok(!accounts.includes(PASSWORD), "a password is nowhere on the server");
  complained(
    await stage.visit(server, { user: "ann", newcomer: true, password: "guess" }, "data before a login\n"),
    {
      code: 77,
      sentence: /^Cannot log in as ann: the name or the password is wrong; /,
    },
  );
  deepEqual(ben.shown, ["ann: and then data"]);
});

scenario(
  "ancestor 5: TLS under the channel, many clients, everything acknowledged, no certificate unverified",
  async (stage) => {
    const port = habitualPort(8_443);
    const dataDir = stage.path("server");
    const program = stage.launch("sotto-server", {
      as: "server",
      args: [
        "serve",
        "--host=127.0.0.1",
        `--port=${port}`,
        "--tls",
        "--registration=invite",
        `--data-dir=${dataDir}`,
      ],
    });
    const server = await stage.announced(program, dataDir);
    equal(server.address, `127.0.0.1:${port}`);
    const invitation = await program.found("out", /^invitation (\S+)$/);
    match(invitation, /&tls=[\w-]+$/);

    // The invitation has the certificate: nothing else is to be said. The others are told its file.
    const relay = new Relay(stage, port);
    const ann = await stage.joined(server, {
      user: "ann",
      address: invitation.replace(server.address, relay.address),
      pinned: false,
      newcomer: true,
    });
    const tls = [`--tls-ca=${dataDir}/${CERTIFICATE_FILES.certificate}`];
    const others: Client[] = [];
    for (const user of ["ben", "cid", "dan", "eve"]) {
      const configDir = await stage.home(server, user);
      const args = ["--host=127.0.0.1", `--port=${port}`, `--host-key=${server.hostKey}`, ...tls];
      others.push(stage.clientBy({ user, json: true, configDir, args }));
    }
    for (const other of others) await other.ready();
    await ann.say("one", "two", "three");
    for (const other of others) await other.showsCount(3);
    for (const other of others) {
      await other.say(`${other.user} heard it`);
      await ann.shows(`${other.user}: ${other.user} heard it`);
    }
    stage.show("ann sees", ann.program.out.filter((line) => line.includes("<")));
    for (const other of others) {
      await other.quit();
      equal((await other.ending()).code, 0);
      equal(eventsOf(other.events, "ack").length, 1, "what was said is acknowledged");
    }
    await ann.quit();
    equal((await ann.ending()).code, 0);
    await stage.until(
      "the end of what passed",
      () => relay.connections.every(({ over }) => over) || undefined,
    );
    for (const carried of relay.connections) {
      const sent = carried.bytes("toServer");
      equal(sent[0], TLS_HANDSHAKE);
      ok(sent.includes(TLS_DATA), "the channel is inside");
      ok(!Buffer.from(sent).includes(Buffer.from(HELLO_HEAD)), "not even the channel's own Hello is seen");
    }

    // Whoever was here once need not say it again; a newcomer is let through by no certificate that nobody vouched for.
    equal((await stage.visit(server, { user: "ben" }, "and so am I\n")).code, 0);
    const stranger = { user: "fay" };
    complained(await stage.visit(server, { ...stranger, args: ["--tls"] }), {
      code: 76,
      sentence:
        /^Cannot begin TLS with 127\.0\.0\.1 port \d+: its certificate is none that you trust; give the one /,
    });
    complained(await stage.visit(server, stranger), {
      code: 76,
      sentence:
        /^Cannot talk with 127\.0\.0\.1 port \d+: the server there expects TLS; add --tls with --tls-ca FILE, or /,
    });
    const other = await stage.server({ args: ["--tls"] });
    complained(await stage.visit(server, { ...stranger, address: other.address, args: tls }), {
      code: 76,
      sentence: /^Cannot begin TLS with 127\.0\.0\.1 port \d+: its certificate is none that you trust; /,
    });
    const plain = await stage.server();
    complained(await stage.visit(plain, { user: "ben", args: tls }), {
      code: 76,
      sentence: /^Cannot begin TLS with 127\.0\.0\.1 port \d+: .*leave --tls away, or check host and port\.$/,
    });
  },
);

/** The messages of handshake and login that a trace tells, in their order, as `sent Hello`. */
function tracedMessages(lines: readonly string[]): readonly string[] {
  return lines.flatMap((line) => / ((?:sent|received) [A-Z]\w+), \d+ octets/.exec(line)?.[1] ?? []);
}
