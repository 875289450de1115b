/**
 * Finds modules that import each other in a circle, types included; neither the compiler nor the linter does.
 *
 * @module
 */

/** Which modules each module imports. */
export type ImportGraph = ReadonlyMap<string, readonly string[]>;

if (import.meta.main) await main(Deno.args);

/** Prints each circle that is reachable from the files given, and exits 1 where there is one. */
async function main(files: readonly string[]): Promise<void> {
  const graph = new Map<string, readonly string[]>();
  for (const file of files) {
    const url = new URL(file, `file://${Deno.cwd()}/`).href;
    if (!graph.has(url)) readInfo(await info(file), graph);
  }
  const circles = circularImports(graph);
  for (const circle of circles) {
    console.log(circle.map((url) => url.replace(`file://${Deno.cwd()}/`, "")).join(" > "));
  }
  if (circles.length > 0) Deno.exit(1);
}

/**
 * One circle for each import that leads back to a module from which it was reached; the first module stands
 * at the end again.
 *
 * ```ts
 * import { circularImports } from "./circular_imports.ts";
 * const circles = circularImports(new Map([["a", ["b"]], ["b", ["a"]]]));
 * console.assert(circles[0]?.join(" > ") === "a > b > a");
 * ```
 */
export function circularImports(graph: ImportGraph): readonly (readonly string[])[] {
  const circles: string[][] = [];
  const done = new Set<string>();
  const visit = (name: string, path: readonly string[]) => {
    const at = path.indexOf(name);
    if (at >= 0) circles.push([...path.slice(at), name]);
    if (at >= 0 || done.has(name)) return;
    for (const next of graph.get(name) ?? []) visit(next, [...path, name]);
    done.add(name);
  };
  for (const name of graph.keys()) visit(name, []);
  return circles;
}

async function info(file: string): Promise<unknown> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--frozen", "--json", file],
    stdin: "null",
  }).output();
  if (code !== 0) {
    throw new Error(`Cannot read the imports of ${file}: ${new TextDecoder().decode(stderr).trim()}`);
  }
  return JSON.parse(new TextDecoder().decode(stdout));
}

/** Adds the local modules in what `deno info --json` printed to `graph`. */
export function readInfo(printed: unknown, graph: Map<string, readonly string[]>): void {
  for (const module of list(member(printed, "modules"))) {
    const name = member(module, "specifier");
    if (typeof name !== "string" || !name.startsWith("file:")) continue;
    const imported = list(member(module, "dependencies"))
      .flatMap((
        each,
      ) => [member(member(each, "code"), "specifier"), member(member(each, "type"), "specifier")])
      .filter((each) => typeof each === "string")
      .filter((each) => each.startsWith("file:"));
    graph.set(name, [...new Set(imported)]);
  }
}

function member(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null
    ? Object.entries(value).find(([key]) => key === name)?.[1]
    : null;
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
