import assert from "node:assert/strict";
import type { RoomState } from "../../lib/chat/room.ts";
import { createdRoom } from "../../lib/chat/room_state.ts";
import { RoomIndex } from "../../lib/delivery/room_index.ts";
import { NOWHERE } from "../../lib/identity/log_entry.ts";
import type { Logged } from "../../lib/wire/message.ts";
import { handle } from "../session/people.ts";
import { test } from "../sanitized.ts";

const [ANN, BOB, EVE] = [handle("ann"), handle("bob"), handle("eve")];

const FIRST: Logged = {
  sequence: 1,
  time: 1,
  previous: new Uint8Array(32),
  id: new Uint8Array(16),
  kind: "room",
  from: ANN,
  device: new Uint8Array(32),
  seen: NOWHERE,
  digest: new Uint8Array(32),
  signature: new Uint8Array(64),
};

function open(id: number, name: string): RoomState {
  const creation = { act: "create", kind: "open", name, visibility: "public" } as const;
  return createdRoom(FIRST, creation, { id: new Uint8Array(16).fill(id), place: NOWHERE, retention: 0 });
}

test("a room is found by its id, by a name that looks like its own, and by whoever has to do with it", () => {
  const kitchen = open(1, "#kitchen");
  const direct = createdRoom(FIRST, { act: "create", kind: "direct", with: BOB }, {
    id: new Uint8Array(16).fill(2),
    place: NOWHERE,
    retention: 0,
  });
  const index = new RoomIndex([kitchen, direct]);
  assert.equal(index.get(new Uint8Array(16).fill(1)), kitchen);
  assert.equal(index.get(new Uint8Array(16).fill(9)), undefined);
  for (const name of ["#kitchen", "#k1tchen"]) assert.equal(index.lookingLike(name), kitchen, name);
  assert.equal(index.lookingLike("#kitchens"), undefined);
  assert.deepEqual([ANN, BOB, EVE].map((each) => index.of(each)), [[kitchen, direct], [direct], []]);
});

test("a room that changes is found by what it is now, and no longer by what it was", () => {
  const before = open(1, "#kitchen");
  const index = new RoomIndex([before]);
  const after: RoomState = {
    ...before,
    form: { kind: "open", name: "#attic" },
    members: new Map([[BOB, { role: "owner", mutedUntil: undefined, base: 0 }]]),
    invited: new Map([[EVE, BOB]]),
  };
  index.put(after);
  assert.equal(index.lookingLike("#kitchen"), undefined);
  assert.equal(index.lookingLike("#attic"), after);
  assert.deepEqual([ANN, BOB, EVE].map((each) => index.of(each)), [[], [after], [after]]);
  assert.deepEqual(index.all(), [after]);
  const renamed = { ...after, form: { kind: "open", name: "#4ttic" } } as const;
  index.put(renamed);
  assert.equal(index.lookingLike("#4ttic"), renamed);
});
