/**
 * People, as they see it in terminals: from an empty disk to accounts, devices that come and go, another password and the
 * end of an account. Each program has an environment of TERM, PATH and a home; what is typed in secret is looked for in all
 * that was ever written to a terminal, and in the system's list of programs.
 *
 * @module
 */

import { deepEqual, equal, match, ok } from "node:assert/strict";
import { type Stage, terminalTest } from "./executables.ts";
import { announcement, start } from "./launch.ts";
import { answer, becomeNew, shell, type ShellOpening, shows, TIME, withoutSpaces } from "./terminals.ts";
import type { Pane } from "./tmux.ts";

/** Distinct from what any other program on this machine may have in its arguments. */
const PASSWORDS = {
  ann: `ann's secret of ${Deno.pid}`,
  ben: `ben's secret of ${Deno.pid}`,
  benLater: `ben's later secret of ${Deno.pid}`,
};

/** What empties a screen by what every shell has. */
const CLEAR = String.raw`printf '\033[H\033[J'`;

const NARROW = { columns: 20, rows: 40 };

/** A server under way in a shell, whose home its operator shares. */
interface House {
  readonly stage: Stage;
  readonly server: Pane;
  readonly operator: Pane;
  readonly address: string;
  readonly firstInvitation: string;
}

terminalTest("people come from nothing, by invitation, and have devices that come and go", async (stage) => {
  const house = await openHouse(stage);
  const { operator, address } = house;

  const ann = await recordedShell(stage, "ann");
  await ann.enter(`sotto chat '${house.firstInvitation}'`);
  await answer(ann, "Your name here:", "ann");
  const recoveryCode = await becomeNew(ann, PASSWORDS.ann);
  await ann.foot("ann #lobby>");

  const invitation = await invite(operator);
  const ben = await recordedShell(stage, "ben");
  await ben.enter("sotto chat -");
  await answer(ben, "Invitation:", invitation);
  await answer(ben, "Your name here:", "ben");
  await becomeNew(ben, PASSWORDS.ben);
  await ben.row(new RegExp(`^${TIME} \\* here: ben, ann$`));
  await ann.enter("Who goes there?");
  await shows([ann, ben], "ann", "Who goes there?");
  await ben.enter("It is me");
  await shows([ann, ben], "ben", "It is me");

  const used = await shell(stage, "cleo");
  await used.enter(`sotto chat '${invitation}' --user cleo`);
  await answer(used, "Password:", "a password of cleo");
  await used.until(
    "that it is used up",
    (rows) => whole(rows).includes("the invitation is missing, used up"),
  );
  await endedWith(used, 77);

  await ann.enter("/quit");
  await endedWith(ann, 0);
  await ann.enter(`${CLEAR}; sotto chat ${address} --user ann`);
  await ann.row(new RegExp(`^${TIME} \\* here: ann, ben$`));
  ok(!(await ann.screen()).some((row) => row.includes("Password")), "its key is enough");

  const tablet = await comeByApproval({ ...house, ann });
  await ben.row(/^\* ann has a new device: "tablet"$/);
  const phone = await comeByRecovery(house, recoveryCode);
  await ben.row(/^\* ann has a new device: "phone"$/);
  await phone.enter("From my phone");
  await shows([ann, ben, tablet], "ann", "From my phone");

  await ann.enter("/devices");
  const day = String.raw`\d{4}-\d\d-\d\d`;
  await ann.row(new RegExp(`^ *"${Deno.build.os}" since ${day}, this one$`));
  for (const name of ["tablet", "phone"]) await ann.row(new RegExp(`^ *"${name}" since ${day}$`));

  await ann.enter("/revoke tablet");
  const [told_ms, out_ms] = await Promise.all([
    moment(ben.row(/^\* ann has revoked a device: "tablet"$/)),
    moment(tablet.until("that it is out", (rows) => whole(rows).includes(": this device was revoked; "))),
  ]);
  console.log(`a revoked device was out ${(out_ms - told_ms).toFixed(0)} ms after all were told`);
  ok(out_ms - told_ms < 1_000, `${out_ms - told_ms} ms`);
  await house.server.row(/ gone: closed by this server \(deviceRevoked\)/);
  await endedWith(tablet, 77);
  await ann.enter("Without the tablet");
  await shows([ann, ben, phone], "ann", "Without the tablet");
  await tablet.enter(`${CLEAR}; sotto chat ${address} --user ann`);
  await tablet.foot("(yes/no)");
  await tablet.enter("no");
  await endedWith(tablet, 77);

  const listed = await stage.tmux.run("ps -A -o args");
  // Other tests may have clients on this machine at the same time; of ours, these are left.
  const programs = listed.split("\n");
  ok(programs.includes("sotto chat -"), listed);
  deepEqual(
    programs.filter((line) => line.includes("sotto chat") && line.includes(address)).sort(),
    [`sotto chat ${address} --user ann`, `sotto chat ${address} --user ann --device phone`],
    listed,
  );
  await keptSecret(stage, { panes: [ann, ben, tablet, phone], listed, recoveryCode, invitation });
});

terminalTest("a password is changed, and an operator ends an account", async (stage) => {
  const { operator, address, firstInvitation } = await openHouse(stage);
  const ben = await recordedShell(stage, "ben");
  await ben.enter(`sotto chat '${firstInvitation}' --user ben`);
  await becomeNew(ben, PASSWORDS.ben);
  await ben.foot("ben #lobby>");

  const desk = await recordedShell(stage, "desk", { home: "ben" });
  await desk.enter(`sotto password ${address} --user ben`);
  await answer(desk, "Password:", "not it");
  await answer(desk, "try again\nPassword:", PASSWORDS.ben);
  await answer(desk, "New password:", PASSWORDS.benLater);
  await answer(desk, "The same again:", "a slip");
  await answer(desk, "type a new one\nNew password:", PASSWORDS.benLater);
  await answer(desk, "The same again:", PASSWORDS.benLater);
  await desk.row(/^The password of ben at 127\.0\.0\.1:\d+ is changed$/);
  await endedWith(desk, 0);

  const other = await recordedShell(stage, "other");
  await other.enter(`sotto chat '${firstInvitation.replace(/\?.*/, "")}' --user ben --device other`);
  await answer(other, "Password:", PASSWORDS.ben);
  await answer(other, "try again\nPassword:", PASSWORDS.benLater);
  await answer(other, "Number:", "1");
  await other.row(/^Now look at a device of yours/);

  await operator.enter(`${CLEAR}; sotto-server user list`);
  await operator.row(/^NAME +ROLE +STANDING +SINCE +PASSWORD +DEVICES$/);
  await operator.row(/^ben +owner +active +\S+ \S+ UTC +set +published$/);
  await operator.foot("$");
  await operator.enter("sotto-server user disable ben");
  await operator.row(/^disabled ben$/);
  for (const pane of [ben, other]) {
    await pane.until(
      "that the account is closed",
      (rows) =>
        whole(rows).includes("the account was disabled, banned or removed; ask the server's operator."),
    );
    await endedWith(pane, 77);
  }
  const listed = await stage.tmux.run("ps -A -o args");
  await keptSecret(stage, { panes: [ben, desk, other], listed });
});

terminalTest("a window of 20 columns takes in a newcomer", async (stage) => {
  const { firstInvitation } = await openHouse(stage);
  const ann = await recordedShell(stage, "ann", { size: NARROW });
  await ann.enter("sotto chat -");
  await answer(ann, "Invitation:", firstInvitation);
  await answer(ann, "Your name here:", "ann");
  await becomeNew(ann, PASSWORDS.ann);
  await ann.until("being in", (rows) => new RegExp(`${TIME} \\* here: ann `).test(whole(rows)));
  await ann.foot("#lobby>");
  await ann.enter("/whois ann");
  await ann.until("what is known", (rows) => whole(rows).includes("* ann: this is you"));
  await ann.enter("/quit");
  await endedWith(ann, 0);
  // The invitation has gone from the screen, and nothing has taken a row twice.
  const rows = await ann.history();
  for (const row of rows) ok(row.length <= NARROW.columns, row);
  equal(whole(rows).match(/Your name here:/g)?.length, 1, rows.join("\n"));
  ok(!withoutSpaces(rows.join("")).includes("?code="), rows.join("\n"));
  await keptSecret(stage, { panes: [ann], listed: "" });
});

terminalTest("people talk over TLS by invitations that carry its certificate", async (stage) => {
  const { executables, companions, folder } = stage;
  const args = ["--port=0", "--tls", "--registration=invite", `--data-dir=${folder}/server`];
  const program = start("the server", executables.server, { args, bare: true });
  companions.push(program);
  const { address } = await announcement(program);
  const invitation = await program.output.until(
    "its invitation",
    (line) => /^invitation (.+)$/.exec(line)?.[1],
  );
  match(invitation, /\?code=[\w-]{22}&tls=[\w-]{500,}$/);

  const ann = await recordedShell(stage, "ann");
  await ann.enter("sotto chat -");
  await answer(ann, "Invitation:", invitation);
  await answer(ann, "Your name here:", "ann");
  await becomeNew(ann, PASSWORDS.ann);
  await ann.foot("ann #lobby>");
  await ann.enter("Through two layers");
  await shows([ann], "ann", "Through two layers");
  await ann.enter("/quit");
  await endedWith(ann, 0);

  // What the invitation said is remembered.
  await ann.enter(`${CLEAR}; sotto chat ${address} --user ann`);
  await ann.foot("ann #lobby>");
  await ann.enter("Through both again");
  await shows([ann], "ann", "Through both again");

  const cleo = await shell(stage, "cleo");
  await cleo.enter(`sotto chat ${address} --user cleo`);
  await cleo.until(
    "that it is TLS",
    (rows) => whole(rows).includes("the server there expects TLS; add --tls"),
  );
  await endedWith(cleo, 76);
  await cleo.enter(`${CLEAR}; sotto chat ${address} --user cleo --tls-ca ${folder}/server/tls_cert.pem`);
  await answer(cleo, "Is it the same (yes/no)?", "no");
  await endedWith(cleo, 76);
});

terminalTest("a known host key that was altered stops a client before it logs in", async (stage) => {
  const { address, firstInvitation } = await openHouse(stage);
  const ann = await recordedShell(stage, "ann");
  await ann.enter(`sotto chat '${firstInvitation}' --user ann`);
  await becomeNew(ann, PASSWORDS.ann);
  await ann.foot("ann #lobby>");
  await ann.enter("/quit");
  await endedWith(ann, 0);

  const known = `${stage.folder}/ann/.config/sotto/known_hosts`;
  const [line = ""] = (await Deno.readTextFile(known)).split("\n");
  const key = line.replace(/.* /, "");
  const other = Uint8Array.fromBase64(key);
  other[31] = (other[31] ?? 0) ^ 1;
  await Deno.writeTextFile(known, `${line.replace(key, other.toBase64())}\n`);
  const altered = await Deno.readTextFile(known);
  await ann.enter(`${CLEAR}; sotto chat ${address} --user ann`);
  // The device's keys are kept by the host key, so it has none here.
  await answer(ann, "Password:", PASSWORDS.ann);
  await ann.until(
    "a hard stop",
    (rows) => whole(rows).includes(`Cannot trust ${address}: its host key is SHA256:`),
  );
  await endedWith(ann, 76);
  await ann.enter(`${CLEAR}; sotto chat '${firstInvitation}' --user ann`);
  await ann.until(
    "a hard stop",
    (rows) => whole(rows).includes("Cannot trust the invitation: it says that the host"),
  );
  await endedWith(ann, 76);
  equal(await Deno.readTextFile(known), altered);
  await keptSecret(stage, { panes: [ann], listed: "" });
});

terminalTest(
  "a server that wants a pre-shared key is silent, and whoever gave none is asked for it",
  async (stage) => {
    const key = "the grass is greener on the other side";
    await Deno.writeTextFile(`${stage.folder}/psk`, key, { mode: 0o600 });
    const server = await shell(stage, "server");
    await server.enter(`sotto-server --port 0 --psk-file ${stage.folder}/psk`);
    const address = await server.row(/^sotto-server listening on (127\.0\.0\.1:\d+)$/);
    const ann = await recordedShell(stage, "ann");
    await ann.enter(`sotto chat ${address} --user ann`);
    await answer(ann, "Pre-shared key (Enter if there is none):", "");
    await endedWith(ann, 76);
    await ann.enter(`${CLEAR}; sotto chat ${address} --user ann`);
    await answer(ann, "Pre-shared key (Enter if there is none):", key);
    await answer(ann, "Is it the same (yes/no)?", "yes");
    await becomeNew(ann, PASSWORDS.ann);
    await ann.foot("ann #lobby>");
    const record = withoutSpaces(await Deno.readTextFile(recordOf(stage.folder, "ann")));
    ok(!record.includes(withoutSpaces(key)), "the key was never on the screen");
  },
);

async function openHouse(stage: Stage): Promise<House> {
  const env = { XDG_DATA_HOME: `${stage.folder}/data` };
  const server = await shell(stage, "server", { env });
  await server.enter("sotto-server --port 0 --registration invite");
  const address = await server.row(/^sotto-server listening on (127\.0\.0\.1:\d+)$/);
  const firstInvitation = await printedInvitation(server);
  const operator = await shell(stage, "operator", { home: "server", env, size: { columns: 120, rows: 60 } });
  return { stage, server, operator, address, firstInvitation };
}

async function invite(operator: Pane): Promise<string> {
  await operator.enter(`${CLEAR}; sotto-server invite --qr`);
  await operator.row(/^good for 1 registration until \d{4}-\d\d-\d\d \d\d:\d\d UTC$/);
  await operator.until("the picture's end", (rows) => rows.at(-1) === "$");
  const picture = (await operator.screen()).filter((row) => /^[█▀▄ ]+$/.test(row));
  const [first = ""] = picture;
  ok(first.length > 30 && first.length < 80, `${first.length} columns`);
  deepEqual([...new Set(picture.slice(0, -1).map((row) => row.length))], [first.length]);
  return await printedInvitation(operator);
}

/** The invitation that was printed last: a shell's user copies it as one line, however wide the window is. */
async function printedInvitation(pane: Pane): Promise<string> {
  return await pane.until(
    "an invitation",
    (rows) => rows.findLast((row) => row.startsWith("invitation "))?.slice("invitation ".length),
    () => pane.history({ joined: true }),
  );
}

/** The second device shows words that the first one shows, too, and is let in. */
async function comeByApproval({ stage, address, ann }: House & { readonly ann: Pane }): Promise<Pane> {
  const tablet = await recordedShell(stage, "tablet");
  await tablet.enter(`sotto chat ${address} --user ann --device tablet`);
  await answer(tablet, "Is it the same (yes/no)?", "yes");
  await answer(tablet, "Password:", PASSWORDS.ann);
  await answer(tablet, "Number:", "1");
  const words = await tablet.until(
    "words",
    (rows) => /It shows these words:((?: [a-z]+){6}) Only/.exec(whole(rows))?.[1]?.trim(),
  );
  await ann.row(/^\* A device that calls itself "tablet" asks to be one of yours\./);
  equal(await ann.row(/^ +((?:[a-z]+ ){5}[a-z]+)$/), words);
  await ann.enter("/approve tablet");
  // A server could have had it approved by somebody else, who was shown other words.
  await answer(tablet, "before you approved this one there? (yes/no)", "yes");
  await tablet.foot("ann #lobby>");
  await tablet.enter("I am on the sofa");
  await shows([ann, tablet], "ann", "I am on the sofa");
  return tablet;
}

/** The third device is let in by the recovery code, written small and with blanks. */
async function comeByRecovery({ stage, address }: House, recoveryCode: string): Promise<Pane> {
  const phone = await recordedShell(stage, "phone");
  await phone.enter(`sotto chat ${address} --user ann --device phone`);
  await answer(phone, "Is it the same (yes/no)?", "yes");
  await answer(phone, "Password:", PASSWORDS.ann);
  await answer(phone, "Number:", "2");
  await answer(phone, "Recovery code:", "0000-0000");
  await phone.until("that it is not", (rows) => rows.length > 0 && whole(rows).includes("Recovery code:"));
  await answer(phone, "Recovery code:", recoveryCode.toLowerCase().replaceAll("-", " "));
  await phone.foot("ann #lobby>");
  ok(!whole(await phone.history()).includes(recoveryCode.toLowerCase().replaceAll("-", " ")));
  return phone;
}

/** What is typed in secret was written to no terminal, not even to be erased again, and is in no program's arguments. */
async function keptSecret(
  { folder }: Stage,
  { panes, listed, recoveryCode, invitation }: {
    readonly panes: readonly Pane[];
    readonly listed: string;
    readonly recoveryCode?: string;
    readonly invitation?: string;
  },
): Promise<void> {
  for (const pane of panes) {
    const record = withoutSpaces(await Deno.readTextFile(recordOf(folder, pane.name)));
    ok(record.length > 100, `${pane.name} was recorded`);
    for (const password of Object.values(PASSWORDS)) {
      for (const part of [password, password.slice(0, 8)]) {
        ok(!record.includes(withoutSpaces(part)), `${pane.name} shows ${part}`);
      }
    }
  }
  for (const secret of [...Object.values(PASSWORDS), recoveryCode, invitation]) {
    if (secret !== undefined) ok(!listed.includes(secret), `${secret} is an argument`);
  }
}

async function recordedShell(stage: Stage, name: string, opening: ShellOpening = {}): Promise<Pane> {
  const pane = await shell(stage, name, opening);
  await pane.record(recordOf(stage.folder, name));
  return pane;
}

function recordOf(folder: string, name: string): string {
  return `${folder}/${name}.record`;
}

/** Waits for the end of the program in a shell, and compares its exit code. */
async function endedWith(pane: Pane, code: number): Promise<void> {
  await pane.foot("$");
  await pane.enter("echo ended with $?");
  await pane.until("the exit code", (rows) => rows.at(-1) === "$" && rows.at(-2) === `ended with ${code}`);
}

/** When something was seen, by the clock of timers. */
async function moment(seen: Promise<unknown>): Promise<number> {
  await seen;
  return performance.now();
}

/** Rows that were broken at spaces, as one. */
function whole(rows: readonly string[]): string {
  return rows.map((row) => row.trim()).join(" ");
}
