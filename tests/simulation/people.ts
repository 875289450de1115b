/**
 * The people of simulated worlds, the same in all of them: their keys cost something to make.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { OwnKeys } from "../../lib/client/keepers.ts";
import type { SigningKey } from "../../lib/crypto/port.ts";
import { signDeviceList } from "../../lib/identity/device_list.ts";
import { firstDeviceList } from "../../lib/identity/next_device_list.ts";
import { type Handle, parseHandle } from "../../lib/text/handle.ts";
import { MemoryAccounts } from "../chat/memory_accounts.ts";
import { Dice } from "./dice.ts";
import { simulatedProvider } from "./simulated_provider.ts";

/** When these worlds begin, in milliseconds since 1970. */
export const BEGINNING = 1_700_000_000_000;

const provider = simulatedProvider();

/** The host key of their servers. */
export const HOST_KEY: SigningKey = await provider.ed25519SigningKey(new Dice(0, "host key").entropy(32));

/** Somebody with an account and one device. */
export interface SimulatedPerson {
  readonly handle: Handle;
  readonly keys: OwnKeys;
}

/** Everybody there may be; the first owns the server. */
export const PEOPLE: readonly SimulatedPerson[] = await Promise.all(
  ["ann", "ben", "cem", "dea", "eli"].map(async (name) => {
    const handle = parseHandle(name) ?? assert.fail(`${name} is a handle`);
    const { entropy } = new Dice(0, name);
    const [identitySeed, deviceSeed] = [entropy(32), entropy(32)];
    const { publicKey: key } = await provider.ed25519SigningKey(deviceSeed);
    const list = firstDeviceList(handle, { key, name: "laptop", added: BEGINNING });
    const identity = await provider.ed25519SigningKey(identitySeed);
    const keys = await signDeviceList(identity, HOST_KEY.publicKey, list);
    return { handle, keys: { published: true, deviceSeed, identitySeed, keys } };
  }),
);

/** Accounts of the first `count` people. */
export async function accountsOf(count: number): Promise<MemoryAccounts> {
  const accounts = new MemoryAccounts();
  for (const { handle, keys: { keys } } of PEOPLE.slice(0, count)) {
    await accounts.register({ handle, passwordRecord: new Uint8Array(192), now: BEGINNING }, undefined);
    await accounts.setKeys(handle, { keys, expected: undefined, recovery: undefined });
  }
  return accounts;
}
