/**
 * What a connection that has logged in asks of its account. Each request looks at the account as it is stored at that
 * moment, since it may have been closed, or its devices or password changed, after the login; and requests of one account
 * are dealt with one at a time.
 *
 * @module
 */

import type { Account, AccountStore } from "../chat/port.ts";
import { activeDevice, judge, type Proposal, type ServerIdentity } from "../chat/publication.ts";
import type { Handle } from "../text/handle.ts";
import { type Bytes, equal } from "../wire/bytes.ts";
import type { CloseReason } from "../wire/close_code.ts";
import {
  type Approve,
  type ClientMessage,
  encodeMessage,
  type FaultCode,
  type ServerMessage,
} from "../wire/message.ts";
import type { RoomRequest } from "./phase.ts";
import type { Exchange, Login, Peer } from "./port.ts";
import { Turns } from "./turns.ts";

/** What a request led to, as its session has to know it. What others are told has been queued already. */
export type Served =
  /** The peer is in; by a device, what its owner calls that. */
  | { readonly kind: "entered"; readonly device: string | undefined }
  /** It published its account's keys. */
  | { readonly kind: "published" }
  /** It has set another password, and is in by that. */
  | { readonly kind: "renewed"; readonly login: Login }
  /** It was answered. */
  | { readonly kind: "answered" }
  /** It is over, was before the account was looked at. */
  | { readonly kind: "gone" }
  /** Its login is none any more. */
  | { readonly kind: "out"; readonly reason: CloseReason };

/** What is asked of an account: everything that is not asked of rooms. */
export type AccountRequest = Exclude<ClientMessage, RoomRequest>;

/** Who asks. */
export interface Caller {
  /** Its sending side. */
  readonly peer: Peer;
  /** Its login. */
  readonly login: Login;
  /** Whether it is still there; asked after each wait. */
  readonly isHere: () => boolean;
}

/** What a service works with. */
export interface ServiceParts extends ServerIdentity {
  /** The accounts. */
  readonly store: AccountStore;
  /** Whoever knows all connections. */
  readonly exchange: Exchange;
  /** The server's OPAQUE setup, 128 octets. */
  readonly setup: Bytes;
}

const ANSWERED: Served = { kind: "answered" };

/** Serves all connections of a server. */
export class Service {
  readonly #parts: ServiceParts;
  readonly #turns = new Turns<Handle>();

  /** A service that is asked nothing yet. */
  constructor(parts: ServiceParts) {
    this.#parts = parts;
  }

  /** Does what `caller` asks, in its account's turn; settles when that is done and queued for all whom it concerns. */
  serve(caller: Caller, request: AccountRequest): Promise<Served> {
    return this.#turns.take(caller.login.handle, async () => {
      const account = await this.#parts.store.find(caller.login.handle);
      if (!caller.isHere()) return { kind: "gone" };
      const reason = whyOut(account, caller.login);
      // Written so that the compiler sees, too, that there is an account from here on.
      if (account === undefined || reason !== undefined) {
        return { kind: "out", reason: reason ?? "accountClosed" };
      }
      return await this.#serve(caller, request, account);
    });
  }

  async #serve(caller: Caller, request: AccountRequest, account: Account): Promise<Served> {
    switch (request.type) {
      case "enter":
        await this.#parts.exchange.enter(caller.peer, account);
        return { kind: "entered", device: loginDevice(caller.login, account) };
      case "publish":
        return await this.#publish(
          caller,
          { ...request, recovery: request.recovery, by: caller.login.kind },
          account,
        );
      case "approve":
        return await this.#approve(caller, request, account);
      case "recover":
        return recover(caller, account);
      case "askApproval":
        this.#parts.exchange.askApproval(caller.peer, request);
        return ANSWERED;
      case "passwordRequest":
        return await this.#answerPasswordRequest(caller, request.request);
      case "passwordRecord":
        return await this.#renewPassword(caller, request.record, account);
    }
  }

  async #publish(
    { peer }: Caller,
    proposal: Proposal,
    account: Account,
    approval?: Approve,
  ): Promise<Served> {
    const wait = this.#parts.exchange.publishingWait(account.handle);
    if (wait !== undefined) return refuse(peer, "tooFast", wait);
    const judgement = await judge(account, proposal, this.#parts);
    if (judgement.kind === "refused") return refuse(peer, judgement.code);
    const { publication } = judgement;
    const stored = await this.#parts.store.setKeys(account.handle, {
      keys: proposal.keys,
      expected: account.keys,
      recovery: proposal.recovery,
    });
    if (!stored) return refuse(peer, "staleList");
    // Whoever asked may be gone by now; what is stored is told to all the same.
    this.#parts.exchange.publish(publication, approval);
    return { kind: "published" };
  }

  async #approve(caller: Caller, request: Approve, account: Account): Promise<Served> {
    const { keys, device } = request;
    if (!this.#parts.exchange.isWaiting(account.handle, device)) return refuse(caller.peer, "noSuchRequest");
    if (activeDevice(keys, device) === undefined) return refuse(caller.peer, "badList");
    return await this.#publish(caller, { keys, recovery: undefined, by: "device" }, account, request);
  }

  async #answerPasswordRequest({ peer, login }: Caller, request: Bytes): Promise<Served> {
    const opaque = await this.#parts.provider.opaque();
    const response = await opaque.registrationResponse(this.#parts.setup, login.handle, request);
    if (response === undefined) return { kind: "out", reason: "protocolFault" };
    return answer(peer, { type: "passwordResponse", response });
  }

  async #renewPassword({ peer, login: before }: Caller, record: Bytes, account: Account): Promise<Served> {
    const { store, provider, setup } = this.#parts;
    if (!await (await provider.opaque()).isRecord(setup, record)) {
      return { kind: "out", reason: "protocolFault" };
    }
    const { handle } = account;
    if (!await store.setPasswordRecord(handle, record, { expected: account.passwordRecord })) {
      return { kind: "out", reason: whyOut(await store.find(handle), before) ?? "reconnect" };
    }
    const login: Login = { kind: "password", handle, record };
    this.#parts.exchange.renewPassword(peer, { ...account, passwordRecord: record }, login);
    return { kind: "renewed", login };
  }
}

/** Why a login is none any more; `undefined` where it is one. */
function whyOut(account: Account | undefined, login: Login): CloseReason | undefined {
  if (account?.standing !== "active") return "accountClosed";
  switch (login.kind) {
    case "password": {
      const record = account.passwordRecord;
      return record !== undefined && equal(record, login.record) ? undefined : "reconnect";
    }
    case "device":
      return activeDevice(account.keys, login.deviceKey) === undefined ? "deviceRevoked" : undefined;
  }
}

function loginDevice(login: Login, account: Account): string | undefined {
  return login.kind === "device" ? activeDevice(account.keys, login.deviceKey)?.name : undefined;
}

function recover({ peer }: Caller, { recovery }: Account): Served {
  return recovery === undefined
    ? refuse(peer, "noRecovery")
    : answer(peer, { type: "recovery", blob: recovery });
}

function refuse(peer: Peer, code: FaultCode, wait?: number): Served {
  return answer(peer, wait === undefined ? { type: "fault", code } : { type: "fault", code, wait });
}

function answer(peer: Peer, message: ServerMessage): Served {
  peer.send(encodeMessage(message));
  return ANSWERED;
}
