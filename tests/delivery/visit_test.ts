import assert from "node:assert/strict";
import type { Overheard } from "../../lib/chat/overheard.ts";
import { LobbyExchange } from "../../lib/delivery/exchange.ts";
import { lobbyId } from "../../lib/identity/entry_signature.ts";
import { verifyNotice } from "../../lib/identity/notice_signature.ts";
import { repeatable } from "../secure/recorded_session.ts";
import { HOST_KEY, THEN } from "../session/people.ts";
import { test } from "../sanitized.ts";
import { Room } from "./room.ts";

const ADDRESS = "192.0.2.7:50007";

test("members are told of a guest by notices in its name that the host key signed, in one order with its lines", async () => {
  const room = await Room.open();
  const ann = await room.welcome("ann");
  const goodbye = room.exchange.visit("guest-1", ADDRESS);
  await room.exchange.say({ source: "bridge", name: "guest-1", text: "hello" });
  await goodbye();
  await ann.next((message) => message.type === "notice" && message.text === "left");
  const notices = ann.heard.flatMap((message) => message.type === "notice" ? [message] : []);
  assert.deepEqual(notices.map(({ source, name, text, sequence }) => [sequence, source, name, text]), [
    [1, "bridge", "guest-1", "came in over the bridge, and hears what is said here"],
    [2, "bridge", "guest-1", "hello"],
    [3, "bridge", "guest-1", "left"],
  ]);
  const key = await repeatable.ed25519VerifyingKey(HOST_KEY.publicKey) ?? assert.fail("a key");
  const lobby = await lobbyId(repeatable, HOST_KEY.publicKey);
  for (const { id, source, name, text, signature } of notices) {
    assert.ok(await verifyNotice(key, { room: lobby, id, source, name, text }, signature));
  }
  await ann.leave();
});

test("listeners are told where a guest comes from, and not twice of its coming and going", async () => {
  const exchange = new LobbyExchange({
    wallClock: () => THEN,
    sign: (saying) => Promise.resolve({ ...saying, id: new Uint8Array(16), signature: new Uint8Array(64) }),
  });
  const overheard: Overheard[] = [];
  exchange.overhear((event) => overheard.push(event));
  await exchange.visit("guest-1", ADDRESS)();
  assert.deepEqual(overheard, [
    { kind: "guestCame", time: THEN, name: "guest-1", address: ADDRESS },
    { kind: "guestWent", time: THEN, name: "guest-1" },
  ]);
  assert.deepEqual(exchange.present(), []);
});

test("a coming that cannot be signed is told when the guest goes", async () => {
  const exchange = new LobbyExchange({
    wallClock: () => THEN,
    sign: () => Promise.reject(new Error("no key")),
  });
  await assert.rejects(exchange.visit("guest-1", ADDRESS)(), /no key/);
});
