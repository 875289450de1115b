/**
 * What every program of a simulated world gets from it.
 *
 * @module
 */

import type { Entropy, Provider } from "../../lib/crypto/port.ts";
import type { Network } from "./network.ts";
import type { Life, Scheduler } from "./scheduler.ts";

/** One run of a program, and the world around it. */
export interface ProgramParts {
  readonly life: Life;
  readonly scheduler: Scheduler;
  readonly network: Network;
  readonly provider: Provider;
  readonly entropy: Entropy;
  /** Milliseconds that never go back. */
  readonly clock: () => number;
  /** Milliseconds since 1970; they may. */
  readonly wallClock: () => number;
  /** Is told what a program must never do: throw where nobody expects it. */
  readonly onFault: (fault: unknown) => void;
}
