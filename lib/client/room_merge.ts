/**
 * What is kept of a room where two programs of one account keep it: neither takes away what the other has found out.
 *
 * @module
 */

import { allFlaws } from "./flaws.ts";
import { type Bytes, equal } from "../wire/bytes.ts";
import type { Flaw, KeptRoom } from "./keepers.ts";

/** A room as it is to be kept. */
export interface MergedRoom {
  /** The room. */
  readonly room: KeptRoom;
  /** Whether the log is as the one who keeps it now has it, where the two differ. */
  readonly isAsGiven: boolean;
}

/**
 * The room to keep where `kept` is there already and `given` is to be kept. The log that reaches further wins, unless
 * one of the two knows that entries were cut off or rewritten and the other does not: then what came after that holds.
 * `hashAt` tells the hash of a kept entry.
 */
export function mergedRoom(
  kept: KeptRoom,
  given: KeptRoom,
  hashAt: (sequence: number) => Bytes | undefined,
): MergedRoom {
  const isNewHere = turnsBack(given.flaws, kept.flaws);
  const isNewThere = turnsBack(kept.flaws, given.flaws);
  const isAsGiven = isNewHere || !isNewThere && given.head.sequence >= kept.head.sequence;
  const [winner, other] = isAsGiven ? [given, kept] : [kept, given];
  const isOneLog = !isNewHere && !isNewThere && leadsTo(other, winner, hashAt);
  return {
    room: {
      ...winner,
      label: given.label,
      base: isOneLog ? other.base : winner.base,
      read: Math.max(kept.read, given.read),
      flaws: allFlaws(kept.flaws, given.flaws),
    },
    isAsGiven,
  };
}

/** Whether the one list has a flaw for which a log goes back, that the other has not. */
function turnsBack(flaws: readonly Flaw[], others: readonly Flaw[]): boolean {
  const turning = flaws.filter(({ kind }) => kind === "cutBack" || kind === "rewritten");
  return allFlaws(others, turning) !== others;
}

/** Whether the chain of `earlier` leads from further back to where that of `later` begins. */
function leadsTo(
  earlier: KeptRoom,
  { base }: KeptRoom,
  hashAt: (sequence: number) => Bytes | undefined,
): boolean {
  if (earlier.base.sequence >= base.sequence || base.sequence > earlier.head.sequence) return false;
  const hash = base.sequence === earlier.head.sequence ? earlier.head.hash : hashAt(base.sequence);
  return hash !== undefined && equal(hash, base.hash);
}
