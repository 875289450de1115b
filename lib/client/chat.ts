/**
 * A client's chat, which outlives its connections: one carries it at a time, and when that is lost another is tried, later
 * and later, until its person ends it or the time for that is over.
 *
 *     connecting ▸ ready ▸ cut ▸ waiting ▸ connecting …
 *
 * @module
 */

import type { VerifyingKey } from "../crypto/port.ts";
import type { Link, LinkEnd } from "../secure/link.ts";
import { Failure } from "../text/failure.ts";
import type { Handle } from "../text/handle.ts";
import type { Bytes } from "../wire/bytes.ts";
import type { CloseReason } from "../wire/close_code.ts";
import { pauseMs } from "./back_off.ts";
import type { Dial } from "./connection.ts";
import { Conversation, type ConversationParts } from "./conversation.ts";
import { DeviceConnection } from "./device_connection.ts";
import { brokenOff, endFailure } from "./ending.ts";
import type { ClientEvent, ClientRequest, Talk } from "./event.ts";
import { EventQueue } from "./event_queue.ts";
import type { LocalStore, LocalStoreKeeper, OwnKeys } from "./keepers.ts";
import { deviceRefused } from "./login_choice.ts";
import { damagedKeys, openAccount, type OwnAccount } from "./own_account.ts";
import { OwnDevices } from "./own_devices.ts";
import { People } from "./people.ts";
import { Sender } from "./sender.ts";
import { Settings } from "./settings.ts";

/** How long a connection lasts that counts as good again, in milliseconds. */
export const STEADY_MS = 30_000;

/** How the attempt to be let in came out. */
export type Admission = "admitted" | "deviceRefused" | "ended";

/** What a chat takes from outside. The host key is the one to which links are pinned. */
export interface ChatParts extends ConversationParts {
  /** Opens what is kept of its rooms. */
  readonly localStores: LocalStoreKeeper;
  /** The sentence of a host key that is not the pinned one. */
  readonly hostKeyChanged: (hostKey: Bytes) => Promise<Failure>;
  /** Does something later; what it gives cancels that. */
  readonly timer: (ms: number, act: () => void) => () => void;
  /** How long a lost connection is tried again, in milliseconds; `undefined`: for ever; 0: not at all. */
  readonly reconnectMs: number | undefined;
}

/** One account's chat on one server. */
export class Chat implements Talk {
  /** Who is speaking. */
  readonly name: Handle;
  /** Settles when it is known whether the server lets this client in, over the first connection. */
  readonly admission: Promise<Admission>;
  /** Settles after the last event: what the person has to be told of the end, where that is no good one. */
  readonly outcome: Promise<Failure | undefined>;

  readonly #parts: ChatParts;
  readonly #store: LocalStore & { close(): void };
  readonly #own: OwnDevices;
  readonly #conversation: Conversation;
  readonly #events: EventQueue<ClientEvent>;
  readonly #settleAdmission: (admission: Admission) => void;
  readonly #settleOutcome: (failure: Failure | undefined | Promise<never>) => void;
  #connection: DeviceConnection | undefined;
  /** Why this client ends by itself. */
  #stopped: { readonly failure: Failure | undefined } | undefined;
  /** A fault of our own, which ends the program. */
  #fault: { readonly cause: unknown } | undefined;
  #wasIn = false;
  #tries = 0;
  #lostAt = 0;
  #inSince = 0;
  /** Whether it was in since it was lost last. */
  #wasLately = false;
  #wakeUp: () => void = () => {};

  private constructor(
    made: Pick<Ready, "parts" | "store" | "own" | "events"> & {
      readonly conversation: (chat: Chat) => Conversation;
    },
  ) {
    const admission = Promise.withResolvers<Admission>();
    const outcome = Promise.withResolvers<Failure | undefined>();
    this.admission = admission.promise;
    this.outcome = outcome.promise;
    this.#settleAdmission = admission.resolve;
    this.#settleOutcome = outcome.resolve;
    this.#parts = made.parts;
    this.#store = made.store;
    this.#own = made.own;
    this.#events = made.events;
    this.name = made.own.account.handle;
    this.#conversation = made.conversation(this);
    this.#show({ type: "state", state: "connecting", detail: undefined });
  }

  /**
   * Makes ready the chat of `handle` by kept keys. Throws a {@linkcode Failure} where the keys, or what is kept of others
   * and of rooms, cannot be used.
   */
  static async prepare(handle: Handle, keys: OwnKeys, parts: ChatParts): Promise<Chat> {
    const { provider, hostKey } = parts;
    const account = await openAccount(handle, keys, parts);
    const host = await provider.ed25519VerifyingKey(hostKey);
    if (account === undefined || host === undefined) throw damagedKeys(handle);
    const people = new People(await parts.peers.load(handle), { provider, hostKey });
    const store = await parts.localStores.open(handle);
    try {
      return await Chat.#over(store, { account, host, people, parts });
    } catch (failure) {
      store.close();
      throw failure;
    }
  }

  static async #over(
    store: LocalStore & { close(): void },
    { account, host, people, parts }: {
      readonly account: OwnAccount;
      readonly host: VerifyingKey;
      readonly people: People;
      readonly parts: ChatParts;
    },
  ): Promise<Chat> {
    const own = new OwnDevices(account, parts);
    const sender = await Sender.open({ ...parts, store, own });
    const settings = await Settings.load(store);
    const events = new EventQueue<ClientEvent>();
    const conversation = (chat: Chat): Conversation =>
      new Conversation({
        ...parts,
        host,
        own,
        people,
        store,
        settings,
        sender,
        show: (shown) => events.push(shown),
        stop: (failure) => chat.#stop(failure),
        ready: () => chat.#ready(),
      });
    return new Chat({ parts, store, own, events, conversation });
  }

  /** How many entries were not stored when it ended, and are kept. */
  get unsent(): number {
    return this.#conversation.unsent;
  }

  /** The next event for the front end. */
  nextEvent(): Promise<ClientEvent | undefined> {
    return this.#events.next();
  }

  /** Does what the front end asks. */
  async request(request: ClientRequest): Promise<string | undefined> {
    if (request.type === "quit") return await this.#quit();
    if (this.#stopped !== undefined) return ENDED;
    try {
      return await this.#conversation.request(request);
    } catch (failure) {
      // What cannot be kept is told like any other refusal.
      if (failure instanceof Failure) return failure.message;
      throw failure;
    }
  }

  /** Whether one is in a room of that label. */
  isIn(room: string): boolean {
    return this.#conversation.isIn(room);
  }

  /** Begins to be carried by a connection over `link`. */
  carry(link: Link): DeviceConnection {
    const connection: DeviceConnection = new DeviceConnection(link, {
      handle: this.name,
      device: this.#own.account.device,
      hostKey: this.#parts.hostKey,
      clock: this.#parts.clock,
      take: (message) => this.#conversation.take(message),
      room: () => this.#events.room(),
      isFull: () => this.#events.full,
      tick: (now) => this.#conversation.tick(now),
      failed: (fault) => this.#failed(fault),
    });
    this.#connection = connection;
    this.#conversation.connected(connection);
    return connection;
  }

  /** Lets go of what is kept, where no connection came about. */
  abandon(): void {
    this.#store.close();
  }

  /** Goes on from the end of its first connection: over others by `dial`, until it is over. */
  async run(first: DeviceConnection, dial: Dial): Promise<void> {
    let connection = first;
    for (;;) {
      const end = await connection.ended;
      this.#connection = undefined;
      await this.#conversation.disconnected();
      if (this.#stopped === undefined && this.#wasIn && isPassing(end, connection)) {
        const next = await this.#comeBack(dial, endDetail(end));
        if (next !== undefined) {
          connection = next;
          continue;
        }
      }
      return await this.#conclude(end, connection);
    }
  }

  /** Another connection; `undefined` where the time for that is over, or its person has ended it. */
  async #comeBack(dial: Dial, detail: string | undefined): Promise<DeviceConnection | undefined> {
    const { entropy, clock, reconnectMs } = this.#parts;
    // Whoever lets in and cuts at once is tried less and less often, too.
    if (clock() - this.#inSince >= STEADY_MS) this.#tries = 0;
    if (this.#wasLately) this.#lostAt = clock();
    this.#wasLately = false;
    for (let isTold = false;; isTold = true) {
      const pause = pauseMs(this.#tries++, entropy);
      const isLate = reconnectMs !== undefined && clock() - this.#lostAt + pause >= reconnectMs;
      if (isLate || this.#stopped !== undefined) return undefined;
      if (!isTold) this.#show({ type: "state", state: "cut", detail });
      this.#show({ type: "state", state: "waiting", detail: `${Math.ceil(pause / 1_000)} s` });
      await this.#sleep(pause);
      if (this.#stopped !== undefined) return undefined;
      this.#show({ type: "state", state: "connecting", detail: undefined });
      try {
        return await dial((link) => this.carry(link));
      } catch (failure) {
        if (!(failure instanceof Failure)) throw failure;
        if (!PASSING_EXITS.includes(failure.exit)) {
          this.#stop(failure);
          return undefined;
        }
      }
    }
  }

  async #sleep(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const cancel = this.#parts.timer(ms, resolve);
    this.#wakeUp = resolve;
    await promise;
    cancel();
  }

  #ready(): void {
    this.#wasIn = true;
    this.#wasLately = true;
    this.#inSince = this.#parts.clock();
    this.#connection?.admit();
    this.#show({ type: "state", state: "ready", detail: undefined });
    this.#settleAdmission("admitted");
  }

  /** Ends once all that was said is stored, as far as there is a connection; asked again, at once. */
  async #quit(): Promise<undefined> {
    const isAgain = this.#stopped !== undefined;
    this.#stopped ??= { failure: undefined };
    this.#wakeUp();
    if (!isAgain) await this.#conversation.drained();
    this.#connection?.leave();
  }

  /** Ends for a reason of one's own. */
  #stop(failure: Failure): void {
    if (this.#stopped?.failure === undefined) this.#stopped = { failure };
    this.#wakeUp();
    this.#connection?.leave();
  }

  #failed(fault: unknown): void {
    if (fault instanceof Failure) return this.#stop(fault);
    this.#fault ??= { cause: fault };
    this.#stop(new Failure("protocol", "Cannot go on: this program is at fault; report it."));
  }

  async #conclude(end: LinkEnd, connection: DeviceConnection): Promise<void> {
    this.#stopped ??= { failure: undefined };
    await this.#conversation.end();
    this.#settleAdmission(connection.refused ? "deviceRefused" : "ended");
    const state = end.kind === "closed" && end.confirmed ? "closed" : "cut";
    this.#events.push([
      ...this.#conversation.unacknowledged,
      { type: "state", state, detail: endDetail(end) },
    ]);
    this.#events.end();
    const failure = await this.#failureOf(end, connection);
    this.#store.close();
    this.#settleOutcome(this.#fault === undefined ? failure : Promise.reject(this.#fault.cause));
  }

  async #failureOf(end: LinkEnd, connection: DeviceConnection): Promise<Failure | undefined> {
    if (this.#stopped?.failure !== undefined) return this.#stopped.failure;
    const { server, hostKeyChanged } = this.#parts;
    if (end.kind === "hostKeyRefused") return await hostKeyChanged(end.hostKey);
    if (connection.refused) return deviceRefused(this.name, server);
    if (connection.timedOut) return notLetIn(this.name, server);
    const failure = endFailure(end, server);
    if (!this.#wasIn) return failure ?? brokenOff(end, server);
    if (this.unsent === 0 || end.kind === "failed") return failure;
    return new Failure(
      "temporary",
      `Cannot send all that was said at ${server}: ${
        this.unsent === 1 ? "1 message waits" : `${this.unsent} messages wait`
      } for a connection; start again, and ${this.unsent === 1 ? "it is" : "they are"} sent.`,
    );
  }

  #show(event: ClientEvent): void {
    this.#events.push([event]);
  }
}

/** What is made ready before it begins. */
interface Ready {
  readonly parts: ChatParts;
  readonly store: LocalStore & { close(): void };
  readonly own: OwnDevices;
  readonly events: EventQueue<ClientEvent>;
}

/** Failures to connect that another try may not meet. */
const PASSING_EXITS: readonly Failure["exit"][] = ["unavailable", "temporary"];

const ENDED = "Cannot do that: the client is ending; start again.";

/** Reasons of a server's close that are over in a while. */
const PASSING: readonly CloseReason[] = ["shuttingDown", "reconnect", "tooSlow", "loginTimeout"];

/** Whether an end may be followed by another try that goes better. */
function isPassing(end: LinkEnd, { refused, timedOut }: DeviceConnection): boolean {
  if (refused) return false;
  switch (end.kind) {
    case "cut":
    case "timedOut":
      return true;
    case "closed":
      return end.by === "us" ? timedOut : PASSING.includes(end.reason);
    default:
      return false;
  }
}

function notLetIn(handle: Handle, server: string): Failure {
  return new Failure(
    "temporary",
    `Cannot come in as ${handle} at ${server}: it does not answer in time; try again.`,
  );
}

/** A word about an end, for a status line that says "closed" or "cut" itself; the sentence is in `ending.ts`. */
function endDetail(end: LinkEnd): string | undefined {
  if (end.kind === "cut") return undefined;
  return end.kind === "closed" ? end.reason : end.kind;
}
