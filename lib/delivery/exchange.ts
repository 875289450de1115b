/**
 * Who is connected, and the one place that delivers: every request goes through the rules here, and what they
 * decide is encoded once and queued for each peer it is for.
 *
 * @module
 */

import type { AdminAnswer, AdminRequest } from "../chat/administration.ts";
import { type Approvals, askApproval, findWaiting, waitingFor, withdraw } from "../chat/approvals.ts";
import {
  decide,
  EMPTY_LOBBY,
  type Line,
  type Lobby,
  type Outcome,
  type PeerId,
  type Request,
} from "../chat/lobby.ts";
import { isSayable } from "../chat/notice.ts";
import type { OpenLobby, Overheard, Saying } from "../chat/overheard.ts";
import type { Account } from "../chat/port.ts";
import type { Publication } from "../chat/publication.ts";
import type { Exchange, Login, Peer } from "../session/port.ts";
import type { Handle } from "../text/handle.ts";
import { type Bytes, equal } from "../wire/bytes.ts";
import type { CloseReason } from "../wire/close_code.ts";
import {
  type AccountMessage,
  type Approve,
  type AskApproval,
  encodeMessage,
  type Send,
  type ServerMessage,
} from "../wire/message.ts";

/** What members are told in the name of a guest of the bridge. */
const GUEST_CAME = "came in over the bridge, and hears what is said here";
const GUEST_WENT = "left";

/** A connection whose login verified. */
interface Guest {
  readonly peer: Peer;
  readonly login: Login;
  /** Before it has shown that it holds the keys of its login, it is told nothing. */
  readonly stage: "entering" | "entered";
}

/** What an exchange needs. */
export interface ExchangeParts {
  /** Milliseconds since 1970. */
  readonly wallClock: () => number;
  /** Signs what the operator or the bridge says, at a moment of that clock. */
  readonly sign: (saying: Saying, now: number) => Promise<Line>;
}

/** The lobby of one server, and all connections that have logged in. */
export class LobbyExchange implements Exchange, OpenLobby {
  readonly #parts: ExchangeParts;
  readonly #guests = new Map<PeerId, Guest>();
  readonly #listeners = new Set<(event: Overheard) => void>();
  #lobby: Lobby = EMPTY_LOBBY;
  #approvals: Approvals = [];
  #saying: Promise<void> = Promise.resolve();

  /** An exchange to which nobody is connected. */
  constructor(parts: ExchangeParts) {
    this.#parts = parts;
  }

  /** Knows from now on whose connection it is. */
  greet(peer: Peer, login: Login): void {
    this.#guests.set(peer.id, { peer, login, stage: "entering" });
  }

  /** Tells it its account, and a device what waits for its approval. */
  enter(peer: Peer, account: Account): void {
    const guest = this.#guests.get(peer.id);
    if (guest === undefined) return;
    this.#guests.set(peer.id, { ...guest, stage: "entered" });
    peer.send(encodeMessage(accountMessage(account)));
    if (guest.login.kind === "password") return;
    for (const { request } of waitingFor(this.#approvals, account.handle)) {
      peer.send(encodeMessage({ ...request, type: "approval" }));
    }
  }

  /** Lets it in where the rules do; tells whether it came in by this. */
  join(peer: Peer, room: string, { account: { handle }, keys }: Publication): boolean {
    const login = this.#guests.get(peer.id)?.login;
    if (login?.kind !== "device") return false;
    const card = { handle, ...keys };
    const wasIn = this.#lobby.members.has(peer.id);
    this.#submit({ type: "join", peer: peer.id, room, device: login.deviceKey, card });
    return !wasIn && this.#lobby.members.has(peer.id);
  }

  /** Gives what it says its place, or refuses it. */
  send(peer: Peer, message: Send): void {
    this.#submit({ type: "send", peer: peer.id, message });
  }

  /** Tells the account's connections, then everybody in the lobby, then ends those of devices that are no longer active. */
  publish({ account, keys, devices }: Publication, approval: Approve | undefined): void {
    const { handle } = account;
    if (approval !== undefined) this.#tellApproved(handle, approval);
    const message = encodeMessage(accountMessage(account));
    for (const { peer } of this.#enteredOf(handle)) peer.send(message);
    this.#submit({ type: "publish", card: { handle, ...keys } });
    this.#cut(
      (guest) =>
        guest.login.kind === "device" && guest.login.handle === handle &&
        !isAmong(guest.login.deviceKey, devices.map(({ key }) => key)),
      "deviceRevoked",
    );
  }

  /** Has it wait, and tells the devices of its account. */
  askApproval(peer: Peer, request: AskApproval): void {
    const handle = this.#guests.get(peer.id)?.login.handle;
    if (handle === undefined) return;
    this.#approvals = askApproval(this.#approvals, { peer: peer.id, handle, request });
    const message = encodeMessage({ ...request, type: "approval" });
    for (const { peer: other, login } of this.#enteredOf(handle)) {
      if (login.kind === "device") other.send(message);
    }
  }

  /** Whether a device of the account waits for approval. */
  isWaiting(handle: Handle, device: Bytes): boolean {
    return findWaiting(this.#approvals, handle, device) !== undefined;
  }

  /** Tells it that its password is another now, and ends the connections by the old one. */
  renewPassword(peer: Peer, account: Account, login: Login): void {
    const guest = this.#guests.get(peer.id);
    if (guest !== undefined) {
      this.#guests.set(peer.id, { ...guest, login });
      peer.send(encodeMessage(accountMessage(account)));
    }
    this.cutPasswords(account.handle, peer.id);
  }

  /** Forgets it, and tells the others where it was the last of its account in the lobby. */
  leave(peer: Peer): void {
    this.#approvals = withdraw(this.#approvals, peer.id);
    this.#submit({ type: "leave", peer: peer.id });
    this.#guests.delete(peer.id);
  }

  /** Ends the connections that what an operator did leaves no login to; to be called once that is durable. */
  administered(request: AdminRequest, answer: AdminAnswer): void {
    if (answer.kind === "changed" && answer.change !== "enabled") this.cutAccount(answer.handle);
    if (answer.kind === "invitation" && request.type === "userReset") this.cutPasswords(request.handle);
  }

  /** Ends all connections of an account that was disabled or removed, in whatever phase. */
  cutAccount(handle: Handle): void {
    this.#cut(({ login }) => login.handle === handle, "accountClosed");
  }

  /** Ends an account's connections that logged in by a password which fits no more; `except` is one that set the new one. */
  cutPasswords(handle: Handle, except?: PeerId): void {
    this.#cut(
      ({ peer, login }) => login.kind === "password" && login.handle === handle && peer.id !== except,
      "reconnect",
    );
  }

  /** Calls `listener` with what happens in the lobby, until the function given back is called. */
  overhear(listener: (event: Overheard) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Says a line; settles when it has its place. Throws a `RangeError` where it is empty or too long. */
  say(saying: Saying): Promise<void> {
    return this.#place(saying, (time) => ({ kind: "said", time, ...saying }));
  }

  /** Tells members and listeners of a guest of the bridge, and by the function given back of its end. */
  visit(name: string, address: string): () => Promise<void> {
    const came = this.#place({ source: "bridge", name, text: GUEST_CAME }, (time) => {
      return { kind: "guestCame", time, name, address };
    });
    // Told when the guest goes.
    came.catch(() => {});
    return async () => {
      const went = this.#place({ source: "bridge", name, text: GUEST_WENT }, (time) => {
        return { kind: "guestWent", time, name };
      });
      await Promise.all([came, went]);
    };
  }

  /** Which accounts are in the lobby, in the order of coming. */
  present(): readonly Handle[] {
    return Array.from(this.#lobby.present.keys());
  }

  /**
   * Decides and delivers within one turn, so that all peers see one order: a newcomer is told who is here before
   * anything said later, and its acknowledgement comes where its message stands among the others'.
   */
  #submit(request: Request, heard = overheard): void {
    const outcome = decide(this.#lobby, request, this.#parts.wallClock());
    this.#lobby = outcome.lobby;
    if ("peer" in request) this.#reply(request.peer, outcome);
    for (const { except, notice } of outcome.deliveries) {
      const bytes = encodeMessage(notice);
      for (const id of outcome.lobby.members.keys()) {
        if (id !== except) this.#guests.get(id)?.peer.send(bytes);
      }
      this.#overheard(heard(notice, this.#addressOf(request)));
    }
  }

  /** Signs a line, and gives it its place behind those before it; listeners are told of it what `heard` gives. */
  #place(saying: Saying, heard: (time: number) => Overheard): Promise<void> {
    if (!isSayable(saying)) throw new RangeError("Cannot say a line: name or text is empty or too long");
    const signed = this.#parts.sign(saying, this.#parts.wallClock());
    const said = Promise.all([signed, this.#saying]).then(([line]) =>
      this.#submit({ type: "say", line }, () => [heard(this.#lobby.lastTime)])
    );
    this.#saying = said.catch(() => {});
    return said;
  }

  #reply(peer: PeerId, { reply }: Outcome): void {
    for (const message of reply) this.#guests.get(peer)?.peer.send(encodeMessage(message));
  }

  #overheard(events: readonly Overheard[]): void {
    for (const event of events) {
      for (const listener of this.#listeners) listener(event);
    }
  }

  #addressOf(request: Request): string {
    return "peer" in request ? this.#guests.get(request.peer)?.peer.address ?? "" : "";
  }

  #tellApproved(handle: Handle, { device, keys, share, sealed }: Approve): void {
    const waiting = findWaiting(this.#approvals, handle, device);
    if (waiting === undefined) return;
    this.#approvals = withdraw(this.#approvals, waiting.peer);
    this.#guests.get(waiting.peer)?.peer.send(encodeMessage({ type: "approved", keys, share, sealed }));
  }

  #enteredOf(handle: Handle): readonly Guest[] {
    return Array.from(this.#guests.values()).filter(({ login, stage }) =>
      stage === "entered" && login.handle === handle
    );
  }

  /** Out in this very turn: what they send from now on is not taken, and nothing is delivered to them any more. */
  #cut(isMeant: (guest: Guest) => boolean, reason: CloseReason): void {
    const meant = Array.from(this.#guests.values()).filter(isMeant);
    for (const { peer } of meant) peer.close(reason);
    for (const { peer } of meant) this.leave(peer);
  }
}

function accountMessage({ handle, role, keys, recovery }: Account): AccountMessage {
  const message: AccountMessage = { type: "account", handle, role, recovery: recovery !== undefined };
  return keys === undefined ? message : { ...message, keys };
}

function overheard(notice: ServerMessage, address: string): readonly Overheard[] {
  switch (notice.type) {
    case "entry":
      return [{ kind: "said", time: notice.time, source: "member", name: notice.from, text: notice.text }];
    case "presence":
      return notice.change === "left"
        ? notice.names.map((name) => ({ kind: "went", time: notice.time, name }))
        : notice.names.map((name) => ({ kind: "came", time: notice.time, name, address }));
    default:
      return [];
  }
}

function isAmong(key: Bytes, keys: readonly Bytes[]): boolean {
  return keys.some((other) => equal(key, other));
}
