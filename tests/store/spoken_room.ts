/**
 * A room in which tests speak: entries that chain as a server makes them, though nobody has signed them.
 *
 * @module
 */

import type { LogChange } from "../../lib/chat/log_port.ts";
import type { RoomState } from "../../lib/chat/room.ts";
import { systemEntropy } from "../../lib/crypto/entropy.ts";
import { contentDigest, NOWHERE, placeOf } from "../../lib/identity/log_entry.ts";
import { openRoomStore, type RoomStore } from "../../lib/store/room_store.ts";
import { type Handle, parseHandle } from "../../lib/text/handle.ts";
import type { Bytes } from "../../lib/wire/bytes.ts";
import { encodeBody, type EntryBody } from "../../lib/wire/entry_body.ts";
import type { Logged } from "../../lib/wire/message.ts";
import { provider } from "../crypto/test_provider.ts";

/** When the first entries of tests are made. */
export const NOW = 1_800_000_000_000;

/** A handle for tests. */
export function handle(name: string): Handle {
  const parsed = parseHandle(name);
  if (parsed === undefined) throw new Error(`${name} is no handle`);
  return parsed;
}

/** People of tests. */
export const [ANN, BEN] = [handle("ann"), handle("ben")];

/** Octets that are all the same. */
export function octets(length: number, value: number): Bytes {
  return new Uint8Array(length).fill(value);
}

/** The rooms in a folder. */
export function openRooms(folder: string): Promise<RoomStore> {
  return openRoomStore({ dataDir: folder, keyFile: undefined }, { provider, entropy: systemEntropy });
}

/** One room, whose entries are made one after the other. */
export class SpokenRoom {
  /** As it is after the last of them. */
  state: RoomState;
  /** All of them, the first first. */
  readonly entries: Logged[] = [];

  /** A room without entries; `mark` tells rooms apart. */
  constructor(mark: number, name = `#room${mark}`) {
    this.state = {
      id: octets(16, mark),
      form: { kind: "open", name },
      settings: { visibility: "public", topic: "", history: "all", retention: 0, slow: 0, lockdown: false },
      members: new Map([[ANN, { role: "owner", mutedUntil: undefined, base: 0 }]]),
      invited: new Map(),
      knocking: [],
      bans: new Map(),
      mutedAway: new Map(),
      pins: [],
      head: NOWHERE,
      headTime: 0,
      base: NOWHERE,
    };
  }

  /** The next entry: it says `what`, and is about the entry at `about`. */
  add(
    what: EntryBody,
    { about, time = this.state.headTime || NOW, from = ANN }: {
      readonly about?: number;
      readonly time?: number;
      readonly from?: Handle | undefined;
    } = {},
  ): LogChange {
    const content = { salt: systemEntropy(32), body: encodeBody(what) };
    const target = about === undefined ? undefined : this.entries[about - 1];
    const entry: Logged = {
      sequence: this.state.head.sequence + 1,
      time,
      previous: this.state.head.hash,
      id: systemEntropy(16),
      kind: what.kind,
      ...(from === undefined ? {} : { from }),
      device: octets(32, 1),
      seen: this.state.head,
      ...(target === undefined ? {} : { about: placeOf(provider, this.state.id, target) }),
      digest: contentDigest(provider, content),
      signature: systemEntropy(64),
      content,
    };
    this.entries.push(entry);
    this.state = { ...this.state, head: placeOf(provider, this.state.id, entry), headTime: time };
    return { kind: "append", room: this.state, entry };
  }

  /** Somebody says a text. */
  say(text: string, options: Parameters<SpokenRoom["add"]>[1] = {}): LogChange {
    return this.add({ kind: "text", body: { text } }, options);
  }

  /** The host deletes what is at `sequence`: the entry that says so, and the erasure. */
  remove(sequence: number): readonly LogChange[] {
    const append = this.add({ kind: "delete", body: {} }, { about: sequence });
    return [append, { kind: "erase", room: this.state.id, sequence, by: this.state.head.sequence }];
  }

  /** Entries up to and with `sequence` are dropped. */
  trim(sequence: number): LogChange {
    const last = this.entries[sequence - 1];
    if (last === undefined) throw new Error("no such entry");
    this.state = { ...this.state, base: placeOf(provider, this.state.id, last) };
    return { kind: "trim", room: this.state };
  }
}
