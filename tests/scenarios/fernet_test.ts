/**
 * Programs that share a Fernet key talk with people over the bridge.
 *
 * @module
 */

import { deepEqual, doesNotMatch, equal, match } from "node:assert/strict";
import { Fernet, FERNET_KEY_BYTES, parseFernetKey } from "../../lib/bridge/fernet.ts";
import { visitorIv } from "../../lib/bridge/token_iv.ts";
import { systemEntropy } from "../../lib/crypto/entropy.ts";
import { type Bytes, utf8 } from "../../lib/wire/bytes.ts";
import { provider } from "../crypto/test_provider.ts";
import { hasPython, MISSING_PYTHON } from "../interop/python.ts";
import { skipped } from "../sanitized.ts";
import { silence, unusedPort } from "./ports.ts";
import { complained, type Program } from "./programs.ts";
import { scenario, type Server, type Stage } from "./stage.ts";

const EXAMPLE = decodeURIComponent(new URL("../../examples/fernet_client.py", import.meta.url).pathname);

/** Lines that are piped in at once. */
const BURST_LINES = 1_000;

/** A key, in a file. */
interface KeyFile {
  readonly path: string;
  readonly text: string;
}

/** A server with a bridge. */
interface Bridged {
  readonly server: Server;
  /** HOST:PORT of the bridge. */
  readonly address: string;
  /** The file of its key. */
  readonly keyFile: string;
}

pythonScenario("two Python programs, sotto fernet and people hear each other in one order", async (stage) => {
  const bridge = await bridged(stage);
  const ann = await stage.joined(bridge.server, { user: "ann" });
  const bot = await stage.joined(bridge.server, { user: "bot", json: true });
  const guests: Program[] = [];
  for (const begin of [python, python, visitor]) {
    const guest = begin(stage, bridge, `guest-${guests.length + 1}`);
    await guest.line("out", /^\* you are guest-\d in #lobby, with ann, bot; exit leaves$/);
    guests.push(guest);
  }

  await guests[0]?.type("from Python 👋");
  await ann.shows("bridge: guest-1: from Python 👋 ☐ bridged");
  await ann.say("hello, programs");
  await heardBy(guests, "<ann> hello, programs");
  await guests[2]?.type("from sotto fernet");
  await heardBy(guests.slice(0, 2), "<guest-3 via bridge> from sotto fernet");
  await bot.shows("guest-3: from sotto fernet ☐ bridged");
  await Promise.all(guests.map((guest) => guest.type(`${guest.name} at once`)));
  await ann.showsCount(9);
  await ann.say("done");
  await heardBy(guests, "<ann> done");
  // Ann's own line is there once it is acknowledged, which others may hear of first.
  for (const listener of [ann, bot]) await listener.showsCount(10);

  // In the line mode the bridge speaks, and says for whom.
  deepEqual(bot.shown, ann.shown.map((line) => line.replace(/^bridge: /, "")));
  const said = bot.shown.map((line) => line.replace(/ ☐ bridged$/, ""));
  deepEqual(said.slice(0, 6), [
    ...[1, 2, 3].map((number) => `guest-${number}: came in over the bridge, and hears what is said here`),
    "guest-1: from Python 👋",
    "ann: hello, programs",
    "guest-3: from sotto fernet",
  ]);
  for (const guest of guests) {
    const expected = said.flatMap((line) => {
      const [, name = "", text] = /^(\S+): (.*)$/.exec(line) ?? [];
      if (name === guest.name || text?.startsWith("came in")) return [];
      return [`<${name}${name.startsWith("guest") ? " via bridge" : ""}> ${text}`];
    });
    deepEqual(guest.out.filter((line) => line.startsWith("<")), expected, guest.name);
  }

  for (const guest of guests) await guest.type("exit");
  for (const guest of guests) equal((await guest.ending()).code, 0, guest.name);
  for (const number of [1, 2, 3]) await bot.shows(`guest-${number}: left ☐ bridged`);
});

scenario(
  "a thousand lines piped into sotto fernet are all said, in their order, before it ends with 0",
  async (stage) => {
    const bridge = await bridged(stage);
    const bot = await stage.joined(bridge.server, { user: "bot", json: true });
    const lines = Array.from({ length: BURST_LINES }, (_, at) => `line ${at}`);
    const { code } = await stage.run(
      "sotto",
      visitorLaunch(bridge),
      lines.map((line) => `${line}\n`).join(""),
    );
    equal(code, 0);
    await bot.showsCount(BURST_LINES + 2);
    deepEqual(bot.shown.slice(1, -1), lines.map((line) => `guest-1: ${line} ☐ bridged`));
  },
);

scenario(
  "exit, quit(), /quit and the end of the input end a visit with 0; a line too long to be said with 65",
  async (stage) => {
    const bridge = await bridged(stage);
    for (const input of ["exit\nbehind\n", "quit()\n", " /quit \n", ""]) {
      const { code, out } = await stage.run("sotto", visitorLaunch(bridge), input);
      deepEqual([code, out.length], [0, 1], input);
    }
    const { code, err } = await stage.run("sotto", visitorLaunch(bridge), `${"x".repeat(8_193)}\nshort\n`);
    match(err.join(), /^Cannot say a line: it is not UTF-8, or longer than 8192 octets; say it in parts\.$/);
    equal(code, 65);
  },
);

scenario(
  "the console and the journal tell which guest comes from where, what it says, and that it goes",
  async (stage) => {
    const bridge = await bridged(stage, { args: ["--console"] });
    const guest = visitor(stage, bridge, "guest-1");
    await guest.line("out", /^\* you are guest-1 /);
    await guest.type("hello", "exit");
    equal((await guest.ending()).code, 0);
    const { program } = bridge.server;
    const from = await program.found("out", / #lobby \* guest-1 via bridge joined from (127\.0\.0\.1:\d+)$/);
    await program.line("out", / #lobby <guest-1 via bridge> hello$/);
    await program.line("out", / #lobby \* guest-1 via bridge left$/);
    for (
      const what of [
        "connected to the Fernet bridge",
        "came in over the Fernet bridge as guest-1",
        "gone: left",
      ]
    ) {
      await program.line("err", new RegExp(`^\\d\\d:\\d\\d:\\d\\d ${from} ${what}$`));
    }
  },
);

scenario(
  "attack 14: with another key sotto fernet is not answered, says why with 77, and nobody came",
  async (stage) => {
    const bridge = await bridged(stage);
    const other = { ...bridge, keyFile: (await newKeyFile(stage)).path };
    complained(await stage.run("sotto", visitorLaunch(other), "hello\n"), {
      code: 77,
      sentence:
        /: it closed without an answer, as a bridge does where the Fernet key or the time is not the same;/,
    });
    deepEqual(await bridge.server.reasons(1), ["did not show the Fernet key"]);
    doesNotMatch((await bridge.server.stop()).err.join("\n"), /came in/);
  },
);

scenario("attack 3: a recorded visit that is sent again is turned away without a word", async (stage) => {
  const bridge = await bridged(stage);
  const fernet = await Fernet.of(
    provider,
    parseFernetKey(await Deno.readTextFile(bridge.keyFile)) ?? utf8(""),
  );
  const tokens = await Promise.all(
    ["hello", "exit"].map((text) =>
      fernet.seal(utf8(text), { seconds: Math.floor(Date.now() / 1_000), iv: visitorIv(systemEntropy) })
    ),
  );
  const recorded = utf8(tokens.map((token) => `${token}\n`).join(""));
  equal(await answered(bridge, recorded) > 0, true);
  equal(await answered(bridge, recorded), 0);
  deepEqual(await bridge.server.reasons(2), ["left", "did not show the Fernet key"]);
});

scenario("sotto fernet says in a sentence what is wrong, and ends with its code", async (stage) => {
  const key = await newKeyFile(stage);
  const none = { address: `127.0.0.1:${unusedPort()}`, keyFile: key.path };
  complained(await stage.run("sotto", visitorLaunch(none)), {
    code: 69,
    sentence: /: no server answers there; /,
  });
  const chatty = { ...none, address: silence(stage, utf8("220 mail.example.org\r\n")) };
  complained(await stage.run("sotto", visitorLaunch(chatty)), {
    code: 76,
    sentence: /: what it sent was not sealed by a server with this key; /,
  });
  const missing = { ...none, keyFile: stage.path("key") };
  complained(await stage.run("sotto", visitorLaunch(missing)), {
    code: 66,
    sentence: /the Fernet key from /,
  });
  await Deno.writeTextFile(missing.keyFile, "a passphrase\n", { mode: 0o600 });
  const { err, ...rest } = await stage.run("sotto", visitorLaunch(missing));
  complained({ err, ...rest }, {
    code: 78,
    sentence: /it is not 32 octets in base64url, 43 letters and a =; /,
  });
  doesNotMatch(err.join(), /passphrase/);
  complained(await stage.run("sotto", { args: ["fernet"] }), {
    code: 64,
    sentence: /set SOTTO_FERNET_KEY\.$/,
  });
});

scenario("a visit that the server ends, or that is cut, ends with 75", async (stage) => {
  for (
    const [signal, sentence] of [["SIGTERM", /: it ended the conv/], [
      "SIGKILL",
      /went away|it ended/,
    ]] as const
  ) {
    const bridge = await bridged(stage);
    const guest = visitor(stage, bridge, "guest-1");
    await guest.line("out", /^\* you are guest-1 /);
    await bridge.server.stop(signal);
    const { code, err } = await guest.ending();
    match(err.join(), sentence);
    equal(code, 75);
  }
});

scenario(
  "a server refuses a bridge without a good key, or at an address in use, before it listens",
  async (stage) => {
    const key = await newKeyFile(stage);
    const bad = stage.path("key");
    const start = (keyFile: string, address = "127.0.0.1:0") =>
      stage.run("sotto-server", {
        args: ["serve", "0", "--data-dir", stage.path("server"), ...bridgeArgs(address, keyFile)],
      });
    complained(await start(bad), { code: 66, sentence: /^Cannot read the Fernet key from / });
    await Deno.writeTextFile(bad, "a passphrase", { mode: 0o600 });
    complained(await start(bad), { code: 78, sentence: /^Cannot use the Fernet key: it is not 32 octets / });
    using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    complained(await start(key.path, `127.0.0.1:${taken.addr.port}`), {
      code: 69,
      sentence: /another program uses that port; stop it, or give another --fernet-listen HOST:PORT\.$/,
    });
  },
);

scenario(
  "a key that others can read is used, with a warning at both ends; no output holds it",
  async (stage) => {
    const key = await newKeyFile(stage, 0o644);
    const warning = new RegExp(`^Others on this machine can reach the Fernet key in .* chmod 600 `);
    const bridge = await bridged(stage, { key });
    const { code, err, out } = await stage.run("sotto", visitorLaunch(bridge), "hello\n");
    equal(code, 0);
    match(err[0] ?? "", warning);
    const env = { SOTTO_FERNET_KEY: key.text };
    const quiet = await stage.run("sotto", { args: ["fernet", bridge.address], env }, "hello\n");
    deepEqual([quiet.code, quiet.err], [0, []]);
    const server = await bridge.server.stop();
    match(server.err[0] ?? "", warning);
    doesNotMatch(
      [...err, ...out, ...server.err, ...server.out].join("\n"),
      new RegExp(key.text.slice(0, 20)),
    );
  },
);

function pythonScenario(name: string, story: (stage: Stage) => Promise<void>): void {
  if (hasPython()) scenario(name, story);
  else skipped(name, MISSING_PYTHON);
}

async function bridged(
  stage: Stage,
  { args = [], key }: { readonly args?: readonly string[]; readonly key?: KeyFile } = {},
): Promise<Bridged> {
  const keyFile = (key ?? await newKeyFile(stage)).path;
  const server = await stage.server({ args: [...bridgeArgs("127.0.0.1:0", keyFile), ...args] });
  const address = await server.program.found("out", /^fernet bridge listening on (\S+)$/);
  return { server, address, keyFile };
}

function bridgeArgs(address: string, keyFile: string): readonly string[] {
  return ["--fernet-listen", address, "--fernet-key-file", keyFile];
}

async function newKeyFile(stage: Stage, mode = 0o600): Promise<KeyFile> {
  const path = stage.path("fernet_key");
  const text = systemEntropy(FERNET_KEY_BYTES).toBase64({ alphabet: "base64url" });
  await Deno.writeTextFile(path, `${text}\n`, { mode });
  return { path, text };
}

function visitorLaunch({ address, keyFile }: Omit<Bridged, "server">): { readonly args: readonly string[] } {
  return { args: ["fernet", address, "--key-file", keyFile] };
}

function visitor(stage: Stage, bridge: Bridged, as: string): Program {
  return stage.launch("sotto", { as, ...visitorLaunch(bridge) });
}

function python(stage: Stage, { address, keyFile }: Bridged, as: string): Program {
  return stage.launchFile("python3", {
    as,
    args: [EXAMPLE, ...address.split(":"), keyFile],
    env: { PATH: Deno.env.get("PATH") ?? "" },
  });
}

async function heardBy(guests: readonly Program[], line: string): Promise<void> {
  for (const guest of guests) {
    await guest.until(`"${line}"`, () => guest.out.includes(line) || undefined);
  }
}

/** Sends octets to a bridge, and tells how many it answers before it closes. */
async function answered({ address }: Bridged, octets: Bytes): Promise<number> {
  const [hostname = "", port] = address.split(":");
  using socket = await Deno.connect({ hostname, port: Number(port) });
  await socket.write(octets);
  let count = 0;
  const buffer = new Uint8Array(1_024);
  for (let read = await socket.read(buffer); read !== null; read = await socket.read(buffer)) count += read;
  return count;
}
