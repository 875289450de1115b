/**
 * The lobby as the operator's console and the bridge have it: they hear what everybody in it hears, and say lines of
 * their own. Delivery implements it.
 *
 * @module
 */

import type { Handle } from "../text/handle.ts";
import { utf8 } from "../wire/bytes.ts";
import type { BodyOf } from "../wire/entry_body.ts";
import { DISPLAY_NAME_BYTES_MAX, TEXT_BYTES_MAX } from "../wire/limits.ts";

/** Who but people speaks in a room: the host key signs that. */
export type NoticeSource = BodyOf<"notice">["source"];

/** One thing that happened in the lobby; times are milliseconds since 1970. Texts are as they were written. */
export type Overheard =
  /** A line has its place in the order: a member's, or what the operator or the bridge said. */
  | {
    readonly kind: "said";
    readonly time: number;
    readonly source: "member" | NoticeSource;
    readonly name: string;
    readonly text: string;
  }
  /** An account is there by its first device, connected from `address` (HOST:PORT). */
  | { readonly kind: "came"; readonly time: number; readonly name: Handle; readonly address: string }
  /** Its last device is gone. */
  | { readonly kind: "went"; readonly time: number; readonly name: Handle }
  /** A guest of the bridge, connected from `address` (HOST:PORT), hears from now on what is said. */
  | { readonly kind: "guestCame"; readonly time: number; readonly name: string; readonly address: string }
  /** It hears nothing any more. */
  | { readonly kind: "guestWent"; readonly time: number; readonly name: string };

/** What the operator or the bridge says. */
export interface Saying {
  /** Who of the two. */
  readonly source: NoticeSource;
  /** Under which name: 1 to 64 octets. */
  readonly name: string;
  /** What: 1 to 8,192 octets. */
  readonly text: string;
}

/** The lobby, to be listened to and spoken in without an account. */
export interface OpenLobby {
  /** Calls `listener` with what happens from now on, own lines included, until the function given back is called. */
  overhear(listener: (event: Overheard) => void): () => void;
  /**
   * Says a line, signed by the host key; settles when it has its place, durably. Lines keep the order of the calls. Throws
   * a `RangeError` where name or text are empty or too long, and rejects with a `Failure` where it cannot be stored.
   */
  say(saying: Saying): Promise<void>;
  /**
   * A guest called `name` comes over the bridge from `address`, and goes when the function given back is called once,
   * which settles when that has its place. Members are told both by notices in the guest's name, listeners by the address,
   * too: whoever speaks in an open room is to know who hears it. In one order with what is said.
   */
  visit(name: string, address: string): () => Promise<void>;
  /** Which accounts are there, in the order of coming. */
  present(): readonly Handle[];
}

/** Whether name and text are as long as a notice's may be. */
export function isSayable({ name, text }: Saying): boolean {
  return isWithin(name, DISPLAY_NAME_BYTES_MAX) && isWithin(text, TEXT_BYTES_MAX);
}

function isWithin(text: string, octetsMax: number): boolean {
  const { length } = utf8(text);
  return length > 0 && length <= octetsMax;
}
