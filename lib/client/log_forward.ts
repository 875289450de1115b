/**
 * Takes what is new in a room's log: live entries, and the pages by which a client catches up.
 *
 * @module
 */

import { NOWHERE } from "../identity/log_entry.ts";
import type { Handle } from "../text/handle.ts";
import { type Bytes, equal } from "../wire/bytes.ts";
import { decodeBody, type EntryBody } from "../wire/entry_body.ts";
import type { Logged } from "../wire/message.ts";
import type { Doubt } from "./doubt.ts";
import type { Judged } from "./entry_judge.ts";
import type { KeptEntry } from "./keepers.ts";
import { mayOwn, rolesAfter } from "./known_roles.ts";
import { Findings } from "./log_findings.ts";
import type { Ends, LogContext, RoomLog, Taken } from "./room_log.ts";

/** All that came of one `read` after the head, or of the newest entries. */
export interface ForwardPage {
  /** Its entries, in the order in which they came. */
  readonly entries: readonly Judged[];
  /** What its last message says of the log. */
  readonly end: Ends;
  /** Days after which the room's entries are dropped, as the server told it last; 0: never. */
  readonly retention: number;
  /** The number after which it was asked to go on; `undefined`: the newest were asked for. */
  readonly asked: number | undefined;
}

/** Takes a live entry, or one's own that has got its place. */
export function takeEntry(context: LogContext, log: RoomLog, judged: Judged): Taken {
  const findings = new Findings(context, log);
  if (!log.begun) findings.know({ served: judged.entry.sequence - 1 });
  takeNext(findings, judged, 0);
  return findings.taken({ isBackward: false });
}

/** Takes a page. */
export function takePage(
  context: LogContext,
  log: RoomLog,
  { entries, end, retention, asked }: ForwardPage,
): Taken {
  const findings = new Findings(context, log);
  if (!log.begun) findings.know({ served: end.base.sequence });
  findings.know({ retention: log.knowledge.retention ?? retention });
  noteServed(findings, end);
  for (const judged of entries) takeNext(findings, judged, end.base.sequence);
  takeEnd(findings, end, {
    // The answer to a question that was overtaken may well bring nothing new.
    isStuck: asked === log.head.sequence && findings.log.head.sequence === log.head.sequence,
    retention,
  });
  return findings.taken({ isBackward: false });
}

/**
 * Compares what the server says that it does not give any more with what it gave so far, and notes a gap that neither a
 * retention nor, as far as is known yet, one's own coming in explains.
 */
export function noteServed(findings: Findings, { base }: Ends): void {
  const { knowledge: { served, gap }, head } = findings.log;
  const hash = findings.hashAt(base.sequence);
  if (base.sequence > 0 && hash !== undefined && !equal(hash, base.hash)) {
    findings.flaw("rewritten", base.sequence, base.sequence);
  }
  if (base.sequence > served && !findings.mayBeDropped(base.sequence)) {
    // Where it reaches beyond what is known, what has come is not missing: only the rest may have had it settled.
    const known = base.sequence > head.sequence ? Math.max(served, head.sequence) : served;
    findings.know({ gap: { from: gap?.from ?? known + 1, to: base.sequence } });
  }
  findings.know({ served: base.sequence });
}

/**
 * Notes a gap for which no explanation has come. A retention that was signed in what was dropped by it looks like that,
 * too: what is told of it is taken for settled from then on, so that it is told once.
 */
export function settleGap(findings: Findings, told: number | undefined): void {
  const { gap, retention } = findings.log.knowledge;
  if (gap === undefined) return;
  findings.flaw("missing", gap.from, gap.to);
  findings.know({ gap: undefined, retention: told ?? retention });
}

/** Takes the entry that comes next; those up to `served` may have been dropped. */
function takeNext(findings: Findings, judged: Judged, served: number): void {
  const { entry } = judged;
  const hash = findings.hashOf(entry);
  const { begun, head } = findings.log;
  if (begun && entry.sequence <= head.sequence) return takeAgain(findings, judged, hash);
  if (begun) follow(findings, entry, served);
  else begin(findings, entry);
  findings.checkContent(judged);
  const doubt = judged.doubt ?? doubtAbout(findings, entry);
  const withheld = entry.content === undefined && !findings.awaits(entry);
  const verdict = withheld ? doubt ?? "withheld" : doubt;
  findings.place(judged, hash, verdict);
  if (withheld) findings.withhold(entry.sequence);
  const { knowledge } = findings.log;
  findings.log = { ...findings.log, head: { sequence: entry.sequence, hash } };
  findings.know({ headTime: Math.max(knowledge.headTime, entry.time) });
  if (verdict === undefined) learn(findings, entry);
  findings.settleAwaited({ entry, hash, doubt: verdict, deviceName: judged.deviceName } satisfies KeptEntry);
}

/** One that was given before, or should have been. */
function takeAgain(findings: Findings, judged: Judged, hash: Bytes): void {
  const { sequence } = judged.entry;
  const known = findings.at(sequence)?.hash;
  if (known !== undefined && equal(known, hash)) return;
  if (known !== undefined) findings.flaw("rewritten", sequence, sequence);
  findings.show(judged, known === undefined ? "not linked" : "rewritten");
}

function begin(findings: Findings, { sequence, previous }: Logged): void {
  findings.restart({ sequence: sequence - 1, hash: previous });
  if (sequence > 1) return;
  findings.know({ whole: true });
  if (!equal(previous, NOWHERE.hash)) findings.flaw("rewritten", sequence, sequence);
}

/** Looks whether an entry follows on the head; if not, what is at fault is noted, and the chain goes on from it. */
function follow(findings: Findings, { sequence, previous }: Logged, served: number): void {
  const { head } = findings.log;
  if (sequence === head.sequence + 1 && equal(previous, head.hash)) return;
  if (sequence === head.sequence + 1) {
    const at = Math.max(head.sequence, 1);
    findings.flaw("rewritten", at, at);
  }
  skip(findings, { to: sequence - 1, served });
  findings.restart({ sequence: sequence - 1, hash: previous });
}

/** Passes over what does not come; entries up to `served` may have been dropped, those after it should have come. */
function skip(findings: Findings, { to, served }: { readonly to: number; readonly served: number }): void {
  const from = Math.max(findings.log.head.sequence, served) + 1;
  if (from <= to) findings.flaw("missing", from, to);
  const { awaited } = findings.log.knowledge;
  findings.know({ awaited: awaited.filter(({ by }) => by > served) });
  findings.forgetRoles();
}

function doubtAbout(findings: Findings, entry: Logged): Doubt | undefined {
  if (findings.isRepeated(entry)) return "repeated message";
  if (entry.time < findings.log.knowledge.headTime) return "time went back";
  const claims = findings.claimsDoubt(entry);
  if (claims !== undefined) return claims;
  if (entry.kind === "edit" && findings.editsAnother(entry)) return "not allowed";
  return entry.kind === "delete" ? findings.deletionDoubt(entry) : undefined;
}

/** Remembers what an entry that is its author's settles for those after it. */
function learn(findings: Findings, entry: Logged): void {
  const what = entry.content && decodeBody(entry.kind, entry.content.body);
  if (what === undefined) return;
  const { knowledge } = findings.log;
  if (
    what.kind === "room" && what.body.act === "retention" &&
    entry.from !== undefined && mayOwn(knowledge, entry.from)
  ) {
    findings.know({ retention: what.body.days });
  }
  const { whole, roles } = rolesAfter(knowledge, entry, what);
  findings.know({ whole, roles });
  learnOfSelf(findings, entry, what);
}

/**
 * Notes that one has left, or come in again; the latter explains what is not given of before. Nobody can join who is in:
 * one's own word is enough that one was not, and that of another is believed where one is known to have left.
 */
function learnOfSelf(findings: Findings, { from }: Logged, what: EntryBody): void {
  const { self, knowledge: { left, gap } } = findings.log;
  const move = moveOf(what, { from, self });
  if (move === undefined) return;
  if (move === "out") return findings.know({ left: true });
  findings.know({ left: false, gap: from === self || left ? undefined : gap });
}

/** Whether `self` is in the room or out of it by what `from` has done. */
function moveOf(
  what: EntryBody,
  { from, self }: { readonly from: Handle | undefined; readonly self: Handle },
): "in" | "out" | undefined {
  if (what.kind === "moderation") {
    const isOut = what.body.act === "kick" || what.body.act === "ban";
    return isOut && what.body.handle === self ? "out" : undefined;
  }
  if (what.kind !== "membership") return undefined;
  const { body } = what;
  switch (body.change) {
    case "join":
      return (body.handle ?? from) === self ? "in" : undefined;
    case "allow":
      return body.handle === self ? "in" : undefined;
    case "part":
      return (body.handle ?? from) === self ? "out" : undefined;
    default:
      return undefined;
  }
}

/** `isStuck`: nothing new has come, and so nothing would if it were asked for again. */
function takeEnd(
  findings: Findings,
  end: Ends,
  { isStuck, retention }: { readonly isStuck: boolean; readonly retention: number },
): void {
  const { begun, head } = findings.log;
  const { head: told, base, live } = end;
  if (!begun) {
    if (told.sequence > base.sequence) findings.flaw("missing", base.sequence + 1, told.sequence);
    findings.restart(told);
  } else if (told.sequence > head.sequence && (live || isStuck)) {
    skip(findings, { to: told.sequence, served: base.sequence });
    findings.restart(told);
  } else findings.checkHead(told);
  // What is read on may explain it yet: until the head is reached, it only is not forgotten.
  if (told.sequence > findings.log.head.sequence) return;
  settleGap(findings, retention);
  findings.giveUpAwaited(({ by }) => by > findings.log.head.sequence);
}
