/**
 * The bench for a client through all its connections and runs: Ann's machine, with what it keeps, and an honest server on
 * whose rooms a test plays everybody else. Connections can be cut or refused, runs can end at any step of the store, and
 * time passes by hand.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { Chat } from "../../lib/client/chat.ts";
import type { Connection, Dial } from "../../lib/client/connection.ts";
import { comeIn } from "../../lib/client/entrance.ts";
import type { ClientEvent, ClientRequest } from "../../lib/client/event.ts";
import type { LocalFiles, LocalStore } from "../../lib/client/keepers.ts";
import type { Link, LinkEnd } from "../../lib/secure/link.ts";
import { Failure } from "../../lib/text/failure.ts";
import type { ClientMessage, Logged, ServerMessage } from "../../lib/wire/message.ts";
import { repeatable } from "../secure/recorded_session.ts";
import { seededEntropy } from "../secure/seeded_entropy.ts";
import { handle, HOST_KEY, Person } from "../session/people.ts";
import { MemoryLocal } from "../simulation/memory_local.ts";
import { FakePerson } from "./fake_person.ts";
import { FakeBook, type FakeServer, type HandClock, wire, type Wired } from "./fake_server.ts";
import { HonestServer, LOBBY_ID, type Unusual, type Visit } from "./honest_server.ts";
import { MemoryOwnKeys, MemoryPeers, ownKeysOf } from "./memory_keepers.ts";

/** A message as it is shown. */
export type Message = Extract<ClientEvent, { type: "message" }>;

/** What a server says to a message in place of an honest one; `undefined`: what that says. */
export type Say = (message: ClientMessage) => readonly ServerMessage[] | undefined;

/** One connection. */
interface Line {
  readonly run: Run;
  readonly server: FakeServer;
  readonly client: Connection;
  readonly visit: Visit;
  readonly over: Promise<LinkEnd>;
}

/** One run of the program, which may end at any step of what it keeps. */
class Run {
  /** What its client has told its front end, in order. */
  readonly events: ClientEvent[] = [];
  /** Settles once it has ended. */
  readonly over: Promise<void>;
  /** Steps of the store until it ends: each call is two, one before it is done and one after. */
  stepsLeft = Infinity;
  /** Whether it has ended: what it began is never done. */
  isOver = false;

  readonly #end: () => void;

  /** One that begins. */
  constructor() {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.over = promise;
    this.#end = resolve;
  }

  /** Ends it. */
  end(): void {
    this.isOver = true;
    this.#end();
  }

  /** One step of its store; never settles once it has ended. */
  async step(): Promise<void> {
    if (this.stepsLeft === 0) this.end();
    this.stepsLeft -= 1;
    if (this.isOver) await new Promise(() => {});
  }

  /** `local` as this run sees it. */
  store(local: LocalStore): LocalStore & { close(): void } {
    const through = <Arguments extends unknown[], Result>(
      method: (...given: Arguments) => Promise<Result>,
    ) =>
    async (...given: Arguments): Promise<Result> => {
      await this.step();
      const result = await method.apply(local, given);
      await this.step();
      return result;
    };
    return {
      rooms: through(local.rooms),
      keep: through(local.keep),
      entries: through(local.entries),
      entryById: through(local.entryById),
      erase: through(local.erase),
      queued: through(local.queued),
      queue: through(local.queue),
      requeue: through(local.requeue),
      refuse: through(local.refuse),
      unqueue: through(local.unqueue),
      flush: through(local.flush),
      setting: through(local.setting),
      setSetting: through(local.setSetting),
      close: () => {},
    };
  }
}

/** A pause that the client makes. */
interface Pause {
  readonly at: number;
  readonly act: () => void;
}

/** Whose coming tells that all before it was dealt with. */
const SENTINEL = handle("sentinel");

/** Nothing of this machine is put or fetched in these tests. */
export const NO_FILES: LocalFiles = {
  openSource: () => Promise.reject(new Failure("noInput", "Cannot read it: there is no such file.")),
  openSink: () => Promise.reject(new Failure("noInput", "Cannot write it: there is no such folder.")),
};

/** Turns of the event loop that anything here is given to come about; each begins more signatures than it takes. */
const TURNS_MAX = 2_000;

/** Ann's machine and the server. */
export class ChatBench {
  /** Ann, whose client it is. */
  readonly ann: Person;
  /** Another person, who is in the lobby from the start. */
  readonly ben: Person;
  /** The server. */
  readonly server: HonestServer;
  /** What the machine keeps of rooms. */
  readonly local = new MemoryLocal();
  /** What it keeps of keys. */
  readonly ownKeys = new MemoryOwnKeys();
  /** What it keeps of others. */
  readonly peers = new MemoryPeers();
  /** Who may log in. */
  readonly book = new FakeBook();
  /** The clock. */
  readonly clock: HandClock = { now: 0 };
  /** For how long a lost connection is tried again. */
  reconnectMs: number | undefined;
  /** Whether nobody listens where the server was. */
  isDown = false;
  /** Says something in place of an honest server. */
  lie: Say = () => undefined;
  /** All pauses that clients have begun, in milliseconds. */
  readonly pauses: number[] = [];

  readonly #lines: Line[] = [];
  #chat: Chat | undefined;
  #waiting: Pause[] = [];
  #dials = 0;
  #runs = 0;
  #sentinels = 0;
  #run = new Run();
  #changed = Promise.withResolvers<void>();

  private constructor(ann: Person, ben: Person, server: HonestServer) {
    this.ann = ann;
    this.ben = ben;
    this.server = server;
  }

  /** A machine that has kept Ann's keys and nothing else, before its first run. */
  static async of(): Promise<ChatBench> {
    const [ann, ben] = [await Person.named("ann"), await Person.named("ben")];
    const bench = new ChatBench(ann, ben, await HonestServer.of(ann, [ben]));
    bench.ownKeys.kept.set(ann.name, await ownKeysOf(ann));
    return bench;
  }

  /** One whose client is in, and is told of what is said in the lobby. */
  static async entered(): Promise<ChatBench> {
    const bench = await ChatBench.of();
    await bench.start();
    return bench;
  }

  /** What the client of this run has told its front end, in order. */
  get events(): readonly ClientEvent[] {
    return this.#run.events;
  }

  /** The client of this run. */
  get chat(): Chat {
    return this.#chat ?? assert.fail("it has started");
  }

  /** The newest connection. */
  get line(): Line {
    return this.#lines.at(-1) ?? assert.fail("it has connected");
  }

  /** How many connections were tried. */
  get dials(): number {
    return this.#dials;
  }

  /** All that the client has said over all its connections. */
  get heard(): readonly ClientMessage[] {
    return this.#lines.flatMap(({ server }) => server.heard);
  }

  /** Starts the program; settles once it is in and told of what is said everywhere. */
  async start(): Promise<Chat> {
    const chat = await this.begin();
    await this.isLive();
    return chat;
  }

  /** Starts the program, which ends after so many steps of its store. */
  async begin(stepsLeft = Infinity): Promise<Chat> {
    this.#runs += 1;
    const run = new Run();
    run.stepsLeft = stepsLeft;
    this.#run = run;
    const chat = await comeIn({
      name: this.ann.name,
      hostKey: HOST_KEY.publicKey,
      server: "here",
      loopback: false,
      register: false,
      code: undefined,
      terminal: false,
      device: "laptop",
    }, {
      provider: repeatable,
      entropy: seededEntropy(`run ${this.#runs}`),
      wallClock: () => this.server.now,
      clock: () => this.clock.now,
      ownKeys: this.ownKeys,
      peers: this.peers,
      localStores: { open: () => Promise.resolve(run.store(this.local)) },
      files: NO_FILES,
      timer: (ms, act) => this.#pause(run, ms, act),
      reconnectMs: this.reconnectMs,
      person: new FakePerson(),
      dial: this.#dialOf(run),
      recoveryCode: undefined,
      hostKeyChanged: () => Promise.resolve(new Failure("protocol", "The host key has changed.")),
    }).catch(async (failure) => {
      await this.#over(run);
      throw failure;
    });
    this.#chat = chat;
    void this.#collect(chat, run.events);
    return chat;
  }

  /** Settles once the newest connection is told of what is said in all rooms that its person is in, and has kept it. */
  async isLive(): Promise<void> {
    for (let turn = 0; turn < TURNS_MAX; turn++) {
      if (this.#isCaughtUp) return;
      await settle();
    }
    assert.fail("it is live in time");
  }

  /** Asks for something, which must be taken. */
  async ask(request: ClientRequest): Promise<void> {
    assert.equal(await this.chat.request(request), undefined);
  }

  /** Says a text in the lobby, which must be taken. */
  async say(text: string): Promise<void> {
    await this.ask({ type: "send", room: "#lobby", text });
  }

  /** Settles once such an event was told in this run. */
  async until<Event extends ClientEvent>(isIt: (event: ClientEvent) => event is Event): Promise<Event>;
  async until(isIt: (event: ClientEvent) => boolean): Promise<ClientEvent>;
  async until(isIt: (event: ClientEvent) => boolean): Promise<ClientEvent> {
    await this.#until(() => this.events.some(isIt));
    return this.events.find(isIt) ?? assert.fail("it was there");
  }

  /** The texts of all messages that were told in this run, in order. */
  get shown(): readonly string[] {
    return this.events.flatMap((event) => event.type === "message" && !event.history ? [event.text] : []);
  }

  /** The message with that text, once it was told. */
  async message(text: string): Promise<Message> {
    const event = await this.until((each) => each.type === "message" && each.text === text);
    return event.type === "message" ? event : assert.fail("it is one");
  }

  /** What is shown of something that somebody says in the lobby, whatever the rules say of it. */
  async said(person: Person, unusual: Unusual = {}): Promise<Message> {
    return await this.forced(
      await this.server.unplaced(person, { kind: "text", body: { text: "hello" } }, unusual),
    );
  }

  /** What is shown of an entry that a lying server puts at the end of the lobby's log. */
  async forced(entry: Omit<Logged, "sequence" | "previous">): Promise<Message> {
    const { sequence } = await this.server.force(LOBBY_ID, entry);
    const event = await this.until((each) => each.type === "message" && each.sequence === sequence);
    return event.type === "message" ? event : assert.fail("it is one");
  }

  /** Settles once `isSo`. */
  async when(isSo: () => boolean): Promise<void> {
    await this.#until(isSo);
  }

  /** Tells the client something, and gives what it told its front end of it, once it has dealt with all. */
  async told(...messages: readonly ServerMessage[]): Promise<readonly ClientEvent[]> {
    const before = this.events.length;
    this.#sentinels += 1;
    const time = this.#sentinels;
    const people = [{ handle: SENTINEL, state: "online" as const }];
    this.line.visit.tell(...messages, { type: "presence", people, time });
    await this.#until(() =>
      this.events.slice(before).some((event) => isSentinel(event, time) || isEnd(event))
    );
    return this.events.slice(before).filter((event) => !isSentinel(event, time));
  }

  /** Takes the connection away, as a network does that says nothing about it. */
  async cut(): Promise<void> {
    const { client, server, visit, over } = this.line;
    this.server.leave(visit);
    client.lost();
    server.link.lost();
    await over;
  }

  /** Lets time pass: deadlines are looked at, and pauses that are over end. */
  pass(ms: number): void {
    this.clock.now += ms;
    this.server.now += ms;
    this.#lines.at(-1)?.client.tick(this.clock.now);
    const over = this.#waiting.filter(({ at }) => at <= this.clock.now);
    this.#waiting = this.#waiting.filter((pause) => !over.includes(pause));
    for (const { act } of over) act();
  }

  /** Settles once the client pauses; gives for how long. */
  async paused(count = 1): Promise<number> {
    await this.#until(() => this.pauses.length >= count);
    return this.pauses[count - 1] ?? assert.fail("it pauses");
  }

  /** Lets the pause end that the client makes, once it makes it, and those after it until it is in again. */
  async reconnected(): Promise<void> {
    const before = this.#lines.length;
    while (this.#lines.length === before) {
      await this.#until(() => this.#waiting.length > 0 || this.#lines.length > before);
      this.pass(Math.max(0, ...this.#waiting.map(({ at }) => at - this.clock.now)));
      await settle();
    }
    await this.isLive();
  }

  /** Settles once the run has ended at a step of its store. */
  get crashing(): Promise<void> {
    return this.#run.over;
  }

  /** Whether the run has ended at a step of its store. */
  get hasCrashed(): boolean {
    return this.#run.isOver;
  }

  /** Ends the run as by a signal that no program can catch: what it keeps stays as it is at this moment. */
  async crash(): Promise<void> {
    this.#run.end();
    this.#waiting = [];
    const line = this.#lines.at(-1);
    if (line === undefined) return;
    this.server.leave(line.visit);
    line.client.lost();
    line.server.link.lost();
    await settle();
  }

  /** Ends the program as its person does; gives what is to be told of it. */
  async quit(): Promise<Failure | undefined> {
    assert.equal(await this.chat.request({ type: "quit" }), undefined);
    return await this.outcome();
  }

  /** What is to be told of the end, once it has come. */
  async outcome(): Promise<Failure | undefined> {
    const outcome = await this.chat.outcome;
    await this.#over(this.#run);
    return outcome;
  }

  /** Settles when nothing of that run's connections is under way at either end. */
  async #over(wanted: Run | undefined): Promise<void> {
    await Promise.all(this.#lines.filter(({ run }) => run === wanted).map(({ over }) => over));
  }

  get #isCaughtUp(): boolean {
    const follows = this.#lines.at(-1)?.visit.follows;
    return this.server.rooms.every(({ id, members, head }) => {
      if (!members.has(this.ann.name)) return true;
      const kept = this.local.kept.find(({ room }) => room.room.toHex() === id.toHex());
      return follows?.has(id.toHex()) === true && kept?.room.head.sequence === head.sequence;
    });
  }

  #dialOf(run: Run): Dial {
    return async <Carried extends Connection>(carry: (link: Link) => Carried) => {
      this.#dials += 1;
      this.#change();
      if (this.isDown) throw new Failure("unavailable", "Cannot connect to here: nobody listens there.");
      const visit: Visit = this.server.visit((...messages) => wired.server.tell(...messages));
      const wired: Wired<Carried> = await wire(carry, {
        book: this.book,
        clock: this.clock,
        script: async (message) => {
          const answer = this.lie(message) ?? await this.server.answer(visit, message);
          this.#change();
          return answer;
        },
      });
      this.#lines.push({ run, server: wired.server, client: wired.carried, visit, over: wired.over });
      void wired.over.then(() => this.server.leave(visit));
      return wired.carried;
    };
  }

  #pause(run: Run, ms: number, act: () => void): () => void {
    const pause: Pause = { at: this.clock.now + ms, act };
    if (run.isOver) return () => {};
    this.pauses.push(ms);
    this.#waiting.push(pause);
    this.#change();
    return () => {
      this.#waiting = this.#waiting.filter((each) => each !== pause);
    };
  }

  async #collect(chat: Chat, events: ClientEvent[]): Promise<void> {
    for (let event = await chat.nextEvent(); event !== undefined; event = await chat.nextEvent()) {
      events.push(event);
      this.#change();
    }
  }

  async #until(isSo: () => boolean): Promise<void> {
    while (!isSo()) await this.#changed.promise;
  }

  #change(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers<void>();
  }
}

function isSentinel(event: ClientEvent, time: number): boolean {
  return event.type === "presence" && event.names.includes(SENTINEL) && event.time === time;
}

function isEnd(event: ClientEvent): boolean {
  return event.type === "state" && (event.state === "closed" || event.state === "cut");
}

/** Settles when all that is on its way in this process has come a step further. */
export async function settle(): Promise<void> {
  await new Promise<void>((resolve) => setTimeout(resolve, 0));
}
