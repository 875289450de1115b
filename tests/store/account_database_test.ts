import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import type { Account, Invitation } from "../../lib/chat/port.ts";
import { type AccountDatabase, openAccountDatabase } from "../../lib/store/account_database.ts";
import { type Handle, parseHandle } from "../../lib/text/handle.ts";
import type { Bytes } from "../../lib/wire/bytes.ts";
import type { Keys } from "../../lib/wire/message.ts";
import { folderTest, modeOf, namesIn } from "./temporary_folder.ts";

const [ANN, BEN, EVE] = [handle("ann"), handle("ben"), handle("eve")];
const NOW = 1_800_000_000_000;
const CODE = octets(32, 7);

accountsTest("the first account is the owner, and the next are members", async (accounts) => {
  equal(await accounts.count(), 0);
  deepEqual(await registered(accounts, BEN), "registered");
  deepEqual(await registered(accounts, ANN), "registered");
  equal(await accounts.count(), 2);
  deepEqual((await accounts.list()).map(({ handle, role }) => [handle, role]), [
    [ANN, "member"],
    [BEN, "owner"],
  ]);
});

accountsTest("an account is kept as it was registered", async (accounts) => {
  const passwordRecord = record(1);
  const outcome = await accounts.register({ handle: ANN, passwordRecord, now: NOW }, undefined);
  const account: Account = {
    handle: ANN,
    role: "owner",
    standing: "active",
    registered: NOW,
    passwordRecord,
    keys: undefined,
    recovery: undefined,
  };
  deepEqual(outcome, { kind: "registered", account });
  deepEqual(await accounts.find(ANN), account);
  equal(await accounts.find(BEN), undefined);
});

accountsTest(
  "who is banned from the server is disabled until the ban is over or lifted",
  async (accounts) => {
    await registered(accounts, ANN);
    await registered(accounts, BEN);
    const address = { kind: "address", group: "192.0.2.7" } as const;
    const account = { kind: "account", handle: BEN } as const;
    const bans = [
      { subject: address, since: NOW, until: undefined, reason: "a flood" },
      { subject: account, since: NOW + 1, until: NOW + 1_000, reason: undefined },
    ];
    for (const ban of bans) equal(await accounts.setBan(ban), true);
    deepEqual(await accounts.bans(), bans);
    equal((await accounts.find(BEN))?.standing, "disabled");
    equal((await accounts.find(ANN))?.standing, "active");
    deepEqual((await accounts.list()).map(({ standing }) => standing), ["active", "disabled"]);
    await accounts.liftExpiredBans(NOW + 999);
    equal((await accounts.find(BEN))?.standing, "disabled");
    await accounts.liftExpiredBans(NOW + 1_000);
    equal((await accounts.find(BEN))?.standing, "active");
    equal(await accounts.liftBan(account), false);
    equal(await accounts.liftBan(address), true);
    deepEqual(await accounts.bans(), []);
  },
);

accountsTest(
  "the end of a ban enables nobody whom an operator has disabled, before it or since",
  async (accounts) => {
    await registered(accounts, ANN);
    await registered(accounts, BEN);
    const ban = (handle: typeof ANN) =>
      ({ subject: { kind: "account", handle }, since: NOW, until: NOW + 1, reason: undefined }) as const;
    await accounts.setStanding(ANN, "disabled");
    for (const handle of [ANN, BEN]) await accounts.setBan(ban(handle));
    await accounts.setStanding(BEN, "disabled");
    await accounts.liftExpiredBans(NOW + 1);
    deepEqual(await accounts.bans(), []);
    for (const handle of [ANN, BEN]) equal((await accounts.find(handle))?.standing, "disabled");
    await accounts.setBan(ban(ANN));
    await accounts.setStanding(ANN, "active");
    equal((await accounts.find(ANN))?.standing, "active");
  },
);

accountsTest("the keys of whoever is banned are nobody's who logs in", async (accounts) => {
  await registered(accounts, ANN);
  await accounts.setKeys(ANN, { keys: keys(1), expected: undefined, recovery: undefined });
  const [key] = [keys(1).list.slice(0, 32)];
  deepEqual(await accounts.keysNaming(ANN, key), keys(1));
  const subject = { kind: "account", handle: ANN } as const;
  await accounts.setBan({ subject, since: NOW, until: undefined, reason: undefined });
  equal(await accounts.keysNaming(ANN, key), undefined);
  await accounts.liftBan(subject);
  deepEqual(await accounts.keysNaming(ANN, key), keys(1));
});

accountsTest(
  "nobody is banned who is not there, and whoever is enabled is banned no more",
  async (accounts) => {
    const ban = {
      subject: { kind: "account", handle: ANN },
      since: NOW,
      until: undefined,
      reason: undefined,
    } as const;
    equal(await accounts.setBan(ban), false);
    deepEqual(await accounts.bans(), []);
    await registered(accounts, ANN);
    equal(await accounts.setBan(ban), true);
    equal(await accounts.setStanding(ANN, "active"), true);
    deepEqual(await accounts.bans(), []);
    equal(await accounts.setBan(ban), true);
    equal(await accounts.remove(ANN), true);
    deepEqual(await accounts.bans(), []);
  },
);

folderTest(
  "all that was promised is there after the database was closed and opened again",
  async (folder) => {
    const first = await openAccountDatabase(folder);
    await registered(first, ANN);
    await first.setKeys(ANN, { keys: keys(1), expected: undefined, recovery: octets(96, 9) });
    await first.addInvitation(invitation({ usesLeft: 3 }));
    await first.setStanding(ANN, "disabled");
    const setup = await first.opaqueSetup(() => Promise.resolve(octets(128, 5)));
    const before = await first.find(ANN);
    first.close();
    const again = await openAccountDatabase(folder);
    deepEqual(await again.find(ANN), before);
    equal(before?.standing, "disabled");
    deepEqual(before?.keys, keys(1));
    deepEqual(await again.findInvitation(CODE, NOW), invitation({ usesLeft: 3 }));
    deepEqual(await again.opaqueSetup(unwanted), setup);
    again.close();
    deepEqual(await namesIn(folder), ["accounts.db", "accounts.db.lock"]);
  },
);

accountsTest(
  "keys are found by what comes in their list, of that account, while it is active",
  async (accounts) => {
    const named = octets(32, 7);
    const list = new Uint8Array([1, 2, ...named, 3]);
    for (const name of [ANN, BEN, EVE]) await registered(accounts, name);
    equal(await accounts.keysNaming(ANN, named), undefined, "before any were published");
    const published = { ...keys(1), list };
    await accounts.setKeys(ANN, { keys: published, expected: undefined, recovery: undefined });
    await accounts.setKeys(BEN, { keys: keys(2), expected: undefined, recovery: undefined });
    deepEqual(await accounts.keysNaming(ANN, named), published);
    equal(await accounts.keysNaming(ANN, octets(32, 8)), undefined);
    for (const name of [BEN, EVE, handle("nobody")]) {
      equal(
        await accounts.keysNaming(name, named),
        undefined,
        name,
      );
    }
    await accounts.setStanding(ANN, "disabled");
    equal(await accounts.keysNaming(ANN, named), undefined);
  },
);

accountsTest("attack 32: a name that looks like another's is taken", async (accounts) => {
  await registered(accounts, handle("modern-l0l"));
  for (const name of ["modern-l0l", "rnodern-l0l", "modern_lol", "modem-1o1"]) {
    equal(await accounts.isTaken(handle(name)), true, name);
    equal(await registered(accounts, handle(name)), "nameTaken", name);
  }
  equal(await accounts.isTaken(BEN), false);
  equal(await accounts.count(), 1);
});

accountsTest(
  "the name of a removed account stays taken, and nothing else of it is kept",
  async (accounts) => {
    await registered(accounts, BEN);
    await registered(accounts, ANN);
    equal(await accounts.remove(ANN), true);
    equal(await accounts.remove(ANN), false);
    equal(await accounts.find(ANN), undefined);
    equal(await accounts.count(), 1);
    equal(await accounts.isTaken(ANN), true);
    equal(await registered(accounts, ANN), "nameTaken");
  },
);

accountsTest("an invitation is good for as many as it was made for", async (accounts) => {
  await accounts.addInvitation(invitation({ usesLeft: 2 }));
  equal(await registered(accounts, ANN, CODE), "registered");
  equal((await accounts.findInvitation(CODE, NOW))?.usesLeft, 1);
  equal(await registered(accounts, BEN, CODE), "registered");
  equal(await accounts.findInvitation(CODE, NOW), undefined);
  equal(await registered(accounts, EVE, CODE), "badInvitation");
  equal(await registered(accounts, EVE, octets(32, 8)), "badInvitation");
  equal(await accounts.find(EVE), undefined);
});

accountsTest("an invitation ends at its time", async (accounts) => {
  await accounts.addInvitation(invitation({ usesLeft: 2, expires: NOW }));
  deepEqual((await accounts.findInvitation(CODE, NOW - 1))?.expires, NOW);
  equal(await accounts.findInvitation(CODE, NOW), undefined);
  equal(await registered(accounts, ANN, CODE), "badInvitation");
  equal(await registered(accounts, ANN), "registered");
  equal(await accounts.findInvitation(CODE, NOW - 1), undefined);
});

accountsTest("an invitation for one person lets in nobody else", async (accounts) => {
  await accounts.addInvitation(invitation({ usesLeft: 1, handle: ANN }));
  equal(await registered(accounts, EVE, CODE), "badInvitation");
  equal(await registered(accounts, ANN, CODE), "registered");
  equal(await registered(accounts, ANN, CODE), "badInvitation");
});

accountsTest("a name that is taken uses up no invitation", async (accounts) => {
  await registered(accounts, ANN);
  await accounts.addInvitation(invitation({ usesLeft: 1 }));
  equal(await registered(accounts, ANN, CODE), "nameTaken");
  equal(await registered(accounts, BEN, CODE), "registered");
});

accountsTest(
  "an account without a password gets one by its own invitation, and stays what it was",
  async (accounts) => {
    await registered(accounts, ANN);
    await registered(accounts, BEN);
    await accounts.setKeys(BEN, { keys: keys(1), expected: undefined, recovery: octets(96, 9) });
    equal(await accounts.setPasswordRecord(BEN, undefined), true);
    const before = await accounts.find(BEN);
    equal(before?.passwordRecord, undefined);
    equal(await registered(accounts, BEN), "nameTaken");
    await accounts.addInvitation(invitation({ usesLeft: 1 }));
    equal(await registered(accounts, BEN, CODE), "nameTaken");
    const own = octets(32, 8);
    await accounts.addInvitation({ ...invitation({ usesLeft: 1, handle: BEN }), codeHash: own });
    const outcome = await accounts.register({ handle: BEN, passwordRecord: record(9), now: NOW + 5 }, own);
    deepEqual(outcome, { kind: "registered", account: { ...before, passwordRecord: record(9) } });
    equal(await registered(accounts, BEN, own), "badInvitation");
  },
);

accountsTest("a person's invitation gives no new password while an old one fits", async (accounts) => {
  await registered(accounts, ANN);
  await accounts.addInvitation(invitation({ usesLeft: 1, handle: ANN }));
  equal(await registered(accounts, ANN, CODE), "nameTaken");
  deepEqual((await accounts.find(ANN))?.passwordRecord, record(1));
});

accountsTest("of several invitations for one person the last one counts", async (accounts) => {
  await accounts.addInvitation(invitation({ usesLeft: 1, handle: ANN }));
  const second = octets(32, 8);
  await accounts.addInvitation({ ...invitation({ usesLeft: 1, handle: ANN }), codeHash: second });
  equal(await accounts.findInvitation(CODE, NOW), undefined);
  equal((await accounts.findInvitation(second, NOW))?.handle, ANN);
});

accountsTest("keys are replaced only where they are as expected", async (accounts) => {
  await registered(accounts, ANN);
  const set = (next: Keys, expected: Keys | undefined, recovery?: Bytes) =>
    accounts.setKeys(ANN, { keys: next, expected, recovery });
  equal(await set(keys(1), keys(2)), false);
  equal(await set(keys(1), undefined, octets(96, 1)), true);
  equal(await set(keys(2), undefined), false);
  for (const part of ["identity", "list", "signature"] as const) {
    equal(await set(keys(2), { ...keys(1), [part]: keys(3)[part] }), false);
  }
  equal(await set(keys(2), keys(1)), true);
  const account = await accounts.find(ANN);
  deepEqual(account?.keys, keys(2));
  deepEqual(account?.recovery, octets(96, 1));
  equal(await accounts.setKeys(EVE, { keys: keys(1), expected: undefined, recovery: undefined }), false);
});

accountsTest("a password is replaced only where it is as expected, or whatever it is", async (accounts) => {
  await registered(accounts, ANN);
  const set = (next: Bytes | undefined, expected: Bytes | undefined) =>
    accounts.setPasswordRecord(ANN, next, { expected });
  const stored = async () => (await accounts.find(ANN))?.passwordRecord;
  equal(await set(record(2), record(3)), false);
  equal(await set(record(2), undefined), false);
  deepEqual(await stored(), record(1));
  equal(await set(record(2), record(1)), true);
  deepEqual(await stored(), record(2));
  equal(await accounts.setPasswordRecord(ANN, undefined), true);
  equal(await set(record(3), record(2)), false);
  equal(await stored(), undefined);
  equal(await set(record(3), undefined), true);
  equal(await accounts.setPasswordRecord(EVE, record(1), { expected: undefined }), false);
});

accountsTest("what concerns an account that is gone is told", async (accounts) => {
  equal(await accounts.setPasswordRecord(ANN, record(1)), false);
  equal(await accounts.setStanding(ANN, "disabled"), false);
  equal(await accounts.remove(ANN), false);
});

accountsTest("the setup is made once, even when it is asked for twice at once", async (accounts) => {
  let fill = 0;
  const make = () => Promise.resolve(octets(128, ++fill));
  const [one, two] = await Promise.all([accounts.opaqueSetup(make), accounts.opaqueSetup(make)]);
  deepEqual(one, two);
  deepEqual(await accounts.opaqueSetup(unwanted), one);
});

folderTest("attack 22: the database's files are readable by their owner only", async (folder) => {
  const accounts = await openAccountDatabase(`${folder}/data`);
  await registered(accounts, ANN);
  equal(await modeOf(`${folder}/data`), 0o700);
  deepEqual(await namesIn(`${folder}/data`), [
    "accounts.db",
    "accounts.db-shm",
    "accounts.db-wal",
    "accounts.db.lock",
  ]);
  for (const name of await namesIn(`${folder}/data`)) {
    equal(await modeOf(`${folder}/data/${name}`), 0o600, name);
  }
  accounts.close();
});

folderTest("attack 22: a database that others can reach is refused", async (folder) => {
  (await openAccountDatabase(folder)).close();
  const path = `${folder}/accounts.db`;
  await Deno.chmod(path, 0o640);
  const message = `Cannot use the accounts in ${path}: others on this machine can reach it (mode 0640); ` +
    `run: chmod 600 ${path}`;
  await rejects(openAccountDatabase(folder), { name: "Failure", exit: "config", message });
  await Deno.chmod(path, 0o600);
  await Deno.writeTextFile(`${path}-wal`, "", { mode: 0o644 });
  await rejects(openAccountDatabase(folder), { exit: "config", message: /accounts\.db-wal$/ });
});

folderTest(
  "attack 22: nothing of a removed, reset or changed password is left in the files",
  async (folder) => {
    const accounts = await openAccountDatabase(folder);
    const people = Array.from({ length: 60 }, (_, at) => handle(`n${at}`));
    for (const [at, person] of people.entries()) {
      await accounts.register({ handle: person, passwordRecord: random(192, at), now: NOW }, undefined);
      await accounts.setKeys(person, {
        keys: keys(1, at * 60),
        expected: undefined,
        recovery: random(96, at),
      });
    }
    for (const [at, person] of people.entries()) {
      if (at % 4 === 0) await accounts.remove(person);
      if (at % 4 === 1) await accounts.setPasswordRecord(person, undefined);
      if (at % 4 === 2) await accounts.setPasswordRecord(person, random(192, at + 1_000));
    }
    const kept = await filesIn(folder);
    for (const [at] of people.entries()) {
      equal(holds(kept, random(192, at)), at % 4 === 3, `record ${at}`);
      equal(holds(kept, random(96, at)), at % 4 !== 0, `blob ${at}`);
    }
    accounts.close();
  },
);

folderTest("a damaged database is told in one sentence, and stays as it is", async (folder) => {
  const accounts = await openAccountDatabase(folder);
  for (let at = 0; at < 50; at++) await registered(accounts, handle(`n${at}`));
  accounts.close();
  const path = `${folder}/accounts.db`;
  const whole = await Deno.readFile(path);
  const holed = whole.slice().fill(0x55, 4_096, 4_400);
  for (const octets of [new TextEncoder().encode("hello ".repeat(500)), whole.slice(0, 9_000), holed]) {
    await Deno.writeFile(path, octets);
    await rejects(openAccountDatabase(folder), {
      name: "Failure",
      exit: "data",
      message: `Cannot use the accounts in ${path}: the file is damaged; put back your copy of it.`,
    });
    deepEqual(await Deno.readFile(path), octets);
  }
});

folderTest("a row that no release has written is told as damage", async (folder) => {
  const accounts = await openAccountDatabase(folder);
  await registered(accounts, ANN);
  for (const change of ["role = 'king'", "password_record = x'00'", "handle = 'Ann'"]) {
    altered(folder, `PRAGMA foreign_keys = OFF; UPDATE accounts SET ${change}`);
    await rejects(accounts.list(), { name: "Failure", exit: "data", message: /the file is damaged/ }, change);
    altered(folder, "PRAGMA foreign_keys = OFF; UPDATE accounts SET role = 'owner', password_record = NULL");
  }
  accounts.close();
});

folderTest("another program's database is refused and left alone", async (folder) => {
  const path = `${folder}/accounts.db`;
  await Deno.writeFile(path, new Uint8Array(0), { mode: 0o600 });
  altered(folder, "CREATE TABLE notes (text TEXT)");
  const before = await Deno.readFile(path);
  await rejects(openAccountDatabase(folder), {
    exit: "data",
    message: `Cannot use the accounts in ${path}: the file is another program's; move it away, or choose ` +
      "another folder with --data-dir.",
  });
  deepEqual(await Deno.readFile(path), before);
});

folderTest("a database of a newer release is refused and left alone", async (folder) => {
  (await openAccountDatabase(folder)).close();
  const path = `${folder}/accounts.db`;
  altered(folder, "PRAGMA user_version = 7");
  const before = await Deno.readFile(path);
  await rejects(openAccountDatabase(folder), {
    exit: "config",
    message: `Cannot use the accounts in ${path}: a newer release wrote it (format 7); run that one.`,
  });
  deepEqual(await Deno.readFile(path), before);
});

folderTest(
  "attack 29: a database that another program keeps locked is told, and nothing is half done",
  async (folder) => {
    const accounts = await openAccountDatabase(folder);
    const other = new DatabaseSync(`${folder}/accounts.db`);
    other.exec("BEGIN IMMEDIATE");
    await rejects(accounts.register({ handle: ANN, passwordRecord: record(1), now: NOW }, undefined), {
      name: "Failure",
      exit: "temporary",
      message:
        `Cannot use the accounts in ${folder}/accounts.db: another program keeps it locked; end that ` +
        "one, or try again.",
    });
    // Whoever only reads does not wait.
    equal(await accounts.find(ANN), undefined);
    other.exec("ROLLBACK");
    other.close();
    equal(await registered(accounts, ANN), "registered");
    accounts.close();
  },
);

folderTest("attack 29: a full disk is told, and nothing is half done", async (folder) => {
  const accounts = await openAccountDatabase(folder);
  await registered(accounts, ANN);
  accounts.close();
  altered(
    folder,
    "CREATE TRIGGER full AFTER INSERT ON accounts BEGIN SELECT raise(ABORT, 'database or disk is full'); END",
  );
  const again = await openAccountDatabase(folder);
  await rejects(again.register({ handle: BEN, passwordRecord: record(1), now: NOW }, undefined), {
    exit: "cannotCreate",
    message: `Cannot use the accounts in ${folder}/accounts.db: the disk is full; make room.`,
  });
  equal(await again.isTaken(BEN), false);
  again.close();
});

folderTest("a folder that cannot be made or written is told in one sentence", async (folder) => {
  await Deno.writeTextFile(`${folder}/file`, "");
  await rejects(openAccountDatabase(`${folder}/file/data`), {
    name: "Failure",
    exit: "cannotCreate",
    message: /^Cannot write to the data folder .*\/file\/data: .*; choose another with --data-dir\.$/,
  });
  await rejects(openAccountDatabase("/sys/sotto"), {
    exit: "cannotCreate",
    message: /^Cannot write to the data folder \/sys\/sotto: .*; choose another with --data-dir\.$/,
  });
});

folderTest("a folder in place of the database is told in one sentence", async (folder) => {
  await Deno.mkdir(`${folder}/accounts.db`, { mode: 0o700 });
  await rejects(openAccountDatabase(folder), {
    exit: "cannotCreate",
    message: /^Cannot use the accounts in .*\/accounts\.db: it cannot be written; make the file/,
  });
});

/** A test on an empty database. */
function accountsTest(name: string, body: (accounts: AccountDatabase) => Promise<void>): void {
  folderTest(name, async (folder) => {
    const accounts = await openAccountDatabase(folder);
    try {
      await body(accounts);
    } finally {
      accounts.close();
    }
  });
}

async function registered(accounts: AccountDatabase, person: Handle, codeHash?: Bytes): Promise<string> {
  const outcome = await accounts.register({ handle: person, passwordRecord: record(1), now: NOW }, codeHash);
  return outcome.kind;
}

/** Does with SQLite itself what no release of ours does. */
function altered(folder: string, sql: string): void {
  const database = new DatabaseSync(`${folder}/accounts.db`);
  database.exec(sql);
  database.close();
}

async function filesIn(folder: string): Promise<string> {
  const names = await namesIn(folder);
  ok(names.includes("accounts.db-wal"));
  const contents = await Promise.all(names.map((name) => Deno.readFile(`${folder}/${name}`)));
  return contents.map((content) => content.toHex()).join(" ");
}

/** Whether any sixteen octets of `secret`, at a multiple of sixteen, are in `files`. */
function holds(files: string, secret: Bytes): boolean {
  const pieces = Array.from({ length: secret.length / 16 }, (_, at) => secret.slice(at * 16, at * 16 + 16));
  return pieces.some((piece) => files.includes(piece.toHex()));
}

/** The same octets for the same seed, no others like them. */
function random(length: number, seed: number): Bytes {
  let state = seed + length * 7_919 + 1;
  return Uint8Array.from({ length }, () => {
    state = Math.imul(state ^ state >>> 15, 0x2c1b3c6d) + 0x297a2d39 | 0;
    return state >>> 24;
  });
}

function invitation(
  { usesLeft, expires = NOW + 1_000, handle }: { usesLeft: number; expires?: number; handle?: Handle },
): Invitation {
  return { codeHash: CODE, expires, usesLeft, handle };
}

function keys(fill: number, more = 0): Keys {
  return { identity: octets(32, fill), list: octets(100 + more, fill), signature: octets(64, fill) };
}

function record(fill: number): Bytes {
  return octets(192, fill);
}

function octets(length: number, fill: number): Bytes {
  return new Uint8Array(length).fill(fill);
}

function handle(text: string): Handle {
  const parsed = parseHandle(text);
  if (parsed === undefined) throw new Error(`${text} is no handle`);
  return parsed;
}

function unwanted(): never {
  throw new Error("a setup is made where one is there");
}
