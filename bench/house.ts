/**
 * A server's data folder as years of use would have left it: accounts with their devices' keys, and rooms with all their
 * members in them, written straight into the stores. No server runs there meanwhile.
 *
 * @module
 */

import type { RoomState } from "../lib/chat/room.ts";
import { createdRoom, type Creation } from "../lib/chat/room_state.ts";
import type { OwnKeys } from "../lib/client/keepers.ts";
import { systemEntropy } from "../lib/crypto/entropy.ts";
import { ED25519_KEY_BYTES, OPAQUE_BYTES, type Provider, type SigningKey } from "../lib/crypto/port.ts";
import { signDeviceList } from "../lib/identity/device_list.ts";
import { entryId } from "../lib/identity/entry_id.ts";
import { claimOf, contentDigest, NOWHERE, placeOf, signEntry } from "../lib/identity/log_entry.ts";
import { firstDeviceList } from "../lib/identity/next_device_list.ts";
import { directId, openId } from "../lib/identity/room_id.ts";
import { openAccountDatabase } from "../lib/store/account_database.ts";
import { loadOrMakeHostKey } from "../lib/store/host_key_file.ts";
import { openRoomStore } from "../lib/store/room_store.ts";
import { type Handle, parseHandle } from "../lib/text/handle.ts";
import type { Bytes } from "../lib/wire/bytes.ts";
import { encodeBody } from "../lib/wire/entry_body.ts";
import { type Logged, SALT_BYTES } from "../lib/wire/message.ts";
import type { Member } from "./member.ts";
import { QUICK_PASSWORD, withQuickOpaque } from "./quick_opaque.ts";

/** Rooms that one change of the store makes. */
const CHANGE_ROOMS = 200;

/** Who lives in a house. */
export interface Household {
  /** How many accounts. */
  readonly accounts: number;
  /** Whether each has a password; none fits otherwise, which is made a hundred times as fast. */
  readonly passwords?: boolean;
}

/** One account with all that its client would keep. */
export interface Resident extends Member {
  /** Its keys. */
  readonly own: OwnKeys;
}

/** A data folder. */
export class House {
  /** Where it is. */
  readonly dataDir: string;
  /** The server's host key, 32 octets. */
  readonly hostKey: Bytes;
  /** Its accounts. */
  readonly residents: readonly Resident[];
  /** Primitives. */
  readonly provider: Provider;

  private constructor(
    dataDir: string,
    { hostKey, residents, provider }: {
      readonly hostKey: Bytes;
      readonly residents: readonly Resident[];
      readonly provider: Provider;
    },
  ) {
    this.dataDir = dataDir;
    this.hostKey = hostKey;
    this.residents = residents;
    this.provider = provider;
  }

  /** Builds one in `dataDir`, which is not there yet. */
  static async build(
    dataDir: string,
    { accounts, passwords = false }: Household,
    provider: Provider,
  ): Promise<House> {
    const hostKey =
      (await provider.ed25519SigningKey(await loadOrMakeHostKey(dataDir, systemEntropy))).publicKey;
    const store = await openAccountDatabase(dataDir);
    try {
      const residents: Resident[] = [];
      const quick = withQuickOpaque(provider);
      const setup = await store.opaqueSetup(async () => await (await provider.opaque()).newSetup());
      for (let at = 0; at < accounts; at++) {
        const resident = await newResident(handleOf(`member-${at}`), hostKey, provider);
        const { handle, own: { keys } } = resident;
        const passwordRecord = passwords
          ? await recordOf(quick, setup, handle)
          : new Uint8Array(OPAQUE_BYTES.registrationRecord);
        await store.register({ handle, passwordRecord, now: Date.now() }, undefined);
        await store.setKeys(handle, { keys, expected: undefined, recovery: undefined });
        residents.push(resident);
      }
      return new House(dataDir, { hostKey, residents, provider });
    } finally {
      store.close();
    }
  }

  /** Makes open rooms of the residents from `from` to before `to` each; gives their ids, in hexadecimal. */
  async furnish(
    rooms: readonly { readonly from: number; readonly to: number }[],
  ): Promise<readonly string[]> {
    return await this.#put(rooms.map((room, at) => async () => {
      const residents = this.residents.slice(room.from, room.to);
      const creation = { act: "create", kind: "open", name: `#room-${at}`, visibility: "public" } as const;
      const made = await this.#begin(residents, creation);
      const member = { role: "member", mutedUntil: undefined, base: 0 } as const;
      const members = new Map(residents.map(({ handle }) => [handle, member]));
      return { ...made, room: { ...made.room, members } };
    }));
  }

  /** Makes direct conversations that both have taken up, of the first and second resident, third and fourth, and so on. */
  async pair(count: number): Promise<readonly string[]> {
    return await this.#put(Array.from({ length: count }, (_, at) => async () => {
      const pair = this.residents.slice(2 * at, 2 * at + 2);
      const [one, other] = pair;
      if (one === undefined || other === undefined) throw new Error(`there is no pair ${at}`);
      const made = await this.#begin(pair, { act: "create", kind: "direct", with: other.handle });
      const member = { role: "member", mutedUntil: undefined, base: 0 } as const;
      const form = {
        kind: "direct",
        people: [one.handle, other.handle],
        asked: undefined,
        denied: false,
      } as const;
      return {
        ...made,
        room: { ...made.room, form, members: new Map(pair.map(({ handle }) => [handle, member])) },
      };
    }));
  }

  async #put(makings: readonly (() => Promise<Made>)[]): Promise<readonly string[]> {
    const { provider } = this;
    const store = await openRoomStore({ dataDir: this.dataDir, keyFile: undefined }, {
      provider,
      entropy: systemEntropy,
    });
    try {
      const ids: string[] = [];
      for (let from = 0; from < makings.length; from += CHANGE_ROOMS) {
        const made = await Promise.all(makings.slice(from, from + CHANGE_ROOMS).map((make) => make()));
        await store.log.change(made.map(({ room, entry }) => ({ kind: "append", room, entry })));
        ids.push(...made.map(({ room }) => room.id.toHex()));
      }
      return ids;
    } finally {
      store.close();
    }
  }

  /** A room with its first entry, which the first of its people signs. */
  async #begin(people: readonly Resident[], creation: Creation): Promise<Made> {
    const { provider } = this;
    const [first] = people;
    if (first === undefined) throw new Error("a room without people is none");
    const now = Date.now();
    const id = entryId(now, systemEntropy);
    const room = creation.kind === "open"
      ? openId(provider, this.hostKey, id)
      : directId(provider, this.hostKey, [first.handle, creation.with]);
    const content = {
      salt: systemEntropy(SALT_BYTES),
      body: encodeBody({ kind: "room", body: creation }),
    };
    const unsigned: Logged = {
      sequence: 1,
      time: now,
      previous: NOWHERE.hash,
      id,
      kind: "room",
      from: first.handle,
      device: first.device,
      seen: NOWHERE,
      digest: contentDigest(provider, content),
      signature: new Uint8Array(0),
      content,
    };
    const key: SigningKey = await provider.ed25519SigningKey(first.deviceSeed);
    const entry = { ...unsigned, signature: await signEntry(key, claimOf(room, unsigned)) };
    const place = placeOf(provider, room, entry);
    return { entry, room: createdRoom(entry, creation, { id: room, place, retention: 0 }) };
  }
}

/** A room that is to be stored. */
interface Made {
  readonly room: RoomState;
  readonly entry: Logged;
}

function handleOf(text: string): Handle {
  const handle = parseHandle(text);
  if (handle === undefined) throw new Error(`${text} is a handle`);
  return handle;
}

async function newResident(handle: Handle, hostKey: Bytes, provider: Provider): Promise<Resident> {
  const [identitySeed, deviceSeed] = [systemEntropy(ED25519_KEY_BYTES), systemEntropy(ED25519_KEY_BYTES)];
  const { publicKey: device } = await provider.ed25519SigningKey(deviceSeed);
  const list = firstDeviceList(handle, { key: device, name: "laptop", added: Date.now() });
  const keys = await signDeviceList(await provider.ed25519SigningKey(identitySeed), hostKey, list);
  return { handle, deviceSeed, device, own: { published: true, deviceSeed, identitySeed, keys } };
}

async function recordOf(quick: Provider, setup: Bytes, handle: Handle): Promise<Bytes> {
  const opaque = await quick.opaque();
  const registration = await opaque.startRegistration(QUICK_PASSWORD, handle);
  const response = await opaque.registrationResponse(setup, handle, registration.request);
  const record = response && await registration.finish(response);
  if (record === undefined) throw new Error(`${handle} cannot be registered`);
  return record;
}
