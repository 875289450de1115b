/**
 * What a person reads of each event. Every word that came from a peer passes the sanitiser here, and nowhere
 * else does the line mode print one.
 *
 * @module
 */

import type { ClientEvent, ConnectionState, DeviceLine, RoomFacts } from "../client/event.ts";
import type { Flaw } from "../client/keepers.ts";
import { visible, visibleLines } from "../text/visible.ts";
import { faultSentence, lostText } from "./fault_sentence.ts";
import type { Line, Span, Style } from "./layout.ts";
import { deedLines, type LogEvent } from "./log_phrase.ts";
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

/** How messages are told. */
export interface PhraseOptions {
  /** Whether every message has its number; else those have it that were asked for or have a file. */
  readonly numbers?: boolean;
  /** Whether nobody comes into the room of the event without a word of its operators. */
  readonly isPrivate?: boolean;
  /** From which number on the server says that the room was restored from a backup. */
  readonly restoredFrom?: number | undefined;
  /** Whether what has no place yet is known not to have been sent. */
  readonly isUnsent?: boolean;
}

/** Characters of the message that another one answers, as a reminder of it. */
const REMINDER_CHARS_MAX = 30;

/** Behind the name of whom `/verify` was said of; no name may hold it (lib/text/display_name.ts). */
const VERIFIED_SIGN = "✓";

const STATES: Readonly<Record<ConnectionState, string>> = {
  connecting: "Connecting",
  ready: "Connected",
  closed: "Connection closed",
  cut: "Connection cut",
  waiting: "Waiting to connect again",
};

/** What ended a connection, where a program's word for it is not a person's. */
const ENDS: Readonly<Record<string, string>> = {
  accountClosed: "the account was disabled, banned or removed",
  deviceRevoked: "this device was revoked by another of yours",
};

/** Octets of each unit that sizes are told in. */
const SIZE_UNITS = [["GB", 1e9], ["MB", 1e6], ["kB", 1e3]] as const;

/**
 * The times of day of this machine's time zone; `--:--:--` where a peer made up a time that no calendar has.
 */
export function localClock(time: number): string {
  const date = new Date(time);
  if (Number.isNaN(date.getTime())) return "--:--:--";
  return [date.getHours(), date.getMinutes(), date.getSeconds()]
    .map((part) => String(part).padStart(2, "0")).join(":");
}

/**
 * The days of this machine's time zone, as `2026-11-20`; the empty text where a peer made up a time that no calendar has.
 */
export function localDay(time: number): string {
  const date = new Date(time);
  if (Number.isNaN(date.getTime())) return "";
  return [date.getFullYear(), date.getMonth() + 1, date.getDate()]
    .map((part) => String(part).padStart(2, "0")).join("-");
}

/** What a person reads of `event`; `undefined` where it says nothing that was not said already. */
export function phraseOf(
  event: ClientEvent,
  clock: Clock,
  { numbers = false, isPrivate = false, restoredFrom, isUnsent = false }: PhraseOptions = {},
): Phrase | undefined {
  switch (event.type) {
    case "message":
      return said(messageLines(event, clock, numbers));
    case "log":
      return logPhrase(event, clock, numbers);
    case "presence":
      return said([presenceLine(event, clock)]);
    case "typing":
      return event.on ? said([told(`${visible(event.handle)} is writing`, "dim")]) : undefined;
    case "delivery":
      return said([told(`${visible(event.room)} * ${deliveryWords(event)}`, "dim")]);
    case "room":
      return roomPhrase(event);
    case "rooms":
      return said([
        told(event.rooms.length === 0 ? "you are in no room" : "your rooms:", "dim"),
        ...event.rooms.map((room) => dim(roomWords(room))),
      ]);
    case "directory":
      return said(directoryLines(event));
    case "members":
      return said(memberLines(event));
    case "page":
      return said([pageLine(event)]);
    case "integrity":
      return said(integrityLines(event, restoredFrom));
    case "file":
      return said([told(fileWords(event), event.failure === undefined ? "dim" : "doubtful")]);
    case "gone":
      return said([told(goneWords(event, isPrivate), "doubtful")]);
    case "request":
      return said(requestLines(event));
    case "ack":
      return undefined;
    case "keys":
      return said([keysLine(event)]);
    case "approval":
      return said(approvalLines(event));
    case "devices":
      return said([told("your devices:", "dim"), ...event.devices.map(deviceLine)]);
    case "person":
      return said(personLines(event));
    case "done":
      return notice(visible(event.what));
    case "fault":
      return notice(faultSentence(event));
    case "state":
      return notice(stateSentence(event));
    case "queued":
      return notice(queuedSentence(event));
    case "unacknowledged":
      return notice(unacknowledgedSentence(event, isUnsent));
  }
}

type EventOf<Type extends ClientEvent["type"]> = Extract<ClientEvent, { type: Type }>;

function said(lines: readonly Line[]): Phrase {
  return { kind: "said", lines };
}

function notice(sentence: string): Phrase {
  return { kind: "notice", sentence };
}

function messageLines(event: EventOf<"message">, clock: Clock, numbers: boolean): Line[] {
  const numbered = numbers || event.history || event.kind === "file";
  const head: Span[] = [
    {
      text: `${clock(event.time)} ${visible(event.room)} ${numbered ? `#${event.sequence} ` : ""}`,
      style: "dim",
    },
    ...speaker(event),
    ...answered(event),
  ];
  const lines = saidLines(event);
  return lines.map((text, at) => {
    const spans: Span[] = at === 0 ? [...head] : [];
    spans.push({ text, style: "plain" });
    if (at === lines.length - 1) spans.push(...changes(event), ...mark(event));
    return spans;
  });
}

function saidLines({ text, file, deletedBy }: EventOf<"message">): string[] {
  if (deletedBy !== undefined) return [`(deleted by ${visible(deletedBy)})`];
  return file === undefined
    ? visibleLines(text)
    : [`(file ${quotedName(file.name)}, ${sizeWords(file.size)})`];
}

/** What became of a message since it was said. */
function changes({ edited, deletedBy, reactions }: EventOf<"message">): Span[] {
  if (deletedBy !== undefined) return [];
  const counted = reactions.map(({ reaction, by }) => `${visible(reaction)} ${by.length}`).join(", ");
  return [edited ? " (edited)" : "", counted === "" ? "" : ` (${counted})`]
    .map((text) => ({ text, style: "dim" as const }));
}

function answered({ about }: EventOf<"message">): Span[] {
  if (about === undefined) return [];
  const who = about.from === undefined ? "" : ` ${visible(about.from)}`;
  const what = about.text === undefined ? "" : `: ${visible(about.text.slice(0, REMINDER_CHARS_MAX))}` +
    (about.text.length > REMINDER_CHARS_MAX ? "…" : "");
  return [{ text: `(re #${about.sequence}${who}${what}) `, style: "dim" }];
}

function logPhrase(event: LogEvent, clock: Clock, numbers: boolean): Phrase | undefined {
  const lines = deedLines(event);
  if (lines === undefined) return undefined;
  const number = numbers || event.history ? `#${event.sequence} ` : "";
  const doubt = event.what?.kind === "edit" || event.reason !== undefined ? mark(event) : [];
  return said(lines.map((text, at) => [
    {
      text: at === 0 ? `${clock(event.time)} ${visible(event.room)} ${number}* ${text}` : text,
      style: "dim",
    },
    ...at === lines.length - 1 ? doubt : [],
  ]));
}

/**
 * Between the angle brackets stands nothing that somebody without an account chose: a guest of the bridge could call
 * itself by two names and a message.
 */
function speaker({ source, from, display, trust, own }: EventOf<"message">): Span[] {
  if (source === "server") return [{ text: "* the server: ", style: "name" }];
  const name = source === "bridge" ? "bridge" : personName(from, display);
  return [
    {
      text: `<${trust === "verified" ? `${name} ${VERIFIED_SIGN}` : name}>`,
      style: own ? "ownName" : "name",
    },
    { text: source === "bridge" ? ` ${visible(from)}: ` : " ", style: "plain" },
  ];
}

/** What the host key signs has none: it is what the server says, which the channel proves. */
function mark({ source, verified, reason }: EventOf<"message"> | LogEvent): Span[] {
  const unmarked = source === "console" || source === "server";
  if (unmarked && !verified && reason === undefined) return [];
  const doubt = reason ?? (source === "bridge" ? "bridged" : undefined);
  const shown: Span = verified
    ? { text: "☒", style: "good" }
    : { text: doubt === undefined ? "☐" : `☐ ${visible(doubt)}`, style: "doubtful" };
  return [{ text: " ", style: "plain" }, shown];
}

function presenceLine(event: EventOf<"presence">, clock: Clock): Line {
  const names = event.names.map(visible).join(", ");
  const change = event.change === "here" ? `here: ${names}` : `${names} ${presenceWords(event.change)}`;
  const text = event.text === undefined ? "" : `: ${visible(event.text)}`;
  return dim(`${clock(event.time)} * ${change}${text}`);
}

function presenceWords(change: Exclude<EventOf<"presence">["change"], "here">): string {
  return `is ${visible(change)}`;
}

function deliveryWords({ sequence, state }: EventOf<"delivery">): string {
  return state === "read" ? `read up to #${sequence}` : `delivered up to #${sequence}`;
}

function roomPhrase(event: EventOf<"room">): Phrase | undefined {
  if (event.standing !== "member" || event.news === "changed") return undefined;
  if (event.news === "joined") return said([told(`you are in ${roomWords(event)}`, "dim")]);
  // At the beginning only what there is to know: with many rooms it would be many lines.
  return event.unread === 0 && event.settings.topic === ""
    ? undefined
    : said([told(roomWords(event), "dim")]);
}

/** A room with all that is unusual about it. */
function roomWords({ room, kind, standing, role, settings, members, unread }: RoomFacts): string {
  const name = visible(room);
  switch (standing) {
    case "invited":
      return `${name}: you are invited; /join ${name}`;
    case "knocking":
      return `${name}: you have asked to come in`;
    case "requested":
      return `${name} asks to talk to you; /allow ${name} or /deny ${name}`;
  }
  const { visibility, slow, lockdown, retention, topic } = settings;
  return [
    role === undefined || role === "member" ? name : `${name} (${visible(role)})`,
    ...(kind === "direct" ? [] : [count(members, "person", "people")]),
    ...(kind === "direct" || visibility === "public" ? [] : [visible(visibility)]),
    ...(lockdown ? ["locked down"] : []),
    ...(slow === 0 ? [] : [`slow mode ${slow} s`]),
    ...(retention === 0 ? [] : [`kept for ${count(retention, "day", "days")}`]),
    ...(unread === 0 ? [] : [`${unread} unread`]),
    ...(topic === "" ? [] : [`topic: ${visible(topic)}`]),
  ].join(", ");
}

function directoryLines({ rooms }: EventOf<"directory">): Line[] {
  const title = rooms.length === 0
    ? "there are no rooms that anybody may join; /create #NAME makes one"
    : "rooms that anybody may join:";
  return [
    told(title, "dim"),
    ...rooms.map(({ room, topic, members }) =>
      dim(
        [visible(room), count(members, "person", "people"), ...(topic === "" ? [] : [visible(topic)])].join(
          ", ",
        ),
      )
    ),
  ];
}

function memberLines({ room, members }: EventOf<"members">): Line[] {
  const lines = (["online", "away", "offline"] as const).flatMap((state) => {
    const names = members.filter((member) => member.state === state).map(({ handle, role }) =>
      role === "member" ? visible(handle) : `${visible(handle)} (${visible(role)})`
    );
    return names.length === 0 ? [] : [dim(`${state}: ${names.sort().join(", ")}`)];
  });
  return [told(`${visible(room)}, ${count(members.length, "person", "people")}:`, "dim"), ...lines];
}

function pageLine({ room, first, last, more }: EventOf<"page">): Line {
  const name = visible(room);
  if (first === undefined || last === undefined) return told(`${name}: there is nothing`, "dim");
  const range = first === last ? `#${first}` : `#${first} to #${last}`;
  return told(`${name} ${range}${more ? "; /more shows what came before" : ", from the beginning"}`, "dim");
}

function integrityLines(
  { room, from, upTo, flaws }: EventOf<"integrity">,
  restoredFrom: number | undefined,
): Line[] {
  const name = visible(room);
  if (flaws.length === 0) {
    const range = upTo < from ? "" : ` from #${from} to #${upTo}`;
    return [told(`${name} is complete${range}: every entry is there, in its place, and genuine`, "good")];
  }
  return [
    told(`${name} is NOT as it was written, of what was read up to #${upTo}:`, "doubtful"),
    ...flaws.map((flaw): Line => [{ text: flawWords(flaw), style: "doubtful" }]),
    [{
      text: restoredFrom === undefined
        ? "The server has lost data or deceives somebody; ask its operator"
        : `The server says that a backup was restored, which holds what was said up to #${restoredFrom}; ` +
          "ask its operator whether that is so, for else it deceives somebody",
      style: "doubtful",
    }],
  ];
}

function flawWords({ kind, from, to }: Flaw): string {
  const range = from === to ? `#${from}` : `#${from} to #${to}`;
  const means = FLAWS[kind];
  return means === undefined ? `${range}: ${visible(kind)}` : `${kind} ${range}: ${means}`;
}

const FLAWS: Readonly<Record<string, string>> = {
  missing: "the server does not give these entries",
  rewritten: "what it gives there does not follow on what it gave before",
  forked: "somebody else has seen another entry there",
  withheld: "what was said there is missing, and nobody who may has deleted it",
  cutBack: "the log ends before that, though the server has given these entries",
};

function fileWords(
  { way, room, name, bytes, size, done, path, failure }: EventOf<"file">,
): string {
  const file = quotedName(name);
  if (failure !== undefined) return `${file}: ${visible(failure)}`;
  if (done) {
    return way === "put" ? `${file} is in ${visible(room)}` : `${file} is here: ${visible(path ?? "")}`;
  }
  const share = size === 0 ? 100 : Math.floor(bytes / size * 100);
  return `${file} ${way === "put" ? "to" : "from"} ${visible(room)}: ${share} % of ${sizeWords(size)}`;
}

function sizeWords(octets: number): string {
  const [unit, size] = SIZE_UNITS.find(([, size]) => octets >= size) ?? ["octets", 1];
  return `${Number((octets / size).toFixed(1))} ${unit}`;
}

function goneWords({ room, why }: EventOf<"gone">, isPrivate: boolean): string {
  const name = visible(room);
  switch (why) {
    case "parted":
      return `you have left ${name}`;
    case "kicked":
      return isPrivate
        ? `you were put out of ${name}; /knock ${name} asks to come back`
        : `you were put out of ${name}; /join ${name} comes back`;
    case "banned":
      return `you were banned from ${name}`;
    case "denied":
      // Of two, whoever was asked is told: on all of their devices it is they who have refused.
      return room.startsWith("@")
        ? `you refused the conversation with ${name.slice(1)}`
        : `you were not let into ${name}`;
    case "uninvited":
      return `your invitation to ${name} was taken back`;
    default:
      return `you are no longer in ${name}: ${visible(why)}`;
  }
}

function requestLines({ asks, room, handle, words }: EventOf<"request">): Line[] {
  const name = visible(room);
  const who = handle === undefined ? "somebody" : visible(handle);
  switch (asks) {
    case "invited":
      return [told(`${who} invites you to ${name}; /join ${name} takes that up`, "name")];
    case "knocking":
      return [told(`${who} asks to come into ${name}; /allow ${who} or /deny ${who}`, "name")];
    case "requested":
      return [
        told(`${who} asks to talk to you; /allow ${name} takes that up, /deny ${name} refuses it`, "name"),
        ...(words.length === 0 ? [] : [dim(`To be sure who it is, compare these words with ${who} first:`)]),
        ...wordLines(words),
      ];
    default:
      return [told(`${who} asks for something in ${name}: ${visible(asks)}`, "name")];
  }
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

function queuedSentence({ room, text, wait }: EventOf<"queued">): string {
  const shown = `${visible(room)}: ${lostText(text)}`;
  return wait === undefined
    ? `Kept until there is a connection, for ${shown}`
    : `Kept for ${Math.ceil(wait / 1_000)} s (slow mode), for ${shown}`;
}

function unacknowledgedSentence({ room, text }: EventOf<"unacknowledged">, isUnsent: boolean): string {
  const name = visible(room);
  const what = isUnsent
    ? `Not sent yet to ${name}: there is no connection`
    : `Cannot say whether this arrived in ${name}: there is no connection`;
  return `${what}; it is kept, and sent when you start again: ${lostText(text)}`;
}

function stateSentence({ state, detail }: { state: ConnectionState; detail: string | undefined }): string {
  const sentence = STATES[state];
  if (detail === undefined) return sentence;
  return `${sentence}: ${Object.hasOwn(ENDS, detail) ? ENDS[detail] : visible(detail)}`;
}

function count(number: number, one: string, many: string): string {
  return `${number} ${number === 1 ? one : many}`;
}
