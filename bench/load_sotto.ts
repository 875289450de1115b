/**
 * A load for a Sotto server: many connections in one process, which do what the bench orders line by line. Whatever a
 * server does wrong ends it with a sentence on standard error.
 *
 * @module
 */

import { systemEntropy } from "../lib/crypto/entropy.ts";
import { chosenMlKem } from "../lib/crypto/ml_kem_choice.ts";
import type { Provider, SigningKey, VerifyingKey } from "../lib/crypto/port.ts";
import { webCryptoProvider } from "../lib/crypto/webcrypto.ts";
import { pump, type Socket } from "../lib/net/pump.ts";
import { openTcp } from "../lib/net/tcp.ts";
import { Ticker } from "../lib/net/ticker.ts";
import { Link, type LinkEnd } from "../lib/secure/link.ts";
import { SUITES } from "../lib/secure/suite.ts";
import type { Handle } from "../lib/text/handle.ts";
import type { Bytes } from "../lib/wire/bytes.ts";
import type { Logged, Place } from "../lib/wire/message.ts";
import { lines } from "../tools/lines.ts";
import { DeafSocket } from "./deaf_socket.ts";
import { KnownMessages } from "./known_messages.ts";
import { type FileMessage, LoadConnection } from "./load_connection.ts";
import { FileCarrier } from "./load_file.ts";
import { decodeOrder, type Order, type Report, type Seat } from "./load_order.ts";
import { LoadPace } from "./load_pace.ts";
import { passwordLogin } from "./load_password.ts";
import { type Cast, decodeCast, type Member } from "./member.ts";
import { RoomChain } from "./room_chain.ts";

/** Octets of each text that is said. */
const TEXT_BYTES = 100;

/** Handshakes of one process under way at once: more would only wait for each other. */
const HANDSHAKES_AT_ONCE = 8;

/** How often is looked whether all have heard, in milliseconds, and how long without any news before that is a fault. */
const LOOK_MS = 10;
const STALLED_MS_MAX = 60_000;

const clock = (): number => performance.now();

async function main(): Promise<void> {
  const [file = ""] = Deno.args;
  const load = new SottoLoad(
    decodeCast(await Deno.readTextFile(file)),
    webCryptoProvider(await chosenMlKem()),
  );
  for await (const line of lines(Deno.stdin.readable)) {
    const order = decodeOrder(line);
    console.log(JSON.stringify({ report: order.order, ...await load.obey(order) }));
    if (order.order === "end") break;
  }
  Deno.exit(0);
}

/** What came of an order. */
type Result = Omit<Report, "report">;

/** The connections of one process. */
class SottoLoad {
  readonly #cast: Cast;
  readonly #provider: Provider;
  readonly #ticker = new Ticker(clock);
  readonly #known = new KnownMessages();
  readonly #pace = new LoadPace();
  readonly #here = new Map<number, LoadConnection>();
  readonly #deaf = new Map<number, { readonly connection: LoadConnection; readonly socket: DeafSocket }>();
  readonly #chains = new Map<string, RoomChain>();
  readonly #devices: ReadonlyMap<Handle, Bytes>;
  readonly #keys = new Map<Handle, Promise<VerifyingKey | undefined>>();
  /** When what was said was sent, by its id, while delays are measured. */
  readonly #sent = new Map<string, number>();
  #file: (message: FileMessage) => void = () => {};
  #delays: number[] = [];
  #heard = 0;
  #isTimed = false;

  constructor(cast: Cast, provider: Provider) {
    this.#cast = cast;
    this.#provider = provider;
    this.#devices = new Map(cast.members.map(({ handle, device }) => [handle, device]));
  }

  async obey(order: Order): Promise<Result> {
    const began = clock();
    const result = await this.#obey(order);
    return { ms: clock() - began, ...result };
  }

  async #obey(order: Order): Promise<Omit<Result, "ms"> & { readonly ms?: number }> {
    switch (order.order) {
      case "come":
        return await this.#come(order);
      case "say":
        return await this.#say(order);
      case "hear":
        return await this.#hear(order);
      case "storm":
        return await this.#storm(order);
      case "flood":
        return await this.#flood(order);
      case "deafen":
        return await this.#deafen(order);
      case "listen":
        return await this.#listen(order);
      case "answer":
        return await this.#answer(order);
      case "carry":
        return await this.#carry(order);
      case "end":
        return { count: this.#here.size };
    }
  }

  /**
   * Those of one group log in, and then go in all at once: each is told of all who come behind it, which is much for a
   * thousand in one room where they come one by one.
   */
  async #come({ from, to, atOnce, room }: Order & { order: "come" }): Promise<{ readonly count: number }> {
    for (let begin = from; begin < to; begin += atOnce) {
      const places = Array.from({ length: Math.min(atOnce, to - begin) }, (_, at) => begin + at);
      await atATime(places, HANDSHAKES_AT_ONCE, async (place) => {
        this.#here.set(place, await this.#connect(place));
      });
      await Promise.all(places.map(async (place) => {
        const connection = this.#here.get(place);
        await connection?.enter();
        if (room !== undefined) await connection?.follow(Uint8Array.fromHex(room));
      }));
    }
    return { count: to - from };
  }

  async #say(
    { seats, window, ms, perSecond, bytes = TEXT_BYTES }: Order & { order: "say" },
  ): Promise<{ readonly count: number; readonly sequence: number; readonly hash: string }> {
    this.#isTimed = perSecond !== undefined;
    for (const { room, members, listeners = [] } of seats) {
      for (const member of [...members, ...listeners]) await this.#followed(member, room);
    }
    const until = clock() + ms;
    const between_ms = perSecond === undefined ? 0 : 1_000 * seats.length * window / perSecond;
    const counts = await Promise.all(
      seats.map((seat) => this.#speak(seat, { window, until, between_ms, bytes })),
    );
    const head = this.#chains.get(seats[0]?.room ?? "")?.head;
    return {
      count: counts.reduce((sum, each) => sum + each, 0),
      sequence: head?.sequence ?? 0,
      hash: head?.hash.toHex() ?? "",
    };
  }

  /** One seat: `window` are under way at a time. Gives how many were acknowledged. */
  async #speak(
    { room, members }: Seat,
    { window, until, between_ms, bytes }: {
      readonly window: number;
      readonly bytes: number;
      readonly until: number;
      readonly between_ms: number;
    },
  ): Promise<number> {
    let count = 0;
    const one = async (): Promise<void> => {
      while (clock() < until) {
        const began = clock();
        const member = this.#pace.next(members, began);
        if (member === undefined) {
          await rest(LOOK_MS);
          continue;
        }
        const connection = await this.#followed(member, room);
        const text = textOf(count++, bytes);
        await connection.say(room, { kind: "text", body: { text } }, (id) => {
          if (this.#isTimed) this.#sent.set(id.toHex(), clock());
        });
        if (between_ms > 0) await rest(Math.max(0, began + between_ms - clock()));
      }
    };
    await Promise.all(Array.from({ length: window }, one));
    return count;
  }

  async #followed(member: number, room: string): Promise<LoadConnection> {
    const connection = this.#here.get(member);
    if (connection === undefined) throw new Error(`${member} is not here`);
    if (connection.heardOf(room) === undefined) await connection.follow(Uint8Array.fromHex(room));
    return connection;
  }

  async #hear({ room, sequence }: Order & { order: "hear" }): Promise<Omit<Result, "ms">> {
    let heard = this.#heard;
    for (let since = clock(); this.#behind(room, sequence);) {
      await rest(LOOK_MS);
      if (this.#heard > heard) since = clock();
      heard = this.#heard;
      if (clock() - since > STALLED_MS_MAX) throw new Error(`nothing more is heard of ${room ?? "any room"}`);
    }
    for (const each of this.#chains.values()) await each.verified();
    const chain = room === undefined ? undefined : this.#chains.get(room);
    const result = {
      count: this.#heard,
      sequence: chain?.head.sequence ?? 0,
      hash: chain?.head.hash.toHex() ?? "",
      delays: this.#delays,
    };
    this.#delays = [];
    this.#heard = 0;
    this.#sent.clear();
    return result;
  }

  #behind(room: string | undefined, sequence: number): boolean {
    for (const connection of this.#here.values()) {
      if (room === undefined && connection.isBehind) return true;
      const heard = room === undefined ? undefined : connection.heardOf(room);
      if (heard !== undefined && heard < sequence) return true;
    }
    return false;
  }

  async #storm(
    { count, atOnce, by, ms, from = 0, to = this.#cast.members.length }: Order & { order: "storm" },
  ): Promise<{ readonly count: number }> {
    const until = ms === undefined ? Infinity : clock() + ms;
    let begun = 0;
    function* places(): Generator<number> {
      for (; begun < count && clock() < until; begun++) yield from + begun % (to - from);
    }
    await atATime(places(), atOnce, async (place) => {
      if (by === "password") {
        const { handle } = this.#member(place);
        await passwordLogin(this.#cast, handle, { provider: this.#provider, clock, ticker: this.#ticker });
      } else {
        const connection = await this.#connect(place);
        await connection.enter();
        await connection.leave();
      }
    });
    return { count: begun };
  }

  async #flood({ member, room, window, ms }: Order & { order: "flood" }): Promise<Omit<Result, "ms">> {
    const connection = await this.#connect(member);
    await connection.enter();
    await connection.follow(Uint8Array.fromHex(room));
    const until = clock() + ms;
    let [count, refused] = [0, 0];
    await Promise.all(Array.from({ length: window }, async () => {
      while (clock() < until) {
        const text = textOf(count + refused, TEXT_BYTES);
        if (await connection.sayHeedlessly(room, { kind: "text", body: { text } })) count += 1;
        else refused += 1;
      }
    }));
    await connection.leave();
    return { count, refused };
  }

  async #deafen({ member, rooms }: Order & { order: "deafen" }): Promise<{ readonly count: number }> {
    // Whoever was deaf before has not heard all that these rooms have by now.
    for (const room of rooms) this.#chains.delete(room);
    const socket = new DeafSocket(await this.#open());
    const connection = await this.#connect(member, socket);
    await connection.enter();
    for (const room of rooms) await connection.follow(Uint8Array.fromHex(room));
    connection.expectEnd();
    socket.deafen();
    this.#deaf.set(member, { connection, socket });
    return { count: rooms.length };
  }

  async #listen({ member, room, sequence }: Order & { order: "listen" }): Promise<Omit<Result, "ms">> {
    const deaf = this.#deaf.get(member);
    if (deaf === undefined) throw new Error(`${member} is not deaf`);
    const { connection, socket } = deaf;
    this.#deaf.delete(member);
    socket.hear();
    let end: LinkEnd | undefined;
    connection.ended.then((found) => end = found);
    for (const since = clock(); end === undefined; await rest(LOOK_MS)) {
      if ((connection.heardOf(room) ?? 0) >= sequence) {
        await connection.leave();
        return { count: 0 };
      }
      if (clock() - since > STALLED_MS_MAX) throw new Error(`${member} neither hears all nor is cut`);
    }
    return { count: 1, end: end.kind === "closed" ? end.reason : end.kind };
  }

  async #answer({ from, rooms }: Order & { order: "answer" }): Promise<{ readonly count: number }> {
    await atATime(rooms.entries(), HANDSHAKES_AT_ONCE, async ([at, room]) => {
      const connection = await this.#followed(from + at, room);
      await connection.say(room, { kind: "text", body: { text: textOf(at, TEXT_BYTES) } });
    });
    return { count: rooms.length };
  }

  async #carry({ member, room, bytes }: Order & { order: "carry" }): Promise<Omit<Result, "ms">> {
    const connection = await this.#followed(member, room);
    const carrier = new FileCarrier(connection, { provider: this.#provider, entropy: systemEntropy });
    this.#file = (message) => carrier.take(message);
    const { put_ms, get_ms } = await carrier.carry(Uint8Array.fromHex(room), bytes);
    return { count: bytes, put_ms, get_ms };
  }

  #open(): Promise<Socket> {
    const { host, port } = this.#cast;
    return openTcp({ host, port });
  }

  async #connect(place: number, opened?: Socket): Promise<LoadConnection> {
    const { hostKey } = this.#cast;
    const member = this.#member(place);
    const key: SigningKey = await this.#provider.ed25519SigningKey(member.deviceSeed);
    const socket = opened ?? await this.#open();
    const link = await Link.client(
      { suites: SUITES, psk: undefined, pin: { kind: "key", publicKey: hostKey } },
      { provider: this.#provider, entropy: systemEntropy, trace: () => {} },
      clock(),
    );
    const connection = new LoadConnection(link, {
      member,
      key,
      parts: {
        provider: this.#provider,
        known: this.#known,
        chain: (room, head) => this.#chain(room, head),
        heard: (entry, now) => this.#note(entry, now),
        file: (message) => this.#file(message),
        failed: fail,
      },
    });
    pump(socket, connection, { clock, ticker: this.#ticker }).catch(fail);
    await connection.loggedIn;
    return connection;
  }

  #member(place: number): Member {
    const member = this.#cast.members[place];
    if (member === undefined) throw new Error(`${place} is nobody`);
    return member;
  }

  #chain(room: Bytes, head: Place): RoomChain {
    const key = room.toHex();
    const known = this.#chains.get(key);
    if (known !== undefined) return known;
    const chain = new RoomChain(room, head, {
      provider: this.#provider,
      keyOf: (handle) => this.#keyOf(handle),
      failed: fail,
    });
    this.#chains.set(key, chain);
    return chain;
  }

  #keyOf(handle: Handle): Promise<VerifyingKey | undefined> {
    const device = this.#devices.get(handle);
    if (device === undefined) return Promise.resolve(undefined);
    const key = this.#keys.get(handle) ?? this.#provider.ed25519VerifyingKey(device);
    this.#keys.set(handle, key);
    return key;
  }

  #note(entry: Logged, now: number): void {
    this.#heard += 1;
    if (!this.#isTimed) return;
    const sent = this.#sent.get(entry.id.toHex());
    if (sent !== undefined) this.#delays.push(now - sent);
  }
}

/** Does `work` for each of `items`, `atOnce` at a time. */
async function atATime<Item>(
  items: Iterable<Item>,
  atOnce: number,
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const left = Iterator.from(items);
  await Promise.all(Array.from({ length: atOnce }, async () => {
    for (const item of left) await work(item);
  }));
}

function textOf(number: number, bytes: number): string {
  return `${number} `.padEnd(bytes, "about as long as what people say ");
}

function rest(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** A measurement of what is wrong is worth nothing. */
function fail(fault: unknown): never {
  console.error(fault instanceof Error ? fault.stack : String(fault));
  Deno.exit(1);
}

if (import.meta.main) await main();
