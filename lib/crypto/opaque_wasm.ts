/**
 * OPAQUE by `@serenity-kit/opaque`, which is Rust's opaque-ke in WebAssembly: octets in and out, where the library has
 * base64url; every length checked on both sides of it; the peer's faults returned, where it throws. To be imported
 * lazily, by webcrypto.ts. All its calls are synchronous, and those with Argon2id block for some tenths of a second.
 *
 * @module
 */

import { client, ready, server } from "@serenity-kit/opaque";
import { type Bytes, utf8 } from "../wire/bytes.ts";
import { requireLength } from "./lengths.ts";
import {
  type Opaque,
  OPAQUE_BYTES,
  type OpaqueClientLogin,
  type OpaqueRegistration,
  type OpaqueServerLogin,
  PASSWORD_BYTES_MAX,
} from "./port.ts";

await ready;

/**
 * What a guess at a password costs, RFC 9106's second choice: 64 MiB three times over. Fixed by the protocol's version,
 * since a record fits no other cost. Memory is in KiB.
 */
const KEY_STRETCHING = { "argon2id-custom": { iterations: 3, memory: 65_536, parallelism: 4 } };

/** How the library's own errors begin; any other, such as one of WebAssembly, is not about what a peer sent. */
const LIBRARY_FAULT = /^opaque protocol error at "([^"]*)"/;

/** The one that is about a record: kept by us, or on its way there. */
const RECORD_STAGE = "deserialize registrationRecord";

/** Those of them that are about what we keep, not about what a peer sent. */
const OUR_STAGES: readonly string[] = ["deserialize serverSetup", RECORD_STAGE];

/** Octets of the masking key in a record, between the client's public key and the envelope (RFC 9807 §5). */
const MASKING_KEY_BYTES = 64;

/** A public key whose private half nobody knows: a blinded request is a random group element (RFC 9497 §3.3.1). */
const STRANGERS_KEY: Bytes = decode(
  "registrationRequest",
  client.startRegistration({ password: "" }).registrationRequest,
);

/** Some login's start, to be answered from a record that is looked at. */
const ANY_KE1: string = client.startLogin({ password: "" }).startLoginRequest;

/** The library's OPAQUE. Its context is empty, and the server's identity is its public key. */
export const wasmOpaque: Opaque = {
  newSetup,
  startRegistration,
  registrationResponse,
  isRecord,
  startLogin,
  answerLogin,
};

// The library is synchronous, the interface is not: async makes a throw a rejection, as WebCrypto's are. So everywhere here.
// deno-lint-ignore require-await
async function newSetup(): Promise<Bytes> {
  return decode("setup", server.createSetup());
}

// deno-lint-ignore require-await
async function startRegistration(password: string, identity: string): Promise<OpaqueRegistration> {
  const normal = normalForm(password);
  const { clientRegistrationState, registrationRequest } = client.startRegistration({ password: normal });
  return {
    request: decode("registrationRequest", registrationRequest),
    // deno-lint-ignore require-await
    async finish(response) {
      if (response.length !== OPAQUE_BYTES.registrationResponse) return undefined;
      const finished = unlessRefused(() =>
        client.finishRegistration({
          password: normal,
          clientRegistrationState,
          registrationResponse: encode(response),
          identifiers: { client: identity },
          keyStretching: KEY_STRETCHING,
        })
      );
      return finished && decode("registrationRecord", finished.registrationRecord);
    },
  };
}

// deno-lint-ignore require-await
async function registrationResponse(
  setup: Bytes,
  identity: string,
  request: Bytes,
): Promise<Bytes | undefined> {
  requireLength("an OPAQUE setup", setup, OPAQUE_BYTES.setup);
  if (request.length !== OPAQUE_BYTES.registrationRequest) return undefined;
  const made = unlessRefused(() =>
    server.createRegistrationResponse({
      serverSetup: encode(setup),
      userIdentifier: identity,
      registrationRequest: encode(request),
    })
  );
  return made && decode("registrationResponse", made.registrationResponse);
}

// deno-lint-ignore require-await
async function isRecord(setup: Bytes, record: Bytes): Promise<boolean> {
  requireLength("an OPAQUE setup", setup, OPAQUE_BYTES.setup);
  if (record.length !== OPAQUE_BYTES.registrationRecord) return false;
  try {
    server.startLogin({
      serverSetup: encode(setup),
      userIdentifier: "",
      registrationRecord: encode(record),
      startLoginRequest: ANY_KE1,
    });
    return true;
  } catch (error) {
    if (faultStage(error) === RECORD_STAGE) return false;
    throw error;
  }
}

// deno-lint-ignore require-await
async function startLogin(password: string, identity: string): Promise<OpaqueClientLogin> {
  const normal = normalForm(password);
  const { clientLoginState, startLoginRequest } = client.startLogin({ password: normal });
  return {
    ke1: decode("ke1", startLoginRequest),
    // deno-lint-ignore require-await
    async finish(ke2) {
      if (ke2.length !== OPAQUE_BYTES.ke2) return undefined;
      const finished = unlessRefused(() =>
        client.finishLogin({
          password: normal,
          clientLoginState,
          loginResponse: encode(ke2),
          identifiers: { client: identity },
          keyStretching: KEY_STRETCHING,
        })
      );
      return finished && {
        ke3: decode("ke3", finished.finishLoginRequest),
        sessionKey: decode("sessionKey", finished.sessionKey),
      };
    },
  };
}

// deno-lint-ignore require-await
async function answerLogin(
  setup: Bytes,
  identity: string,
  { record, ke1 }: { readonly record: Bytes | undefined; readonly ke1: Bytes },
): Promise<OpaqueServerLogin | undefined> {
  requireLength("an OPAQUE setup", setup, OPAQUE_BYTES.setup);
  if (record !== undefined) requireLength("an OPAQUE record", record, OPAQUE_BYTES.registrationRecord);
  if (ke1.length !== OPAQUE_BYTES.ke1) return undefined;
  const identifiers = { client: identity };
  // Made for known names too, and given as theirs are: the library would answer an unknown one by a shorter way.
  const strangers = strangersRecord();
  const started = unlessRefused(() =>
    server.startLogin({
      serverSetup: encode(setup),
      userIdentifier: identity,
      registrationRecord: encode(record ?? strangers),
      startLoginRequest: encode(ke1),
      identifiers,
    })
  );
  if (started === undefined) return undefined;
  const { serverLoginState, loginResponse } = started;
  return {
    ke2: decode("ke2", loginResponse),
    // deno-lint-ignore require-await
    async finish(ke3) {
      if (ke3.length !== OPAQUE_BYTES.ke3) return undefined;
      const finished = unlessRefused(() =>
        server.finishLogin({ serverLoginState, finishLoginRequest: encode(ke3), identifiers })
      );
      return finished && decode("sessionKey", finished.sessionKey);
    },
  };
}

/** A record of a password that nobody has (RFC 9807 §6.3.2.2): a fresh masking key, and zeros for an envelope. */
function strangersRecord(): Bytes {
  const record = new Uint8Array(OPAQUE_BYTES.registrationRecord);
  record.set(STRANGERS_KEY);
  crypto.getRandomValues(record.subarray(STRANGERS_KEY.length, STRANGERS_KEY.length + MASKING_KEY_BYTES));
  return record;
}

/** What a person typed, in one spelling; see {@linkcode Opaque}. */
function normalForm(password: string): string {
  const normal = password.normalize("NFC");
  if (utf8(normal).length > PASSWORD_BYTES_MAX) {
    throw new RangeError(`Cannot use a password: it has more than ${PASSWORD_BYTES_MAX} octets`);
  }
  return normal;
}

/** The outcome, or `undefined` where the library refuses what a peer sent. */
function unlessRefused<Outcome>(call: () => Outcome): Outcome | undefined {
  try {
    return call();
  } catch (error) {
    const stage = faultStage(error);
    if (stage === undefined || OUR_STAGES.includes(stage)) throw error;
    return undefined;
  }
}

/** What the library was about when it threw `error`; `undefined` where that is not its own. */
function faultStage(error: unknown): string | undefined {
  return error instanceof Error ? LIBRARY_FAULT.exec(error.message)?.[1] : undefined;
}

function encode(bytes: Bytes): string {
  return bytes.toBase64({ alphabet: "base64url", omitPadding: true });
}

function decode(what: keyof typeof OPAQUE_BYTES, text: string): Bytes {
  const bytes = Uint8Array.fromBase64(text, { alphabet: "base64url" });
  requireLength(`OPAQUE's ${what}`, bytes, OPAQUE_BYTES[what]);
  return bytes;
}
