/**
 * Where a client keeps what belongs to one account on one server.
 *
 * @module
 */

import type { Handle } from "../text/handle.ts";
import type { Bytes } from "../wire/bytes.ts";

/** Octets of a host key's SHA-256 in the folder's name: beyond what anyone can search for a second key. */
const NAME_BYTES = 16;

/** Which server's files. */
export interface ServerFolder {
  /** The client's folder. */
  readonly configDir: string;
  /** SHA-256 of the server's host key, 32 octets. */
  readonly hostKeySha256: Bytes;
}

/**
 * The folder of the account `handle`. The server counts by its key, not its address: one that moves is known again, and
 * another at the same address finds nothing.
 *
 * ```ts
 * import { equal } from "node:assert/strict";
 * import { parseHandle } from "../text/handle.ts";
 * import { accountFolder } from "./account_folder.ts";
 * const ann = parseHandle("ann");
 * const server = { configDir: "/c", hostKeySha256: new Uint8Array(32) };
 * equal(ann && accountFolder(server, ann), `/c/servers/${"00".repeat(16)}/ann`);
 * ```
 */
export function accountFolder({ configDir, hostKeySha256 }: ServerFolder, handle: Handle): string {
  return `${configDir}/servers/${hostKeySha256.slice(0, NAME_BYTES).toHex()}/${handle}`;
}
