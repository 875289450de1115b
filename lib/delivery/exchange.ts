/**
 * Everything behind the server's sessions: who is connected, what the rooms are, and the desks that serve them. What each
 * of them does is in the files beside this one.
 *
 * @module
 */

import type { AdminAnswer, AdminRequest } from "../chat/administration.ts";
import type { OpenLobby, Overheard, Saying } from "../chat/overheard.ts";
import type { PeerId } from "../chat/peer_id.ts";
import type { Account } from "../chat/port.ts";
import type { Publication } from "../chat/publication.ts";
import { lobbyId } from "../identity/room_id.ts";
import type { RoomRequest } from "../session/phase.ts";
import type { Exchange, Login, Peer } from "../session/port.ts";
import type { Handle } from "../text/handle.ts";
import { type Bytes, equal } from "../wire/bytes.ts";
import type { CloseReason } from "../wire/close_code.ts";
import type { AccountMessage, Approve, AskApproval } from "../wire/message.ts";
import { ApprovalDesk } from "./approval_desk.ts";
import { Arrivals } from "./arrivals.ts";
import { Company } from "./company.ts";
import { FileCounter } from "./file_counter.ts";
import type { Guest } from "./guest.ts";
import { Patience } from "./patience.ts";
import { type ExchangeParts, noteTrouble } from "./exchange_parts.ts";
import { type Hall, openHall } from "./hall.ts";
import { HostVoice } from "./host_voice.ts";
import { LobbyEars } from "./lobby_ears.ts";
import { LogKeeper, type RestoredRoom } from "./log_keeper.ts";
import { ReadingDesk } from "./reading_desk.ts";
import { RoomIndex } from "./room_index.ts";
import { SayingDesk } from "./saying_desk.ts";
import { SignalDesk } from "./signal_desk.ts";
import { Speaker } from "./speaker.ts";
import { Teller } from "./teller.ts";
import { Writer } from "./writer.ts";

/** The rooms of one server, and all connections that have logged in. */
export class RoomExchange implements Exchange, OpenLobby {
  readonly #hall: Hall & { readonly writer: Writer };
  readonly #approvals: ApprovalDesk;
  readonly #arrivals: Arrivals;
  readonly #company: Company;
  readonly #ears: LobbyEars;
  readonly #files: FileCounter;
  readonly #keeper: LogKeeper;
  readonly #patience = new Patience();
  readonly #reading: ReadingDesk;
  readonly #saying: SayingDesk;
  readonly #signals: SignalDesk;
  readonly #speaker: Speaker;

  private constructor(parts: ExchangeParts, rooms: RoomIndex) {
    const lobby = lobbyId(parts.provider, parts.hostKey.publicKey);
    const open = openHall(parts, rooms);
    const [company, ears] = [new Company(open), new LobbyEars(open, lobby)];
    const teller = new Teller(open, {
      hear: (room, entry, as) => ears.hear(room, entry, as),
      meet: (room, newcomers) => {
        for (const handle of newcomers) company.meet(room, handle);
        for (const handle of newcomers) ears.look(handle);
      },
      part: (handle) => ears.look(handle),
    });
    const hall = { ...open, company, ears, lobby, teller, writer: writerOf(open, teller) };
    const voice = new HostVoice(hall);
    this.#hall = hall;
    this.#company = company;
    this.#ears = ears;
    this.#approvals = new ApprovalDesk(hall.guests);
    this.#arrivals = new Arrivals({ ...hall, voice });
    this.#files = new FileCounter(hall);
    this.#keeper = new LogKeeper({ ...hall, voice }, parts.wallClock());
    this.#reading = new ReadingDesk(hall);
    this.#saying = new SayingDesk(hall);
    this.#signals = new SignalDesk(hall);
    this.#speaker = new Speaker(voice, lobby);
  }

  /**
   * Reads all rooms, makes the lobby where there is none yet, tells the rooms that came out of a backup so, and does what
   * is due. Rejects with a `Failure` where the disk is full or at fault.
   */
  static async open(
    parts: ExchangeParts,
    restored: readonly RestoredRoom[] = [],
  ): Promise<RoomExchange> {
    const exchange = new RoomExchange(parts, new RoomIndex(await parts.logs.rooms()));
    await exchange.#keeper.begin(restored);
    return exchange;
  }

  /** Knows from now on whose connection it is. */
  greet(peer: Peer, login: Login): void {
    this.#hall.guests.add(peer, login);
  }

  /** Tells it its account; a device then what waits for its approval, its rooms, and who is at hand. */
  async enter(peer: Peer, account: Account): Promise<void> {
    const guest = this.#hall.guests.get(peer);
    if (guest === undefined) return;
    guest.stage = "entered";
    if (account.keys !== undefined) this.#hall.cards.put(account.handle, account.keys);
    guest.tell(accountMessage(account));
    if (guest.login.kind === "password") return;
    this.#approvals.tellWaiting(guest);
    await this.#arrivals.arrive(guest, account);
  }

  /** Serves a device; settles when its next message may be looked at. */
  async take(peer: Peer, request: RoomRequest): Promise<void> {
    const guest = this.#hall.guests.get(peer);
    if (guest?.stage !== "ready") return;
    await this.#serve(guest, request);
    await this.#patience.bide(guest);
  }

  async #serve(guest: Guest, request: RoomRequest): Promise<void> {
    switch (request.type) {
      case "send":
        return await this.#saying.take(guest, request);
      case "read":
      case "list":
      case "askMembers":
      case "askCards":
        return await this.#reading.answer(guest, request);
      case "mark":
      case "typing":
      case "status":
      case "block":
        return await this.#signals.take(guest, request);
      case "fileBegin":
      case "fileChunk":
      case "fileGet":
        return await this.#files.take(guest, request);
    }
  }

  /** Settles when all that it has said is answered. */
  async finish(peer: Peer): Promise<void> {
    const guest = this.#hall.guests.get(peer);
    if (guest !== undefined) await this.#hall.writer.finished(guest);
  }

  /**
   * Tells the account's connections, then all who were told its keys before, then its rooms, and ends the connections of
   * devices that are no longer active.
   */
  publish({ account, keys, devices }: Publication, approval: Approve | undefined): void {
    const { guests, cards } = this.#hall;
    const { handle } = account;
    if (approval !== undefined) this.#approvals.tellApproved(handle, approval);
    const message = accountMessage(account);
    for (const guest of guests.of(handle)) if (isTold(guest)) guest.tell(message);
    const before = cards.put(handle, keys);
    for (const guest of guests.all()) if (guest.knows(handle)) guest.introduce([handle], cards);
    if (before === undefined || !equal(before.list, keys.list)) this.#keeper.tellKeys(handle);
    this.#cut(
      guests.of(handle).filter(({ login }) =>
        login.kind === "device" && !isAmong(login.deviceKey, devices.map(({ key }) => key))
      ),
      "deviceRevoked",
    );
  }

  /** How many milliseconds an account has to wait before it may publish again; where it need not, that is counted. */
  publishingWait(handle: Handle): number | undefined {
    return this.#hall.allowances.spend(handle, ["acts"], this.#hall.parts.wallClock());
  }

  /** Has it wait, and tells the devices of its account. */
  askApproval(peer: Peer, request: AskApproval): void {
    const guest = this.#hall.guests.get(peer);
    if (guest !== undefined) this.#approvals.ask(guest, request);
  }

  /** Whether a device of the account waits for approval. */
  isWaiting(handle: Handle, device: Bytes): boolean {
    return this.#approvals.isWaiting(handle, device);
  }

  /** Tells it that its password is another now, and ends the connections by the old one. */
  renewPassword(peer: Peer, account: Account, login: Login): void {
    const guest = this.#hall.guests.get(peer);
    if (guest !== undefined) {
      guest.login = login;
      guest.tell(accountMessage(account));
    }
    this.cutPasswords(account.handle, peer.id);
  }

  /** Forgets it, and tells the others where it was the last of its account. */
  leave(peer: Peer): void {
    const guest = this.#hall.guests.get(peer);
    if (guest !== undefined) this.#forget(guest, "gone");
  }

  /** Does what follows from what an operator did; to be called once that is durable. */
  administered(request: AdminRequest, answer: AdminAnswer): void {
    if (answer.kind === "changed" && answer.change !== "enabled") this.cutAccount(answer.handle);
    if (answer.kind === "banned" && answer.isOn && answer.subject.kind === "account") {
      this.cutAccount(answer.subject.handle);
    }
    if (answer.kind === "changed" && answer.change === "removed") this.#keeper.removeAccount(answer.handle);
    if (answer.kind === "invitation" && request.type === "userReset") this.cutPasswords(request.handle);
  }

  /** Ends all connections of an account that was disabled, banned or removed, in whatever stage. */
  cutAccount(handle: Handle): void {
    this.#cut(this.#hall.guests.of(handle), "accountClosed");
  }

  /** Ends an account's connections that logged in by a password which fits no more; `except` is one that set the new one. */
  cutPasswords(handle: Handle, except?: PeerId): void {
    this.#cut(
      this.#hall.guests.of(handle).filter(({ peer, login }) =>
        login.kind === "password" && peer.id !== except
      ),
      "reconnect",
    );
  }

  /** Calls `listener` with what happens in the lobby, until the function given back is called. */
  overhear(listener: (event: Overheard) => void): () => void {
    return this.#ears.add(listener);
  }

  /** See {@linkcode OpenLobby}. */
  say(saying: Saying): Promise<void> {
    return this.#speaker.say(saying);
  }

  /** See {@linkcode OpenLobby}. */
  visit(name: string, address: string): () => Promise<void> {
    return this.#speaker.visit(name, address);
  }

  /** Which members of the lobby are at hand, in the order of coming. */
  present(): readonly Handle[] {
    return this.#ears.present();
  }

  /** Keeps what waits to be kept, and does what is due; to be called about once a second. */
  tick(): void {
    const { allowances, keys, writer, guests, parts } = this.#hall;
    const now = parts.wallClock();
    allowances.tick(now);
    keys.tick();
    writer.tick(now);
    writer.keepMarks();
    this.#keeper.tick(now);
    this.#patience.tick(guests.all());
  }

  /** Settles when nothing waits to be stored any more, marks included. */
  async settled(): Promise<void> {
    await this.#keeper.settled();
    this.#hall.writer.keepMarks();
    await this.#hall.writer.settled();
  }

  /** Out in this very turn: what they say from now on is not taken, and nothing is delivered to them any more. */
  #cut(guests: readonly Guest[], reason: CloseReason): void {
    if (guests.length > 0) this.#hall.keys.renewAll();
    for (const { peer } of guests) peer.close(reason);
    for (const guest of guests) this.#forget(guest, "out");
  }

  #forget(guest: Guest, stage: "gone" | "out"): void {
    const { guests, follows, marks, desk, parts } = this.#hall;
    this.#signals.leave(guest);
    guest.stage = stage;
    guests.remove(guest);
    follows.leave(guest);
    this.#approvals.leave(guest);
    this.#company.go(guest);
    this.#ears.look(guest.handle);
    if (guests.of(guest.handle).length === 0) marks.rest(guest.handle);
    void desk.leave(guest.peer);
    const { handle, peer: { address }, refusals } = guest;
    if (refusals.size > 0) parts.note({ kind: "refused", handle, address, counts: refusals });
  }
}

function writerOf({ parts, ...hall }: Hall, teller: Teller): Writer {
  return new Writer({
    ...hall,
    ...parts,
    hostKey: parts.hostKey.publicKey,
    marks: () => hall.marks.waiting(),
    marksKept: (changes) => hall.marks.kept(changes),
    changed: (changes) => teller.tellChanges(changes),
    notStored: (count, error) => noteTrouble(parts, error, count),
    fault: (error) => noteTrouble(parts, error),
  });
}

function accountMessage({ handle, role, keys, recovery }: Account): AccountMessage {
  const message: AccountMessage = { type: "account", handle, role, recovery: recovery !== undefined };
  return keys === undefined ? message : { ...message, keys };
}

function isTold({ stage }: Guest): boolean {
  return stage === "entered" || stage === "ready";
}

function isAmong(key: Bytes, keys: readonly Bytes[]): boolean {
  return keys.some((other) => equal(key, other));
}
