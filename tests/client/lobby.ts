/**
 * The bench for conversations: Ann's client in the lobby of a server that says what a test wants, with Ben and whoever
 * else is there played by the test.
 *
 * @module
 */

import assert from "node:assert/strict";
import { Conversation } from "../../lib/client/conversation.ts";
import type { ClientEvent } from "../../lib/client/event.ts";
import type { OwnKeys, OwnKeysKeeper, PeersKeeper } from "../../lib/client/keepers.ts";
import type { Provider, SigningKey } from "../../lib/crypto/port.ts";
import type { DeviceList } from "../../lib/identity/device_list.ts";
import { entryId } from "../../lib/identity/entry_id.ts";
import { lobbyId, signEntry } from "../../lib/identity/entry_signature.ts";
import { EMPTY_PEER_BOOK, type PeerBook } from "../../lib/identity/peer_trust.ts";
import { Failure } from "../../lib/text/failure.ts";
import type { Handle } from "../../lib/text/handle.ts";
import type { Bytes } from "../../lib/wire/bytes.ts";
import {
  type AccountMessage,
  type Card,
  type Entry,
  type Keys,
  LOBBY,
  type ServerMessage,
} from "../../lib/wire/message.ts";
import { repeatable } from "../secure/recorded_session.ts";
import { seededEntropy } from "../secure/seeded_entropy.ts";
import { handle, HOST_KEY, Person, THEN } from "../session/people.ts";
import { FakeBook, type HandClock, type Script, wire, type Wired } from "./fake_server.ts";

/** The lobby's id. */
export const ROOM: Bytes = await lobbyId(repeatable, HOST_KEY.publicKey);

/** Who tells that all before it was dealt with. */
const SENTINEL = handle("sentinel");

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

/** A lobby with Ann's client in it. */
export class Lobby {
  /** Ann, whose client it is. */
  readonly ann: Person;
  /** What Ann's client keeps. */
  readonly ownKeys: MemoryOwnKeys;
  /** What Ann's client keeps of others. */
  readonly peers: MemoryPeers;
  /** The clock. */
  readonly clock: HandClock;
  /** Milliseconds since 1970. */
  wallClock = THEN;
  /** What the client has told its front end, in order. */
  readonly events: ClientEvent[] = [];

  #wired: Wired<Conversation> | undefined;
  #sequence = 0;
  #sentinels = 0;
  #changed = Promise.withResolvers<void>();
  readonly #entropy = seededEntropy("lobby");

  private constructor(ann: Person, parts: Pick<Lobby, "ownKeys" | "peers" | "clock">) {
    this.ann = ann;
    this.ownKeys = parts.ownKeys;
    this.peers = parts.peers;
    this.clock = parts.clock;
  }

  /** A lobby in which Ann's client was let in; `script` may answer what the client says, in place of an honest server. */
  static async entered(
    options: {
      readonly script?: Script;
      readonly peers?: MemoryPeers;
      readonly provider?: Provider;
    } = {},
  ): Promise<Lobby> {
    const lobby = await Lobby.began(options);
    assert.equal(await lobby.conversation.admission, "admitted");
    await lobby.until(({ type }) => type === "presence");
    return lobby;
  }

  /** As {@linkcode Lobby.entered}, with whatever comes of it. */
  static async began(
    { script, peers = new MemoryPeers(), book = new FakeBook(), provider = repeatable }: {
      readonly script?: Script;
      readonly peers?: MemoryPeers;
      readonly book?: FakeBook;
      readonly provider?: Provider;
    },
  ): Promise<Lobby> {
    const ann = await Person.named("ann");
    const lobby = new Lobby(ann, { ownKeys: new MemoryOwnKeys(), peers, clock: { now: 0 } });
    const own = await ownKeysOf(ann);
    lobby.ownKeys.kept.set(ann.name, own);
    const carry = await Conversation.prepare(ann.name, own, {
      provider,
      entropy: seededEntropy("ann's client"),
      wallClock: () => lobby.wallClock,
      clock: () => lobby.clock.now,
      hostKey: HOST_KEY.publicKey,
      server: "here",
      ownKeys: lobby.ownKeys,
      peers,
      hostKeyChanged: () => Promise.resolve(new Failure("protocol", "changed")),
    });
    lobby.#wired = await wire(carry, {
      book,
      clock: lobby.clock,
      script: async (message) => await script?.(message) ?? await lobby.#honest(message.type),
    });
    void lobby.#collect();
    return lobby;
  }

  /** Ann's client. */
  get conversation(): Conversation {
    return (this.#wired ?? assert.fail("it has begun")).carried;
  }

  /** The server's end. */
  get server(): Wired<Conversation>["server"] {
    return (this.#wired ?? assert.fail("it has begun")).server;
  }

  /** Tells the client something, and gives what it told its front end of it, once it has dealt with all. */
  async tell(...messages: readonly ServerMessage[]): Promise<readonly ClientEvent[]> {
    const before = this.events.length;
    this.#sentinels += 1;
    const time = this.#sentinels;
    this.server.tell(...messages, {
      type: "presence",
      room: LOBBY,
      change: "joined",
      names: [SENTINEL],
      time,
    });
    await this.until((event) => isSentinel(event) && event.time === time || isEnd(event));
    return this.events.slice(before).filter((event) => !isSentinel(event));
  }

  /** The one message that came of telling the client something. */
  async shown(...messages: readonly ServerMessage[]): Promise<Extract<ClientEvent, { type: "message" }>> {
    const [event, ...more] = (await this.tell(...messages)).filter(({ type }) => type === "message");
    assert.equal(more.length, 0);
    return event?.type === "message" ? event : assert.fail("a message is shown");
  }

  /** Settles once such an event was told. */
  async until(isIt: (event: ClientEvent) => boolean): Promise<ClientEvent> {
    for (;;) {
      const event = this.events.find(isIt);
      if (event !== undefined) return event;
      await this.#changed.promise;
    }
  }

  /** Something that a device of `person` says, at the next place in the order. */
  async entry(
    person: Person,
    { device = person.device, text = "hello", ...rest }: Partial<Omit<Entry, "device">> & {
      device?: SigningKey;
    } = {},
  ): Promise<Entry> {
    const id = rest.id ?? entryId(this.wallClock, this.#entropy);
    const salt = this.#entropy(32);
    const seen = rest.seen ?? this.#sequence;
    const signature = await signEntry(repeatable, device, {
      room: ROOM,
      id,
      handle: person.name,
      seen,
      salt,
      text,
    });
    this.#sequence += 1;
    return {
      type: "entry",
      room: LOBBY,
      sequence: this.#sequence,
      id,
      from: person.name,
      device: device.publicKey,
      time: this.wallClock,
      text,
      salt,
      seen,
      signature,
      ...rest,
    };
  }

  /** The next place in the order, for what the test says by itself. */
  nextSequence(): number {
    this.#sequence += 1;
    return this.#sequence;
  }

  /** Says goodbye and waits until nothing is left. */
  async leave(): Promise<void> {
    await this.conversation.request({ type: "quit" });
    await this.#wired?.over;
  }

  async #honest(type: string): Promise<readonly ServerMessage[]> {
    if (type === "enter") return [await accountOf(this.ann)];
    if (type !== "join") return [];
    return [
      { type: "presence", room: LOBBY, change: "here", names: [this.ann.name], time: THEN },
      { type: "cards", cards: [await cardOf(this.ann)] },
    ];
  }

  async #collect(): Promise<void> {
    const { conversation } = this;
    for (let event = await conversation.nextEvent(); event; event = await conversation.nextEvent()) {
      this.events.push(event);
      this.#changed.resolve();
      this.#changed = Promise.withResolvers<void>();
    }
  }
}

/** A change of somebody's keys as the front end is told it. */
export function keysEvent(
  person: Person,
  news: Extract<ClientEvent, { type: "keys" }>["news"],
  detail?: string,
): ClientEvent {
  return { type: "keys", handle: person.name, news, detail };
}

/** Keys without a handle. */
export function keysOf({ identity, list, signature }: Card): Keys {
  return { identity, list, signature };
}

function isSentinel(event: ClientEvent): event is Extract<ClientEvent, { type: "presence" }> {
  return event.type === "presence" && event.names.includes(SENTINEL);
}

function isEnd(event: ClientEvent): boolean {
  return event.type === "state" && (event.state === "closed" || event.state === "cut");
}
