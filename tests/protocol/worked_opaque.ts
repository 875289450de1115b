/**
 * The registration and the login by password of PROTOCOL §11, by the independent OPAQUE of tests/login, which takes its
 * randomness as an argument; our library draws its own. What a server answers to a registration is not random, so there
 * ours is held against it.
 *
 * @module
 */

import { deepEqual, equal } from "node:assert/strict";
import type { Provider } from "../../lib/crypto/port.ts";
import { encodeLoginStart, encodeOpaque, encodeRegisterStart } from "../../lib/login/message.ts";
import { type Bytes, concat, utf8, utf8Text } from "../../lib/wire/bytes.ts";
import {
  answerKe1,
  finishRegistration,
  makeKe1,
  publicKeyOf,
  registrationRequest,
  registrationResponse,
  sottoProfile,
} from "../login/opaque_oracle.ts";
import { ANN, type Given } from "./worked_people.ts";

/** The parts of OPAQUE's messages. */
export interface WorkedOpaque {
  /** The six messages, header included, by their names in the document. */
  readonly messages: Readonly<Record<LoginMessageName, Bytes>>;
  /** OPAQUE's own messages. */
  readonly request: Bytes;
  readonly response: Bytes;
  readonly record: Bytes;
  /** What both ends have after KE3. */
  readonly sessionKey: Bytes;
  /** The server's OPAQUE key. */
  readonly serverKey: Bytes;
}

type LoginMessageName =
  | "register_start_message"
  | "register_reply_message"
  | "register_finish_message"
  | "login_start_message"
  | "login_reply_message"
  | "login_finish_message";

/** Computes a registration of ann, followed by her login. */
export async function workedOpaque(given: Given, provider: Provider): Promise<WorkedOpaque> {
  const password = given("ann_password");
  equal(utf8Text(password)?.normalize("NFC"), utf8Text(password), "the password is in its normal form");
  const keys = { oprfSeed: given("opaque_oprf_seed"), privateKey: given("opaque_private_key") };
  const profile = sottoProfile(ANN);
  const identifier = utf8(ANN);

  const blind = given("register_blind");
  const request = registrationRequest(password, blind);
  const response = registrationResponse(keys, identifier, request);
  // The last part of a setup is a public key, of which the library makes nothing here.
  const setup = concat(keys.oprfSeed, keys.privateKey, publicKeyOf(keys.privateKey));
  deepEqual(await (await provider.opaque()).registrationResponse(setup, ANN, request), response);
  const envelopeNonce = given("envelope_nonce");
  const { record } = finishRegistration(profile, { password, blind, response, envelopeNonce });

  const ke1 = makeKe1(password, {
    blind: given("login_blind"),
    nonce: given("ke1_nonce"),
    keyshareSeed: given("ke1_keyshare_seed"),
  });
  const { ke2, ke3, sessionKey } = answerKe1(profile, {
    keys,
    identifier,
    record,
    ke1,
    maskingNonce: given("ke2_masking_nonce"),
    nonce: given("ke2_nonce"),
    keyshareSeed: given("ke2_keyshare_seed"),
  });
  return {
    messages: {
      register_start_message: encodeRegisterStart({ handle: ANN, code: given("invitation_code"), request }),
      register_reply_message: encodeOpaque("RegisterReply", response),
      register_finish_message: encodeOpaque("RegisterFinish", record),
      login_start_message: encodeLoginStart({ handle: ANN, ke1 }),
      login_reply_message: encodeOpaque("LoginReply", ke2),
      login_finish_message: encodeOpaque("LoginFinish", ke3),
    },
    request,
    response,
    record,
    sessionKey,
    serverKey: publicKeyOf(keys.privateKey),
  };
}
