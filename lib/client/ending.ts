/**
 * What a person is told when a conversation has ended otherwise than by their own wish.
 *
 * @module
 */

import type { ChannelFault } from "../secure/fault.ts";
import type { LinkEnd } from "../secure/link.ts";
import { Failure } from "../text/failure.ts";
import type { CloseReason } from "../wire/close_code.ts";

/** The failure that an end is, or `undefined` where all is well. `server` is the address as the person knows it. */
export function endFailure(
  end: Exclude<LinkEnd, { kind: "hostKeyRefused" }>,
  server: string,
): Failure | undefined {
  switch (end.kind) {
    case "closed":
      return closeFailure(end, server);
    case "cut":
      return cutFailure(end, server);
    case "timedOut":
      return new Failure(
        "temporary",
        end.during === "handshake"
          ? `Cannot agree on keys with ${server}: it did not answer in time; check that a Sotto server answers there.`
          : `Cannot go on with ${server}: nothing was heard from it for too long; check the network and try again.`,
      );
    case "failed":
      return new Failure("protocol", `Cannot go on with ${server}: ${FAULT_REASONS[end.fault]}; try again.`);
  }
}

/** The failure of a connection that ended before it had done what it was for. */
export function brokenOff(end: Exclude<LinkEnd, { kind: "hostKeyRefused" }>, server: string): Failure {
  return endFailure(end, server) ??
    new Failure("temporary", `Cannot go on with ${server}: it closed the connection too early; try again.`);
}

function closeFailure(
  { by, reason, confirmed }: LinkEnd & { kind: "closed" },
  server: string,
): Failure | undefined {
  if (reason === "protocolFault" && by === "us") {
    return new Failure(
      "protocol",
      `Cannot go on with ${server}: it sent a message that makes no sense; try again.`,
    );
  }
  if (by === "us") {
    if (confirmed) return undefined;
    return new Failure(
      "temporary",
      `Cannot end cleanly with ${server}: it did not confirm the close; try again.`,
    );
  }
  return reason === "done" ? undefined : CLOSE_FAILURES[reason](server);
}

const CLOSE_FAILURES: Readonly<Record<Exclude<CloseReason, "done">, (server: string) => Failure>> = {
  shuttingDown: (server) =>
    new Failure("temporary", `Cannot go on with ${server}: the server is shutting down; try again later.`),
  reconnect: (server) =>
    new Failure("temporary", `Cannot go on with ${server}: the connection is a day old; connect again.`),
  tooSlow: (server) =>
    new Failure("temporary", `Cannot go on with ${server}: this client read too slowly; connect again.`),
  protocolFault: (server) =>
    new Failure(
      "protocol",
      `Cannot go on with ${server}: it did not understand a message; check that both run the same version.`,
    ),
  loginTimeout: (server) =>
    new Failure("temporary", `Cannot join at ${server}: joining took too long; try again.`),
  deviceRevoked: (server) =>
    new Failure(
      "noPermission",
      `Cannot go on with ${server}: this device was revoked by another of your devices; if that was not you, ` +
        "revoke the other one there.",
    ),
  accountClosed: (server) =>
    new Failure(
      "noPermission",
      `Cannot go on with ${server}: the account was disabled, banned or removed; ask the server's operator.`,
    ),
};

function cutFailure({ during, answered }: LinkEnd & { kind: "cut" }, server: string): Failure {
  if (during === "conversation") {
    return new Failure("temporary", `Connection cut: ${server} went away without a goodbye; try again.`);
  }
  if (during === "login") {
    return new Failure(
      "temporary",
      `Cannot log in at ${server}: the connection was cut before the server let anybody in; try again.`,
    );
  }
  if (answered) {
    return new Failure(
      "temporary",
      `Cannot agree on keys with ${server}: the connection was cut during the handshake; try again.`,
    );
  }
  return new Failure(
    "protocol",
    `Cannot agree on keys with ${server}: it closed without an answer; a pre-shared key may be required ` +
      "(--psk-file), or this address be banned there.",
  );
}

/** The failure of a connection that ended without a word of the other end, where a pre-shared key was given. */
export function keyRefused(server: string): Failure {
  return new Failure(
    "protocol",
    `Cannot agree on keys with ${server}: it closed without an answer; the pre-shared key given may be wrong, or this ` +
      "address be banned there.",
  );
}

const FAULT_REASONS: Readonly<Record<ChannelFault, string>> = {
  badFrame: "what it sent is not this protocol",
  badHandshake: "its part of the handshake makes no sense",
  noCommonSuite: "it chose a cipher that was not offered",
  badPreSharedKey: "the pre-shared keys differ",
  badKeyShare: "its key share is unusable",
  badSignature: "it could not prove its host key",
  badFinished: "both ends do not see the same handshake, so something between them may have changed it",
  badRecord: "a record was altered on the way, dropped or out of order",
  unexpectedRecord: "it sent a record that may not come then",
};
