/**
 * Tests that need python3 with the package cryptography.
 *
 * @module
 */

import { skipped, test, type TestBody } from "../sanitized.ts";

/** Why such a test is skipped. */
export const MISSING_PYTHON = "python3 with the package cryptography is missing";

/** Declares one; skipped, and visibly so, where Python or the package is missing. */
export function pythonTest(name: string, body: TestBody): void {
  if (hasPython()) test(name, body);
  else skipped(name, MISSING_PYTHON);
}

/** Whether such a test can run. */
export function hasPython(): boolean {
  try {
    const args = ["-c", "import cryptography"];
    return new Deno.Command("python3", { args, stdout: "null", stderr: "null" }).outputSync().success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
