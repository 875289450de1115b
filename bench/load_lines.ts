/**
 * A load for servers that carry lines: the relays, IRC and NATS. It obeys the same orders as the load for Sotto, and checks
 * that every connection hears each speaker's lines without gap, never twice and in order.
 * `load_lines.ts relay|irc|nats PORT [CERTIFICATE NAME]`; with a certificate it speaks TLS.
 *
 * @module
 */

import { connectTls } from "../lib/net/tls.ts";
import type { Socket } from "../lib/net/pump.ts";
import { openTcp } from "../lib/net/tcp.ts";
import { lines } from "../tools/lines.ts";
import { decodeOrder, type Order, type Report, type Seat } from "./load_order.ts";

/** Octets of each text that is said, its end included where the server carries lines alone. */
const TEXT_BYTES = 100;

const READ_BYTES = 65_536;
const LOOK_MS = 10;
const STALLED_MS_MAX = 60_000;

const CHANNEL = "bench";

const clock = (): number => performance.now();

/** How a server is talked to. */
interface Dialect {
  /** Says who one is; what it awaits before anything is said. */
  readonly greeting: (place: number) => string;
  /** What the server says when one hears the others. */
  readonly welcome: RegExp | undefined;
  /** A text as it is sent. */
  readonly said: (text: string) => string;
  /** What the server asks for at times, and the answer. */
  readonly ping: readonly [string, string] | undefined;
}

const DIALECTS: Readonly<Record<string, Dialect>> = {
  relay: { greeting: () => "", welcome: undefined, said: (text) => `${text}\n`, ping: undefined },
  irc: {
    greeting: (place) => `NICK m${place}\r\nUSER m${place} 0 * :m\r\nJOIN #${CHANNEL}\r\n`,
    welcome: / 366 /,
    said: (text) => `PRIVMSG #${CHANNEL} :${text}\r\n`,
    ping: ["PING ", "PONG "],
  },
  nats: {
    greeting: () => `CONNECT {"verbose":false,"pedantic":false,"echo":false}\r\nSUB ${CHANNEL} 1\r\nPING\r\n`,
    welcome: /^PONG/,
    said: (text) => `PUB ${CHANNEL} ${text.length}\r\n${text}\r\n`,
    ping: ["PING", "PONG\r\n"],
  },
};

/** What is between a line's beginning, whatever the server puts there, and its padding. */
const MARK = /@(\d+):(\d+)@/;

async function main(): Promise<void> {
  const [name = "relay", port = "", certificate, server = ""] = Deno.args;
  const dialect = DIALECTS[name];
  if (dialect === undefined) throw new Error(`nobody speaks ${name}`);
  const endpoint = { host: "127.0.0.1", port: Number(port) };
  const certificates = certificate === undefined ? undefined : [await Deno.readTextFile(certificate)];
  const connect = (): Promise<Socket> =>
    certificates === undefined ? openTcp(endpoint) : connectTls(endpoint, { name: server, certificates });
  const load = new LineLoad(dialect, connect);
  for await (const line of lines(Deno.stdin.readable)) {
    const order = decodeOrder(line);
    console.log(JSON.stringify({ report: order.order, ...await load.obey(order) }));
    if (order.order === "end") break;
  }
  Deno.exit(0);
}

type Result = Omit<Report, "report">;

/** The connections of one process. */
class LineLoad {
  readonly #dialect: Dialect;
  readonly #connect: () => Promise<Socket>;
  readonly #here = new Map<number, LineConnection>();
  /** When what was said was sent, by its mark. */
  readonly #sent = new Map<string, number>();
  readonly #waiting = new Map<string, () => void>();
  #delays: number[] = [];
  #isTimed = false;
  #heard = 0;

  constructor(dialect: Dialect, connect: () => Promise<Socket>) {
    this.#dialect = dialect;
    this.#connect = connect;
  }

  async obey(order: Order): Promise<Result> {
    const began = clock();
    const result = await this.#obey(order);
    return { ms: clock() - began, ...result };
  }

  async #obey(order: Order): Promise<Omit<Result, "ms">> {
    switch (order.order) {
      case "come":
        for (let place = order.from; place < order.to; place++) {
          const connection = new LineConnection(await this.#connect(), {
            place,
            dialect: this.#dialect,
            heard: (mark, now) => this.#note(mark, now),
          });
          this.#here.set(place, connection);
          await connection.welcomed;
        }
        return { count: order.to - order.from };
      case "say":
        return await this.#say(order);
      case "hear":
        return await this.#hear(order.sequence);
      case "end":
        return { count: this.#here.size };
      default:
        throw new Error(`no line says ${order.order}`);
    }
  }

  async #say({ seats, window, ms, perSecond }: Order & { order: "say" }): Promise<Omit<Result, "ms">> {
    this.#isTimed = perSecond !== undefined;
    const until = clock() + ms;
    const between_ms = perSecond === undefined ? 0 : 1_000 * seats.length * window / perSecond;
    const counts = await Promise.all(seats.map((seat) => this.#speak(seat, { window, until, between_ms })));
    const count = counts.reduce((sum, each) => sum + each, 0);
    const said = Array.from(this.#here.values()).reduce((sum, each) => sum + each.said, 0);
    return { count, sequence: said };
  }

  /** What one has said counts as taken once somebody else of this process hears it. */
  async #speak(
    { members: [member = 0] }: Seat,
    { window, until, between_ms }: {
      readonly window: number;
      readonly until: number;
      readonly between_ms: number;
    },
  ): Promise<number> {
    const connection = this.#here.get(member);
    if (connection === undefined) throw new Error(`${member} is not here`);
    const before = connection.said;
    const one = async (): Promise<void> => {
      while (clock() < until) {
        const began = clock();
        const mark = `${member}:${connection.said}`;
        const { promise, resolve } = Promise.withResolvers<void>();
        this.#waiting.set(mark, resolve);
        if (this.#isTimed) this.#sent.set(mark, began);
        connection.say(`@${mark}@`.padEnd(TEXT_BYTES - 1, " about as long as what people say"));
        await promise;
        if (between_ms > 0) await rest(Math.max(0, began + between_ms - clock()));
      }
    };
    await Promise.all(Array.from({ length: window }, one));
    return connection.said - before;
  }

  async #hear(sequence: number): Promise<Omit<Result, "ms">> {
    let heard = this.#heard;
    for (let since = clock(); this.#here.values().some((each) => each.said + each.heard < sequence);) {
      await rest(LOOK_MS);
      if (this.#heard > heard) since = clock();
      heard = this.#heard;
      if (clock() - since > STALLED_MS_MAX) throw new Error("nothing more is heard");
    }
    const result = { count: this.#heard, sequence, delays: this.#delays };
    this.#heard = 0;
    this.#delays = [];
    this.#sent.clear();
    return result;
  }

  #note(mark: string, now: number): void {
    this.#heard += 1;
    this.#waiting.get(mark)?.();
    this.#waiting.delete(mark);
    const sent = this.#isTimed ? this.#sent.get(mark) : undefined;
    if (sent !== undefined) this.#delays.push(now - sent);
  }
}

/** One connection. */
class LineConnection {
  /** Settles when it hears the others. */
  readonly welcomed: Promise<void>;
  /** How many lines it has said. */
  said = 0;
  /** How many lines of others it has heard. */
  heard = 0;
  readonly #socket: Socket;
  readonly #dialect: Dialect;
  readonly #heard: (mark: string, now: number) => void;
  readonly #last = new Map<string, number>();
  readonly #settleWelcomed: () => void;
  #writing: Promise<void> = Promise.resolve();
  #isWelcome = false;

  constructor(
    socket: Socket,
    { place, dialect, heard }: {
      readonly place: number;
      readonly dialect: Dialect;
      readonly heard: (mark: string, now: number) => void;
    },
  ) {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.welcomed = promise;
    this.#settleWelcomed = resolve;
    this.#socket = socket;
    this.#dialect = dialect;
    this.#heard = heard;
    this.#write(dialect.greeting(place));
    if (dialect.welcome === undefined) this.#welcome();
    this.#read().catch(fail);
  }

  /** Says one text more. */
  say(text: string): void {
    this.said += 1;
    this.#write(this.#dialect.said(text));
  }

  #write(text: string): void {
    const bytes = new TextEncoder().encode(text);
    this.#writing = this.#writing.then(async () => {
      for (let at = 0; at < bytes.length;) at += await this.#socket.write(bytes.subarray(at));
    });
    this.#writing.catch(fail);
  }

  async #read(): Promise<void> {
    const buffer = new Uint8Array(READ_BYTES);
    const decoder = new TextDecoder();
    let left = "";
    for (;;) {
      const count = await this.#socket.read(buffer);
      if (count === null) throw new Error("the server has ended a connection");
      const now = clock();
      const parts = (left + decoder.decode(buffer.subarray(0, count), { stream: true })).split("\n");
      left = parts.pop() ?? "";
      for (const line of parts) this.#take(line, now);
    }
  }

  #take(line: string, now: number): void {
    const [, speaker, number] = MARK.exec(line) ?? [];
    if (speaker === undefined || number === undefined) return this.#takeOther(line);
    const last = this.#last.get(speaker);
    if (last !== undefined && Number(number) !== last + 1) {
      throw new Error(`${number} of ${speaker} came behind ${last}`);
    }
    this.#last.set(speaker, Number(number));
    this.heard += 1;
    this.#heard(`${speaker}:${number}`, now);
  }

  #takeOther(line: string): void {
    const { ping, welcome } = this.#dialect;
    if (ping !== undefined && line.startsWith(ping[0])) {
      this.#write(ping[1].endsWith("\n") ? ping[1] : `${ping[1]}${line.slice(ping[0].length)}\n`);
    }
    if (!this.#isWelcome && welcome?.test(line)) this.#welcome();
  }

  #welcome(): void {
    this.#isWelcome = true;
    this.#settleWelcomed();
  }
}

function rest(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function fail(fault: unknown): never {
  console.error(fault instanceof Error ? fault.stack : String(fault));
  Deno.exit(1);
}

if (import.meta.main) await main();
