/**
 * The bench for rooms behind sessions: an exchange over logs, files and accounts in memory, and devices that come to it
 * without links. All that each is told is decoded and kept.
 *
 * @module
 */

import assert from "node:assert/strict";
import { setImmediate } from "node:timers";
import type { Account } from "../../lib/chat/port.ts";
import type { SigningKey } from "../../lib/crypto/port.ts";
import { RoomExchange } from "../../lib/delivery/exchange.ts";
import type { DeliveryNews, ExchangeParts } from "../../lib/delivery/exchange_parts.ts";
import type { RestoredRoom } from "../../lib/delivery/log_keeper.ts";
import { entryId } from "../../lib/identity/entry_id.ts";
import { draftClaim, NOWHERE, placeOf, signEntry } from "../../lib/identity/log_entry.ts";
import { directId, openId } from "../../lib/identity/room_id.ts";
import type { RoomRequest } from "../../lib/session/phase.ts";
import type { SharedMessages } from "../../lib/secure/shared_record.ts";
import type { Peer } from "../../lib/session/port.ts";
import type { Handle } from "../../lib/text/handle.ts";
import type { Bytes } from "../../lib/wire/bytes.ts";
import { encodeBody, type EntryBody, type Visibility } from "../../lib/wire/entry_body.ts";
import {
  decodeServerMessage,
  type Draft,
  type Fault,
  type Logged,
  type Place,
  type Read,
  type ServerMessage,
} from "../../lib/wire/message.ts";
import { MemoryAccounts } from "../chat/memory_accounts.ts";
import { MemoryLog } from "../chat/memory_log.ts";
import { repeatable } from "../secure/recorded_session.ts";
import { seededEntropy } from "../secure/seeded_entropy.ts";
import { MemoryFiles } from "../session/memory_files.ts";
import { HOST_KEY, Person, THEN } from "../session/people.ts";
import { LOBBY_ID, summary } from "./room.ts";

const entropy = seededEntropy("devices");

/** Each run of a server draws others. */
let halls = 0;

/** What a hall may be made with. */
export interface HallOptions extends Partial<Pick<ExchangeParts, "soon" | "retention" | "fanout">> {
  readonly log?: MemoryLog;
  readonly accounts?: MemoryAccounts;
  readonly restored?: readonly RestoredRoom[];
  readonly now?: number;
}

/** A server's rooms. */
export class Hall {
  /** What everybody shares. */
  readonly exchange: RoomExchange;
  /** What is kept of rooms. */
  readonly log: MemoryLog;
  /** What is kept of files. */
  readonly files: MemoryFiles;
  /** Who has an account. */
  readonly accounts: MemoryAccounts;
  /** What the operator was told. */
  readonly news: readonly DeliveryNews[];

  readonly #clock: { now: number };
  #devices = 0;

  private constructor(
    exchange: RoomExchange,
    { log, files, accounts, news, clock }: {
      readonly log: MemoryLog;
      readonly files: MemoryFiles;
      readonly accounts: MemoryAccounts;
      readonly news: readonly DeliveryNews[];
      readonly clock: { now: number };
    },
  ) {
    this.exchange = exchange;
    this.log = log;
    this.files = files;
    this.accounts = accounts;
    this.news = news;
    this.#clock = clock;
  }

  /** One that has just been started. */
  static async open(
    {
      soon = (act) => setImmediate(act),
      retention = 0,
      log = new MemoryLog(),
      accounts = new MemoryAccounts(),
      restored = [],
      now = THEN,
      fanout = "shared",
    }: HallOptions = {},
  ): Promise<Hall> {
    const [files, clock] = [new MemoryFiles(), { now }];
    const news: DeliveryNews[] = [];
    const exchange = await RoomExchange.open({
      provider: repeatable,
      entropy: seededEntropy(`hall ${halls++}`),
      hostKey: HOST_KEY,
      wallClock: () => clock.now,
      soon,
      logs: log,
      files,
      accounts,
      retention,
      fanout,
      fileLimits: { quotaBytes: 1_000_000, days: 0 },
      note: (each) => news.push(each),
    }, restored);
    return new Hall(exchange, { log, files, accounts, news, clock });
  }

  /** Milliseconds since 1970. */
  get now(): number {
    return this.#clock.now;
  }

  set now(now: number) {
    this.#clock.now = now;
  }

  /** Somebody with an account whose first device is published. The first is the server's owner. */
  async person(name: string): Promise<Person> {
    const person = await Person.named(name);
    const passwordRecord = new Uint8Array(192);
    await this.accounts.register({ handle: person.name, passwordRecord, now: THEN }, undefined);
    const keys = await person.keys();
    await this.accounts.setKeys(person.name, { keys, expected: undefined, recovery: undefined });
    return person;
  }

  /** The account of somebody, as it is kept. */
  async account({ name }: Person): Promise<Account> {
    return await this.accounts.find(name) ?? assert.fail("an account");
  }

  /** A device whose login verified and which has not entered. */
  greet(person: Person, key: SigningKey = person.device): Device {
    const device = new Device(this, { person, key, id: this.#devices++ });
    this.exchange.greet(device.peer, { kind: "device", handle: person.name, deviceKey: key.publicKey });
    return device;
  }

  /** A device that was told its rooms. */
  async enter(person: Person, key?: SigningKey): Promise<Device> {
    const device = this.greet(person, key);
    await this.exchange.enter(device.peer, await this.account(person));
    return device;
  }

  /** A device that hears the lobby, of an account of its own. */
  async welcome(name: string): Promise<Device> {
    const device = await this.enter(await this.person(name));
    await device.follow(LOBBY_ID);
    return device;
  }

  /** Settles when nothing waits to be stored, and all of it was told. */
  async settled(): Promise<void> {
    await this.exchange.settled();
  }

  /** The last entry of a room. */
  async last(room: Bytes = LOBBY_ID): Promise<{ readonly entry: Logged; readonly place: Place }> {
    const entry = (await this.log.entries(room, { from: 1, to: Number.MAX_SAFE_INTEGER })).at(-1) ??
      assert.fail("there are entries");
    return { entry, place: placeOf(repeatable, room, entry) };
  }
}

/** A device at the hall, without a link. */
export class Device {
  /** Whose it is. */
  readonly person: Person;
  /** As the exchange knows it. */
  readonly peer: Peer;
  /** What it was told, in order. */
  readonly heard: ServerMessage[] = [];
  /** The same as octets. */
  readonly raw: Bytes[] = [];
  /** What of it was encrypted once for many. */
  readonly shared: SharedMessages[] = [];
  /** Whether its connection is lost, which the exchange is not told yet. */
  isLost = false;
  /** Why it was closed, where it was. */
  readonly closed: string[] = [];

  readonly #hall: Hall;
  readonly #key: SigningKey;
  #asks = 0;

  /** To be made by the hall. */
  constructor(
    hall: Hall,
    { person, key, id }: { readonly person: Person; readonly key: SigningKey; readonly id: number },
  ) {
    this.#hall = hall;
    this.#key = key;
    this.person = person;
    this.peer = {
      id,
      address: `192.0.2.1:${50_000 + id}`,
      isHere: () => !this.isLost && this.closed.length === 0,
      drained: () => Promise.resolve(),
      send: (message) => {
        if (this.closed.length > 0) return;
        this.raw.push(message);
        this.heard.push(decodeServerMessage(message) ?? assert.fail("a server's message"));
      },
      share: (shared) => {
        const { messages } = shared;
        this.shared.push(shared);
        for (const message of messages) this.peer.send(message);
      },
      close: (reason) => this.closed.push(reason),
    };
  }

  /** Whose it is. */
  get handle(): Handle {
    return this.person.name;
  }

  /** A draft of that, signed. */
  async draft(
    what: EntryBody,
    { room = LOBBY_ID, seen = NOWHERE, about, id = entryId(this.#hall.now, entropy) }: {
      readonly room?: Bytes;
      readonly seen?: Place;
      readonly about?: Place | undefined;
      readonly id?: Bytes;
    } = {},
  ): Promise<Draft> {
    const unsigned = {
      id,
      kind: what.kind,
      seen,
      ...(about === undefined ? {} : { about }),
      content: { salt: entropy(32), body: encodeBody(what) },
      signature: new Uint8Array(64),
    };
    const claim = draftClaim(repeatable, { room, from: this.handle }, unsigned);
    return { ...unsigned, signature: await signEntry(this.#key, claim) };
  }

  /** Hands anything to the exchange; settles when more may come. */
  async take(request: RoomRequest): Promise<void> {
    await this.#hall.exchange.take(this.peer, request);
  }

  /** Sends a draft. */
  async send(entry: Draft, room: Bytes = LOBBY_ID): Promise<void> {
    await this.take({ type: "send", room, entry });
  }

  /** Says or does something; settles with what came of it: nothing, or a fault. */
  async does(
    what: EntryBody,
    options: { readonly room?: Bytes; readonly seen?: Place; readonly about?: Place } = {},
  ): Promise<Fault | undefined> {
    const entry = await this.draft(what, options);
    await this.send(entry, options.room);
    await this.#hall.settled();
    return this.faults().find(({ about }) => about?.toHex() === entry.id.toHex());
  }

  /** Says a text; settles with what came of it. */
  async says(text: string, room: Bytes = LOBBY_ID): Promise<Fault | undefined> {
    return await this.does({ kind: "text", body: { text } }, { room });
  }

  /** Makes a room. */
  async creates(name: string, visibility: Visibility = "public"): Promise<Bytes> {
    const id = entryId(this.#hall.now, entropy);
    const room = openId(repeatable, HOST_KEY.publicKey, id);
    const what: EntryBody = { kind: "room", body: { act: "create", kind: "open", name, visibility } };
    await this.send(await this.draft(what, { room, id }), room);
    await this.#hall.settled();
    return room;
  }

  /** Begins a direct conversation. */
  async addresses(other: Handle): Promise<Bytes> {
    const room = directId(repeatable, HOST_KEY.publicKey, [this.handle, other]);
    await this.does({ kind: "room", body: { act: "create", kind: "direct", with: other } }, { room });
    return room;
  }

  /** Asks for a page; settles with the messages that answer. */
  async read(
    room: Bytes,
    { where = { from: "after", sequence: 0 }, limit = 100, follow = false }: Partial<Read> = {},
  ): Promise<readonly ServerMessage[]> {
    const ask = this.#asks++;
    const from = this.heard.length;
    await this.take({ type: "read", room, ask, where, limit, follow });
    return this.heard.slice(from).filter((message) => "ask" in message && message.ask === ask);
  }

  /** Hears a room from now on. */
  async follow(room: Bytes): Promise<void> {
    const messages = await this.read(room, { where: { from: "newest" }, limit: 1, follow: true });
    const last = messages.at(-1);
    assert.ok(last?.type === "page" && last.end?.live, "the page reaches the end");
  }

  /** What it was told, in a word each, from a mark on. */
  summary(from = 0): readonly string[] {
    return this.heard.slice(from).map(summary);
  }

  /** What was refused it. */
  faults(): readonly Fault[] {
    return this.heard.flatMap((message) => message.type === "fault" ? [message] : []);
  }

  /** Numbers of the entries that it was told of a room, in order: by pages, live, and as its own. */
  sequences(room: Bytes = LOBBY_ID): readonly number[] {
    const id = room.toHex();
    return this.heard.flatMap((message) => {
      if (!("room" in message) || message.room.toHex() !== id) return [];
      if (message.type === "ack") return [message.sequence];
      if (message.type === "entry") return [message.entry.sequence];
      return message.type === "page" ? message.entries.map(({ sequence }) => sequence) : [];
    });
  }

  /** Goes. */
  leave(): void {
    this.#hall.exchange.leave(this.peer);
  }
}
