import { doesNotThrow, equal, match, throws } from "node:assert/strict";
import { RoomChain } from "../../bench/room_chain.ts";
import { author, entry, provider, room } from "../../bench/sample_log.ts";
import { placeOf } from "../../lib/identity/log_entry.ts";
import type { Logged } from "../../lib/wire/message.ts";
import { test } from "../sanitized.ts";

function chain(): { readonly chain: RoomChain; readonly faults: string[] } {
  const faults: string[] = [];
  const made = new RoomChain(room.id, room.head, {
    provider,
    keyOf: (handle) =>
      handle === author.handle
        ? provider.ed25519VerifyingKey(author.key.publicKey)
        : Promise.resolve(undefined),
    failed: (fault) => faults.push(String(fault)),
  });
  return { chain: made, faults };
}

function behind(first: Logged): Logged {
  return { ...first, sequence: 2, previous: placeOf(provider, room.id, first).hash };
}

test("a load takes the same entry from many connections, and the next one behind it", async () => {
  const { chain: log, faults } = chain();
  doesNotThrow(() => {
    log.take(entry);
    log.take({ ...entry });
    log.take(behind(entry));
  });
  await log.verified();
  equal(faults.join(), "");
  equal(log.head.sequence, 2);
});

test("a load refuses an entry that leaves out a number, or follows on another one", async () => {
  const { chain: log } = chain();
  log.take(entry);
  throws(() => log.take({ ...behind(entry), sequence: 3 }), /does not follow/);
  throws(() => log.take({ ...behind(entry), previous: room.head.hash }), /does not follow/);
  await log.verified();
});

test("a load refuses an entry that two connections are told differently", async () => {
  const { chain: log } = chain();
  log.take(entry);
  throws(() => log.take({ ...entry, time: entry.time + 1 }), /in two ways/);
  await log.verified();
});

test("a load refuses an entry that says something else than was signed", async () => {
  const { chain: log, faults } = chain();
  const { content } = entry;
  if (content === undefined) throw new Error("the entry was not erased");
  const body = content.body.with(content.body.length - 1, 98);
  throws(() => log.take({ ...entry, content: { ...content, body } }), /than its digest/);
  log.take({
    ...entry,
    time: entry.time + 1,
    signature: entry.signature.with(0, (entry.signature[0] ?? 0) ^ 1),
  });
  await log.verified();
  match(faults.join(), /does not verify/);
});
