import { deepEqual, equal, match, ok } from "node:assert/strict";
import fc from "npm:fast-check@4.10.2";
import { COMMANDS, helpLines, parseLine } from "../../lib/client/commands.ts";
import { visible } from "../../lib/text/visible.ts";
import { TEXT_BYTES_MAX } from "../../lib/wire/limits.ts";
import { check } from "../properties.ts";
import { test } from "../sanitized.ts";

test("a line is a message, as it was typed", () => {
  for (const text of ["hello", "  indented ", " /help", "exit now", "quit", "say quit()", "a /quit"]) {
    deepEqual(parseLine(text), { kind: "send", text });
  }
});

test("a line of white space asks for nothing", () => {
  for (const line of ["", " ", "\t \u3000"]) deepEqual(parseLine(line), { kind: "nothing" });
  deepEqual(parseLine("// ").kind, "send");
});

test("every word of the table is its command, and two bare lines end", () => {
  for (const { name, aliases, args } of COMMANDS) {
    for (const word of [name, ...aliases]) {
      const command = parseLine(args === "" ? `/${word}  ` : `/${word} ben `);
      equal(command.kind, name);
    }
  }
  for (const line of ["exit", "quit()", " exit "]) deepEqual(parseLine(line), { kind: "quit" });
  const words = COMMANDS.flatMap(({ name, aliases }) => [name, ...aliases]);
  equal(new Set(words).size, words.length);
});

test("a device has the name that was typed, blanks, quotation marks and all", () => {
  for (const name of ["approve", "revoke"]) {
    for (const typed of ["my old phone", " my old phone ", '"my old phone"']) {
      deepEqual(parseLine(`/${name} ${typed}`), { kind: name, name: "my old phone" });
    }
    deepEqual(parseLine(`/${name} "my" phone`), { kind: name, name: '"my" phone' });
  }
  deepEqual(parseLine("/nick Zoë O’Neill"), { kind: "nick", display: "Zoë O’Neill" });
  deepEqual(parseLine("/nick"), { kind: "nick", display: "" });
});

test("a person is one word, with or without an @", () => {
  for (const name of ["whois", "verify", "accept"]) {
    deepEqual(parseLine(`/${name} @ben`), { kind: name, handle: "ben" });
    deepEqual(parseLine(`/${name} ben`), { kind: name, handle: "ben" });
  }
});

test("a command without what it needs says what to write", () => {
  const cases = [
    ["/approve", "Cannot do /approve: NAME is missing; write /approve NAME"],
    ["/whois ", "Cannot do /whois: NAME is missing; write /whois NAME"],
    ["/verify ben and cara", "Cannot do /verify: NAME is one word; write /verify NAME"],
    ["/devices all", "Cannot do /devices: nothing may follow it; write it alone"],
  ];
  for (const [line = "", sentence] of cases) deepEqual(parseLine(line), { kind: "refused", sentence });
});

test("two slashes stand for one", () => {
  deepEqual(parseLine("//quit"), { kind: "send", text: "/quit" });
  deepEqual(parseLine("///"), { kind: "send", text: "//" });
});

test("an unknown command sends nothing, and the nearest is suggested", () => {
  const cases: readonly (readonly [line: string, sentence: RegExp])[] = [
    ["/qiut", /^Cannot do \/qiut: .*did you mean \/quit\?$/],
    ["/hepl me", /did you mean \/help\?$/],
    ["/weather", /\/help lists the commands$/],
    ["/", /\/help lists the commands$/],
    ["/Quit", /did you mean \/quit\?$/],
    ["/quit now", /^Cannot do \/quit: nothing may follow it/],
  ];
  for (const [line, sentence] of cases) {
    const command = parseLine(line);
    ok(command.kind === "refused", line);
    match(command.sentence, sentence);
  }
});

test("a text may have as many octets as the protocol says, and not one more", () => {
  equal(parseLine("é".repeat(TEXT_BYTES_MAX / 2)).kind, "send");
  equal(parseLine(`/${"/".repeat(TEXT_BYTES_MAX)}`).kind, "send");
  deepEqual(parseLine("é".repeat(TEXT_BYTES_MAX / 2) + "x"), {
    kind: "refused",
    sentence: "Cannot send a message of 8,193 octets: it may have 8,192; send it in parts",
  });
});

test("help has a line for each command", () => {
  const lines = helpLines();
  equal(lines.length, COMMANDS.length + 2);
  for (const { name, help } of COMMANDS) {
    ok(lines.some((line) => line.startsWith(`/${name}`) && line.endsWith(help)));
  }
});

test("attack 31: a refusal repeats of any line only what can be shown, and little", async () => {
  await check(
    fc.property(fc.string({ unit: "binary", maxLength: 200 }), (rest) => {
      const command = parseLine(`/${rest}`);
      if (command.kind !== "refused") return;
      equal(visible(command.sentence), command.sentence);
      ok(command.sentence.length < 500);
    }),
  );
});
