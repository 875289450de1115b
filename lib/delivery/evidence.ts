/**
 * What has to be looked up, or verified, before the rules can decide on an entry.
 *
 * @module
 */

import type { FileStore, KeptFile } from "../chat/file_port.ts";
import type { LogStore } from "../chat/log_port.ts";
import type { Proposal } from "../chat/proposal.ts";
import type { RoomState } from "../chat/room.ts";
import type { Provider } from "../crypto/port.ts";
import { draftClaim, NOWHERE, verifyEntry } from "../identity/log_entry.ts";
import type { Handle } from "../text/handle.ts";
import { type Bytes, equal } from "../wire/bytes.ts";
import type { EntryKind } from "../wire/entry_body.ts";
import type { Logged, Place } from "../wire/message.ts";
import type { BlockBook } from "./block_book.ts";
import type { CardBook } from "./card_book.ts";
import { subjectsOf } from "./named.ts";
import type { Places } from "./places.ts";
import type { RoomIndex } from "./room_index.ts";

/** What everybody verifies who reads it, and the server does not: all but this changes what a room is. */
const VERIFIED_BY_READERS: readonly EntryKind[] = ["text", "reply", "edit", "reaction", "file"];

/** Where evidence is looked for. */
export interface EvidenceParts {
  /** Hashes and verifies. */
  readonly provider: Provider;
  /** What is stored. */
  readonly logs: Pick<LogStore, "placeOfId" | "entries" | "edits">;
  /** Files that are there. */
  readonly files: Pick<FileStore, "find">;
  /** Rooms as they are stored. */
  readonly rooms: RoomIndex;
  /** Who has an account. */
  readonly cards: CardBook;
  /** Who blocks whom. */
  readonly blocks: BlockBook;
  /** Which hashes are where. */
  readonly places: Places;
}

/** What was found out about a proposal. */
export interface Evidence {
  /** What is stored under the entry's id. */
  readonly known: Known;
  /** Whether its signature, where the server verifies it, and what it says it has seen can be right. */
  readonly isSound: boolean;
  /** The stored entry that it is about. */
  readonly target: Logged | undefined;
  /** How many edits of that entry are stored, where it is one. */
  readonly edits: number;
  /** The file that it puts into the room. */
  readonly file: KeptFile | undefined;
}

/** What is stored under an id. */
export type Known =
  | { readonly kind: "nothing" }
  /** An entry of the room that was proposed for. */
  | { readonly kind: "entry"; readonly entry: Logged }
  /** One of another room, or one that was dropped since. */
  | { readonly kind: "elsewhere" };

const NOTHING: Known = { kind: "nothing" };

/**
 * Looks everything up; accounts and blocks that the rules may ask about are known to their books afterwards. Rejects
 * where the store does.
 */
export async function evidenceFor(proposal: Proposal, parts: EvidenceParts): Promise<Evidence> {
  const { room: id, draft, what } = proposal;
  const room = parts.rooms.get(id);
  const people = peopleOf(proposal, room);
  await parts.cards.load(people);
  await parts.blocks.load(people);
  return {
    known: await knownUnder(draft.id, id, parts),
    isSound: await isSigned(proposal, parts.provider) && await isSeenThere(draft.seen, room, parts),
    target: draft.about && room && await parts.places.entryAt(room, draft.about.sequence),
    edits: what.kind === "edit" && draft.about !== undefined
      ? await parts.logs.edits(id, draft.about.sequence)
      : 0,
    file: what.kind === "file" ? await parts.files.find(what.body.file) : undefined,
  };
}

/** Whoever is asked for something, or takes part in a direct conversation, may block who does it. */
function peopleOf({ what }: Proposal, room: RoomState | undefined): readonly Handle[] {
  return room?.form.kind === "direct" ? room.form.people : subjectsOf(what);
}

async function knownUnder(id: Bytes, room: Bytes, { logs }: EvidenceParts): Promise<Known> {
  const place = await logs.placeOfId(id);
  if (place === undefined) return NOTHING;
  if (!equal(place.room, room)) return { kind: "elsewhere" };
  const [entry] = await logs.entries(room, { from: place.sequence, to: place.sequence });
  return entry === undefined ? { kind: "elsewhere" } : { kind: "entry", entry };
}

async function isSigned({ room, from, device, draft }: Proposal, provider: Provider): Promise<boolean> {
  // The host's are of our own making.
  if (from === undefined || VERIFIED_BY_READERS.includes(draft.kind)) return true;
  const key = await provider.ed25519VerifyingKey(device);
  if (key === undefined) return false;
  return await verifyEntry(key, draftClaim(provider, { room, from }, draft), draft.signature);
}

/**
 * Whether an entry with that very hash is at that place of the log. Nobody was told what is beyond the head that is
 * stored, though it may be there once the batch is; and of what was dropped the hash cannot be told, while readers who
 * keep it would take another for a fork.
 */
async function isSeenThere(
  { sequence, hash }: Place,
  room: RoomState | undefined,
  { places }: EvidenceParts,
): Promise<boolean> {
  if (sequence === 0) return equal(hash, NOWHERE.hash);
  if (room === undefined || sequence > room.head.sequence || sequence < room.base.sequence) return false;
  const there = await places.hashAt(room, sequence);
  return there === undefined || equal(hash, there);
}
