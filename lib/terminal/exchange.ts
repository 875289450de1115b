/**
 * The one loop of every front end: what comes in is asked of the connection, what the connection says is
 * shown, and both end together.
 *
 * @module
 */

import type { ClientEvent, Talk } from "../client/event.ts";
import type { InputLine, LineSource } from "./lines.ts";
import type { ModeOutcome } from "./output.ts";

/** What makes one front end differ from another. */
export interface Front {
  /** What is typed or piped in. */
  readonly input: LineSource;
  /** Does what a line asks; "quit" where it asks for the end. */
  take(line: InputLine): Promise<"quit" | "goOn">;
  /** Shows one event. */
  show(event: ClientEvent): Promise<void>;
}

/** An exchange under way. */
export interface Exchange {
  /** Settles when the connection's last event has been shown and the input let go of. */
  readonly ended: Promise<ModeOutcome["end"]>;
  /** Asks for the end at once, whatever input waits; the first reason given is the one that is told. */
  end(reason: "quit" | "outputGone"): void;
}

/**
 * Starts one. Events are shown until there are none, however the input ended; what `take` or `show` throws is
 * thrown once the connection is at its end, as is a failure of the input.
 */
export function exchange(talk: Talk, front: Front): Exchange {
  let reason: ModeOutcome["end"] | undefined;
  let quitting: Promise<unknown> | undefined;
  const failures: unknown[] = [];

  function quit(why: ModeOutcome["end"]): Promise<unknown> {
    reason ??= why;
    // A refusal says that the connection has gone, which its last event says, too.
    quitting ??= talk.request({ type: "quit" }).catch((cause) => failures.push(cause));
    return quitting;
  }

  async function read(): Promise<void> {
    for await (const line of front.input) {
      if (reason !== undefined) return;
      if (await front.take(line) === "quit") return void await quit("quit");
    }
    if (reason === undefined) await quit("inputEnded");
  }

  async function show(): Promise<void> {
    let showing = true;
    for (let event = await talk.nextEvent(); event !== undefined; event = await talk.nextEvent()) {
      if (!showing) continue;
      try {
        await front.show(event);
      } catch (cause) {
        // The rest is taken unseen: a connection whose events nobody takes does not come to its end.
        showing = false;
        failures.push(cause);
        void quit("outputGone");
      }
    }
    reason ??= "connectionEnded";
  }

  async function both(): Promise<ModeOutcome["end"]> {
    const reading = read().catch((cause) => {
      failures.push(cause);
      return quit("inputEnded");
    });
    await show();
    await front.input.cancel();
    await reading;
    await quitting;
    if (failures.length > 0) throw failures[0];
    return reason ?? "connectionEnded";
  }

  return {
    ended: both(),
    end(why) {
      void quit(why);
      front.input.cancel().catch((cause) => failures.push(cause));
    },
  };
}
