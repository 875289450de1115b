/**
 * What a program answered to a command line, as values.
 *
 * @module
 */

import type { Environment } from "../../lib/config/folders.ts";

/** What came of a command line. */
export interface Answer<Config> {
  /** The exit code. */
  readonly code: number;
  /** Standard output. */
  readonly stdout: string;
  /** Standard error. */
  readonly stderr: string;
  /** What the program was told to do, each time. */
  readonly configs: readonly Config[];
}

/** A writer that keeps what it gets. */
export class Page {
  #text = "";

  /** Keeps `text`. */
  write(text: string): void {
    this.#text += text;
  }

  /** All that was written. */
  get text(): string {
    return this.#text;
  }
}

/** An environment with a home and `names`. */
export function environmentOf(names: Readonly<Record<string, string>>): Environment {
  return (name) => name === "HOME" ? "/home/ann" : names[name];
}
