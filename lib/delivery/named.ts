/**
 * Whom entries name: whoever is told one needs the keys of all of them.
 *
 * @module
 */

import type { Handle } from "../text/handle.ts";
import { decodeBody, type EntryBody, type EntryKind } from "../wire/entry_body.ts";
import type { Logged } from "../wire/message.ts";

/** Whom an entry is about. */
export function subjectsOf(what: EntryBody): readonly Handle[] {
  switch (what.kind) {
    case "membership":
    case "moderation":
    case "keys":
      return "handle" in what.body && what.body.handle !== undefined ? [what.body.handle] : [];
    case "room":
      return "with" in what.body ? [what.body.with] : [];
    default:
      return [];
  }
}

/** Kinds whose bodies name people; the others are not read for that, since they are many and long. */
const NAMING: readonly EntryKind[] = ["membership", "moderation", "keys", "room"];

/** Who has written an entry, and whom it is about as far as that was not erased. */
export function namedIn({ from, kind, content }: Logged): readonly Handle[] {
  const what = content !== undefined && NAMING.includes(kind) ? decodeBody(kind, content.body) : undefined;
  const subjects = what === undefined ? [] : subjectsOf(what);
  return from === undefined ? subjects : [from, ...subjects];
}
