/**
 * A network that delays, splits, cuts and falls silent as chance has it. What is given to it and not delivered yet is on its
 * way: a cut loses it from any octet on.
 *
 * @module
 */

import type { Socket } from "../../lib/net/pump.ts";
import type { Bytes } from "../../lib/wire/bytes.ts";
import type { Dice } from "./dice.ts";
import type { Life, Scheduler } from "./scheduler.ts";

/** Octets that are on their way in one direction before a writer has to wait, as with a socket's buffers. */
const ON_THE_WAY_BYTES_MAX = 65_536;

/** How long the other end of a crashed program, or of a cut connection, may be left in the dark. */
const NOTICE_MS_MAX = 2_000;

/** How a network is. */
export interface Weather {
  /** Most milliseconds that octets, or a word that a connection is gone, take. */
  readonly delay_ms: number;
  /** How often a piece that is sent is split once more. */
  readonly splits: number;
}

/** What a cut does. */
export type Cut =
  /** Both ends are told, each in its time. */
  | "reset"
  /** Neither is: nothing comes any more. */
  | "silence";

/** Takes a connection. */
export type Accept = (socket: Socket, host: string) => void;

/** Everything that lies between programs. */
export class Network {
  /** How it is at the moment. */
  weather: Weather;

  readonly #scheduler: Scheduler;
  readonly #dice: Dice;
  readonly #wires = new Set<Wire>();
  #listening: { readonly life: Life; readonly accept: Accept } | undefined;

  /** A network without connections. */
  constructor(scheduler: Scheduler, dice: Dice, weather: Weather) {
    this.#scheduler = scheduler;
    this.#dice = dice;
    this.weather = weather;
  }

  /** How many connections there are, whether their ends know or not. */
  get connections(): number {
    return this.#wires.size;
  }

  /** Has the one server take connections, as long as it lives. */
  listen(life: Life, accept: Accept): void {
    this.#listening = { life, accept };
  }

  /** Connects; rejects where nobody listens, after a while. */
  async dial(life: Life, host: string): Promise<Socket> {
    await this.#scheduler.pause(life, this.delay());
    const listening = this.#listening;
    if (listening === undefined || listening.life.isOver) throw new Error("connection refused");
    const wire = new Wire(
      { scheduler: this.#scheduler, network: this, dice: this.#dice },
      life,
      listening.life,
    );
    this.#wires.add(wire);
    this.#scheduler.after(listening.life, this.delay(), () => listening.accept(wire.server, host));
    await this.#scheduler.pause(life, this.delay());
    return wire.client;
  }

  /** Cuts one connection, where there is any. */
  cutOne(cut: Cut): void {
    this.#dice.pickAny(Array.from(this.#wires))?.cut(cut);
  }

  /** Cuts all connections of a program. */
  cutAll(life: Life, cut: Cut): void {
    for (const wire of this.#wires) if (wire.isOf(life)) wire.cut(cut);
  }

  /** A delay of the present weather. */
  delay(): number {
    return this.#dice.below(this.weather.delay_ms + 1);
  }

  /** Forgets a connection that is over at both ends. */
  forget(wire: Wire): void {
    this.#wires.delete(wire);
  }
}

/** What wires and pipes need. */
interface Ground {
  readonly scheduler: Scheduler;
  readonly network: Network;
  readonly dice: Dice;
}

/** One connection. */
class Wire {
  /** The client's end. */
  readonly client: Socket;
  /** The server's end. */
  readonly server: Socket;

  readonly #lives: readonly [Life, Life];
  readonly #pipes: readonly [Pipe, Pipe];

  /** A connection of a client and a server. */
  constructor(ground: Ground, client: Life, server: Life) {
    const up = new Pipe(ground, { from: client, to: server });
    const down = new Pipe(ground, { from: server, to: client });
    const forget = (): void => {
      if (up.isOver && down.isOver) ground.network.forget(this);
    };
    this.#lives = [client, server];
    this.#pipes = [up, down];
    this.client = socketOf({ out: up, in: down }, forget);
    this.server = socketOf({ out: down, in: up }, forget);
    client.atEnd(() => crash(up, down));
    server.atEnd(() => crash(down, up));
  }

  /** Whether one of its ends is that program's. */
  isOf(life: Life): boolean {
    return this.#lives.includes(life);
  }

  /** Cuts it. */
  cut(cut: Cut): void {
    for (const pipe of this.#pipes) {
      if (cut === "reset") pipe.reset();
      else pipe.fallSilent();
    }
  }
}

function socketOf(pipes: { readonly out: Pipe; readonly in: Pipe }, closed: () => void): Socket {
  return {
    read: (buffer) => pipes.in.read(buffer),
    write: (bytes) => pipes.out.write(bytes),
    close: () => {
      pipes.out.end();
      pipes.in.close();
      closed();
    },
  };
}

/** The system ends the connections of a program that is gone. */
function crash(out: Pipe, into: Pipe): void {
  out.endOfCrash();
  into.abandon();
}

interface Waiting<Value> {
  readonly resolve: (value: Value) => void;
  readonly reject: (error: Error) => void;
}

/** One direction of a connection. */
class Pipe {
  readonly #ground: Ground;
  readonly #from: Life;
  readonly #to: Life;
  readonly #onTheWay: Bytes[] = [];
  #bytesOnTheWay = 0;
  #isUnderWay = false;
  #arrived: Bytes[] = [];
  #state: "open" | "ending" | "ended" | "broken" | "silent" | "abandoned" = "open";
  #reader: (Waiting<number | null> & { readonly buffer: Uint8Array }) | undefined;
  #writers: (() => void)[] = [];

  /** An empty one. */
  constructor(ground: Ground, { from, to }: { readonly from: Life; readonly to: Life }) {
    this.#ground = ground;
    this.#from = from;
    this.#to = to;
  }

  /** Whether nothing will be read from it any more. */
  get isOver(): boolean {
    return this.#state !== "open" && this.#state !== "ending";
  }

  /** Takes some of the octets; waits while too many are on their way. */
  async write(bytes: Uint8Array): Promise<number> {
    while (this.#state === "open" && this.#bytesOnTheWay >= ON_THE_WAY_BYTES_MAX) {
      await new Promise<void>((resolve) => this.#writers.push(resolve));
    }
    if (this.#state === "broken" || this.#state === "abandoned") throw new Error("broken pipe");
    const { dice, network } = this.#ground;
    const count = dice.chance(network.weather.splits) ? dice.between(1, bytes.length) : bytes.length;
    if (this.#state === "silent") return count;
    for (const piece of this.#pieces(new Uint8Array(bytes.subarray(0, count)))) this.#onTheWay.push(piece);
    this.#bytesOnTheWay += count;
    this.#carry();
    return count;
  }

  /** What has come; `null` at the end. */
  read(buffer: Uint8Array): Promise<number | null> {
    return new Promise((resolve, reject) => {
      this.#reader = { buffer, resolve, reject };
      this.#serve();
    });
  }

  /** Nothing more is written; what is on its way arrives. */
  end(): void {
    if (this.#state !== "open") return;
    this.#state = "ending";
    this.#carry();
  }

  /** The writer is gone: what is on its way arrives, or the first part of it, and then an end or an error. */
  endOfCrash(): void {
    if (this.#state !== "open" && this.#state !== "ending") return;
    if (this.#ground.dice.chance(0.5)) return this.end();
    this.#onTheWay.splice(this.#ground.dice.below(this.#onTheWay.length + 1));
    this.reset();
  }

  /** Its reader reads no more. */
  close(): void {
    this.#reader?.reject(new Error("closed"));
    this.#reader = undefined;
    this.abandon();
  }

  /** Its reader is gone: whoever writes is told, in its time. */
  abandon(): void {
    if (this.#state !== "open" && this.#state !== "ending") return;
    this.#state = "abandoned";
    this.#later(this.#from, () => this.#wakeWriters());
  }

  /** What is on its way is lost; both ends are told, each in its time. */
  reset(): void {
    if (this.isOver && this.#state !== "silent") return;
    this.#lose();
    this.#state = "broken";
    this.#later(this.#from, () => this.#wakeWriters());
    this.#later(this.#to, () => this.#serve());
  }

  /** What is on its way is lost, and what follows; nobody is told. */
  fallSilent(): void {
    if (this.isOver) return;
    this.#lose();
    this.#state = "silent";
    this.#ground.scheduler.soon(this.#from, () => this.#wakeWriters());
  }

  #lose(): void {
    this.#onTheWay.length = 0;
    this.#bytesOnTheWay = 0;
  }

  #later(life: Life, act: () => void): void {
    this.#ground.scheduler.after(life, this.#ground.dice.below(NOTICE_MS_MAX), act);
  }

  #pieces(bytes: Bytes): readonly Bytes[] {
    const { dice, network } = this.#ground;
    if (bytes.length < 2 || !dice.chance(network.weather.splits)) return [bytes];
    const at = dice.between(1, bytes.length - 1);
    return [...this.#pieces(bytes.slice(0, at)), ...this.#pieces(bytes.slice(at))];
  }

  /** One piece after the other, so that none overtakes. */
  #carry(): void {
    if (this.#isUnderWay || this.#state === "silent" || this.#state === "broken") return;
    if (this.#onTheWay.length === 0 && this.#state !== "ending") return;
    this.#isUnderWay = true;
    const { scheduler, network } = this.#ground;
    scheduler.after(this.#to, network.delay(), () => {
      this.#isUnderWay = false;
      this.#arrive();
      this.#carry();
    });
  }

  #arrive(): void {
    if (this.#state !== "open" && this.#state !== "ending") return;
    const piece = this.#onTheWay.shift();
    if (piece === undefined) this.#state = "ended";
    else {
      this.#bytesOnTheWay -= piece.length;
      this.#arrived.push(piece);
      if (this.#writers.length > 0) this.#ground.scheduler.soon(this.#from, () => this.#wakeWriters());
    }
    this.#serve();
  }

  #wakeWriters(): void {
    for (const resume of this.#writers.splice(0)) resume();
  }

  #serve(): void {
    const reader = this.#reader;
    if (reader === undefined) return;
    const [piece] = this.#arrived;
    if (piece !== undefined && this.#state !== "abandoned") {
      const count = Math.min(piece.length, reader.buffer.length);
      reader.buffer.set(piece.subarray(0, count));
      if (count === piece.length) this.#arrived.shift();
      else this.#arrived[0] = piece.slice(count);
      this.#reader = undefined;
      reader.resolve(count);
    } else if (this.#state === "ended") {
      this.#reader = undefined;
      reader.resolve(null);
    } else if (this.#state === "broken") {
      this.#reader = undefined;
      reader.reject(new Error("connection reset"));
    }
  }
}
