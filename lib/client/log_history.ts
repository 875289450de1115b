/**
 * Takes what is old in a room's log: pages of history, from their end to their beginning, as the chain leads from what is
 * known to what is before it.
 *
 * @module
 */

import { type Bytes, equal } from "../wire/bytes.ts";
import type { Logged } from "../wire/message.ts";
import type { Doubt } from "./doubt.ts";
import type { Judged } from "./entry_judge.ts";
import type { KeptEntry } from "./keepers.ts";
import { Findings } from "./log_findings.ts";
import { noteServed, settleGap } from "./log_forward.ts";
import type { Ends, LogContext, RoomLog, Taken } from "./room_log.ts";

/** All that came of one `read` of older entries. */
export interface HistoryPage {
  /** Its entries, in the order of the log. */
  readonly entries: readonly Judged[];
  /** What its last message says of the log. */
  readonly end: Ends;
  /** What was asked for, where it was the entries before one: then it is known which are to come. */
  readonly asked: { readonly before: number; readonly limit: number } | undefined;
}

/** What an entry must be: what is known to follow on it says so. `any`: nothing that came follows on it. */
type Link =
  | { readonly kind: "known"; readonly sequence: number; readonly hash: Bytes }
  | { readonly kind: "any" }
  | { readonly kind: "none" };

/** Takes a page of a log that has begun. */
export function takeHistory(context: LogContext, log: RoomLog, page: HistoryPage): Taken {
  if (!log.begun) throw new RangeError("Cannot take history: nothing of the log was taken yet");
  const findings = new Findings(context, log);
  const isGapOpen = log.knowledge.gap !== undefined;
  noteServed(findings, page.end);
  const isGap = noteUngiven(findings, page);
  let link = firstLink(findings, page, isGap);
  let later: Logged | undefined;
  for (const judged of page.entries.toReversed()) {
    link = takeEarlier(findings, judged, { link, later });
    later = judged.entry;
  }
  // One that was noted while catching up may be explained yet.
  if (!isGapOpen) settleGap(findings, undefined);
  findings.checkHead(page.end.head);
  return findings.taken({ isBackward: true });
}

const ANY: Link = { kind: "any" };
const NONE: Link = { kind: "none" };

/** Notes what was asked for and did not come, at both ends; whether it did not at the later one. */
function noteUngiven(findings: Findings, { entries, end, asked }: HistoryPage): boolean {
  if (asked === undefined) return false;
  const first = entries[0]?.entry.sequence ?? asked.before;
  const last = entries.at(-1)?.entry.sequence ?? asked.before - 1;
  const from = end.base.sequence + 1;
  const to = Math.min(asked.before - 1, findings.log.head.sequence);
  if (entries.length < asked.limit && from < first) findings.flaw("missing", from, Math.min(first - 1, to));
  const isUngiven = last < to;
  if (isUngiven) findings.flaw("missing", Math.max(last + 1, from), to);
  return isUngiven;
}

/** What the last entry of a page must be; with `isGap`, what follows on it is known to exist, and is not there. */
function firstLink(findings: Findings, { entries, asked }: HistoryPage, isGap: boolean): Link {
  const last = entries.at(-1)?.entry;
  if (last === undefined) return NONE;
  const { sequence } = last;
  const hash = findings.hashAt(sequence) ?? findings.at(sequence + 1)?.entry.previous;
  if (hash !== undefined) return { kind: "known", sequence, hash };
  const isFollowed = asked !== undefined &&
    (findings.hashAt(asked.before - 1) !== undefined || findings.at(asked.before) !== undefined);
  return isGap && isFollowed ? ANY : NONE;
}

/** Takes an entry before `later`; gives what the one before it must be. */
function takeEarlier(
  findings: Findings,
  judged: Judged,
  { link, later }: { readonly link: Link; readonly later: Logged | undefined },
): Link {
  const { entry } = judged;
  const { sequence } = entry;
  const hash = findings.hashOf(entry);
  if (later !== undefined && sequence >= later.sequence) {
    findings.flaw("rewritten", sequence, sequence);
    findings.show(judged, "rewritten");
    return link;
  }
  const isGap = later !== undefined && later.sequence > sequence + 1;
  if (isGap) findings.flaw("missing", sequence + 1, later.sequence - 1);
  const kept = findings.at(sequence);
  if (kept !== undefined) return takeKept(findings, judged, { kept, hash });
  const known = findings.hashAt(sequence) ?? (link.kind === "known" && !isGap ? link.hash : undefined);
  if (known === undefined && link.kind === "none") {
    findings.show(judged, judged.doubt ?? "not linked");
    return NONE;
  }
  const isOther = known !== undefined && !equal(known, hash);
  if (isOther) findings.flaw("rewritten", sequence, sequence);
  takeLinked(findings, judged, { hash, doubt: isOther ? "rewritten" : undefined, later });
  return { kind: "known", sequence: sequence - 1, hash: entry.previous };
}

/** One that was given before. What was found out then stays so. */
function takeKept(
  findings: Findings,
  judged: Judged,
  { kept, hash }: { readonly kept: KeptEntry; readonly hash: Bytes },
): Link {
  const { entry } = judged;
  if (!equal(kept.hash, hash)) {
    findings.flaw("rewritten", entry.sequence, entry.sequence);
    findings.show(judged, "rewritten");
  } else {
    findings.checkContent(judged);
    checkErased(findings, entry, kept);
    findings.showKept(kept);
  }
  const { base } = findings.log;
  // After a flaw, what is kept there may be what was rewritten.
  if (entry.sequence !== base.sequence || equal(kept.hash, base.hash)) moveBase(findings, kept.entry);
  return { kind: "known", sequence: entry.sequence - 1, hash: kept.entry.previous };
}

function takeLinked(
  findings: Findings,
  judged: Judged,
  { hash, doubt, later }: {
    readonly hash: Bytes;
    readonly doubt: Doubt | undefined;
    readonly later: Logged | undefined;
  },
): void {
  const { entry } = judged;
  findings.checkContent(judged);
  const contradicts = findings.contradictsClaims(entry.sequence, hash);
  const found = doubt ?? judged.doubt ?? (contradicts ? "saw another log" : undefined) ??
    doubtAbout(findings, entry, later);
  const isWithheld = entry.content === undefined && !isErasedRightly(findings, entry);
  findings.place(judged, hash, isWithheld ? found ?? "withheld" : found);
  if (isWithheld) noteWithheld(findings, entry);
  if (doubt === undefined) moveBase(findings, entry);
}

function doubtAbout(findings: Findings, entry: Logged, later: Logged | undefined): Doubt | undefined {
  if (findings.isRepeated(entry)) return "repeated message";
  if (later !== undefined && later.time < entry.time) return "time went back";
  return findings.claimsDoubt(entry);
}

/** What was erased since it was kept is erased here, too, where that was done by somebody who may. */
function checkErased(findings: Findings, entry: Logged, kept: KeptEntry): void {
  if (entry.content !== undefined || kept.entry.content === undefined) return;
  if (!isErasedRightly(findings, entry)) return noteWithheld(findings, entry);
  if (entry.erasedBy !== undefined && findings.at(entry.erasedBy) !== undefined) {
    findings.erase(entry.sequence, entry.erasedBy);
  }
}

function noteWithheld(findings: Findings, entry: Logged): void {
  const { sequence, erasedBy } = entry;
  const by = erasedBy === undefined ? undefined : findings.at(erasedBy);
  if (!findings.mayCover(by, entry)) findings.flaw("withheld", sequence, sequence);
}

function isErasedRightly(findings: Findings, entry: Logged): boolean {
  const { erasedBy } = entry;
  // It was erased after the last entry that was told: that one comes yet.
  if (erasedBy !== undefined && erasedBy > findings.log.head.sequence) return findings.awaits(entry);
  return erasedBy !== undefined && findings.covers(findings.at(erasedBy), entry);
}

/** The chain is whole from before `entry`, where it was whole from there. */
function moveBase(findings: Findings, { sequence, previous }: Logged): void {
  const { base } = findings.log;
  if (sequence !== base.sequence) return;
  findings.log = { ...findings.log, base: { sequence: sequence - 1, hash: previous } };
}
