/**
 * Reads this repository's documents as data: their tables, fenced blocks and code marks; and its sources as text,
 * to compare them with.
 *
 * @module
 */

import { sourceFiles } from "../../tools/source_files.ts";

const ROOT = new URL("../../", import.meta.url);

/** The text of a file of the checkout. */
export function read(path: string): Promise<string> {
  return Deno.readTextFile(new URL(path, ROOT));
}

/** Whether a file or folder of the checkout is there. */
export async function isThere(path: string): Promise<boolean> {
  try {
    await Deno.stat(new URL(path, ROOT));
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** The TypeScript files at and below `paths` of the checkout, each with its text. */
export async function sources(...paths: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const root = decodeURIComponent(ROOT.pathname);
  const files = (await sourceFiles(paths.map((path) => root + path))).map((file) => file.slice(root.length));
  return new Map(await Promise.all(files.map(async (file) => [file, await read(file)] as const)));
}

/**
 * The rows of every table of `document` whose headings begin with `headings`, cells trimmed, code marks dropped.
 * Throws a `RangeError` where there is no such table.
 */
export function tableRows(document: string, ...headings: readonly string[]): readonly (readonly string[])[] {
  const lines = document.split("\n").map(cells);
  const rows: (readonly string[])[] = [];
  let found = false;
  for (const [at, line] of lines.entries()) {
    if (!headings.every((heading, column) => line[column] === heading)) continue;
    found = true;
    const rest = lines.slice(at + 2);
    const end = rest.findIndex((row) => row.length === 0);
    rows.push(...(end < 0 ? rest : rest.slice(0, end)));
  }
  if (!found) throw new RangeError(`Cannot find a table: none has the headings ${headings.join(", ")}`);
  return rows;
}

function cells(line: string): readonly string[] {
  if (!line.startsWith("|")) return [];
  return line.split("|").slice(1, -1).map((cell) => cell.trim().replaceAll("`", ""));
}

/** The contents of the fenced blocks of `document` whose language is `language`. */
export function fenced(document: string, language: string): readonly string[] {
  return Array.from(document.matchAll(/^```(\w+)\n([^]*?)^```$/gm))
    .filter(([, info]) => info === language)
    .map(([, , content]) => content ?? "");
}

/** What stands in code marks within lines of `document`, fenced blocks left out. */
export function codeMarks(document: string): readonly string[] {
  const prose = document.replace(/^```[^]*?^```$/gm, "");
  return Array.from(prose.matchAll(/`([^`\n]+)`/g), ([, marked]) => marked ?? "");
}
