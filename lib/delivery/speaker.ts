/**
 * Says lines in the lobby for the operator and the bridge, in the order in which they were said.
 *
 * @module
 */

import { isSayable, type Saying } from "../chat/overheard.ts";
import { Failure } from "../text/failure.ts";
import type { Bytes } from "../wire/bytes.ts";
import type { HostVoice } from "./host_voice.ts";
import type { EventOf } from "./teller.ts";

/** What members are told in the name of a guest of the bridge. */
const GUEST_CAME = "came in over the bridge, and hears what is said here";
const GUEST_WENT = "left";

/** The speaker of one lobby. */
export class Speaker {
  readonly #voice: HostVoice;
  readonly #lobby: Bytes;
  #queued: Promise<void> = Promise.resolve();

  /** A speaker in the room with the id `lobby`. */
  constructor(voice: HostVoice, lobby: Bytes) {
    this.#voice = voice;
    this.#lobby = lobby;
  }

  /**
   * Says a line; settles when it has its place. `as`: what the operator hears in its stead. Throws a `RangeError` where
   * name or text are empty or too long; rejects with a `Failure` where it cannot be stored.
   */
  say({ source, name, text }: Saying, as?: EventOf): Promise<void> {
    if (!isSayable({ source, name, text })) {
      throw new RangeError("Cannot say a line: name or text is empty or too long");
    }
    const prepared = this.#voice.prepare(this.#lobby, { kind: "notice", body: { source, name, text } }, as);
    // Signing one may take longer than the next.
    const put = this.#queued.then(() => prepared).then((put) => ({ placed: put() }));
    this.#queued = put.then(() => {}, () => {});
    return put.then(async ({ placed }) => {
      if ((await placed).kind !== "refused") return;
      throw new Failure(
        "temporary",
        "Cannot say that: the server cannot store it now; see its journal, and say it again later.",
      );
    });
  }

  /** Tells members and listeners of a guest of the bridge, and by the function given back of its end. */
  visit(name: string, address: string): () => Promise<void> {
    const came = this.say({ source: "bridge", name, text: GUEST_CAME }, (time) => {
      return { kind: "guestCame", time, name, address };
    });
    // Told when the guest goes.
    came.catch(() => {});
    return async () => {
      const went = this.say({ source: "bridge", name, text: GUEST_WENT }, (time) => {
        return { kind: "guestWent", time, name };
      });
      // Both are over before one of them is told to have failed.
      await Promise.allSettled([came, went]);
      await Promise.all([came, went]);
    };
  }
}
