/**
 * A server that says whatever a test wants: its end of a real link, with a login that lets in whom the test lets in. And
 * the wire between the two.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { Connection } from "../../lib/client/connection.ts";
import type { Provider } from "../../lib/crypto/port.ts";
import type { RefusalCode } from "../../lib/login/message.ts";
import { type Attempt, type DeskStep, type LoginBook, LoginDesk } from "../../lib/login/server_login.ts";
import { Link, type LinkEnd, type LinkEvent } from "../../lib/secure/link.ts";
import type { Handle } from "../../lib/text/handle.ts";
import type { Bytes } from "../../lib/wire/bytes.ts";
import {
  type ClientMessage,
  decodeClientMessage,
  encodeMessage,
  type ServerMessage,
} from "../../lib/wire/message.ts";
import { optionsOf } from "../secure/pair.ts";
import { KINDS, partsOf, repeatable } from "../secure/recorded_session.ts";
import { withQuickOpaque } from "../session/quick_opaque.ts";

/** Computes for both ends of these tests, with an OPAQUE that stretches nothing. */
export const quick: Provider = withQuickOpaque(repeatable);

/** The OPAQUE setup of all fake servers, so that an account of one is an account of the next. */
export const SETUP: Bytes = await (await quick.opaque()).newSetup();

const KIND = KINDS[0] ?? assert.fail("there are kinds");

/** Accounts by their password records; devices are all let in unless a test says otherwise. */
export class FakeBook implements LoginBook {
  /** The password records. */
  readonly records = new Map<Handle, Bytes>();
  /** What is said to whoever wants to register. */
  refusal: RefusalCode | undefined;
  /** What is said to whoever has finished registering. */
  lateRefusal: RefusalCode | undefined;
  /** Whether devices are let in. */
  devices = true;
  /** Whether passwords may be tried. */
  tries = true;
  /** What was done, in order. */
  readonly log: string[] = [];

  /** See {@linkcode LoginBook}. */
  mayRegister(handle: Handle): Promise<RefusalCode | undefined> {
    this.log.push(`mayRegister ${handle}`);
    return Promise.resolve(this.refusal ?? (this.records.has(handle) ? "nameTaken" : undefined));
  }

  /** See {@linkcode LoginBook}. */
  register(handle: Handle, record: Bytes): Promise<RefusalCode | undefined> {
    this.log.push(`register ${handle}`);
    if (this.lateRefusal === undefined) this.records.set(handle, record);
    return Promise.resolve(this.lateRefusal);
  }

  /** See {@linkcode LoginBook}. */
  attempt(handle: Handle): Promise<Attempt> {
    this.log.push(`attempt ${handle}`);
    return Promise.resolve(
      this.tries ? { kind: "go" as const, record: this.records.get(handle) } : { kind: "refused" as const },
    );
  }

  /** See {@linkcode LoginBook}. */
  device(handle: Handle): Promise<boolean> {
    this.log.push(`device ${handle}`);
    return Promise.resolve(this.devices);
  }
}

/** What a server says to a message of its client. */
export type Script = (message: ClientMessage) => readonly ServerMessage[] | Promise<readonly ServerMessage[]>;

/** The clock of these tests, in milliseconds; turned by hand. */
export interface HandClock {
  /** The moment. */
  now: number;
}

/** One connection at such a server. */
export class FakeServer {
  /** What the client has said, in order. */
  readonly heard: ClientMessage[] = [];
  /** Its end of the wire. */
  readonly link: Link;

  readonly #book: FakeBook;
  readonly #script: Script;
  readonly #clock: HandClock;
  #desk: LoginDesk | undefined;
  #changed = Promise.withResolvers<void>();

  /** A server that has accepted a connection. */
  constructor(link: Link, { book, script, clock }: { book: FakeBook; script: Script; clock: HandClock }) {
    this.link = link;
    this.#book = book;
    this.#script = script;
    this.#clock = clock;
  }

  /** Says something. */
  tell(...messages: readonly ServerMessage[]): void {
    for (const message of messages) this.link.send(encodeMessage(message));
  }

  /** The `count`-th message of that type that the client says, once it has come. */
  async said<Type extends ClientMessage["type"]>(
    type: Type,
    count = 1,
  ): Promise<Extract<ClientMessage, { type: Type }>> {
    for (;;) {
      const said = this.heard.filter((message): message is Extract<ClientMessage, { type: Type }> =>
        message.type === type
      );
      const message = said[count - 1];
      if (message !== undefined) return message;
      await this.#changed.promise;
    }
  }

  /** Takes bytes. */
  async receive(bytes: Bytes, now: number): Promise<void> {
    await this.#takeAll(await this.link.receive(bytes, now));
  }

  /** The client will send nothing more. */
  receiveEnd(): void {
    this.link.receiveEnd();
  }

  /** The next bytes to be written. */
  nextWrite(now: () => number): Promise<Bytes | undefined> {
    return this.link.nextWrite(now);
  }

  async #takeAll(events: readonly LinkEvent[]): Promise<void> {
    for (const event of events) await this.#take(event);
  }

  async #take(event: LinkEvent): Promise<void> {
    switch (event.kind) {
      case "established":
        this.#desk = new LoginDesk(quick, { setup: SETUP, exporter: event.exporter, book: this.#book });
        break;
      case "login":
        await this.#do(
          await (this.#desk ?? assert.fail("a login follows a handshake")).take(event.message, 0),
        );
        break;
      case "message": {
        const message = decodeClientMessage(event.message) ?? assert.fail("clients make sense");
        this.heard.push(message);
        this.#changed.resolve();
        this.#changed = Promise.withResolvers<void>();
        this.tell(...await this.#script(message));
        break;
      }
      case "closed":
        this.link.close("done", this.#clock.now);
    }
  }

  async #do(step: DeskStep): Promise<void> {
    const { now } = this.#clock;
    switch (step.kind) {
      case "reply":
        await this.link.sendLogin(step.message);
        return await this.#takeAll(await this.link.continueLogin(now));
      case "continue":
        return await this.#takeAll(await this.link.continueLogin(now));
      case "mix":
        return await this.#takeAll(await this.link.mix(step.sessionKey, now));
      case "device":
        return await this.#takeAll(await this.link.admit(now));
      case "refuseAndClose":
        await this.link.sendLogin(step.message);
        return this.link.close("done", now);
      case "broken":
        return this.link.lost();
    }
  }
}

/** A connection of a client to a fake server. */
export interface Wired<Carried extends Connection> {
  /** The client's end. */
  readonly carried: Carried;
  /** The server's end. */
  readonly server: FakeServer;
  /** Settles when both have ended and nothing is on the wire. */
  readonly over: Promise<LinkEnd>;
}

/** Connects `carry` to a fake server that says what `script` says. */
export async function wire<Carried extends Connection>(
  carry: (link: Link) => Carried,
  { book, script, clock }: { book: FakeBook; script: Script; clock: HandClock },
): Promise<Wired<Carried>> {
  const options = await optionsOf(KIND);
  const clientLink = await Link.client(options.client, partsOf(repeatable, "client", "fake"), clock.now);
  const serverLink = Link.server(options.server, partsOf(repeatable, "server", "fake"), clock.now);
  const carried = carry(clientLink);
  const server = new FakeServer(serverLink, { book, script, clock });
  const flows = [
    flow(carried, { to: server, clock }),
    flow(server, { to: carried, clock }),
  ];
  const over = Promise.all([carried.ended, serverLink.ended, ...flows]).then(([end]) => end);
  return { carried, server, over };
}

async function flow(
  from: Pick<Connection, "nextWrite">,
  { to, clock }: { to: Pick<Connection, "receive" | "receiveEnd">; clock: HandClock },
): Promise<void> {
  const now = (): number => clock.now;
  for (let bytes = await from.nextWrite(now); bytes !== undefined; bytes = await from.nextWrite(now)) {
    await to.receive(bytes, clock.now);
  }
  to.receiveEnd();
}
