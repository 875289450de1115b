import { deepEqual, ok } from "node:assert/strict";
import { COMMAND_GROUPS } from "../../lib/client/commands.ts";
import { requestExample, requestTypes } from "../../lib/client/request_schema.ts";
import { test } from "../sanitized.ts";
import { codeMarks, read, sources, tableRows } from "./markdown.ts";

const README = await read("README.md");

/** What JSON mode tells that is no event of the conversation. */
const BESIDES = ["fingerprint", "recoveryCode", "told"];

test("README lists every request of the JSON mode with the fields that it must have, and no others", () => {
  const rows = tableRows(README, "in: type", "fields");
  const listed = rows.flatMap(([types = "", fields = ""]) =>
    types.split(/[,;] /).map((type) => ({ type, fields }))
  );
  deepEqual(listed.map(({ type }) => type).sort(), [...requestTypes(), "fingerprint"].sort());
  for (const { type, fields } of listed) {
    const needed = Object.keys(JSON.parse(requestExample(type) ?? "{}")).filter((name) => name !== "type");
    for (const name of needed) ok(fields.split(/\W+/).includes(name), `${type}: ${name}`);
  }
});

test("README lists every event of the JSON mode, and no others", async () => {
  const source = await read("lib/client/event.ts");
  const events = source.slice(
    source.indexOf("export type ClientEvent"),
    source.indexOf("export interface RoomFacts"),
  );
  const types = Array.from(
    events.matchAll(/readonly type: "(\w+)"/g),
    ([, type = ""]) => type === "fault" ? "error" : type,
  );
  const listed = tableRows(README, "out: type", "fields").map(([type]) => type);
  deepEqual(listed.sort(), [...types, ...BESIDES].sort());
});

for (const document of ["README.md", "CHANGELOG.md"]) {
  test(`every command that ${document} names is one`, async () => {
    const known = new Set(
      COMMAND_GROUPS.flatMap(({ rows }) => rows.flatMap((row) => [row.name, ...row.aliases])),
    );
    for (const mark of codeMarks(await read(document))) {
      const name = /^\/([a-z?]+)(?= |$)/.exec(mark)?.[1];
      if (name !== undefined) ok(known.has(name), mark);
    }
  });

  test(`every flag that ${document} gives a program of this repository is one`, async () => {
    const config = Array.from((await sources("lib/config")).values()).join("\n");
    for (const mark of codeMarks(await read(document))) {
      for (const [, flag = ""] of mark.matchAll(/(?:^|\s)--([a-z][a-z-]+)/g)) {
        if (mark.startsWith("deno ") || ["help", "version"].includes(flag)) continue;
        const name = flag.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
        ok(new RegExp(`\\b${name}\\b`).test(config), mark);
      }
    }
  });
}
