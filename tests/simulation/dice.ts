/**
 * Chance that can be repeated: everything a simulated run leaves to it comes from one seed.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { Entropy } from "../../lib/crypto/port.ts";

/** A stream of choices. */
export class Dice {
  #a: number;
  #b: number;
  #c: number;
  #d = 1;

  /** The stream of that seed, a whole number; `name` gives another one for each name. */
  constructor(seed: number, name = "") {
    [this.#a, this.#b, this.#c] = [
      hash(`${seed} a ${name}`),
      hash(`${seed} b ${name}`),
      hash(`${seed} c ${name}`),
    ];
    for (let at = 0; at < 12; at++) this.#next();
  }

  /** A whole number from 0, below `limit`. */
  below(limit: number): number {
    return Math.floor(this.#next() / 2 ** 32 * limit);
  }

  /** A whole number from `least` to `most`, both included. */
  between(least: number, most: number): number {
    return least + this.below(most - least + 1);
  }

  /** Whether something happens that happens so often: 0 never, 1 always. */
  chance(probability: number): boolean {
    return this.#next() / 2 ** 32 < probability;
  }

  /** One of them. */
  pick<Each>(those: readonly Each[]): Each {
    const at = this.below(those.length);
    for (const picked of those.slice(at, at + 1)) return picked;
    assert.fail("there is something to pick from");
  }

  /** One of them, where there are any. */
  pickAny<Each>(those: readonly Each[]): Each | undefined {
    return those.length === 0 ? undefined : this.pick(those);
  }

  /** Octets. */
  readonly entropy: Entropy = (length) => {
    const bytes = new Uint8Array(length);
    for (let at = 0; at < length; at++) bytes[at] = this.#next() & 0xff;
    return bytes;
  };

  /** 32 bits of sfc32, Chris Doty-Humphrey's small fast generator. */
  #next(): number {
    const sum = this.#a + this.#b + this.#d | 0;
    this.#d = this.#d + 1 | 0;
    this.#a = this.#b ^ this.#b >>> 9;
    this.#b = this.#c + (this.#c << 3) | 0;
    this.#c = (this.#c << 21 | this.#c >>> 11) + sum | 0;
    return sum >>> 0;
  }
}

/** FNV-1a of 32 bits: tells seeds and names apart, no more. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) value = Math.imul(value ^ text.charCodeAt(at), 0x01000193);
  return value | 0;
}
