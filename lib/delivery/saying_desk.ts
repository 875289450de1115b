/**
 * Takes what people say and do in rooms: puts it into the writer's queue, and tells them what came of it.
 *
 * @module
 */

import { ratesOf } from "../chat/rate.ts";
import { decodeBody } from "../wire/entry_body.ts";
import type { FaultCode, Send } from "../wire/message.ts";
import type { Verdict } from "./batch.ts";
import type { Guest } from "./guest.ts";
import type { Hall } from "./hall.ts";
import type { Teller } from "./teller.ts";
import type { Writer } from "./writer.ts";

/** After how many milliseconds what was refused for now is to come again, with all that came behind it. */
export const AGAIN_MS = 1_000;

interface Parts extends Pick<Hall, "parts" | "allowances"> {
  readonly writer: Pick<Writer, "add" | "hasRoom">;
  readonly teller: Pick<Teller, "tellEntry" | "acknowledge">;
}

/** The desk of one server. */
export class SayingDesk {
  readonly #hall: Parts;

  /** A desk at which nobody says anything. */
  constructor(hall: Parts) {
    this.#hall = hall;
  }

  /** Takes an entry; settles when that connection may send the next, which its own waiting ones delay. */
  async take(guest: Guest, { room, entry: draft }: Send): Promise<void> {
    const { parts, allowances, writer } = this.#hall;
    const now = parts.wallClock();
    const { handle, login } = guest;
    if (login.kind !== "device") return;
    const held = guest.holds.refusal(room, draft.id);
    if (held !== undefined) return refuseForNow(guest, { room, entry: draft }, held, AGAIN_MS);
    const what = decodeBody(draft.kind, draft.content.body);
    if (what === undefined) return guest.refuse("badEntry", { about: draft.id });
    const rates = ratesOf(draft.kind);
    const wait = allowances.spend(handle, rates, now);
    if (wait !== undefined) {
      // Acts are few, and none of them waits for another.
      if (rates.includes("acts")) return guest.refuse("tooFast", { about: draft.id, wait });
      return refuseForNow(guest, { room, entry: draft }, "tooFast", Math.max(wait, AGAIN_MS));
    }
    const failures = guest.holds.failures(room);
    const isStuck = (): boolean => guest.holds.failures(room) !== failures;
    writer.add({
      kind: "entry",
      proposal: { room, from: handle, device: login.deviceKey, draft, what },
      source: guest,
      standing: () => guest.stage === "out" ? "void" : isStuck() ? "stuck" : "meant",
      settle: (verdict) => this.#settle(guest, { room, entry: draft, isStuck: isStuck() }, verdict),
    });
    await writer.hasRoom(guest);
  }

  #settle(
    guest: Guest,
    { room, entry: { id }, isStuck }: Said & { readonly isStuck: boolean },
    verdict: Verdict | undefined,
  ): void {
    const { teller } = this.#hall;
    switch (verdict?.kind) {
      case undefined:
        return;
      case "accepted":
        return teller.tellEntry(verdict, guest);
      case "again":
        return teller.acknowledge(room, verdict.entry, guest);
      case "refused": {
        const { code, wait } = verdict;
        if (code !== "notStored" && code !== "slowMode") {
          return guest.refuse(code, wait === undefined ? { about: id } : { about: id, wait });
        }
        if (isStuck) guest.holds.join(room, id);
        else guest.holds.fail(room, id, code);
        return guest.refuse(code, { about: id, wait: wait ?? AGAIN_MS });
      }
    }
  }
}

/** What somebody says where. */
type Said = Omit<Send, "type">;

function refuseForNow(guest: Guest, { room, entry: { id } }: Said, code: FaultCode, wait: number): void {
  guest.holds.add(room, id, code);
  guest.refuse(code, { about: id, wait });
}
