/**
 * Lists the checkout's TypeScript files.
 *
 * @module
 */

/** Every .ts and .tsx file at or below `paths`, in order; paths that are not there are left out. */
export async function sourceFiles(paths: readonly string[]): Promise<readonly string[]> {
  const found: string[] = [];
  for (const path of paths) await collect(path, found);
  return found.sort();
}

async function collect(path: string, found: string[]): Promise<void> {
  if (/\.tsx?$/.test(path)) {
    if (await isThere(path)) found.push(path);
    return;
  }
  if (!await isThere(path)) return;
  for await (const entry of Deno.readDir(path)) {
    if (entry.isDirectory || /\.tsx?$/.test(entry.name)) await collect(`${path}/${entry.name}`, found);
  }
}

async function isThere(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
