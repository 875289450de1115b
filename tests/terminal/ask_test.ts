import { deepEqual, equal } from "node:assert/strict";
import { PassThrough } from "node:stream";
import { ask, askYesNo } from "../../lib/terminal/ask.ts";
import { test } from "../sanitized.ts";
import { Screen } from "./screen.ts";

function terminal(columns = 60) {
  const keys = Object.assign(new PassThrough(), { isTTY: true });
  const screen = new Screen(columns);
  return {
    keys,
    screen,
    io: {
      keys,
      columns: () => columns,
      write: (text: string) => screen.write(text),
    },
  };
}

test("an answer is the line, and question and answer stay on the screen", async () => {
  const { keys, screen, io } = terminal();
  const answer = ask("Two lines\nName: ", io);
  keys.write(" an\x7f\x7fben \r");
  equal(await answer, "ben");
  deepEqual(screen.rows, ["Two lines", "Name: ben", ""]);
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
      for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setTimeout(resolve, 0));
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
