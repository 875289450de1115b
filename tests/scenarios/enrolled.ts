/**
 * Accounts with a device that has its keys already, made behind the server's back: straight in its database and in a
 * client's folder. For whatever is not about registering, which takes a second of Argon2id each time.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { AccountStore } from "../../lib/chat/port.ts";
import { systemEntropy } from "../../lib/crypto/entropy.ts";
import { ED25519_KEY_BYTES, OPAQUE_BYTES } from "../../lib/crypto/port.ts";
import { type DeviceList, signDeviceList } from "../../lib/identity/device_list.ts";
import { parseEndpointText } from "../../lib/identity/endpoint.ts";
import { INVITATION_CODE_BYTES, invitationText } from "../../lib/identity/invitation.ts";
import { firstDeviceList } from "../../lib/identity/next_device_list.ts";
import { openAccountDatabase } from "../../lib/store/account_database.ts";
import { loadOrMakeHostKey } from "../../lib/store/host_key_file.ts";
import { type OwnKeys, OwnKeysFiles } from "../../lib/store/own_keys_file.ts";
import { type Handle, parseHandle } from "../../lib/text/handle.ts";
import type { Bytes } from "../../lib/wire/bytes.ts";
import type { Keys } from "../../lib/wire/message.ts";
import { provider } from "../crypto/test_provider.ts";

/** What every such device is called. */
export const DEVICE_NAME = "laptop";

/** The host key of the server in `dataDir`, 32 octets, which it makes where there is none yet. */
export async function hostKeyIn(dataDir: string): Promise<Bytes> {
  return (await provider.ed25519SigningKey(await loadOrMakeHostKey(dataDir, systemEntropy))).publicKey;
}

/**
 * Makes an account for each of `users` at the server in `dataDir`, running or not, and gives the keys of their devices, in
 * the same order. No password fits any of them.
 */
export async function enrolled(dataDir: string, users: readonly string[]): Promise<readonly OwnKeys[]> {
  const hostKey = await hostKeyIn(dataDir);
  return await onDisk(dataDir, async (accounts) => {
    const all: OwnKeys[] = [];
    for (const user of users) {
      const handle = handleOf(user);
      const passwordRecord = new Uint8Array(OPAQUE_BYTES.registrationRecord);
      const { kind } = await accounts.register({ handle, passwordRecord, now: Date.now() }, undefined);
      assert.equal(kind, "registered", `${user} is new`);
      await accounts.setPasswordRecord(handle, undefined);
      const own = await newKeys(hostKey, handle);
      await accounts.setKeys(handle, { keys: own.keys, expected: undefined, recovery: undefined });
      all.push(own);
    }
    return all;
  });
}

/** Makes `own` the keys of `user`'s client in `configDir`. */
export async function keepKeys(
  configDir: string,
  { dataDir, user, own }: { readonly dataDir: string; readonly user: string; readonly own: OwnKeys },
): Promise<void> {
  const hostKeySha256 = await provider.sha256(await hostKeyIn(dataDir));
  await new OwnKeysFiles({ configDir, hostKeySha256 }).save(handleOf(user), own);
}

/** Puts another identity in the place of an account's, as only whoever owns the server's disk can; gives its keys. */
export async function withAnotherIdentity(dataDir: string, user: string): Promise<OwnKeys> {
  const own = await newKeys(await hostKeyIn(dataDir), handleOf(user));
  await replaceKeys(dataDir, user, own.keys);
  return own;
}

/** The keys that an account has published. */
export async function publishedKeys(dataDir: string, user: string): Promise<Keys> {
  const account = await onDisk(dataDir, (accounts) => accounts.find(handleOf(user)));
  return account?.keys ?? assert.fail(`${user} has published keys`);
}

/** Puts `keys` in the place of those that an account has published, whatever the rules say. */
export async function replaceKeys(dataDir: string, user: string, keys: Keys): Promise<void> {
  const handle = handleOf(user);
  await onDisk(dataDir, async (accounts) => {
    const expected = (await accounts.find(handle))?.keys;
    assert.ok(await accounts.setKeys(handle, { keys, expected, recovery: undefined }));
  });
}

/** An invitation to a server that was good until a moment ago. */
export async function expiredInvitation(
  { dataDir, address }: { readonly dataDir: string; readonly address: string },
): Promise<string> {
  const endpoint = parseEndpointText(address) ?? assert.fail(`${address} is an address`);
  const code = systemEntropy(INVITATION_CODE_BYTES);
  const codeHash = await provider.sha256(code);
  await onDisk(
    dataDir,
    (accounts) =>
      accounts.addInvitation({ codeHash, expires: Date.now() - 1, usesLeft: 1, handle: undefined }),
  );
  return invitationText({ endpoint, hostKey: await hostKeyIn(dataDir), code, certificate: undefined });
}

/** A new identity with one device. */
export async function newKeys(hostKey: Bytes, handle: Handle): Promise<OwnKeys> {
  const [identitySeed, deviceSeed] = [systemEntropy(ED25519_KEY_BYTES), systemEntropy(ED25519_KEY_BYTES)];
  const { publicKey: key } = await provider.ed25519SigningKey(deviceSeed);
  const list: DeviceList = firstDeviceList(handle, { key, name: DEVICE_NAME, added: Date.now() });
  const keys = await signDeviceList(await provider.ed25519SigningKey(identitySeed), hostKey, list);
  return { published: true, deviceSeed, identitySeed, keys };
}

/** Text that is a handle, as one. */
export function handleOf(user: string): Handle {
  return parseHandle(user) ?? assert.fail(`${user} is a handle`);
}

async function onDisk<Result>(
  dataDir: string,
  work: (accounts: AccountStore) => Promise<Result>,
): Promise<Result> {
  const accounts = await openAccountDatabase(dataDir);
  try {
    return await work(accounts);
  } finally {
    accounts.close();
  }
}
