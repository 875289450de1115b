/**
 * A client's conversation with a server, from its first byte to its goodbye: joins its link to its view of the
 * lobby. A pump drives one side of it, a front end the other; it sees neither socket nor terminal.
 *
 * @module
 */

import type { Entropy } from "../crypto/port.ts";
import type { Link, LinkEnd, LinkEvent } from "../secure/link.ts";
import type { Handle } from "../text/handle.ts";
import { type Bytes, utf8 } from "../wire/bytes.ts";
import { TEXT_BYTES_MAX } from "../wire/limits.ts";
import { decodeServerMessage, encodeMessage, type FaultCode, LOBBY } from "../wire/message.ts";
import { entryId } from "./entry_id.ts";
import type { ClientEvent, ClientRequest, Talk } from "./event.ts";
import { EventQueue } from "./event_queue.ts";
import { noteSent, take, unacknowledged, type View } from "./view.ts";

/** Messages that may wait for their acknowledgement: bounds what a cut can leave in doubt, and what a burst piles up. */
export const UNACKNOWLEDGED_MAX = 256;

/** How the attempt to be let in came out. */
export type Admission =
  | { readonly kind: "admitted"; readonly hostKey: Bytes }
  | { readonly kind: "refused"; readonly code: FaultCode }
  | { readonly kind: "ended"; readonly end: LinkEnd };

/** What a conversation takes from outside. */
export interface ConversationParts {
  /** The name to go by. */
  readonly name: Handle;
  /** Randomness for ids. */
  readonly entropy: Entropy;
  /** Milliseconds since 1970, for ids. */
  readonly wallClock: () => number;
  /** Milliseconds that never go back: the clock of the pump's calls. */
  readonly clock: () => number;
}

/** One client's conversation. */
export class Conversation implements Talk {
  /** Who is speaking. */
  readonly name: Handle;
  /** Settles when it is known whether the server lets this client in. */
  readonly admission: Promise<Admission>;
  /** Settles when nothing more will be read or written. */
  readonly ended: Promise<LinkEnd>;

  readonly #link: Link;
  readonly #parts: ConversationParts;
  readonly #events = new EventQueue<ClientEvent>();
  readonly #settleAdmission: (admission: Admission) => void;
  #view: View;
  #hostKey: Bytes = new Uint8Array(0);
  #processing: Promise<void> = Promise.resolve();
  #quitting = false;
  #windowChanged: () => void = () => {};

  /** A conversation over `link`, whose handshake has just begun. */
  constructor(link: Link, parts: ConversationParts) {
    const { promise, resolve } = Promise.withResolvers<Admission>();
    this.name = parts.name;
    this.admission = promise;
    this.#settleAdmission = resolve;
    this.#link = link;
    this.#parts = parts;
    this.#view = { kind: "joining", name: parts.name };
    this.#events.push([{ type: "state", state: "connecting", detail: undefined }]);
    // What came before the end is dealt with first: an acknowledgement often arrives together with the close.
    this.ended = link.ended.then((end) => this.#processing.then(() => this.#conclude(end)));
  }

  /** The next event for the front end. */
  nextEvent(): Promise<ClientEvent | undefined> {
    return this.#events.next();
  }

  /** Does what the front end asks. */
  async request(request: ClientRequest): Promise<string | undefined> {
    if (request.type === "quit") return this.#quit();
    const refusal = refuseText(request.room, request.text);
    if (refusal !== undefined) return refusal;
    while (this.#windowIsFull && !this.#quitting) await this.#windowChange();
    if (this.#quitting || this.#view.kind !== "inside") {
      return "Cannot send the message: the connection has ended; start again.";
    }
    this.#send(request.room, request.text);
    return undefined;
  }

  /** Takes bytes; settles when the front end is not too far behind. */
  async receive(bytes: Bytes, now: number): Promise<void> {
    this.#processing = this.#process(bytes, now);
    await this.#processing;
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
  }

  /** The next bytes to be written. */
  nextWrite(now: () => number): Promise<Bytes | undefined> {
    return this.#link.nextWrite(now);
  }

  get #windowIsFull(): boolean {
    return this.#view.kind === "inside" && this.#view.unacknowledged.size >= UNACKNOWLEDGED_MAX;
  }

  #windowChange(): Promise<void> {
    return new Promise((resolve) => this.#windowChanged = resolve);
  }

  #quit(): undefined {
    this.#quitting = true;
    this.#windowChanged();
    this.#link.close("done", this.#parts.clock());
  }

  async #process(bytes: Bytes, now: number): Promise<void> {
    for (const event of await this.#link.receive(bytes, now)) this.#take(event);
  }

  #send(room: string, text: string): void {
    const id = entryId(this.#parts.wallClock(), this.#parts.entropy);
    this.#view = noteSent(this.#view, id.toHex(), { room, text });
    this.#link.send(encodeMessage({ type: "send", room, id, text }));
  }

  #take(event: LinkEvent): void {
    switch (event.kind) {
      case "established":
        this.#hostKey = event.hostKey;
        this.#link.send(encodeMessage({ type: "join", room: LOBBY, name: this.name }));
        break;
      case "message":
        this.#takeMessage(event.message);
        break;
      case "closed":
        this.#quit();
    }
  }

  #takeMessage(bytes: Bytes): void {
    const message = decodeServerMessage(bytes);
    const viewed = message === undefined ? undefined : take(this.#view, message);
    if (viewed?.kind !== "viewed") {
      this.#quitting = true;
      this.#link.close("protocolFault", this.#parts.clock());
      return;
    }
    this.#view = viewed.view;
    this.#events.push(viewed.events);
    this.#windowChanged();
    if (this.#view.kind === "inside") this.#settleAdmission({ kind: "admitted", hostKey: this.#hostKey });
    else if (message?.type === "fault") this.#turnedAway(message.code);
  }

  #turnedAway(code: FaultCode): void {
    this.#settleAdmission({ kind: "refused", code });
    this.#quit();
  }

  #conclude(end: LinkEnd): LinkEnd {
    this.#quitting = true;
    this.#settleAdmission({ kind: "ended", end });
    const state = end.kind === "closed" && end.confirmed ? "closed" : "cut";
    this.#events.push([...unacknowledged(this.#view), { type: "state", state, detail: endDetail(end) }]);
    this.#events.end();
    this.#windowChanged();
    return end;
  }

  /** How many messages were sent and never acknowledged. */
  get unacknowledged(): number {
    return this.#view.kind === "inside" ? this.#view.unacknowledged.size : 0;
  }
}

function refuseText(room: string, text: string): string | undefined {
  if (room !== LOBBY) return `Cannot send to that room: there is only ${LOBBY} in this release; send there.`;
  const bytes = utf8(text).length;
  if (bytes === 0) return "Cannot send an empty message: there is nothing in it; write something.";
  if (bytes <= TEXT_BYTES_MAX) return undefined;
  return `Cannot send the message: it has ${bytes} bytes and ${TEXT_BYTES_MAX} are the limit; split it.`;
}

/** A word about an end, for a status line that says "closed" or "cut" itself; the sentence is in `ending.ts`. */
function endDetail(end: LinkEnd): string | undefined {
  if (end.kind === "cut") return undefined;
  return end.kind === "closed" ? end.reason : end.kind;
}
