import { deepEqual, doesNotMatch, equal, rejects } from "node:assert/strict";
import { PassThrough } from "node:stream";
import { ask } from "../../lib/terminal/ask.ts";
import { askHidden } from "../../lib/terminal/ask_hidden.ts";
import { test } from "../sanitized.ts";
import { settled, terminal } from "./terminal.ts";

test("what is typed in answer to a hidden question is never written, not even as dots", async () => {
  const { keys, screen, io } = terminal();
  const answer = askHidden("First a line.\nPassword: ", io);
  for (const key of "correct horse\x1b[D\x1b[C\t你\x7f") {
    keys.write(key);
    await settled();
  }
  equal(screen.written, "First a line.\r\nPassword: ");
  keys.write("\r");
  equal(await answer, "correct horse\t");
  equal(screen.written, "First a line.\r\nPassword: \r\n");
});

test("a hidden answer is exact, blanks at its ends included, and may be edited", async () => {
  const cases = [
    ["  two blanks  \r", "  two blanks  "],
    ["wrong\x15right\r", "right"],
    ["abd\x7fc\r", "abc"],
    ["b\x1b[Da\r", "ab"],
    ["\r", ""],
    ["Grüße\n", "Grüße"],
  ];
  for (const [typed, expected] of cases) {
    const { keys, io } = terminal();
    const answer = askHidden("Password: ", io);
    keys.write(typed);
    equal(await answer, expected);
  }
});

test("Ctrl-C, Ctrl-D, and a keyboard that ends or fails are no hidden answer", async () => {
  for (const key of ["\x03", "\x04", "end", "fail"]) {
    const { keys, screen, io } = terminal();
    const answer = askHidden("Password: ", io);
    await settled();
    keys.write("typed so far");
    // Ctrl-D ends an empty line only.
    if (key === "\x04") keys.write("\x15");
    if (key === "end") keys.end("");
    else if (key === "fail") keys.destroy(new Error("hung up"));
    else keys.write(key);
    equal(await answer, undefined);
    deepEqual(screen.rows, ["Password:", ""]);
  }
});

test("Ctrl-Z does nothing", async () => {
  const { keys, io } = terminal();
  const answer = askHidden("Password: ", io);
  keys.write("a\x1ab\r");
  equal(await answer, "ab");
});

test("no key brings a hidden answer back, there or in the next question", async () => {
  const { keys, screen, io } = terminal();
  keys.write("secret\r\x1b[A\r");
  equal(await askHidden("Password: ", io), "secret");
  equal(await askHidden("Again: ", io), "");
  // Up, and Ctrl-Y, which puts in what was cut.
  keys.write("secret\x15\r\x1b[A\x19\r");
  equal(await askHidden("Once more: ", io), "");
  equal(await ask("Name: ", io), "");
  doesNotMatch(screen.written, /secret/);
});

test("what is typed ahead answers the next question, hidden or not", async () => {
  const { keys, screen, io } = terminal();
  keys.write("ann\rsecret\rsecret\ryes\r");
  equal(await ask("Name: ", io), "ann");
  equal(await askHidden("Password: ", io), "secret");
  equal(await askHidden("Again: ", io), "secret");
  equal(await ask("Sure? ", io), "yes");
  deepEqual(screen.rows, ["Name: ann", "Password:", "Again:", "Sure? yes", ""]);
});

test("the terminal's own echo is off before the question is seen", async () => {
  const keys = Object.assign(new PassThrough(), {
    isTTY: true,
    raw: false,
    setRawMode(raw: boolean) {
      this.raw = raw;
    },
  });
  const seen: boolean[] = [];
  const answer = askHidden("Password: ", {
    keys,
    columns: () => 80,
    write: () => Promise.resolve(void seen.push(keys.raw)),
  });
  await settled();
  keys.write("x\r");
  await answer;
  // The last write is the line's end.
  deepEqual(seen, [true, false]);
});

test("a screen that fails ends the question with its failure", async () => {
  const { keys } = terminal();
  const write = () => Promise.reject(new Error("no screen"));
  await rejects(askHidden("Password: ", { keys, columns: () => 80, write }), /no screen/);
});

test("attack 31: a hidden question with a peer's text shows nothing but text", async () => {
  const { keys, screen, io } = terminal();
  const answer = askHidden("It says \x1b[2J\x9b\r\nPassword: ", io);
  keys.write("\r");
  await answer;
  deepEqual(screen.rows, ["It says ␛[2J⟨U+009B⟩", "Password:", ""]);
});
