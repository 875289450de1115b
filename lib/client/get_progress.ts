/**
 * How far a file has come that is fetched from a room: a value, and what follows from what the server says. Pieces are
 * asked for a window ahead, and after a cut from what is there.
 *
 * @module
 */

import { FILE_CHUNK_BYTES, FILE_WINDOW_CHUNKS } from "../wire/limits.ts";
import type { FaultCode } from "../wire/message.ts";

/** How often it is asked for anew, with nothing of it given between, before that is told as a fault. */
export const GET_TRIES_MAX = 8;

/** After how many milliseconds it is asked for anew for the first time; each further time it is as many longer. */
export const GET_PAUSE_MS = 1_000;

/** Where a get stands: `have` octets have come, and `tries` in a row have come to nothing. */
export type GetProgress =
  /** There is no connection. */
  | { readonly kind: "resting"; readonly have: number; readonly tries: number }
  /** Pieces up to `asked` were asked for. */
  | { readonly kind: "receiving"; readonly have: number; readonly asked: number; readonly tries: number }
  /** The server cannot give it now: it is asked again at `until`, in milliseconds. */
  | { readonly kind: "paused"; readonly have: number; readonly until: number; readonly tries: number }
  /** All of it has come. */
  | { readonly kind: "whole"; readonly have: number }
  /** The server does not give it. */
  | {
    readonly kind: "refused";
    readonly have: number;
    readonly code: FaultCode;
    readonly wait: number | undefined;
  }
  /** What it gives cannot be that file. */
  | { readonly kind: "wrong"; readonly have: number };

/** A get of which `have` octets are there from an earlier try. */
export function getBeginning(have: number, size: number): GetProgress {
  return have === size ? { kind: "whole", have } : { kind: "resting", have, tries: 0 };
}

/** Once there is a connection, or its pause is over. */
export function getReady(get: GetProgress): GetProgress {
  return get.kind === "resting" || get.kind === "paused"
    ? { kind: "receiving", have: get.have, asked: get.have, tries: get.tries }
    : get;
}

/** After the connection was lost; what is settled stays so. */
export function getLost(get: GetProgress): GetProgress {
  return get.kind === "receiving" || get.kind === "paused"
    ? { kind: "resting", have: get.have, tries: get.tries }
    : get;
}

/**
 * The pieces to be asked for next, `written` octets having found their place here: what waits for the disk counts as on
 * its way. `undefined` while that is more than half a window, or all was asked for.
 */
export function nextAsk(
  get: GetProgress,
  size: number,
  written: number,
): { readonly offset: number; readonly chunks: number } | undefined {
  if (get.kind !== "receiving" || get.asked >= size) return undefined;
  const open = Math.ceil((get.asked - written) / FILE_CHUNK_BYTES);
  if (open > FILE_WINDOW_CHUNKS / 2) return undefined;
  const left = Math.ceil((size - get.asked) / FILE_CHUNK_BYTES);
  return { offset: get.asked, chunks: Math.min(FILE_WINDOW_CHUNKS - open, left) };
}

/** After `chunks` more were asked for. */
export function getAsked(get: GetProgress, chunks: number, size: number): GetProgress {
  return get.kind === "receiving"
    ? { ...get, asked: Math.min(get.asked + chunks * FILE_CHUNK_BYTES, size) }
    : get;
}

/**
 * After a `fileData` about a file of `size` octets. Its octets are the next ones where `have` has grown; those asked for
 * before a pause, and again after it, come twice.
 */
export function getData(
  get: GetProgress,
  data: { readonly offset: number; readonly size: number; readonly length: number },
  size: number,
): GetProgress {
  if (get.kind !== "receiving" || data.offset !== get.have) return get;
  const length = Math.min(FILE_CHUNK_BYTES, size - get.have);
  if (data.size !== size || data.length !== length) return { kind: "wrong", have: get.have };
  const have = get.have + length;
  return have === size
    ? { kind: "whole", have }
    : { ...get, have, asked: Math.max(get.asked, have), tries: 0 };
}

/** After a `fault` about it came at `now`. */
export function getFault(
  get: GetProgress,
  { code, wait }: { readonly code: FaultCode; readonly wait?: number | undefined },
  now: number,
): GetProgress {
  if (get.kind !== "receiving") return get;
  const { have } = get;
  const tries = get.tries + 1;
  const isPassing = code === "tooFast" || code === "notStored";
  if (!isPassing || tries > GET_TRIES_MAX) return { kind: "refused", have, code, wait };
  return { kind: "paused", have, until: now + Math.max(wait ?? 0, GET_PAUSE_MS * tries), tries };
}
