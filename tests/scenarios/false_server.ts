/**
 * A server that lies: made of the real parts, with its own host key and accounts, but what it says it may change on the
 * way out. Honest clients cannot tell it from an honest one but by what it says.
 *
 * @module
 */

import { setImmediate } from "node:timers";
import { addressGroup } from "../../lib/chat/address_group.ts";
import { systemEntropy } from "../../lib/crypto/entropy.ts";
import type { SigningKey } from "../../lib/crypto/port.ts";
import { RoomExchange } from "../../lib/delivery/exchange.ts";
import { type Endpoint, endpointText } from "../../lib/identity/endpoint.ts";
import { fingerprint } from "../../lib/identity/host_key.ts";
import { pump } from "../../lib/net/pump.ts";
import { type Accepted, listen, type Listening } from "../../lib/net/tcp.ts";
import { Ticker } from "../../lib/net/ticker.ts";
import { Link } from "../../lib/secure/link.ts";
import { SUITES } from "../../lib/secure/suite.ts";
import { Reception } from "../../lib/session/reception.ts";
import { Service } from "../../lib/session/service.ts";
import { Session } from "../../lib/session/session.ts";
import { Turnstile } from "../../lib/session/turnstile.ts";
import { type AccountDatabase, openAccountDatabase } from "../../lib/store/account_database.ts";
import { loadOrMakeHostKey } from "../../lib/store/host_key_file.ts";
import { openRoomStore, type RoomStore } from "../../lib/store/room_store.ts";
import type { Bytes } from "../../lib/wire/bytes.ts";
import { decodeServerMessage, encodeMessage, type ServerMessage } from "../../lib/wire/message.ts";
import { provider } from "../crypto/test_provider.ts";
import type { Reachable, Stage } from "./stage.ts";

const PARTS = { provider, entropy: systemEntropy, trace: () => {} };

const clock = (): number => performance.now();
const wallClock = (): number => Date.now();

/** What is said in the place of a message; the message itself where the server is honest about it. */
export type Lie = (message: ServerMessage) => readonly ServerMessage[];

/** What a false server stands on. */
interface Premises {
  readonly dataDir: string;
  readonly store: AccountDatabase;
  readonly exchange: RoomExchange;
  readonly setup: Bytes;
  readonly at: Endpoint;
}

/** A server in this process. */
export class FalseServer implements Reachable {
  /** Host and port. */
  readonly address: string;
  /** Its host key, in base64. */
  readonly hostKey: string;
  /** Of its host key. */
  readonly fingerprint: string;
  /** Where its host key and accounts are. */
  readonly dataDir: string;

  readonly #signing: SigningKey;
  readonly #lie: Lie;
  readonly #exchange: RoomExchange;
  readonly #reception: Reception;
  readonly #turnstile = new Turnstile((act) => setImmediate(act));
  readonly #service: Service;
  readonly #setup: Bytes;
  readonly #ticker = new Ticker(clock);
  readonly #sessions = new Set<Session>();
  #peers = 0;

  private constructor(
    { dataDir, store, exchange, setup, at }: Premises,
    { signing, shown, lie }: { signing: SigningKey; shown: string; lie: Lie },
  ) {
    this.address = endpointText(at);
    this.hostKey = signing.publicKey.toBase64();
    this.fingerprint = shown;
    this.dataDir = dataDir;
    this.#signing = signing;
    this.#lie = lie;
    this.#setup = setup;
    this.#exchange = exchange;
    this.#reception = new Reception({ store, registration: "open", ...PARTS });
    const { publicKey } = signing;
    this.#service = new Service({ store, exchange, provider, hostKey: publicKey, setup });
  }

  /** One that listens on loopback and says `lie` of each message, until the stage is cleared. */
  static async on(stage: Stage, lie: Lie): Promise<FalseServer> {
    const dataDir = stage.path("false_server");
    const signing = await provider.ed25519SigningKey(await loadOrMakeHostKey(dataDir, systemEntropy));
    const store = await openAccountDatabase(dataDir);
    const rooms = await openRoomStore({ dataDir, keyFile: undefined }, PARTS);
    const exchange = await exchangeOf({ signing, store, rooms });
    const setup = await store.opaqueSetup(async () => await (await provider.opaque()).newSetup());
    const listening = listen({ host: "127.0.0.1", port: 0 });
    const shown = fingerprint(await provider.sha256(signing.publicKey));
    const server = new FalseServer({ dataDir, store, exchange, setup, at: listening.at }, {
      signing,
      shown,
      lie,
    });
    const receiving = server.#receive(listening);
    stage.atEnd(async () => {
      listening.close();
      for (const session of server.#sessions) session.close("shuttingDown", clock());
      await receiving;
      await exchange.settled();
      store.close();
      rooms.close();
    });
    return server;
  }

  async #receive({ connections }: Listening): Promise<void> {
    const conversations: Promise<void>[] = [];
    for await (const accepted of connections) conversations.push(this.#converse(accepted));
    await Promise.all(conversations);
  }

  async #converse({ socket, from }: Accepted): Promise<void> {
    const link = Link.server({ suites: SUITES, psk: undefined, hostKey: this.#signing }, PARTS, clock());
    const send = link.send.bind(link);
    link.send = (message) => this.#instead(message).forEach((lie) => send(lie));
    this.#peers += 1;
    const session = new Session(this.#peers, link, {
      now: clock(),
      parts: {
        exchange: this.#exchange,
        service: this.#service,
        visit: this.#reception.visit(addressGroup(from.host), () => {}),
        turnstile: this.#turnstile,
        provider,
        setup: this.#setup,
        address: endpointText(from),
        note: () => {},
        wallClock,
      },
    });
    this.#sessions.add(session);
    await pump(socket, session, { clock, ticker: this.#ticker });
    await session.ended;
    this.#sessions.delete(session);
  }

  #instead(bytes: Bytes): readonly Bytes[] {
    const message = decodeServerMessage(bytes);
    return message === undefined ? [bytes] : this.#lie(message).map(encodeMessage);
  }
}

function exchangeOf(
  { signing, store, rooms }: {
    readonly signing: SigningKey;
    readonly store: AccountDatabase;
    readonly rooms: RoomStore;
  },
): Promise<RoomExchange> {
  return RoomExchange.open({
    ...PARTS,
    hostKey: signing,
    wallClock,
    soon: (act) => setImmediate(act),
    logs: rooms.log,
    files: rooms.files,
    accounts: store,
    retention: 0,
    // What it says is altered on its way to each, which is not what all are told at once.
    fanout: "individual",
    fileLimits: { quotaBytes: 1_000_000_000, days: 30 },
    note: () => {},
  });
}
