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

/**
 * Different reactions to one message that are remembered: nobody looks at more, and whoever gives thousands makes no
 * client carry them.
 */
export const REACTIONS_MAX = 64;

/** What one person did about one thing that is remembered, newest first: the others count where those were deleted. */
const TURNS_MAX = 8;

/** What became of one message. */
interface Fate {
  /** The newest text that each gave it: its author's is the one that counts. */
  readonly edits: ReadonlyMap<string, string>;
  /** Who had it deleted. */
  readonly deletedBy: string | undefined;
  /** Who gave which reaction, in the order of giving. */
  readonly reactions: ReadonlyMap<string, readonly string[]>;
}

/** The same as it is being found out. */
interface Deeds {
  readonly edits: Newest<string>;
  readonly deletions: Newest<true>;
  readonly reactions: Map<string, Newest<boolean>>;
}

const UNTOUCHED: Fate = { edits: new Map(), deletedBy: undefined, reactions: new Map() };

/** The fates of one room's messages. In which order entries are taken makes no difference: their numbers tell what was last. */
export class Fold {
  readonly #deeds = new Map<number, Deeds>();
  /** Which message the entry of a number is about. */
  readonly #targets = new Map<number, number>();

  /** Takes an entry, whatever it says; what is doubtful changes nothing. */
  take({ entry, doubt }: KeptEntry): void {
    const what = said(entry);
    if (what === undefined || entry.about === undefined || doubt !== undefined || entry.from === undefined) {
      return;
    }
    if (what.kind !== "edit" && what.kind !== "delete" && what.kind !== "reaction") return;
    const { sequence } = entry.about;
    const deeds = this.#deeds.get(sequence) ?? noDeeds();
    note(deeds, what, { by: entry.from, sequence: entry.sequence });
    // Anew at the end: the first of the map is the one that was touched longest ago.
    putLast(this.#deeds, sequence, deeds);
    if (what.kind !== "delete") putLast(this.#targets, entry.sequence, sequence);
  }

  /** Forgets what the entry of that number did, which was erased. */
  forget(sequence: number): void {
    const target = this.#targets.get(sequence);
    const deeds = target === undefined ? undefined : this.#deeds.get(target);
    this.#targets.delete(sequence);
    if (deeds === undefined) return;
    for (const newest of [deeds.edits, ...deeds.reactions.values()]) newest.forget(sequence);
  }

  /** What became of the message of that number. */
  of(sequence: number): Fate {
    const deeds = this.#deeds.get(sequence);
    if (deeds === undefined) return UNTOUCHED;
    const { edits, deletions, reactions } = deeds;
    return {
      edits: new Map(edits.all.map(({ by, value }) => [by, value])),
      deletedBy: deletions.all.at(-1)?.by,
      reactions: new Map(
        Array.from(reactions, ([reaction, newest]) => ({ reaction, given: newest.all.filter(isOn) }))
          .filter(({ given }) => given.length > 0)
          .sort((a, b) => firstOf(a.given) - firstOf(b.given))
          .map(({ reaction, given }) => [reaction, given.map(({ by }) => by)]),
      ),
    };
  }
}

/** What somebody did, by the number of its entry. */
interface Turn<Value> {
  readonly by: string;
  readonly sequence: number;
  readonly value: Value;
}

/** What each did last about one thing, in whatever order that is heard of. */
class Newest<Value> {
  /** Newest first. */
  readonly #turns = new Map<string, readonly Turn<Value>[]>();

  /** What each did last, in the order of the log. */
  get all(): readonly Turn<Value>[] {
    return Array.from(this.#turns.values()).flatMap((turns) => turns.slice(0, 1))
      .sort((a, b) => a.sequence - b.sequence);
  }

  note(turn: Turn<Value>): void {
    const others = (this.#turns.get(turn.by) ?? []).filter(({ sequence }) => sequence !== turn.sequence);
    const turns = [turn, ...others].sort((a, b) => b.sequence - a.sequence);
    this.#turns.set(turn.by, turns.slice(0, TURNS_MAX));
  }

  forget(sequence: number): void {
    for (const [by, turns] of this.#turns) {
      if (turns.some((turn) => turn.sequence === sequence)) {
        this.#turns.set(by, turns.filter((turn) => turn.sequence !== sequence));
      }
    }
  }
}

function noDeeds(): Deeds {
  return { edits: new Newest(), deletions: new Newest(), reactions: new Map() };
}

function note(
  { edits, deletions, reactions }: Deeds,
  what: Extract<EntryBody, { kind: "edit" | "delete" | "reaction" }>,
  turn: Pick<Turn<unknown>, "by" | "sequence">,
): void {
  if (what.kind === "edit") return edits.note({ ...turn, value: what.body.text });
  if (what.kind === "delete") return deletions.note({ ...turn, value: true });
  const { reaction, on } = what.body;
  const given = reactions.get(reaction) ?? new Newest();
  if (!reactions.has(reaction)) {
    if (reactions.size >= REACTIONS_MAX) return;
    reactions.set(reaction, given);
  }
  given.note({ ...turn, value: on });
}

function isOn({ value }: Turn<boolean>): boolean {
  return value;
}

function firstOf([first]: readonly Turn<boolean>[]): number {
  return first?.sequence ?? 0;
}

function putLast<Value>(map: Map<number, Value>, key: number, value: Value): void {
  map.delete(key);
  map.set(key, value);
  for (const oldest of map.keys()) {
    if (map.size <= FOLDED_MAX) break;
    map.delete(oldest);
  }
}

/** What an entry says, where that is there and can be read. */
export function said({ kind, content }: Pick<KeptEntry["entry"], "kind" | "content">): EntryBody | undefined {
  return content === undefined ? undefined : decodeBody(kind, content.body);
}
