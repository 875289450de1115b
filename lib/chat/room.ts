/**
 * A room as the server knows it: what its log comes to. Everything here is a value; {@linkcode RoomState} is made from
 * entries alone, so that who reads the log can make it, too.
 *
 * @module
 */

import type { Handle } from "../text/handle.ts";
import type { Bytes } from "../wire/bytes.ts";
import type { RoomRole } from "../wire/entry_body.ts";
import type { Place, RoomSettings } from "../wire/message.ts";

/** One account in a room. */
export interface RoomMember {
  /** What it may do there. */
  readonly role: RoomRole;
  /** When it may speak again, where it is muted for a time; milliseconds since 1970. */
  readonly mutedUntil: number | undefined;
  /** The last entry that it may not read: 0 where it may read all. */
  readonly base: number;
}

/** Somebody who may not come in. */
export interface Ban {
  /** When it ends, in milliseconds since 1970; `undefined` where it does not. */
  readonly until: number | undefined;
  /** Who put it there. */
  readonly by: Handle | undefined;
  /** Why, where that was said. */
  readonly reason: string | undefined;
}

/** What tells rooms apart. */
export type RoomForm =
  | { readonly kind: "open"; readonly name: string }
  /**
   * Two accounts, who began it first; `asked` has not taken up the conversation yet, where it is given, and has said no
   * where it is `denied`.
   */
  | {
    readonly kind: "direct";
    readonly people: readonly [Handle, Handle];
    readonly asked: Handle | undefined;
    readonly denied: boolean;
  };

/** A room at a moment. */
export interface RoomState {
  /** 16 octets. */
  readonly id: Bytes;
  /** Its kind, with what only that has. */
  readonly form: RoomForm;
  /** What its people have settled. */
  readonly settings: RoomSettings;
  /** Who is in it, in the order of coming. */
  readonly members: ReadonlyMap<Handle, RoomMember>;
  /** Who was invited, and by whom. */
  readonly invited: ReadonlyMap<Handle, Handle | undefined>;
  /** Who asks to be let in, in that order. */
  readonly knocking: readonly Handle[];
  /** Who may not come in. */
  readonly bans: ReadonlyMap<Handle, Ban>;
  /** Who left while muted, and until when that holds: coming back does not end it. */
  readonly mutedAway: ReadonlyMap<Handle, number | undefined>;
  /** Sequences of the entries that are pinned, oldest pin first. */
  readonly pins: readonly number[];
  /** The last entry; `sequence` 0 before the first. */
  readonly head: Place;
  /** When that was, in milliseconds since 1970: times never go back, whatever the clock does. */
  readonly headTime: number;
  /** The last entry that retention has dropped. */
  readonly base: Place;
}
