/**
 * `deno task scenarios`: runs the scenario tests and makes docs/scenarios.md of what they tell: their names, and what the
 * programs in them said. What differs from run to run is told by placeholders.
 *
 * @module
 */

import * as v from "valibot";
import { run } from "./child.ts";
import { testArguments } from "./permissions.ts";
import { sourceFiles } from "./source_files.ts";

/** The page. */
export const SCENARIOS_PAGE = "docs/scenarios.md";

/** Where the tests are. */
export const SCENARIOS_FOLDER = "tests/scenarios";

/** What names the file to which the tests tell, a line of JSON each; they tell nothing where it is not set. */
export const SCENARIOS_VARIABLE = "SOTTO_WRITE_SCENARIOS";

const TOLD_FILE = ".sotto/scenarios.jsonl";

const ToldScenarioSchema = v.strictObject({
  /** The test's file, from the checkout. */
  file: v.string(),
  /** The test's name. */
  name: v.string(),
  /** What was to be seen, piece by piece. */
  shown: v.array(v.strictObject({ title: v.string(), lines: v.array(v.string()) })),
  /** How programs ended that did not end well, and their last words. */
  endings: v.array(v.strictObject({ program: v.string(), code: v.number(), sentence: v.string() })),
});

/** What one scenario tells. */
export type ToldScenario = v.InferOutput<typeof ToldScenarioSchema>;

/** What differs from run to run, and what stands for it. */
const PLACEHOLDERS: readonly (readonly [RegExp, string])[] = [
  [/\b\d\d:\d\d:\d\d\b/g, "HH:MM:SS"],
  [/sotto:\/\/[^/\s]+\/[\w-]+(?:\?[\w=&-]+)?/g, "sotto://HOST:PORT/KEY?code=CODE"],
  [/SHA256:[A-Za-z0-9+/]{43}/g, "SHA256:…"],
  [/((?:127\.0\.0\.1|0\.0\.0\.0|localhost|\[::1\]):)\d+/g, "$1PORT"],
  [/\bport \d+/g, "port PORT"],
  [/(?:[0-9A-Z]{4}-){7}[0-9A-Z]{4}/g, "RECOVERY-CODE"],
  [/\/\S*\/sotto_scenario_[0-9a-f]+/g, "FOLDER"],
];

const HEAD = `# Scenarios

Stories that the tests tell with the real programs over real sockets, and what people read in them: the errors above all,
each with its exit code. \`deno task scenarios\` makes this page of the tests in \`${SCENARIOS_FOLDER}/\`, so it is not written by
hand. \`HH:MM:SS\`, \`PORT\`, \`FOLDER\` and the like stand for what is different each time.`;

if (import.meta.main) await main();

async function main(): Promise<void> {
  await Deno.mkdir(".sotto", { recursive: true });
  await Deno.writeTextFile(TOLD_FILE, "");
  const deno = Deno.execPath();
  const { code, output } = await run(deno, testArguments(deno, [`${SCENARIOS_FOLDER}/`]), {
    env: { [SCENARIOS_VARIABLE]: TOLD_FILE },
    shown: true,
  });
  if (code !== 0 || output.includes("[skipped: python")) {
    console.error(`Cannot write ${SCENARIOS_PAGE}: a scenario failed or was left out; see above.`);
    Deno.exit(1);
  }
  const told = (await Deno.readTextFile(TOLD_FILE)).trim().split("\n").map((line) =>
    v.parse(ToldScenarioSchema, JSON.parse(line))
  );
  const titles = new Map<string, string>();
  for (const file of await sourceFiles([SCENARIOS_FOLDER])) {
    titles.set(file, titleIn(await Deno.readTextFile(file)));
  }
  await Deno.writeTextFile(SCENARIOS_PAGE, scenariosPage(told, titles));
  await Deno.remove(TOLD_FILE);
}

/** The page of what was told; `titles` say of each file what it is about. */
export function scenariosPage(told: readonly ToldScenario[], titles: ReadonlyMap<string, string>): string {
  const files = Array.from(new Set(told.map(({ file }) => file))).sort();
  const sections = files.map((file) => {
    const own = told.filter((scenario) => scenario.file === file);
    return [`## ${titles.get(file) ?? file}`, `[${file}](../${file})`, ...own.map(scenarioText)].join("\n\n");
  });
  return `${[HEAD, ...sections].join("\n\n")}\n`;
}

/** `line` as it is in every run. */
export function withPlaceholders(line: string): string {
  return PLACEHOLDERS.reduce((text, [pattern, placeholder]) => text.replaceAll(pattern, placeholder), line);
}

function scenarioText({ name, shown, endings }: ToldScenario): string {
  const pieces = shown.map(({ title, lines }) =>
    `${title}:\n\n\`\`\`text\n${lines.map(withPlaceholders).join("\n")}\n\`\`\``
  );
  const ends = endings.map(({ program, code, sentence }) =>
    `- ${program} ends with ${code}: ${codeSpan(withPlaceholders(sentence))}`
  );
  const unique = Array.from(new Set(ends));
  return [`### ${escaped(name)}`, ...pieces, ...(unique.length === 0 ? [] : [unique.join("\n")])].join(
    "\n\n",
  );
}

function codeSpan(text: string): string {
  return text.includes("\`") ? `\`\` ${text} \`\`` : `\`${text}\``;
}

/** What a name may have that Markdown would take for its own. */
function escaped(name: string): string {
  return name.replaceAll(/[\\`*_<>[\]]/g, (character) => `\\${character}`);
}

/** The first sentence of a module's docstring. */
function titleIn(source: string): string {
  const [, text = ""] = /^\/\*\*\n((?: \*.*\n)+?) \*\n/.exec(source) ?? [];
  const [sentence = ""] = text.replaceAll(/^ \* ?/gm, "").replaceAll("\n", " ").split(/[.:;] /);
  return sentence.replace(/[.:;]? *$/, "");
}
