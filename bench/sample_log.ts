/**
 * A log as long as one wants, in a room of one: what the small benches are made of.
 *
 * @module
 */

import type { LogChange } from "../lib/chat/log_port.ts";
import type { RoomState } from "../lib/chat/room.ts";
import { systemEntropy } from "../lib/crypto/entropy.ts";
import { chosenMlKem } from "../lib/crypto/ml_kem_choice.ts";
import { ED25519_KEY_BYTES, type Provider, type SigningKey } from "../lib/crypto/port.ts";
import { webCryptoProvider } from "../lib/crypto/webcrypto.ts";
import { entryId } from "../lib/identity/entry_id.ts";
import { claimOf, contentDigest, NOWHERE, placeOf, signEntry } from "../lib/identity/log_entry.ts";
import { type Handle, parseHandle } from "../lib/text/handle.ts";
import { encodeBody } from "../lib/wire/entry_body.ts";
import { type Draft, type Logged, ROOM_ID_BYTES, SALT_BYTES } from "../lib/wire/message.ts";

/** Octets of each text. */
const TEXT_BYTES = 100;

/** The reference provider. */
export const provider: Provider = webCryptoProvider(await chosenMlKem());

/** Whose texts they are, and the key of their device. */
export const author: { readonly handle: Handle; readonly key: SigningKey } = {
  handle: handleOf("ann"),
  key: await provider.ed25519SigningKey(systemEntropy(ED25519_KEY_BYTES)),
};

/** The room before its first entry. */
export const room: RoomState = {
  id: systemEntropy(ROOM_ID_BYTES),
  form: { kind: "open", name: "#bench" },
  settings: { visibility: "public", topic: "", history: "all", retention: 0, slow: 0, lockdown: false },
  members: new Map([[author.handle, { role: "owner", mutedUntil: undefined, base: 0 }]]),
  invited: new Map(),
  knocking: [],
  bans: new Map(),
  mutedAway: new Map(),
  pins: [],
  head: NOWHERE,
  headTime: Date.now(),
  base: NOWHERE,
};

/** An entry behind the head of `before`, with the room after it. Its signature is of another entry: nobody looks at it. */
export function nextChange(before: RoomState, sample: Logged): Extract<LogChange, { kind: "append" }> {
  const { sequence, hash } = before.head;
  const id = entryId(Date.now(), systemEntropy);
  const entry = { ...sample, id, sequence: sequence + 1, previous: hash };
  return { kind: "append", entry, room: { ...before, head: placeOf(provider, before.id, entry) } };
}

/** The first entry of {@linkcode room}, signed. */
export const entry: Logged = await firstEntry();

/** The same as its author sends it. */
export const draft: Draft = draftOf(entry);

async function firstEntry(): Promise<Logged> {
  const content = {
    salt: systemEntropy(SALT_BYTES),
    body: encodeBody({ kind: "text", body: { text: "a".repeat(TEXT_BYTES) } }),
  };
  const unsigned: Logged = {
    sequence: 1,
    time: Date.now(),
    previous: NOWHERE.hash,
    id: entryId(Date.now(), systemEntropy),
    kind: "text",
    from: author.handle,
    device: author.key.publicKey,
    seen: NOWHERE,
    digest: contentDigest(provider, content),
    signature: new Uint8Array(0),
    content,
  };
  return { ...unsigned, signature: await signEntry(author.key, claimOf(room.id, unsigned)) };
}

function draftOf({ id, kind, seen, signature, content }: Logged): Draft {
  if (content === undefined) throw new Error("the entry was not erased");
  return { id, kind, seen, signature, content };
}

function handleOf(text: string): Handle {
  const handle = parseHandle(text);
  if (handle === undefined) throw new Error(`${text} is a handle`);
  return handle;
}
