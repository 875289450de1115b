/**
 * Registering and logging in, by invitation, password and device; and what is refused, to whom, in which words.
 *
 * @module
 */

import { deepEqual, equal, match } from "node:assert/strict";
import { ACCOUNT_FAILURES_MAX } from "../../lib/chat/back_off.ts";
import { eventsOf } from "./json_events.ts";
import { expiredInvitation } from "./enrolled.ts";
import { complained, type Ending } from "./programs.ts";
import { framesIn, Relay } from "./relay.ts";
import { type ClientRun, PASSWORD, scenario, type Server, type Stage } from "./stage.ts";

const INVITE = { args: ["--registration=invite"] };

const BAD_INVITATION =
  /^Cannot register \w+ at \S+: the invitation is missing, used up, too old or for another name; ask its operator for another one, or leave it out if \w+ has registered already\.$/;
const WRONG =
  /^Cannot log in as [\w-]+: the name or the password is wrong; correct them, or give --register for a new account\.$/;
const TOO_MANY =
  /^Cannot come in as ann at \S+: too much was tried for that name or from this address; wait some minutes and try again\.$/;

scenario(
  "on loopback a name that is new registers itself, and its device comes again without a password",
  async (stage) => {
    const server = await stage.server();
    const ann = await stage.joined(server, { user: "ann", newcomer: true });
    match(ann.program.err[0] ?? "", /^recovery code (?:[0-9A-Z]{4}-){7}[0-9A-Z]{4} \(keep it safe: /);
    await ann.say("hello");
    await ann.shows("ann: hello");
    await ann.quit();
    equal((await ann.ending()).code, 0);
    stage.show("ann sees", ann.program.out);
    stage.show("and on standard error", ann.program.err);
    const again = await stage.joined(server, { user: "ann", configDir: ann.configDir, password: null });
    await again.quit();
    const { code, err } = await again.ending();
    equal(code, 0);
    deepEqual(err, ["Connecting", "Connected", "Connection closed: done"], "and no second recovery code");
    deepEqual(await server.guests(), ["ann", "ann"]);
  },
);

scenario(
  "an invitation as an argument brings its newcomer in once, and nobody a second time",
  async (stage) => {
    const server = await stage.server(INVITE);
    const invitation = await server.program.found("out", /^invitation (\S+)$/);
    match(
      invitation,
      new RegExp(`^sotto://${server.address.replaceAll(".", "\\.")}/[\\w-]{43}\\?code=[\\w-]{22}$`),
    );
    const ann = await stage.joined(server, { ...invited(invitation), user: "ann" });
    await ann.quit();
    equal((await ann.ending()).code, 0);
    const remembered = await Deno.readTextFile(`${ann.configDir}/known_hosts`);
    equal(remembered, `${server.address} sotto-ed25519 ${server.hostKey}\n`, "the host key came with it");

    complained(await stage.visit(server, { ...invited(invitation), user: "bob" }), {
      code: 77,
      sentence: BAD_INVITATION,
    });
    deepEqual(await server.guests(), ["ann"]);
  },
);

scenario("an invitation is read from standard input, and what follows it there is said", async (stage) => {
  const server = await stage.server(INVITE);
  const invitation = await stage.invitation(server);
  const run = { ...invited("-"), user: "ann" };
  const { code, out, err } = await stage.visit(server, run, `${invitation}\nhello\nexit\n`);
  equal(code, 0, err.join("|"));
  match(out.at(-1) ?? "", / #lobby <ann> hello ☒$/);
  complained(await stage.visit(server, { ...invited("-"), user: "bob" }), {
    code: 65,
    sentence:
      /^Cannot read an invitation from standard input: there is none; write one there, on a line of its own\.$/,
  });
  const garbled = await stage.visit(server, { ...invited("-"), user: "bob" }, `${invitation.slice(0, -1)}\n`);
  complained(garbled, { code: 65, sentence: /^Cannot use the invitation: .*; copy it anew, all of it\.$/ });
});

scenario("an invitation for more than one brings in as many and no more", async (stage) => {
  const server = await stage.server(INVITE);
  const run = invited(await stage.invitation(server, "invite", "--uses=2"));
  equal((await stage.visit(server, { ...run, user: "ann" })).code, 0);
  equal((await stage.visit(server, { ...run, user: "bob" })).code, 0);
  complained(await stage.visit(server, { ...run, user: "cid" }), { code: 77, sentence: BAD_INVITATION });
});

scenario("an invitation that is too old, made up or for somebody else brings nobody in", async (stage) => {
  const server = await stage.server(INVITE);
  const expired = await expiredInvitation(server);
  const forAnn = await stage.invitation(server, "user", "add", "ann");
  const madeUp = forAnn.replace(/code=.*/, `code=${"A".repeat(22)}`);
  for (const invitation of [expired, madeUp, forAnn]) {
    const run = { ...invited(invitation), user: "bob" };
    complained(await stage.visit(server, run), { code: 77, sentence: BAD_INVITATION });
  }
  equal((await stage.visit(server, { ...invited(forAnn), user: "ann" })).code, 0, "ann's was not used up");
  deepEqual(await server.guests(), ["ann"]);
});

scenario(
  "an invitation with another host key than the one known stops before anything is sent",
  async (stage) => {
    const server = await stage.server(INVITE);
    const other = await stage.server(INVITE);
    const ann = await stage.joined(server, { user: "ann", pinned: false });
    await ann.quit();
    await ann.ending();
    const false_ = (await stage.invitation(other)).replace(other.address, server.address);
    const { configDir } = ann;
    complained(await stage.visit(server, { ...invited(false_), user: "ann", configDir }), {
      code: 76,
      sentence:
        /^Cannot trust the invitation: it says that the host key of \S+ is SHA256:\S+, and here it is known as SHA256:/,
    });
  },
);

scenario(
  "a server that takes no new accounts says so to whoever asks, and lets in whom its operator adds",
  async (stage) => {
    const server = await stage.server({ args: ["--registration=closed"] });
    complained(await stage.visit(server, { user: "ann", newcomer: true, args: ["--register"] }), {
      code: 77,
      sentence:
        /^Cannot register ann at \S+: it takes no new accounts, or none without an invitation; ask its operator for one\.$/,
    });
    const url = await stage.invitation(server, "user", "add", "ann");
    equal((await stage.visit(server, { ...invited(url), user: "ann" })).code, 0);
  },
);

scenario("a name that is taken, or looks like one that is, cannot be registered", async (stage) => {
  const server = await stage.server();
  await stage.home(server, "ann-1");
  for (const user of ["ann-1", "ann-l", "ann_1"]) {
    complained(await stage.visit(server, { user, newcomer: true, args: ["--register"] }), {
      code: 77,
      sentence:
        /^Cannot register ann\S\S at \S+: the name, or one that looks like it, is taken; choose another with --user, or log in without --register and without an invitation\.$/,
    });
  }
});

scenario("a wrong password is refused with 77, and whoever has the name is not disturbed", async (stage) => {
  const server = await stage.server();
  const ann = await stage.joined(server, { user: "ann", newcomer: true });
  complained(await stage.visit(server, { user: "ann", newcomer: true, password: "a guess" }), {
    code: 77,
    sentence: WRONG,
  });
  await ann.say("still here");
  await ann.shows("ann: still here");
  await server.program.line("err", / failed to log in as ann by password \(wrongPassword\)$/);
});

scenario(
  "attack 20: of a name nobody has a guesser is told the same, in records of the same sizes",
  async (stage) => {
    const server = await stage.server(INVITE);
    const url = await stage.invitation(server, "user", "add", "ann");
    equal((await stage.visit(server, { ...invited(url), user: "ann" })).code, 0);
    equal((await stage.operate(server, "user", "disable", "ann")).code, 0);
    const bea = await stage.invitation(server, "user", "add", "bea");
    equal((await stage.visit(server, { ...invited(bea), user: "bea" })).code, 0);

    const guesses = [];
    for (const user of ["ann", "bea", "eve"]) guesses.push(await guess(stage, server, user));
    const [disabled, known, unknown] = guesses;
    deepEqual(disabled, unknown, "a disabled account is told from none");
    deepEqual(known, unknown, "an account is told from none");
  },
);

scenario(
  "attack 21: after a few wrong passwords none is tried any more, and the owner comes in by a device",
  async (stage) => {
    const server = await stage.server();
    const ann = await stage.joined(server, { user: "ann", newcomer: true });
    const bob = await stage.joined(server, { user: "bob", newcomer: true });
    await ann.quit();
    await ann.ending();
    for (let at = 0; at < ACCOUNT_FAILURES_MAX; at++) {
      const guess = { user: "ann", newcomer: true, password: `guess ${at}` };
      complained(await stage.visit(server, guess), { code: 77, sentence: WRONG });
    }
    for (const password of ["one more guess", PASSWORD]) {
      complained(await stage.visit(server, { user: "ann", newcomer: true, password }), {
        code: 77,
        sentence: TOO_MANY,
      });
    }
    await server.program.line("err", / failed to log in as ann by password \(tooManyTries\)$/);
    const owner = await stage.joined(server, { user: "ann", configDir: ann.configDir });
    await owner.say("it is me");
    await bob.shows("ann: it is me");
  },
);

for (
  const [name, run, expected] of [
    ["no password and no terminal", { password: null }, {
      code: 64,
      sentence:
        /^Cannot log in as ann: there is no password; give one in SOTTO_PASSWORD or --password-file\.$/,
    }],
    ["an empty SOTTO_PASSWORD", { password: "" }, {
      code: 64,
      sentence: /^Cannot use SOTTO_PASSWORD: it is empty; put the password into it, or unset it\.$/,
    }],
    ["a password file that is not there", { password: null, args: ["--password-file=/nowhere/password"] }, {
      code: 66,
      sentence: /^Cannot read the password from \/nowhere\/password: there is no such file or folder; /,
    }],
  ] as const
) {
  scenario(`sotto: ${name} is told in a sentence, with ${expected.code}`, async (stage) => {
    const server = await stage.server();
    complained(await stage.visit(server, { user: "ann", newcomer: true, ...run }), expected);
    deepEqual(await server.guests(), []);
  });
}

scenario("a password is read from a file, and one that others can read is told of", async (stage) => {
  const server = await stage.server();
  const path = stage.path("password");
  await Deno.writeTextFile(path, `${PASSWORD}\n`, { mode: 0o644 });
  const run = { user: "ann", newcomer: true, password: null, args: [`--password-file=${path}`] };
  const { code, err } = await stage.visit(server, run);
  equal(code, 0);
  equal(
    err[0],
    `Others on this machine can reach the password in ${path} (mode 0644); run: chmod 600 ${path}`,
  );
  complained(await stage.visit(server, { user: "ann", newcomer: true, password: "another" }), {
    code: 77,
    sentence: WRONG,
  });
});

scenario("a password is changed with the old one, which then fits no more", async (stage) => {
  const server = await stage.server();
  const ann = await stage.joined(server, { user: "ann", newcomer: true, json: true });
  const [recovery] = eventsOf(ann.events, "recoveryCode");
  const changed = await changePassword(stage, server, { from: PASSWORD, to: "another password" });
  deepEqual(changed.out, [`The password of ann at ${server.address} is changed`]);
  equal(changed.code, 0);
  await server.program.line("err", / set another password for ann$/);
  complained(await changePassword(stage, server, { from: PASSWORD, to: "a third" }), {
    code: 77,
    sentence: WRONG,
  });
  complained(await stage.visit(server, { user: "ann", newcomer: true }), { code: 77, sentence: WRONG });
  const elsewhere = await stage.joined(server, {
    user: "ann",
    newcomer: true,
    password: "another password",
    env: { SOTTO_RECOVERY_CODE: recovery?.code ?? "" },
  });
  await elsewhere.say("by the new password");
  await ann.shows("ann: by the new password");
});

scenario("a server that starts again knows its accounts, their passwords and devices", async (stage) => {
  const first = await stage.server();
  const ann = await stage.joined(first, { user: "ann", newcomer: true });
  const bob = await stage.joined(first, { user: "bob" });
  await ann.say("before");
  await bob.shows("ann: before");
  equal((await first.stop()).code, 0);
  for (const client of [ann, bob]) equal((await client.ending()).code, 75);

  const { dataDir, port } = first;
  const second = await stage.server({ dataDir, port });
  equal(second.hostKey, first.hostKey);
  complained(await stage.visit(second, { user: "ann", newcomer: true, password: "a guess" }), {
    code: 77,
    sentence: WRONG,
  });
  const [annAgain, bobAgain] = [
    await stage.joined(second, { user: "ann", configDir: ann.configDir, password: null }),
    await stage.joined(second, { user: "bob", password: null }),
  ];
  await annAgain.say("after");
  await bobAgain.shows("ann: after");
  await bobAgain.say("as before");
  await annAgain.shows("bob: as before");
});

scenario("two clients of one account are one person to the others", async (stage) => {
  const server = await stage.server();
  const ear = await stage.joined(server, { user: "ear", json: true });
  const first = await stage.joined(server, { user: "ann", json: true });
  const second = await stage.joined(server, { user: "ann", json: true });
  await first.say("from one");
  await second.shows("ann: from one");
  await second.say("from the other");
  for (const client of [first, ear]) await client.shows("ann: from the other");
  await first.quit();
  equal((await first.ending()).code, 0);
  await second.say("and still here");
  await ear.shows("ann: and still here");
  await second.quit();
  equal((await second.ending()).code, 0);
  await ear.program.line("out", /"change":"offline"/);
  const coming = eventsOf(ear.events, "presence").map(({ change, names }) => [change, ...names]);
  deepEqual(coming, [["here", "ear"], ["online", "ann"], ["offline", "ann"]]);
});

/** How somebody without an account comes by an invitation: not pinned, since the invitation has the host key. */
function invited(address: string): Omit<ClientRun, "user"> {
  return { address, pinned: false, newcomer: true };
}

/** What a guess at `user`'s password shows: to the guesser, and to whoever counts octets. */
async function guess(
  stage: Stage,
  server: Server,
  user: string,
): Promise<{ readonly told: readonly string[]; readonly code: number; readonly sizes: readonly number[][] }> {
  const relay = new Relay(stage, server.port);
  const run = { user, address: relay.address, newcomer: true, password: "a guess" };
  const { code, err } = await stage.visit(server, run);
  const carried = await relay.firstOver();
  const sizes = (["toServer", "toClient"] as const).map((way) =>
    framesIn(carried.bytes(way)).bodies.map(({ length }) => length)
  );
  return { told: err.map((line) => line.replace(` as ${user}:`, " as NAME:")), code, sizes };
}

async function changePassword(
  stage: Stage,
  server: Server,
  { from, to }: { readonly from: string; readonly to: string },
): Promise<Ending> {
  const path = stage.path("new_password");
  await Deno.writeTextFile(path, to, { mode: 0o600 });
  return await stage.run("sotto", {
    args: [
      "password",
      server.address,
      "--user=ann",
      `--host-key=${server.hostKey}`,
      `--new-password-file=${path}`,
    ],
    env: { SOTTO_CONFIG_DIR: stage.path("config"), SOTTO_PASSWORD: from },
  });
}
