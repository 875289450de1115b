/**
 * The bench for everything behind a server's sockets: sessions around one exchange, each with a client's link at
 * the other end of a fake wire.
 *
 * @module
 */

import assert from "node:assert/strict";
import { LobbyExchange } from "../../lib/delivery/exchange.ts";
import { Link, type LinkEnd, type LinkEvent } from "../../lib/secure/link.ts";
import { Session } from "../../lib/session/session.ts";
import { type Handle, parseHandle } from "../../lib/text/handle.ts";
import type { Bytes } from "../../lib/wire/bytes.ts";
import {
  type ClientMessage,
  decodeServerMessage,
  encodeMessage,
  LOBBY,
  type ServerMessage,
} from "../../lib/wire/message.ts";
import { optionsOf } from "../secure/pair.ts";
import { KINDS, partsOf, repeatable } from "../secure/recorded_session.ts";

/** What a client writes until the handshake is over at both ends: Hello, and Done. */
const HANDSHAKE_WRITES = 2;

/** Text that is a handle, as one. */
export function handle(text: string): Handle {
  return parseHandle(text) ?? assert.fail(`${text} is a handle`);
}

/** A client of the room: a link, and what came to it. */
export class Guest {
  /** Its end of the wire. */
  readonly link: Link;
  /** The server's end. */
  readonly session: Session;
  /** What it was told, decoded, in order. */
  readonly heard: ServerMessage[] = [];
  /** Settles when both ends have ended and nothing is on the wire. */
  readonly ended: Promise<{ readonly guest: LinkEnd; readonly session: LinkEnd }>;
  /** Keeps the server's writes back, as a guest that does not read. */
  deaf: Promise<void> = Promise.resolve();

  /** How many of its writes have arrived. */
  arrived = 0;

  readonly #room: Room;
  #sent = 0;

  /** A guest whose handshake begins at once. */
  constructor(link: Link, session: Session, room: Room) {
    this.link = link;
    this.session = session;
    this.#room = room;
    this.ended = this.#run();
  }

  /** Sends any message. */
  send(message: ClientMessage): void {
    this.link.send(encodeMessage(message));
  }

  /** Asks to be let in. */
  join(name: string): void {
    this.send({ type: "join", room: LOBBY, name: handle(name) });
  }

  /** Says something. */
  say(text: string): void {
    const id = new Uint8Array(16);
    new DataView(id.buffer).setUint32(0, this.#sent++);
    this.send({ type: "send", room: LOBBY, id, text });
  }

  /** The texts it was told. */
  get texts(): readonly string[] {
    return this.heard.flatMap((message) =>
      message.type === "entry" ? [`${message.from}: ${message.text}`] : []
    );
  }

  async #run(): Promise<{ guest: LinkEnd; session: LinkEnd }> {
    await Promise.all([
      this.#carry({ from: this.link, to: this.session }, async (bytes) => {
        await this.session.receive(bytes, this.#room.now);
        this.arrived += 1;
      }),
      this.#carry({ from: this.session, to: this.link }, async (bytes) => {
        await this.deaf;
        for (const event of await this.link.receive(bytes, this.#room.now)) this.#take(event);
      }),
    ]);
    return { guest: await this.link.ended, session: await this.session.ended };
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

  #take(event: LinkEvent): void {
    if (event.kind === "message") {
      this.heard.push(decodeServerMessage(event.message) ?? assert.fail("a server's message"));
    } else if (event.kind === "closed") this.link.close("done", this.#room.now);
  }
}

/** A room without sockets. */
export class Room {
  /** What everybody shares. */
  readonly exchange: LobbyExchange;
  /** The clock of links and sessions, and the wall clock, in milliseconds. */
  now = 0;
  #guests = 0;
  #changed = Promise.withResolvers<void>();

  /** An empty room. */
  constructor() {
    this.exchange = new LobbyExchange(() => this.now);
  }

  /** A guest whose handshake is over; not let in yet. */
  async enter(): Promise<Guest> {
    const id = this.#guests++;
    const kind = KINDS[0] ?? assert.fail("there are kinds");
    const options = await optionsOf(kind);
    const link = await Link.client(options.client, partsOf(repeatable, "client", `guest ${id}`), this.now);
    const server = Link.server(options.server, partsOf(repeatable, "server", `guest ${id}`), this.now);
    const session = new Session(id, server, { exchange: this.exchange, now: this.now });
    const guest = new Guest(link, session, this);
    await this.until(() => guest.arrived === HANDSHAKE_WRITES);
    return guest;
  }

  /** A guest that has been let in as `name`. */
  async welcome(name: string): Promise<Guest> {
    const guest = await this.enter();
    guest.join(name);
    assert.equal(await guest.session.admitted, name);
    await this.until(() => guest.heard.length > 0);
    return guest;
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
