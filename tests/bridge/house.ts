/**
 * The bench for the bridge: a lobby without members, and guests at the other end of a fake wire.
 *
 * @module
 */

import assert from "node:assert/strict";
import { Fernet } from "../../lib/bridge/fernet.ts";
import { Guest, type GuestEnd } from "../../lib/bridge/guest.ts";
import { serverIv, visitorIv } from "../../lib/bridge/token_iv.ts";
import { UsedTokens } from "../../lib/bridge/used_tokens.ts";
import { setImmediate } from "node:timers";
import { systemEntropy } from "../../lib/crypto/entropy.ts";
import { RoomExchange } from "../../lib/delivery/exchange.ts";
import { type Bytes, utf8, utf8Text } from "../../lib/wire/bytes.ts";
import { MemoryAccounts } from "../chat/memory_accounts.ts";
import { MemoryLog } from "../chat/memory_log.ts";
import { provider } from "../crypto/test_provider.ts";
import { MemoryFiles } from "../session/memory_files.ts";
import { HOST_KEY } from "../session/people.ts";

/** When houses are opened, in milliseconds since 1970. */
export const THEN = 1_800_000_000_000;

const KEY: Bytes = new Uint8Array(32).fill(7);

/** A key that the bridge has, and one that it has not. */
export const FERNET = await Fernet.of(provider, KEY);
export const OTHER_FERNET = await Fernet.of(provider, new Uint8Array(32).fill(8));

/** The bridge's key, which looks at a token only once `gate` is open. */
export function slowFernet(gate: Promise<void>): Promise<Fernet> {
  return Fernet.of({
    ...provider,
    hmacSha256: async (key) => {
      const mac = await provider.hmacSha256(key);
      return { sign: (data) => gate.then(() => mac.sign(data)) };
    },
  }, KEY);
}

/** How a token is made. */
export interface Making {
  readonly fernet?: Fernet;
  /** By how many seconds its maker's clock differs. */
  readonly skew?: number;
}

/** A lobby with a bridge. */
export class House {
  /** The lobby. */
  readonly exchange: RoomExchange;
  /** What is said there. */
  readonly log: MemoryLog;
  /** What happened in the lobby, in words. */
  readonly happened: string[] = [];
  readonly #clock: { now: number };
  readonly #used = new UsedTokens(THEN / 1_000);
  readonly #callers: Caller[] = [];
  #names = 0;
  #changed = Promise.withResolvers<void>();

  private constructor(exchange: RoomExchange, log: MemoryLog, clock: { now: number }) {
    this.exchange = exchange;
    this.log = log;
    this.#clock = clock;
    this.exchange.overhear((event) => {
      const what = event.kind === "said"
        ? `: ${event.text}`
        : "address" in event
        ? ` ${event.kind} from ${event.address}`
        : ` ${event.kind}`;
      this.happened.push(`${event.name}${what}`);
      this.#changed.resolve();
      this.#changed = Promise.withResolvers();
    });
  }

  /** One in which nobody is. */
  static async open(): Promise<House> {
    const [log, clock] = [new MemoryLog(), { now: 0 }];
    const exchange = await RoomExchange.open({
      provider,
      entropy: systemEntropy,
      hostKey: HOST_KEY,
      wallClock: () => THEN + clock.now,
      soon: (act) => setImmediate(act),
      logs: log,
      files: new MemoryFiles(),
      accounts: new MemoryAccounts(),
      retention: 0,
      fanout: "shared",
      fileLimits: { quotaBytes: 0, days: 0 },
      note: () => {},
    });
    return new House(exchange, log, clock);
  }

  /** The pump's clock, in milliseconds; the wall clock is that much after {@linkcode THEN}. */
  get now(): number {
    return this.#clock.now;
  }

  set now(now: number) {
    this.#clock.now = now;
  }

  /** Milliseconds since 1970. */
  readonly wallClock = (): number => THEN + this.now;

  /** The server's end of a connection that came in; nothing was said. */
  accept(fernet = FERNET): Guest {
    return new Guest({
      fernet,
      iv: () => serverIv(systemEntropy),
      wallClock: this.wallClock,
      lobby: this.exchange,
      address: "192.0.2.1:50000",
      used: this.#used,
      admit: () => `guest-${++this.#names}`,
    }, this.now);
  }

  /** A connection that came in, with a test at its other end; it has said nothing. */
  connect(fernet = FERNET): Caller {
    const caller = new Caller(this.accept(fernet), this);
    this.#callers.push(caller);
    return caller;
  }

  /** A guest that is inside, was greeted, and of whom the lobby was told. */
  async guest(): Promise<Caller> {
    const caller = this.connect();
    await caller.send("");
    await caller.hears(/you are guest/);
    const [name = ""] = /guest-\d+/.exec(caller.heard[0] ?? "") ?? [];
    while (!this.happened.some((what) => what.startsWith(`${name} guestCame`))) await this.#changed.promise;
    return caller;
  }

  /** The operator says something. */
  async say(text: string): Promise<void> {
    await this.exchange.say({ source: "console", name: "console", text });
  }

  /** Ends whatever goes on in it. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const { guest } of this.#callers) guest.lost();
    await Promise.all(this.#callers.flatMap(({ reading, guest }) => [reading, guest.ended]));
  }

  /** A token as a guest makes it, as a line. */
  async token(content: string | Bytes, { fernet = FERNET, skew = 0 }: Making = {}): Promise<string> {
    const seconds = Math.floor(this.wallClock() / 1_000) + skew;
    const octets = typeof content === "string" ? utf8(content) : content;
    return `${await fernet.seal(octets, { seconds, iv: visitorIv(systemEntropy) })}\n`;
  }
}

/** The other end of a guest. */
export class Caller {
  /** The server's end. */
  readonly guest: Guest;
  /** Each token that came, as a line without its end. */
  readonly tokens: string[] = [];
  /** What they carry. */
  readonly heard: string[] = [];
  /** How the server's end ended, once it has. */
  end: GuestEnd | undefined;
  /** Keeps the server's writes back, as one that does not read. */
  deaf: Promise<void> = Promise.resolve();

  /** Settles when it has read all that it ever will. */
  readonly reading: Promise<void>;

  readonly #house: House;
  #changed = Promise.withResolvers<void>();

  /** One that reads at once. */
  constructor(guest: Guest, house: House) {
    this.guest = guest;
    this.#house = house;
    this.reading = this.#read();
    guest.ended.then((end) => {
      this.end = end;
      this.#tell();
    });
  }

  /** Sends texts, each as a token. */
  async send(...texts: readonly string[]): Promise<void> {
    for (const text of texts) await this.sendLine(await this.#house.token(text));
  }

  /** Sends a line as it is. */
  async sendLine(line: string): Promise<void> {
    await this.guest.receive(utf8(line), this.#house.now);
  }

  /** Time passes for the server's end. */
  pass(milliseconds: number): void {
    this.#house.now += milliseconds;
    this.guest.tick(this.#house.now);
  }

  /** Settles when it has heard a text that `pattern` fits. */
  async hears(pattern: RegExp): Promise<void> {
    while (!this.heard.some((text) => pattern.test(text))) {
      if (this.end !== undefined) assert.fail(`it ended (${this.end}) and heard only: ${this.heard}`);
      await this.#changed.promise;
    }
  }

  /** Asserts that it was turned away without a word. */
  async isTurnedAway(): Promise<void> {
    assert.equal(await this.guest.ended, "stranger");
    assert.deepEqual(this.tokens, []);
    assert.deepEqual(this.#house.happened.filter((what) => /^guest-(?!1[ :])/.test(what)), []);
  }

  async #read(): Promise<void> {
    for (;;) {
      const bytes = await this.guest.nextWrite();
      if (bytes === undefined) return;
      await this.deaf;
      for (const line of (utf8Text(bytes) ?? "").split("\n").slice(0, -1)) {
        this.tokens.push(line);
        const opened = await FERNET.open(line) ?? assert.fail("a token of the key");
        this.heard.push(utf8Text(opened.content) ?? assert.fail("a text"));
      }
      this.#tell();
    }
  }

  #tell(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}
