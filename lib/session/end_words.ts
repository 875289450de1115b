/**
 * How a connection came to its end, in a phrase for the operator.
 *
 * @module
 */

import type { LinkEnd } from "../secure/link.ts";

/** Why this server ends a connection without a word to it. */
export type DropReason =
  /** It sent what no honest client sends there, or more than one does. */
  | "unfit"
  /** Too many had not logged in, and it was the oldest of them. */
  | "crowded"
  /** It has come from an address that was banned since. */
  | "banned";

/** How a connection came to its end: as its link tells, or because this server dropped it. */
export type SessionEnd = LinkEnd | {
  readonly kind: "dropped";
  /** How far it had come. */
  readonly during: (LinkEnd & { readonly kind: "cut" })["during"];
  /** Why. */
  readonly why: DropReason;
};

/**
 * A phrase such as `closed by the client (done)`. Whoever goes before there is a conversation has left: that is how a
 * client goes that does not know the host key yet, or is shown another, and nothing is lost.
 */
export function endWords(end: SessionEnd): string {
  switch (end.kind) {
    case "closed":
      return `closed by ${end.by === "us" ? "this server" : "the client"} (${end.reason})${
        end.confirmed ? "" : ", unconfirmed"
      }`;
    case "cut":
      return `${end.during === "conversation" ? "cut" : "left"} during the ${end.during}`;
    case "dropped":
      return `dropped during the ${end.during} (${DROP_WORDS[end.why]})`;
    case "timedOut":
      return `timed out during the ${end.during}`;
    case "failed":
      return `broke the protocol (${end.fault})`;
    case "hostKeyRefused":
      return "refused the host key";
  }
}

const DROP_WORDS: Readonly<Record<DropReason, string>> = {
  unfit: "no client sends that",
  crowded: "too many others came",
  banned: "its address was banned",
};
