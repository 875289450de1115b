/**
 * The reception of a server: who may register, whose password may be tried how often, which devices may come in. One
 * {@linkcode Visit} for each connection; the counts of failures are shared by all.
 *
 * @module
 */

import { BackOff, type Counted } from "../chat/back_off.ts";
import type { AccountStore } from "../chat/port.ts";
import { activeDevice } from "../chat/publication.ts";
import { mayRegister, register, type Registration } from "../chat/registration.ts";
import type { Entropy, Provider } from "../crypto/port.ts";
import type { RefusalCode } from "../login/message.ts";
import type { Attempt, LoginBook } from "../login/server_login.ts";
import type { Handle } from "../text/handle.ts";
import type { Bytes } from "../wire/bytes.ts";
import type { Login, SessionNews } from "./port.ts";

/** Octets of the key by which names and addresses are counted: as many as nobody guesses. */
const BACK_OFF_KEY_BYTES = 32;

/** What a reception works with. */
export interface ReceptionParts {
  /** The accounts. */
  readonly store: AccountStore;
  /** Who may register. */
  readonly registration: Registration;
  /** Hashes whom it counts. */
  readonly provider: Provider;
  /** Gives this run's key for that. */
  readonly entropy: Entropy;
}

/** One server's. */
export class Reception {
  readonly #store: AccountStore;
  readonly #registration: Registration;
  readonly #backOff: BackOff;

  /** A reception at which nobody has failed yet. */
  constructor({ store, registration, provider, entropy }: ReceptionParts) {
    this.#store = store;
    this.#registration = registration;
    this.#backOff = new BackOff(provider, entropy(BACK_OFF_KEY_BYTES));
  }

  /** A connection from `address`, an address group of lib/chat/address_group.ts; `note` is told what comes of it. */
  visit(address: string, note: (news: SessionNews) => void): Visit {
    return new Visit({
      store: this.#store,
      registration: this.#registration,
      backOff: this.#backOff,
      address,
      note,
    });
  }
}

/** What a visit needs of its reception. */
interface VisitParts {
  readonly store: AccountStore;
  readonly registration: Registration;
  readonly backOff: BackOff;
  readonly address: string;
  readonly note: (news: SessionNews) => void;
}

/** A password tried, and how it was counted. */
interface PasswordTry {
  readonly handle: Handle;
  readonly record: Bytes | undefined;
  readonly counted: Counted;
}

/** One connection at the reception. All `now` are milliseconds since 1970. */
export class Visit implements LoginBook {
  readonly #parts: VisitParts;
  /** The password try of which it has not shown yet how it turned out. */
  #tried: PasswordTry | undefined;
  /** The registration begun after which nobody has logged in yet. */
  #begun: Counted | undefined;

  /** A connection that has said nothing yet. */
  constructor(parts: VisitParts) {
    this.#parts = parts;
  }

  /** Why the name may not be registered; `undefined` where it may. It is counted before anything is looked up. */
  async mayRegister(
    handle: Handle,
    codeHash: Bytes | undefined,
    now: number,
  ): Promise<RefusalCode | undefined> {
    const { store, registration, backOff, address } = this.#parts;
    this.#begun = await backOff.attemptRegistration(address, now);
    if (this.#begun === undefined) return this.#noteRefusal(handle, "tooManyTries");
    return this.#noteRefusal(handle, await mayRegister(store, registration, { handle, codeHash, now }));
  }

  /** Registers, and tells the operator. */
  async register(
    handle: Handle,
    record: Bytes,
    codeHash: Bytes | undefined,
    now: number,
  ): Promise<RefusalCode | undefined> {
    const { store, registration, note } = this.#parts;
    const code = await register(store, registration, { handle, record, codeHash, now });
    if (code === undefined) note({ kind: "registered", handle });
    return this.#noteRefusal(handle, code);
  }

  /** Counts a failure before anything is looked up, so that tries at the same time are counted one by one. */
  async attempt(handle: Handle, now: number): Promise<Attempt> {
    this.end();
    const { store, backOff, address, note } = this.#parts;
    const counted = await backOff.attempt({ handle, address }, now);
    if (counted === undefined) {
      note({ kind: "loginFailed", handle, why: "tooManyTries" });
      return { kind: "refused" };
    }
    const account = await store.find(handle);
    const record = account?.standing === "active" ? account.passwordRecord : undefined;
    this.#tried = { handle, record, counted };
    return { kind: "go", record };
  }

  /**
   * Whether it is an active device of an account that may log in. Only a list that has its key in it is read: reading one
   * takes a time that would tell a stranger which names are there.
   */
  async device(handle: Handle, deviceKey: Bytes): Promise<boolean> {
    return activeDevice(await this.#parts.store.keysNaming(handle, deviceKey), deviceKey) !== undefined;
  }

  /** The login of which OPAQUE found that its password is right; `undefined` where no password was tried for `handle`. */
  passwordLogin(handle: Handle): Login | undefined {
    const tried = this.#tried;
    if (tried?.record === undefined || tried.handle !== handle) return undefined;
    return { kind: "password", handle, record: tried.record };
  }

  /** The client has shown that it holds the keys of its login: neither its try nor its registration was a failure. */
  succeed(): void {
    const { backOff } = this.#parts;
    if (this.#tried !== undefined) backOff.giveBack(this.#tried.counted);
    if (this.#begun !== undefined) backOff.giveBack(this.#begun);
    this.#tried = undefined;
    this.#begun = undefined;
  }

  /** The connection is over, or another password is tried: what had not succeeded has failed. */
  end(): void {
    const tried = this.#tried;
    this.#tried = undefined;
    if (tried !== undefined) {
      this.#parts.note({ kind: "loginFailed", handle: tried.handle, why: "wrongPassword" });
    }
  }

  #noteRefusal(handle: Handle, code: RefusalCode | undefined): RefusalCode | undefined {
    if (code !== undefined) this.#parts.note({ kind: "registrationRefused", handle, code });
    return code;
  }
}
