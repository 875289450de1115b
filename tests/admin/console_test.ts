import assert from "node:assert/strict";
import {
  CONSOLE_LINES_MAX,
  type ConsoleLine,
  type ConsoleLobby,
  OPERATOR_NAME,
  runConsole,
} from "../../lib/admin/console.ts";
import type { Overheard, Saying } from "../../lib/chat/overheard.ts";
import { parseHandle } from "../../lib/text/handle.ts";
import { visible } from "../../lib/text/visible.ts";
import { TEXT_BYTES_MAX } from "../../lib/wire/limits.ts";
import { test } from "../sanitized.ts";

const ANN = parseHandle("ann") ?? assert.fail("ann is a handle");
const HELLO: Overheard = { kind: "said", time: 0, source: "member", name: "ann", text: "hello" };

/** A lobby that remembers what is said in it, and has happen what the test wants. */
class FakeLobby implements ConsoleLobby {
  readonly said: Saying[] = [];
  #listener: (event: Overheard) => void = () => {};

  overhear(listener: (event: Overheard) => void): () => void {
    this.#listener = listener;
    return () => {};
  }

  happen(event: Overheard): void {
    this.#listener(event);
  }

  say(saying: Saying): Promise<void> {
    this.said.push(saying);
    return Promise.resolve();
  }

  present(): readonly typeof ANN[] {
    return [ANN];
  }
}

test("what is said, and who comes from where and goes, is told in the client's form", async () => {
  const { printed } = await told([
    HELLO,
    { kind: "came", time: 1, name: ANN, address: "192.0.2.1:5000" },
    { kind: "went", time: 2, name: ANN },
    { kind: "said", time: 3, source: "console", name: OPERATOR_NAME, text: "one\n\ttwo" },
    { kind: "said", time: 4, source: "bridge", name: "ann", text: "over" },
    { kind: "guestCame", time: 5, name: "ann", address: "192.0.2.1:6000" },
    { kind: "guestWent", time: 6, name: "ann" },
  ]);
  assert.equal(
    printed,
    [
      "00:00:00 #lobby <ann> hello",
      "00:00:01 #lobby * ann joined from 192.0.2.1:5000",
      "00:00:02 #lobby * ann left",
      "00:00:03 #lobby <console> one",
      "        two",
      "00:00:04 #lobby <ann via bridge> over",
      "00:00:05 #lobby * ann via bridge joined from 192.0.2.1:6000",
      "00:00:06 #lobby * ann via bridge left",
      "",
    ].join("\n"),
  );
});

test("attack 31: nothing that anybody says makes the operator's terminal do something, or look like a line of others", async () => {
  const text = "a\u001b[2J\r\u0007\u009b\u202e\n12:00:00 #lobby <ben> yes";
  const { printed } = await told([
    { ...HELLO, text, name: "ev\u001b]8;;x" },
    { kind: "came", time: 0, name: ANN, address: "\u001b[2J" },
  ]);
  for (const line of printed.split("\n")) assert.equal(visible(line), line);
  assert.equal(printed.split("\n").filter((line) => line.startsWith("12:")).length, 0);
});

test("lines typed are said as the operator, as they are", async () => {
  const { lobby, outcome } = await typed(["hello", "  two  blanks ", "//etc/hosts", "", "   ", "exit now"]);
  assert.equal(outcome, "inputEnded");
  const texts = ["hello", "  two  blanks ", "/etc/hosts", "exit now"];
  assert.deepEqual(lobby.said, texts.map((text) => ({ source: "console", name: OPERATOR_NAME, text })));
});

test("exit, quit() and /quit end the server, and what follows is not said", async () => {
  for (const word of ["exit", "quit()", "/quit", " /quit ", "/exit"]) {
    const { lobby, outcome } = await typed(["hello", word, "too late"]);
    assert.equal(outcome, "quit", word);
    assert.deepEqual(lobby.said.map(({ text }) => text), ["hello"]);
  }
});

test("/users tells who is here, and what cannot be done or said is told in a sentence", async () => {
  const { lobby, printed } = await typed([
    "/users",
    "/usres",
    "x".repeat(TEXT_BYTES_MAX + 1),
    { kind: "fault", fault: "notUtf8" },
    "x".repeat(TEXT_BYTES_MAX),
  ]);
  assert.deepEqual(printed.split("\n"), [
    "#lobby * here: ann",
    "Cannot do /usres: there is no such command; the console has /users and /quit",
    "Cannot say that: it is longer than 8192 octets; say it in parts",
    "Cannot read a line of the input: it is too long or not UTF-8; write it anew",
    "",
  ]);
  assert.equal(lobby.said.length, 1);
});

test("a console that nobody reads does not hold up the lobby, and tells later how many lines it dropped", async () => {
  const lobby = new FakeLobby();
  const gate = Promise.withResolvers<void>();
  const written: string[] = [];
  const console = runConsole(lobby, {
    input: linesOf([]),
    write: async (text) => {
      written.push(text);
      await gate.promise;
    },
    clock,
  });
  for (let count = 0; count < CONSOLE_LINES_MAX + 11; count++) lobby.happen(HELLO);
  assert.equal(written.length, 1);
  gate.resolve();
  await console;
  await turn();
  const lines = written.join("").split("\n");
  assert.equal(lines.filter((line) => line.endsWith("hello")).length, CONSOLE_LINES_MAX + 1);
  assert.match(lines.at(-2) ?? "", /^#lobby \* 10 lines were not shown: nobody read the console$/);
});

test("a console whose reader has gone is written to no more, and lines typed are still said", async () => {
  const lobby = new FakeLobby();
  let attempts = 0;
  const console = runConsole(lobby, {
    input: linesOf(["/users", "hello", "/users"]),
    write: () => {
      attempts++;
      return Promise.reject(new Deno.errors.BrokenPipe("gone"));
    },
    clock,
  });
  assert.equal(await console, "inputEnded");
  lobby.happen(HELLO);
  await turn();
  assert.equal(attempts, 1);
  assert.equal(lobby.said.length, 1);
});

async function told(events: readonly Overheard[]): Promise<{ printed: string }> {
  const lobby = new FakeLobby();
  let printed = "";
  const write = (text: string) => Promise.resolve(void (printed += text));
  await runConsole(lobby, { input: linesOf([]), write, clock });
  for (const event of events) lobby.happen(event);
  await turn();
  return { printed };
}

async function typed(
  lines: readonly (string | ConsoleLine)[],
): Promise<{ lobby: FakeLobby; outcome: "quit" | "inputEnded"; printed: string }> {
  const lobby = new FakeLobby();
  let printed = "";
  const write = (text: string) => Promise.resolve(void (printed += text));
  const outcome = await runConsole(lobby, { input: linesOf(lines), write, clock });
  await turn();
  return { lobby, outcome, printed };
}

async function* linesOf(lines: readonly (string | ConsoleLine)[]): AsyncGenerator<ConsoleLine> {
  for (const line of lines) {
    yield await Promise.resolve(typeof line === "string" ? { kind: "line", text: line } as const : line);
  }
}

function clock(time: number): string {
  return `00:00:0${time}`;
}

/** A turn of the event loop. */
function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 1));
}
