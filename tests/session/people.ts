/**
 * People for tests of the server: an identity, devices and a signed list of them.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { SigningKey } from "../../lib/crypto/port.ts";
import { type DeviceList, signDeviceList } from "../../lib/identity/device_list.ts";
import { firstDeviceList, withDevice, withRevoked } from "../../lib/identity/next_device_list.ts";
import { type Handle, parseHandle } from "../../lib/text/handle.ts";
import type { Bytes } from "../../lib/wire/bytes.ts";
import type { Keys } from "../../lib/wire/message.ts";
import { HOST_KEY_SEED, repeatable } from "../secure/recorded_session.ts";
import { seededEntropy } from "../secure/seeded_entropy.ts";

/** The host key of all these tests. */
export const HOST_KEY: SigningKey = await repeatable.ed25519SigningKey(HOST_KEY_SEED);

/** A moment, in milliseconds since 1970. */
export const THEN = 1_700_000_000_000;

/** Text that is a handle, as one. */
export function handle(text: string): Handle {
  return parseHandle(text) ?? assert.fail(`${text} is a handle`);
}

/** An Ed25519 key of its own for each text. */
export function keyOf(text: string): Promise<SigningKey> {
  return repeatable.ed25519SigningKey(seededEntropy(text)(32));
}

/** One person, and what they keep. */
export class Person {
  /** The account. */
  readonly name: Handle;
  /** Certifies the devices. */
  readonly identity: SigningKey;
  /** The first device. */
  readonly device: SigningKey;
  /** The list as last signed. */
  list: DeviceList;

  private constructor(name: Handle, identity: SigningKey, device: SigningKey) {
    this.name = name;
    this.identity = identity;
    this.device = device;
    this.list = firstDeviceList(name, { key: device.publicKey, name: "laptop", added: THEN });
  }

  /** Somebody whose keys are those of their name, and of `life`: another life has another identity. */
  static async named(name: string, life = ""): Promise<Person> {
    return new Person(
      handle(name),
      await keyOf(`${name} identity ${life}`),
      await keyOf(`${name} laptop ${life}`),
    );
  }

  /** The list as it is, signed. */
  keys(list: DeviceList = this.list): Promise<Keys> {
    return signDeviceList(this.identity, HOST_KEY.publicKey, list);
  }

  /** The keys with one more device. */
  with(device: Bytes, name: string): DeviceList {
    return withDevice(this.list, { key: device, name, added: THEN }) ?? assert.fail("there is room");
  }

  /** The keys without one of the devices. */
  without(device: Bytes): DeviceList {
    return withRevoked(this.list, device, THEN + 1) ?? assert.fail("one is left");
  }
}
