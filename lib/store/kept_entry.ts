/**
 * An entry of a log from the octets in which it is kept (lib/wire/entry_octets.ts).
 *
 * @module
 */

import * as v from "valibot";
import type { Bytes } from "../wire/bytes.ts";
import { decodeCbor } from "../wire/cbor.ts";
import { type Logged, LoggedSchema } from "../wire/message.ts";

/** The entry of which `bytes` are the octets; `undefined` where they are none's. */
export function decodeEntry(bytes: Bytes): Logged | undefined {
  const parsed = v.safeParse(LoggedSchema, decodeCbor(bytes));
  return parsed.success ? parsed.output : undefined;
}
