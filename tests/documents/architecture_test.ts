import { deepEqual, equal, ok } from "node:assert/strict";
import { type Phase, receiveBytes, receiveMessage, tick } from "../../lib/session/phase.ts";
import { parseHandle } from "../../lib/text/handle.ts";
import { BEFORE_LOGIN_BYTES_MAX, LOGIN_MS_MAX } from "../../lib/wire/limits.ts";
import { encodeMessage, LOBBY } from "../../lib/wire/message.ts";
import { PLACES } from "../../tools/import_table.ts";
import { test } from "../sanitized.ts";
import { fenced, isThere, read, sources, tableRows } from "./markdown.ts";

const ARCHITECTURE = await read("ARCHITECTURE.md");

/** Shorter than this the document stays readable at one sitting. */
const LINES_MAX = 300;

/** What a cell of "may use" says in one word, as ARCHITECTURE.md explains above the table. */
const WORDS: Readonly<Record<string, readonly string[]>> = {
  nothing: [],
  base: ["lib/wire", "lib/text", "lib/crypto/port.ts"],
  parts: PLACES.map(({ path }) => bare(path))
    .filter((path) => path.startsWith("lib/") && path !== "lib/crypto"),
};

test("ARCHITECTURE.md stays below 300 lines", () => {
  ok(ARCHITECTURE.split("\n").length < LINES_MAX);
});

test("ARCHITECTURE.md's table of rooms is the import table that the lint rule enforces", () => {
  const written = tableRows(ARCHITECTURE, "room", "knows").map((row) => ({
    room: row[0] ?? "",
    mayUse: usable(row[0] ?? "", (row[3] ?? "").split(", ").flatMap((word) => WORDS[word] ?? [word])),
  }));
  const enforced = PLACES.map(({ path, mayUse }) => ({
    room: bare(path),
    mayUse: usable(bare(path), mayUse.map(bare)),
  }));
  deepEqual(written, enforced);
});

/** Each state diagram: its title, the file of its machine, and the name of the type that lists its states. */
const MACHINES = [
  { title: "channel", file: "lib/secure/channel.ts", type: "State" },
  { title: "link", file: "lib/secure/link.ts", type: "Phase" },
  { title: "session", file: "lib/session/phase.ts", type: "Phase" },
  { title: "view", file: "lib/client/view.ts", type: "View" },
] as const;

for (const { title, file, type } of MACHINES) {
  test(`the states in ARCHITECTURE.md's diagram of the ${title} are those of ${file}`, async () => {
    const states = new Set(arrows(title).flatMap(({ from, to }) => [from, to]));
    states.delete("[*]");
    const declared = new RegExp(`^(?:export )?type ${type} =\n(?:.+\n)+`, "m").exec(await read(file))?.[0] ??
      "";
    const kinds = Array.from(declared.matchAll(/\bkind: "(\w+)"/g), ([, kind]) => kind);
    deepEqual([...states].sort(), kinds.sort());
  });

  test(`each arrow of the ${title}'s diagram names a function of its source`, async () => {
    const text = Array.from((await sources("lib")).values()).join("\n");
    for (const { label } of arrows(title)) {
      const [symbol = ""] = label.split(/,? /);
      ok(new RegExp(`\\b${symbol}\\b`).test(text), `${symbol} of "${label}"`);
    }
  });
}

test("a session goes from state to state as its diagram says", () => {
  const drawn = new Set(arrows("session").map(({ from, to }) => `${from} ${to}`));
  const name = parseHandle("ann");
  ok(name !== undefined);
  const join = encodeMessage({ type: "join", room: LOBBY, name });
  const send = encodeMessage({ type: "send", room: LOBBY, id: new Uint8Array(16), text: "hello" });
  const phases: readonly Phase[] = [
    { kind: "awaitingJoin", since: 0, bytes: 0 },
    { kind: "ready" },
    { kind: "leaving" },
  ];
  const seen = new Set<string>();
  for (const phase of phases) {
    const steps = [
      receiveBytes(phase, BEFORE_LOGIN_BYTES_MAX + 1),
      tick(phase, LOGIN_MS_MAX),
      ...[join, send, Uint8Array.of(0xff)].map((bytes) => receiveMessage(phase, bytes)),
    ];
    for (const step of steps) {
      if (step.phase.kind !== phase.kind) seen.add(`${phase.kind} ${step.phase.kind}`);
    }
  }
  // What the rules answer to a join is not for the phase to know: the session takes that step.
  deepEqual([...drawn].sort(), [...seen, "[*] awaitingJoin", "awaitingJoin ready"].sort());
});

test("every folder of tests has a row in ARCHITECTURE.md, and every row its folder", async () => {
  const written = tableRows(ARCHITECTURE, "tests", "what they show").map(([folder = ""]) => folder);
  for (const folder of written) ok(await isThere(folder), folder);
  for (const file of (await sources("tests")).keys()) {
    const folder = /^(tests\/\w+)\/.*_test\.ts$/.exec(file)?.[1];
    if (folder !== undefined) ok(written.includes(folder), file);
  }
});

interface Arrow {
  readonly from: string;
  readonly to: string;
  readonly label: string;
}

/** The arrows of the diagram whose remark is `title`. */
function arrows(title: string): readonly Arrow[] {
  const diagrams = fenced(ARCHITECTURE, "mermaid").filter((diagram) => diagram.includes(`%% ${title}\n`));
  equal(diagrams.length, 1, `one diagram is that of the ${title}`);
  return Array.from(
    (diagrams[0] ?? "").matchAll(/^ *(\[\*\]|\w+) --> (\w+): (.+)$/gm),
    ([, from = "", to = "", label = ""]) => ({ from, to, label }),
  );
}

function bare(path: string): string {
  return path.replace(/\/$/, "");
}

/** A room's paths with its own, sorted. */
function usable(room: string, paths: readonly string[]): readonly string[] {
  return [...new Set([room, ...paths])].sort();
}
