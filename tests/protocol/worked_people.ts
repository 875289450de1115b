/**
 * The people of PROTOCOL §6 and §11: their keys, what they sign and seal, and one example of every application message.
 *
 * @module
 */

import { equal } from "node:assert/strict";
import type { Entropy, SigningKey } from "../../lib/crypto/port.ts";
import { nobleMlKem } from "../../lib/crypto/ml_kem_noble.ts";
import { webCryptoProvider } from "../../lib/crypto/webcrypto.ts";
import { openApproval, sealApproval } from "../../lib/identity/approval.ts";
import { openKeys, signDeviceList } from "../../lib/identity/device_list.ts";
import { lobbyId, signEntry } from "../../lib/identity/entry_signature.ts";
import { firstDeviceList, withDevice, withDisplay } from "../../lib/identity/next_device_list.ts";
import { signNotice } from "../../lib/identity/notice_signature.ts";
import { openRecovery, sealRecovery } from "../../lib/identity/recovery_code.ts";
import { type Handle, parseHandle } from "../../lib/text/handle.ts";
import type { Bytes } from "../../lib/wire/bytes.ts";
import {
  type ClientMessage,
  encodeMessage,
  type Keys,
  LOBBY,
  type ServerMessage,
} from "../../lib/wire/message.ts";

/** Gives the octets that the document gives by name. */
export type Given = (name: string) => Bytes;

/** Octets by the name that the document has for them. */
export type Named = Map<string, Bytes>;

/** Every primitive, with repeatable ML-KEM. */
export const PROVIDER = webCryptoProvider(nobleMlKem);

/** Who speaks in the document's examples. */
export const ANN = handleOf("ann");
/** Who is there already. */
export const BOB = handleOf("bob");

/** The first moment of 2026, at which all begins; milliseconds since 1970. */
const NEW_YEAR = Date.UTC(2026, 0, 1);

/** The OPAQUE messages that appear in messages, too. */
interface PasswordMessages {
  readonly request: Bytes;
  readonly response: Bytes;
  readonly record: Bytes;
}

/** Every message of §6 and what it is made of, by name. */
export async function workedPeople(given: Given, opaque: PasswordMessages): Promise<Named> {
  const keys = await keyPairs(given);
  const { host, annIdentity, annDevice, bobIdentity, bobDevice, phoneDevice } = keys;
  const hostKey = host.publicKey;

  const first = firstDeviceList(ANN, { key: annDevice.publicKey, name: "linux", added: NEW_YEAR });
  const phone = { key: phoneDevice.publicKey, name: "phone", added: NEW_YEAR + 60_000 };
  const next = withDevice(first, phone) ?? first;
  const bobs = withDisplay(
    firstDeviceList(BOB, { key: bobDevice.publicKey, name: "darwin", added: NEW_YEAR }),
    "Bob",
  );
  const annKeys = await signed(annIdentity, hostKey, first);
  const nextKeys = await signed(annIdentity, hostKey, next);
  const bobKeys = await signed(bobIdentity, hostKey, bobs);

  const room = await lobbyId(PROVIDER, hostKey);
  const bobsEntry = {
    room,
    id: given("entry_id"),
    handle: BOB,
    seen: 0,
    salt: given("entry_salt"),
    text: "good morning",
  };
  const annsEntry = {
    room,
    id: given("send_id"),
    handle: ANN,
    seen: 1,
    salt: given("send_salt"),
    text: "hello",
  };
  const said = {
    room,
    id: given("notice_id"),
    source: "console",
    name: "console",
    text: "back at noon",
  } as const;
  const signatures = {
    entry_signature: await signEntry(PROVIDER, bobDevice, bobsEntry),
    send_signature: await signEntry(PROVIDER, annDevice, annsEntry),
    notice_signature: await signNotice(host, said),
  };
  const recovery = await recoveryBlob(given, hostKey, annIdentity);
  const approval = await approved(given, { hostKey, identity: annIdentity, device: phoneDevice.publicKey });
  const { request, response, record } = opaque;

  const messages: Readonly<Record<string, ClientMessage | ServerMessage>> = {
    join: { type: "join", room: LOBBY },
    send: {
      type: "send",
      room: LOBBY,
      id: annsEntry.id,
      text: annsEntry.text,
      salt: annsEntry.salt,
      seen: annsEntry.seen,
      signature: signatures.send_signature,
    },
    entry: {
      type: "entry",
      room: LOBBY,
      sequence: 1,
      id: bobsEntry.id,
      from: BOB,
      device: bobDevice.publicKey,
      time: NEW_YEAR + 107,
      text: bobsEntry.text,
      salt: bobsEntry.salt,
      seen: bobsEntry.seen,
      signature: signatures.entry_signature,
    },
    ack: { type: "ack", room: LOBBY, id: annsEntry.id, sequence: 2, time: NEW_YEAR + 1_007 },
    presence: { type: "presence", room: LOBBY, change: "here", names: [ANN, BOB], time: NEW_YEAR + 7 },
    fault: { type: "fault", code: "noSuchRoom", about: annsEntry.id },
    notice: {
      type: "notice",
      room: LOBBY,
      sequence: 3,
      id: said.id,
      source: said.source,
      name: said.name,
      time: NEW_YEAR + 2_007,
      text: said.text,
      signature: signatures.notice_signature,
    },
    cards: { type: "cards", cards: [{ handle: ANN, ...annKeys }, { handle: BOB, ...bobKeys }] },
    enter: { type: "enter" },
    account: { type: "account", handle: ANN, role: "owner", keys: annKeys, recovery: true },
    new_account: { type: "account", handle: ANN, role: "owner", recovery: false },
    publish: { type: "publish", keys: annKeys, recovery },
    recover: { type: "recover" },
    recovery: { type: "recovery", blob: recovery },
    askApproval: { type: "askApproval", device: phone.key, name: phone.name, share: approval.share },
    approval: { type: "approval", device: phone.key, name: phone.name, share: approval.share },
    approve: {
      type: "approve",
      device: phone.key,
      keys: nextKeys,
      share: approval.approver,
      sealed: approval.sealed,
    },
    approved: { type: "approved", keys: nextKeys, share: approval.approver, sealed: approval.sealed },
    passwordRequest: { type: "passwordRequest", request },
    passwordResponse: { type: "passwordResponse", response },
    passwordRecord: { type: "passwordRecord", record },
  };
  return new Map(Object.entries({
    host_key: hostKey,
    ann_identity_key: annIdentity.publicKey,
    ann_device_key: annDevice.publicKey,
    bob_identity_key: bobIdentity.publicKey,
    bob_device_key: bobDevice.publicKey,
    phone_device_key: phoneDevice.publicKey,
    phone_share: approval.share,
    approver_share: approval.approver,
    ann_list: annKeys.list,
    ann_list_signature: annKeys.signature,
    ann_next_list: nextKeys.list,
    ann_next_list_signature: nextKeys.signature,
    bob_list: bobKeys.list,
    bob_list_signature: bobKeys.signature,
    lobby_id: room,
    ...signatures,
    recovery_blob: recovery,
    approval_sealed: approval.sealed,
    ...Object.fromEntries(
      Object.entries(messages).map(([name, message]) => [`${name}_message`, encodeMessage(message)]),
    ),
  }));
}

/** The key pairs of everybody in the examples. */
export interface KeyPairs {
  readonly host: SigningKey;
  readonly annIdentity: SigningKey;
  readonly annDevice: SigningKey;
  readonly bobIdentity: SigningKey;
  readonly bobDevice: SigningKey;
  readonly phoneDevice: SigningKey;
}

/** Those of the document's seeds. */
export async function keyPairs(given: Given): Promise<KeyPairs> {
  const pair = (name: string): Promise<SigningKey> => PROVIDER.ed25519SigningKey(given(name));
  return {
    host: await pair("server_host_seed"),
    annIdentity: await pair("ann_identity_seed"),
    annDevice: await pair("ann_device_seed"),
    bobIdentity: await pair("bob_identity_seed"),
    bobDevice: await pair("bob_device_seed"),
    phoneDevice: await pair("phone_device_seed"),
  };
}

async function signed(
  identity: SigningKey,
  hostKey: Bytes,
  list: Parameters<typeof signDeviceList>[2],
): Promise<Keys> {
  const keys = await signDeviceList(identity, hostKey, list);
  const opened = await openKeys(PROVIDER, hostKey, list.handle, keys);
  equal(opened?.list.number, list.number, "a client takes the list");
  return keys;
}

async function recoveryBlob(given: Given, hostKey: Bytes, identity: SigningKey): Promise<Bytes> {
  const code = given("recovery_code");
  const seed = given("ann_identity_seed");
  const context = { code, hostKey, handle: ANN };
  const blob = await sealRecovery(PROVIDER, drawing(given("recovery_iv")), { ...context, seed });
  const opened = await openRecovery(PROVIDER, { ...context, identity: identity.publicKey, blob });
  equal(opened?.toHex(), seed.toHex(), "the code opens its blob");
  return blob;
}

async function approved(
  given: Given,
  { hostKey, identity, device }: { hostKey: Bytes; identity: SigningKey; device: Bytes },
): Promise<{ share: Bytes; approver: Bytes; sealed: Bytes }> {
  const pair = await PROVIDER.x25519Pair(given("phone_share_seed"));
  const account = { hostKey, handle: ANN, identity: identity.publicKey, device };
  const seed = given("ann_identity_seed");
  const entropy = drawing(given("approver_share_seed"), given("approval_iv"));
  const answer = await sealApproval(PROVIDER, entropy, { ...account, share: pair.share, seed });
  if (answer === undefined) throw new RangeError("Cannot approve: the share is refused");
  const { share: approver, sealed } = answer;
  const opened = await openApproval(PROVIDER, pair, { ...account, approver, sealed });
  equal(opened?.toHex(), seed.toHex(), "the new device opens what was sealed for it");
  return { share: pair.share, approver, sealed };
}

/** Draws just these octets, in that order. */
function drawing(...left: Bytes[]): Entropy {
  return (length) => {
    const drawn = left.shift();
    if (drawn?.length !== length) throw new RangeError(`Cannot draw ${length} octets: the list has others`);
    return drawn.slice();
  };
}

function handleOf(text: string): Handle {
  const handle = parseHandle(text);
  if (handle === undefined) throw new RangeError(`Cannot make the session: ${text} is no handle`);
  return handle;
}
