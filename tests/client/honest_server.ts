/**
 * An honest server in memory for one client: rooms by the real rules, pages and live entries, cards before they are
 * needed. A test plays everybody else on it, and may have it refuse, hold back or lie.
 *
 * @module
 */

import assert from "node:assert/strict";
import { decide } from "../../lib/chat/decide.ts";
import { hostDraft, LOBBY_CREATION } from "../../lib/chat/host_entry.ts";
import type { Departed, Facts } from "../../lib/chat/proposal.ts";
import type { RoomState } from "../../lib/chat/room.ts";
import { isOperator, otherOf, standingOf } from "../../lib/chat/room_state.ts";
import type { SigningKey } from "../../lib/crypto/port.ts";
import { namedIn } from "../../lib/delivery/named.ts";
import { pageMessages, pageRange } from "../../lib/delivery/page.ts";
import { concerned } from "../../lib/delivery/room_views.ts";
import type { DeviceList } from "../../lib/identity/device_list.ts";
import { entryId } from "../../lib/identity/entry_id.ts";
import {
  contentDigest,
  draftClaim,
  NOWHERE,
  placeOf,
  signEntry,
  verifyEntry,
} from "../../lib/identity/log_entry.ts";
import { lobbyId } from "../../lib/identity/room_id.ts";
import type { Handle } from "../../lib/text/handle.ts";
import { type Bytes, equal } from "../../lib/wire/bytes.ts";
import { decodeBody, encodeBody, type EntryBody } from "../../lib/wire/entry_body.ts";
import type {
  ClientMessage,
  Draft,
  FaultCode,
  Logged,
  Place,
  Read,
  RoomMessage,
  Send,
  ServerMessage,
} from "../../lib/wire/message.ts";
import { repeatable } from "../secure/recorded_session.ts";
import { seededEntropy } from "../secure/seeded_entropy.ts";
import { HOST_KEY, type Person, THEN } from "../session/people.ts";
import { accountOf, cardOf } from "./memory_keepers.ts";

/** The lobby's id. */
export const LOBBY_ID: Bytes = lobbyId(repeatable, HOST_KEY.publicKey);

/** A room and its log. */
interface Hosted {
  state: RoomState;
  /** The first at index 0. */
  readonly log: Logged[];
}

/** What of an entry is not as usual. */
export interface Unusual {
  /** The number of the entry that it is about. */
  readonly about?: number;
  /** What it has seen: the head, unless said otherwise. */
  readonly seen?: Place;
  /** Its id. */
  readonly id?: Bytes;
  /** What signs it: the first device, unless said otherwise. */
  readonly device?: SigningKey;
}

/** A refusal in place of what an honest server does. */
export interface Refusal {
  readonly code: FaultCode;
  readonly wait?: number;
}

/** A connection of the client, as far as the server remembers it. */
export class Visit {
  /** Rooms that it is told of, in hex. */
  readonly follows = new Set<string>();
  /** Whose cards it has. */
  readonly shown = new Map<Handle, DeviceList>();
  /** Tells it something, at once. */
  readonly tell: (...messages: readonly ServerMessage[]) => void;
  /** Whether it has entered. */
  isIn = false;

  /** One that has just begun. */
  constructor(tell: (...messages: readonly ServerMessage[]) => void) {
    this.tell = tell;
  }
}

/** The server of one client, through all its connections. */
export class HonestServer {
  /** Whose client it serves. */
  readonly client: Person;
  /** What the clock says, in milliseconds since 1970. */
  now = THEN;
  /** All that clients have sent to be said, in order of coming. */
  readonly sent: Send[] = [];
  /** Whose direct messages the client's person takes none of. */
  readonly blocks = new Set<Handle>();
  /** Whose direct messages others take none of, as `WHOM by BY`. */
  readonly blocked = new Set<string>();
  /** The marks that the client has sent, by room in hex. */
  readonly marks = new Map<string, { readonly delivered: number; readonly read: number }>();
  /** Refuses what an honest server would take; looked at before anything else. */
  refuse: (send: Send) => Refusal | undefined = () => undefined;
  /** Is waited for before a page is read. */
  beforeRead: () => Promise<void> = () => Promise.resolve();
  /** Whether the answer to something said is kept back, as by a cut: it is stored all the same. */
  swallows: (send: Send) => boolean = () => false;

  readonly #people = new Map<Handle, Person>();
  readonly #rooms = new Map<string, Hosted>();
  readonly #entropy = seededEntropy("an honest server");
  readonly #visits = new Set<Visit>();

  private constructor(client: Person) {
    this.client = client;
    this.#people.set(client.name, client);
  }

  /** One with a lobby, in which `client` and `others` are. */
  static async of(client: Person, others: readonly Person[] = []): Promise<HonestServer> {
    const server = new HonestServer(client);
    await server.host(LOBBY_ID, LOBBY_CREATION);
    for (const person of [...others, client]) await server.welcome(person);
    return server;
  }

  /** All rooms, in the order in which they were made. */
  get rooms(): readonly RoomState[] {
    return Array.from(this.#rooms.values(), ({ state }) => state);
  }

  /** Makes an account, and puts it into the lobby. */
  async welcome(person: Person): Promise<void> {
    this.#people.set(person.name, person);
    await this.host(LOBBY_ID, {
      kind: "membership",
      body: { change: "join", handle: person.name, role: "member" },
    });
  }

  /** The room of that id. */
  room(id: Bytes): RoomState {
    return this.#hosted(id).state;
  }

  /** The room of that name, or the direct conversation with `@handle`. */
  named(label: string): RoomState {
    const found = this.rooms.find((room) =>
      room.form.kind === "open"
        ? room.form.name === label
        : `@${otherOf(room, this.client.name) ?? ""}` === label
    );
    return found ?? assert.fail(`there is a room ${label}`);
  }

  /** Its entries, the first at index 0. */
  log(id: Bytes = LOBBY_ID): readonly Logged[] {
    return this.#hosted(id).log;
  }

  /** What was said in it by texts and replies, in order. */
  texts(id: Bytes = LOBBY_ID): readonly string[] {
    return this.log(id).flatMap(({ kind, content }) => {
      const what = content === undefined ? undefined : decodeBody(kind, content.body);
      return what?.kind === "text" || what?.kind === "reply" ? [what.body.text] : [];
    });
  }

  /** The place of an entry. */
  place(id: Bytes, sequence: number): Place {
    const entry = this.#hosted(id).log[sequence - 1];
    return entry === undefined ? NOWHERE : placeOf(repeatable, id, entry);
  }

  /** Somebody says or does something. */
  async say(
    person: Person,
    what: EntryBody,
    unusual: Unusual & { readonly room?: Bytes } = {},
  ): Promise<Logged> {
    const room = unusual.room ?? LOBBY_ID;
    const device = unusual.device ?? person.device;
    const draft = await this.draft({ room, from: person.name, device }, what, unusual);
    return await this.#placed({ room, from: person.name, device: device.publicKey, draft, what });
  }

  /** Somebody says a text in the lobby. */
  text(person: Person, text: string): Promise<Logged> {
    return this.say(person, { kind: "text", body: { text } });
  }

  /** The server itself does something. */
  async host(room: Bytes, what: EntryBody): Promise<Logged> {
    const parts = { provider: repeatable, entropy: this.#entropy, hostKey: HOST_KEY };
    const draft = await hostDraft(parts, { room, seen: this.#head(room), what, now: this.now });
    return await this.#placed({ room, from: undefined, device: HOST_KEY.publicKey, draft, what });
  }

  /** A signed draft of what somebody says. */
  async draft(
    { room, from, device }: { readonly room: Bytes; readonly from: Handle; readonly device: SigningKey },
    what: EntryBody,
    { about, seen, id }: Unusual = {},
  ): Promise<Draft> {
    const unsigned = {
      id: id ?? entryId(this.now, this.#entropy),
      kind: what.kind,
      seen: seen ?? this.#head(room),
      ...(about === undefined ? {} : { about: this.place(room, about) }),
      content: { salt: this.#entropy(32), body: encodeBody(what) },
      signature: new Uint8Array(0),
    };
    return {
      ...unsigned,
      signature: await signEntry(device, draftClaim(repeatable, { room, from }, unsigned)),
    };
  }

  /** Somebody publishes another list: whoever was shown the one before is shown this one. */
  async publish(person: Person, list: DeviceList): Promise<void> {
    person.list = list;
    for (const visit of this.#visits) {
      if (visit.shown.has(person.name)) visit.tell(...await this.cardsFor(visit, [person.name]));
    }
  }

  /** What somebody says, as an entry of the lobby that has no place yet. */
  async unplaced(
    person: Person,
    what: EntryBody,
    unusual: Unusual & { readonly room?: Bytes } = {},
  ): Promise<Omit<Logged, "sequence" | "previous">> {
    const { room = LOBBY_ID, device = person.device } = unusual;
    const draft = await this.draft({ room, from: person.name, device }, what, unusual);
    const { content } = draft;
    return {
      ...draft,
      time: this.now,
      from: person.name,
      device: device.publicKey,
      digest: contentDigest(repeatable, content),
    };
  }

  /** Puts something at the end of a room's log that no rule looked at, as a lying server does. */
  async force(room: Bytes, entry: Omit<Logged, "sequence" | "previous">): Promise<Logged> {
    const hosted = this.#hosted(room);
    const { sequence, hash: previous } = hosted.state.head;
    const logged = { ...entry, sequence: sequence + 1, previous };
    hosted.log.push(logged);
    hosted.state = { ...hosted.state, head: placeOf(repeatable, room, logged) };
    await this.#tellEntry(room, logged, undefined);
    return logged;
  }

  /** Puts another entry in the place of one, as a lying server does. */
  replace(room: Bytes, entry: Logged): void {
    this.#hosted(room).log[entry.sequence - 1] = entry;
  }

  /** Takes away the newest entries, as a server does that was put back to an older day. */
  cutBack(room: Bytes, to: number): void {
    const hosted = this.#hosted(room);
    hosted.log.splice(to);
    hosted.state = { ...hosted.state, head: this.place(room, to) };
  }

  /** A device of the client begins a connection. */
  visit(tell: Visit["tell"]): Visit {
    const visit = new Visit(tell);
    this.#visits.add(visit);
    return visit;
  }

  /** A connection is over. */
  leave(visit: Visit): void {
    this.#visits.delete(visit);
  }

  /** The answer to a message. */
  async answer(visit: Visit, message: ClientMessage): Promise<readonly ServerMessage[]> {
    switch (message.type) {
      case "enter":
        return await this.#enter(visit);
      case "publish":
      case "approve":
        return [{ ...await accountOf(this.client), keys: message.keys }];
      case "read":
        return await this.#read(visit, message);
      case "send":
        return await this.#take(visit, message);
      case "list":
        return [{ type: "directory", ask: message.ask, rooms: this.#directory(message.name), end: true }];
      case "askMembers": {
        const members = Array.from(
          this.room(message.room).members,
          ([handle, { role }]) => ({ handle, role }),
        );
        return [{ type: "members", room: message.room, ask: message.ask, members, end: true }];
      }
      case "askCards": {
        const known = message.handles.flatMap((handle) => this.#people.get(handle) ?? []);
        const cards = await Promise.all(known.map((person) => cardOf(person)));
        return [{ type: "cards", cards, ask: message.ask, end: true }];
      }
      case "mark":
        this.marks.set(message.room.toHex(), { delivered: message.delivered, read: message.read });
        return [];
      case "block":
        if (message.on) this.blocks.add(message.handle);
        else this.blocks.delete(message.handle);
        return [{ type: "blocks", handles: Array.from(this.blocks) }];
      default:
        return [];
    }
  }

  /** Cards of those whose newest one a connection does not have. */
  async cardsFor(visit: Visit, handles: readonly Handle[]): Promise<readonly ServerMessage[]> {
    const cards = [];
    for (const handle of new Set(handles)) {
      const person = this.#people.get(handle);
      if (person === undefined || visit.shown.get(handle) === person.list) continue;
      visit.shown.set(handle, person.list);
      cards.push(await cardOf(person));
    }
    return cards.length === 0 ? [] : [{ type: "cards", cards }];
  }

  /** A room as the client's person is told it; `undefined` where it is nothing to them. */
  message(room: RoomState): RoomMessage | undefined {
    const { name } = this.client;
    const standing = standingOf(room, name);
    if (standing === undefined) return undefined;
    const { form, settings, members, knocking, head } = room;
    const role = members.get(name)?.role;
    const marks = this.marks.get(room.id.toHex()) ?? { delivered: 0, read: 0 };
    const other = otherOf(room, name);
    return {
      type: "room",
      room: room.id,
      kind: form.kind,
      ...(form.kind === "open" ? { name: form.name } : {}),
      ...(other === undefined ? {} : { with: other }),
      standing,
      ...(role === undefined ? {} : { role }),
      settings,
      members: members.size,
      knocking: isOperator(role) ? Array.from(knocking) : [],
      head: standing === "member" ? head : NOWHERE,
      base: standing === "member" ? this.place(room.id, members.get(name)?.base ?? 0) : NOWHERE,
      ...marks,
    };
  }

  async #enter(visit: Visit): Promise<readonly ServerMessage[]> {
    visit.isIn = true;
    const { client } = this;
    const rooms = this.rooms.flatMap((room) => this.message(room) ?? []);
    const askers = rooms.flatMap((room) => room.with ?? []);
    return [
      await accountOf(client),
      ...(this.blocks.size === 0 ? [] : [{ type: "blocks", handles: Array.from(this.blocks) } as const]),
      ...await this.cardsFor(visit, askers),
      ...rooms,
      { type: "ready" },
      { type: "presence", people: [{ handle: client.name, state: "online" }], time: this.now },
    ];
  }

  async #read(
    visit: Visit,
    { room: id, ask, where, limit, follow }: Read,
  ): Promise<readonly ServerMessage[]> {
    await this.beforeRead();
    const { state, log } = this.#hosted(id);
    const member = state.members.get(this.client.name);
    if (member === undefined) return [{ type: "fault", code: "notMember", ask }];
    const since = where.from === "since" ? log.filter(({ time }) => time < where.time).length + 1 : 0;
    const range = pageRange({ where, limit }, { base: member.base, head: state.head.sequence, since });
    const entries = range.from > range.to ? [] : log.slice(range.from - 1, range.to);
    const live = follow && range.to >= state.head.sequence;
    const cards = await this.cardsFor(visit, entries.flatMap(namedIn));
    // What was said while the cards were made is not in the page: it is read on.
    const isWhole = this.room(id).head.sequence === state.head.sequence;
    if (live && isWhole) visit.follows.add(id.toHex());
    const end = { head: this.room(id).head, base: this.place(id, member.base), live: live && isWhole };
    return [...cards, ...pageMessages({ room: id, ask }, entries, end)];
  }

  async #take(visit: Visit, send: Send): Promise<readonly ServerMessage[]> {
    this.sent.push(send);
    const { room, entry: draft } = send;
    const refusal = this.refuse(send);
    if (refusal !== undefined) return [{ type: "fault", about: draft.id, ...refusal }];
    const earlier = this.#rooms.get(room.toHex())?.log.find(({ id }) => equal(id, draft.id));
    if (earlier !== undefined) return this.#acknowledged(send, earlier);
    const what = decodeBody(draft.kind, draft.content.body) ?? assert.fail("clients make sense");
    const { name, device } = this.client;
    await this.#check(send);
    const before = this.#rooms.get(room.toHex())?.state;
    const proposal = { room, from: name, device: device.publicKey, draft, what };
    const decision = decide(before, proposal, this.#facts(room, draft));
    if (decision.kind === "refused") {
      const { code, wait } = decision;
      return [{ type: "fault", code, about: draft.id, ...(wait === undefined ? {} : { wait }) }];
    }
    await this.#keep(decision.room, decision.entry, decision.changes, { gone: decision.gone, author: visit });
    return this.swallows(send) ? [] : [
      ...this.#acknowledged(send, decision.entry),
      ...this.#aftermath(before, decision.room, decision.gone),
    ];
  }

  #acknowledged({ room }: Send, { id, sequence, time, previous }: Logged): readonly ServerMessage[] {
    return [{ type: "ack", room, id, sequence, time, previous }];
  }

  /** Whoever is out hears that, and whom a change of the room concerns how it is now. */
  #aftermath(
    before: RoomState | undefined,
    room: RoomState,
    gone: readonly Departed[],
  ): readonly ServerMessage[] {
    const own = gone.find(({ handle }) => handle === this.client.name);
    if (own !== undefined) return [{ type: "gone", room: room.id, why: own.why }];
    const isRefused = room.form.kind === "direct" && room.form.denied && room.form.asked === this.client.name;
    if (isRefused) return [{ type: "gone", room: room.id, why: "denied" }];
    const message = concerned(before, room).has(this.client.name) ? this.message(room) : undefined;
    return message === undefined ? [] : [message];
  }

  /** What a client sends is signed by its device, over what it says that it saw. */
  async #check({ room, entry: draft }: Send): Promise<void> {
    const { name, device } = this.client;
    const key = await repeatable.ed25519VerifyingKey(device.publicKey) ?? assert.fail("devices have keys");
    const claim = draftClaim(repeatable, { room, from: name }, draft);
    assert.equal(await verifyEntry(key, claim, draft.signature), true, "the client's device has signed it");
    assert.deepEqual(
      draft.seen,
      this.#rooms.has(room.toHex()) ? this.place(room, draft.seen.sequence) : NOWHERE,
    );
  }

  async #placed(proposal: {
    readonly room: Bytes;
    readonly from: Handle | undefined;
    readonly device: Bytes;
    readonly draft: Draft;
    readonly what: EntryBody;
  }): Promise<Logged> {
    const { room, draft } = proposal;
    const decision = decide(this.#rooms.get(room.toHex())?.state, proposal, this.#facts(room, draft));
    if (decision.kind === "refused") assert.fail(`it is allowed: ${decision.code}`);
    await this.#keep(decision.room, decision.entry, decision.changes, {
      gone: decision.gone,
      author: undefined,
    });
    return decision.entry;
  }

  async #keep(
    state: RoomState,
    entry: Logged,
    changes: readonly { readonly kind: string }[],
    { gone, author }: { readonly gone: readonly Departed[]; readonly author: Visit | undefined },
  ): Promise<void> {
    const key = state.id.toHex();
    const before = this.#rooms.get(key)?.state;
    const hosted = this.#rooms.get(key) ?? { state, log: [] };
    this.#rooms.set(key, hosted);
    hosted.state = state;
    hosted.log.push(entry);
    if (changes.some(({ kind }) => kind === "erase") && entry.about !== undefined) {
      this.#erase(hosted, entry.about.sequence, entry.sequence);
    }
    await this.#tellEntry(state.id, entry, author);
    if (author !== undefined) return;
    for (const visit of this.#visits) {
      if (!visit.isIn) continue;
      const told = this.#aftermath(before, state, gone);
      const askers = told.flatMap((message) => message.type === "room" ? message.with ?? [] : []);
      visit.tell(...await this.cardsFor(visit, askers), ...told);
    }
  }

  #erase({ log }: Hosted, sequence: number, by: number): void {
    for (const [at, entry] of log.entries()) {
      const isMeant = entry.sequence === sequence ||
        entry.kind === "edit" && entry.about?.sequence === sequence;
      if (!isMeant) continue;
      const { content: _, ...rest } = entry;
      log[at] = { ...rest, erasedBy: by };
    }
  }

  async #tellEntry(room: Bytes, entry: Logged, author: Visit | undefined): Promise<void> {
    for (const visit of this.#visits) {
      if (visit === author || !visit.follows.has(room.toHex())) continue;
      const cards = await this.cardsFor(visit, namedIn(entry));
      visit.tell(...cards, { type: "entry", room, entry });
    }
  }

  #facts(room: Bytes, { about }: Draft): Facts {
    const log = this.#rooms.get(room.toHex())?.log ?? [];
    return {
      now: this.now,
      provider: repeatable,
      hostKey: HOST_KEY.publicKey,
      target: about === undefined ? undefined : log[about.sequence - 1],
      edits: 0,
      file: undefined,
      lastSpoke: undefined,
      defaults: { retention: 0 },
      isAccount: (handle) => this.#people.has(handle),
      nameTaken: (name) => this.rooms.some(({ form }) => form.kind === "open" && form.name === name),
      roomsOf: () => 1,
      asksOf: () => 0,
      blocks: (whom, by) => this.blocked.has(`${whom} by ${by}`),
    };
  }

  #directory(name: string | undefined) {
    return this.rooms.flatMap(({ id, form, settings: { visibility, topic }, members }) => {
      if (form.kind === "direct" || name !== undefined && form.name !== name) return [];
      if (name === undefined && visibility === "private") return [];
      return [{ room: id, name: form.name, visibility, topic, members: members.size }];
    });
  }

  #head(room: Bytes): Place {
    return this.#rooms.get(room.toHex())?.state.head ?? NOWHERE;
  }

  #hosted(id: Bytes): Hosted {
    return this.#rooms.get(id.toHex()) ?? assert.fail("there is such a room");
  }
}
