/**
 * How fast an account may do things: token buckets, as values. Times are in milliseconds, of any clock.
 *
 * @module
 */

import type { EntryKind } from "../wire/entry_body.ts";

/** How much of something is allowed. */
export interface Rate {
  /** In the long run, a second. */
  readonly perSecond: number;
  /** At once, after a rest. */
  readonly burst: number;
}

/** What is counted, for each account over all of its devices. */
export const RATES = {
  /** Entries of any kind: no person writes so fast, and a script that pastes a file goes on at this pace. */
  entries: { perSecond: 100, burst: 1_000 },
  /** Entries that settle something, files and deletions: each is a change that others have to look at. */
  acts: { perSecond: 1, burst: 30 },
  /** `read`, `list`, `askMembers`, `askCards` and `fileGet`: each makes the server look something up. */
  reads: { perSecond: 50, burst: 200 },
  /** `mark`, `typing` and `status`: those beyond it are dropped without a word. */
  signals: { perSecond: 10, burst: 50 },
} as const satisfies Readonly<Record<string, Rate>>;

/** The name of one of {@linkcode RATES}. */
export type RateName = keyof typeof RATES;

/** Kinds of entries that people talk by. */
const TALK: ReadonlySet<EntryKind> = new Set(["text", "reply", "edit", "reaction"]);

/** What is left of a rate at a moment. */
interface Bucket {
  readonly tokens: number;
  readonly at: number;
}

/** What is left to an account of each rate; of one that is not named, all. */
export type Allowance = Readonly<Partial<Record<RateName, Bucket>>>;

/** All is left. */
export const FULL_ALLOWANCE: Allowance = {};

/** What comes of spending. */
export type Spending =
  | { readonly kind: "spent"; readonly allowance: Allowance }
  /** Nothing was spent; `wait`: milliseconds after which it can be. */
  | { readonly kind: "tooFast"; readonly wait: number };

/** What an entry of that kind costs. */
export function ratesOf(kind: EntryKind): readonly RateName[] {
  return TALK.has(kind) ? ["entries"] : ["entries", "acts"];
}

/**
 * Spends one of each of `names` at the moment `now`, or nothing. A clock that goes back gives nothing as long as it goes
 * back less than an empty rate takes to fill, and all anew where it is more: nobody is to wait until it has caught up.
 *
 * ```ts
 * import { FULL_ALLOWANCE, spend } from "./rate.ts";
 * console.assert(spend(FULL_ALLOWANCE, ["entries", "acts"], 0).kind === "spent");
 * ```
 */
export function spend(allowance: Allowance, names: readonly RateName[], now: number): Spending {
  const left = names.map((name) => ({ name, tokens: tokensAt(allowance[name], RATES[name], now) }));
  const wait = Math.max(0, ...left.map(({ name, tokens }) => waitFor(name, { tokens, allowance, now })));
  if (wait > 0) return { kind: "tooFast", wait: Math.ceil(wait) };
  const spent = left.map(({ name, tokens }) => [name, { tokens: tokens - 1, at: now }]);
  return { kind: "spent", allowance: { ...allowance, ...Object.fromEntries(spent) } };
}

/** Whether all is left at `now`, so that it need not be remembered. */
export function isFull(allowance: Allowance, now: number): boolean {
  return RATE_NAMES.every((name) => tokensAt(allowance[name], RATES[name], now) >= RATES[name].burst);
}

const SECOND_MS = 1_000;
const RATE_NAMES = ["entries", "acts", "reads", "signals"] as const satisfies readonly RateName[];

function tokensAt(bucket: Bucket | undefined, { perSecond, burst }: Rate, now: number): number {
  if (bucket === undefined) return burst;
  const fillMs = SECOND_MS * burst / perSecond;
  if (bucket.at - now > fillMs) return burst;
  const elapsed = Math.max(0, now - bucket.at);
  return Math.min(burst, bucket.tokens + perSecond * elapsed / SECOND_MS);
}

function waitFor(
  name: RateName,
  { tokens, allowance, now }: {
    readonly tokens: number;
    readonly allowance: Allowance;
    readonly now: number;
  },
): number {
  if (tokens >= 1) return 0;
  const behind = Math.max(0, (allowance[name]?.at ?? now) - now);
  return behind + SECOND_MS * (1 - tokens) / RATES[name].perSecond;
}
