/**
 * The bench for everything behind a server's sockets: sessions around one exchange and accounts in memory, each with a
 * client's link at the other end of a fake wire.
 *
 * @module
 */

import assert from "node:assert/strict";
import { setImmediate } from "node:timers";
import type { Registration } from "../../lib/chat/registration.ts";
import type { Opaque, Provider, SigningKey } from "../../lib/crypto/port.ts";
import { RoomExchange } from "../../lib/delivery/exchange.ts";
import type { DeliveryNews } from "../../lib/delivery/exchange_parts.ts";
import { NOWHERE } from "../../lib/identity/log_entry.ts";
import { lobbyId } from "../../lib/identity/room_id.ts";
import {
  beginLogin,
  beginRegistration,
  deviceLogin,
  takeLoginReply,
  takeRegisterReply,
} from "../../lib/login/client_login.ts";
import { decodeRefused, type LoginMessage, type RefusalCode } from "../../lib/login/message.ts";
import { Link, type LinkEnd, type LinkEvent } from "../../lib/secure/link.ts";
import type { SessionEnd } from "../../lib/session/end_words.ts";
import type { SessionNews } from "../../lib/session/port.ts";
import { Reception } from "../../lib/session/reception.ts";
import { Service } from "../../lib/session/service.ts";
import { Session } from "../../lib/session/session.ts";
import { Turnstile } from "../../lib/session/turnstile.ts";
import type { Handle } from "../../lib/text/handle.ts";
import { type Bytes, concat, u64 } from "../../lib/wire/bytes.ts";
import { decodeBody, encodeBody, type EntryBody } from "../../lib/wire/entry_body.ts";
import {
  type ClientMessage,
  decodeServerMessage,
  type Draft,
  encodeMessage,
  type Logged,
  type ServerMessage,
} from "../../lib/wire/message.ts";
import { MemoryAccounts } from "../chat/memory_accounts.ts";
import { MemoryLog } from "../chat/memory_log.ts";
import { optionsOf } from "../secure/pair.ts";
import { KINDS, partsOf, repeatable } from "../secure/recorded_session.ts";
import { seededEntropy } from "../secure/seeded_entropy.ts";
import { MemoryFiles } from "../session/memory_files.ts";
import { HOST_KEY, Person, THEN } from "../session/people.ts";
import { withQuickOpaque } from "../session/quick_opaque.ts";

/** What a client writes until the handshake is over at both ends: Hello, and Done. */
const HANDSHAKE_WRITES = 2;

/** Octets of a password record, where none is needed that fits a password. */
const NO_RECORD: Bytes = new Uint8Array(192);

/** What answers requests about an account. */
const ANSWERS: readonly ServerMessage["type"][] = ["account", "fault", "recovery", "passwordResponse"];

/** How a password login came out. */
export type PasswordOutcome = "in" | "wrongPassword" | RefusalCode | "ended";

/** A client of the room: a link, and what came to it. */
export class Guest {
  /** Its end of the wire. */
  readonly link: Link;
  /** The server's end. */
  readonly session: Session;
  /** What it was told, decoded, in order. */
  readonly heard: ServerMessage[] = [];
  /** What it was told at its login, in order. */
  readonly loginsHeard: LoginMessage[] = [];
  /** Settles when both ends have ended and nothing is on the wire. */
  readonly ended: Promise<{ readonly guest: LinkEnd; readonly session: SessionEnd }>;
  /** Keeps the server's writes back, as a guest that does not read. */
  deaf: Promise<void> = Promise.resolve();
  /** The texts it was told, but for those of pages. */
  readonly texts: string[] = [];
  /** How much it had been told when it began to hear the lobby. */
  arrivedAt = 0;
  /** Octets that the server wrote, by write. */
  readonly writesHeard: number[] = [];

  readonly #room: Room;
  #exporter: Bytes | undefined;
  #isOver = false;
  #arrived = 0;

  /** A guest whose handshake begins at once. */
  constructor(link: Link, session: Session, room: Room) {
    this.link = link;
    this.session = session;
    this.#room = room;
    this.ended = this.#run();
  }

  /** Settles once the handshake is over at both ends. */
  async shookHands(): Promise<void> {
    await this.#room.until(() => this.#exporter !== undefined && this.#arrived >= HANDSHAKE_WRITES);
  }

  /** Sends any message. */
  send(message: ClientMessage): void {
    this.link.send(encodeMessage(message));
  }

  /** Says something in the lobby. */
  say(text: string): void {
    this.send({ type: "send", room: LOBBY_ID, entry: draft({ kind: "text", body: { text } }) });
  }

  /** Sends DeviceLogin. */
  async sendDeviceLogin(name: Handle, device: SigningKey): Promise<void> {
    const exporter = this.#exporter ?? assert.fail("the handshake is over");
    await this.link.sendLogin(await deviceLogin(device, exporter, name));
    this.#takeAll(await this.link.expectVerdict(this.#room.now));
  }

  /** Logs in by a device, and enters; settles when it was told its rooms. */
  async enter(name: Handle, device: SigningKey): Promise<void> {
    await this.sendDeviceLogin(name, device);
    this.send({ type: "enter" });
    await this.next((message) => message.type === "presence");
  }

  /** Hears the lobby; settles when it does. */
  async join(): Promise<void> {
    const from = this.heard.length;
    this.send({ type: "read", room: LOBBY_ID, ask: 0, where: { from: "newest" }, limit: 1, follow: true });
    await this.next((message) => message.type === "page" && message.end?.live === true, from);
    this.arrivedAt = this.heard.length;
  }

  /** Registers; gives what was refused. */
  async register(name: Handle, password: string, code?: Bytes): Promise<RefusalCode | undefined> {
    const registering = await beginRegistration(await this.#opaque(), { handle: name, password, code });
    const answer = takeRegisterReply(registering, await this.#ask(registering.registerStart));
    if (answer.kind === "refused") return answer.code;
    const finish = answer.kind === "free" ? await answer.finish() : undefined;
    await this.link.sendLogin(finish ?? assert.fail("a good reply"));
    return undefined;
  }

  /** Begins a registration, and goes no further. */
  async begin(name: Handle, password: string): Promise<"free" | RefusalCode> {
    const registering = await beginRegistration(await this.#opaque(), {
      handle: name,
      password,
      code: undefined,
    });
    const answer = takeRegisterReply(registering, await this.#ask(registering.registerStart));
    return answer.kind === "refused" ? answer.code : "free";
  }

  /** Tries a password, as far as KE2: the client knows then, and the server does not. */
  async guess(name: Handle, password: string): Promise<"right" | "wrong" | RefusalCode | "ended"> {
    const login = await beginLogin(await this.#opaque(), { handle: name, password });
    const reply = await this.#askOrEnd(login.loginStart);
    if (reply === undefined) return "ended";
    const answer = await takeLoginReply(login, reply);
    if (answer.kind === "refused") return answer.code;
    return answer.kind === "verified" ? "right" : "wrong";
  }

  /** Logs in by a password, to the mixed keys; enters where asked to. */
  async logIn(name: Handle, password: string, { enters = true } = {}): Promise<PasswordOutcome> {
    const login = await beginLogin(await this.#opaque(), { handle: name, password });
    const reply = await this.#askOrEnd(login.loginStart);
    if (reply === undefined) return "ended";
    const answer = await takeLoginReply(login, reply);
    if (answer.kind === "refused") return answer.code;
    if (answer.kind !== "verified") return "wrongPassword";
    await this.link.sendLogin(answer.loginFinish);
    this.#takeAll(await this.link.mix(answer.sessionKey, this.#room.now));
    if (!enters) return "in";
    this.send({ type: "enter" });
    await this.#room.until(() => this.#isOver || this.heard.length > 0);
    return this.heard.length > 0 ? "in" : "ended";
  }

  /** Settles with the first message that is meant, of those heard after `from`. */
  async next(isMeant: (message: ServerMessage) => boolean, from = 0): Promise<ServerMessage> {
    await this.#room.until(() => this.#isOver || this.heard.slice(from).some(isMeant));
    return this.heard.slice(from).find(isMeant) ?? assert.fail("it ended before it was told");
  }

  /** Asks, and settles with the next answer that comes, whatever else others cause to be told before it. */
  async ask(message: ClientMessage): Promise<ServerMessage> {
    const from = this.heard.length;
    this.send(message);
    return await this.next(({ type }) => ANSWERS.includes(type), from);
  }

  /** Closes, and waits for the end. */
  async leave(): Promise<void> {
    this.link.close("done", this.#room.now);
    await this.ended;
  }

  /** What it was told, in a word each. */
  get summary(): readonly string[] {
    return this.heard.map(summary);
  }

  /** The refusal that ended its login, where one did. */
  get refusal(): RefusalCode | undefined {
    return this.loginsHeard.map(decodeRefused).find((code) => code !== undefined);
  }

  #opaque(): Promise<Opaque> {
    return this.#room.provider.opaque();
  }

  async #ask(message: Bytes): Promise<LoginMessage> {
    return await this.#askOrEnd(message) ?? assert.fail("it ended before it was answered");
  }

  async #askOrEnd(message: Bytes): Promise<LoginMessage | undefined> {
    const { length } = this.loginsHeard;
    await this.link.sendLogin(message);
    this.#takeAll(await this.link.continueLogin(this.#room.now));
    await this.#room.until(() => this.#isOver || this.loginsHeard.length > length);
    return this.loginsHeard[length];
  }

  async #run(): Promise<{ guest: LinkEnd; session: SessionEnd }> {
    await Promise.all([
      this.#carry({ from: this.link, to: this.session }, async (bytes) => {
        await this.session.receive(bytes, this.#room.now);
        this.#arrived += 1;
      }),
      this.#carry({ from: this.session, to: this.link }, async (bytes) => {
        await this.deaf;
        this.writesHeard.push(bytes.length);
        this.#takeAll(await this.link.receive(bytes, this.#room.now));
      }),
    ]);
    const [guest, session] = [await this.link.ended, await this.session.ended];
    this.#isOver = true;
    this.#room.tell();
    return { guest, session };
  }

  async #carry(
    { from, to }: { from: Link | Session; to: Link | Session },
    deliver: (bytes: Bytes) => Promise<void>,
  ): Promise<void> {
    for (;;) {
      const bytes = await from.nextWrite(() => this.#room.now);
      if (bytes === undefined) break;
      await deliver(bytes);
      this.#room.tell();
    }
    to.receiveEnd();
    this.#room.tell();
  }

  #takeAll(events: readonly LinkEvent[]): void {
    for (const event of events) this.#take(event);
    this.#room.tell();
  }

  #hear(message: ServerMessage): void {
    this.heard.push(message);
    if (message.type === "entry") this.texts.push(...textOf(message.entry));
  }

  #take(event: LinkEvent): void {
    switch (event.kind) {
      case "established":
        this.#exporter = event.exporter;
        break;
      case "login":
        this.loginsHeard.push(event.message);
        break;
      case "message":
        this.#hear(decodeServerMessage(event.message) ?? assert.fail("a server's message"));
        break;
      case "closed":
        this.link.close("done", this.#room.now);
    }
  }
}

/** The id of the lobby of all these tests. */
export const LOBBY_ID: Bytes = lobbyId(repeatable, HOST_KEY.publicKey);

let drafts = 0;

/** What somebody says, in a draft of its own that nobody has signed: the server does not verify what is only said. */
export function draft(what: EntryBody): Draft {
  return {
    id: concat(u64(drafts++), u64(0)),
    kind: what.kind,
    seen: NOWHERE,
    signature: new Uint8Array(64),
    content: { salt: new Uint8Array(32), body: encodeBody(what) },
  };
}

/** What an entry says, in a few words. */
export function entryWords(entry: Logged): string {
  const what = entry.content && decodeBody(entry.kind, entry.content.body);
  switch (what?.kind) {
    case "text":
    case "reply":
      return `${entry.from}: ${what.body.text}`;
    case "notice":
      return `${what.body.name} via ${what.body.source}: ${what.body.text}`;
    case "membership":
      return [what.body.change, "handle" in what.body ? what.body.handle : entry.from].join(" ");
    case "moderation":
    case "room":
      return [what.body.act, "handle" in what.body ? what.body.handle : entry.from].join(" ");
    case "keys":
      return `keys ${what.body.handle}`;
    default:
      return `${entry.kind} ${entry.from}`;
  }
}

function textOf(entry: Logged): readonly string[] {
  return entry.kind === "text" ? [entryWords(entry)] : [];
}

/** A message in a word, and whom it names. */
export function summary(message: ServerMessage): string {
  switch (message.type) {
    case "presence":
      return message.people.map(({ handle, state }) => `${state} ${handle}`).join(", ");
    case "cards":
      return `cards ${message.cards.map((card) => card.handle)}`;
    case "fault":
      return `fault ${message.code}`;
    case "entry":
      return entryWords(message.entry);
    case "page":
      return `page ${message.entries.map(({ sequence }) => sequence)}${message.end?.live ? " live" : ""}`;
    case "room":
      return `room ${message.name ?? message.with} ${message.role ?? message.standing}`;
    case "gone":
      return `gone ${message.why}`;
    case "typing":
      return `${message.handle} ${message.on ? "types" : "types no more"}`;
    case "marks":
      return `marks ${message.handle} ${message.delivered} ${message.read}`;
    default:
      return message.type;
  }
}

/** What a room is made of. */
interface RoomParts {
  readonly provider: Provider;
  readonly setup: Bytes;
  readonly store: MemoryAccounts;
  readonly log: MemoryLog;
  readonly news: readonly DeliveryNews[];
  readonly clock: { now: number };
}

/** A server without sockets. */
export class Room {
  /** What everybody shares. */
  readonly exchange: RoomExchange;
  /** Who has an account. */
  readonly store: MemoryAccounts;
  /** What is said in rooms. */
  readonly log: MemoryLog;
  /** What the operator was told of that. */
  readonly deliveryNews: readonly DeliveryNews[];
  /** What the operator was told, in order. */
  readonly news: SessionNews[] = [];
  /** Computes; its OPAQUE is quick. */
  readonly provider: Provider;
  /** The server's OPAQUE setup. */
  readonly setup: Bytes;
  /** Whom the exchange came to know and forgot, in order. */
  readonly calls: string[] = [];

  readonly #clock: { now: number };
  readonly #reception: Reception;
  readonly #service: Service;
  readonly #turnstile = new Turnstile((act) => setImmediate(act));
  #guests = 0;
  #changed = Promise.withResolvers<void>();

  private constructor(exchange: RoomExchange, parts: RoomParts, registration: Registration) {
    const { provider, setup, store, log, news, clock } = parts;
    this.provider = provider;
    this.setup = setup;
    this.store = store;
    this.log = log;
    this.deliveryNews = news;
    this.#clock = clock;
    this.exchange = exchange;
    const greet = this.exchange.greet.bind(this.exchange);
    this.exchange.greet = (peer, login) => {
      greet(peer, login);
      this.calls.push(`greet ${peer.id}`);
      this.tell();
    };
    const leave = this.exchange.leave.bind(this.exchange);
    this.exchange.leave = (peer) => {
      leave(peer);
      this.calls.push(`leave ${peer.id}`);
    };
    this.#reception = new Reception({
      store: this.store,
      registration,
      provider,
      entropy: seededEntropy("reception"),
    });
    this.#service = new Service({
      store: this.store,
      exchange: this.exchange,
      provider,
      hostKey: HOST_KEY.publicKey,
      setup,
    });
  }

  /** An empty room. */
  static async open(
    { registration = "open", real = false }: { registration?: Registration; real?: boolean } = {},
  ): Promise<Room> {
    const provider = real ? repeatable : withQuickOpaque(repeatable);
    const setup = await (await provider.opaque()).newSetup();
    const [store, log, clock] = [new MemoryAccounts(), new MemoryLog(), { now: 0 }];
    const news: DeliveryNews[] = [];
    const exchange = await RoomExchange.open({
      provider,
      entropy: seededEntropy("room"),
      hostKey: HOST_KEY,
      wallClock: () => THEN + clock.now,
      soon: (act) => setImmediate(act),
      logs: log,
      files: new MemoryFiles(),
      accounts: store,
      retention: 0,
      fanout: "shared",
      fileLimits: { quotaBytes: 1_000_000, days: 0 },
      note: (each) => news.push(each),
    });
    return new Room(exchange, { provider, setup, store, log, news, clock }, registration);
  }

  /** The clock of links and sessions, in milliseconds; the wall clock is that much after {@linkcode THEN}. */
  get now(): number {
    return this.#clock.now;
  }

  set now(now: number) {
    this.#clock.now = now;
  }

  /** Milliseconds since 1970. */
  readonly wallClock = (): number => THEN + this.now;

  /** Somebody with an account whose first device is published; their password is none that anybody knows. */
  async person(name: string): Promise<Person> {
    const person = await Person.named(name);
    await this.store.register({ handle: person.name, passwordRecord: NO_RECORD, now: THEN }, undefined);
    await this.store.setKeys(person.name, {
      keys: await person.keys(),
      expected: undefined,
      recovery: undefined,
    });
    return person;
  }

  /** A client from `address` whose handshake is over; it has not logged in. */
  async connect(address = "192.0.2.1"): Promise<Guest> {
    const id = this.#guests++;
    const kind = KINDS[0] ?? assert.fail("there are kinds");
    const options = await optionsOf(kind);
    const link = await Link.client(options.client, partsOf(repeatable, "client", `guest ${id}`), this.now);
    const guest = new Guest(link, await this.session(id, address), this);
    await guest.shookHands();
    return guest;
  }

  /** A session with what its peer is about to say first. */
  async stranger(id: number): Promise<{ readonly session: Session; readonly hello: Bytes }> {
    const options = await optionsOf(KINDS[0] ?? assert.fail("there are kinds"));
    const link = await Link.client(options.client, partsOf(repeatable, "client", `guest ${id}`), this.now);
    const hello = await link.nextWrite(() => this.now) ?? assert.fail("a client begins");
    return { session: await this.session(id), hello };
  }

  /** A session whose peer has not said anything yet. */
  async session(id: number, address = "192.0.2.1"): Promise<Session> {
    const options = await optionsOf(KINDS[0] ?? assert.fail("there are kinds"));
    const note = (news: SessionNews): void => {
      this.news.push(news);
      this.tell();
    };
    const link = Link.server(options.server, partsOf(repeatable, "server", `guest ${id}`), this.now);
    return new Session(id, link, {
      now: this.now,
      parts: {
        exchange: this.exchange,
        service: this.#service,
        visit: this.#reception.visit(address, note),
        turnstile: this.#turnstile,
        provider: this.provider,
        setup: this.setup,
        address: `${address}:${50_000 + id}`,
        note,
        wallClock: this.wallClock,
      },
    });
  }

  /** A client that has logged in by a device, and does not hear the lobby. */
  async enter(person: Person, device: SigningKey = person.device): Promise<Guest> {
    const guest = await this.connect();
    await guest.enter(person.name, device);
    return guest;
  }

  /** A client that hears the lobby. */
  async join(person: Person, device: SigningKey = person.device): Promise<Guest> {
    const guest = await this.enter(person, device);
    await guest.join();
    return guest;
  }

  /** A client that hears the lobby by an account of its own. */
  async welcome(name: string): Promise<Guest> {
    return await this.join(await this.person(name));
  }

  /** How many logins verified. */
  get greeted(): number {
    return this.calls.filter((call) => call.startsWith("greet")).length;
  }

  /** Settles once `condition` holds. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await this.#changed.promise;
  }

  /** Has everybody who waits look again. */
  tell(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers<void>();
  }
}
