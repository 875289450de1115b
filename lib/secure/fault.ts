/**
 * What a peer can do wrong before its messages are understood. A fault is a returned value and always the last
 * one; to the peer they all look alike: the connection ends (PROTOCOL §8).
 *
 * @module
 */

/** The kind of a fault, for our own log and tests; never sent. */
export type ChannelFault =
  /** A frame of length zero or over the limit. */
  | "badFrame"
  /** A handshake message that is malformed or not the one expected. */
  | "badHandshake"
  /** No suite offered is one we take, or the suite chosen was not offered. */
  | "noCommonSuite"
  /** The pre-shared keys differ, or only one end has one. */
  | "badPreSharedKey"
  /** A key share that is malformed, not canonical or of small order. */
  | "badKeyShare"
  /** A host key or its signature that does not verify. */
  | "badSignature"
  /** A Finished or Done that does not match: both ends do not see the same handshake. */
  | "badFinished"
  /** A record whose size, tag, padding or inner structure is wrong. */
  | "badRecord"
  /** A record of a kind that may not come now. */
  | "unexpectedRecord";

/** A step of the handshake that ended in a fault. */
export interface Failed {
  /** Tells it from the next state. */
  readonly kind: "failed";
  /** What was wrong. */
  readonly fault: ChannelFault;
}

/** A {@linkcode Failed} of `fault`. */
export function failed(fault: ChannelFault): Failed {
  return { kind: "failed", fault };
}

/** Thrown where this program uses a channel in a way its state does not allow. Never the peer's doing. */
export class MisuseError extends Error {
  /** The error's name. */
  override readonly name = "MisuseError";
}
