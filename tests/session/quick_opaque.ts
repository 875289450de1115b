/**
 * OPAQUE without its cost: the real server, and the oracle's client, which stretches nothing. What is registered by it can
 * be logged in to by it alone.
 *
 * @module
 */

import assert from "node:assert/strict";
import { systemEntropy } from "../../lib/crypto/entropy.ts";
import type { Opaque, Provider } from "../../lib/crypto/port.ts";
import { parseHandle } from "../../lib/text/handle.ts";
import { utf8 } from "../../lib/wire/bytes.ts";
import { quickProfile } from "../login/bench.ts";
import {
  finishLogin,
  finishRegistration,
  makeKe1,
  type Profile,
  registrationRequest,
  scalarOf,
} from "../login/opaque_oracle.ts";

/** `provider` with a quick OPAQUE. */
export function withQuickOpaque(provider: Provider): Provider {
  return {
    ...provider,
    async opaque(): Promise<Opaque> {
      return { ...await provider.opaque(), startRegistration, startLogin };
    },
  };
}

const startRegistration: Opaque["startRegistration"] = (password, identity) => {
  const given = { password: utf8(password), blind: scalarOf(systemEntropy(32)) };
  return Promise.resolve({
    request: registrationRequest(given.password, given.blind),
    finish: (response) =>
      Promise.resolve(
        finishRegistration(profile(identity), { ...given, response, envelopeNonce: systemEntropy(32) })
          .record,
      ),
  });
};

const startLogin: Opaque["startLogin"] = (password, identity) => {
  const given = {
    password: utf8(password),
    blind: scalarOf(systemEntropy(32)),
    nonce: systemEntropy(32),
    keyshareSeed: systemEntropy(32),
  };
  const ke1 = makeKe1(given.password, given);
  return Promise.resolve({
    ke1,
    finish: (ke2) => Promise.resolve(finishLogin(profile(identity), { ...given, ke1, ke2 })),
  });
};

function profile(identity: string): Profile {
  return quickProfile(parseHandle(identity) ?? assert.fail("identities are handles"));
}
