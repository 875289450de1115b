/**
 * What a channel holds between Done and the end of the login (PROTOCOL §4.7), and how the keys of a password login are
 * mixed into its own. It is let go when messages begin: with the master secret gone, nobody can mix again.
 *
 * @module
 */

import type { Entropy, Provider } from "../crypto/port.ts";
import { type Bytes, concat } from "../wire/bytes.ts";
import { BEFORE_LOGIN_BYTES_MAX } from "../wire/limits.ts";
import type { NamedLoginMessage, Role } from "./login_message.ts";
import { Opener, Sealer, type Tracer } from "./record.ts";
import { mixedSecrets, type TrafficSecrets, transcriptHash } from "./schedule.ts";
import type { Suite } from "./suite.ts";
import type { LoginName } from "../wire/login_type.ts";

/** Both directions of a channel. */
export interface Directions {
  /** Seals what this end sends. */
  readonly sealer: Sealer;
  /** Opens what the other end sends. */
  readonly opener: Opener;
}

/** A login under way. */
export interface LoginStage extends Directions {
  /** Which end this is. */
  readonly role: Role;
  /** The suite in use. */
  readonly suite: Suite;
  /** The master secret, to be mixed with what a password login gives. */
  readonly master: Bytes;
  /** All messages so far, the handshake's and the login's. */
  readonly transcript: Bytes;
  /** The login message that passed last, in either direction. */
  readonly last: LoginName | undefined;
}

/** What directions are made with. */
interface DirectionParts {
  readonly provider: Provider;
  readonly entropy: Entropy;
  readonly trace: Tracer;
}

/** Both directions at sequence 0 of `epoch`, under keys of `traffic`. */
export async function startDirections(
  { role, suite, traffic, epoch }: { role: Role; suite: Suite; traffic: TrafficSecrets; epoch: number },
  { provider, entropy, trace }: DirectionParts,
): Promise<Directions> {
  const { client, server } = traffic;
  const [ours, theirs] = role === "client" ? [client, server] : [server, client];
  return {
    sealer: await Sealer.start({ suite, secret: ours, epoch, trace }, provider, entropy),
    opener: await Opener.start({ suite, secret: theirs, epoch, trace }, provider),
  };
}

/** The stage after one more message; `undefined` where the transcript would outgrow what a stranger may cost. */
export function withMessage(
  stage: LoginStage,
  { name, message }: NamedLoginMessage,
): LoginStage | undefined {
  const transcript = concat(stage.transcript, message.bytes);
  return transcript.length > BEFORE_LOGIN_BYTES_MAX ? undefined : { ...stage, transcript, last: name };
}

/**
 * Whether the other end may be about to use mixed keys, so that nothing more can be said under the ones in use: after
 * LoginFinish at both ends, and at the server from LoginReply on, since LoginFinish may be on its way.
 */
export function keysMaySwitch({ role, last }: LoginStage): boolean {
  return last === "LoginFinish" || role === "server" && last === "LoginReply";
}

/** Both directions at epoch 2, under keys that only the two ends of this very login have. */
export async function mixedDirections(
  { role, suite, master, transcript }: LoginStage,
  sessionKey: Bytes,
  parts: DirectionParts,
): Promise<Directions> {
  const { provider, trace } = parts;
  const hash = await transcriptHash(provider, transcript);
  const { traffic } = await mixedSecrets(provider, master, { sessionKey, transcript: hash });
  trace({ kind: "mixedKeys", epoch: 2, suite });
  return await startDirections({ role, suite, traffic, epoch: 2 }, parts);
}
