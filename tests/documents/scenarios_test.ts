import { deepEqual, ok } from "node:assert/strict";
import { SCENARIOS_FOLDER, SCENARIOS_PAGE, scenariosPage, withPlaceholders } from "../../tools/scenarios.ts";
import { test } from "../sanitized.ts";
import { read, sources } from "./markdown.ts";

/** A call that declares a scenario by a name; what the name varies by is a `${…}` in it. */
const DECLARATION = /\b\w*[sS]cenario\(\s*(?:"((?:[^"\\]|\\.)+)"|`((?:[^`\\]|\\.)+)`)/g;

test("the page of scenarios names those that the tests have, and no others", async () => {
  const page = namesOnPage(await read(SCENARIOS_PAGE));
  const files = Array.from(await sources(SCENARIOS_FOLDER)).filter(([file]) => file.endsWith("_test.ts"));
  for (const [file, source] of files) {
    const declared = declaredIn(source);
    const told = page.get(file) ?? [];
    for (const name of declared) {
      ok(told.some((each) => name.pattern.test(each)), `${remedy(file)}: it has no "${name.text}"`);
    }
    for (const name of told) {
      ok(declared.some(({ pattern }) => pattern.test(name)), `${remedy(file)}: it has an old "${name}"`);
    }
    page.delete(file);
  }
  deepEqual([...page.keys()], [], "files that are gone");
});

test("what differs from run to run has a placeholder, and the page is made of the rest", () => {
  const line =
    "12:00:01 Cannot reach 127.0.0.1:40123 by sotto://[::1]:1/AAAA_-?code=BB-_ or port 77: see /tmp/x/sotto_scenario_0af1/b";
  const told = {
    file: "tests/scenarios/a_test.ts",
    name: "a name with `marks`",
    shown: [{ title: "ann sees", lines: [line] }],
    endings: [{ program: "ann", code: 69, sentence: "Cannot run: try `deno upgrade`" }],
  };
  const without =
    "HH:MM:SS Cannot reach 127.0.0.1:PORT by sotto://HOST:PORT/KEY?code=CODE or port PORT: see FOLDER/b";
  deepEqual(withPlaceholders(line), without);
  const page = scenariosPage([told], new Map([[told.file, "A title"]]));
  ok(
    page.includes(
      "## A title\n\n[tests/scenarios/a_test.ts](../tests/scenarios/a_test.ts)\n\n### a name with \\`marks\\`",
    ),
  );
  ok(
    page.includes(
      `ann sees:\n\n\`\`\`text\n${without}\n\`\`\`\n\n- ann ends with 69: \`\` Cannot run: try \`deno upgrade\` \`\``,
    ),
  );
});

function remedy(file: string): string {
  return `${SCENARIOS_PAGE} is not of ${file} as it is now; run deno task scenarios`;
}

/** The names on the page, by file. */
function namesOnPage(page: string): Map<string, string[]> {
  const names = new Map<string, string[]>();
  let file = "";
  for (const line of page.split("\n")) {
    file = /^\[(\S+)\]\(\.\.\/\1\)$/.exec(line)?.[1] ?? file;
    const name = /^### (.*)$/.exec(line)?.[1]?.replaceAll(/\\(.)/g, "$1");
    if (name !== undefined) names.set(file, [...names.get(file) ?? [], name]);
  }
  return names;
}

function declaredIn(source: string): readonly { readonly text: string; readonly pattern: RegExp }[] {
  return Array.from(source.matchAll(DECLARATION), ([, plain, varied = ""]) => {
    const text = (plain ?? varied).replaceAll(/\\(.)/g, "$1");
    const parts = plain === undefined ? varied.split(/\$\{[^}]*\}/) : [plain];
    const pattern = parts.map((part) => RegExp.escape(part.replaceAll(/\\(.)/g, "$1"))).join(".*");
    return { text, pattern: new RegExp(`^${pattern}$`) };
  });
}
