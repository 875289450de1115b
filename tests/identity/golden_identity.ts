/**
 * The golden vectors of lib/identity: fixed people, and every octet string that is signed, derived or sealed for them.
 * tests/interop/identity.py computes the same from the formulas alone.
 *
 * @module
 */

import * as v from "valibot";
import { wordlist } from "@scure/bip39/wordlists/english.js";
import type { Entropy, SigningKey } from "../../lib/crypto/port.ts";
import { approvalWords, openApproval, sealApproval } from "../../lib/identity/approval.ts";
import { type Device, encodeDeviceList, signDeviceList } from "../../lib/identity/device_list.ts";
import { invitationText } from "../../lib/identity/invitation.ts";
import { contentDigest, NOWHERE, placeOf, signEntry } from "../../lib/identity/log_entry.ts";
import { openRecovery, recoveryCodeText, sealRecovery } from "../../lib/identity/recovery_code.ts";
import { directId, lobbyId, openId } from "../../lib/identity/room_id.ts";
import { safetyWords } from "../../lib/identity/safety_words.ts";
import type { Bytes } from "../../lib/wire/bytes.ts";
import { encodeBody, type EntryBody } from "../../lib/wire/entry_body.ts";
import type { Place } from "../../lib/wire/message.ts";
import { provider } from "../crypto/test_provider.ts";
import { ANN, BOB, keyOf, seedOf } from "./people.ts";

/** Where the vectors are. */
export const GOLDEN_IDENTITY_FILE = new URL("vectors.json", import.meta.url);

/** What an implementation is given. Octets are in hexadecimal. */
const SEEDS = { host: 1, identity: 2, other: 3, device: 10, second: 11 } as const;

/** The file's text, by this implementation. */
export async function goldenIdentity(): Promise<string> {
  const [host, identity, other, device, second] = await Promise.all([
    keyOf(SEEDS.host),
    keyOf(SEEDS.identity),
    keyOf(SEEDS.other),
    keyOf(SEEDS.device),
    keyOf(SEEDS.second),
  ]);
  const devices: readonly Device[] = [
    { key: device.publicKey, name: "linux", added: 1_750_000_000_000, revoked: undefined },
    { key: second.publicKey, name: "téléphone", added: 1_750_000_100_000, revoked: 1_750_000_200_000 },
  ];
  const hostKey = host.publicKey;
  const list = { handle: ANN, number: 3, display: "Zoë 山", devices };
  const invitation = {
    endpoint: { host: "::1", port: 8_443 },
    hostKey,
    code: seedOf(60).slice(0, 16),
    certificate: Uint8Array.of(0x30, 0x00),
  };
  const file = {
    keys: {
      host: keyPair(SEEDS.host, hostKey),
      identity: keyPair(SEEDS.identity, identity.publicKey),
      other: keyPair(SEEDS.other, other.publicKey),
      device: keyPair(SEEDS.device, device.publicKey),
      second: keyPair(SEEDS.second, second.publicKey),
    },
    deviceList: {
      list: {
        ...list,
        devices: devices.map((each) => ({ ...each, key: each.key.toHex(), revoked: each.revoked ?? 0 })),
      },
      octets: encodeDeviceList(list).toHex(),
      signature: (await signDeviceList(identity, hostKey, list)).signature.toHex(),
    },
    rooms: goldenRooms(hostKey),
    log: await goldenLog({ host, device, hostKey }),
    recovery: await goldenRecovery(hostKey),
    approval: await goldenApproval({ hostKey, identity: identity.publicKey, device: second.publicKey }),
    safetyWords: asWords(await safetyWords(provider, hostKey, [other.publicKey, identity.publicKey])),
    invitation: { code: invitation.code.toHex(), certificate: "3000", text: invitationText(invitation) },
  };
  return JSON.stringify(file, null, 2) + "\n";
}

const hex = v.pipe(v.string(), v.transform((text): Bytes => Uint8Array.fromHex(text)));

const GoldenSchema = v.object({
  keys: v.object({ host: v.object({ key: hex }), identity: v.object({ key: hex, seed: hex }) }),
  recovery: v.object({ code: hex, blob: hex }),
  approval: v.object({ seed: hex, device: hex, approver: hex, sealed: hex }),
});

/** The two identity seeds that the sealed vectors of the file open to. */
export async function openedFromGolden(): Promise<readonly (Bytes | undefined)[]> {
  const golden = v.parse(GoldenSchema, JSON.parse(await Deno.readTextFile(GOLDEN_IDENTITY_FILE)));
  const { keys: { host: { key: hostKey }, identity: { key: identity } }, recovery, approval } = golden;
  const pair = await provider.x25519Pair(approval.seed);
  return [
    await openRecovery(provider, { hostKey, handle: BOB, identity, ...recovery }),
    await openApproval(provider, pair, { hostKey, handle: ANN, identity, ...approval }),
  ];
}

/** The ids of rooms, with what they follow from. */
function goldenRooms(hostKey: Bytes) {
  const createdBy = seedOf(22).slice(0, 16);
  return {
    lobby: lobbyId(provider, hostKey).toHex(),
    open: { createdBy: createdBy.toHex(), id: openId(provider, hostKey, createdBy).toHex() },
    direct: { people: [ANN, BOB], id: directId(provider, hostKey, [BOB, ANN]).toHex() },
  };
}

/** A log of four entries of the lobby, each on the one before: by the host key, a text, an edit of it, and its deletion. */
async function goldenLog({ host, device, hostKey }: {
  readonly host: SigningKey;
  readonly device: SigningKey;
  readonly hostKey: Bytes;
}) {
  const room = lobbyId(provider, hostKey);
  const said: readonly { readonly what: EntryBody; readonly about: number | undefined }[] = [
    { what: { kind: "notice", body: { source: "bridge", name: "gäst", text: "hello" } }, about: undefined },
    { what: { kind: "text", body: { text: "Grüße, Bob" } }, about: undefined },
    { what: { kind: "edit", body: { text: "Grüße, Bob!" } }, about: 2 },
    { what: { kind: "delete", body: { reason: "山" } }, about: 2 },
  ];
  const places: Place[] = [NOWHERE];
  const entries = [];
  for (const [at, { what, about: sequence }] of said.entries()) {
    const seen = places[at] ?? NOWHERE;
    const about = sequence === undefined ? undefined : places[sequence];
    const content = { salt: seedOf(30 + at), body: encodeBody(what) };
    const key = what.kind === "notice" ? host : device;
    const claim = {
      room,
      id: seedOf(20 + at).slice(0, 16),
      kind: what.kind,
      from: what.kind === "notice" ? undefined : ANN,
      seen,
      about,
      digest: contentDigest(provider, content),
    };
    const { room: _, ...signed } = claim;
    const entry = {
      ...signed,
      sequence: at + 1,
      time: 1_750_000_000_000 + at,
      previous: seen.hash,
      device: key.publicKey,
      signature: await signEntry(key, claim),
      content,
    };
    const place = placeOf(provider, room, entry);
    places.push(place);
    entries.push({
      id: entry.id.toHex(),
      kind: entry.kind,
      from: entry.from ?? "",
      device: entry.device.toHex(),
      seen: seen.sequence,
      about: about?.sequence ?? 0,
      salt: content.salt.toHex(),
      body: content.body.toHex(),
      digest: entry.digest.toHex(),
      signature: entry.signature.toHex(),
      sequence: entry.sequence,
      time: entry.time,
      hash: place.hash.toHex(),
    });
  }
  return entries;
}

async function goldenRecovery(hostKey: Bytes) {
  const code = seedOf(40).slice(0, 20);
  const iv = seedOf(50).slice(0, 16);
  const blob = await sealRecovery(provider, () => iv, {
    code,
    hostKey,
    handle: BOB,
    seed: seedOf(SEEDS.identity),
  });
  return { handle: BOB, code: code.toHex(), text: recoveryCodeText(code), blob: blob.toHex() };
}

async function goldenApproval(account: { hostKey: Bytes; identity: Bytes; device: Bytes }) {
  const [seed, approverSeed, iv] = [seedOf(70), seedOf(80), seedOf(90).slice(0, 16)];
  const { share } = await provider.x25519Pair(seed);
  const context = { ...account, handle: ANN, share };
  const drawn = [approverSeed, iv];
  const entropy: Entropy = () => drawn.shift() ?? new Uint8Array(0);
  const sealed = await sealApproval(provider, entropy, { ...context, seed: seedOf(SEEDS.identity) });
  if (sealed === undefined) throw new Error("Cannot make the vectors: the share is refused");
  return {
    seed: seed.toHex(),
    share: share.toHex(),
    device: account.device.toHex(),
    words: asWords(await approvalWords(provider, context)),
    approverSeed: approverSeed.toHex(),
    approver: sealed.share.toHex(),
    sealed: sealed.sealed.toHex(),
  };
}

/** Words with their places in the list, for readers that do not have it. */
function asWords(words: readonly string[]) {
  return { words, places: words.map((word) => wordlist.indexOf(word)) };
}

function keyPair(octet: number, publicKey: Bytes) {
  return { seed: seedOf(octet).toHex(), key: publicKey.toHex() };
}
