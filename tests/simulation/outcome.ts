/**
 * What a simulated world has come to, for the checker, and what only those see who know its disks.
 *
 * @module
 */

import { encodeRoomState } from "../../lib/chat/room_snapshot.ts";
import type { RoomState } from "../../lib/chat/room.ts";
import { applied, createdRoom } from "../../lib/chat/room_state.ts";
import type { RoomFacts } from "../../lib/client/event.ts";
import type { Flaw } from "../../lib/client/keepers.ts";
import { placeOf } from "../../lib/identity/log_entry.ts";
import type { Handle } from "../../lib/text/handle.ts";
import { equal } from "../../lib/wire/bytes.ts";
import { decodeBody, type EntryBody } from "../../lib/wire/entry_body.ts";
import type { Logged } from "../../lib/wire/message.ts";
import { faultsOf, type Heard, type LogLine, type Placed, type Witness } from "./checker.ts";
import { roomNamed } from "./room_names.ts";
import { simulatedProvider } from "./simulated_provider.ts";
import type { World } from "./world.ts";

const provider = simulatedProvider();

/** All that is wrong with a world that has come to rest, a sentence each. */
export function wrongWith(world: World): readonly string[] {
  const logs = new Map(world.logs.states.map((state) => [state.id.toHex(), linesOf(world, state)]));
  const witnesses = world.characters.map((character) => witnessOf(world, character));
  return [
    ...world.faults,
    ...faultsOf({ logs, witnesses }),
    ...world.logs.states.flatMap((state) => foldFaults(world, state)),
    ...world.characters.flatMap(({ notes }) => viewFaults(world, notes)),
  ];
}

/** The log of a room, with what each entry said when it came. */
function linesOf({ logs }: World, { id }: RoomState): readonly LogLine[] {
  const now = new Map(logs.log(id).map((entry) => [entry.sequence, entry]));
  return appendedTo(logs, id).map((entry) => {
    const what = bodyOf(entry);
    const text = what !== undefined && "text" in what.body && what.kind !== "notice"
      ? what.body.text
      : undefined;
    const erased = now.get(entry.sequence)?.content === undefined;
    return { sequence: entry.sequence, id: entry.id.toHex(), from: entry.from, text, erased };
  });
}

/** What somebody could not read of a room whenever they came into it. */
function basesOf({ logs }: World, room: RoomState["id"], handle: Handle): readonly number[] {
  return logs.batches.flat().flatMap((change) => {
    const isOf = change.kind === "append" && equal(change.room.id, room);
    const base = isOf ? change.room.members.get(handle)?.base : undefined;
    return base === undefined ? [] : [base];
  });
}

function appendedTo(logs: World["logs"], room: RoomState["id"]): readonly Logged[] {
  return logs.batches.flat().flatMap((change) =>
    change.kind === "append" && equal(change.room.id, room) ? [change.entry] : []
  );
}

/**
 * Whoever was put out while they were away, and was let back in by others to less than all, is told that what was said
 * meanwhile is missing (SECURITY.md): a server that keeps it from them could say the same.
 */
function witnessOf(world: World, { notes, local, person }: World["characters"][number]): Witness {
  const idOf = (label: string): string => roomNamed(world.logs, person.handle, label);
  const placed = (place: Placed): Placed => ({ ...place, room: idOf(place.room) });
  const heard = (each: Heard): Heard =>
    each.kind === "entry"
      ? { kind: "entry", entry: placed(each.entry) }
      : { kind: "outside", room: idOf(each.room) };
  const isIn = (id: RoomState["id"]): boolean =>
    world.logs.states.some((state) => equal(state.id, id) && state.members.has(person.handle));
  const bases = new Map(world.logs.states.map(({ id }) => [id.toHex(), basesOf(world, id, person.handle)]));
  const isToldSo = (id: string, { kind, to }: Flaw): boolean =>
    kind === "missing" && bases.get(id)?.includes(to) === true;
  return {
    name: notes.name,
    said: notes.said.map((said) => ({ ...said, room: idOf(said.room) })),
    refused: notes.refused,
    acknowledged: notes.acknowledged.map(placed),
    heard: notes.heard.map((life) => life.map(heard)),
    bases,
    kept: new Map(
      local.kept.filter(({ room }) => isIn(room.room)).map(({ room, entries }) => [room.room.toHex(), {
        entries: entries.map(({ entry }) => ({
          sequence: entry.sequence,
          id: entry.id.toHex(),
          erased: entry.content === undefined,
        })),
        base: room.base.sequence,
        head: room.head.sequence,
        flaws: room.flaws.filter((flaw) => !isToldSo(room.room.toHex(), flaw))
          .map(({ kind, from, to }) => `${kind} ${from} to ${to}`),
      }]),
    ),
    doubts: [
      ...notes.doubts,
      ...notes.found.filter(({ room, flaw }) => !isToldSo(idOf(room), flaw))
        .map(({ room, flaw: { kind, from, to } }) => `found ${room} #${from} to #${to} ${kind}`),
    ],
  };
}

/** The server's rooms are what their logs come to. */
function foldFaults({ logs }: World, state: RoomState): readonly string[] {
  const [first, ...others] = appendedTo(logs, state.id);
  const creation = first === undefined ? undefined : bodyOf(first);
  if (first === undefined || creation?.kind !== "room" || creation.body.act !== "create") {
    return [`${state.id.toHex()}: its first entry does not make it`];
  }
  const beginning = { id: state.id, place: placeOf(provider, state.id, first), retention: 0 };
  const folded = others.reduce(
    (room, entry) => applied(room, entry, bodyOf(entry), placeOf(provider, state.id, entry)),
    createdRoom(first, creation.body, beginning),
  );
  return equal(encodeRoomState(folded), encodeRoomState(state))
    ? []
    : [`${state.id.toHex()}: the room is not what its log comes to`];
}

/** What a client tells of its rooms is what the server knows. */
function viewFaults(
  world: World,
  { name, answers }: World["characters"][number]["notes"],
): readonly string[] {
  const told = answers.get("rooms");
  const facts = new Map(
    (told?.type === "rooms" ? told.rooms : []).map((room) => [roomNamed(world.logs, name, room.room), room]),
  );
  return world.logs.states.flatMap((state) => {
    const [seen, id] = [facts.get(state.id.toHex()), state.id.toHex()];
    const member = state.members.get(name);
    if (member === undefined) return seen?.standing === "member" ? [`${name}: believes to be in ${id}`] : [];
    if (seen === undefined) return [`${name}: does not know to be in ${id}`];
    const [known, truth] = [factsOf(seen), {
      standing: "member",
      role: member.mutedUntil === undefined ? member.role : seen.role,
      settings: state.settings,
      // A client counts who comes and goes by itself until the next `room` tells the number anew.
      members: seen?.members ?? 0,
      last: state.head.sequence,
    }].map((each) => JSON.stringify(each));
    return known === truth ? [] : [`${name}: believes ${known} of ${id}, which is ${truth}`];
  });
}

function factsOf({ standing, role, settings, members, last }: RoomFacts): unknown {
  const { visibility, topic, history, retention, slow, lockdown } = settings;
  return {
    standing,
    role,
    settings: { visibility, topic, history, retention, slow, lockdown },
    members,
    last,
  };
}

function bodyOf({ kind, content }: Logged): EntryBody | undefined {
  return content === undefined ? undefined : decodeBody(kind, content.body);
}
