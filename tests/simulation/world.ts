/**
 * A simulated world: one server, some people with a client each, a network, disks, and all the trouble that can befall
 * them. The same seed makes the same world, and has it go the same way.
 *
 * @module
 */

import type { LogStore } from "../../lib/chat/log_port.ts";
import type { Chat } from "../../lib/client/chat.ts";
import type { ClientRequest } from "../../lib/client/event.ts";
import type { LocalStore } from "../../lib/client/keepers.ts";
import { EMPTY_PEER_BOOK, type PeerBook } from "../../lib/identity/peer_trust.ts";
import type { Exchange } from "../../lib/session/port.ts";
import { Failure } from "../../lib/text/failure.ts";
import type { Handle } from "../../lib/text/handle.ts";
import { MemoryAccounts } from "../chat/memory_accounts.ts";
import { MemoryLog } from "../chat/memory_log.ts";
import { type Manners, nextDeed } from "./agent.ts";
import { startClient } from "./client_process.ts";
import { Dice } from "./dice.ts";
import { openDisk } from "./disk.ts";
import { MemoryLocal } from "./memory_local.ts";
import { type Cut, Network, type Weather } from "./network.ts";
import { Notes } from "./notes.ts";
import { accountsOf, BEGINNING, PEOPLE, type SimulatedPerson } from "./people.ts";
import type { ProgramParts } from "./program_parts.ts";
import { roomNamed } from "./room_names.ts";
import { Life, Scheduler } from "./scheduler.ts";
import { ServerProcess } from "./server_process.ts";
import { simulatedProvider } from "./simulated_provider.ts";

/** What a test breaks on purpose: each gives something in the place of a part. */
export interface Broken {
  /** The server's disk. */
  readonly disk?: MemoryLog;
  readonly logs?: (logs: MemoryLog, life: Life) => LogStore;
  readonly local?: (local: MemoryLocal) => LocalStore;
  readonly exchange?: (exchange: Exchange) => Exchange;
}

/** How a world is, besides what its programs do. */
export interface Climate {
  /** How many people there are. */
  readonly people: number;
  /** How many things each of them does. */
  readonly deeds: number;
  readonly manners: Manners;
  readonly weather: Weather;
  /** How often computing takes a turn of its own. */
  readonly rests: number;
  /** Most milliseconds that a client is down. */
  readonly down_ms: number;
  /** Most milliseconds that a call of a disk takes. */
  readonly disk_ms: number;
  /** How often storing fails. */
  readonly fullDisk: number;
  /** Turns between two troubles, at most; `undefined`: there is none. */
  readonly troubles: number | undefined;
}

/** The climate of a seed: some are calm and some are not, so that each kind of trouble is met alone, too. */
export function climateOf(seed: number): Climate {
  const dice = new Dice(seed, "climate");
  const people = dice.between(2, 4);
  // In few worlds so much is said that a client that was away has several pages to read.
  const isLong = dice.chance(0.05);
  return {
    people,
    deeds: isLong ? dice.between(200, 300) : dice.between(10, 40),
    manners: {
      people: PEOPLE.slice(0, people).map(({ handle }) => handle),
      order: dice.pick([0, 0.1, 0.4]),
      second: dice.pick([0, 0.3]),
      curiosity: dice.pick([0, 0.2]),
    },
    weather: { delay_ms: dice.pick([0, 5, 100, 2_000]), splits: dice.pick([0, 0.2]) },
    rests: dice.pick([0, 0, 0.02, 0.2]),
    fullDisk: dice.pick([0, 0, 0, 0.1]),
    troubles: dice.pick([undefined, 2_000, 500, isLong ? 1_000 : 100]),
    disk_ms: dice.pick([0, 0, 10, 300]),
    down_ms: isLong ? 60_000 : 5_000,
  };
}

/** Milliseconds that the server is down at most. */
const SERVER_DOWN_MS_MAX = 5_000;

/** Milliseconds in which all that is on its way has come, once there is no trouble any more, over dead connections, too. */
const TOLD_MS = 150_000;

/** Milliseconds between two things that somebody does, at most. */
const PAUSE_MS_MAX = 1_500;

/**
 * How long a world is given to come to what is waited for: dead connections are noticed after 90 s, and tried again after
 * up to 30.
 */
const REST_MS_MAX = 3_600_000;

/** Somebody in a world, through all lives of their client. */
interface Character {
  readonly person: SimulatedPerson;
  readonly local: MemoryLocal;
  readonly notes: Notes;
  readonly dice: Dice;
  book: PeerBook;
  life: Life;
  chat: Chat | undefined;
  /** What its client was asked and has not answered. */
  pending: ClientRequest | undefined;
  deedsLeft: number;
}

/** One world. */
export class World {
  /** What the server has on its disk. */
  readonly logs: MemoryLog;
  /** What programs did that they must never do. */
  readonly faults: string[] = [];

  readonly #seed: number;
  readonly #climate: Climate;
  readonly #broken: Broken;
  readonly #dice: Dice;
  readonly #scheduler: Scheduler;
  readonly #network: Network;
  readonly #accounts: MemoryAccounts;
  readonly #characters: readonly Character[];
  #serverLife = new Life("no server");
  #server: ServerProcess | undefined;
  #lives = 0;
  #skew_ms = 0;
  #nextTrouble = 0;
  #isTroubled = true;

  private constructor(seed: number, accounts: MemoryAccounts, { climate, broken }: {
    readonly climate: Climate;
    readonly broken: Broken;
  }) {
    this.logs = broken.disk ?? new MemoryLog();
    this.#seed = seed;
    this.#climate = climate;
    this.#broken = broken;
    this.#dice = new Dice(seed, "world");
    this.#scheduler = new Scheduler(new Dice(seed, "scheduler"));
    this.#network = new Network(this.#scheduler, new Dice(seed, "network"), climate.weather);
    this.#accounts = accounts;
    this.#characters = PEOPLE.slice(0, climate.people).map((person) => ({
      person,
      local: new MemoryLocal(),
      notes: new Notes(person.handle, {
        isStored: (id) => this.logs.hasId(id),
        isDelivered: (room, sequence) => this.#isDelivered(person.handle, room, sequence),
      }),
      dice: new Dice(seed, person.handle),
      book: EMPTY_PEER_BOOK,
      life: new Life("no client"),
      chat: undefined,
      pending: undefined,
      deedsLeft: climate.deeds,
    }));
  }

  /** The world of a seed, at its beginning. */
  static async of(
    seed: number,
    { climate = climateOf(seed), broken = {} }: { climate?: Climate; broken?: Broken } = {},
  ): Promise<World> {
    return new World(seed, await accountsOf(climate.people), { climate, broken });
  }

  /** Everybody there is, with what is noted of them and what their client has kept. */
  get characters(): readonly Pick<Character, "person" | "local" | "notes">[] {
    return this.#characters;
  }

  /** How long it took: turns, and milliseconds of its own time. */
  get span(): { readonly turns: number; readonly now: number } {
    return { turns: this.#scheduler.turns, now: this.#scheduler.now };
  }

  /** Lets it go its way until all is done and quiet again; then everybody looks once more at what they have. */
  async run(): Promise<void> {
    this.#startServer();
    for (const character of this.#characters) {
      this.#startClient(character);
      this.#act(character);
    }
    await this.#rest("everybody has done what they do", () => {
      this.#beTroubled();
      return this.#characters.every(({ deedsLeft, pending }) => deedsLeft === 0 && pending === undefined);
    });
    this.#isTroubled = false;
    this.#network.weather = { delay_ms: 5, splits: 0 };
    await this.#rest("all is said", () => this.#isQuiet());
    // Who is out of a room does not wait for anything, and has to be told.
    await this.#pass(TOLD_MS);
    for (const request of ["check", "rooms"] as const) await this.#everybodyAsks(request);
    await this.#rest("all is said again", () => this.#isQuiet());
    // Nothing of it may come later.
    for (const { life } of this.#characters) life.end();
    this.#serverLife.end();
  }

  async #pass(time_ms: number): Promise<void> {
    const end = this.#scheduler.now + time_ms;
    this.#scheduler.after(undefined, time_ms, () => {});
    await this.#scheduler.run(() => this.#scheduler.now >= end);
  }

  async #rest(what: string, isDone: () => boolean): Promise<void> {
    const end = this.#scheduler.now + REST_MS_MAX;
    await this.#scheduler.run(() => isDone() || this.#scheduler.now > end);
    if (!isDone()) this.faults.push(`the world does not rest until ${what}: ${this.#unrest().join("; ")}`);
  }

  #unrest(): readonly string[] {
    return this.#characters.flatMap(({ person, chat, local, life, pending }) => {
      const unrest = [
        ...chat === undefined ? [life.isOver ? "is down" : "is not in"] : [],
        ...local.waiting.length === 0 ? [] : [`has ${local.waiting.length} to say`],
        ...pending === undefined ? [] : [`waits for ${JSON.stringify(pending)}`],
        ...this.#behind(local, person).map((room) => `does not have ${room}`),
      ];
      return unrest.length === 0 ? [] : [`${person.handle} ${unrest.join(", ")}`];
    });
  }

  #isQuiet(): boolean {
    return this.#server !== undefined && this.#unrest().length === 0;
  }

  /** The rooms of which a client does not have all that the server has. */
  #behind(local: MemoryLocal, { handle }: SimulatedPerson): readonly string[] {
    return this.logs.states.flatMap(({ id, members, head }) => {
      if (!members.has(handle)) return [];
      const kept = local.kept.find(({ room }) => room.room.toHex() === id.toHex());
      return kept?.room.head.sequence === head.sequence
        ? []
        : [`${id.toHex().slice(0, 8)} #${head.sequence}`];
    });
  }

  /** Whether everybody else who was in a room at an entry, and has been ever since, has it on their client's disk. */
  #isDelivered(author: Handle, label: string, sequence: number): boolean {
    const id = roomNamed(this.logs, author, label);
    const since = this.logs.batches.flat().flatMap((change) =>
      change.kind === "append" && change.room.id.toHex() === id && change.entry.sequence >= sequence
        ? [change.room]
        : []
    );
    return since.length > 0 && this.#characters.every(({ person: { handle }, local }) => {
      const wasIn = since.every(({ members }) => members.has(handle));
      const kept = local.kept.find(({ room }) => room.room.toHex() === id);
      return handle === author || !wasIn || (kept?.room.head.sequence ?? 0) >= sequence;
    });
  }

  async #everybodyAsks(type: "check" | "rooms"): Promise<void> {
    let left = 0;
    for (const character of this.#characters) {
      const rooms = type === "check" ? Array.from(character.notes.rooms) : [""];
      for (const room of rooms) {
        left += 1;
        const request: ClientRequest = type === "check" ? { type, room } : { type };
        const asked = character.chat?.request(request) ?? Promise.resolve("it is not in");
        void asked.then((refusal) => {
          left -= 1;
          if (refusal !== undefined) {
            this.faults.push(`${character.person.handle} cannot ${type}: ${refusal}`);
          }
        }, this.#onFault(character.person.handle));
      }
    }
    await this.#rest(`everybody's ${type} is answered`, () => left === 0);
  }

  #startServer(): void {
    const life = this.#newLife("server");
    this.#serverLife = life;
    this.#server = undefined;
    const { scheduler, isFull } = { scheduler: this.#scheduler, isFull: () => this.#isDiskFull() };
    const takes_ms = this.#diskTime();
    openDisk<keyof LogStore>(this.logs, life, {
      scheduler,
      takes_ms,
      fails: (method) => {
        if (method === "change" && isFull()) {
          throw new Failure("cannotCreate", "Cannot store: the disk is full; make room.");
        }
      },
    });
    openDisk(this.#accounts, life, { scheduler, takes_ms });
    const starting = ServerProcess.start({
      ...this.#partsOf(life),
      logs: this.#broken.logs?.(this.logs, life) ?? this.logs,
      accounts: this.#accounts,
      ...(this.#broken.exchange === undefined ? {} : { wrapped: this.#broken.exchange }),
    });
    void starting.then((server) => {
      this.#server = server;
    }, (fault) => {
      if (!(fault instanceof Failure)) this.#onFault("server")(fault);
      this.#endServer(life);
    });
  }

  #endServer(life: Life): void {
    if (life.isOver) return;
    this.#server = undefined;
    life.end();
    this.#scheduler.after(undefined, this.#dice.below(SERVER_DOWN_MS_MAX), () => this.#startServer());
  }

  /** As by a signal: it ends in its own time. */
  #stopServer(): void {
    const [life, server] = [this.#serverLife, this.#server];
    if (server === undefined) return;
    this.#server = undefined;
    void server.stop().then(() => this.#endServer(life), this.#onFault("server"));
  }

  #startClient(character: Character): void {
    const { person, local, notes } = character;
    const life = this.#newLife(person.handle);
    character.life = life;
    character.chat = undefined;
    notes.beginLife();
    openDisk<keyof LocalStore>(local, life, { scheduler: this.#scheduler, takes_ms: this.#diskTime() });
    const starting = startClient({
      ...this.#partsOf(life),
      person,
      local: this.#broken.local?.(local) ?? local,
      peers: {
        load: () => this.#scheduler.turn(life).then(() => character.book),
        save: async (_, book) => {
          await this.#scheduler.turn(life);
          character.book = book;
          await this.#scheduler.turn(life);
        },
      },
    });
    void starting.then(async (chat) => {
      character.chat = chat;
      for (let event = await chat.nextEvent(); event !== undefined; event = await chat.nextEvent()) {
        notes.take(event);
      }
      const failure = await chat.outcome;
      if (failure !== undefined) this.faults.push(`${person.handle} ended: ${failure.message}`);
      this.#endClient(character, life);
    }).catch((fault) => {
      if (!(fault instanceof Failure)) this.#onFault(person.handle)(fault);
      this.#endClient(character, life);
    });
  }

  #endClient(character: Character, life = character.life): void {
    if (life.isOver) return;
    life.end();
    character.chat = undefined;
    this.#scheduler.after(
      undefined,
      this.#dice.below(this.#climate.down_ms),
      () => this.#startClient(character),
    );
  }

  #act(character: Character): void {
    const { dice, notes } = character;
    this.#scheduler.after(undefined, dice.below(PAUSE_MS_MAX), () => {
      if (character.deedsLeft === 0) return;
      const { chat, life } = character;
      if (chat === undefined) return this.#act(character);
      const { request, text } = nextDeed(notes, character.deedsLeft, {
        dice,
        manners: this.#climate.manners,
      });
      character.deedsLeft -= 1;
      const note = text === undefined || !("room" in request) ? undefined : notes.saying(request.room, text);
      character.pending = request;
      const goOn = (): void => {
        if (character.pending !== request) return;
        character.pending = undefined;
        this.#act(character);
      };
      life.atEnd(goOn);
      void chat.request(request).then((refusal) => {
        note?.(refusal === undefined ? "kept" : "notTaken");
        goOn();
      }, this.#onFault(character.person.handle));
    });
  }

  #beTroubled(): void {
    const { troubles } = this.#climate;
    if (troubles === undefined || this.#scheduler.turns < this.#nextTrouble) return;
    this.#nextTrouble = this.#scheduler.turns + this.#dice.between(1, troubles);
    const trouble = this.#dice.below(20);
    if (trouble < 4) this.#endServer(this.#serverLife);
    else if (trouble < 5) this.#stopServer();
    else if (trouble < 11) this.#endClient(this.#dice.pick(this.#characters));
    else if (trouble < 19) this.#network.cutOne(this.#dice.pick<Cut>(["reset", "reset", "silence"]));
    else this.#skew_ms = this.#dice.between(-60_000, 60_000);
  }

  /** Disks are as slow as the climate has them, and quick once all troubles are over. */
  #diskTime(): () => number {
    return () => this.#isTroubled ? this.#dice.below(this.#climate.disk_ms + 1) : 0;
  }

  #isDiskFull(): boolean {
    return this.#isTroubled && this.#dice.chance(this.#climate.fullDisk);
  }

  #newLife(name: string): Life {
    this.#lives += 1;
    return new Life(`${name} ${this.#lives}`);
  }

  #partsOf(life: Life): ProgramParts {
    const scheduler = this.#scheduler;
    const dice = new Dice(this.#seed, life.name);
    const { rests } = this.#climate;
    const rest = (): Promise<void> | void => {
      if (rests > 0 && dice.chance(rests)) return scheduler.turn(life);
    };
    return {
      life,
      scheduler,
      network: this.#network,
      provider: simulatedProvider(rest),
      entropy: new Dice(this.#seed, `${life.name} entropy`).entropy,
      clock: () => scheduler.now,
      wallClock: () =>
        BEGINNING + 3_600_000 + scheduler.now + (life.name.startsWith("server") ? this.#skew_ms : 0),
      onFault: this.#onFault(life.name),
    };
  }

  #onFault(name: string): (fault: unknown) => void {
    return (fault) => {
      this.faults.push(
        `${name} threw: ${fault instanceof Error ? fault.stack ?? fault.message : String(fault)}`,
      );
    };
  }
}
