/**
 * What a client knows of other people's keys, as a value: the identity of each as first seen, and the newest device list
 * of it. Nothing here believes the server: another identity is doubtful until its person accepts it, and a list that
 * is older than the one known, or contradicts it, is refused.
 *
 * As a text, one line a person after a first line that names the form; octets are in base64:
 *
 *     sotto-peers 1
 *     HANDLE seen|verified IDENTITY LIST SIGNATURE[ IDENTITY LIST SIGNATURE]
 *
 * The second three are those of a changed identity that was not accepted.
 *
 * @module
 */

import { ED25519_KEY_BYTES, ED25519_SIGNATURE_BYTES } from "../crypto/port.ts";
import { type Handle, parseHandle } from "../text/handle.ts";
import { type Bytes, equal } from "../wire/bytes.ts";
import { DEVICE_LIST_BYTES_MAX } from "../wire/limits.ts";
import type { Card, Keys } from "../wire/message.ts";
import { base64Octets } from "./base64.ts";
import {
  decodeDeviceList,
  type Device,
  type DeviceList,
  findDevice,
  isLaterList,
  type OpenedKeys,
} from "./device_list.ts";

/** Most people in one book: many times a group. A server that makes up more is not believed, and fills no disk. */
export const PEERS_MAX = 2_000;

/** Longest text of a book, in octets: {@linkcode PEERS_MAX} lines with two of the longest lists each. */
export const PEER_BOOK_BYTES_MAX = PEERS_MAX * 12_288;

const HEADER = "sotto-peers 1";

/** Keys whose signature was checked, with what their list says. */
export interface KnownKeys {
  /** As they came. */
  readonly keys: Keys;
  /** What `keys.list` says. */
  readonly list: DeviceList;
}

/** What is known of one person. */
export interface Peer {
  /** The identity first seen, or accepted since, with its newest list. */
  readonly known: KnownKeys;
  /** Whether the safety words with that identity were compared. */
  readonly verified: boolean;
  /** Another identity that was shown in its place and not accepted, with its newest list. */
  readonly changed: KnownKeys | undefined;
}

/** All that is known of others, by handle. */
export type PeerBook = ReadonlyMap<Handle, Peer>;

/** How far a person's keys are to be trusted. */
export type Trust = "seen" | "verified" | "changed";

/** Something to be told of a person's keys. */
export type PeerNews =
  /** A device was added or revoked; `detail` is its name. */
  | { readonly kind: "deviceAdded" | "deviceRevoked"; readonly detail: string }
  /** Another display name; `detail` is the new one, empty where it was taken away. */
  | { readonly kind: "renamed"; readonly detail: string }
  /** Another identity key; told once for each. */
  | { readonly kind: "identityChanged" }
  /** Not taken; what was known stays. */
  | { readonly kind: "listRefused"; readonly why: Refusal };

/** Why keys were not taken. */
export type Refusal =
  /** They do not hold together, or are somebody else's. */
  | "invalid"
  /** Their list has a lower number than the one known. */
  | "older"
  /** Two lists have one number. */
  | "fork"
  /** The list does not keep what the one known says of devices. */
  | "rewritten"
  /** {@linkcode PEERS_MAX} people are known. */
  | "bookFull";

/** What came of meeting keys. */
export interface MetPeer {
  /** From now on; the same object where nothing changed. */
  readonly book: PeerBook;
  /** In the order in which they are to be told. */
  readonly news: readonly PeerNews[];
}

/** A book as read. */
export type ParsedPeerBook =
  | { readonly kind: "peerBook"; readonly book: PeerBook }
  /** No book: to skip a line would be to forget a key that someone trusted. `why` follows "line N". */
  | { readonly kind: "fault"; readonly line: number; readonly why: string };

/** A client that has met nobody. */
export const EMPTY_PEER_BOOK: PeerBook = new Map();

/** Takes what the server says of a person; `opened` is what `openKeys` makes of the card. */
export function meet(book: PeerBook, card: Card, opened: OpenedKeys | undefined): MetPeer {
  if (opened === undefined || opened.list.handle !== card.handle) return refuse(book, "invalid");
  const shown: KnownKeys = { keys: opened.keys, list: opened.list };
  const peer = book.get(card.handle);
  if (peer === undefined) return meetFirst(book, card.handle, shown);
  return isSameIdentity(peer.known, shown)
    ? meetAgain(book, { handle: card.handle, peer, shown })
    : meetOther(book, { handle: card.handle, peer, shown });
}

/** Takes a person's changed identity for theirs; `undefined` where none is waiting for that. */
export function acceptIdentity(book: PeerBook, handle: Handle): PeerBook | undefined {
  const changed = book.get(handle)?.changed;
  return changed && withPeer(book, handle, { known: changed, verified: false, changed: undefined });
}

/** Notes that the safety words were compared; `undefined` where the person is unknown, or another identity is shown. */
export function markVerified(book: PeerBook, handle: Handle): PeerBook | undefined {
  const peer = book.get(handle);
  if (peer === undefined || peer.changed !== undefined) return undefined;
  return withPeer(book, handle, { ...peer, verified: true });
}

/** How far a person's keys are to be trusted. */
export function trustOf({ verified, changed }: Peer): Trust {
  if (changed !== undefined) return "changed";
  return verified ? "verified" : "seen";
}

/** A book as a text. */
export function peerBookText(book: PeerBook): string {
  return [HEADER, ...Array.from(book, ([handle, peer]) => lineOf(handle, peer)), ""].join("\n");
}

/** Reads a book, exactly as {@linkcode peerBookText} writes one. */
export function parsePeerBook(text: string): ParsedPeerBook {
  const [header, ...lines] = text.split("\n");
  if (header !== HEADER) return fault(1, `is not "${HEADER}"`);
  if (lines.pop() !== "") return fault(lines.length + 2, "is cut off");
  if (lines.length > PEERS_MAX) {
    return fault(PEERS_MAX + 2, `is one more than the ${PEERS_MAX} people of a book`);
  }
  const book = new Map<Handle, Peer>();
  for (const [at, line] of lines.entries()) {
    const handle = parseHandle(line.slice(0, line.indexOf(" ")));
    const peer = handle && parsePeer(handle, line);
    if (handle === undefined || peer === undefined) return fault(at + 2, "does not tell a person's keys");
    if (book.has(handle)) return fault(at + 2, "is about somebody of whom a line above it is");
    book.set(handle, peer);
  }
  return { kind: "peerBook", book };
}

/** A person shown, and what is known of them. */
interface Encounter {
  readonly handle: Handle;
  readonly peer: Peer;
  readonly shown: KnownKeys;
}

function meetFirst(book: PeerBook, handle: Handle, shown: KnownKeys): MetPeer {
  // To forget somebody instead would let a server choose whom.
  if (book.size >= PEERS_MAX) return refuse(book, "bookFull");
  return { book: withPeer(book, handle, { known: shown, verified: false, changed: undefined }), news: [] };
}

function meetAgain(book: PeerBook, { handle, peer, shown }: Encounter): MetPeer {
  const course = courseOf(peer.known, shown);
  if (course !== "same" && course !== "later") return refuse(book, course);
  if (course === "same" && peer.changed === undefined) return { book, news: [] };
  const known = course === "later" ? shown : peer.known;
  return {
    book: withPeer(book, handle, { ...peer, known, changed: undefined }),
    news: newsOf(peer.known.list, known.list),
  };
}

function meetOther(book: PeerBook, { handle, peer, shown }: Encounter): MetPeer {
  const changed = withPeer(book, handle, { ...peer, changed: shown });
  if (peer.changed === undefined || !isSameIdentity(peer.changed, shown)) {
    return { book: changed, news: [{ kind: "identityChanged" }] };
  }
  const course = courseOf(peer.changed, shown);
  if (course === "same") return { book, news: [] };
  // Told of devices nobody would be helped: whose they are is in doubt.
  return course === "later" ? { book: changed, news: [] } : refuse(book, course);
}

/** How what is shown of an identity goes on from what is known of it. */
function courseOf(known: KnownKeys, shown: KnownKeys): "same" | "later" | "older" | "fork" | "rewritten" {
  if (shown.list.number < known.list.number) return "older";
  if (shown.list.number === known.list.number) {
    return equal(shown.keys.list, known.keys.list) ? "same" : "fork";
  }
  return isLaterList(known.list, shown.list) ? "later" : "rewritten";
}

function newsOf(before: DeviceList, after: DeviceList): readonly PeerNews[] {
  const added = after.devices.filter(({ key }) => findDevice(before.devices, key) === undefined);
  const ended = [...before.devices, ...added].filter((device) => isEnded(device, { before, after }));
  return [
    ...added.map(({ name }): PeerNews => ({ kind: "deviceAdded", detail: name })),
    ...ended.map(({ name }): PeerNews => ({ kind: "deviceRevoked", detail: name })),
    ...before.display === after.display ? [] : [{ kind: "renamed", detail: after.display } as const],
  ];
}

/** Whether a device was not revoked before, and is now; or is not even listed any more, since lists were missed. */
function isEnded({ key }: Device, { before, after }: { before: DeviceList; after: DeviceList }): boolean {
  const wasRevoked = findDevice(before.devices, key)?.revoked !== undefined;
  const now = findDevice(after.devices, key);
  return !wasRevoked && (now === undefined || now.revoked !== undefined);
}

function refuse(book: PeerBook, why: Refusal): MetPeer {
  return { book, news: [{ kind: "listRefused", why }] };
}

function withPeer(book: PeerBook, handle: Handle, peer: Peer): PeerBook {
  return new Map(book).set(handle, peer);
}

function isSameIdentity(a: KnownKeys, b: KnownKeys): boolean {
  return equal(a.keys.identity, b.keys.identity);
}

function lineOf(handle: Handle, { known, verified, changed }: Peer): string {
  const words = [handle, verified ? "verified" : "seen", ...keyWords(known.keys)];
  return [...words, ...changed === undefined ? [] : keyWords(changed.keys)].join(" ");
}

function keyWords({ identity, list, signature }: Keys): readonly string[] {
  return [identity.toBase64(), list.toBase64(), signature.toBase64()];
}

function parsePeer(handle: Handle, line: string): Peer | undefined {
  const [, trust, ...words] = line.split(" ");
  const known = parseKeys(handle, words.slice(0, 3));
  const changed = words.length > 3 ? parseKeys(handle, words.slice(3)) : undefined;
  if (known === undefined || words.length > 3 && changed === undefined) return undefined;
  const peer: Peer = { known, verified: trust === "verified", changed };
  const isDoubtful = changed !== undefined && isSameIdentity(known, changed);
  return !isDoubtful && lineOf(handle, peer) === line ? peer : undefined;
}

function parseKeys(
  handle: Handle,
  [identityText = "", listText = "", signatureText = ""]: readonly string[],
): KnownKeys | undefined {
  const identity = base64Octets(identityText, ED25519_KEY_BYTES);
  const octets = listOctets(listText);
  const signature = base64Octets(signatureText, ED25519_SIGNATURE_BYTES);
  if (identity === undefined || octets === undefined || signature === undefined) return undefined;
  const list = decodeDeviceList(octets);
  return list?.handle === handle ? { keys: { identity, list: octets, signature }, list } : undefined;
}

function listOctets(text: string): Bytes | undefined {
  const length = text.length / 4 * 3 - (/=*$/.exec(text)?.[0].length ?? 0);
  return Number.isInteger(length) && length <= DEVICE_LIST_BYTES_MAX ? base64Octets(text, length) : undefined;
}

function fault(line: number, why: string): ParsedPeerBook {
  return { kind: "fault", line, why };
}
