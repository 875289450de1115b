import { equal, ok, rejects, throws } from "node:assert/strict";
import { type EntryClaim, lobbyId, signEntry, verifyEntry } from "../../lib/identity/entry_signature.ts";
import { type NoticeClaim, signNotice, verifyNotice } from "../../lib/identity/notice_signature.ts";
import type { VerifyingKey } from "../../lib/crypto/port.ts";
import type { Bytes } from "../../lib/wire/bytes.ts";
import { provider } from "../crypto/test_provider.ts";
import { test } from "../sanitized.ts";
import { ANN, BOB, HOST_KEY, keyOf, seedOf } from "./people.ts";

const DEVICE = await keyOf(10);
const ROOM = await lobbyId(provider, HOST_KEY);
const ENTRY: EntryClaim = {
  room: ROOM,
  id: seedOf(20).slice(0, 16),
  handle: ANN,
  seen: 7,
  salt: seedOf(30),
  text: "hi",
};
const NOTICE: NoticeClaim = {
  room: ROOM,
  id: seedOf(20).slice(0, 16),
  source: "bridge",
  name: "gast",
  text: "hi",
};

async function verifying(publicKey: Bytes): Promise<VerifyingKey> {
  const key = await provider.ed25519VerifyingKey(publicKey);
  ok(key !== undefined);
  return key;
}

test("an entry verifies under its device, and under no other key", async () => {
  const signature = await signEntry(provider, DEVICE, ENTRY);
  ok(await verifyEntry(provider, await verifying(DEVICE.publicKey), ENTRY, signature));
  const other = await verifying((await keyOf(11)).publicKey);
  ok(!await verifyEntry(provider, other, ENTRY, signature));
});

test("an entry in which any field is another one does not verify", async () => {
  const signature = await signEntry(provider, DEVICE, ENTRY);
  const key = await verifying(DEVICE.publicKey);
  const altered: readonly EntryClaim[] = [
    { ...ENTRY, room: ROOM.with(15, (ROOM[15] ?? 0) ^ 1) },
    { ...ENTRY, id: ENTRY.id.with(0, 0) },
    { ...ENTRY, handle: BOB },
    { ...ENTRY, seen: 8 },
    { ...ENTRY, salt: ENTRY.salt.with(31, 0) },
    { ...ENTRY, text: "hi " },
    { ...ENTRY, text: "Hi" },
    { ...ENTRY, text: "" },
  ];
  for (const claim of altered) ok(!await verifyEntry(provider, key, claim, signature), JSON.stringify(claim));
  for (let at = 0; at < signature.length; at++) {
    ok(!await verifyEntry(provider, key, ENTRY, signature.with(at, (signature[at] ?? 0) ^ 1)), `octet ${at}`);
  }
  ok(!await verifyEntry(provider, key, ENTRY, signature.slice(1)));
});

test("the same words said on another server have another signature", async () => {
  const elsewhere = await lobbyId(provider, DEVICE.publicKey);
  const signature = await signEntry(provider, DEVICE, { ...ENTRY, room: elsewhere });
  ok(!await verifyEntry(provider, await verifying(DEVICE.publicKey), ENTRY, signature));
});

test("a salt keeps the octet after it out of the text", async () => {
  await rejects(
    signEntry(provider, DEVICE, { ...ENTRY, salt: seedOf(30).slice(1), text: "Mhi" }),
    RangeError,
  );
  await rejects(signEntry(provider, DEVICE, { ...ENTRY, id: ENTRY.id.slice(1) }), RangeError);
  await rejects(signEntry(provider, DEVICE, { ...ENTRY, room: new Uint8Array(17) }), RangeError);
  await rejects(signEntry(provider, DEVICE, { ...ENTRY, seen: -1 }), RangeError);
});

test("a notice verifies under the host key as it was said, and not otherwise", async () => {
  const host = await keyOf(1);
  const key = await verifying(host.publicKey);
  const signature = await signNotice(host, NOTICE);
  ok(await verifyNotice(key, NOTICE, signature));
  const altered: readonly NoticeClaim[] = [
    { ...NOTICE, room: ROOM.with(0, (ROOM[0] ?? 0) ^ 1) },
    { ...NOTICE, id: NOTICE.id.with(0, 0) },
    { ...NOTICE, source: "console" },
    { ...NOTICE, name: "gas", text: "thi" },
    { ...NOTICE, name: "gasthi", text: "" },
    { ...NOTICE, text: "hi!" },
  ];
  for (const claim of altered) ok(!await verifyNotice(key, claim, signature), JSON.stringify(claim));
  ok(!await verifyNotice(await verifying(DEVICE.publicKey), NOTICE, signature));
  throws(() => signNotice(host, { ...NOTICE, id: new Uint8Array(15) }), RangeError);
  throws(() => signNotice(host, { ...NOTICE, name: "x".repeat(256) }), RangeError);
});

test("no signature made for one purpose serves another", async () => {
  const host = await keyOf(1);
  const entry = await signEntry(provider, host, ENTRY);
  const notice = await signNotice(host, NOTICE);
  const key = await verifying(host.publicKey);
  equal(await verifyEntry(provider, key, ENTRY, notice), false);
  equal(await verifyNotice(key, NOTICE, entry), false);
});
