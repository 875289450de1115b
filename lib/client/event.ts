/**
 * What a client's connection tells its front end, whichever that is. All texts are as the peer wrote them: a
 * front end shows them through `lib/text/visible.ts` and in no other way.
 *
 * @module
 */

import type { Handle } from "../text/handle.ts";
import type { FaultCode } from "../wire/message.ts";

/** Where the connection stands, as a person is told it. */
export type ConnectionState =
  /** Reaching the server and agreeing on keys. */
  | "connecting"
  /** Let in: what is sent now is heard. */
  | "ready"
  /** Ended by an authenticated close. */
  | "closed"
  /** Ended without one. */
  | "cut";

/** How far whoever signed a message is known. */
export type AuthorTrust =
  /** It is oneself, here or on another device of one's own. */
  | "own"
  /** The identity is the one first seen under that name. */
  | "seen"
  /** Its safety words were compared, too. */
  | "verified";

/** One thing that happened. Times are in milliseconds since 1970, by the server's clock. */
export type ClientEvent =
  | { readonly type: "state"; readonly state: ConnectionState; readonly detail: string | undefined }
  /** A message has its place in the order: somebody else's, or one's own when it is acknowledged. */
  | {
    readonly type: "message";
    readonly room: string;
    readonly sequence: number;
    /** The entry's id, 32 hex digits. */
    readonly id: string;
    /** Who wrote it: an account's handle, `console` for the operator, or what the bridge calls its guest. */
    readonly from: string;
    /** The display name of the account, where it has one. */
    readonly display: string | undefined;
    /** How far its author is known; only where it is verified. */
    readonly trust: AuthorTrust | undefined;
    /** Where it comes from: an account's device, the operator, or the bridge. */
    readonly source: "member" | "console" | "bridge";
    /** The name of the device that signed it, where that is known. */
    readonly device: string | undefined;
    readonly own: boolean;
    readonly time: number;
    readonly text: string;
    /**
     * Whether it is signed by a device certified by the identity first seen here (☒); where not, `reason` says why (☐).
     * The operator's lines carry no mark: they are neither verified nor have a reason.
     */
    readonly verified: boolean;
    readonly reason: string | undefined;
  }
  /** One's own message was received and ordered; comes right after its `message`. */
  | {
    readonly type: "ack";
    readonly room: string;
    readonly id: string;
    readonly sequence: number;
    readonly time: number;
  }
  | {
    readonly type: "presence";
    readonly room: string;
    readonly change: "here" | "joined" | "left";
    readonly names: readonly Handle[];
    readonly time: number;
  }
  /** What has become known of a person's keys. */
  | {
    readonly type: "keys";
    readonly handle: Handle;
    readonly news: KeysNews;
    /** The device, or the display name, that the news is about, where it is about one. */
    readonly detail: string | undefined;
  }
  /** A new device of one's own asks to be approved: it shows the same words, or it is not yours. */
  | {
    readonly type: "approval";
    readonly name: string;
    readonly words: readonly string[];
  }
  /** The answer to `devices`: one's own devices, in the order in which they were added. */
  | { readonly type: "devices"; readonly devices: readonly DeviceLine[] }
  /** The answer to `whois`. */
  | {
    readonly type: "person";
    readonly handle: Handle;
    readonly display: string | undefined;
    /** The 12 safety words between that person and oneself, the same on both sides. */
    readonly words: readonly string[];
    readonly trust: "own" | "seen" | "verified" | "changed";
    readonly devices: readonly DeviceLine[];
  }
  /** Something asked for was done, which shows nowhere else: a sentence for people, without a full stop as all notices. */
  | { readonly type: "done"; readonly what: string }
  /** Something asked for was not done. */
  | { readonly type: "fault"; readonly code: FaultCode; readonly about: string | undefined }
  /** One's own message of which nobody knows whether it arrived: the connection ended before its acknowledgement. */
  | { readonly type: "unacknowledged"; readonly room: string; readonly id: string; readonly text: string };

/** What can become known of a person's keys after the first sight of them. */
export type KeysNews =
  /** A device was added to the signed list. */
  | "deviceAdded"
  /** A device was revoked in it. */
  | "deviceRevoked"
  /** Another display name stands in it. */
  | "renamed"
  /** Another identity key: somebody else, or the same person without the old keys. Doubtful until accepted. */
  | "identityChanged"
  /** The server gave a list older than the one known, two lists of one number, or one that does not verify: refused. */
  | "listRefused";

/** A device as a person sees it. Times are in milliseconds since 1970. */
export interface DeviceLine {
  /** What its owner called it. */
  readonly name: string;
  /** When it was added. */
  readonly added: number;
  /** When it was revoked, where it was. */
  readonly revoked: number | undefined;
  /** Whether it is the one in use here. */
  readonly here: boolean;
}

/** What a front end asks of the connection. */
export type ClientRequest =
  | { readonly type: "send"; readonly room: string; readonly text: string }
  /** Tell one's own devices. */
  | { readonly type: "devices" }
  /** Approve the new device of that name that asks for it. */
  | { readonly type: "approve"; readonly name: string }
  /** Revoke one's device of that name: it is out at once, and for ever. */
  | { readonly type: "revoke"; readonly name: string }
  /** Take another display name; the empty text takes it away. */
  | { readonly type: "nick"; readonly display: string }
  /** Tell what is known of a person, safety words included. */
  | { readonly type: "whois"; readonly handle: string }
  /** Note that the safety words were compared and are the same. */
  | { readonly type: "verify"; readonly handle: string }
  /** Take a person's changed identity for theirs. */
  | { readonly type: "accept"; readonly handle: string }
  /** Say what is queued, close, and end. */
  | { readonly type: "quit" };

/** What a front end is given to talk through. */
export interface Talk {
  /** Who is speaking. */
  readonly name: Handle;
  /** The next event; `undefined` when the last has been given. A front end that does not ask slows the server's sending. */
  nextEvent(): Promise<ClientEvent | undefined>;
  /**
   * Does what was asked; settles when more may be asked, which a full window of unacknowledged messages delays. `undefined`
   * when it was taken, else one sentence that says why not (text too long, no such room, connection gone).
   */
  request(request: ClientRequest): Promise<string | undefined>;
}
