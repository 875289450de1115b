import { deepEqual, equal, ok } from "node:assert/strict";
import { decide } from "../../lib/chat/decide.ts";
import { departure, hostDraft, LOBBY_CREATION } from "../../lib/chat/host_entry.ts";
import type { Facts } from "../../lib/chat/proposal.ts";
import { roleOf } from "../../lib/chat/room_state.ts";
import { entryTime } from "../../lib/identity/entry_id.ts";
import { claimOf, NOWHERE, verifyEntry } from "../../lib/identity/log_entry.ts";
import { lobbyId } from "../../lib/identity/room_id.ts";
import type { Bytes } from "../../lib/wire/bytes.ts";
import { provider } from "../crypto/test_provider.ts";
import { ANN, BOB, handleOf, HOST_KEY, keyOf } from "../identity/people.ts";
import { test } from "../sanitized.ts";
import { membership, moderation, PART } from "./bodies.ts";
import { House } from "./house.ts";

const [CLEO, DAN] = [handleOf("cleo"), handleOf("dan")];

test("what the host key signs has its place by the rules, and verifies under the host key", async () => {
  const hostKey = await keyOf(1);
  const room = lobbyId(provider, HOST_KEY);
  let drawn = 0;
  const entropy = (length: number): Bytes => new Uint8Array(length).fill(++drawn);
  const now = 1_750_000_000_000;
  const draft = await hostDraft({ provider, entropy, hostKey }, {
    room,
    seen: NOWHERE,
    what: LOBBY_CREATION,
    now,
  });
  const facts: Facts = {
    now,
    provider,
    hostKey: HOST_KEY,
    target: undefined,
    edits: 0,
    file: undefined,
    lastSpoke: undefined,
    defaults: { retention: 7 },
    isAccount: () => false,
    nameTaken: () => true,
    roomsOf: () => 0,
    asksOf: () => 0,
    blocks: () => true,
  };
  const proposal = { room, from: undefined, device: HOST_KEY, draft, what: LOBBY_CREATION };
  const decision = decide(undefined, proposal, facts);
  ok(decision.kind === "placed");
  const { entry, room: lobby } = decision;
  const key = await provider.ed25519VerifyingKey(HOST_KEY);
  equal(await key?.verify(new Uint8Array(1), entry.signature), false);
  ok(key !== undefined && await verifyEntry(key, claimOf(room, entry), entry.signature));
  equal(entryTime(entry.id), now);
  ok(!Object.hasOwn(entry, "from"));
  deepEqual([lobby.form, lobby.members.size], [{ kind: "open", name: "#lobby" }, 0]);
  deepEqual([lobby.settings.retention, lobby.settings.history], [7, "all"]);
});

test("where an account goes that owned a room alone, the longest there of the highest role owns it", () => {
  const house = new House(ANN, BOB, CLEO, DAN);
  const room = house.open("#tea", ANN);
  for (const handle of [BOB, CLEO, DAN]) house.bring(room, handle);
  house.must(room, ANN, moderation({ act: "mute", handle: BOB }));
  house.must(room, ANN, moderation({ act: "role", handle: DAN, role: "operator" }));
  for (const [handle, heir] of [[ANN, DAN], [DAN, CLEO], [CLEO, BOB]] as const) {
    const what = departure(house.room(room), handle);
    deepEqual(what, [
      membership({ change: "part", handle }),
      moderation({ act: "role", handle: heir, role: "owner" }),
    ]);
    for (const each of what) house.must(room, undefined, each);
    equal(roleOf(house.room(room), heir, house.now), "owner");
  }
  deepEqual(departure(house.room(room), BOB), [membership({ change: "part", handle: BOB })]);
  deepEqual(departure(house.room(room), DAN), []);
  equal(house.fault(room, undefined, moderation({ act: "role", handle: BOB, role: "owner" })), "unchanged");
  equal(
    house.fault(room, undefined, moderation({ act: "role", handle: DAN, role: "owner" })),
    "noSuchPerson",
  );
});

test("where another owner stays nobody inherits, and who only asked to come in is forgotten", () => {
  const house = new House(ANN, BOB, CLEO);
  const room = house.open("#tea", ANN, "private");
  house.bring(room, BOB, "owner");
  house.must(room, CLEO, membership({ change: "knock" }));
  deepEqual(departure(house.room(room), ANN), [membership({ change: "part", handle: ANN })]);
  for (const what of departure(house.room(room), CLEO)) house.must(room, undefined, what);
  deepEqual(house.room(room).knocking, []);
  const direct = house.direct(ANN, BOB);
  deepEqual(departure(house.room(direct), ANN), [membership({ change: "part", handle: ANN })]);
  equal(house.fault(room, undefined, PART), "badEntry");
});
