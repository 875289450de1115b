/**
 * A room as octets, as it is kept beside its log: CBOR, strictly. Lists of people are octet strings of their own, made
 * anew only when they have changed, as a room is kept anew with every entry.
 *
 * @module
 */

import * as v from "valibot";
import { HandleSchema } from "../text/handle.ts";
import type { Bytes } from "../wire/bytes.ts";
import { decodeCbor, encodeCbor } from "../wire/cbor.ts";
import { ROOM_ROLES, RoomNameSchema } from "../wire/entry_body.ts";
import { PlaceSchema, ROOM_ID_BYTES, SettingsSchema } from "../wire/message.ts";
import type { RoomState } from "./room.ts";

/** Of this form of octets; another form gets another number. */
const VERSION = 1;

const CountSchema = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const UntilSchema = v.nullable(CountSchema);
const OctetsSchema = v.pipe(v.instance(Uint8Array), v.transform((bytes): Bytes => new Uint8Array(bytes)));

const FormSchema = v.variant("kind", [
  v.strictObject({ kind: v.literal("open"), name: RoomNameSchema }),
  v.strictObject({
    kind: v.literal("direct"),
    people: v.pipe(v.strictTuple([HandleSchema, HandleSchema]), v.check(([one, other]) => one !== other)),
    asked: v.nullable(HandleSchema),
    denied: v.boolean(),
  }),
]);

const SnapshotSchema = v.strictObject({
  version: v.literal(VERSION),
  id: v.pipe(OctetsSchema, v.length(ROOM_ID_BYTES)),
  form: FormSchema,
  settings: SettingsSchema,
  members: OctetsSchema,
  invited: OctetsSchema,
  knocking: v.pipe(v.array(HandleSchema), v.check((handles) => isEachOnce(handles))),
  bans: OctetsSchema,
  mutedAway: OctetsSchema,
  pins: v.pipe(v.array(CountSchema), v.check((sequences) => isEachOnce(sequences))),
  head: PlaceSchema,
  headTime: CountSchema,
  base: PlaceSchema,
});

/** Handle, role, end of a mute, base. */
const MembersSchema = v.array(
  v.strictTuple([HandleSchema, v.strictTuple([v.picklist(ROOM_ROLES), UntilSchema, CountSchema])]),
);
/** Handle, by whom. */
const InvitedSchema = v.array(v.strictTuple([HandleSchema, v.nullable(HandleSchema)]));
/** Handle, end, by whom, reason. */
const BansSchema = v.array(
  v.strictTuple([
    HandleSchema,
    v.strictTuple([UntilSchema, v.nullable(HandleSchema), v.nullable(v.string())]),
  ]),
);
/** Handle, end. */
const MutedAwaySchema = v.array(v.strictTuple([HandleSchema, UntilSchema]));

/** The octets of a room. */
export function encodeRoomState(room: RoomState): Bytes {
  const { id, form, settings, members, invited, knocking, bans, mutedAway, pins, head, headTime, base } =
    room;
  return encodeCbor({
    version: VERSION,
    id,
    form: form.kind === "open" ? form : { ...form, asked: form.asked ?? null },
    settings,
    members: peopleOctets(members, ({ role, mutedUntil, base }) => [role, mutedUntil ?? null, base]),
    invited: peopleOctets(invited, (by) => by ?? null),
    knocking,
    bans: peopleOctets(bans, ({ until, by, reason }) => [until ?? null, by ?? null, reason ?? null]),
    mutedAway: peopleOctets(mutedAway, (until) => until ?? null),
    pins,
    head,
    headTime,
    base,
  });
}

/** The room of its octets; `undefined` where they are none. */
export function decodeRoomState(bytes: Bytes): RoomState | undefined {
  const snapshot = v.safeParse(SnapshotSchema, decodeCbor(bytes));
  if (!snapshot.success) return undefined;
  const { version: _, form, ...rest } = snapshot.output;
  const members = people(MembersSchema, rest.members);
  const invited = people(InvitedSchema, rest.invited);
  const bans = people(BansSchema, rest.bans);
  const mutedAway = people(MutedAwaySchema, rest.mutedAway);
  if (members === undefined || invited === undefined || bans === undefined || mutedAway === undefined) {
    return undefined;
  }
  return {
    ...rest,
    form: form.kind === "open" ? form : { ...form, asked: form.asked ?? undefined },
    members: mapped(
      members,
      ([role, mutedUntil, base]) => ({ role, mutedUntil: mutedUntil ?? undefined, base }),
    ),
    invited: mapped(invited, (by) => by ?? undefined),
    bans: mapped(bans, ([until, by, reason]) => ({
      until: until ?? undefined,
      by: by ?? undefined,
      reason: reason ?? undefined,
    })),
    mutedAway: mapped(mutedAway, (until) => until ?? undefined),
  };
}

/** Octets of lists that have not changed since: all of the log's entries but a few leave a room's people as they are. */
const known = new WeakMap<object, Bytes>();

function peopleOctets<Key, Value>(map: ReadonlyMap<Key, Value>, fields: (value: Value) => unknown): Bytes {
  const before = known.get(map);
  if (before !== undefined) return before;
  const octets = encodeCbor(Array.from(map, ([handle, value]) => [handle, fields(value)]));
  known.set(map, octets);
  return octets;
}

function people<Pair extends readonly [string, unknown]>(
  schema: v.GenericSchema<unknown, Pair[]>,
  octets: Bytes,
): readonly Pair[] | undefined {
  const parsed = v.safeParse(schema, decodeCbor(octets));
  return parsed.success && isEachOnce(parsed.output.map(([handle]) => handle)) ? parsed.output : undefined;
}

function mapped<Key, Value, Fields>(
  pairs: readonly (readonly [Key, Fields])[],
  valueOf: (fields: Fields) => Value,
): ReadonlyMap<Key, Value> {
  return new Map(pairs.map(([key, fields]) => [key, valueOf(fields)]));
}

function isEachOnce(items: readonly unknown[]): boolean {
  return new Set(items).size === items.length;
}
