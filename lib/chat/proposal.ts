/**
 * What the rules decide on, and what comes of it. All are values: whoever asks has looked up the facts.
 *
 * @module
 */

import type { Provider } from "../crypto/port.ts";
import type { Handle } from "../text/handle.ts";
import type { Bytes } from "../wire/bytes.ts";
import type { EntryBody } from "../wire/entry_body.ts";
import type { Draft, FaultCode, Logged } from "../wire/message.ts";
import type { KeptFile } from "./file_port.ts";
import type { LogChange } from "./log_port.ts";
import type { RoomState } from "./room.ts";

/** An entry that wants a place in a room's log. Its signature was verified before, where the server does that. */
export interface Proposal {
  /** The room's id, 16 octets. */
  readonly room: Bytes;
  /** Whose connection it came by; `undefined`: the host key has signed it. */
  readonly from: Handle | undefined;
  /** The key that has signed it: the connection's device's, or the host's. */
  readonly device: Bytes;
  /** As it came. */
  readonly draft: Draft;
  /** What its body says. */
  readonly what: EntryBody;
}

/** What the rules must know besides the room, as it is at that moment. Times are milliseconds since 1970. */
export interface Facts {
  /** What the clock says; times of entries never go back all the same. */
  readonly now: number;
  /** Hashes entries. */
  readonly provider: Pick<Provider, "sha256Now">;
  /** The host key, 32 octets. */
  readonly hostKey: Bytes;
  /** The stored entry at the sequence that the draft is about, where it is about one and that is there. */
  readonly target: Logged | undefined;
  /** Of an edit: how many there are of the same entry. */
  readonly edits: number;
  /** Of a file: what is kept of it. */
  readonly file: KeptFile | undefined;
  /** When its author last said something in that room: text, reply or file; `undefined` where that is not known. */
  readonly lastSpoke: number | undefined;
  /** What rooms are made with. */
  readonly defaults: { readonly retention: number };
  /** Whether there is an account of that name. */
  readonly isAccount: (handle: Handle) => boolean;
  /** Whether a room has that name or one that looks like it. */
  readonly nameTaken: (name: string) => boolean;
  /** How many rooms an account is in; not those into which it is only asked. */
  readonly roomsOf: (handle: Handle) => number;
  /** How many invitations and requests for a conversation an account has not answered. */
  readonly asksOf: (handle: Handle) => number;
  /** Whether `by` takes no direct messages of `whom`. */
  readonly blocks: (whom: Handle, by: Handle) => boolean;
}

/** Somebody who is not in a room any more, or asked into it, with the reason they are told. */
export interface Departed {
  /** Who. */
  readonly handle: Handle;
  /** What became of them. */
  readonly why: "parted" | "kicked" | "banned" | "denied" | "uninvited";
}

/** A refusal. */
export interface Refused {
  /** Tells it from the others. */
  readonly kind: "refused";
  /** Why. */
  readonly code: FaultCode;
  /** Milliseconds after which it may be tried again, where that helps. */
  readonly wait?: number;
}

/** What the rules say of an entry that may have its place. */
export interface Permitted {
  /** Tells it from the others. */
  readonly kind: "permitted";
  /** The sequence of the entry whose content it has erased. */
  readonly erases?: number;
  /** Who is out by it. */
  readonly gone?: readonly Departed[];
}

/** An entry at its place: to be stored, then acknowledged and told. */
export interface Placed {
  /** Tells it from the others. */
  readonly kind: "placed";
  /** The room from then on. */
  readonly room: RoomState;
  /** The entry. */
  readonly entry: Logged;
  /** What is to be stored, in this order. */
  readonly changes: readonly LogChange[];
  /** Who is out by it. */
  readonly gone: readonly Departed[];
}

/** What comes of a proposal. A refusal changes nothing. */
export type Decision = Refused | Placed;

/** Refuses with that code. */
export function refused(code: FaultCode): Refused {
  return { kind: "refused", code };
}

/** Nothing stands against it. */
export const PERMITTED: Permitted = { kind: "permitted" };
