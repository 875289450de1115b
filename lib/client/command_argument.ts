/**
 * What may follow a command's word: how each part is called, and what it means.
 *
 * @module
 */

import { lastingOf } from "./typed_time.ts";
import { quoted } from "./request_schema.ts";

/** What a command is typed into: what its parts may refer to. */
export interface Scene {
  /** The room that one is in at the moment. */
  readonly room: string;
  /** The present time, in milliseconds since 1970. */
  readonly now: number;
  /** The messages of that room that were shown last, newest last. */
  readonly shown: readonly { readonly sequence: number; readonly own: boolean }[];
  /** Where that person has asked for something that was not answered yet: to come in, or to talk to oneself. */
  readonly askedAt: (handle: string) => string | undefined;
}

/** What a part means. */
export type Meaning =
  /** Fields of a request, to be judged by the schema of requests. */
  | { readonly kind: "fields"; readonly fields: Readonly<Record<string, unknown>> }
  /** The end of a sentence that begins "Cannot do …:". */
  | { readonly kind: "misfit"; readonly why: string };

/** One part of what follows a command's word. */
export interface Argument {
  /** As help shows it, in capitals, or the words to choose from. */
  readonly shown: string;
  /** Whether it is one word, or all that is left of the line. */
  readonly extent: "word" | "rest";
  /** Whether it may be missing. */
  readonly optional: boolean;
  /** Whether `text` is meant to be it; of an optional part that others follow. */
  readonly claims: (text: string) => boolean;
  /** What `text` means; never empty. */
  readonly read: (text: string, scene: Scene) => Meaning;
}

/** A person; many people write `@` before a name. */
export const NAME = word("NAME", (text) => ({ handle: text.replace(/^@/, "") }));

/** Whoever asked for something: the place is where that was, and with `@` one's direct conversation. */
export const ASKER = word("NAME", (text, { askedAt, room }) => {
  const handle = text.replace(/^@/, "");
  return { handle, room: text.startsWith("@") ? text : askedAt(handle) ?? room };
});

/** A message by its number, or by how many of those shown last it is back. */
export const NUMBER = numberOf(() => true);

/** The same, but that only one's own are counted back: of a message that nobody else may change. */
export const OWN_NUMBER = numberOf(({ own }) => own);

/** A room with #, which may be left out. */
export const OPEN_ROOM = word("#ROOM", (text) => ({ room: roomTyped(text) }));

/** The new name of the room that one is in. */
export const NEW_NAME = word("#ROOM", (text) => ({ name: roomTyped(text) }));

/** Any room. */
export const ROOM = word("ROOM", (text) => ({ room: roomTyped(text) }));

/** A text to be said. */
export const TEXT = rest("TEXT", (text) => ({ text }));

/** A topic; a dash takes it away. */
export const TOPIC = rest("TEXT|-", (text) => ({ topic: text === "-" ? "" : unquoted(text) }));

/** Why something is done. */
export const REASON = rest("REASON", (text) => ({ reason: text }));

/** How long something lasts. Whatever begins with a digit is meant to be one. */
export const TIME: Argument = {
  ...word("TIME", () => ({})),
  claims: (text) => /^\d/.test(text),
  read: (text) => {
    const lasting = lastingOf(text);
    if (lasting === undefined) return misfit(`"${quoted(text)}" is no time such as 30m, 2h or 7d`);
    return { kind: "fields", fields: { lasting } };
  },
};

/** One reaction. */
export const EMOJI = word("EMOJI", (text) => ({ reaction: text }));

/** A path, which may have blanks. */
export const PATH = rest("PATH", (text) => ({ path: unquoted(text) }));

/** A name of one's own, in which there may be blanks. */
export const DEVICE = rest("NAME", (text) => ({ name: unquoted(text) }));

/** A display name. */
export const DISPLAY = rest("TEXT", (text) => ({ display: unquoted(text) }));

/** On or off. */
export const ON = choice({ on: { on: true }, off: { on: false } });

/** Who may come in. */
export const VISIBILITY = choice({ public: { visibility: "public" }, private: { visibility: "private" } });

/** What somebody may do. */
export const ROLE = word("ROLE", (text) => ({ role: text.toLowerCase() }));

/** What newcomers may read. */
export const NEWCOMERS = counted("none|N|all", { none: 0, all: "all" }, "history");

/** Days, or none. */
export const DAYS = counted("DAYS|off", { off: 0 }, "days", /d$/);

/** Seconds, or none. */
export const SECONDS = counted("SECONDS|off", { off: 0 }, "seconds", /s$/);

/** `argument`, which may be missing. */
export function optional(argument: Argument): Argument {
  return { ...argument, optional: true };
}

/** How `argument` stands in help. */
export function shownArgument({ shown, optional }: Argument): string {
  return optional ? `[${shown}]` : shown;
}

/** What the parts of `text` mean together, one after the other. */
export function readArguments(args: readonly Argument[], text: string, scene: Scene): Meaning {
  if (args.length === 0 && text !== "") return misfit("nothing may follow it");
  let fields: Readonly<Record<string, unknown>> = {};
  let left = text;
  for (const { shown, extent, optional, claims, read } of args) {
    const part = extent === "rest" ? left : left.split(/\s/, 1)[0] ?? "";
    if (part === "" && !optional) return misfit(`${shown} is missing`);
    if (part === "" || optional && !claims(part)) continue;
    const meaning = read(part, scene);
    if (meaning.kind === "misfit") return meaning;
    fields = { ...fields, ...meaning.fields };
    left = left.slice(part.length).trim();
  }
  return left === "" ? { kind: "fields", fields } : misfit(`${args.at(-1)?.shown ?? ""} is one word`);
}

/** `why` it does not fit. */
function misfit(why: string): Meaning {
  return { kind: "misfit", why };
}

/** A room as people type it, # being the usual beginning. */
function roomTyped(text: string): string {
  return /^[#@]/.test(text) ? text : `#${text}`;
}

type Fields = (text: string, scene: Scene) => Readonly<Record<string, unknown>>;

function word(shown: string, fields: Fields): Argument {
  return {
    shown,
    extent: "word",
    optional: false,
    claims: () => true,
    read: (text, scene) => ({ kind: "fields", fields: fields(text, scene) }),
  };
}

function rest(shown: string, fields: Fields): Argument {
  return { ...word(shown, fields), extent: "rest" };
}

function choice(choices: Readonly<Record<string, Readonly<Record<string, unknown>>>>): Argument {
  const words = new Map(Object.entries(choices));
  const shown = Array.from(words.keys()).join("|");
  return {
    ...word(shown, () => ({})),
    read: (text) => {
      const fields = words.get(text.toLowerCase());
      return fields === undefined ? misfit(`"${quoted(text)}" is not ${shown}`) : { kind: "fields", fields };
    },
  };
}

function counted(
  shown: string,
  words: Readonly<Record<string, unknown>>,
  field: string,
  unit = /$/,
): Argument {
  const known = new Map(Object.entries(words));
  return {
    ...word(shown, () => ({})),
    read: (text) => {
      const meant = known.get(text.toLowerCase());
      if (meant !== undefined) return { kind: "fields", fields: { [field]: meant } };
      const digits = text.replace(unit, "");
      if (!/^\d{1,15}$/.test(digits)) return misfit(`"${quoted(text)}" is not ${shown}`);
      return { kind: "fields", fields: { [field]: Number(digits) } };
    },
  };
}

function numberOf(counts: (message: Scene["shown"][number]) => boolean): Argument {
  return {
    ...word("#N", () => ({})),
    read: (text, { shown }) => {
      if (/^\^+$/.test(text)) {
        const seq = shown.filter(counts).at(-text.length)?.sequence;
        if (seq === undefined) return misfit(`no message was shown here that ${quoted(text)} could mean`);
        return { kind: "fields", fields: { seq } };
      }
      const [, digits] = /^#?(\d{1,15})$/.exec(text) ?? [];
      if (digits === undefined) return misfit(`"${quoted(text)}" is no number of a message such as #12`);
      return { kind: "fields", fields: { seq: Number(digits) } };
    },
  };
}

/** Whoever is used to a shell puts a name with blanks between quotation marks. */
function unquoted(text: string): string {
  return /^"[^"]+"$/.test(text) ? text.slice(1, -1).trim() : text;
}
