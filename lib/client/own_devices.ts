/**
 * One's own devices while a conversation lasts: the account as it is believed, new devices that ask to be approved, and
 * the one change of the list that may be under way.
 *
 * @module
 */

import type { Entropy, Provider } from "../crypto/port.ts";
import { findDevice } from "../identity/device_list.ts";
import { Failure } from "../text/failure.ts";
import type { Bytes } from "../wire/bytes.ts";
import type { Approval, Approve, FaultCode, Keys, Publish } from "../wire/message.ts";
import { ApprovalRequests } from "./approval_requests.ts";
import { deviceLines } from "./device_lines.ts";
import type { ClientEvent, KeysNews } from "./event.ts";
import type { OwnKeysKeeper } from "./keepers.ts";
import { changeFault, type ChangeRequest, makeChange, named } from "./list_change.ts";
import { isActive, judgeOwn, keepAccount, type OwnAccount, sameKeys } from "./own_account.ts";
import { ANSWER_MS_MAX } from "./password_connection.ts";

/** What own devices are seen to with. */
export interface OwnDevicesParts {
  /** The primitives. */
  readonly provider: Provider;
  /** For what is sealed. */
  readonly entropy: Entropy;
  /** Milliseconds since 1970, for lists. */
  readonly wallClock: () => number;
  /** Milliseconds that never go back, for deadlines. */
  readonly clock: () => number;
  /** The server's host key, 32 octets. */
  readonly hostKey: Bytes;
  /** The server's address, as the person knows it. */
  readonly server: string;
  /** Keeps own keys. */
  readonly ownKeys: OwnKeysKeeper;
}

/** What comes of keys that the server shows. */
export interface TakenKeys {
  /** What a person is to be told. */
  readonly events: readonly ClientEvent[];
  /** Why the conversation cannot go on, where it cannot. */
  readonly stop: Failure | undefined;
}

/** A change that is to be sent, or the sentence of why there is none. */
export type BegunChange =
  | {
    readonly kind: "begun";
    readonly message: Approve | Publish;
    /** Settles with the server's answer: what to tell, as an event or as the sentence of a refusal. */
    readonly answer: Promise<ClientEvent | string>;
  }
  | { readonly kind: "refused"; readonly sentence: string };

/** How a change came out. */
type Outcome = "done" | "timedOut" | "ended" | FaultCode;

interface PendingChange {
  readonly keys: Keys;
  readonly deadline: number;
  readonly settle: (outcome: Outcome) => void;
}

/** The devices of the account that is in use. */
export class OwnDevices {
  readonly #parts: OwnDevicesParts;
  readonly #requests = new ApprovalRequests();
  #account: OwnAccount;
  #pending: PendingChange | undefined;

  /** Those of `account`. */
  constructor(account: OwnAccount, parts: OwnDevicesParts) {
    this.#account = account;
    this.#parts = parts;
  }

  /** The account as it is believed now. */
  get account(): OwnAccount {
    return this.#account;
  }

  /** What the device in use is called. */
  get deviceName(): string | undefined {
    const { device, opened: { list } } = this.#account;
    return findDevice(list.devices, device.publicKey)?.name;
  }

  /** The answer to a question for one's devices. */
  get told(): ClientEvent {
    const { device, opened: { list } } = this.#account;
    return { type: "devices", devices: deviceLines(list.devices, device.publicKey) };
  }

  /** Takes what the server shows as the account's keys. Rejects with a {@linkcode Failure} where they cannot be kept. */
  async take(keys: Keys): Promise<TakenKeys> {
    const judged = await judgeOwn(this.#account, keys, this.#parts);
    const { server } = this.#parts;
    if (judged.kind === "foreign") {
      return { events: [this.#news("identityChanged")], stop: foreignIdentity(this.#account.handle, server) };
    }
    if (judged.kind === "refused") return { events: [this.#news("listRefused")], stop: undefined };
    const { account, news } = judged;
    const isNew = !sameKeys(account.own.keys, this.#account.own.keys);
    const wasAsked = this.#pending !== undefined && sameKeys(this.#pending.keys, keys);
    this.#account = account;
    if (isNew) await keepAccount(account, this.#parts.ownKeys, this.#parts);
    if (wasAsked) this.#settle("done");
    return {
      events: wasAsked
        ? []
        : news.map((item) => this.#news(item.kind, "detail" in item ? item.detail : undefined)),
      stop: isActive(account) ? undefined : revokedHere(account.handle, server),
    };
  }

  /** Takes a new device's request; gives what a person is to be told. */
  async takeApproval(approval: Approval): Promise<readonly ClientEvent[]> {
    const { provider, hostKey } = this.#parts;
    const { handle, own: { keys: { identity } } } = this.#account;
    const request = await this.#requests.take(approval, provider, { hostKey, handle, identity });
    return request === undefined ? [] : [{ type: "approval", name: request.name, words: request.words }];
  }

  /** Begins a change of the list; one at a time. */
  async begin(request: ChangeRequest): Promise<BegunChange> {
    if (this.#pending !== undefined) {
      return {
        kind: "refused",
        sentence: `Cannot ${named(request)}: another change waits for the server; try again in a moment.`,
      };
    }
    const change = await makeChange(request, this.#account, { requests: this.#requests, parts: this.#parts });
    if (change.kind === "refused") return change;
    const { promise, resolve } = Promise.withResolvers<Outcome>();
    const deadline = this.#parts.clock() + ANSWER_MS_MAX;
    this.#pending = { keys: change.keys, deadline, settle: resolve };
    const answer = promise.then((outcome) => told(request, change.done, outcome));
    return { kind: "begun", message: change.message, answer };
  }

  /** Takes a fault that names no entry; whether it was the answer to a change. */
  takeFault(code: FaultCode): boolean {
    const isAnswer = this.#pending !== undefined;
    this.#settle(code);
    return isAnswer;
  }

  /** Looks at the deadline of the change that is under way. */
  tick(now: number): void {
    if (this.#pending !== undefined && now >= this.#pending.deadline) this.#settle("timedOut");
  }

  /** No answer will come. */
  end(): void {
    this.#settle("ended");
  }

  #settle(outcome: Outcome): void {
    this.#pending?.settle(outcome);
    this.#pending = undefined;
  }

  #news(news: KeysNews, detail?: string): ClientEvent {
    return { type: "keys", handle: this.#account.handle, news, detail };
  }
}

function told(request: ChangeRequest, done: string, outcome: Outcome): ClientEvent | string {
  switch (outcome) {
    case "done":
      return { type: "done", what: done };
    case "ended":
      return `Cannot ${named(request)}: the connection has ended; start again.`;
    case "timedOut":
      return `Cannot ${named(request)}: the server does not answer; connect again and look at /devices.`;
    default:
      return changeFault(request, outcome);
  }
}

function foreignIdentity(handle: string, server: string): Failure {
  return new Failure(
    "protocol",
    `Cannot go on as ${handle} at ${server}: the account has another identity now, which this device did not make; ` +
      "if you did, elsewhere, log in by password in a terminal to make this a new device, and else tell the server's operator.",
  );
}

function revokedHere(handle: string, server: string): Failure {
  return new Failure(
    "noPermission",
    `Cannot go on as ${handle} at ${server}: this device was revoked; ` +
      "log in by password in a terminal to make it a new device.",
  );
}
