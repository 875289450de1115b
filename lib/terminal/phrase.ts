/**
 * What a person reads of each event. Every word that came from a peer passes the sanitiser here, and nowhere
 * else does the line mode print one.
 *
 * @module
 */

import type { ClientEvent, ConnectionState } from "../client/event.ts";
import { visible, visibleLines } from "../text/visible.ts";
import { FAULT_CODES, type FaultCode } from "../wire/message.ts";
import type { Line, Span } from "./layout.ts";

/** Gives a time, in milliseconds since 1970, as `HH:MM:SS`. */
export type Clock = (time: number) => string;

/** What an event is to a person. */
export type Phrase =
  /** Part of the conversation: standard output. */
  | { readonly kind: "said"; readonly lines: readonly Line[] }
  /** About it: standard error, or a faint line on a screen. Safe, and of one line. */
  | { readonly kind: "notice"; readonly sentence: string };

/** Columns are precious, and so is the knowledge of what was lost: as much of it as two narrow lines. */
const LOST_CHARS_SHOWN_MAX = 100;

const STATES: Readonly<Record<ConnectionState, string>> = {
  connecting: "Connecting",
  ready: "Connected",
  closed: "Connection closed",
  cut: "Connection cut",
};

const FAULTS: Readonly<Record<FaultCode, string>> = {
  nameTaken: "Cannot join: somebody here goes by that name already; use another",
  alreadyJoined: "Cannot join: the server has let you in already; go on",
  notJoined: "Cannot send: the server has not let you in; connect again",
  noSuchRoom: "Cannot send: the server has no such room; use #lobby",
};

/**
 * The times of day of this machine's time zone; `--:--:--` where a peer made up a time that no calendar has.
 */
export function localClock(time: number): string {
  const date = new Date(time);
  if (Number.isNaN(date.getTime())) return "--:--:--";
  return [date.getHours(), date.getMinutes(), date.getSeconds()]
    .map((part) => String(part).padStart(2, "0")).join(":");
}

/** What a person reads of `event`; `undefined` where it says nothing that was not said already. */
export function phraseOf(event: ClientEvent, clock: Clock): Phrase | undefined {
  switch (event.type) {
    case "message":
      return { kind: "said", lines: messageLines(event, clock) };
    case "presence":
      return { kind: "said", lines: [presenceLine(event, clock)] };
    case "ack":
      return undefined;
    case "fault":
      return { kind: "notice", sentence: faultSentence(event.code) };
    case "state":
      return { kind: "notice", sentence: stateSentence(event) };
    case "unacknowledged":
      return { kind: "notice", sentence: unacknowledgedSentence(event.text) };
  }
}

/** The sentence of a fault. */
export function faultSentence(code: FaultCode): string {
  // A code that a later server invents is a peer's text, too.
  return FAULT_CODES.includes(code) ? FAULTS[code] : `Cannot do that: the server says ${visible(code)}`;
}

function messageLines(event: Extract<ClientEvent, { type: "message" }>, clock: Clock): Line[] {
  const head: Span[] = [
    { text: `${clock(event.time)} ${visible(event.room)} `, style: "dim" },
    { text: `<${visible(event.from)}>`, style: event.own ? "ownName" : "name" },
    { text: " ", style: "plain" },
  ];
  const lines = visibleLines(event.text);
  return lines.map((text, at) => {
    const spans: Span[] = at === 0 ? [...head] : [];
    spans.push({ text, style: "plain" });
    if (at === lines.length - 1) spans.push({ text: " ", style: "plain" }, mark(event));
    return spans;
  });
}

function mark({ verified, reason }: { verified: boolean; reason: string | undefined }): Span {
  if (verified) return { text: "☒", style: "good" };
  return { text: reason === undefined ? "☐" : `☐ ${visible(reason)}`, style: "doubtful" };
}

function presenceLine(event: Extract<ClientEvent, { type: "presence" }>, clock: Clock): Line {
  const names = event.names.map(visible).join(", ");
  const change = event.change === "here" ? `here: ${names}` : `${names} ${visible(event.change)}`;
  return [{ text: `${clock(event.time)} ${visible(event.room)} * ${change}`, style: "dim" }];
}

function stateSentence({ state, detail }: { state: ConnectionState; detail: string | undefined }): string {
  const sentence = STATES[state];
  return detail === undefined ? sentence : `${sentence}: ${visible(detail)}`;
}

function unacknowledgedSentence(text: string): string {
  const shown = visible(text.slice(0, LOST_CHARS_SHOWN_MAX)) +
    (text.length > LOST_CHARS_SHOWN_MAX ? "…" : "");
  return `Cannot say whether this arrived: the connection ended before it was acknowledged; ` +
    `say it again if nobody heard it: ${shown}`;
}
