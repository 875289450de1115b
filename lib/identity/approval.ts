/**
 * Approval of a new device by an old one of the same account: a person compares words, and the old device seals the
 * identity key's seed for the new one. The server carries all of it and learns none of it.
 *
 *     about  = L(host key) | L(handle) | identity key 32 | device key 32 | the new device's X25519 share 32
 *     words  = the first 66 bits of SHA-512("sotto/1 approval" 00 | about)
 *     key    = HKDF(X25519 of both shares, "sotto/1 approval key" 00 | about | the old device's share 32)
 *     sealed = box of the seed under that key, its associated data "sotto/1 approval key" 00 | about; 96 octets
 *
 * The words cover the identity key. Without it, a server could answer the new device itself, with an identity of its own
 * making: that device would take it for its person's. As it is, the words differ, or the seed does not fit.
 *
 * @module
 */

import {
  ED25519_KEY_BYTES,
  type Entropy,
  type Provider,
  X25519_BYTES,
  type X25519Pair,
} from "../crypto/port.ts";
import type { Handle } from "../text/handle.ts";
import { words } from "../text/words.ts";
import { type Bytes, concat, lengthPrefixed, utf8 } from "../wire/bytes.ts";
import { isSeedOf } from "./account_key.ts";
import { derivedKey } from "./derived_key.ts";
import { openBox, sealBox } from "./secret_box.ts";

/**
 * Words that two devices show: 66 bits. Who wants to put another device in place has to find one with the same words
 * while a person walks from one machine to the other: the new device's are settled before anyone else sees its keys.
 */
export const APPROVAL_WORDS = 6;

/** Of identity key, device key and share. */
const FIXED_LENGTHS = [ED25519_KEY_BYTES, ED25519_KEY_BYTES, X25519_BYTES];

const WORDS_LABEL = utf8("sotto/1 approval\0");
const KEY_LABEL = utf8("sotto/1 approval key\0");

/** What is approved. */
export interface ApprovalContext {
  /** The server's host key, 32 octets. */
  readonly hostKey: Bytes;
  /** The account. */
  readonly handle: Handle;
  /** The account's identity key, 32 octets; a new device takes it from its account as it was before it asked. */
  readonly identity: Bytes;
  /** The new device's key, 32 octets. */
  readonly device: Bytes;
  /** The new device's X25519 share, 32 octets. */
  readonly share: Bytes;
}

/** What an approver sends. */
export interface SealedSeed {
  /** Its own X25519 share, 32 octets. */
  readonly share: Bytes;
  /** The sealed seed, 96 octets. */
  readonly sealed: Bytes;
}

/** The {@linkcode APPROVAL_WORDS} words that both devices show. */
export async function approvalWords(
  provider: Provider,
  context: ApprovalContext,
): Promise<readonly string[]> {
  return words(await provider.sha512(concat(WORDS_LABEL, octetsOf(context))), APPROVAL_WORDS);
}

/** Seals the identity key's seed for a new device; `undefined` where that device's share is malformed. */
export async function sealApproval(
  provider: Provider,
  entropy: Entropy,
  { seed, ...context }: ApprovalContext & { readonly seed: Bytes },
): Promise<SealedSeed | undefined> {
  const pair = await provider.x25519Pair(entropy(X25519_BYTES));
  const secret = await pair.agree(context.share);
  if (secret === undefined) return undefined;
  const associated = concat(KEY_LABEL, octetsOf(context));
  const key = await derivedKey(provider, secret, concat(associated, pair.share));
  return { share: pair.share, sealed: await sealBox(provider, entropy, { key, associated, secret: seed }) };
}

/**
 * The seed that was sealed for this new device, whose pair is `pair`, by whoever has the share `approver`; only where it
 * is the seed of `identity`. `undefined` where anything does not fit.
 */
export async function openApproval(
  provider: Provider,
  pair: X25519Pair,
  { approver, sealed, ...account }: Omit<ApprovalContext, "share"> & {
    readonly approver: Bytes;
    readonly sealed: Bytes;
  },
): Promise<Bytes | undefined> {
  const secret = await pair.agree(approver);
  if (secret === undefined) return undefined;
  const associated = concat(KEY_LABEL, octetsOf({ ...account, share: pair.share }));
  const key = await derivedKey(provider, secret, concat(associated, approver));
  const seed = await openBox(provider, { key, associated, box: sealed });
  return seed !== undefined && await isSeedOf(provider, seed, account.identity) ? seed : undefined;
}

function octetsOf({ hostKey, handle, identity, device, share }: ApprovalContext): Bytes {
  // With other lengths, two requests could have the same octets.
  const lengths = [identity.length, device.length, share.length];
  if (lengths.join() !== FIXED_LENGTHS.join()) {
    throw new RangeError(
      `Cannot approve a device: its keys have ${lengths.join()} octets, not ${FIXED_LENGTHS.join()}`,
    );
  }
  return concat(lengthPrefixed(hostKey), lengthPrefixed(utf8(handle)), identity, device, share);
}
