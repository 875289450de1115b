/**
 * Who is connected, and the one place that delivers: every request goes through the rules here, and what they
 * decide is encoded once and queued for each peer it is for.
 *
 * @module
 */

import { decide, EMPTY_LOBBY, type Lobby, type Outcome, type PeerId, type Request } from "../chat/lobby.ts";
import type { Exchange, Peer } from "../session/session.ts";
import { encodeMessage } from "../wire/message.ts";

/** The lobby of one server and the peers in it. */
export class LobbyExchange implements Exchange {
  readonly #wallClock: () => number;
  readonly #present = new Map<PeerId, Peer>();
  #lobby: Lobby = EMPTY_LOBBY;

  /** `wallClock` gives milliseconds since 1970. */
  constructor(wallClock: () => number) {
    this.#wallClock = wallClock;
  }

  /**
   * Decides and delivers within one turn, so that all peers see one order: a newcomer is told who is here before
   * anything said later, and its acknowledgement comes where its message stands among the others'.
   */
  submit(peer: Peer, request: Request): Outcome {
    const outcome = decide(this.#lobby, request, { peer: peer.id, now: this.#wallClock() });
    this.#lobby = outcome.lobby;
    if (outcome.lobby.members.has(peer.id)) this.#present.set(peer.id, peer);
    else this.#present.delete(peer.id);
    for (const reply of outcome.reply) peer.send(encodeMessage(reply));
    for (const { except, notice } of outcome.deliveries) {
      const bytes = encodeMessage(notice);
      for (const [id, other] of this.#present) {
        if (id !== except) other.send(bytes);
      }
    }
    return outcome;
  }
}
