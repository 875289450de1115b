import { deepEqual, equal } from "node:assert/strict";
import { ENTRY_TIME_OFF_MS_MAX, judgeEntry } from "../../lib/client/entry_judge.ts";
import type { SigningKey } from "../../lib/crypto/port.ts";
import type { OpenedKeys } from "../../lib/identity/device_list.ts";
import { entryId } from "../../lib/identity/entry_id.ts";
import { claimOf, contentDigest, NOWHERE, signEntry } from "../../lib/identity/log_entry.ts";
import { encodeBody, type EntryBody } from "../../lib/wire/entry_body.ts";
import type { Logged } from "../../lib/wire/message.ts";
import { text } from "../chat/bodies.ts";
import { provider } from "../crypto/test_provider.ts";
import { ANN, BOB, deviceOf, IDENTITY, keyOf, listOf, shownBy } from "../identity/people.ts";
import { seededEntropy } from "../secure/seeded_entropy.ts";
import { test } from "../sanitized.ts";

const ROOM = new Uint8Array(16).fill(7);
const THEN = 1_750_000_000_000;
const HOST = await keyOf(1);
const host = await provider.ed25519VerifyingKey(HOST.publicKey);
const entropy = seededEntropy("entries");
const NOTICE: EntryBody = { kind: "notice", body: { source: "server", name: "server", text: "restored" } };

/** Ann's keys, with a device of the key 10 that was revoked then, where that is given. */
async function annsKeys(revoked: number | undefined): Promise<OpenedKeys> {
  const devices = [await deviceOf(10, { revoked }), await deviceOf(11)];
  const { opened } = await shownBy(IDENTITY, await listOf({ devices }));
  if (opened === undefined) throw new Error("ann has keys");
  return opened;
}

/** An entry as it is signed by `key`. */
async function signed(
  key: SigningKey,
  rest: Partial<Logged> = {},
  what: EntryBody = text(),
): Promise<Logged> {
  const content = { salt: entropy(32), body: encodeBody(what) };
  const entry: Logged = {
    sequence: 5,
    time: THEN,
    previous: new Uint8Array(32),
    id: entryId(THEN, entropy),
    kind: what.kind,
    from: ANN,
    device: key.publicKey,
    seen: NOWHERE,
    digest: contentDigest(provider, content),
    signature: new Uint8Array(64),
    content,
    ...rest,
  };
  return { ...entry, signature: await signEntry(key, claimOf(ROOM, entry)) };
}

async function doubtOf(entry: Logged, keys: OpenedKeys | undefined, doubt?: "identity changed") {
  if (host === undefined) throw new Error("the host has a key");
  return (await judgeEntry({ provider, room: ROOM, host }, entry, keys && { keys, doubt })).doubt;
}

test("an entry is its author's who has signed it by a device that was theirs then", async () => {
  const keys = await annsKeys(undefined);
  const entry = await signed(await keyOf(10));
  if (host === undefined) throw new Error("the host has a key");
  deepEqual(await judgeEntry({ provider, room: ROOM, host }, entry, { keys, doubt: undefined }), {
    entry,
    doubt: undefined,
    deviceName: "device 10",
  });
  const { content: _, ...erased } = entry;
  equal(await doubtOf(erased, keys), undefined, "what it said is no part of what was signed");
});

test("whatever of an entry is another's than its author's is doubtful", async () => {
  const keys = await annsKeys(undefined);
  const ten = await keyOf(10);
  const entry = await signed(ten);
  equal(await doubtOf({ ...entry, from: BOB }, keys), "bad signature");
  equal(await doubtOf({ ...entry, id: entryId(THEN, entropy) }, keys), "bad signature");
  equal(await doubtOf({ ...entry, kind: "file" }, keys), "bad signature");
  equal(await doubtOf({ ...entry, seen: { sequence: 1, hash: NOWHERE.hash } }, keys), "bad signature");
  equal(await doubtOf({ ...entry, about: { sequence: 1, hash: NOWHERE.hash } }, keys), "bad signature");
  equal(await doubtOf({ ...entry, device: (await keyOf(11)).publicKey }, keys), "bad signature");
  equal(await doubtOf(await signed(await keyOf(12)), keys), "unknown device");
  equal(await doubtOf(entry, undefined), "unknown person");
  equal(await doubtOf(entry, keys, "identity changed"), "identity changed");
  const content = { salt: entropy(32), body: encodeBody(text("another")) };
  equal(await doubtOf({ ...entry, content }, keys), "not what was signed");
  equal(await doubtOf(await signed(ten, { kind: "topic" }), keys), "not readable");
});

test("what a device said before it was revoked stays its owner's, and nothing after", async () => {
  const keys = await annsKeys(THEN + 100);
  const ten = await keyOf(10);
  equal(await doubtOf(await signed(ten, { time: THEN + 99 }), keys), undefined);
  equal(await doubtOf(await signed(ten, { time: THEN + 100 }), keys), "revoked device");
});

test("an entry that was made more than a day before or after it was taken is doubtful", async () => {
  const keys = await annsKeys(undefined);
  const ten = await keyOf(10);
  for (const off of [-ENTRY_TIME_OFF_MS_MAX, ENTRY_TIME_OFF_MS_MAX]) {
    equal(await doubtOf(await signed(ten, { time: THEN + off }), keys), undefined);
    equal(await doubtOf(await signed(ten, { time: THEN + off + Math.sign(off) }), keys), "wrong time");
  }
});

test("the host key signs notices and what the server does, and nobody's words; nobody else signs those", async () => {
  const keys = await annsKeys(undefined);
  equal(await doubtOf(await signed(HOST, { from: undefined }, NOTICE), undefined), undefined);
  equal(await doubtOf(await signed(HOST, { from: undefined }), undefined), "not allowed");
  equal(await doubtOf(await signed(await keyOf(10), { from: undefined }, NOTICE), keys), "bad signature");
  equal(await doubtOf(await signed(await keyOf(10), {}, NOTICE), keys), "not allowed");
  const forged = await signed(HOST, { from: undefined }, NOTICE);
  equal(await doubtOf({ ...forged, signature: new Uint8Array(64) }, undefined), "bad signature");
});
