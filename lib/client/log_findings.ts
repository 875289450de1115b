/**
 * What is found out while entries of one log are taken, whichever way they come: it begins with the log as it was known,
 * and ends with what came of it.
 *
 * @module
 */

import { entryHash } from "../identity/log_entry.ts";
import { type Bytes, equal } from "../wire/bytes.ts";
import type { EntryKind } from "../wire/entry_body.ts";
import type { Logged, Place } from "../wire/message.ts";
import type { Doubt } from "./doubt.ts";
import type { Judged } from "./entry_judge.ts";
import { withFlaw } from "./flaws.ts";
import type { Flaw, KeptEntry, LogKnowledge } from "./keepers.ts";
import { mayKeepOrder, NO_ROLES } from "./known_roles.ts";
import type { LogContext, RoomLog, Taken } from "./room_log.ts";

/**
 * Most entries that came erased and wait for the one that is to say by whom: while somebody who was away catches up, the
 * erased ones of all that was said meanwhile. They are kept at about 8 octets each.
 */
export const AWAITED_MAX = 10_000;

/** Most places that people say they saw and that were not read yet; of more, those nearest to what was read stay. */
export const CLAIMS_MAX = 256;

const DAY_MS = 86_400_000;

/** By how much the clocks of server and client may differ where entries are dropped for their age, in milliseconds. */
const DROPPED_EARLY_MS_MAX = DAY_MS;

/** Kinds whose content may be erased; what the others say is what the room is made of. */
const ERASABLE: ReadonlySet<EntryKind> = new Set(["text", "reply", "file", "notice", "edit", "reaction"]);

/** What is being found out. */
export class Findings {
  /** What was known at the beginning, with what was found since. */
  log: RoomLog;
  readonly #context: LogContext;
  readonly #news: Flaw[] = [];
  /** What was placed here, by sequence. */
  readonly #placed = new Map<number, KeptEntry>();
  readonly #ids = new Map<string, number>();
  readonly #shown: { readonly kept: KeptEntry; readonly isKept: boolean }[] = [];
  readonly #again: KeptEntry[] = [];
  readonly #erased: { readonly sequence: number; readonly by: number }[] = [];

  /** About `log`. */
  constructor(context: LogContext, log: RoomLog) {
    this.#context = context;
    this.log = log;
  }

  /** What came of it; what is shown is in the order in which it was told to be, or turned round with `isBackward`. */
  taken({ isBackward }: { readonly isBackward: boolean }): Taken {
    const shown = isBackward ? this.#shown.toReversed() : this.#shown;
    return {
      log: this.log,
      shown: shown.map(({ kept }) => this.#withoutErased(kept)),
      keep: [
        ...shown.filter(({ isKept }) => isKept).map(({ kept }) => this.#withoutErased(kept)),
        ...this.#again,
      ],
      erased: this.#erased,
      flaws: this.#news,
    };
  }

  /** The hash of an entry as it came. */
  hashOf(entry: Logged): Bytes {
    return entryHash(this.#context.provider, this.log.room, entry);
  }

  /** The hash that is known of the entry at `sequence`. */
  hashAt(sequence: number): Bytes | undefined {
    const { base, head } = this.log;
    if (sequence === head.sequence) return head.hash;
    if (sequence === base.sequence) return base.hash;
    return this.at(sequence)?.hash;
  }

  /** The entry at `sequence`, where it is kept or was placed here; nothing that was cut off. */
  at(sequence: number): KeptEntry | undefined {
    const placed = this.#placed.get(sequence);
    if (placed !== undefined || sequence > this.log.head.sequence) return placed;
    return this.#context.known.entries.get(sequence);
  }

  /** Changes what is known besides. */
  know(knowledge: Partial<LogKnowledge>): void {
    this.log = { ...this.log, knowledge: { ...this.log.knowledge, ...knowledge } };
  }

  /** Notes a flaw; where something was rewritten, it says nothing new that somebody has seen it as it was. */
  flaw(kind: Flaw["kind"], from: number, to: number): void {
    const flaw = { kind, from, to };
    const isRewritten = withFlaw(this.log.flaws, { ...flaw, kind: "rewritten" }) === this.log.flaws;
    if (kind === "forked" && isRewritten) return;
    const flaws = withFlaw(this.log.flaws, flaw);
    if (flaws === this.log.flaws) return;
    this.log = { ...this.log, flaws };
    this.#news.push(flaw);
  }

  /** Shows an entry that gets no place in what is known. */
  show({ entry, deviceName }: Judged, doubt: Doubt): void {
    this.#shown.push({ kept: { entry, hash: this.hashOf(entry), doubt, deviceName }, isKept: false });
  }

  /** Shows an entry that is kept already. */
  showKept(kept: KeptEntry): void {
    this.#shown.push({ kept, isKept: false });
  }

  /** Gives an entry its place in what is known, doubtful or not. */
  place({ entry, deviceName }: Judged, hash: Bytes, doubt: Doubt | undefined): void {
    const kept: KeptEntry = { entry, hash, doubt, deviceName };
    this.#placed.set(entry.sequence, kept);
    this.#ids.set(entry.id.toHex(), entry.sequence);
    this.#shown.push({ kept, isKept: true });
  }

  /** Notes that it was not its author's words that came. */
  checkContent({ entry, doubt }: Judged): void {
    if (doubt === "not what was signed") this.flaw("rewritten", entry.sequence, entry.sequence);
  }

  /** Whether another entry of that id is known. */
  isRepeated({ id, sequence }: Logged): boolean {
    const before = this.#ids.get(id.toHex()) ?? this.#context.known.ids.get(id.toHex());
    return before !== undefined && before !== sequence && before <= this.log.head.sequence;
  }

  /** Compares what the author of an entry says to have seen with what was given here. */
  claimsDoubt({ sequence, seen, about }: Logged): Doubt | undefined {
    let doubt: Doubt | undefined;
    for (const place of about === undefined ? [seen] : [seen, about]) {
      if (place.sequence >= sequence) return "out of order";
      if (place.sequence > 0 && !this.#agrees(place)) doubt = "saw another log";
    }
    return doubt;
  }

  /** Whether somebody has said to have seen another entry there than that of `hash`; notes it then. */
  contradictsClaims(sequence: number, hash: Bytes): boolean {
    const { claims } = this.log.knowledge;
    if (claims.every((claim) => claim.sequence !== sequence)) return false;
    const contradicts = claims.some((claim) => claim.sequence === sequence && !equal(claim.hash, hash));
    if (contradicts) this.flaw("forked", sequence, sequence);
    this.know({ claims: claims.filter((claim) => claim.sequence !== sequence) });
    return contradicts;
  }

  /** Has what an entry is about erased, where its author may do that. */
  deletionDoubt({ sequence, from, about }: Logged): Doubt | undefined {
    if (about === undefined || from === undefined) return "not allowed";
    const target = this.at(about.sequence)?.entry;
    if (target !== undefined) {
      const isAllowed = target.from === from || mayKeepOrder(this.log.knowledge, from);
      if (!ERASABLE.has(target.kind) || !isAllowed) return "not allowed";
    }
    this.#erased.push({ sequence: about.sequence, by: sequence });
    return undefined;
  }

  /** Whether an entry edits somebody else's words, which nobody may. */
  editsAnother({ from, about }: Logged): boolean {
    const target = about && this.at(about.sequence)?.entry;
    return target !== undefined && target.from !== from;
  }

  /** Whether the entry `by` has had `erased` erased by somebody who may. */
  covers(by: KeptEntry | undefined, erased: Logged): boolean {
    return by !== undefined && by.doubt === undefined && isDeletionOf(by, erased);
  }

  /**
   * Whether the entry `by` may have had `erased` erased by somebody who may, for all that is known: of one whose account is
   * gone nothing can be verified, and the server is not to be accused of that.
   */
  mayCover(by: KeptEntry | undefined, erased: Logged): boolean {
    return by !== undefined && by.doubt === "unknown person" satisfies Doubt && isDeletionOf(by, erased);
  }

  /** Waits for the entry that is to say who has had an entry erased; `false` where there can be none. */
  awaits({ sequence, erasedBy }: Logged): boolean {
    if (erasedBy === undefined || erasedBy <= sequence) return false;
    const awaited = [...this.log.knowledge.awaited, { sequence, by: erasedBy }];
    const [oldest] = awaited;
    if (awaited.length > AWAITED_MAX && oldest !== undefined) this.withhold(oldest.sequence);
    this.know({ awaited: awaited.slice(-AWAITED_MAX) });
    return true;
  }

  /** Looks what of that which was awaited an entry has had erased. */
  settleAwaited(by: KeptEntry): void {
    const { awaited } = this.log.knowledge;
    const due = awaited.filter((each) => each.by <= by.entry.sequence);
    if (due.length === 0) return;
    this.know({ awaited: awaited.filter((each) => !due.includes(each)) });
    for (const each of due) {
      const erased = this.at(each.sequence);
      if (each.by !== by.entry.sequence || erased === undefined) this.withhold(each.sequence);
      else if (this.mayCover(by, erased.entry)) this.#doubtWithheld(each.sequence);
      else if (!this.covers(by, erased.entry)) this.withhold(each.sequence);
    }
  }

  /** No entry will come any more that says who has had these erased. */
  giveUpAwaited(isGivenUp: (awaited: { readonly sequence: number; readonly by: number }) => boolean): void {
    const { awaited } = this.log.knowledge;
    this.know({ awaited: awaited.filter((each) => !isGivenUp(each)) });
    for (const { sequence } of awaited.filter(isGivenUp)) this.withhold(sequence);
  }

  /** Notes that what an entry says is missing, for no reason that anybody has signed. */
  withhold(sequence: number): void {
    this.flaw("withheld", sequence, sequence);
    this.#doubtWithheld(sequence);
  }

  /** Has an entry that is kept erased here, too. */
  erase(sequence: number, by: number): void {
    this.#erased.push({ sequence, by });
  }

  /** Notes that entries were not given that one does not know: what they may have changed is unknown from then on. */
  forgetRoles(): void {
    this.know(NO_ROLES);
  }

  /** Goes on from `place`, whatever was known of what is before it. */
  restart(place: Place): void {
    this.log = { ...this.log, begun: true, base: place, head: place };
  }

  /** Whether entries up to `base` may be dropped for their age. */
  mayBeDropped(base: number): boolean {
    const { retention } = this.log.knowledge;
    if (retention === undefined || retention === 0) return false;
    const time = this.at(base)?.entry.time;
    return time === undefined || time <= this.#context.now - retention * DAY_MS + DROPPED_EARLY_MS_MAX;
  }

  /** Compares a head that the server tells with the log as it is known; what was given does not go away. */
  checkHead(told: Place): void {
    const { head, base } = this.log;
    if (told.sequence > head.sequence) return;
    const known = this.hashAt(told.sequence);
    if (told.sequence < head.sequence) this.flaw("cutBack", told.sequence + 1, head.sequence);
    const isOther = known !== undefined && !equal(known, told.hash);
    if (isOther) this.flaw("rewritten", told.sequence, told.sequence);
    if (told.sequence === head.sequence && !isOther) return;
    const headTime = this.at(told.sequence)?.entry.time ?? 0;
    this.giveUpAwaited(({ sequence }) => sequence > told.sequence);
    const goesOn = !isOther && told.sequence >= base.sequence;
    if (goesOn) this.log = { ...this.log, head: told };
    else this.restart(told);
    this.know({ headTime: Math.min(headTime, this.log.knowledge.headTime) });
    this.forgetRoles();
  }

  #doubtWithheld(sequence: number): void {
    const kept = this.at(sequence);
    if (kept !== undefined && kept.doubt === undefined) this.#again.push({ ...kept, doubt: "withheld" });
  }

  #agrees(place: Place): boolean {
    const known = this.hashAt(place.sequence);
    if (known !== undefined) {
      if (equal(known, place.hash)) return true;
      this.flaw("forked", place.sequence, place.sequence);
      return false;
    }
    const { claims } = this.log.knowledge;
    const others = claims.filter(({ sequence }) => sequence === place.sequence);
    if (others.some(({ hash }) => equal(hash, place.hash))) return true;
    if (others.length > 0) this.flaw("forked", place.sequence, place.sequence);
    const nearest = [...claims, place].sort((a, b) => a.sequence - b.sequence).slice(-CLAIMS_MAX);
    if (place.sequence <= this.log.base.sequence) this.know({ claims: nearest });
    return others.length === 0;
  }

  #withoutErased(kept: KeptEntry): KeptEntry {
    const { entry } = kept;
    const by = this.#erased.find(({ sequence }) =>
      sequence === entry.sequence || entry.kind === "edit" && sequence === entry.about?.sequence
    );
    if (by === undefined || entry.content === undefined) return kept;
    const { content: _, ...rest } = entry;
    return { ...kept, entry: { ...rest, erasedBy: by.by } };
  }
}

function isDeletionOf({ entry: { kind, about } }: KeptEntry, erased: Logged): boolean {
  if (kind !== "delete" || !ERASABLE.has(erased.kind)) return false;
  return about?.sequence === erased.sequence ||
    erased.kind === "edit" && about?.sequence === erased.about?.sequence;
}
