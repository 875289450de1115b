/**
 * What a person is told when a visit has ended otherwise than by their own wish.
 *
 * @module
 */

import { Failure } from "../text/failure.ts";
import type { VisitEnd } from "./visitor.ts";

/** The failure that an end is, or `undefined` where all is well. `server` is the address as the person knows it. */
export function visitFailure(end: VisitEnd, server: string): Failure | undefined {
  switch (end) {
    case "left":
      return undefined;
    case "unanswered":
      return new Failure(
        "noPermission",
        `Cannot talk with ${server}: it closed without an answer, as a bridge does where the Fernet key or the time ` +
          "is not the same; check the key, and the clock here and there.",
      );
    case "silent":
      return new Failure(
        "temporary",
        `Cannot talk with ${server}: it did not answer in time; check that a Fernet bridge of Sotto answers there.`,
      );
    case "broken":
      return new Failure(
        "protocol",
        `Cannot go on with ${server}: what it sent was not sealed by a server with this key; check that a Fernet ` +
          "bridge of Sotto answers there.",
      );
    case "closed":
      return new Failure(
        "temporary",
        `Cannot go on with ${server}: it ended the conversation, and what was said last may not have arrived; ` +
          "try again later.",
      );
    case "cut":
      return new Failure(
        "temporary",
        `Connection cut: ${server} went away without a goodbye, and what was said last may not have arrived; ` +
          "try again.",
      );
  }
}
