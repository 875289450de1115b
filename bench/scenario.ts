/**
 * What a scenario of the bench is given, and the figures that it gives.
 *
 * @module
 */

import type { Provider } from "../lib/crypto/port.ts";
import type { ServerForm } from "./server_program.ts";

/** How much is measured: to find out, or to see that it runs. */
export type Scale = "full" | "quick";

/** Where scenarios play. */
export interface Stage {
  /** A folder for everything; removed at the end. */
  readonly folder: string;
  /** Primitives. */
  readonly provider: Provider;
  /** How much is measured. */
  readonly scale: Scale;
  /** What of the server is measured. */
  readonly form: ServerForm;
  /** Entries of the longer log, where one counts. */
  readonly entries: number;
  /** Sizes of rooms (of a soak: of its idle crowd and its room), and how often each is measured, where they are not those of the scale. */
  readonly sizes: readonly number[] | undefined;
  /** See {@linkcode Stage.sizes}. */
  readonly rounds: number | undefined;
  /** How long a soak takes, where it is not as long as the scale has it. */
  readonly minutes: number | undefined;
  /** Whether servers of others are measured beside it. */
  readonly peers: boolean;
  /** Tells whoever waits how far it is. */
  readonly note: (text: string) => void;
}

/** A bound that a figure is to keep (issue 6). */
export type Goal = { readonly atMost: number } | { readonly atLeast: number };

/** One figure. */
export interface Row {
  /** What was measured. */
  readonly what: string;
  /** How much it is. */
  readonly figure: number;
  /** Of what. */
  readonly unit: string;
  /** What it is to be. */
  readonly goal?: Goal;
  /** The same of others, in the same unit. */
  readonly peers?: readonly { readonly name: string; readonly figure: number }[];
  /** What one has to know besides. */
  readonly remark?: string;
}

/** A scenario: what came of it. */
export type Scenario = (stage: Stage) => Promise<readonly Row[]>;

/** Whether a figure keeps its bound. */
export function isMet(figure: number, goal: Goal): boolean {
  return "atMost" in goal ? figure <= goal.atMost : figure >= goal.atLeast;
}
