/**
 * Whom a load plays: accounts with their devices' keys, as a file that the bench writes and the load reads.
 *
 * @module
 */

import * as v from "valibot";
import { HandleSchema } from "../lib/text/handle.ts";
import type { Handle } from "../lib/text/handle.ts";
import type { Bytes } from "../lib/wire/bytes.ts";

const KeySchema = v.pipe(
  v.string(),
  v.base64(),
  v.transform((text): Bytes => Uint8Array.fromBase64(text)),
  v.length(32),
);

const CastSchema = v.object({
  host: v.string(),
  port: v.number(),
  hostKey: KeySchema,
  members: v.array(v.object({ handle: HandleSchema, deviceSeed: KeySchema, device: KeySchema })),
});

/** One account, and the key of its one device. */
export interface Member {
  /** Its name. */
  readonly handle: Handle;
  /** The seed of the device's key, 32 octets. */
  readonly deviceSeed: Bytes;
  /** The public half, 32 octets. */
  readonly device: Bytes;
}

/** A server and all who may come to it. */
export interface Cast {
  /** Where it listens. */
  readonly host: string;
  /** And on which port. */
  readonly port: number;
  /** Its host key, 32 octets. */
  readonly hostKey: Bytes;
  /** Who may come; loads name them by their place. */
  readonly members: readonly Member[];
}

/** A cast as the text of a file. */
export function encodeCast({ host, port, hostKey, members }: Cast): string {
  return JSON.stringify({
    host,
    port,
    hostKey: hostKey.toBase64(),
    members: members.map(({ handle, deviceSeed, device }) => ({
      handle,
      deviceSeed: deviceSeed.toBase64(),
      device: device.toBase64(),
    })),
  });
}

/** The cast of a file's text; throws where it is none. */
export function decodeCast(text: string): Cast {
  return v.parse(CastSchema, JSON.parse(text));
}
