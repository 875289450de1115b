/**
 * Why the system refused a file, in words: the second part of "Cannot X: why; what to do".
 *
 * @module
 */

import { Failure } from "../text/failure.ts";
import { visible } from "../text/visible.ts";

/** By the system's own code, which Deno tells of most refusals. */
const BY_CODE: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EDQUOT: "your disk quota is used up",
  EEXIST: "a file is in the way",
  EISDIR: "it is a folder",
  ELOOP: "its links lead in a circle",
  EMFILE: "too many files are open",
  ENAMETOOLONG: "the name is too long",
  ENOENT: "there is no such file or folder",
  ENOSPC: "the disk is full",
  ENOTDIR: "a part of the path is a file, not a folder",
  EPERM: "permission denied",
  EROFS: "the disk can only be read",
};

/** Whether a file or folder is simply not there; all else may be a damaged or protected one. */
export function isMissing(error: unknown): boolean {
  return error instanceof Deno.errors.NotFound;
}

/**
 * Why `error` was thrown by a call to the file system, safe for a terminal.
 *
 * ```ts
 * import { equal } from "node:assert/strict";
 * import { refusal } from "./file_failure.ts";
 * equal(refusal(new Deno.errors.PermissionDenied("os error 13")), "permission denied");
 * ```
 */
export function refusal(error: unknown): string {
  if (error instanceof Error && "code" in error && typeof error.code === "string") {
    const known = BY_CODE[error.code];
    if (known !== undefined) return known;
  }
  if (error instanceof Deno.errors.PermissionDenied) return "permission denied";
  if (error instanceof Deno.errors.NotFound) return "there is no such file or folder";
  // Not even with all of --allow-read does Deno let a program below /dev, /proc or /sys.
  if (error instanceof Deno.errors.NotCapable) return "this program may not go there";
  return visible(error instanceof Error ? error.message : String(error));
}

/**
 * What is thrown where standard output or standard error refuses a text with `error`: a {@linkcode Failure}, but that a
 * reader that is gone is told as the system tells it, since that is no failure.
 */
export function outputFault(error: unknown): unknown {
  const isGone = error instanceof Deno.errors.BrokenPipe ||
    error instanceof Error && "code" in error && error.code === "EPIPE";
  if (isGone) return error;
  return new Failure(
    "cannotCreate",
    `Cannot write the output: ${refusal(error)}; make room, or send it elsewhere.`,
    { cause: error },
  );
}

/**
 * What `work` gives. Where the file system refuses, a {@linkcode Failure} that ends with `exit` and says
 * `cannot`, why, and `remedy`: "Cannot read /x: permission denied; give another."; a Failure of its own
 * passes.
 */
export async function orFailure<Value>(
  work: () => Promise<Value>,
  { exit, cannot, remedy }: { exit: Failure["exit"]; cannot: string; remedy: string },
): Promise<Value> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw new Failure(exit, `${cannot}: ${refusal(error)}; ${remedy}.`, { cause: error });
  }
}
