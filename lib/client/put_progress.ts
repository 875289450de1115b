/**
 * How far a file has come that is put into a room: a value, and what follows from what the server says. Pieces are on
 * their way for a window at most, and after a cut it goes on from what the server has.
 *
 * @module
 */

import { FILE_CHUNK_BYTES, FILE_WINDOW_CHUNKS } from "../wire/limits.ts";
import type { FaultCode } from "../wire/message.ts";

/** How often a file is begun anew, with nothing of it taken between, before that is told as a fault. */
export const PUT_TRIES_MAX = 8;

/** After how many milliseconds it is begun anew for the first time; each further time it is as many longer. */
export const PUT_PAUSE_MS = 1_000;

const WINDOW_BYTES = FILE_CHUNK_BYTES * FILE_WINDOW_CHUNKS;

/** Where a put stands. `tries` counts those in a row that came to nothing. */
export type PutProgress =
  /** There is no connection. */
  | { readonly kind: "resting"; readonly tries: number }
  /** The server was asked how much it has. */
  | { readonly kind: "asked"; readonly tries: number }
  /** It has `have` octets for certain; those up to `sent` are on their way. */
  | { readonly kind: "sending"; readonly have: number; readonly sent: number; readonly tries: number }
  /** The server cannot take it now: it is asked again at `until`, in milliseconds. */
  | { readonly kind: "paused"; readonly until: number; readonly tries: number }
  /** The server has all of it, and its hash is right. */
  | { readonly kind: "stored" }
  /** The server does not take it. */
  | { readonly kind: "refused"; readonly code: FaultCode; readonly wait: number | undefined };

/** A put before anything was said of it. */
export const PUT_BEGINNING: PutProgress = { kind: "resting", tries: 0 };

/** After `fileBegin` was sent. */
export function putAsked(put: PutProgress): PutProgress {
  return { kind: "asked", tries: triesOf(put) };
}

/** After the connection was lost; what is settled stays so. */
export function putLost(put: PutProgress): PutProgress {
  return isSettled(put) ? put : { kind: "resting", tries: triesOf(put) };
}

/** After a `fileState` about a file of `size` octets. */
export function putState(
  put: PutProgress,
  { have, done }: { readonly have: number; readonly done: boolean },
  size: number,
): PutProgress {
  if (put.kind !== "asked" && put.kind !== "sending") return put;
  if (done) return { kind: "stored" };
  // A server that claims what was never sent, or half a piece, would have the rest sent at wrong places.
  const whole = have >= size ? size : have - have % FILE_CHUNK_BYTES;
  if (put.kind === "asked") return { kind: "sending", have: whole, sent: whole, tries: put.tries };
  const known = Math.max(put.have, Math.min(whole, put.sent));
  return { ...put, have: known, tries: known > put.have ? 0 : put.tries };
}

/** After a `fault` about it came at `now`. */
export function putFault(
  put: PutProgress,
  { code, wait }: { readonly code: FaultCode; readonly wait?: number | undefined },
  now: number,
): PutProgress {
  // Behind the first refusal of a piece come those of the pieces that were on their way.
  if (put.kind !== "asked" && put.kind !== "sending") return put;
  if (put.kind === "asked" && code === "noSuchFile") return put;
  const tries = put.tries + 1;
  if (!isPassing(code) || tries > PUT_TRIES_MAX) return { kind: "refused", code, wait };
  return { kind: "paused", until: now + Math.max(wait ?? 0, PUT_PAUSE_MS * tries), tries };
}

/** The next piece to be sent; `undefined` where none may be now. */
export function nextPiece(
  put: PutProgress,
  size: number,
): { readonly offset: number; readonly length: number } | undefined {
  if (put.kind !== "sending" || put.sent >= Math.min(size, put.have + WINDOW_BYTES)) return undefined;
  return { offset: put.sent, length: Math.min(FILE_CHUNK_BYTES, size - put.sent) };
}

/** After the next piece, of `length` octets, was sent. */
export function putSent(put: PutProgress, length: number): PutProgress {
  return put.kind === "sending" ? { ...put, sent: put.sent + length } : put;
}

/** Whether it has ended, well or not. */
function isSettled(put: PutProgress): put is Extract<PutProgress, { kind: "stored" | "refused" }> {
  return put.kind === "stored" || put.kind === "refused";
}

/** `noSuchFile` comes where another connection of the account has gone on with it, or a piece got lost. */
function isPassing(code: FaultCode): boolean {
  return code === "tooFast" || code === "notStored" || code === "noSuchFile";
}

function triesOf(put: PutProgress): number {
  return isSettled(put) ? 0 : put.tries;
}
