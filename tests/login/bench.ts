/**
 * What the tests of lib/login are made of: names, a book in memory that tells what it was asked, a desk over it, and a
 * client that is the oracle's. That client stretches nothing unless it is told to, since a server cannot know.
 *
 * @module
 */

import assert from "node:assert/strict";
import { systemEntropy } from "../../lib/crypto/entropy.ts";
import type { Opaque, Provider } from "../../lib/crypto/port.ts";
import {
  encodeLoginStart,
  encodeOpaque,
  encodeRegisterStart,
  type LoginMessage,
  type RefusalCode,
} from "../../lib/login/message.ts";
import { type Attempt, type DeskStep, type LoginBook, LoginDesk } from "../../lib/login/server_login.ts";
import { type Handle, parseHandle } from "../../lib/text/handle.ts";
import { type Bytes, equal, utf8 } from "../../lib/wire/bytes.ts";
import { provider } from "../crypto/test_provider.ts";
import {
  finishLogin,
  finishRegistration,
  makeKe1,
  type Profile,
  registrationRequest,
  scalarOf,
  sottoProfile,
} from "./opaque_oracle.ts";

/** The text as a handle. */
export function handle(text: string): Handle {
  return parseHandle(text) ?? assert.fail(`${text} is no handle`);
}

/** Somebody with an account. */
export const ANN = handle("ann");
/** Somebody without. */
export const BOB = handle("bob");
/** When all of it happens. */
export const NOW = 1_700_000_000_000;
/** The exporter of the desk's channel. */
export const EXPORTER: Bytes = Uint8Array.from({ length: 64 }, (_, at) => at);
/** The setup of the desk's server. */
export const SETUP: Bytes = await (await provider.opaque()).newSetup();

/** One message of its octets, as the channel would give it. */
export function received(bytes: Bytes): LoginMessage {
  const [type = 0, high = 0, low = 0] = bytes;
  const fields = bytes.slice(3);
  assert.equal(fields.length, high * 256 + low, "one whole message");
  return { type, fields, bytes };
}

/** The one message of a step that has one. */
export function messageOf(step: DeskStep, kind: "reply" | "refuseAndClose" = "reply"): LoginMessage {
  assert.equal(step.kind, kind);
  return "message" in step ? received(step.message) : assert.fail("a step with a message");
}

/** An account in a {@linkcode MemoryBook}. */
export interface BookAccount {
  /** OPAQUE's record. */
  readonly record: Bytes | undefined;
  /** Whether it may log in. */
  readonly active: boolean;
  /** Its active devices. */
  readonly devices: readonly Bytes[];
}

/** A book that keeps all in memory, allows what a field says, and remembers what it was asked, in order. */
export class MemoryBook implements LoginBook {
  /** By handle. */
  readonly accounts = new Map<Handle, BookAccount>();
  /** What was asked, in words; others may add to it. */
  readonly asked: string[] = [];
  /** What registrations are answered. */
  registration: RefusalCode | undefined = undefined;
  /** What the last step of a registration is answered. */
  registering: RefusalCode | undefined = undefined;
  /** How many more passwords may be tried. */
  attemptsLeft = 1_000_000;
  /** Whether it answers a turn later, as a database would: whoever does not wait is seen in {@linkcode asked}. */
  late = true;
  /** The hash of the last code that came. */
  codeHash: Bytes | undefined = undefined;

  /** See {@linkcode LoginBook}. */
  async mayRegister(name: Handle, codeHash: Bytes | undefined): Promise<RefusalCode | undefined> {
    this.codeHash = codeHash;
    return await this.#answer(`mayRegister ${name}`, this.registration);
  }

  /** See {@linkcode LoginBook}. */
  async register(
    name: Handle,
    record: Bytes,
    codeHash: Bytes | undefined,
  ): Promise<RefusalCode | undefined> {
    assert.deepEqual(codeHash, this.codeHash, "the code of the registration's start");
    const refusal = await this.#answer(`register ${name}`, this.registering);
    if (refusal === undefined) this.accounts.set(name, { record, active: true, devices: [] });
    return refusal;
  }

  /** See {@linkcode LoginBook}. */
  async attempt(name: Handle): Promise<Attempt> {
    if (this.attemptsLeft === 0) return await this.#answer(`refuse ${name}`, { kind: "refused" });
    this.attemptsLeft -= 1;
    const account = this.accounts.get(name);
    const record = account?.active === true ? account.record : undefined;
    return await this.#answer(`count ${name}`, { kind: "go", record });
  }

  /** See {@linkcode LoginBook}. */
  async device(name: Handle, deviceKey: Bytes): Promise<boolean> {
    const account = this.accounts.get(name);
    const known = account?.devices.some((key) => equal(key, deviceKey)) === true && account.active;
    return await this.#answer(`device ${name}`, known);
  }

  async #answer<Answer>(what: string, answer: Answer): Promise<Answer> {
    if (this.late) await new Promise((resolve) => setTimeout(resolve, 0));
    this.asked.push(what);
    return answer;
  }
}

/** A desk over `book` for one connection. */
export function desk(book: MemoryBook, changes: Partial<Provider> = {}): LoginDesk {
  return new LoginDesk({ ...provider, ...changes }, { setup: SETUP, exporter: EXPORTER, book });
}

/** A desk whose OPAQUE is noted in the book too. */
export function watchedDesk(book: MemoryBook): LoginDesk {
  return desk(book, {
    async opaque(): Promise<Opaque> {
      const real = await provider.opaque();
      return {
        ...real,
        async registrationResponse(setup, identity, request) {
          book.asked.push(`evaluate ${identity}`);
          return await real.registrationResponse(setup, identity, request);
        },
        async answerLogin(setup, identity, given) {
          book.asked.push(`answer ${identity}`);
          return await real.answerLogin(setup, identity, given);
        },
      };
    },
  });
}

/** Sotto's profile without its cost. */
export function quickProfile(name: Handle): Profile {
  return { ...sottoProfile(name), stretch: (output) => output };
}

/** The oracle's client in the midst of a registration. */
export function oracleRegistration(
  name: Handle,
  password: string,
  { profile = quickProfile(name), code }: { readonly profile?: Profile; readonly code?: Bytes } = {},
): { readonly start: LoginMessage; readonly finish: (reply: LoginMessage) => LoginMessage } {
  const blind = scalarOf(systemEntropy(32));
  const request = registrationRequest(utf8(password), blind);
  return {
    start: received(encodeRegisterStart({ handle: name, code, request })),
    finish({ fields: response }) {
      const envelopeNonce = systemEntropy(32);
      const { record } = finishRegistration(profile, {
        password: utf8(password),
        blind,
        response,
        envelopeNonce,
      });
      return received(encodeOpaque("RegisterFinish", record));
    },
  };
}

/** The oracle's client in the midst of a login. */
export function oracleLogin(
  name: Handle,
  password: string,
  profile: Profile = quickProfile(name),
): {
  readonly start: LoginMessage;
  readonly finish: (
    reply: LoginMessage,
  ) => { readonly message: LoginMessage; readonly sessionKey: Bytes } | undefined;
} {
  const secrets = {
    blind: scalarOf(systemEntropy(32)),
    nonce: systemEntropy(32),
    keyshareSeed: systemEntropy(32),
  };
  const ke1 = makeKe1(utf8(password), secrets);
  return {
    start: received(encodeLoginStart({ handle: name, ke1 })),
    finish({ fields: ke2 }) {
      const done = finishLogin(profile, { password: utf8(password), ...secrets, ke1, ke2 });
      return done &&
        { message: received(encodeOpaque("LoginFinish", done.ke3)), sessionKey: done.sessionKey };
    },
  };
}

/** A book in which `name` is registered with `password` by the oracle's client. */
export async function bookWith(name: Handle, password: string): Promise<MemoryBook> {
  const book = new MemoryBook();
  const [connection, registration] = [desk(book), oracleRegistration(name, password)];
  const reply = messageOf(await connection.take(registration.start, NOW));
  const step = await connection.take(registration.finish(reply), NOW);
  assert.equal(step.kind, "continue");
  book.asked.length = 0;
  return book;
}
