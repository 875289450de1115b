/**
 * What a session needs of those around it, as interfaces: `lib/delivery` is its {@linkcode Exchange}, the root listens to
 * its {@linkcode SessionNews}.
 *
 * @module
 */

import type { PeerId } from "../chat/peer_id.ts";
import type { Account } from "../chat/port.ts";
import type { Publication } from "../chat/publication.ts";
import type { RefusalCode } from "../login/message.ts";
import type { SharedMessages } from "../secure/shared_record.ts";
import type { Handle } from "../text/handle.ts";
import type { Bytes } from "../wire/bytes.ts";
import type { CloseReason } from "../wire/close_code.ts";
import type { Approve, AskApproval } from "../wire/message.ts";
import type { RoomRequest } from "./phase.ts";

/** Who a connection logged in as, and by what. */
export type Login =
  /** By the password that `record` stands for; with another record the login is none any more. */
  | { readonly kind: "password"; readonly handle: Handle; readonly record: Bytes }
  /** By the key of one of the account's devices, 32 octets. */
  | { readonly kind: "device"; readonly handle: Handle; readonly deviceKey: Bytes };

/** A peer as delivery knows it: the sending side of a session. */
export interface Peer {
  /** Which connection it is. */
  readonly id: PeerId;
  /** Where it connects from, as HOST:PORT. */
  readonly address: string;
  /** Whether neither end has closed, and the connection is there: asked after each wait. */
  isHere(): boolean;
  /** Settles when at most so many octets wait to be written to it, or none ever will be. */
  drained(octets: number): Promise<void>;
  /** Queues an encoded message; after a close it goes nowhere. */
  send(message: Bytes): void;
  /** Queues messages of a room that are encrypted once for all who hear them, as `send` does. */
  share(messages: SharedMessages): void;
  /** Takes nothing more of it, and closes it behind what is queued. */
  close(reason: CloseReason): void;
}

/**
 * Whoever knows all connections. But for `enter`, `take` and `finish` nothing here waits: what follows from a call has
 * been queued when it returns.
 */
export interface Exchange {
  /** The login of `peer` verified: from now on it is found where its account is closed. */
  greet(peer: Peer, login: Login): void;
  /**
   * It showed that it holds the keys: it is told its account, and a device what waits for its approval, its rooms and who
   * is at hand. Settles when all that is queued, or it is gone.
   */
  enter(peer: Peer, account: Account): Promise<void>;
  /**
   * A device asks something of rooms, people or files. Settles when its next message may be looked at: what is said need
   * not be stored by then, what is asked for has been queued.
   */
  take(peer: Peer, request: RoomRequest): Promise<void>;
  /** It says nothing more. Settles when all that it has said is answered. */
  finish(peer: Peer): Promise<void>;
  /**
   * An account's keys were published and stored: all are told, devices that are no longer active are out, and where
   * `approval` is given, the device that waited for it gets its part of that.
   */
  publish(published: Publication, approval: Approve | undefined): void;
  /** How many milliseconds an account has to wait before it may publish again; where it need not, that is counted. */
  publishingWait(handle: Handle): number | undefined;
  /** A device asks to be approved by others of its account. */
  askApproval(peer: Peer, request: AskApproval): void;
  /** Whether a device of the account waits for approval. */
  isWaiting(handle: Handle, device: Bytes): boolean;
  /** Another password was set through `peer`: it is told its account, and connections by the old password are over. */
  renewPassword(peer: Peer, account: Account, login: Login): void;
  /** The connection is over, in whatever phase. */
  leave(peer: Peer): void;
}

/** What the operator is told of one connection. */
export type SessionNews =
  /** An account was made. */
  | { readonly kind: "registered"; readonly handle: Handle }
  /** An account was asked for and not made. */
  | { readonly kind: "registrationRefused"; readonly handle: Handle; readonly code: RefusalCode }
  /** A login by password ended before its password had shown to be right, or was refused before it was looked at. */
  | { readonly kind: "loginFailed"; readonly handle: Handle; readonly why: "wrongPassword" | "tooManyTries" }
  /** A device that is not, or no longer, one of the account's. */
  | { readonly kind: "deviceRefused"; readonly handle: Handle }
  /** A login is complete; `device` is what its owner calls the device, where it is by one. */
  | { readonly kind: "entered"; readonly handle: Handle; readonly device: string | undefined }
  /** The account was closed, or its password or devices changed, between login and entering. */
  | { readonly kind: "closedMeanwhile"; readonly handle: Handle }
  /** The account's keys were published. */
  | { readonly kind: "published"; readonly handle: Handle }
  /** The account has another password. */
  | { readonly kind: "passwordRenewed"; readonly handle: Handle };
