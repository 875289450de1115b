/**
 * A client of a simulated world: the real one on a simulated network and disk, as client.ts joins it.
 *
 * @module
 */

import type { Chat } from "../../lib/client/chat.ts";
import type { Dial } from "../../lib/client/connection.ts";
import { comeIn } from "../../lib/client/entrance.ts";
import type { LocalStore, PeersKeeper } from "../../lib/client/keepers.ts";
import { pump } from "../../lib/net/pump.ts";
import { Link } from "../../lib/secure/link.ts";
import { SUITES } from "../../lib/secure/suite.ts";
import { Failure } from "../../lib/text/failure.ts";
import { HOST_KEY, type SimulatedPerson } from "./people.ts";
import type { ProgramParts } from "./program_parts.ts";
import { SimulatedTicker } from "./simulated_ticker.ts";

/** Whose client it is, and what it keeps. */
export interface ClientParts extends ProgramParts {
  readonly person: SimulatedPerson;
  readonly local: LocalStore;
  readonly peers: PeersKeeper;
}

const NOBODY_TO_ASK = () => Promise.reject(new Error("a simulated client asks nobody"));
const NO_FILES = () => Promise.reject(new Failure("noInput", "Cannot open it: these worlds have no files."));

/** Starts one. Settles once it is in; rejects with a `Failure` where the server is not to be reached or does not let it in. */
export function startClient(parts: ClientParts): Promise<Chat> {
  const { person: { handle, keys }, peers, local, provider, entropy, clock, wallClock, scheduler, life } =
    parts;
  return comeIn({
    name: handle,
    hostKey: HOST_KEY.publicKey,
    server: "server:1",
    loopback: true,
    register: false,
    code: undefined,
    terminal: false,
    device: "laptop",
  }, {
    provider,
    entropy,
    clock,
    wallClock,
    peers,
    ownKeys: { load: () => Promise.resolve(keys), save: () => Promise.resolve() },
    localStores: { open: () => Promise.resolve(Object.assign(local, { close: () => {} })) },
    files: { openSource: NO_FILES, openSink: NO_FILES },
    timer: (wait_ms, act) => {
      let isCancelled = false;
      scheduler.after(life, wait_ms, () => {
        if (!isCancelled) act();
      });
      return () => {
        isCancelled = true;
      };
    },
    reconnectMs: undefined,
    person: {
      password: NOBODY_TO_ASK,
      passwordAgain: NOBODY_TO_ASK,
      newPassword: NOBODY_TO_ASK,
      confirm: NOBODY_TO_ASK,
      anotherName: NOBODY_TO_ASK,
      enrolmentWay: NOBODY_TO_ASK,
      recoveryCode: NOBODY_TO_ASK,
      showRecoveryCode: NOBODY_TO_ASK,
      showApprovalWords: NOBODY_TO_ASK,
      tell: NOBODY_TO_ASK,
    },
    hostKeyChanged: () => Promise.resolve(new Failure("protocol", "another host key")),
    recoveryCode: undefined,
    dial: dialOf(parts),
  });
}

function dialOf({ network, life, provider, entropy, clock, scheduler, person, onFault }: ClientParts): Dial {
  const ticker = new SimulatedTicker({ scheduler, life, clock });
  return async (carry) => {
    const socket = await network.dial(life, person.handle).catch(() => {
      throw new Failure("unavailable", "Cannot connect to server:1: nobody listens there.");
    });
    const pin = { kind: "key", publicKey: HOST_KEY.publicKey } as const;
    const parts = { provider, entropy, trace: () => {} };
    const carried = carry(await Link.client({ suites: SUITES, psk: undefined, pin }, parts, clock()));
    pump(socket, carried, { clock, ticker }).catch(onFault);
    return carried;
  };
}
