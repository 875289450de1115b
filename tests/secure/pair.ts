/**
 * The bench for links: both ends of a connection with a fake wire between them, seeded randomness, and a clock
 * that is turned by hand.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { Provider } from "../../lib/crypto/port.ts";
import type { ClientOptions } from "../../lib/secure/client_handshake.ts";
import { Link, type LinkEnd, type LinkEvent } from "../../lib/secure/link.ts";
import type { ServerOptions } from "../../lib/secure/server_handshake.ts";
import { type Bytes, equal, utf8, utf8Text } from "../../lib/wire/bytes.ts";
import { LOGIN_SAID } from "./recorded_login.ts";
import {
  type Frame,
  framesOf,
  HOST_KEY_SEED,
  type Kind,
  KINDS,
  partsOf,
  repeatable,
} from "./recorded_session.ts";

/** Which end. */
export type Side = "client" | "server";

/** The other end. */
export function otherSide(side: Side): Side {
  return side === "client" ? "server" : "client";
}

/** Something of each end. */
export type Both<Value> = Readonly<Record<Side, Value>>;

/** How a pair is set up. */
export interface PairOptions {
  /** Suite and pre-shared key; the default suite without one, if not given. */
  readonly kind?: Kind;
  /** The seed of both ends' randomness. */
  readonly seed?: string;
  /** What computes; by default what gives the same for the same seed. */
  readonly provider?: Provider;
  /** Whether a client logs in by its device as soon as it can, and is let in; yes by default. */
  readonly logsIn?: boolean;
  /** Whether an end answers the other's close by its own, as owners of links do; yes by default. */
  readonly answersCloses?: boolean;
  /** Cuts what is written into the chunks that arrive; by default each write arrives whole. */
  readonly split?: (bytes: Bytes) => readonly Bytes[];
}

/** Options of both ends of `kind`, with a pinned host key. */
export async function optionsOf(
  { suite, psk }: Kind,
  provider: Provider = repeatable,
): Promise<{ readonly client: ClientOptions; readonly server: ServerOptions }> {
  const hostKey = await provider.ed25519SigningKey(HOST_KEY_SEED);
  return {
    client: { suites: [suite], psk, pin: { kind: "key", publicKey: hostKey.publicKey } },
    server: { suites: [suite], psk, hostKey },
  };
}

/** What a server says first: the bench's client learns by it that it is let in. */
const WELCOME = utf8("welcome");

/** Two links, and a wire that carries what they write until both have ended. */
export class LinkPair {
  /** The links. */
  readonly ends: Both<Link>;
  /** What each has handed on, in order; without the login, where the bench sees to it. */
  readonly events: Both<LinkEvent[]> = { client: [], server: [] };
  /** How each ended, where it has. */
  readonly outcome: { client: LinkEnd | undefined; server: LinkEnd | undefined } = {
    client: undefined,
    server: undefined,
  };
  /** All frames, as they were written. */
  readonly frames: Frame[] = [];
  /** How many writes each end has made. */
  readonly writes = { client: 0, server: 0 };
  /** The clock, in milliseconds. */
  now = 0;

  readonly #options: PairOptions;
  readonly #carried: Promise<unknown>;
  readonly #gates: Record<Side, PromiseWithResolvers<void> | undefined> = {
    client: undefined,
    server: undefined,
  };
  #changed = Promise.withResolvers<void>();

  private constructor(ends: Both<Link>, options: PairOptions) {
    this.ends = ends;
    this.#options = options;
    this.#carried = Promise.all([this.#carryFrom("client"), this.#carryFrom("server")]);
    for (const side of ["client", "server"] as const) {
      void ends[side].ended.then((end) => {
        this.outcome[side] = end;
        this.#tell();
      });
    }
  }

  /** Both ends before the first octet. */
  static async start(options: PairOptions = {}): Promise<LinkPair> {
    const { kind = KINDS[0] ?? assert.fail("there are kinds"), seed = "pair", provider = repeatable } =
      options;
    const { client, server } = await optionsOf(kind, provider);
    return new LinkPair({
      client: await Link.client(client, partsOf(provider, "client", seed), 0),
      server: Link.server(server, partsOf(provider, "server", seed), 0),
    }, options);
  }

  /** Both ends with handshake and login behind them. */
  static async open(options: PairOptions = {}): Promise<LinkPair> {
    const pair = await LinkPair.start(options);
    await pair.until(() => pair.ends.client.open && pair.ends.server.open);
    return pair;
  }

  /** Both ends with the handshake behind them, and the login before them. */
  static async established(options: PairOptions = {}): Promise<LinkPair> {
    const pair = await LinkPair.start({ ...options, logsIn: false });
    await pair.until(() => pair.events.client.length > 0 && pair.events.server.length > 0);
    return pair;
  }

  /** Settles once `condition` holds; it is looked at whenever something has happened. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await this.#changed.promise;
  }

  /** Keeps what `side` writes from being written: as a socket whose buffers are full. */
  hold(side: Side): void {
    this.#gates[side] ??= Promise.withResolvers<void>();
  }

  /** Lets `side` write on. */
  release(side: Side): void {
    this.#gates[side]?.resolve();
    this.#gates[side] = undefined;
  }

  /** Queues a text as a message of `side`. */
  send(side: Side, text: string): void {
    this.ends[side].send(utf8(text));
  }

  /** The texts that came to `side`. */
  heard(side: Side): readonly string[] {
    return this.events[side].flatMap((event) =>
      event.kind === "message" ? [utf8Text(event.message) ?? "?"] : []
    );
  }

  /** Turns the clock to `now` and has both ends look at it. */
  tick(now: number, sides: readonly Side[] = ["client", "server"]): void {
    this.now = now;
    for (const side of sides) this.ends[side].tick(now);
  }

  /** Cuts the connection and waits for both ends. */
  async cut(): Promise<void> {
    for (const side of ["client", "server"] as const) {
      this.ends[side].lost();
      this.release(side);
    }
    await this.bothEnded();
  }

  /** Settles when both have ended and nothing is on the wire. */
  async bothEnded(): Promise<Both<LinkEnd>> {
    const [client, server] = await Promise.all([this.ends.client.ended, this.ends.server.ended]);
    await this.#carried;
    return { client, server };
  }

  async #carryFrom(side: Side): Promise<void> {
    const other = this.ends[otherSide(side)];
    for (;;) {
      const bytes = await this.ends[side].nextWrite(() => this.now);
      if (bytes === undefined) return;
      await this.#gates[side]?.promise;
      const way = side === "client" ? "toServer" : "toClient";
      this.writes[side] += 1;
      this.frames.push(...framesOf(bytes).map((frame) => ({ step: "", way, bytes: frame } as const)));
      for (const chunk of this.#options.split?.(bytes) ?? [bytes]) {
        await this.take(otherSide(side), await other.receive(chunk, this.now));
      }
      this.#tell();
    }
  }

  /** Notes what `side` has handed on, and does what follows from it. */
  async take(side: Side, events: readonly LinkEvent[]): Promise<void> {
    if (this.#options.logsIn === false) this.events[side].push(...events);
    else this.events[side].push(...events.filter((event) => !isOfBench(event)));
    const closes = this.#options.answersCloses !== false && events.some(({ kind }) => kind === "closed");
    if (closes) this.ends[side].close("done", this.now);
    const last = events.at(-1);
    if (this.#options.logsIn === false || last === undefined) return;
    if (side === "client" && last.kind === "established") await this.#logIn();
    if (side === "server" && last.kind === "login") await this.#letIn();
  }

  async #logIn(): Promise<void> {
    await this.ends.client.sendLogin(LOGIN_SAID.DeviceLogin);
    await this.take("client", await this.ends.client.expectVerdict(this.now));
  }

  async #letIn(): Promise<void> {
    const events = await this.ends.server.admit(this.now);
    this.ends.server.send(WELCOME);
    await this.take("server", events);
  }

  #tell(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers<void>();
  }
}

function isOfBench(event: LinkEvent): boolean {
  return event.kind === "login" || event.kind === "message" && equal(event.message, WELCOME);
}
