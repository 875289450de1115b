/**
 * Finds the tests that mount an attack, by their names in the test files: `attack N: …`.
 *
 * @module
 */

import { sources } from "./markdown.ts";

/** One test that mounts an attack. */
export interface AttackTest {
  /** The attack's number. */
  readonly number: number;
  /** The test's name without `attack N: `; what it varies, such as the suite, is a `…`. */
  readonly shows: string;
  /** The file that has it. */
  readonly file: string;
}

/** All of them, by number, then by file, then as they stand there. */
export async function attackTests(): Promise<readonly AttackTest[]> {
  const files = await sources("tests");
  const found = Array.from(files)
    .filter(([file]) => file.endsWith("_test.ts") && !file.startsWith("tests/documents/"))
    .flatMap(([file, source]) => attackTestsIn(source).map((each) => ({ ...each, file })));
  return found.sort((a, b) => a.number - b.number);
}

/** Those in one file's text, without its name. */
export function attackTestsIn(source: string): readonly Omit<AttackTest, "file">[] {
  const names = source.matchAll(/"attack (\d+): ((?:[^"\\]|\\.)+)"|`attack (\d+): ((?:[^`\\]|\\.)+)`/g);
  return Array.from(names, ([, plain, plainName, varied, variedName]) => ({
    number: Number(plain ?? varied),
    shows: (plainName ?? variedName ?? "").replaceAll(/\$\{[^}]*\}/g, "…").replaceAll(/\\(.)/g, "$1"),
  }));
}

/** The row that a test has in the table of SECURITY.md. */
export function attackRow({ number, shows, file }: AttackTest): readonly string[] {
  return [String(number), shows.replaceAll("|", "/").replaceAll("`", ""), file];
}
