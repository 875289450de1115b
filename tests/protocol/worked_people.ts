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
import { contentDigest, draftClaim, NOWHERE, placeOf, signEntry } from "../../lib/identity/log_entry.ts";
import { firstDeviceList, withDevice, withDisplay } from "../../lib/identity/next_device_list.ts";
import { openRecovery, sealRecovery } from "../../lib/identity/recovery_code.ts";
import { directId, lobbyId } from "../../lib/identity/room_id.ts";
import { type Handle, parseHandle } from "../../lib/text/handle.ts";
import type { Bytes } from "../../lib/wire/bytes.ts";
import { encodeBody, type EntryBody } from "../../lib/wire/entry_body.ts";
import {
  type ClientMessage,
  type Draft,
  encodeMessage,
  type Keys,
  LOBBY,
  type Logged,
  type Place,
  type RoomSettings,
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

  const room = lobbyId(PROVIDER, hostKey);
  const log = await workedLog(given, keys, room);
  const recovery = await recoveryBlob(given, hostKey, annIdentity);
  const approval = await approved(given, { hostKey, identity: annIdentity, device: phoneDevice.publicKey });
  const { request, response, record } = opaque;

  const messages: Readonly<Record<string, ClientMessage | ServerMessage>> = {
    ...log.messages,
    ...fileMessages(given, room),
    list: { type: "list", ask: 2, name: LOBBY },
    directory: {
      type: "directory",
      ask: 2,
      rooms: [{ room, name: LOBBY, visibility: "public", topic: "", members: 2 }],
      end: true,
    },
    askMembers: { type: "askMembers", room, ask: 3 },
    members: {
      type: "members",
      room,
      ask: 3,
      members: [{ handle: ANN, role: "owner" }, { handle: BOB, role: "member" }],
      end: true,
    },
    askCards: { type: "askCards", ask: 4, handles: [BOB] },
    gone: { type: "gone", room, why: "parted" },
    ready: { type: "ready" },
    presence: {
      type: "presence",
      people: [{ handle: ANN, state: "online" }, { handle: BOB, state: "away", text: "at lunch" }],
      time: NEW_YEAR + 7,
    },
    mark: { type: "mark", room, delivered: 5, read: 4, shown: true },
    marks: { type: "marks", room, handle: BOB, delivered: 5, read: 5 },
    typing: { type: "typing", room, on: true },
    typing_news: { type: "typing", room, handle: BOB, on: true },
    status: { type: "status", state: "away", text: "at lunch" },
    block: { type: "block", handle: BOB, on: true },
    blocks: { type: "blocks", handles: [BOB] },
    fault: { type: "fault", code: "slowMode", about: given("send_id"), ask: 1, wait: 4_000 },
    cards: { type: "cards", ask: 4, cards: [{ handle: BOB, ...bobKeys }], end: true },
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
    direct_id: directId(PROVIDER, hostKey, [ANN, BOB]),
    file_sha256: PROVIDER.sha256Now(given("file_octets")),
    zero_hash: NOWHERE.hash,
    ...log.named,
    recovery_blob: recovery,
    approval_sealed: approval.sealed,
    ...Object.fromEntries(
      Object.entries(messages).map(([name, message]) => [`${name}_message`, encodeMessage(message)]),
    ),
  }));
}

/** The settings of the lobby that nobody has changed. */
const SETTINGS: RoomSettings = {
  visibility: "public",
  topic: "",
  history: "all",
  retention: 0,
  slow: 0,
  lockdown: false,
};

/** The lobby's first five entries, the last two of which are said while Ann is there. */
async function workedLog(
  given: Given,
  { host, annDevice, bobDevice }: KeyPairs,
  room: Bytes,
): Promise<
  { messages: Readonly<Record<string, ClientMessage | ServerMessage>>; named: Record<string, Bytes> }
> {
  const drafted = async (
    name: string,
    { key, from, seen }: { key: SigningKey; from: Handle | undefined; seen: Place },
    what: EntryBody,
  ): Promise<Draft> => {
    const content = { salt: given(`${name}_salt`), body: encodeBody(what) };
    const unsigned = { id: given(`${name}_id`), kind: what.kind, seen, content };
    const claim = draftClaim(PROVIDER, { room, from }, { ...unsigned, signature: new Uint8Array(64) });
    return { ...unsigned, signature: await signEntry(key, claim) };
  };
  const placed = (
    draft: Draft,
    device: Bytes,
    at: Pick<Logged, "sequence" | "time" | "previous">,
    from?: Handle,
  ) => {
    const entry: Logged = {
      ...at,
      ...draft,
      device,
      digest: contentDigest(PROVIDER, draft.content),
      ...(from === undefined ? {} : { from }),
    };
    return { entry, place: placeOf(PROVIDER, room, entry) };
  };
  const byHost = (seen: Place) => ({ key: host, from: undefined, seen });
  const at = (sequence: number, time: number, { hash: previous }: Place) => ({ sequence, time, previous });
  const hostKey = host.publicKey;

  const creating = await drafted("create", byHost(NOWHERE), {
    kind: "room",
    body: { act: "create", kind: "open", name: LOBBY, visibility: "public" },
  });
  const create = placed(creating, hostKey, at(1, NEW_YEAR, NOWHERE));
  const joining = await drafted("ann_join", byHost(create.place), {
    kind: "membership",
    body: { change: "join", handle: ANN, role: "owner" },
  });
  const annJoin = placed(joining, hostKey, at(2, NEW_YEAR + 1, create.place));
  const following = await drafted("bob_join", byHost(annJoin.place), {
    kind: "membership",
    body: { change: "join", handle: BOB, role: "member" },
  });
  const bobJoin = placed(following, hostKey, at(3, NEW_YEAR + 2, annJoin.place));
  const greeting = await drafted("entry", { key: bobDevice, from: BOB, seen: bobJoin.place }, {
    kind: "text",
    body: { text: "good morning" },
  });
  const heard = placed(greeting, bobDevice.publicKey, at(4, NEW_YEAR + 107, bobJoin.place), BOB);
  const answer = await drafted("send", { key: annDevice, from: ANN, seen: heard.place }, {
    kind: "text",
    body: { text: "hello" },
  });
  const said = placed(answer, annDevice.publicKey, at(5, NEW_YEAR + 1_007, heard.place), ANN);

  const named: Record<string, Bytes> = {};
  for (
    const [name, { entry, place }] of Object.entries({
      create,
      ann_join: annJoin,
      bob_join: bobJoin,
      entry: heard,
      send: said,
    })
  ) {
    named[`${name}_body`] = entry.content?.body ?? new Uint8Array(0);
    named[`${name}_digest`] = entry.digest;
    named[`${name}_signature`] = entry.signature;
    named[`${name}_hash`] = place.hash;
  }
  return {
    named,
    messages: {
      room: {
        type: "room",
        room,
        kind: "open",
        name: LOBBY,
        standing: "member",
        role: "owner",
        settings: SETTINGS,
        members: 2,
        knocking: [],
        head: bobJoin.place,
        base: NOWHERE,
        delivered: 0,
        read: 0,
      },
      direct_room: {
        type: "room",
        room: directId(PROVIDER, hostKey, [ANN, BOB]),
        kind: "direct",
        with: BOB,
        standing: "requested",
        settings: { ...SETTINGS, visibility: "private" },
        members: 1,
        knocking: [],
        head: NOWHERE,
        base: NOWHERE,
        delivered: 0,
        read: 0,
      },
      read: { type: "read", room, ask: 1, where: { from: "after", sequence: 0 }, limit: 100, follow: true },
      page: {
        type: "page",
        room,
        ask: 1,
        entries: [create.entry, annJoin.entry, bobJoin.entry],
        end: { head: bobJoin.place, base: NOWHERE, live: true },
      },
      entry: { type: "entry", room, entry: heard.entry },
      send: { type: "send", room, entry: answer },
      ack: {
        type: "ack",
        room,
        id: answer.id,
        sequence: said.entry.sequence,
        time: said.entry.time,
        previous: said.entry.previous,
      },
    },
  };
}

/** What it takes to put a file of three octets into the lobby, and to get it. */
function fileMessages(given: Given, room: Bytes): Readonly<Record<string, ClientMessage | ServerMessage>> {
  const file = given("file_id");
  const bytes = given("file_octets");
  const sha256 = PROVIDER.sha256Now(bytes);
  return {
    fileBegin: { type: "fileBegin", file, room, size: bytes.length, sha256 },
    fileChunk: { type: "fileChunk", file, offset: 0, bytes },
    fileState: { type: "fileState", file, have: bytes.length, done: true },
    fileGet: { type: "fileGet", file, offset: 0, chunks: 1 },
    fileData: { type: "fileData", file, offset: 0, size: bytes.length, bytes },
  };
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
