import { deepEqual, equal, notDeepEqual, ok, rejects, throws } from "node:assert/strict";
import type { VerifyingKey } from "../../lib/crypto/port.ts";
import {
  claimOf,
  contentDigest,
  draftClaim,
  type EntryClaim,
  entryHash,
  NOWHERE,
  placeOf,
  signEntry,
  verifyEntry,
} from "../../lib/identity/log_entry.ts";
import { lobbyId } from "../../lib/identity/room_id.ts";
import type { Bytes } from "../../lib/wire/bytes.ts";
import type { Content, Logged, Place } from "../../lib/wire/message.ts";
import { provider } from "../crypto/test_provider.ts";
import { test } from "../sanitized.ts";
import { ANN, BOB, HOST_KEY, keyOf, seedOf } from "./people.ts";

const DEVICE = await keyOf(10);
const ROOM = lobbyId(provider, HOST_KEY);
const SEEN: Place = { sequence: 7, hash: seedOf(40) };
const ABOUT: Place = { sequence: 5, hash: seedOf(41) };
const CONTENT: Content = { salt: seedOf(30), body: seedOf(50) };
const CLAIM: EntryClaim = {
  room: ROOM,
  id: seedOf(20).slice(0, 16),
  kind: "reply",
  from: ANN,
  seen: SEEN,
  about: ABOUT,
  digest: contentDigest(provider, CONTENT),
};

/** The claim at its place, signed. */
async function logged(): Promise<Logged> {
  return {
    sequence: 8,
    time: 1_750_000_000_000,
    previous: seedOf(40),
    id: CLAIM.id,
    kind: CLAIM.kind,
    from: ANN,
    device: DEVICE.publicKey,
    seen: SEEN,
    about: ABOUT,
    digest: CLAIM.digest,
    signature: await signEntry(DEVICE, CLAIM),
    content: CONTENT,
  };
}

async function verifying(publicKey: Bytes): Promise<VerifyingKey> {
  const key = await provider.ed25519VerifyingKey(publicKey);
  ok(key !== undefined);
  return key;
}

function flipped(octets: Bytes, at: number): Bytes {
  return octets.with(at, (octets[at] ?? 0) ^ 1);
}

test("an entry verifies under its device, and under no other key", async () => {
  const signature = await signEntry(DEVICE, CLAIM);
  ok(await verifyEntry(await verifying(DEVICE.publicKey), CLAIM, signature));
  const other = await verifying((await keyOf(11)).publicKey);
  ok(!await verifyEntry(other, CLAIM, signature));
});

test("attack 42: an entry in which any field is another one does not verify", async () => {
  const signature = await signEntry(DEVICE, CLAIM);
  const key = await verifying(DEVICE.publicKey);
  const { about: _, ...aboutNothing } = CLAIM;
  const altered: readonly EntryClaim[] = [
    { ...CLAIM, room: flipped(ROOM, 15) },
    { ...CLAIM, id: flipped(CLAIM.id, 0) },
    { ...CLAIM, kind: "text" },
    { ...CLAIM, from: BOB },
    { ...CLAIM, from: undefined },
    { ...CLAIM, seen: { ...SEEN, sequence: 8 } },
    { ...CLAIM, seen: { ...SEEN, hash: flipped(SEEN.hash, 31) } },
    { ...CLAIM, seen: ABOUT, about: SEEN },
    { ...CLAIM, about: { ...ABOUT, sequence: 4 } },
    { ...CLAIM, about: { ...ABOUT, hash: flipped(ABOUT.hash, 0) } },
    { ...aboutNothing, about: undefined },
    { ...CLAIM, digest: contentDigest(provider, { ...CONTENT, salt: flipped(CONTENT.salt, 31) }) },
    { ...CLAIM, digest: contentDigest(provider, { ...CONTENT, body: flipped(CONTENT.body, 0) }) },
  ];
  for (const claim of altered) ok(!await verifyEntry(key, claim, signature), JSON.stringify(claim));
  for (let at = 0; at < signature.length; at++) {
    ok(!await verifyEntry(key, CLAIM, flipped(signature, at)), `octet ${at}`);
  }
  ok(!await verifyEntry(key, CLAIM, signature.slice(1)));
});

test("what a draft claims is what its entry claims, so one signature serves both", async () => {
  const entry = await logged();
  deepEqual(claimOf(ROOM, entry), CLAIM);
  const { id, kind, seen, about, signature } = entry;
  const draft = { id, kind, seen, about, signature, content: CONTENT };
  deepEqual(draftClaim(provider, { room: ROOM, from: ANN }, draft), CLAIM);
});

test("the same words said on another server, or signed for another purpose, have another signature", async () => {
  const key = await verifying(DEVICE.publicKey);
  const elsewhere = await signEntry(DEVICE, { ...CLAIM, room: lobbyId(provider, DEVICE.publicKey) });
  ok(!await verifyEntry(key, CLAIM, elsewhere));
  const bare = await DEVICE.sign(entryHash(provider, ROOM, await logged()));
  ok(!await verifyEntry(key, CLAIM, bare));
});

test("attack 42: the hash of an entry covers every field but what it says, which its digest covers", async () => {
  const entry = await logged();
  const hash = entryHash(provider, ROOM, entry);
  deepEqual(placeOf(provider, ROOM, entry), { sequence: 8, hash });
  const altered: readonly Logged[] = [
    { ...entry, sequence: 9 },
    { ...entry, time: entry.time + 1 },
    { ...entry, previous: flipped(entry.previous, 0) },
    { ...entry, id: flipped(entry.id, 15) },
    { ...entry, kind: "edit" },
    { ...entry, from: BOB },
    { ...entry, device: flipped(entry.device, 0) },
    { ...entry, seen: ABOUT },
    { ...entry, about: SEEN },
    { ...entry, digest: flipped(entry.digest, 0) },
    { ...entry, signature: flipped(entry.signature, 63) },
  ];
  for (const each of altered) notDeepEqual(entryHash(provider, ROOM, each), hash);
  notDeepEqual(entryHash(provider, flipped(ROOM, 0), entry), hash);
  const { content: _, ...erased } = entry;
  deepEqual(entryHash(provider, ROOM, { ...erased, erasedBy: 9 }), hash, "erasing leaves the chain as it is");
  const { about: __, ...aboutNothing } = entry;
  deepEqual(
    entryHash(provider, ROOM, { ...aboutNothing, about: NOWHERE }),
    entryHash(provider, ROOM, aboutNothing),
  );
});

test("fields of a wrong length are not signed, hashed or digested", async () => {
  const entry = await logged();
  const claims: readonly EntryClaim[] = [
    { ...CLAIM, room: new Uint8Array(17) },
    { ...CLAIM, id: CLAIM.id.slice(1) },
    { ...CLAIM, digest: new Uint8Array(31) },
    { ...CLAIM, seen: { ...SEEN, hash: new Uint8Array(33) } },
    { ...CLAIM, seen: { ...SEEN, sequence: -1 } },
    { ...CLAIM, about: { ...ABOUT, hash: new Uint8Array(0) } },
  ];
  for (const claim of claims) await rejects(signEntry(DEVICE, claim), RangeError);
  const entries: readonly Logged[] = [
    { ...entry, previous: new Uint8Array(31) },
    { ...entry, device: new Uint8Array(33) },
    { ...entry, signature: new Uint8Array(63) },
    { ...entry, time: 1.5 },
  ];
  for (const each of entries) throws(() => entryHash(provider, ROOM, each), RangeError);
  throws(() => contentDigest(provider, { ...CONTENT, salt: CONTENT.salt.slice(1) }), RangeError);
});

test("what the host key signs has nobody's name, and an account of no name cannot take it over", async () => {
  const host = await keyOf(1);
  const claim = { ...CLAIM, kind: "notice", from: undefined } as const;
  const signature = await signEntry(host, claim);
  ok(await verifyEntry(await verifying(HOST_KEY), claim, signature));
  equal(await verifyEntry(await verifying(HOST_KEY), { ...claim, from: ANN }, signature), false);
});
