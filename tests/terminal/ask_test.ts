import { deepEqual, equal } from "node:assert/strict";
import { ask, askYesNo } from "../../lib/terminal/ask.ts";
import { test } from "../sanitized.ts";
import { settled, terminal } from "./terminal.ts";

test("an answer is the line, and question and answer stay on the screen", async () => {
  const { keys, screen, io } = terminal();
  const answer = ask("Two lines\nName: ", io);
  keys.write(" an\x7f\x7fben \r");
  equal(await answer, "ben");
  deepEqual(screen.rows, ["Two lines", "Name: ben", ""]);
});

test("an answer that is not to stay is seen while it is typed, and then gone", async () => {
  const { keys, screen, io } = terminal();
  const answer = ask("Code: ", io, { keep: false });
  keys.write("ABCD");
  await settled();
  deepEqual(screen.rows, ["Code: ABCD"]);
  keys.write("\r");
  equal(await answer, "ABCD");
  deepEqual(screen.rows, ["Code:", ""]);
});

test("what stands before a question is broken by us, at blanks", async () => {
  const { keys, screen, io } = terminal(20);
  const answer = ask("What is asked here is a long story\nName: ", io);
  keys.write("ben\r");
  await answer;
  deepEqual(screen.rows, ["What is asked here", "    is a long story", "Name: ben", ""]);
});

test("questions come one after the other", async () => {
  const { keys, screen, io } = terminal(20);
  for (
    const [question, typed] of [["Host? ", "localhost"], ["Port? ", "8443"], [
      "Name? ",
      "a very long name that wraps",
    ]]
  ) {
    const answer = ask(question ?? "", io);
    keys.write(`${typed}\r`);
    equal(await answer, typed);
  }
  deepEqual(screen.rows, ["Host? localhost", "Port? 8443", "Name? a very long na", "me that wraps", ""]);
});

test("what is typed ahead answers the next question", async () => {
  for (const typed of ["localhost\r8443\r", "localhost\r\n8443\r\n", "localhost\n8443\n"]) {
    const { keys, io } = terminal();
    keys.write(typed);
    equal(await ask("Host? ", io), "localhost");
    equal(await ask("Port? ", io), "8443");
  }
});

test("Ctrl-C, Ctrl-D and a keyboard that goes away are no answer", async () => {
  for (const key of ["\x03", "\x04", undefined]) {
    const { keys, screen, io } = terminal();
    const answer = ask("Name: ", io);
    if (key === undefined) keys.end("");
    else keys.write(key);
    equal(await answer, undefined);
    deepEqual(screen.rows, ["Name:", ""]);
  }
});

test("what a keyboard leaves unfinished when it goes away is no answer, and no later question waits for it", async () => {
  for (const goes of ["ends", "fails"]) {
    const { keys, screen, io } = terminal();
    const answer = ask("Sure? ", io);
    keys.write("yes");
    await settled();
    if (goes === "ends") keys.end();
    else keys.destroy(new Error("hung up"));
    equal(await answer, undefined);
    equal(await ask("Name: ", io), undefined);
    deepEqual(screen.rows, ["Sure?", "Name:", ""]);
  }
});

test("yes or no is asked until it is said; where it must be in full, a letter is not enough", async () => {
  const cases:
    readonly (readonly [typed: readonly string[], inFull: boolean, answer: boolean | undefined])[] = [
      [["y"], false, true],
      [["N"], false, false],
      [["", "maybe", "YES"], false, true],
      [["y", "n", "yes"], true, true],
      [["no"], true, false],
      [["y", "\x03"], true, undefined],
    ];
  for (const [typed, inFull, answer] of cases) {
    const { keys, io } = terminal();
    const asked = askYesNo("Trust it? ", io, { inFull });
    for (const text of typed) {
      keys.write(text === "\x03" ? text : `${text}\r`);
      await settled();
    }
    equal(await asked, answer);
  }
});

test("attack 31: a question with a peer's text, and a pasted answer, show nothing but text", async () => {
  const { keys, screen, io } = terminal();
  const answer = ask("Host key \x1b[2J\x9b\r says: ", io);
  keys.write("a\x9b2Jb\u202e\r");
  await answer;
  deepEqual(screen.rows, ["Host key ␛[2J⟨U+009B⟩␍ says: a⟨U+009B⟩2Jb⟨U+202E⟩", ""]);
});
