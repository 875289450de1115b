/**
 * What a machine keeps of accounts and people, in memory.
 *
 * @module
 */

import type { OwnKeys, OwnKeysKeeper, PeersKeeper } from "../../lib/client/keepers.ts";
import type { DeviceList } from "../../lib/identity/device_list.ts";
import { EMPTY_PEER_BOOK, type PeerBook } from "../../lib/identity/peer_trust.ts";
import type { Handle } from "../../lib/text/handle.ts";
import type { AccountMessage, Card } from "../../lib/wire/message.ts";
import { seededEntropy } from "../secure/seeded_entropy.ts";
import type { Person } from "../session/people.ts";

/** Keeps own keys in memory. */
export class MemoryOwnKeys implements OwnKeysKeeper {
  /** What is kept. */
  readonly kept = new Map<Handle, OwnKeys>();
  /** All that was kept, in order. */
  readonly log: OwnKeys[] = [];

  /** See {@linkcode OwnKeysKeeper}. */
  load(whose: Handle): Promise<OwnKeys | undefined> {
    return Promise.resolve(this.kept.get(whose));
  }

  /** See {@linkcode OwnKeysKeeper}. */
  save(whose: Handle, keys: OwnKeys): Promise<void> {
    this.kept.set(whose, keys);
    this.log.push(keys);
    return Promise.resolve();
  }
}

/** Keeps a peer book in memory. */
export class MemoryPeers implements PeersKeeper {
  /** What is kept. */
  book: PeerBook = EMPTY_PEER_BOOK;

  /** See {@linkcode PeersKeeper}. */
  load(): Promise<PeerBook> {
    return Promise.resolve(this.book);
  }

  /** See {@linkcode PeersKeeper}. */
  save(_whose: Handle, book: PeerBook): Promise<void> {
    this.book = book;
    return Promise.resolve();
  }
}

/** What the first device of `person` has kept. */
export async function ownKeysOf(person: Person, life = ""): Promise<OwnKeys> {
  return {
    published: true,
    deviceSeed: seededEntropy(`${person.name} laptop ${life}`)(32),
    identitySeed: seededEntropy(`${person.name} identity ${life}`)(32),
    keys: await person.keys(),
  };
}

/** The account of `person` as an honest server tells it. */
export async function accountOf(person: Person, list: DeviceList = person.list): Promise<AccountMessage> {
  return {
    type: "account",
    handle: person.name,
    role: "member",
    keys: await person.keys(list),
    recovery: true,
  };
}

/** The card of `person`. */
export async function cardOf(person: Person, list: DeviceList = person.list): Promise<Card> {
  return { handle: person.name, ...await person.keys(list) };
}
