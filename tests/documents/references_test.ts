import { deepEqual, equal, ok } from "node:assert/strict";
import * as v from "valibot";
import { readReasons } from "../../tools/test_report.ts";
import { test } from "../sanitized.ts";
import { codeMarks, isThere, read, sources, tableRows } from "./markdown.ts";

const DOCUMENTS = ["README.md", "ARCHITECTURE.md", "SECURITY.md", "CONTRIBUTING.md", "CHANGELOG.md"] as const;

/** The target of a link, without the place in it. */
const LINK = /\]\(([^)#\s]+)/g;

const Configuration = v.object({ version: v.string(), tasks: v.record(v.string(), v.unknown()) });
const configuration = v.parse(Configuration, JSON.parse(await read("deno.json")));

const everySource = await sources("lib", "tools", "tests", "server.ts", "client.ts");
const product = Array.from(everySource).filter(([file]) => !file.startsWith("tests/"));

for (const document of DOCUMENTS) {
  const text = await read(document);
  const marks = codeMarks(text);

  test(`every link of ${document} into this repository leads to something`, async () => {
    for (const [, target = ""] of text.matchAll(LINK)) {
      if (!target.includes("://")) ok(await isThere(target), target);
    }
  });

  test(`every file that ${document} names is there`, async () => {
    const paths = marks.filter((mark) => /^(?:lib|tools|tests|docs|examples|\.ci)\/[\w./]+$/.test(mark));
    for (const path of paths) ok(await isThere(path), path);
  });

  test(`every task that ${document} names is in deno.json`, () => {
    for (const mark of marks) {
      const task = /^deno task ([a-z]+)/.exec(mark)?.[1];
      if (task !== undefined) ok(task in configuration.tasks, mark);
    }
  });

  test(`every symbol that ${document} names is in the sources`, () => {
    const symbols = [...everySource.values()].join("\n");
    for (const mark of marks) {
      const symbol = /^(?:[A-Z]\w*\.)?#?([A-Za-z]\w*[A-Z_]\w*)(?:\(\))?$/.exec(mark)?.[1];
      if (symbol !== undefined) ok(new RegExp(`\\b${symbol}\\b`).test(symbols), mark);
    }
  });

  test(`every limit that ${document} gives with its number has that number`, () => {
    const code = product.map(([, source]) => source).join("\n");
    for (const mark of marks) {
      const [, name, written = ""] = /^([A-Z][A-Z0-9_]+) = ([0-9,]+)$/.exec(mark) ?? [];
      if (name === undefined) continue;
      const value = new RegExp(`^(?:export )?const ${name} = ([0-9_]+);$`, "m").exec(code)?.[1];
      equal(written.replaceAll(",", ""), value?.replaceAll("_", ""), name);
    }
  });
}

test("every clause of PROTOCOL.md that the product names is there", async () => {
  const headings = (await read("PROTOCOL.md")).matchAll(/^#+ (\d+(?:\.\d+)*)\.? /gm);
  const clauses = new Set(Array.from(headings, ([, clause]) => clause));
  for (const [file, source] of product) {
    for (const [, clause] of source.matchAll(/PROTOCOL §(\d+(?:\.\d+)*)/g)) {
      ok(clauses.has(clause), `§${clause}, named in ${file}`);
    }
  }
});

test("CHANGELOG.md's newest release is the version of deno.json", async () => {
  const [, newest] = /^## \[(\d[^\]]*)\]/m.exec(await read("CHANGELOG.md")) ?? [];
  equal(newest, configuration.version);
});

/** The reasons for which tests are left out, as their sources give them. */
const reasons = new Set(
  Array.from(everySource).filter(([file]) =>
    file.startsWith("tests/") && !file.startsWith("tests/documents/")
  )
    .flatMap(([, source]) => [
      ...source.matchAll(/^(?:export )?const (?:MISSING|NOT)_\w+ = "([^"]+)";$/gm),
      ...source.matchAll(/\bskipped\([^,()]+, "([^"]+)"/g),
    ])
    .map(([, reason = ""]) => reason),
);

test("CONTRIBUTING.md lists the reasons for which a test may be left out, and no others", async () => {
  const written = tableRows(await read("CONTRIBUTING.md"), "reason", "where").map(([reason = ""]) => reason);
  deepEqual([...written].sort(), [...reasons].sort());
});

test("every reason that CI allows is one that a test gives", async () => {
  const inSteps = (await read("tools/ci.ts")).matchAll(/^const NOT?_\w+ = "([^"]+)";$/gm);
  const allowed = [
    ...readReasons(await read(".ci/allowed_skips")),
    ...Array.from(inSteps, ([, reason = ""]) => reason),
  ];
  for (const reason of allowed) ok([...reasons].some((given) => given.startsWith(reason)), reason);
});
