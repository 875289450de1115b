/**
 * What a person reads of each event. Every word that came from a peer passes the sanitiser here, and nowhere
 * else does the line mode print one.
 *
 * @module
 */

import type { ClientEvent, ConnectionState, DeviceLine } from "../client/event.ts";
import { visible, visibleLines } from "../text/visible.ts";
import { FAULT_CODES, type FaultCode } from "../wire/message.ts";
import type { Line, Span, Style } from "./layout.ts";
import { personName, quotedName } from "./names.ts";
import { wordRows } from "./word_rows.ts";

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

/** Behind the name of whom `/verify` was said of; no name may hold it (lib/text/display_name.ts). */
const VERIFIED_SIGN = "✓";

const STATES: Readonly<Record<ConnectionState, string>> = {
  connecting: "Connecting",
  ready: "Connected",
  closed: "Connection closed",
  cut: "Connection cut",
};

const FAULTS: Readonly<Record<FaultCode, string>> = {
  alreadyJoined: "Cannot join: the server has let you in already; go on",
  notJoined: "Cannot send: the server has not let you in; connect again",
  noSuchRoom: "Cannot send: the server has no such room; use #lobby",
  badList: "Cannot change your devices: the server finds the list at fault; look at /devices and try again",
  staleList:
    "Cannot change your devices: another device changed them meanwhile; look at /devices and try again",
  noRecovery: "Cannot recover: the account has no recovery code; have a device approved instead",
  noSuchRequest: "Cannot approve: no device of that name waits for it any more; start there again",
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
    case "keys":
      return { kind: "said", lines: [keysLine(event)] };
    case "approval":
      return { kind: "said", lines: approvalLines(event) };
    case "devices":
      return { kind: "said", lines: [told("your devices:", "dim"), ...event.devices.map(deviceLine)] };
    case "person":
      return { kind: "said", lines: personLines(event) };
    case "done":
      return { kind: "notice", sentence: visible(event.what) };
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

type EventOf<Type extends ClientEvent["type"]> = Extract<ClientEvent, { type: Type }>;

function messageLines(event: EventOf<"message">, clock: Clock): Line[] {
  const { name, said } = speaker(event);
  const head: Span[] = [
    { text: `${clock(event.time)} ${visible(event.room)} `, style: "dim" },
    { text: `<${name}>`, style: event.own ? "ownName" : "name" },
    { text: ` ${said}`, style: "plain" },
  ];
  const lines = visibleLines(event.text);
  return lines.map((text, at) => {
    const spans: Span[] = at === 0 ? [...head] : [];
    spans.push({ text, style: "plain" });
    if (at === lines.length - 1) spans.push(...mark(event));
    return spans;
  });
}

/**
 * Between the angle brackets stands nothing that somebody without an account chose: a guest of the bridge could call
 * itself by two names and a message.
 */
function speaker({ source, from, display, trust }: EventOf<"message">): { name: string; said: string } {
  if (source === "bridge") return { name: "bridge", said: `${visible(from)}: ` };
  const name = personName(from, display);
  return { name: trust === "verified" ? `${name} ${VERIFIED_SIGN}` : name, said: "" };
}

/** The operator's lines have none: they are what the server says, which the channel proves. */
function mark({ source, verified, reason }: EventOf<"message">): Span[] {
  if (source === "console" && !verified && reason === undefined) return [];
  const shown: Span = verified
    ? { text: "☒", style: "good" }
    : { text: reason === undefined ? "☐" : `☐ ${visible(reason)}`, style: "doubtful" };
  return [{ text: " ", style: "plain" }, shown];
}

function presenceLine(event: EventOf<"presence">, clock: Clock): Line {
  const names = event.names.map(visible).join(", ");
  const change = event.change === "here" ? `here: ${names}` : `${names} ${visible(event.change)}`;
  return [{ text: `${clock(event.time)} ${visible(event.room)} * ${change}`, style: "dim" }];
}

/** What anybody has to look into stands out from what is merely to be known. */
function keysLine({ handle, news, detail }: EventOf<"keys">): Line {
  const who = visible(handle);
  const what = detail === undefined ? "one" : quotedName(detail);
  switch (news) {
    case "deviceAdded":
      return told(`${who} has a new device: ${what}`, "dim");
    case "deviceRevoked":
      return told(`${who} has revoked a device: ${what}`, "dim");
    case "renamed":
      return told(
        detail === undefined || detail === ""
          ? `${who} has no display name now`
          : `${who} is now called ${what}`,
        "dim",
      );
    case "identityChanged":
      return told(
        `The identity of ${who} has changed: this is somebody else, or ${who} has lost all devices; ` +
          `compare the words of /whois ${who}, then /accept ${who}`,
        "doubtful",
      );
    case "listRefused":
      return told(
        `The server shows devices of ${who} that do not follow from those known here, so it has lost data or ` +
          "deceives somebody; ask its operator",
        "doubtful",
      );
    default:
      // News that a later release invents is a peer's text, too.
      return told(`${who}: ${visible(news)}`, "doubtful");
  }
}

function approvalLines({ name, words }: EventOf<"approval">): Line[] {
  return [
    told(
      `A device that calls itself ${quotedName(name)} asks to be one of yours. If it is yours, it shows:`,
      "doubtful",
    ),
    ...wordLines(words),
    dim(
      `Only where it shows these words: /approve ${
        quotedName(name)
      }. Where none of yours asks, somebody knows ` +
        "your password: end, and change it by: sotto password",
    ),
  ];
}

function personLines({ handle, display, words, trust, devices }: EventOf<"person">): Line[] {
  const who = visible(handle);
  return [
    told(
      `${personName(handle, display)}: ${trustWords(trust, who)}`,
      trust === "changed" ? "doubtful" : "dim",
    ),
    ...(trust === "own" ? [] : wordLines(words)),
    ...devices.map(deviceLine),
  ];
}

function trustWords(trust: EventOf<"person">["trust"], who: string): string {
  switch (trust) {
    case "own":
      return "this is you";
    case "seen":
      return `not verified; compare these words with ${who} by another way, then /verify ${who}`;
    case "verified":
      return "verified by these words";
    case "changed":
      return `THE IDENTITY HAS CHANGED; compare these words with ${who} by another way, then /accept ${who}`;
    default:
      return visible(trust);
  }
}

function deviceLine({ name, added, revoked, here }: DeviceLine): Line {
  const until = revoked === undefined ? "" : `, revoked ${day(revoked)}`;
  return dim(`${quotedName(name)} since ${day(added)}${until}${here ? ", this one" : ""}`);
}

function wordLines(words: readonly string[]): Line[] {
  return wordRows(words).map((text) => [{ text, style: "plain" }]);
}

/** The day, the same wherever it is read. */
function day(time: number): string {
  const date = new Date(time);
  return Number.isNaN(date.getTime()) ? "a day that no calendar has" : date.toISOString().slice(0, 10);
}

/** A line between messages, which no message looks like. */
function told(text: string, style: Style): Line {
  return [{ text: `* ${text}`, style }];
}

function dim(text: string): Line {
  return [{ text, style: "dim" }];
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
