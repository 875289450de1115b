/**
 * A visitor of a real server's room without sockets: one machine with its files, from which somebody comes in.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { Connection, Dial } from "../../lib/client/connection.ts";
import type { Chat } from "../../lib/client/chat.ts";
import { comeIn, type Outside, renewPassword, type Wish } from "../../lib/client/entrance.ts";
import type { ClientEvent } from "../../lib/client/event.ts";
import { Link } from "../../lib/secure/link.ts";
import { Failure } from "../../lib/text/failure.ts";
import type { Room } from "../delivery/room.ts";
import { optionsOf } from "../secure/pair.ts";
import { KINDS, partsOf, repeatable } from "../secure/recorded_session.ts";
import { seededEntropy } from "../secure/seeded_entropy.ts";
import { handle, HOST_KEY } from "../session/people.ts";
import { MemoryLocal } from "../simulation/memory_local.ts";
import { type Answers, FakePerson } from "./fake_person.ts";
import { NO_FILES } from "./chat_bench.ts";
import { MemoryOwnKeys, MemoryPeers } from "./memory_keepers.ts";

/** What is wished for, and by whom. */
export type VisitWish = Partial<Omit<Wish, "name" | "hostKey" | "server">> & {
  /** The name to go by, as text. */
  readonly name: string;
  /** What the person answers. */
  readonly answers?: Answers;
  /** A recovery code given beforehand. */
  readonly recoveryCode?: string;
};

let machines = 0;
let connections = 0;

/** One machine. */
export class Visitor {
  /** Its own keys. */
  readonly ownKeys = new MemoryOwnKeys();
  /** What it knows of others. */
  readonly peers = new MemoryPeers();
  /** What it knows of rooms. */
  readonly local = new MemoryLocal();
  /** How many connections it has made. */
  connections = 0;
  /** Who sat there last. */
  person = new FakePerson();
  /** What the last chat has told, in order. */
  events: ClientEvent[] = [];

  readonly #room: Room;
  readonly #seed = `machine ${machines++}`;
  readonly #entropy = seededEntropy(this.#seed);
  readonly #flows: Promise<unknown>[] = [];
  #changed = Promise.withResolvers<void>();

  /** A machine that knows the server's host key and nothing else. */
  constructor(room: Room) {
    this.#room = room;
  }

  /** Comes in, and begins to listen. */
  async comeIn(wish: VisitWish): Promise<Chat> {
    const chat = await comeIn(this.#wish(wish), this.#outside(wish));
    this.events = [];
    void this.#listen(chat, this.events);
    return chat;
  }

  /** Changes the password. */
  renewPassword(wish: VisitWish): Promise<void> {
    return renewPassword(this.#wish(wish), this.#outside(wish));
  }

  /** The failure of coming in. */
  async refused(wish: VisitWish): Promise<Failure> {
    const failure = await this.comeIn(wish).then(() => undefined, (error) => error);
    return failure instanceof Failure ? failure : assert.fail(`it is refused, not ${failure}`);
  }

  /** Settles once such an event was told. */
  async until(isIt: (event: ClientEvent) => boolean): Promise<ClientEvent> {
    for (;;) {
      const event = this.events.find(isIt);
      if (event !== undefined) return event;
      await this.#changed.promise;
    }
  }

  /** Settles when all connections are over. */
  async left(): Promise<void> {
    await Promise.all(this.#flows);
  }

  #wish({ name, answers: _answers, recoveryCode: _code, ...wish }: VisitWish): Wish {
    return {
      loopback: true,
      register: false,
      code: undefined,
      terminal: false,
      device: "linux",
      ...wish,
      name: handle(name),
      hostKey: HOST_KEY.publicKey,
      server: "here",
    };
  }

  #outside({ answers, recoveryCode }: VisitWish): Outside {
    this.person = new FakePerson(answers);
    const clock = (): number => this.#room.now;
    return {
      provider: this.#room.provider,
      entropy: this.#entropy,
      wallClock: this.#room.wallClock,
      clock,
      person: this.person,
      dial: this.#dial,
      ownKeys: this.ownKeys,
      peers: this.peers,
      localStores: { open: () => Promise.resolve(Object.assign(this.local, { close: () => {} })) },
      files: NO_FILES,
      timer: () => assert.fail("nothing is tried again"),
      reconnectMs: 0,
      recoveryCode,
      hostKeyChanged: () => Promise.resolve(new Failure("protocol", "The host key has changed.")),
    };
  }

  readonly #dial: Dial = async (carry) => {
    this.connections += 1;
    const options = await optionsOf(KINDS[0] ?? assert.fail("there are kinds"));
    const parts = partsOf(repeatable, "client", `${this.#seed} ${this.connections}`);
    const link = await Link.client(options.client, parts, this.#room.now);
    const session = await this.#room.session(1_000 + connections++);
    const carried = carry(link);
    this.#flows.push(this.#flow(carried, session), this.#flow(session, carried));
    return carried;
  };

  async #flow(
    from: Pick<Connection, "nextWrite">,
    to: Pick<Connection, "receive" | "receiveEnd">,
  ): Promise<void> {
    const now = (): number => this.#room.now;
    for (let bytes = await from.nextWrite(now); bytes !== undefined; bytes = await from.nextWrite(now)) {
      await to.receive(bytes, this.#room.now);
    }
    to.receiveEnd();
  }

  async #listen(chat: Chat, events: ClientEvent[]): Promise<void> {
    for (let event = await chat.nextEvent(); event; event = await chat.nextEvent()) {
      events.push(event);
      this.#changed.resolve();
      this.#changed = Promise.withResolvers<void>();
    }
  }
}
