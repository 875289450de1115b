/**
 * One login by password, followed by a goodbye.
 *
 * @module
 */

import { PasswordConnection } from "../lib/client/password_connection.ts";
import { systemEntropy } from "../lib/crypto/entropy.ts";
import type { Provider } from "../lib/crypto/port.ts";
import { pump } from "../lib/net/pump.ts";
import { openTcp } from "../lib/net/tcp.ts";
import type { Ticker } from "../lib/net/ticker.ts";
import { Link } from "../lib/secure/link.ts";
import { SUITES } from "../lib/secure/suite.ts";
import type { Handle } from "../lib/text/handle.ts";
import type { Cast } from "./member.ts";
import { QUICK_PASSWORD, withQuickOpaque } from "./quick_opaque.ts";

/** Logs in as `handle` and leaves; rejects where that does not come out well. */
export async function passwordLogin(
  { host, port, hostKey }: Cast,
  handle: Handle,
  { provider, clock, ticker }: {
    readonly provider: Provider;
    readonly clock: () => number;
    readonly ticker: Ticker;
  },
): Promise<void> {
  const quick = withQuickOpaque(provider);
  const socket = await openTcp({ host, port });
  const link = await Link.client(
    { suites: SUITES, psk: undefined, pin: { kind: "key", publicKey: hostKey } },
    { provider: quick, entropy: systemEntropy, trace: () => {} },
    clock(),
  );
  const connection = new PasswordConnection(
    link,
    { handle, password: QUICK_PASSWORD, attempt: { kind: "login" } },
    { provider: quick, clock },
  );
  const pumping = pump(socket, connection, { clock, ticker });
  const outcome = await connection.outcome;
  if (outcome.kind !== "entered") throw new Error(`${handle} could not log in: ${JSON.stringify(outcome)}`);
  await connection.close();
  await pumping;
}
