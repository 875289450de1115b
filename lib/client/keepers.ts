/**
 * What a client keeps between runs, as interfaces: files hold it, and the root joins the two. Each keeper is of one
 * server, told by its host key.
 *
 * @module
 */

import type { PeerBook } from "../identity/peer_trust.ts";
import type { Handle } from "../text/handle.ts";
import type { Bytes } from "../wire/bytes.ts";
import type { Keys } from "../wire/message.ts";

/** The secrets of one device of one account, and the newest list that it knows to be its own. */
export interface OwnKeys {
  /** Whether the server is known to have taken `keys`. Keys are kept before they are published: a lost secret is lost for ever. */
  readonly published: boolean;
  /** The seed of the device's signing key, 32 octets. */
  readonly deviceSeed: Bytes;
  /** The seed of the account's identity key, 32 octets. */
  readonly identitySeed: Bytes;
  /** The device list with its signature, and the identity key that made it. */
  readonly keys: Keys;
}

/** Keeps own keys, by account. */
export interface OwnKeysKeeper {
  /** What is kept; `undefined` where this device is none of the account's. Rejects with a `Failure` where it cannot be read. */
  load(handle: Handle): Promise<OwnKeys | undefined>;
  /** Settles once it is kept. Rejects with a `Failure` where it cannot be. */
  save(handle: Handle, keys: OwnKeys): Promise<void>;
}

/** Keeps what the owner of `handle` knows of others. */
export interface PeersKeeper {
  /** What is kept; the empty book where nothing is. Rejects with a `Failure` where it cannot be read. */
  load(handle: Handle): Promise<PeerBook>;
  /** Settles once it is kept. Rejects with a `Failure` where it cannot be. */
  save(handle: Handle, book: PeerBook): Promise<void>;
}
