/**
 * How a connection came to its end, in a phrase for the operator.
 *
 * @module
 */

import type { LinkEnd } from "../secure/link.ts";

/** A phrase such as `closed by the client (done)`. */
export function endWords(end: LinkEnd): string {
  switch (end.kind) {
    case "closed":
      return `closed by ${end.by === "us" ? "this server" : "the client"} (${end.reason})${
        end.confirmed ? "" : ", unconfirmed"
      }`;
    case "cut":
      return `cut during the ${end.during}`;
    case "timedOut":
      return `timed out during the ${end.during}`;
    case "failed":
      return `broke the protocol (${end.fault})`;
    case "hostKeyRefused":
      return "refused the host key";
  }
}
