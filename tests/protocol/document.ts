/**
 * Reads PROTOCOL.md as data: its sections, its tables, and the named octets of its fenced `hex` blocks.
 *
 * @module
 */

import type { Bytes } from "../../lib/wire/bytes.ts";

/** The whole document. */
export const PROTOCOL: string = await Deno.readTextFile(new URL("../../PROTOCOL.md", import.meta.url));

/** The text of the section whose heading begins with `number`, subsections included: `section("5.1")`. */
export function section(number: string): string {
  const lines = PROTOCOL.split("\n");
  const start = lines.findIndex((line) => line.replace(/^#+ /, "").startsWith(`${number} `));
  const level = /^#+ /.exec(lines[start] ?? "")?.[0].length;
  if (level === undefined) throw new RangeError(`Cannot find section ${number}: no heading has that number`);
  const rest = lines.slice(start + 1);
  const end = rest.findIndex((line) => /^#+ /.test(line) && line.indexOf(" ") < level);
  return (end < 0 ? rest : rest.slice(0, end)).join("\n");
}

/** The rows of the table in `text` whose first heading is `first`, cells trimmed, code marks dropped. */
export function tableRows(text: string, first: string): readonly (readonly string[])[] {
  const lines = text.split("\n");
  const head = lines.findIndex((line) => cells(line)[0] === first);
  if (head < 0) throw new RangeError(`Cannot find a table: none begins with the heading ${first}`);
  const rest = lines.slice(head + 2);
  const end = rest.findIndex((line) => !line.startsWith("|"));
  return (end < 0 ? rest : rest.slice(0, end)).map(cells);
}

function cells(line: string): readonly string[] {
  if (!line.startsWith("|")) return [];
  return line.split("|").slice(1, -1).map((cell) => cell.trim().replaceAll("`", ""));
}

/** A number as the document writes it: `16,384`. */
export function number(text: string): number {
  if (!/^[0-9]{1,3}(?:,[0-9]{3})*$/.test(text)) throw new RangeError(`Cannot read ${text}: it is no number`);
  return Number(text.replaceAll(",", ""));
}

/** The contents of the fenced blocks in `text` of the language `language`. */
export function fenced(text: string, language: string): readonly string[] {
  return Array.from(text.matchAll(/^```(\w+)\n([^]*?)^```$/gm))
    .filter(([, info]) => info === language)
    .map(([, , content]) => content ?? "");
}

/** Octets by name, from the `hex` blocks of `document`: `name = hex`, gone on in indented lines; `#` begins a remark. */
export function namedOctets(document: string = PROTOCOL): ReadonlyMap<string, Bytes> {
  const digits = new Map<string, string>();
  for (const block of fenced(document, "hex")) {
    let current = "";
    for (const line of block.split("\n").map((line) => line.replace(/#.*$/, "").trimEnd())) {
      const [, name, value = ""] = /^(\S+) =(.*)$/.exec(line) ?? [];
      if (name !== undefined && digits.has(name)) {
        throw new RangeError(`Cannot read the document: it names ${name} twice`);
      }
      current = name ?? current;
      if (line !== "") digits.set(current, (digits.get(current) ?? "") + (name === undefined ? line : value));
    }
  }
  return new Map(Array.from(digits, ([name, hex]) => [name, Uint8Array.fromHex(hex.replace(/\s/g, ""))]));
}

/** The octets that the document gives as `name`. Throws a `RangeError` where it does not. */
export function octets(name: string): Bytes {
  const found = OCTETS.get(name);
  if (found === undefined) throw new RangeError(`Cannot find ${name}: no hex block of PROTOCOL.md names it`);
  return found;
}

/** All names of octets, in the order of the document. */
export function octetNames(): readonly string[] {
  return Array.from(OCTETS.keys());
}

const OCTETS = namedOctets();
