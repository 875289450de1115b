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
    readonly from: Handle;
    readonly own: boolean;
    readonly time: number;
    readonly text: string;
    /** Whether the message carries a proof of who wrote it; where not, `reason` says why. */
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
  /** Something asked for was not done. */
  | { readonly type: "fault"; readonly code: FaultCode; readonly about: string | undefined }
  /** One's own message of which nobody knows whether it arrived: the connection ended before its acknowledgement. */
  | { readonly type: "unacknowledged"; readonly room: string; readonly id: string; readonly text: string };

/** What a front end asks of the connection. */
export type ClientRequest =
  | { readonly type: "send"; readonly room: string; readonly text: string }
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
