/**
 * The secrets of rows that are to be erased for good, in a table of their own: each has its slot in a block that is
 * made once, at the end of the table, and afterwards only overwritten in place.
 *
 * `secure_delete` alone does not do: where SQLite moves rows from page to page, a copy may stay in what the page leaves
 * unused, and nobody overwrites that when the row is deleted. Of 10,000 rows deleted one or two were still in the file;
 * of rows overwritten by as many octets in a table from which nothing is deleted, none.
 *
 * @module
 */

import type { DatabaseSync } from "node:sqlite";
import * as v from "valibot";
import type { Entropy } from "../crypto/port.ts";
import type { Bytes } from "../wire/bytes.ts";
import { prepared } from "./prepared.ts";
import { REST_SECRET_BYTES } from "./row_seal.ts";

/** Slots of a block: with SQLite's own octets it fills one page of 4,096. */
const BLOCK_SLOTS = 126;

const BlockSchema = v.object({
  secrets: v.pipe(
    v.instance(Uint8Array),
    v.length(BLOCK_SLOTS * REST_SECRET_BYTES),
    v.transform((bytes): Bytes => new Uint8Array(bytes)),
  ),
});

/** The SQL of a table of slots. */
export function secretSlotsTable(name: string): string {
  return `CREATE TABLE ${name} (block INTEGER PRIMARY KEY, secrets BLOB NOT NULL) STRICT;`;
}

/** The slots of one table; rows are numbered from 1 on. All is to be called in a transaction. */
export class SecretSlots {
  readonly #table: string;
  readonly #entropy: Entropy;

  /** Of the table of that name, made by {@linkcode secretSlotsTable}. */
  constructor(table: string, entropy: Entropy) {
    this.#table = table;
    this.#entropy = entropy;
  }

  /** New secrets in the slots of `count` rows from number `first` on; those there are gone. */
  renew(database: DatabaseSync, first: number, count: number): readonly Bytes[] {
    const fresh: Bytes[] = [];
    while (fresh.length < count) {
      const { block, offset } = slotOf(first + fresh.length);
      const secrets = this.#secrets(database, block) ?? this.#newBlock(database, block);
      // Whatever number of them is in a block, that is read and written once.
      const end = Math.min(secrets.length, offset + (count - fresh.length) * REST_SECRET_BYTES);
      for (let at = offset; at < end; at += REST_SECRET_BYTES) {
        const secret = this.#entropy(REST_SECRET_BYTES);
        secrets.set(secret, at);
        fresh.push(secret);
      }
      this.#overwrite(database, block, secrets);
    }
    return fresh;
  }

  /**
   * Finds the secret in the slot of a row by its number: `undefined` where there is no such slot, zeros where it was
   * forgotten. Rows that come one after the other mostly have theirs in one block, which is read once.
   */
  reader(database: DatabaseSync): (number: number) => Bytes | undefined {
    let read: { readonly block: number; readonly secrets: Bytes | undefined } | undefined;
    return (number) => {
      const { block, offset } = slotOf(number);
      if (read?.block !== block) read = { block, secrets: this.#secrets(database, block) };
      return read.secrets?.slice(offset, offset + REST_SECRET_BYTES);
    };
  }

  /** Forgets the secrets of rows, which come in ascending order. */
  forget(database: DatabaseSync, numbers: readonly number[]): void {
    for (let at = 0; at < numbers.length;) {
      const { block } = slotOf(numbers[at] ?? 0);
      const secrets = this.#secrets(database, block);
      for (; at < numbers.length && slotOf(numbers[at] ?? 0).block === block; at++) {
        const { offset } = slotOf(numbers[at] ?? 0);
        secrets?.fill(0, offset, offset + REST_SECRET_BYTES);
      }
      if (secrets !== undefined) this.#overwrite(database, block, secrets);
    }
  }

  #secrets(database: DatabaseSync, block: number): Bytes | undefined {
    const row = prepared(database, `SELECT secrets FROM ${this.#table} WHERE block = ?`).get(block);
    const parsed = v.safeParse(BlockSchema, row);
    return parsed.success ? parsed.output.secrets : undefined;
  }

  #newBlock(database: DatabaseSync, block: number): Bytes {
    const secrets = new Uint8Array(BLOCK_SLOTS * REST_SECRET_BYTES);
    prepared(database, `INSERT INTO ${this.#table} (block, secrets) VALUES (?, ?)`).run(block, secrets);
    return secrets;
  }

  #overwrite(database: DatabaseSync, block: number, secrets: Bytes): void {
    prepared(database, `UPDATE ${this.#table} SET secrets = ? WHERE block = ?`).run(secrets, block);
  }
}

function slotOf(number: number): { readonly block: number; readonly offset: number } {
  const slot = number - 1;
  return { block: Math.floor(slot / BLOCK_SLOTS), offset: (slot % BLOCK_SLOTS) * REST_SECRET_BYTES };
}
