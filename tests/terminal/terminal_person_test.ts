import { deepEqual, doesNotMatch, equal, match, rejects } from "node:assert/strict";
import { TerminalPerson } from "../../lib/terminal/terminal_person.ts";
import { test } from "../sanitized.ts";
import { settled, terminal } from "./terminal.ts";

const NOTHING = { password: undefined, newPassword: undefined } as const;

/** Somebody who has typed `keys` ahead, at a screen of 80 columns. */
function typing(keys: string, said: ConstructorParameters<typeof TerminalPerson>[1] = NOTHING) {
  const made = terminal(80);
  made.keys.write(keys);
  return { person: new TerminalPerson(made.io, said), screen: made.screen };
}

test("a password is asked for and not shown; an empty one is asked for again", async () => {
  const { person, screen } = typing("\rsecret\r");
  equal(await person.password(undefined), "secret");
  deepEqual(screen.rows, ["Password:", "It is empty; type one, or Ctrl-C to end", "Password:", ""]);
});

test("what was wrong with a password is told before the next question", async () => {
  const { person, screen } = typing("secret\r");
  equal(await person.password("Cannot log in as ann: it is wrong; try again"), "secret");
  deepEqual(screen.rows, ["Cannot log in as ann: it is wrong; try again", "Password:", ""]);
});

test("a password that was said beforehand is not asked for, unless it is wrong", async () => {
  const { person, screen } = typing("typed\r", { password: "said", newPassword: "next" });
  equal(await person.password(undefined), "said");
  equal(await person.passwordAgain("said"), "said");
  equal(await person.newPassword(), "next");
  equal(screen.written, "");
  equal(await person.password("It is wrong"), "typed");
});

test("the password of a new account is asked for once more, whatever it turns out to be", async () => {
  const { person, screen } = typing("secrte\r");
  equal(await person.passwordAgain("secret"), "secrte");
  doesNotMatch(screen.written, /secr/);
});

test("a keyboard that goes in the middle of the second password ends the question, and every later one", async () => {
  for (const how of ["Ctrl-C", "end", "failure"]) {
    const { keys, io } = terminal(80);
    const person = new TerminalPerson(io, NOTHING);
    keys.write("secret\r");
    equal(await person.password(undefined), "secret");
    const again = person.passwordAgain("secret");
    keys.write("sec");
    await settled();
    if (how === "Ctrl-C") keys.write("\x03");
    else if (how === "end") keys.end();
    else keys.destroy(new Error("hung up"));
    equal(await again, undefined, how);
    if (how === "Ctrl-C") continue;
    equal(await person.password("Once more"), undefined, how);
    equal(await person.anotherName("Once more"), undefined, how);
  }
});

test("a new password is asked for until it is twice the same", async () => {
  const { person, screen } = typing("one\rtwo\rone\rone\r");
  equal(await person.newPassword(), "one");
  deepEqual(screen.rows, [
    "New password:",
    "The same again:",
    "The two are not the same; type a new one",
    "New password:",
    "The same again:",
    "",
  ]);
  equal(await typing("one\r\x03").person.newPassword(), undefined);
});

test("another name is asked for until it is one", async () => {
  const { person, screen } = typing("Ann\r\rann2\r");
  equal(await person.anotherName("The name ann is taken here; choose another"), "ann2");
  const rows = screen.rows.join("\n");
  match(
    rows,
    /^The name ann is taken here; choose another\nYour name here: Ann\nCannot use "Ann" as a name: /,
  );
  match(rows, /\nYour name here: ann2\n$/);
  equal(await typing("\x04").person.anotherName("It is taken"), undefined);
});

test("a way to enrol is chosen by its number among those there are", async () => {
  const cases = [
    ["1\r", true, "approval"],
    ["2\r", true, "recovery"],
    ["3\r", true, "newIdentity"],
    ["2\r", false, "newIdentity"],
    ["recovery\r0\r4\r2\r", true, "recovery"],
    ["\x03", true, undefined],
  ] as const;
  for (const [keys, hasRecovery, way] of cases) {
    const { person, screen } = typing(keys);
    equal(await person.enrolmentWay({ hasRecovery }), way);
    equal(screen.rows.some((row) => row.includes("recovery code")), hasRecovery);
  }
});

test("yes and no count in full only", async () => {
  const cases = [["y\ryes\r", true], ["n\rno\r", false], ["\x03", false]] as const;
  for (const [keys, answer] of cases) {
    const { person, screen } = typing(keys);
    equal(await person.confirm("Is it so?"), answer);
    equal(screen.rows[0], "Is it so?");
  }
});

test("a recovery code is not left on the screen by whoever types it", async () => {
  const { person, screen } = typing("ABCD-EFGH\r");
  equal(await person.recoveryCode("That is no recovery code"), "ABCD-EFGH");
  deepEqual(screen.rows, ["That is no recovery code", "Recovery code:", ""]);
});

test("a new recovery code is shown until Enter says that it is written down", async () => {
  const { keys, screen, io } = terminal(80);
  let written = false;
  const shown = new TerminalPerson(io, NOTHING).showRecoveryCode("ABCD-EFGH").then(() => written = true);
  await settled();
  equal(screen.rows.filter((row) => row === "  ABCD-EFGH").length, 1);
  equal(written, false);
  keys.write("\r");
  await shown;
});

test("a new recovery code that nobody says is written down is an end, and no beginning of a conversation", async () => {
  const { person } = typing("\x03");
  await rejects(person.showRecoveryCode("ABCD-EFGH"), /nobody says that the recovery code was written down/);
});

test("approval words are shown in rows, and sentences broken for the screen", async () => {
  const { person, screen } = typing("");
  await person.showApprovalWords("one two three four five six".split(" "));
  equal(screen.rows[1], "  one two three four five six");
  await person.tell(`${"word ".repeat(20)}end`);
  for (const row of screen.rows) equal(row.length <= 80, true);
  equal(screen.rows.at(-1), "");
});

test("attack 31: nothing that is told moves the cursor", async () => {
  const hostile = "a\x1b[2J\x9b\rb\u202e";
  const spelled = "a␛[2J⟨U+009B⟩␍b⟨U+202E⟩";
  const { person, screen } = typing("x\rann\ryes\rcode\r\r");
  await person.tell(hostile);
  await person.showApprovalWords([hostile]);
  await person.password(hostile);
  await person.anotherName(hostile);
  await person.confirm(hostile);
  await person.recoveryCode(hostile);
  await person.showRecoveryCode(hostile);
  // The screen refuses any control but ours.
  equal(screen.rows.join("\n").split(spelled).length - 1, 7);
});
