/**
 * OPAQUE whose client does not stretch its password: a storm of clients that do would be a measurement of Argon2id, of
 * which a server does nothing. What the server computes and what goes over the wire is the same.
 *
 * @module
 */

import { client, ready } from "@serenity-kit/opaque";
import type { Opaque, Provider } from "../lib/crypto/port.ts";
import type { Bytes } from "../lib/wire/bytes.ts";

/** The password of everybody. */
export const QUICK_PASSWORD = "a password that is not stretched";

/** The least that Argon2id takes: one pass over eight KiB. */
const KEY_STRETCHING = { "argon2id-custom": { iterations: 1, memory: 8, parallelism: 1 } };

/** `provider` with an OPAQUE of which the client's half is quick. What is registered by it can be logged in to by it alone. */
export function withQuickOpaque(provider: Provider): Provider {
  return {
    ...provider,
    opaque: async () => {
      await ready;
      return { ...await provider.opaque(), startRegistration, startLogin };
    },
  };
}

const startRegistration: Opaque["startRegistration"] = (password, identity) => {
  const { clientRegistrationState, registrationRequest } = client.startRegistration({ password });
  return Promise.resolve({
    request: decode(registrationRequest),
    finish: (response) => {
      const finished = client.finishRegistration({
        password,
        clientRegistrationState,
        registrationResponse: encode(response),
        identifiers: { client: identity },
        keyStretching: KEY_STRETCHING,
      });
      return Promise.resolve(decode(finished.registrationRecord));
    },
  });
};

const startLogin: Opaque["startLogin"] = (password, identity) => {
  const { clientLoginState, startLoginRequest } = client.startLogin({ password });
  return Promise.resolve({
    ke1: decode(startLoginRequest),
    finish: (ke2) => {
      const finished = client.finishLogin({
        password,
        clientLoginState,
        loginResponse: encode(ke2),
        identifiers: { client: identity },
        keyStretching: KEY_STRETCHING,
      });
      if (finished === undefined) return Promise.resolve(undefined);
      return Promise.resolve({
        ke3: decode(finished.finishLoginRequest),
        sessionKey: decode(finished.sessionKey),
      });
    },
  });
};

function encode(bytes: Bytes): string {
  return bytes.toBase64({ alphabet: "base64url", omitPadding: true });
}

function decode(text: string): Bytes {
  return Uint8Array.fromBase64(text, { alphabet: "base64url" });
}
