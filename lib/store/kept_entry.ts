/**
 * An entry of a log as octets, for keeping: the map of PROTOCOL §6 in CBOR, without what is absent.
 *
 * @module
 */

import * as v from "valibot";
import type { Bytes } from "../wire/bytes.ts";
import { decodeCbor, encodeCbor } from "../wire/cbor.ts";
import { type Logged, LoggedSchema } from "../wire/message.ts";

/** The octets of an entry. */
export function encodeEntry(entry: Logged): Bytes {
  return encodeCbor(Object.fromEntries(Object.entries(entry).filter(([, value]) => value !== undefined)));
}

/** The entry of which `bytes` are the octets; `undefined` where they are none's. */
export function decodeEntry(bytes: Bytes): Logged | undefined {
  const parsed = v.safeParse(LoggedSchema, decodeCbor(bytes));
  return parsed.success ? parsed.output : undefined;
}
