import assert from "node:assert/strict";
import * as v from "valibot";
import { type Bytes, concat } from "../../lib/wire/bytes.ts";
import {
  answerKe1,
  finishLogin,
  finishRegistration,
  makeKe1,
  type Profile,
  publicKeyOf,
  registrationRequest,
  registrationResponse,
  type ServerKeys,
} from "../login/opaque_oracle.ts";
import { hex, readJson, Tally, vectorTest } from "./vector_files.ts";

/** What tells the cases apart, before the rest of their fields is read. */
const Case = v.looseObject({
  config: v.looseObject({ Fake: v.picklist(["True", "False"]), Group: v.string() }),
});

const Identities = {
  client_identity: v.optional(hex),
  server_identity: v.optional(hex),
};

const Server = {
  oprf_seed: hex,
  server_private_key: hex,
  server_public_key: hex,
  credential_identifier: hex,
  masking_nonce: hex,
  server_nonce: hex,
  server_keyshare_seed: hex,
};

const Real = v.object({
  config: v.object({ Context: hex }),
  inputs: v.object({
    ...Identities,
    ...Server,
    password: hex,
    blind_registration: hex,
    blind_login: hex,
    envelope_nonce: hex,
    client_nonce: hex,
    client_keyshare_seed: hex,
  }),
  outputs: v.object({
    registration_request: hex,
    registration_response: hex,
    registration_upload: hex,
    export_key: hex,
    KE1: hex,
    KE2: hex,
    KE3: hex,
    session_key: hex,
  }),
});

const Fake = v.object({
  config: v.object({ Context: hex }),
  inputs: v.object({ ...Identities, ...Server, KE1: hex, client_public_key: hex, masking_key: hex }),
  outputs: v.object({ KE2: hex }),
});

/** The RFC's vectors stretch nothing, and an identity that is left out is the public key. */
function profileOf(
  context: Bytes,
  identities: { readonly client_identity?: Bytes | undefined; readonly server_identity?: Bytes | undefined },
): Profile {
  return {
    context,
    stretch: (output) => output,
    identities: ({ server, client }) => ({
      server: identities.server_identity ?? server,
      client: identities.client_identity ?? client,
    }),
  };
}

function keysOf(
  inputs: { readonly oprf_seed: Bytes; readonly server_private_key: Bytes },
): ServerKeys {
  return { oprfSeed: inputs.oprf_seed, privateKey: inputs.server_private_key };
}

vectorTest("the OPAQUE that tests judge by computes RFC 9807's examples for ristretto255", async () => {
  const tally = new Tally();
  for (const each of await readJson("opaque/vectors.json", v.array(Case))) {
    if (each.config.Group !== "ristretto255") {
      tally.add("another group");
    } else if (each.config.Fake === "True") {
      checkFake(v.parse(Fake, each));
      tally.add("unknown name");
    } else {
      checkReal(v.parse(Real, each));
      tally.add("known name");
    }
  }
  assert.deepEqual(tally.counts, { "known name": 2, "unknown name": 1, "another group": 6 });
});

function checkReal({ config, inputs, outputs }: v.InferOutput<typeof Real>): void {
  const profile = profileOf(config.Context, inputs);
  const keys = keysOf(inputs);
  const { password, blind_registration, blind_login, credential_identifier } = inputs;
  assert.deepEqual(publicKeyOf(keys.privateKey), inputs.server_public_key);
  assert.deepEqual(registrationRequest(password, blind_registration), outputs.registration_request);
  const response = registrationResponse(keys, credential_identifier, outputs.registration_request);
  assert.deepEqual(response, outputs.registration_response);
  const registered = finishRegistration(profile, {
    password,
    blind: blind_registration,
    response,
    envelopeNonce: inputs.envelope_nonce,
  });
  assert.deepEqual(registered, { record: outputs.registration_upload, exportKey: outputs.export_key });
  const { client_keyshare_seed: keyshareSeed } = inputs;
  const ke1 = makeKe1(password, { blind: blind_login, nonce: inputs.client_nonce, keyshareSeed });
  assert.deepEqual(ke1, outputs.KE1);
  const answered = answerKe1(profile, {
    keys,
    identifier: credential_identifier,
    record: registered.record,
    ke1,
    maskingNonce: inputs.masking_nonce,
    nonce: inputs.server_nonce,
    keyshareSeed: inputs.server_keyshare_seed,
  });
  const { KE2: ke2, KE3: ke3, session_key: sessionKey } = outputs;
  assert.deepEqual(answered, { ke2, ke3, sessionKey });
  const finished = finishLogin(profile, { password, blind: blind_login, keyshareSeed, ke1, ke2 });
  assert.deepEqual(finished, { ke3, sessionKey, exportKey: outputs.export_key });
}

function checkFake({ config, inputs, outputs }: v.InferOutput<typeof Fake>): void {
  const record = concat(inputs.client_public_key, inputs.masking_key, new Uint8Array(96));
  const { ke2 } = answerKe1(profileOf(config.Context, inputs), {
    keys: keysOf(inputs),
    identifier: inputs.credential_identifier,
    record,
    ke1: inputs.KE1,
    maskingNonce: inputs.masking_nonce,
    nonce: inputs.server_nonce,
    keyshareSeed: inputs.server_keyshare_seed,
  });
  assert.deepEqual(ke2, outputs.KE2);
}
