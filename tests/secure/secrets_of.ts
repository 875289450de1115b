/**
 * Every secret of a recorded session: what an attacker never has, and what the golden sessions show.
 *
 * @module
 */

import assert from "node:assert/strict";
import { offer, takeReply, takeServerProof } from "../../lib/secure/client_handshake.ts";
import { extract } from "../../lib/secure/hkdf.ts";
import { earlySecret, expandLabel, mixedSecrets, nextSecret } from "../../lib/secure/schedule.ts";
import { takeDone, takeHello } from "../../lib/secure/server_handshake.ts";
import { type Bytes, concat } from "../../lib/wire/bytes.ts";
import { LOGIN_SAID, SESSION_KEY } from "./recorded_login.ts";
import { partsOf, type Recorded, repeatable } from "./recorded_session.ts";

/** The handshake of a session, step by step; names as in PROTOCOL §4.4. */
export interface Secrets {
  /** The six messages, header included, in their order. */
  readonly messages: Readonly<
    Record<"Hello" | "Reply" | "HostKey" | "Signature" | "Finished" | "Done", Bytes>
  >;
  /** Extract(0, psk). */
  readonly early: Bytes;
  /** The handshake secret. */
  readonly hs: Bytes;
  /** The secrets of epoch 0. */
  readonly c_hs: Bytes;
  /** The server's. */
  readonly s_hs: Bytes;
  /** The master secret. */
  readonly ms: Bytes;
  /** The secrets of epoch 1. */
  readonly c_ap: Bytes;
  /** The server's. */
  readonly s_ap: Bytes;
  /** Names the connection. */
  readonly exporter: Bytes;
  /** The secrets of epoch 2, after a login by password or, where there is none, a rekey of each direction. */
  readonly c_ap_2: Bytes;
  /** The server's. */
  readonly s_ap_2: Bytes;
  /** After a login by password: the master secret with its key mixed in. */
  readonly ms_2?: Bytes;
  /** Names the connection then. */
  readonly exporter_2?: Bytes;
  /** The secrets of epoch 3, after the rekey. */
  readonly c_ap_3?: Bytes;
  /** The server's. */
  readonly s_ap_3?: Bytes;
}

/** The messages of the password login of recorded sessions, in their order. */
const PASSWORD_LOGIN: Bytes = concat(
  LOGIN_SAID.RegisterStart,
  LOGIN_SAID.Refused,
  LOGIN_SAID.LoginStart,
  LOGIN_SAID.LoginReply,
  LOGIN_SAID.LoginFinish,
);

/** Runs the handshake of `session` again by its functions alone. */
export async function secretsOf({ kind, clientOptions, serverOptions, seed }: Recorded): Promise<Secrets> {
  const provider = repeatable;
  const { state, hello } = await offer(clientOptions, provider, partsOf(provider, "client", seed).entropy);
  const answer = await takeHello(serverOptions, hello, partsOf(provider, "server", seed));
  assert.ok(answer.kind === "answer", "the server answers");
  const next = await takeReply(state, answer.reply, provider);
  assert.ok(next.kind === "awaitingServerProof", "the client takes the Reply");
  const client = await takeServerProof(next, answer.proof, provider);
  assert.ok(client.kind === "clientFinished", "the client takes the proof");
  const server = await takeDone(answer.state, client.done, provider);
  assert.ok(server.kind === "serverFinished", "the server takes Done");
  assert.deepEqual(server.application, client.application, "both ends hold the same secrets");

  const salt = await expandLabel(provider, next.handshake, { label: "derived" });
  const { traffic, exporter, master } = client.application;
  return {
    messages: { Hello: hello, Reply: answer.reply, ...proofParts(answer.proof), Done: client.done },
    early: await earlySecret(provider, clientOptions.psk),
    hs: next.handshake,
    c_hs: next.traffic.client,
    s_hs: next.traffic.server,
    ms: await extract(provider, salt, new Uint8Array(64)),
    c_ap: traffic.client,
    s_ap: traffic.server,
    exporter,
    ...kind.login === "password" ? await afterPassword(master, client.transcript) : {
      c_ap_2: await nextSecret(provider, traffic.client),
      s_ap_2: await nextSecret(provider, traffic.server),
    },
  };
}

async function afterPassword(
  master: Bytes,
  upToDone: Bytes,
): Promise<Required<Pick<Secrets, "c_ap_2" | "s_ap_2" | "ms_2" | "exporter_2" | "c_ap_3" | "s_ap_3">>> {
  const provider = repeatable;
  const transcript = await provider.sha512(concat(upToDone, PASSWORD_LOGIN));
  const { traffic, exporter } = await mixedSecrets(provider, master, { sessionKey: SESSION_KEY, transcript });
  return {
    c_ap_2: traffic.client,
    s_ap_2: traffic.server,
    ms_2: await extract(provider, await expandLabel(provider, master, { label: "login" }), SESSION_KEY),
    exporter_2: exporter,
    c_ap_3: await nextSecret(provider, traffic.client),
    s_ap_3: await nextSecret(provider, traffic.server),
  };
}

/** Three messages of 3 + 32, 3 + 64 and 3 + 32 octets. */
function proofParts(
  proof: Bytes,
): { readonly HostKey: Bytes; readonly Signature: Bytes; readonly Finished: Bytes } {
  const [HostKey, Signature, Finished] = [proof.slice(0, 35), proof.slice(35, 102), proof.slice(102)];
  assert.deepEqual(concat(HostKey, Signature, Finished), proof);
  assert.equal(Finished.length, 35);
  return { HostKey, Signature, Finished };
}
