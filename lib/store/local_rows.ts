/**
 * What the rows of a client's local store say, as octets: CBOR of what lib/client/keepers.ts names.
 *
 * @module
 */

import * as v from "valibot";
import { type Flaw, FLAWS_MAX, type KeptEntry, type KeptRoom, type Queued } from "../client/keepers.ts";
import { HandleSchema } from "../text/handle.ts";
import type { Bytes } from "../wire/bytes.ts";
import { decodeCbor, encodeCbor } from "../wire/cbor.ts";
import { ENTRY_KINDS, ROOM_ROLES } from "../wire/entry_body.ts";
import {
  ENTRY_ID_BYTES,
  FAULT_CODES,
  HASH_BYTES,
  LoggedSchema,
  ROOM_ID_BYTES,
  SALT_BYTES,
} from "../wire/message.ts";

const CountSchema = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const HashSchema = octets(HASH_BYTES);
const PlaceSchema = v.strictObject({ sequence: CountSchema, hash: HashSchema });
const SequencesSchema = v.strictObject({ from: CountSchema, to: CountSchema });
const FLAW_KINDS = [
  "missing",
  "rewritten",
  "forked",
  "withheld",
  "cutBack",
] as const satisfies Flaw["kind"][];

const RoomSchema = v.strictObject({
  room: octets(ROOM_ID_BYTES),
  label: v.string(),
  base: PlaceSchema,
  head: PlaceSchema,
  read: CountSchema,
  flaws: v.pipe(
    v.array(v.strictObject({ kind: v.picklist(FLAW_KINDS), from: CountSchema, to: CountSchema })),
    v.maxLength(FLAWS_MAX),
  ),
  knowledge: v.strictObject({
    headTime: CountSchema,
    served: CountSchema,
    gap: v.nullable(SequencesSchema),
    left: v.boolean(),
    retention: v.nullable(CountSchema),
    whole: v.boolean(),
    roles: v.array(v.tuple([HandleSchema, v.picklist(ROOM_ROLES)])),
    awaited: v.array(v.tuple([CountSchema, CountSchema])),
    claims: v.array(PlaceSchema),
  }),
});

const EntrySchema = v.strictObject({
  entry: LoggedSchema,
  hash: HashSchema,
  doubt: v.nullable(v.string()),
  deviceName: v.nullable(v.string()),
});

const DraftSchema = v.strictObject({
  id: octets(ENTRY_ID_BYTES),
  kind: v.picklist(ENTRY_KINDS),
  about: v.optional(PlaceSchema),
  content: v.strictObject({ salt: octets(SALT_BYTES), body: octets() }),
});

const QueuedSchema = v.strictObject({
  room: octets(ROOM_ID_BYTES),
  draft: DraftSchema,
  signed: v.nullable(v.strictObject({ ...DraftSchema.entries, seen: PlaceSchema, signature: octets() })),
  refused: v.nullable(v.picklist(FAULT_CODES)),
});

/** The octets of a room. */
export function encodeRoom(room: KeptRoom): Bytes {
  const { gap, retention, roles, awaited, ...knowledge } = room.knowledge;
  return encodeCbor({
    ...room,
    knowledge: {
      ...knowledge,
      gap: gap ?? null,
      retention: retention ?? null,
      roles: Array.from(roles),
      awaited: awaited.map(({ sequence, by }) => [sequence, by]),
    },
  });
}

/** The room of which `bytes` are the octets; `undefined` where they are none's. */
export function decodeRoom(bytes: Bytes): KeptRoom | undefined {
  const parsed = v.safeParse(RoomSchema, decodeCbor(bytes));
  if (!parsed.success) return undefined;
  const { gap, retention, roles, awaited, ...knowledge } = parsed.output.knowledge;
  return {
    ...parsed.output,
    knowledge: {
      ...knowledge,
      gap: gap ?? undefined,
      retention: retention ?? undefined,
      roles: new Map(roles),
      awaited: awaited.map(([sequence, by]) => ({ sequence, by })),
    },
  };
}

/** The octets of an entry with what was found out about it. */
export function encodeKeptEntry({ entry, hash, doubt, deviceName }: KeptEntry): Bytes {
  return encodeCbor({
    entry: given(entry),
    hash,
    doubt: doubt ?? null,
    deviceName: deviceName ?? null,
  });
}

/** The entry of which `bytes` are the octets; `undefined` where they are none's. */
export function decodeKeptEntry(bytes: Bytes): KeptEntry | undefined {
  const parsed = v.safeParse(EntrySchema, decodeCbor(bytes));
  if (!parsed.success) return undefined;
  const { doubt, deviceName, ...kept } = parsed.output;
  return { ...kept, doubt: doubt ?? undefined, deviceName: deviceName ?? undefined };
}

/** The octets of what waits to be sent. */
export function encodeQueued({ room, draft, signed, refused }: Queued): Bytes {
  return encodeCbor({
    room,
    draft: given(draft),
    signed: signed === undefined ? null : given(signed),
    refused: refused ?? null,
  });
}

/** What waits to be sent, of which `bytes` are the octets; `undefined` where they are nothing's. */
export function decodeQueued(bytes: Bytes): Queued | undefined {
  const parsed = v.safeParse(QueuedSchema, decodeCbor(bytes));
  if (!parsed.success) return undefined;
  const { room, draft, signed, refused } = parsed.output;
  return { room, draft, signed: signed ?? undefined, refused: refused ?? undefined };
}

/** CBOR has nothing for what is not there. */
function given(value: object): unknown {
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined));
}

function octets(length?: number) {
  return v.pipe(
    v.instance(Uint8Array),
    v.check((bytes) => length === undefined || bytes.length === length),
    v.transform((bytes): Bytes => new Uint8Array(bytes)),
  );
}
