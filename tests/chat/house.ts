/**
 * Rooms with their logs, played through the rules without anything around them: whoever proposes gets a decision, and
 * what was decided is kept. Signatures are not looked at by the rules, so they are zeros here.
 *
 * @module
 */

import assert from "node:assert/strict";
import { decide } from "../../lib/chat/decide.ts";
import type { KeptFile } from "../../lib/chat/file_port.ts";
import { LOBBY_CREATION } from "../../lib/chat/host_entry.ts";
import type { Decision, Facts, Placed, Proposal } from "../../lib/chat/proposal.ts";
import type { RoomState } from "../../lib/chat/room.ts";
import { standingOf } from "../../lib/chat/room_state.ts";
import { NOWHERE, placeOf } from "../../lib/identity/log_entry.ts";
import { directId, lobbyId, openId } from "../../lib/identity/room_id.ts";
import type { Handle } from "../../lib/text/handle.ts";
import { skeleton } from "../../lib/text/skeleton.ts";
import { type Bytes, concat, equal, u64 } from "../../lib/wire/bytes.ts";
import { encodeBody, type EntryBody, type RoomRole, type Visibility } from "../../lib/wire/entry_body.ts";
import type { FaultCode, Logged, Place } from "../../lib/wire/message.ts";
import { provider } from "../crypto/test_provider.ts";
import { HOST_KEY } from "../identity/people.ts";

/** What of a proposal is not as usual. */
export interface Unusual {
  /** The sequence of the entry that it is about; a place where its hash is to be another. */
  readonly about?: number | Place;
  /** What it has seen: the head, unless said otherwise. */
  readonly seen?: Place;
  /** Its id: a new one, unless said otherwise. */
  readonly id?: Bytes;
}

/** A server's rooms. */
export class House {
  /** What the clock says, in milliseconds since 1970. */
  now = 1_750_000_000_000;
  /** Days that new rooms keep their entries. */
  retention = 0;
  /** Who has an account. */
  readonly accounts = new Set<Handle>();
  /** Who has blocked whom, as `WHOM by BY`. */
  readonly blocked = new Set<string>();
  /** Files that are kept, by their ids in hexadecimal. */
  readonly files = new Map<string, KeptFile>();
  /** How many rooms an account is in, besides those here. */
  readonly otherRooms = new Map<Handle, number>();
  /** How many invitations and requests an account has not answered, besides those here. */
  readonly otherAsks = new Map<Handle, number>();

  readonly #rooms = new Map<string, RoomState>();
  readonly #logs = new Map<string, Logged[]>();
  #ids = 0;

  /** With those accounts. */
  constructor(...accounts: readonly Handle[]) {
    for (const account of accounts) this.accounts.add(account);
  }

  /** The room of that id. */
  room(id: Bytes): RoomState {
    return this.#rooms.get(id.toHex()) ?? assert.fail("there is no such room");
  }

  /** All rooms. */
  get rooms(): readonly RoomState[] {
    return Array.from(this.#rooms.values());
  }

  /** The entries of that room, the first at index 0. */
  log(id: Bytes): readonly Logged[] {
    return this.#logs.get(id.toHex()) ?? [];
  }

  /** The entry of that sequence. */
  entry(id: Bytes, sequence: number): Logged {
    return this.log(id)[sequence - 1] ?? assert.fail(`there is no entry ${sequence}`);
  }

  /** Puts a room in place of what is there. */
  put(room: RoomState): void {
    this.#rooms.set(room.id.toHex(), room);
  }

  /** A new id of an entry or a file. */
  newId(): Bytes {
    this.#ids++;
    return concat(u64(this.now), u64(this.#ids));
  }

  /** What is decided of `what`, proposed by `from`, `undefined` being the host key; what has its place is kept. */
  propose(room: Bytes, from: Handle | undefined, what: EntryBody, unusual: Unusual = {}): Decision {
    const before = this.#rooms.get(room.toHex());
    const proposal = this.#proposal(room, from, what, {
      ...unusual,
      seen: unusual.seen ?? before?.head ?? NOWHERE,
    });
    const decision = decide(before, proposal, this.#facts(room, proposal));
    if (decision.kind === "placed") this.#keep(room, decision);
    return decision;
  }

  /** Does what is certain to be permitted; the sequence of its entry. */
  must(room: Bytes, from: Handle | undefined, what: EntryBody, unusual: Unusual = {}): number {
    const decision = this.propose(room, from, what, unusual);
    assert.equal(decision.kind, "placed", JSON.stringify([from, what, decision]));
    return this.room(room).head.sequence;
  }

  /** With which code it is refused; `undefined` where it has its place. */
  fault(
    room: Bytes,
    from: Handle | undefined,
    what: EntryBody,
    unusual: Unusual = {},
  ): FaultCode | undefined {
    const decision = this.propose(room, from, what, unusual);
    return decision.kind === "refused" ? decision.code : undefined;
  }

  /** Makes the lobby. */
  lobby(): Bytes {
    const room = lobbyId(provider, HOST_KEY);
    this.must(room, undefined, LOBBY_CREATION);
    return room;
  }

  /** Makes an open room. */
  open(name: string, from: Handle, visibility: Visibility = "public"): Bytes {
    const id = this.newId();
    const room = openId(provider, HOST_KEY, id);
    this.must(room, from, creation(name, visibility), { id });
    return room;
  }

  /** Begins a direct conversation. */
  direct(from: Handle, other: Handle): Bytes {
    const room = directId(provider, HOST_KEY, [from, other]);
    this.must(room, from, { kind: "room", body: { act: "create", kind: "direct", with: other } });
    return room;
  }

  /** Has somebody come into an open room, in that role. */
  bring(room: Bytes, handle: Handle, role: RoomRole = "member"): void {
    const owner = this.#ownerOf(room);
    if (this.room(room).settings.visibility === "private") {
      this.must(room, owner, { kind: "membership", body: { change: "invite", handle } });
    }
    this.must(room, handle, { kind: "membership", body: { change: "join" } });
    if (role === "muted") {
      this.must(room, owner, { kind: "moderation", body: { act: "mute", handle } });
    } else if (role !== "member") {
      this.must(room, owner, { kind: "moderation", body: { act: "role", handle, role } });
    }
  }

  /** The place of an entry, as whoever reads the log works it out. */
  place(room: Bytes, sequence: number): Place {
    return placeOf(provider, room, this.entry(room, sequence));
  }

  #ownerOf(room: Bytes): Handle {
    const owner = Array.from(this.room(room).members).find(([, { role }]) => role === "owner");
    return owner?.[0] ?? assert.fail("nobody owns the room");
  }

  #proposal(
    room: Bytes,
    from: Handle | undefined,
    what: EntryBody,
    { about, seen, id = this.newId() }: Unusual & { readonly seen: Place },
  ): Proposal {
    const content = { salt: new Uint8Array(32).fill(7), body: encodeBody(what) };
    const place = typeof about === "number" ? this.place(room, about) : about;
    const draft = {
      id,
      kind: what.kind,
      seen,
      ...(place === undefined ? {} : { about: place }),
      signature: new Uint8Array(64),
      content,
    };
    return { room, from, device: from === undefined ? HOST_KEY : new Uint8Array(32).fill(9), draft, what };
  }

  #facts(room: Bytes, { from, draft, what }: Proposal): Facts {
    const file = what.kind === "file" ? this.files.get(what.body.file.toHex()) : undefined;
    const base = this.#rooms.get(room.toHex())?.base.sequence ?? 0;
    const target = this.log(room).find(({ sequence }) => sequence === draft.about?.sequence);
    return {
      now: this.now,
      provider,
      hostKey: HOST_KEY,
      target: target !== undefined && target.sequence > base ? target : undefined,
      edits:
        this.log(room).filter(({ kind, about }) =>
          kind === "edit" && about?.sequence === draft.about?.sequence
        ).length,
      file,
      lastSpoke: this.log(room).findLast((entry) => entry.from === from && SPEECH.has(entry.kind))?.time,
      defaults: { retention: this.retention },
      isAccount: (handle) => this.accounts.has(handle),
      nameTaken: (name) =>
        this.rooms.some(({ form }) => form.kind === "open" && skeleton(form.name) === skeleton(name)),
      roomsOf: (handle) =>
        this.rooms.filter(({ members }) => members.has(handle)).length + (this.otherRooms.get(handle) ?? 0),
      asksOf: (handle) =>
        this.rooms.filter((room) => /invited|requested/.test(standingOf(room, handle) ?? "")).length +
        (this.otherAsks.get(handle) ?? 0),
      blocks: (whom, by) => this.blocked.has(`${whom} by ${by}`),
    };
  }

  #keep(room: Bytes, { room: after, entry, changes }: Placed): void {
    const name = room.toHex();
    const log = [...this.#logs.get(name) ?? [], entry];
    for (const change of changes) {
      if (change.kind !== "erase") continue;
      assert.ok(equal(change.room, room));
      for (const [at, each] of log.entries()) {
        if (
          each.sequence !== change.sequence &&
          !(each.kind === "edit" && each.about?.sequence === change.sequence)
        ) {
          continue;
        }
        const { content: _, ...rest } = each;
        log[at] = { ...rest, erasedBy: change.by };
      }
    }
    this.#logs.set(name, log);
    this.#rooms.set(name, after);
  }
}

const SPEECH: ReadonlySet<string> = new Set(["text", "reply", "file"]);

/** The first entry of an open room. */
export function creation(name: string, visibility: Visibility): EntryBody {
  return { kind: "room", body: { act: "create", kind: "open", name, visibility } };
}
