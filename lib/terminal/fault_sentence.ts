/**
 * What a person reads where the server did not do what was asked.
 *
 * @module
 */

import { visible } from "../text/visible.ts";
import { FAULT_CODES, type FaultCode } from "../wire/message.ts";

/** A fault as far as its sentence tells of it. */
export interface FaultFacts {
  /** Why it was not done. */
  readonly code: FaultCode;
  /** The room it was to be done in, where it was one. */
  readonly room?: string | undefined;
  /** What was to be said, or the name of the file. */
  readonly text?: string | undefined;
  /** Milliseconds after which it may be tried again. */
  readonly wait?: number | undefined;
}

/** Characters of a lost text that are told: columns are precious, and so is the knowledge of what was lost. */
const LOST_CHARS_SHOWN_MAX = 100;

const COME_IN = "come in";

/** Each as what could not be done, why, and what to do; the room, where there is one, comes behind the first. */
const FAULTS: Readonly<Record<FaultCode, readonly [what: string, why: string]>> = {
  noSuchRoom: ["do that", "there is no such room, or none that you may know of; /rooms and /list show rooms"],
  notMember: ["do that", "you are not in that room; /join it first"],
  notAllowed: ["do that", "your role there does not allow it; ask an owner or operator of the room"],
  muted: ["speak", "you are muted there; ask an owner or operator of the room"],
  banned: [COME_IN, "you are banned there; ask an owner or operator of the room"],
  private: [COME_IN, "the room is private; /knock and wait for an answer, or be invited"],
  lockdown: ["do that", "only operators speak and nobody comes in for the time being; try again later"],
  slowMode: ["speak so soon", "the room is in slow mode; try again"],
  tooFast: ["do that", "it was too much in a short time; try again"],
  nameTaken: ["use that name", "another room has it, or one that looks like it; choose another"],
  noSuchPerson: ["do that", "there is no such person, or not there; /names shows who is in a room"],
  blocked: ["send that", "this person takes no messages from you; leave it at that"],
  notAccepted: ["send more", "this person has not taken up the conversation; wait until that is so"],
  noSuchEntry: ["do that", "the message is not there, or another than the one known here; look at /history"],
  unchanged: ["do that", "it is so already; nothing is left to do"],
  badEntry: ["do that", "the server finds the entry at fault; bring this program up to date"],
  idTaken: ["do that", "the server has another entry of that id; do it again"],
  notStored: ["do that", "the server cannot store anything at the moment; try again, and tell its operator"],
  limitReached: ["do that", "a limit of the server is reached; make room first, or ask its operator"],
  noSuchFile: ["fetch the file", "it has expired or was never all there; ask for it anew"],
  quota: ["put the file there", "it is larger than what may still be kept; delete others first"],
  badFile: ["take the file", "its octets are not those that were announced; put it anew"],
  badList: ["change your devices", "the server finds the list at fault; look at /devices and try again"],
  staleList: [
    "change your devices",
    "another device changed them meanwhile; look at /devices and try again",
  ],
  noRecovery: ["recover", "the account has no recovery code; have a device approved instead"],
  noSuchRequest: ["approve", "no device of that name waits for it any more; start there again"],
};

/** The sentence of a fault, safe for a terminal and of one line. */
export function faultSentence({ code, room, text, wait }: FaultFacts): string {
  // A code that a later server invents is a peer's text, too.
  const [what, why] = FAULT_CODES.includes(code)
    ? FAULTS[code]
    : ["do that", `the server says ${visible(code)}; bring this program up to date`];
  // Into a room, and not in in one.
  const preposition = what === COME_IN ? "to " : " in ";
  const there = room === undefined ? "" : `${preposition}${visible(room)}`;
  const pause = wait === undefined ? "" : ` in ${Math.ceil(wait / 1_000)} s`;
  return `Cannot ${what}${there}: ${why}${pause}${lostWords(text)}`;
}

/** `sentence` of what was refused here, safe for a terminal, with what was to be said, where it was something. */
export function refusalSentence(sentence: string, text: string | undefined): string {
  const shown = visible(sentence);
  return text === undefined ? shown : `${shown.replace(/\.$/, "")}${lostWords(text)}`;
}

function lostWords(text: string | undefined): string {
  return text === undefined ? "" : ` (not sent: ${lostText(text)})`;
}

/** What is told of a text that was lost, or is not yet there. */
export function lostText(text: string): string {
  return visible(text.slice(0, LOST_CHARS_SHOWN_MAX)) + (text.length > LOST_CHARS_SHOWN_MAX ? "…" : "");
}
