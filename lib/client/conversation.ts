/**
 * A device's conversation with a server, from its first byte to its goodbye: joins its link to its view of the lobby,
 * the people in it and its own account. A pump drives one side of it, a front end the other; it sees neither socket nor
 * terminal.
 *
 * What comes is dealt with in turns, as is what is asked: signing and verifying take a while, and each sees what the
 * one before has left.
 *
 * @module
 */

import type { VerifyingKey } from "../crypto/port.ts";
import { entryId } from "../identity/entry_id.ts";
import { lobbyId, signEntry } from "../identity/entry_signature.ts";
import { verifyNotice } from "../identity/notice_signature.ts";
import { deviceLogin } from "../login/client_login.ts";
import { decodeRefused, type LoginMessage } from "../login/message.ts";
import type { Link, LinkEnd, LinkEvent } from "../secure/link.ts";
import { Failure } from "../text/failure.ts";
import { type Handle, handleFault, parseHandle } from "../text/handle.ts";
import { type Bytes, equal, utf8 } from "../wire/bytes.ts";
import { LOGIN_MS_MAX, TEXT_BYTES_MAX } from "../wire/limits.ts";
import {
  type AccountMessage,
  type Card,
  type ClientMessage,
  decodeServerMessage,
  encodeMessage,
  type Fault,
  type Keys,
  LOBBY,
  type Notice,
  SALT_BYTES,
} from "../wire/message.ts";
import type { Connection } from "./connection.ts";
import { endFailure } from "./ending.ts";
import type { ClientEvent, ClientRequest, Talk } from "./event.ts";
import { EventQueue } from "./event_queue.ts";
import type { OwnKeys, PeersKeeper } from "./keepers.ts";
import type { ChangeRequest } from "./list_change.ts";
import { deviceRefused } from "./login_choice.ts";
import { damagedKeys, openAccount, type OwnAccount } from "./own_account.ts";
import { OwnDevices, type OwnDevicesParts } from "./own_devices.ts";
import { People } from "./people.ts";
import { Turns } from "./turns.ts";
import { joining, noteSent, type RoomMessage, take, unacknowledged, type View } from "./view.ts";

/** Messages that may wait for their acknowledgement: bounds what a cut can leave in doubt, and what a burst piles up. */
export const UNACKNOWLEDGED_MAX = 256;

/** How the attempt to be let in came out; {@linkcode Conversation.outcome} says why not. */
export type Admission = "admitted" | "deviceRefused" | "ended";

/** What a conversation takes from outside. The host key is the one to which the link is pinned. */
export interface ConversationParts extends OwnDevicesParts {
  /** Keeps what is known of others. */
  readonly peers: PeersKeeper;
  /** The sentence of a host key that is not the pinned one. */
  readonly hostKeyChanged: (hostKey: Bytes) => Promise<Failure>;
}

/** What is made ready before the connection, whose time is short. */
interface Ready extends ConversationParts {
  readonly account: OwnAccount;
  readonly people: People;
  readonly room: Bytes;
  readonly host: VerifyingKey;
}

/** One client's conversation. */
export class Conversation implements Talk, Connection {
  /** Who is speaking. */
  readonly name: Handle;
  /** Settles when it is known whether the server lets this client in. */
  readonly admission: Promise<Admission>;
  /** Settles when nothing more will be read or written. */
  readonly ended: Promise<LinkEnd>;
  /** Settles after the end: what the person has to be told of it, where that is no good end. */
  readonly outcome: Promise<Failure | undefined>;

  readonly #link: Link;
  readonly #parts: Ready;
  readonly #events = new EventQueue<ClientEvent>();
  readonly #turns = new Turns();
  readonly #own: OwnDevices;
  readonly #since: number;
  readonly #settleAdmission: (admission: Admission) => void;
  #view: View;
  /** Why this client ended the conversation by itself. */
  #stopped: Failure | undefined;
  /** What the server says counts no more. After a mere goodbye it does: acknowledgements are on their way. */
  #deaf = false;
  #quitting = false;
  #waitingForWindow: (() => void)[] = [];

  private constructor(link: Link, parts: Ready) {
    const { promise, resolve } = Promise.withResolvers<Admission>();
    this.name = parts.account.handle;
    this.admission = promise;
    this.#settleAdmission = resolve;
    this.#link = link;
    this.#parts = parts;
    this.#own = new OwnDevices(parts.account, parts);
    this.#since = parts.clock();
    this.#view = { kind: "entering", name: this.name };
    this.#events.push([{ type: "state", state: "connecting", detail: undefined }]);
    // What came before the end is dealt with first: an acknowledgement often arrives together with the close.
    this.ended = link.ended.then((end) => this.#turns.done().then(() => this.#conclude(end)));
    this.outcome = this.ended.then((end) => this.#stopped ?? this.#failureOf(end));
  }

  /**
   * Makes ready a conversation of `handle` by kept keys; what is given back begins it over a link. Throws a
   * {@linkcode Failure} where the keys, or what is kept of others, cannot be used.
   */
  static async prepare(
    handle: Handle,
    own: OwnKeys,
    parts: ConversationParts,
  ): Promise<(link: Link) => Conversation> {
    const { provider, hostKey, wallClock } = parts;
    const account = await openAccount(handle, own, parts);
    const host = await provider.ed25519VerifyingKey(hostKey);
    if (account === undefined || host === undefined) throw damagedKeys(handle);
    const room = await lobbyId(provider, hostKey);
    const people = new People(await parts.peers.load(handle), { provider, hostKey, room, wallClock });
    return (link) => new Conversation(link, { ...parts, account, people, room, host });
  }

  /** How many messages were sent and never acknowledged. */
  get unacknowledged(): number {
    return this.#view.kind === "inside" ? this.#view.unacknowledged.size : 0;
  }

  /** The next event for the front end. */
  nextEvent(): Promise<ClientEvent | undefined> {
    return this.#events.next();
  }

  /** Does what the front end asks. */
  async request(request: ClientRequest): Promise<string | undefined> {
    switch (request.type) {
      case "quit":
        return this.#quit();
      case "send":
        return await this.#say(request.room, request.text);
      case "devices":
        this.#events.push([this.#own.told]);
        return undefined;
      case "approve":
      case "revoke":
      case "nick":
        return await this.#changeList(request);
      case "whois":
      case "verify":
      case "accept":
        return await this.#turns.take(() => orSentence(() => this.#askAbout(request)));
    }
  }

  /** Takes bytes; settles when the front end is not too far behind. */
  async receive(bytes: Bytes, now: number): Promise<void> {
    await this.#turns.take(() => this.#process(bytes, now));
    await this.#events.room();
  }

  /** The server will send nothing more. */
  receiveEnd(): void {
    this.#link.receiveEnd();
  }

  /** The connection is gone. */
  lost(): void {
    this.#link.lost();
  }

  /** Looks at the deadlines. */
  tick(now: number): void {
    if (this.#events.full) this.#link.excuse(now);
    this.#link.tick(now);
    this.#own.tick(now);
    if (this.#view.kind !== "inside" && !this.#quitting && now - this.#since >= LOGIN_MS_MAX) {
      this.#stop(notLetIn(this.name, this.#parts.server, "it does not answer in time; try again"));
    }
  }

  /** The next bytes to be written. */
  nextWrite(now: () => number): Promise<Bytes | undefined> {
    return this.#link.nextWrite(now);
  }

  get #inside(): boolean {
    return this.#view.kind === "inside" && !this.#quitting;
  }

  async #say(room: string, text: string): Promise<string | undefined> {
    const refusal = refuseText(room, text);
    if (refusal !== undefined) return refusal;
    while (this.#windowIsFull && !this.#quitting) await this.#windowChange();
    return await this.#turns.take(() => this.#send(room, text));
  }

  async #send(room: string, text: string): Promise<string | undefined> {
    if (this.#view.kind !== "inside" || this.#quitting) return NOT_SENT;
    const { provider, entropy, wallClock } = this.#parts;
    const id = entryId(wallClock(), entropy);
    const salt = entropy(SALT_BYTES);
    const seen = this.#view.lastSequence ?? 0;
    const claim = { room: this.#parts.room, id, handle: this.name, seen, salt, text };
    const signature = await signEntry(provider, this.#own.account.device, claim);
    // The end may have come while the device signed: nothing is noted as sent that is not.
    if (!this.#inside) return NOT_SENT;
    this.#view = noteSent(this.#view, id.toHex(), { room, text });
    this.#tell({ type: "send", room, id, text, salt, seen, signature });
    return undefined;
  }

  get #windowIsFull(): boolean {
    return this.#view.kind === "inside" && this.#view.unacknowledged.size >= UNACKNOWLEDGED_MAX;
  }

  #windowChange(): Promise<void> {
    return new Promise((resolve) => this.#waitingForWindow.push(resolve));
  }

  #windowChanged(): void {
    for (const resolve of this.#waitingForWindow.splice(0)) resolve();
  }

  async #changeList(request: ChangeRequest): Promise<string | undefined> {
    const begun = await this.#turns.take(async () => {
      if (!this.#inside) return GONE;
      if (request.type === "nick" && this.#looksLikeAnother(request.display)) return LIKE_ANOTHER;
      const change = await this.#own.begin(request);
      if (change.kind === "refused") return change.sentence;
      this.#tell(change.message);
      return change;
    });
    if (typeof begun === "string") return begun;
    const answer = await begun.answer;
    if (typeof answer === "string") return answer;
    this.#events.push([answer]);
    return undefined;
  }

  #looksLikeAnother(display: string): boolean {
    return display.trim() !== "" && this.#parts.people.display(this.name, display.trim()) === undefined;
  }

  async #askAbout(
    { type, handle: text }: Extract<ClientRequest, { type: "whois" | "verify" | "accept" }>,
  ): Promise<string | undefined> {
    const handle = parseHandle(text);
    if (handle === undefined) return `${handleFault(text) ?? "Cannot use that name"}.`;
    const { people } = this.#parts;
    if (type === "whois") {
      const told = await people.tell(handle, this.#own.account);
      if ("kind" in told) return `Cannot tell about ${handle}: ${told.why}.`;
      this.#events.push([told]);
      return undefined;
    }
    const before = people.book;
    const refused = type === "verify" ? people.verify(handle) : people.accept(handle);
    if (refused !== undefined) return `Cannot ${type} ${handle}: ${refused.why}.`;
    await this.#keepPeople(before);
    const what = type === "verify"
      ? `${handle} is verified: the words were compared`
      : `The new identity of ${handle} is accepted; compare the words of /whois ${handle}`;
    this.#events.push([{ type: "done", what }]);
    return undefined;
  }

  #quit(): undefined {
    this.#quitting = true;
    this.#windowChanged();
    this.#own.end();
    this.#link.close("done", this.#parts.clock());
  }

  /** Ends for a reason of one's own. */
  #stop(failure: Failure): void {
    this.#stopped ??= failure;
    this.#deaf = true;
    this.#quit();
  }

  #break(): void {
    this.#deaf = true;
    this.#quitting = true;
    this.#windowChanged();
    this.#link.close("protocolFault", this.#parts.clock());
  }

  #tell(message: ClientMessage): void {
    this.#link.send(encodeMessage(message));
  }

  async #process(bytes: Bytes, now: number): Promise<void> {
    try {
      const waiting = [...await this.#link.receive(bytes, now)];
      for (let event = waiting.shift(); event !== undefined; event = waiting.shift()) {
        // Whoever has said goodbye already is not logged in to.
        if (event.kind === "established" && waiting.some(({ kind }) => kind === "closed")) continue;
        waiting.unshift(...await this.#take(event, now));
      }
    } catch (failure) {
      if (!(failure instanceof Failure)) throw failure;
      this.#stop(failure);
    }
  }

  /** Gives the events of what was let in meanwhile. */
  async #take(event: LinkEvent, now: number): Promise<readonly LinkEvent[]> {
    switch (event.kind) {
      case "established":
        return await this.#logIn(event, now);
      case "login":
        this.#takeVerdict(event.message);
        return [];
      case "message":
        if (!this.#deaf) await this.#takeMessage(event.message);
        return [];
      case "closed":
        this.#quit();
        return [];
    }
  }

  async #logIn(
    { exporter, hostKey }: LinkEvent & { kind: "established" },
    now: number,
  ): Promise<readonly LinkEvent[]> {
    // All that is signed here is for one server: a link that was not pinned to it is a fault of ours.
    if (!equal(hostKey, this.#parts.hostKey)) {
      throw new RangeError("Cannot log in: the link is to another server");
    }
    await this.#link.sendLogin(await deviceLogin(this.#own.account.device, exporter, this.name));
    const events = await this.#link.expectVerdict(now);
    this.#tell({ type: "enter" });
    return events;
  }

  #takeVerdict(message: LoginMessage): void {
    if (decodeRefused(message) === undefined) return this.#break();
    this.#settleAdmission("deviceRefused");
    this.#stop(deviceRefused(this.name, this.#parts.server));
  }

  async #takeMessage(bytes: Bytes): Promise<void> {
    const message = decodeServerMessage(bytes);
    if (message === undefined) return this.#break();
    switch (message.type) {
      case "account":
        return await this.#takeAccount(message);
      case "cards":
        return await this.#takeCards(message.cards);
      case "approval":
        if (this.#view.kind === "entering") return this.#break();
        return this.#events.push(await this.#own.takeApproval(message));
      case "fault":
        return this.#takeFault(message);
      case "notice":
        return await this.#isHosts(message) ? this.#show(message) : this.#break();
      case "entry":
        return this.#show({ ...message, mark: await this.#parts.people.judge(message, this.#own.account) });
      case "ack":
        this.#parts.people.noteOwn(message.id);
        return this.#show({ ...message, mark: this.#own.mark });
      case "presence":
        return this.#show(message);
      case "recovery":
      case "approved":
      case "passwordResponse":
        return this.#break();
    }
  }

  #show(message: RoomMessage): void {
    const viewed = take(this.#view, message);
    if (viewed.kind === "broken") return this.#break();
    this.#view = viewed.view;
    this.#events.push(viewed.events);
    this.#windowChanged();
    if (this.#view.kind === "inside") this.#settleAdmission("admitted");
  }

  #takeFault(fault: Fault): void {
    if (this.#view.kind === "joining") {
      const why = `the server answers ${fault.code}; check that both run the same version`;
      return this.#stop(notLetIn(this.name, this.#parts.server, why));
    }
    if (fault.about !== undefined || !this.#own.takeFault(fault.code)) this.#show(fault);
  }

  #isHosts({ id, source, name, text, signature }: Notice): Promise<boolean> {
    return verifyNotice(this.#parts.host, { room: this.#parts.room, id, source, name, text }, signature);
  }

  async #takeAccount({ handle, keys }: AccountMessage): Promise<void> {
    if (handle !== this.name || keys === undefined) return this.#break();
    await this.#takeOwnKeys(keys);
    if (this.#view.kind !== "entering") return;
    this.#view = joining(this.#view);
    this.#tell({ type: "join", room: LOBBY });
  }

  async #takeOwnKeys(keys: Keys): Promise<void> {
    const { events, stop } = await this.#own.take(keys);
    this.#events.push(events);
    if (stop !== undefined) this.#stop(stop);
  }

  async #takeCards(cards: readonly Card[]): Promise<void> {
    if (this.#view.kind === "entering") return this.#break();
    const { people } = this.#parts;
    const before = people.book;
    const events: ClientEvent[] = [];
    for (const card of cards) {
      if (card.handle === this.name) await this.#takeOwnKeys(keysOf(card));
      else events.push(...await people.meet(card));
    }
    await this.#keepPeople(before);
    this.#events.push(events);
  }

  /** Kept before anything is shown by it: what was seen first must be the first at the next start, too. */
  async #keepPeople(before: People["book"]): Promise<void> {
    const { people, peers } = this.#parts;
    if (people.book !== before) await peers.save(this.name, people.book);
  }

  #conclude(end: LinkEnd): LinkEnd {
    this.#quitting = true;
    this.#settleAdmission("ended");
    this.#own.end();
    const state = end.kind === "closed" && end.confirmed ? "closed" : "cut";
    this.#events.push([...unacknowledged(this.#view), { type: "state", state, detail: endDetail(end) }]);
    this.#events.end();
    this.#windowChanged();
    return end;
  }

  async #failureOf(end: LinkEnd): Promise<Failure | undefined> {
    if (end.kind === "hostKeyRefused") return await this.#parts.hostKeyChanged(end.hostKey);
    return endFailure(end, this.#parts.server);
  }
}

const GONE = "Cannot do that: the connection has ended; start again.";
const LIKE_ANOTHER = "Cannot change the display name: it looks like somebody else's name; choose another.";
const NOT_SENT = "Cannot send the message: the connection has ended; start again.";

function refuseText(room: string, text: string): string | undefined {
  if (room !== LOBBY) return `Cannot send to that room: there is only ${LOBBY} in this release; send there.`;
  const bytes = utf8(text).length;
  if (bytes === 0) return "Cannot send an empty message: there is nothing in it; write something.";
  if (bytes <= TEXT_BYTES_MAX) return undefined;
  return `Cannot send the message: it has ${bytes} bytes and ${TEXT_BYTES_MAX} are the limit; split it.`;
}

/** What cannot be kept is told like any other refusal. */
async function orSentence(work: () => Promise<string | undefined>): Promise<string | undefined> {
  try {
    return await work();
  } catch (failure) {
    if (failure instanceof Failure) return failure.message;
    throw failure;
  }
}

function notLetIn(handle: Handle, server: string, why: string): Failure {
  return new Failure("temporary", `Cannot join as ${handle} at ${server}: ${why}.`);
}

function keysOf({ identity, list, signature }: Card): Keys {
  return { identity, list, signature };
}

/** A word about an end, for a status line that says "closed" or "cut" itself; the sentence is in `ending.ts`. */
function endDetail(end: LinkEnd): string | undefined {
  if (end.kind === "cut") return undefined;
  return end.kind === "closed" ? end.reason : end.kind;
}
