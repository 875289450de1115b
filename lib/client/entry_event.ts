/**
 * An entry of a room's log as a front end is told it.
 *
 * @module
 */

import type { Handle } from "../text/handle.ts";
import type { EntryBody } from "../wire/entry_body.ts";
import type { Logged } from "../wire/message.ts";
import type { AuthorTrust, ClientEvent, EntryFacts } from "./event.ts";
import { type Fold, said } from "./fold.ts";
import type { KeptEntry } from "./keepers.ts";

/** What a notice of the operator, and of the server, is said by; the server gives nobody these names. */
const HOST_NAMES = { console: "console", server: "server" } as const;

/** What an entry is shown with. */
export interface EntryScene {
  /** What its room is called. */
  readonly label: string;
  /** Who looks at it. */
  readonly self: Handle;
  /** What became of it since. */
  readonly fold: Fold;
  /** The entry that it is about, where that is known. */
  readonly about: Logged | undefined;
  /** Whether somebody asked for it. */
  readonly history: boolean;
  /** The author's display name, where it may be shown. */
  readonly displayOf: (handle: Handle) => string | undefined;
  /** How far an author is known whose entry verified. */
  readonly trustIn: (handle: Handle) => AuthorTrust;
}

/** The event of an entry. */
export function entryEvent(kept: KeptEntry, scene: EntryScene): ClientEvent {
  const what = said(kept.entry);
  const facts = factsOf(kept, what, scene);
  const about = aboutOf(kept.entry, scene);
  if (!isMessage(kept.entry.kind)) return { type: "log", ...facts, what, about };
  const { edits, deletedBy, reactions } = scene.fold.of(kept.entry.sequence);
  const edit = what === undefined ? undefined : edits.get(kept.entry.from ?? "");
  return {
    type: "message",
    ...facts,
    kind: kept.entry.kind,
    text: edit ?? textOf(what),
    about,
    file: what?.kind === "file"
      ? { id: what.body.file.toHex(), name: what.body.name, size: what.body.size }
      : undefined,
    edited: edit !== undefined,
    deletedBy: what === undefined
      ? deletedBy ?? (kept.entry.erasedBy === undefined ? undefined : "?")
      : undefined,
    reactions: Array.from(reactions, ([reaction, by]) => ({ reaction, by })),
  };
}

/** Whether an entry is a message of somebody else's that a person may want to read. */
export function countsAsUnread({ entry }: KeptEntry, self: Handle): boolean {
  return isMessage(entry.kind) && entry.from !== self;
}

type MessageKind = Extract<ClientEvent, { type: "message" }>["kind"];

function isMessage(kind: string): kind is MessageKind {
  return kind === "text" || kind === "reply" || kind === "file" || kind === "notice";
}

function factsOf(
  { entry, doubt, deviceName }: KeptEntry,
  what: EntryBody | undefined,
  { label, self, history, displayOf, trustIn }: EntryScene,
): EntryFacts {
  const { from, sequence, id, time } = entry;
  const isVerified = doubt === undefined && from !== undefined;
  const host = from === undefined ? hostOf(what) : undefined;
  return {
    room: label,
    sequence,
    id: id.toHex(),
    from: from ?? host?.name ?? HOST_NAMES.server,
    display: isVerified ? displayOf(from) : undefined,
    trust: isVerified ? trustIn(from) : undefined,
    source: from === undefined ? host?.source ?? "server" : "member",
    device: isVerified ? deviceName : undefined,
    own: from === self,
    time,
    verified: isVerified,
    reason: doubt ?? (host?.source === "bridge" ? "bridged" : undefined),
    history,
  };
}

function hostOf(
  what: EntryBody | undefined,
): { readonly source: "console" | "bridge" | "server"; readonly name: string } | undefined {
  if (what?.kind !== "notice") return undefined;
  const { source, name } = what.body;
  return { source, name: source === "bridge" ? name : HOST_NAMES[source] };
}

function aboutOf(
  entry: Logged,
  { about }: EntryScene,
): { sequence: number; from: string | undefined; text: string | undefined } | undefined {
  if (entry.about === undefined) return undefined;
  const what = about === undefined ? undefined : said(about);
  return {
    sequence: entry.about.sequence,
    from: about?.from,
    text: what === undefined ? undefined : textOf(what),
  };
}

function textOf(what: EntryBody | undefined): string {
  switch (what?.kind) {
    case "text":
    case "reply":
    case "notice":
      return what.body.text;
    case "file":
      return what.body.name;
    default:
      return "";
  }
}
