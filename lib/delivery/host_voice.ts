/**
 * What the server itself writes into logs, signed by the host key: through the same queue as everybody's.
 *
 * @module
 */

import { hostDraft } from "../chat/host_entry.ts";
import { decodeDeviceList } from "../identity/device_list.ts";
import { NOWHERE } from "../identity/log_entry.ts";
import type { Bytes } from "../wire/bytes.ts";
import type { EntryBody } from "../wire/entry_body.ts";
import type { Card } from "../wire/message.ts";
import type { Verdict } from "./batch.ts";
import type { ExchangeParts } from "./exchange_parts.ts";
import type { Hall } from "./hall.ts";
import type { EventOf, Teller } from "./teller.ts";
import type { Writer } from "./writer.ts";

/** What a voice works with. */
interface VoiceParts extends Pick<Hall, "rooms"> {
  readonly writer: Pick<Writer, "add">;
  readonly parts: Pick<ExchangeParts, "provider" | "entropy" | "hostKey" | "wallClock">;
  readonly teller: Pick<Teller, "tellEntry">;
}

/** The server's own voice. */
export class HostVoice {
  readonly #hall: VoiceParts;

  /** A voice that has said nothing. */
  constructor(hall: VoiceParts) {
    this.#hall = hall;
  }

  /** Writes one entry after the other into a room; settles with what came of them, once they are stored. */
  async write(room: Bytes, all: readonly EntryBody[]): Promise<readonly Verdict[]> {
    const signed: (() => Promise<Verdict>)[] = [];
    for (const what of all) signed.push(await this.prepare(room, what));
    return await Promise.all(signed.map((put) => put()));
  }

  /**
   * Signs an entry; the function given back puts it at the end of the queue, and settles with what came of it. `as`: what
   * the operator hears in its place.
   */
  async prepare(room: Bytes, what: EntryBody, as?: EventOf): Promise<() => Promise<Verdict>> {
    const { parts, rooms, writer, teller } = this.#hall;
    const seen = rooms.get(room)?.head ?? NOWHERE;
    const draft = await hostDraft(parts, { room, seen, what, now: parts.wallClock() });
    return () =>
      new Promise((resolve) => {
        writer.add({
          kind: "entry",
          proposal: { room, from: undefined, device: parts.hostKey.publicKey, draft, what },
          source: undefined,
          standing: () => "meant",
          settle: (verdict = { kind: "refused", code: "notStored" }) => {
            if (verdict.kind === "accepted") teller.tellEntry(verdict, undefined, as);
            resolve(verdict);
          },
        });
      });
  }

  /** What the log says of an account's keys; `undefined` where its list cannot be read. */
  keysOf({ handle, identity, list }: Card): EntryBody | undefined {
    const number = decodeDeviceList(list)?.number;
    if (number === undefined) return undefined;
    const hash = this.#hall.parts.provider.sha256Now(list);
    return { kind: "keys", body: { handle, identity, number, list: hash } };
  }
}
