/**
 * `deno task clean`: removes what the other tasks made, and says what.
 *
 * @module
 */

/** What git ignores in a checkout and tasks write. */
const MADE = ["dist", "coverage", ".sotto"] as const;

for (const folder of MADE) {
  try {
    await Deno.remove(folder, { recursive: true });
    console.log(`removed ${folder}/`);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    console.log(`nothing at ${folder}/`);
  }
}
