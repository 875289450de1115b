/**
 * A folder for a test that touches the disk.
 *
 * @module
 */

import { test } from "../sanitized.ts";

/** Declares a test that gets an empty folder of its own, which is removed after it. */
export function folderTest(name: string, body: (folder: string) => Promise<void>): void {
  test(name, async () => {
    const folder = await Deno.makeTempDir();
    try {
      await body(folder);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}

/** The permission bits of a file, such as `0o600`. */
export async function modeOf(path: string): Promise<number> {
  return ((await Deno.stat(path)).mode ?? 0) & 0o777;
}

/** The names in a folder, sorted. */
export async function namesIn(folder: string): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of Deno.readDir(folder)) names.push(name);
  return names.sort();
}
