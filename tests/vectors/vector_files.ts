/**
 * Reads published test vectors from the folder `shared/vectors` beside the checkout, where there is one, and
 * parses the two forms they come in.
 *
 * @module
 */

import * as v from "valibot";
import type { Bytes } from "../../lib/wire/bytes.ts";
import { skipped, test, type TestBody } from "../sanitized.ts";

/** Why a test over vectors is skipped. */
export const MISSING_VECTORS = "test vectors folder is missing";

const FOLDER = new URL("../../../shared/vectors/", import.meta.url);

/** Declares a test that reads vectors; skipped, and visibly so, where the whole folder is missing. */
export function vectorTest(name: string, body: TestBody): void {
  if (folderExists()) test(name, body);
  else skipped(name, MISSING_VECTORS);
}

function folderExists(): boolean {
  try {
    return Deno.statSync(FOLDER).isDirectory;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Octets written in hexadecimal; an empty string is no octets. */
export const hex = v.pipe(v.string(), v.transform((text): Bytes => Uint8Array.fromHex(text)));

/** What Wycheproof says of a case. */
export const result = v.picklist(["valid", "acceptable", "invalid"]);

/** A Wycheproof file whose groups are as `group` says; its count of cases is checked. */
export function wycheproof<Group>(
  group: v.GenericSchema<unknown, Group & { readonly tests: readonly unknown[] }>,
): v.GenericSchema<unknown, readonly Group[]> {
  return v.pipe(
    v.object({ numberOfTests: v.number(), testGroups: v.array(group) }),
    v.check(
      (file) => file.testGroups.reduce((sum, { tests }) => sum + tests.length, 0) === file.numberOfTests,
      "the file has another number of cases than it says",
    ),
    v.transform((file) => file.testGroups),
  );
}

/** The JSON file at `path` below the vectors' folder, as `schema` has it. */
export async function readJson<Output>(
  path: string,
  schema: v.GenericSchema<unknown, Output>,
): Promise<Output> {
  return v.parse(schema, JSON.parse(await Deno.readTextFile(new URL(path, FOLDER))));
}

/**
 * The cases of a text file at `path` of lines `NAME = value`, each as `schema` has it. A line named `first`
 * begins a case; comments and sections are passed over.
 */
export async function readLines<Output>(
  path: string,
  first: string,
  schema: v.GenericSchema<unknown, Output>,
): Promise<readonly Output[]> {
  const cases: Map<string, string>[] = [];
  for (const line of (await Deno.readTextFile(new URL(path, FOLDER))).split("\n")) {
    const [, name, value] = /^(\w+) =(.*)$/.exec(line) ?? [];
    if (name === undefined || value === undefined) continue;
    if (name === first) cases.push(new Map());
    cases.at(-1)?.set(name, value.trim());
  }
  return cases.map((fields) => v.parse(schema, Object.fromEntries(fields)));
}

/** Counts how cases ended, so that a test can state how many ran. */
export class Tally {
  readonly #counts = new Map<string, number>();

  /** One more case that ended as `ending` says. */
  add(ending: string): void {
    this.#counts.set(ending, (this.#counts.get(ending) ?? 0) + 1);
  }

  /** All endings with their numbers. */
  get counts(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#counts);
  }
}
