/**
 * A server of a simulated world: the real sessions, services and delivery on a simulated network and disk, as server.ts
 * joins them.
 *
 * @module
 */

import type { AccountStore } from "../../lib/chat/port.ts";
import type { LogStore } from "../../lib/chat/log_port.ts";
import { RoomExchange } from "../../lib/delivery/exchange.ts";
import { pump, type Socket } from "../../lib/net/pump.ts";
import { Link } from "../../lib/secure/link.ts";
import { SUITES } from "../../lib/secure/suite.ts";
import type { Exchange } from "../../lib/session/port.ts";
import { Reception } from "../../lib/session/reception.ts";
import { Service } from "../../lib/session/service.ts";
import { Session } from "../../lib/session/session.ts";
import { Turnstile } from "../../lib/session/turnstile.ts";
import { MemoryFiles } from "../session/memory_files.ts";
import { HOST_KEY } from "./people.ts";
import { SimulatedTicker } from "./simulated_ticker.ts";
import type { ProgramParts } from "./program_parts.ts";

/** What a server keeps, and what stands between it and its parts in a test that breaks something. */
export interface ServerParts extends ProgramParts {
  readonly logs: LogStore;
  readonly accounts: AccountStore;
  /** What sessions are given for the exchange. */
  readonly wrapped?: (exchange: Exchange) => Exchange;
}

/** One run of a server. */
export class ServerProcess {
  readonly #parts: ServerParts;
  readonly #exchange: RoomExchange;
  readonly #ticker: SimulatedTicker;
  readonly #sessions = new Set<Session>();
  readonly #reception: Reception;
  readonly #turnstile: Turnstile;
  readonly #service: Service;
  readonly #given: Exchange;
  #peers = 0;

  private constructor(parts: ServerParts, exchange: RoomExchange) {
    const { provider, entropy, accounts, scheduler, life, clock } = parts;
    this.#parts = parts;
    this.#exchange = exchange;
    this.#given = parts.wrapped?.(exchange) ?? exchange;
    this.#ticker = new SimulatedTicker({ scheduler, life, clock });
    this.#ticker.add(() => exchange.tick());
    this.#turnstile = new Turnstile((act) => scheduler.soon(life, act));
    this.#reception = new Reception({ store: accounts, registration: "open", provider, entropy });
    this.#service = new Service({
      store: accounts,
      exchange: this.#given,
      provider,
      hostKey: HOST_KEY.publicKey,
      setup: new Uint8Array(128),
    });
  }

  /** Starts one: it listens once it has read what it keeps. */
  static async start(parts: ServerParts): Promise<ServerProcess> {
    const { provider, entropy, wallClock, scheduler, life, logs, accounts } = parts;
    const exchange = await RoomExchange.open({
      provider,
      entropy,
      hostKey: HOST_KEY,
      wallClock,
      soon: (act) => scheduler.soon(life, act),
      logs,
      accounts,
      files: new MemoryFiles(),
      retention: 0,
      fanout: "shared",
      fileLimits: { quotaBytes: 0, days: 0 },
      note: (news) => {
        if (news.kind === "fault") parts.onFault(news.what);
      },
    });
    const server = new ServerProcess(parts, exchange);
    parts.network.listen(life, (socket, host) => server.#accept(socket, host));
    return server;
  }

  /** Ends it as a signal does: everybody is told, and what is under way is stored. */
  async stop(): Promise<void> {
    for (const session of this.#sessions) session.close("shuttingDown", this.#parts.clock());
    await Promise.all(Array.from(this.#sessions, ({ ended }) => ended));
    await this.#exchange.settled();
  }

  #accept(socket: Socket, host: string): void {
    const { clock, provider, entropy, wallClock } = this.#parts;
    const link = Link.server(
      { suites: SUITES, psk: undefined, hostKey: HOST_KEY },
      { provider, entropy, trace: () => {} },
      clock(),
    );
    this.#peers += 1;
    const session = new Session(this.#peers, link, {
      now: clock(),
      parts: {
        exchange: this.#given,
        service: this.#service,
        visit: this.#reception.visit(host, () => {}),
        turnstile: this.#turnstile,
        provider,
        setup: new Uint8Array(128),
        address: `${host}:1`,
        note: () => {},
        wallClock,
      },
    });
    this.#sessions.add(session);
    pump(socket, session, { clock, ticker: this.#ticker })
      .then(() => session.ended)
      .then(() => this.#sessions.delete(session), this.#parts.onFault);
  }
}
