/**
 * Statements that are needed for every entry: compiling one takes several times as long as running it.
 *
 * @module
 */

import type { DatabaseSync, StatementSync } from "node:sqlite";

const PREPARED = new WeakMap<DatabaseSync, Map<string, StatementSync>>();

/** The statement of `sql` in that database, compiled when it is first asked for. `sql` is one of a few, never made of values. */
export function prepared(database: DatabaseSync, sql: string): StatementSync {
  const statements = PREPARED.get(database) ?? new Map<string, StatementSync>();
  PREPARED.set(database, statements);
  const found = statements.get(sql) ?? database.prepare(sql);
  statements.set(sql, found);
  return found;
}
