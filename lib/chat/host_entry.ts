/**
 * Entries that the host key signs: what the server does, and what is said without an account. They go through the rules
 * like everybody's.
 *
 * @module
 */

import type { Entropy, Provider, SigningKey } from "../crypto/port.ts";
import { entryId } from "../identity/entry_id.ts";
import { draftClaim, signEntry } from "../identity/log_entry.ts";
import type { Handle } from "../text/handle.ts";
import type { Bytes } from "../wire/bytes.ts";
import { encodeBody, type EntryBody } from "../wire/entry_body.ts";
import { type Draft, LOBBY, type Place, SALT_BYTES } from "../wire/message.ts";
import type { RoomMember, RoomState } from "./room.ts";

/** What a server signs with. */
export interface HostParts {
  /** Hashes what is signed. */
  readonly provider: Pick<Provider, "sha256Now">;
  /** For ids and salts. */
  readonly entropy: Entropy;
  /** The server's host key. */
  readonly hostKey: SigningKey;
}

/** What the server does. */
export interface HostAct {
  /** The room's id, 16 octets. */
  readonly room: Bytes;
  /** The last entry there. */
  readonly seen: Place;
  /** What the entry says; about no other entry. */
  readonly what: EntryBody;
  /** The moment, in milliseconds since 1970. */
  readonly now: number;
}

/** The lobby's first entry. */
export const LOBBY_CREATION = {
  kind: "room",
  body: { act: "create", kind: "open", name: LOBBY, visibility: "public" },
} as const satisfies EntryBody;

/** The draft of what the server does, signed. */
export async function hostDraft(
  { provider, entropy, hostKey }: HostParts,
  { room, seen, what, now }: HostAct,
): Promise<Draft> {
  const unsigned = {
    id: entryId(now, entropy),
    kind: what.kind,
    seen,
    content: { salt: entropy(SALT_BYTES), body: encodeBody(what) },
    signature: new Uint8Array(0),
  };
  const claim = draftClaim(provider, { room, from: undefined }, unsigned);
  return { ...unsigned, signature: await signEntry(hostKey, claim) };
}

/**
 * What the server does in a room when the account of `handle` is no more: it leaves, and where it alone owned the room, the
 * operator who has been there longest owns it, else the member; none where the account is nothing to the room.
 */
export function departure(room: RoomState, handle: Handle): readonly EntryBody[] {
  const isThere = room.members.has(handle) || room.invited.has(handle) || room.knocking.includes(handle);
  if (!isThere) return [];
  const part: EntryBody = { kind: "membership", body: { change: "part", handle } };
  const heir = room.form.kind === "open" && room.members.get(handle)?.role === "owner"
    ? heirOf(Array.from(room.members).filter(([each]) => each !== handle))
    : undefined;
  if (heir === undefined) return [part];
  return [part, { kind: "moderation", body: { act: "role", handle: heir, role: "owner" } }];
}

/** What the server does in an open room that has members and no owner: one of them owns it. */
export function succession({ form, members }: RoomState): EntryBody | undefined {
  const heir = form.kind === "open" ? heirOf(Array.from(members)) : undefined;
  return heir && { kind: "moderation", body: { act: "role", handle: heir, role: "owner" } };
}

/** `undefined` where there is an owner, or nobody. */
function heirOf(members: readonly (readonly [Handle, RoomMember])[]): Handle | undefined {
  if (members.some(([, { role }]) => role === "owner")) return undefined;
  const heir = (["operator", "member", "muted"] as const)
    .map((wanted) => members.find(([, { role }]) => role === wanted))
    .find((found) => found !== undefined);
  return heir?.[0];
}
