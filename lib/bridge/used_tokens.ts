/**
 * Which tokens were taken already: a recorded one that is sent again says nothing.
 *
 * @module
 */

import type { Bytes } from "../wire/bytes.ts";
import { CLOCK_SKEW_SECONDS_MAX, isFresh, TOKEN_SECONDS_MAX } from "./fernet.ts";

/**
 * Tokens kept in mind at once, some 150 octets each. One has to be remembered for two minutes, in which honest guests do
 * not say that much; beyond it new ones are refused rather than old ones forgotten.
 */
export const USED_TOKENS_MAX = 200_000;

/** What became of a token. */
export type Verdict =
  /** It is taken from now on. */
  | "taken"
  /** Too old, or too far ahead; or made before anybody kept in mind what is used. */
  | "untimely"
  /** It was taken before. */
  | "used"
  /** Too many were taken in the last two minutes. */
  | "tooMany";

/** The tokens of one key that were taken. */
export class UsedTokens {
  readonly #since: number;
  readonly #tags = new Map<string, number>();
  #now = 0;

  /** `since`, in seconds since 1970: what was made before may have been used in an earlier run. */
  constructor(since: number) {
    this.#since = since;
  }

  /** Takes the token with `tag`, made at `seconds`, at the moment `now`, where it may be taken. */
  take({ seconds, tag }: { readonly seconds: number; readonly tag: Bytes }, now: number): Verdict {
    // A clock that is set back must not make young again what was forgotten as too old.
    this.#now = Math.max(now, this.#now);
    this.#forget();
    const key = tag.toHex();
    if (!isFresh(seconds, this.#now) || seconds < this.#since) return "untimely";
    if (this.#tags.has(key)) return "used";
    if (this.#tags.size >= USED_TOKENS_MAX) return "tooMany";
    this.#tags.set(key, this.#now);
    return "taken";
  }

  /** Those taken so long ago that their time alone refuses them; they stand in the order of taking. */
  #forget(): void {
    for (const [key, taken] of this.#tags) {
      if (this.#now - taken <= TOKEN_SECONDS_MAX + CLOCK_SKEW_SECONDS_MAX) return;
      this.#tags.delete(key);
    }
  }
}
