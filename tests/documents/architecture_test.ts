import { deepEqual, equal, ok } from "node:assert/strict";
import { isStranger, MAY_COME, type Phase, receiveBytes, tick } from "../../lib/session/phase.ts";
import { BEFORE_LOGIN_BYTES_MAX, LOGIN_MS_MAX } from "../../lib/wire/limits.ts";
import { PLACES } from "../../tools/import_table.ts";
import { test } from "../sanitized.ts";
import { codeMarks, fenced, isThere, read, sources, tableRows } from "./markdown.ts";

const ARCHITECTURE = await read("ARCHITECTURE.md");

/** Shorter than this the document stays readable at one sitting. */
const LINES_MAX = 400;

/** What a cell of "may use" says in one word, as ARCHITECTURE.md explains above the table. */
const WORDS: Readonly<Record<string, readonly string[]>> = {
  nothing: [],
  base: ["lib/wire", "lib/text", "lib/crypto/port.ts"],
  parts: PLACES.map(({ path }) => bare(path))
    .filter((path) => path.startsWith("lib/") && path !== "lib/crypto"),
};

test("ARCHITECTURE.md stays below 400 lines", () => {
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
  { title: "desk", file: "lib/login/server_login.ts", type: "Stage" },
  { title: "following", file: "lib/client/room.ts", type: "Following" },
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

/** One of each phase of a session. */
const PHASES: Readonly<Record<Phase["kind"], Phase>> = {
  login: { kind: "login", since: 0, bytes: 0 },
  entering: { kind: "entering", since: 0, bytes: 0 },
  password: { kind: "password" },
  device: { kind: "device" },
  leaving: { kind: "leaving" },
};

test("a session leaves by its octets or the time where its diagram says so, and nowhere else", () => {
  const drawn = arrows("session").filter(({ label }) => /^receiveBytes or tick\b/.test(label));
  const leaving = Object.values(PHASES).filter((phase) => {
    const isOver = receiveBytes(phase, BEFORE_LOGIN_BYTES_MAX + 1).kind === "drop";
    equal(tick(phase, LOGIN_MS_MAX).kind === "late", isOver);
    equal(isStranger(phase), isOver);
    return isOver;
  });
  deepEqual(drawn.map(({ from, to }) => [from, to]), leaving.map(({ kind }) => [kind, "leaving"]));
});

test("a session goes on by those messages that may come where its diagram has them", () => {
  const types = new Set(Object.values(MAY_COME).flat());
  for (const type of types) {
    const drawn = arrows("session").filter(({ label }) => label.split(" ", 1)[0] === type);
    for (const { from } of drawn) {
      const phase = Object.values(PHASES).find(({ kind }) => kind === from);
      ok(phase !== undefined && MAY_COME[phase.kind].includes(type), `${type} in ${from}`);
    }
  }
  // Whoever has entered is in by what they logged in by, and in no other way.
  const entries = arrows("session").filter(({ from }) => from === "entering").map(({ to }) => to);
  deepEqual(entries.sort(), ["device", "leaving", "password"]);
});

test("ARCHITECTURE.md is right that nothing but lib/store names node:sqlite", async () => {
  for (const [file, text] of await sources("lib", "server.ts", "client.ts")) {
    if (/["']node:sqlite["']/.test(text)) ok(file.startsWith("lib/store/"), file);
  }
});

test("every folder of tests mirrors one of lib, or is told of in ARCHITECTURE.md", async () => {
  const told = new Set(codeMarks(ARCHITECTURE).filter((mark) => /^tests\/\w+$/.test(mark)));
  for (const folder of told) ok(await isThere(folder), folder);
  for (const file of (await sources("tests")).keys()) {
    const folder = /^(tests\/\w+)\/.*_test\.ts$/.exec(file)?.[1];
    if (folder === undefined) continue;
    ok(told.has(folder) || await isThere(folder.replace("tests/", "lib/")), file);
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
