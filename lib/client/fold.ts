/**
 * What became of a room's messages after they were said: edits, deletions and reactions, folded into what is shown of
 * them.
 *
 * @module
 */

import { decodeBody, type EntryBody } from "../wire/entry_body.ts";
import type { KeptEntry } from "./keepers.ts";

/** Messages of one room of which that is remembered: weeks of a busy one. The oldest are forgotten first. */
export const FOLDED_MAX = 5_000;

/** What became of one message. */
interface Fate {
  /** The newest text that each gave it: its author's is the one that counts. */
  readonly edits: ReadonlyMap<string, string>;
  /** Who had it deleted. */
  readonly deletedBy: string | undefined;
  /** Who gave which reaction, in the order of giving. */
  readonly reactions: ReadonlyMap<string, readonly string[]>;
}

const UNTOUCHED: Fate = { edits: new Map(), deletedBy: undefined, reactions: new Map() };

/** The fates of one room's messages. */
export class Fold {
  readonly #fates = new Map<number, Fate>();

  /** Takes an entry, whatever it says; what is doubtful changes nothing. */
  take({ entry, doubt }: KeptEntry): void {
    const what = said(entry);
    if (what === undefined || entry.about === undefined || doubt !== undefined || entry.from === undefined) {
      return;
    }
    const { sequence } = entry.about;
    const fate = fateAfter(this.of(sequence), what, entry.from);
    if (fate === undefined) return;
    // Anew at the end: the first of the map is the one that was touched longest ago.
    this.#fates.delete(sequence);
    this.#fates.set(sequence, fate);
    for (const oldest of this.#fates.keys()) {
      if (this.#fates.size <= FOLDED_MAX) break;
      this.#fates.delete(oldest);
    }
  }

  /** What became of the message of that number. */
  of(sequence: number): Fate {
    return this.#fates.get(sequence) ?? UNTOUCHED;
  }
}

/** What an entry says, where that is there and can be read. */
export function said({ kind, content }: Pick<KeptEntry["entry"], "kind" | "content">): EntryBody | undefined {
  return content === undefined ? undefined : decodeBody(kind, content.body);
}

function fateAfter(fate: Fate, what: EntryBody, by: string): Fate | undefined {
  switch (what.kind) {
    case "edit":
      return { ...fate, edits: new Map(fate.edits).set(by, what.body.text) };
    case "delete":
      return { ...fate, deletedBy: by };
    case "reaction":
      return { ...fate, reactions: reactionsAfter(fate.reactions, what.body, by) };
    default:
      return undefined;
  }
}

function reactionsAfter(
  before: Fate["reactions"],
  { reaction, on }: { readonly reaction: string; readonly on: boolean },
  by: string,
): Fate["reactions"] {
  const others = (before.get(reaction) ?? []).filter((other) => other !== by);
  const after = new Map(before);
  const givers = on ? [...others, by] : others;
  if (givers.length === 0) after.delete(reaction);
  else after.set(reaction, givers);
  return after;
}
