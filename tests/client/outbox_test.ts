import { deepEqual, equal } from "node:assert/strict";
import fc from "npm:fast-check@4.10.2";
import type { Queued } from "../../lib/client/keepers.ts";
import {
  added,
  disconnected,
  isFull,
  isStale,
  nextToSend,
  NOT_STORED_PAUSE_MS,
  NOT_STORED_TRIES,
  type Outbox,
  OUTBOX_WINDOW,
  outboxOf,
  refused,
  renamed,
  sent,
  settled,
  waiting,
  wakeAt,
} from "../../lib/client/outbox.ts";
import { entryId } from "../../lib/identity/entry_id.ts";
import { NOWHERE } from "../../lib/identity/log_entry.ts";
import { type Bytes, equal as sameBytes, utf8 } from "../../lib/wire/bytes.ts";
import type { Draft } from "../../lib/wire/message.ts";
import { check } from "../properties.ts";
import { seededEntropy } from "../secure/seeded_entropy.ts";
import { test } from "../sanitized.ts";

const NOW = 1_750_000_000_000;
const TEA = new Uint8Array(16).fill(1);
const MILK = new Uint8Array(16).fill(2);
const ALL_OPEN = { now: NOW, isOpen: () => true, isSlow: () => false };
const entropy = seededEntropy("outbox");

function queued(room: Bytes, name: string): Queued {
  return {
    room,
    draft: {
      id: entryId(NOW, entropy),
      kind: "text",
      content: { salt: new Uint8Array(32), body: utf8(name) },
    },
    signed: undefined,
    refused: undefined,
  };
}

function signedDraft({ draft }: Queued): Draft {
  return { ...draft, seen: NOWHERE, signature: new Uint8Array(64) };
}

/** Sends all that may be sent; gives what that was. */
function flush(
  outbox: Outbox,
  opening: Parameters<typeof nextToSend>[1] = ALL_OPEN,
): { outbox: Outbox; names: string[] } {
  const names: string[] = [];
  for (let next = nextToSend(outbox, opening); next !== undefined; next = nextToSend(outbox, opening)) {
    names.push(nameOf(next));
    outbox = sent(outbox, next.draft.id, signedDraft(next));
  }
  return { outbox, names };
}

function nameOf({ draft }: Queued): string {
  return new TextDecoder().decode(draft.content.body);
}

test("what was said is sent in its order, once, and is out when it has its place", () => {
  const items = ["a", "b", "c"].map((name) => queued(TEA, name));
  const first = flush(outboxOf(items.slice(0, 2)));
  deepEqual(first.names, ["a", "b"]);
  const second = flush(items.slice(2).reduce(added, first.outbox));
  deepEqual(second.names, ["c"]);
  const { outbox, item } = settled(second.outbox, items[1]?.draft.id ?? TEA);
  equal(item && nameOf(item), "b");
  deepEqual(waiting(outbox).map(nameOf), ["a", "c"]);
  deepEqual(settled(outbox, MILK), { outbox, item: undefined });
  deepEqual(flush(disconnected(outbox)).names, ["a", "c"], "nobody knows what came of them");
});

test("what was signed is sent again as the same octets", () => {
  const item = queued(TEA, "a");
  const { outbox } = flush(outboxOf([item]));
  deepEqual(nextToSend(disconnected(outbox), ALL_OPEN)?.signed, signedDraft(item));
});

test("no more than a window is on its way, and nobody says more than that ahead", () => {
  const items = Array.from({ length: OUTBOX_WINDOW + 2 }, (_, at) => queued(TEA, `${at}`));
  equal(isFull(outboxOf(items.slice(0, OUTBOX_WINDOW - 1))), false);
  equal(isFull(outboxOf(items.slice(0, OUTBOX_WINDOW))), true);
  const { outbox, names } = flush(outboxOf(items));
  equal(names.length, OUTBOX_WINDOW);
  deepEqual(flush(settled(outbox, items[9]?.draft.id ?? TEA).outbox).names, [`${OUTBOX_WINDOW}`]);
});

test("a room that is not open holds nothing of another back", () => {
  const items = [queued(TEA, "a"), queued(MILK, "b"), queued(TEA, "c")];
  const isOpen = (room: Bytes) => sameBytes(room, MILK);
  const { outbox, names } = flush(outboxOf(items), { ...ALL_OPEN, isOpen });
  deepEqual(names, ["b"]);
  deepEqual(flush(outbox).names, ["a", "c"]);
});

test("in a room of slow mode one message waits for the other, as the server might take the second alone", () => {
  const [a, b] = [queued(TEA, "a"), queued(TEA, "b")];
  const slow = { ...ALL_OPEN, isSlow: () => true };
  const { outbox, names } = flush(outboxOf([a, b]), slow);
  deepEqual(names, ["a"]);
  deepEqual(flush(settled(outbox, a.draft.id).outbox, slow).names, ["b"]);
});

test("what came too fast waits as long as the server says, and all after it in that room with it", () => {
  const [a, b, c, other] = [queued(TEA, "a"), queued(TEA, "b"), queued(TEA, "c"), queued(MILK, "other")];
  const { outbox } = flush(outboxOf([a, b, other, c]));
  const first = refused(outbox, b.draft.id, { code: "tooFast", wait: 300 }, NOW);
  if (first.kind !== "again") throw new Error(first.kind);
  // The server refuses what came after it, too; that counts for nothing.
  const second = refused(first.outbox, c.draft.id, { code: "tooFast", wait: 900 }, NOW + 1);
  if (second.kind !== "again") throw new Error(second.kind);
  deepEqual(flush(second.outbox).names, []);
  equal(wakeAt(second.outbox, NOW), NOW + 300);
  deepEqual(flush(second.outbox, { ...ALL_OPEN, now: NOW + 299 }).names, []);
  const later = { ...ALL_OPEN, now: NOW + 300 };
  // The first of them goes alone: the server's word on what was sent before may still be on its way.
  deepEqual(flush(second.outbox, later).names, []);
  const answered = settled(flush(outboxOf([a, b, other, c])).outbox, a.draft.id).outbox;
  const refusal = refused(answered, b.draft.id, { code: "tooFast", wait: 300 }, NOW);
  if (refusal.kind !== "again") throw new Error(refusal.kind);
  const again = flush(refusal.outbox, later);
  deepEqual(again.names, ["b"]);
  deepEqual(flush(settled(again.outbox, b.draft.id).outbox, later).names, ["c"]);
  equal(wakeAt(second.outbox, NOW + 300), undefined);
});

test("what cannot be stored is tried again after longer and longer pauses, and then told", () => {
  const [a, b] = [queued(TEA, "a"), queued(TEA, "b")];
  let outbox = outboxOf([a, b]);
  let now = NOW;
  for (let tries = 1; tries < NOT_STORED_TRIES; tries++) {
    outbox = flush(outbox, { ...ALL_OPEN, now }).outbox;
    const refusal = refused(outbox, a.draft.id, { code: "notStored", wait: undefined }, now);
    if (refusal.kind !== "again") throw new Error(refusal.kind);
    outbox = refusal.outbox;
    equal(wakeAt(outbox, now), now + NOT_STORED_PAUSE_MS * tries);
    now += NOT_STORED_PAUSE_MS * tries;
  }
  outbox = flush(outbox, { ...ALL_OPEN, now }).outbox;
  const last = refused(outbox, a.draft.id, { code: "notStored", wait: undefined }, now);
  equal(last.kind, "refused");
  deepEqual(last.kind === "refused" && waiting(last.outbox).map(nameOf), ["b"]);
});

test("what the server does not take is out at once, and what it never had is unknown", () => {
  const a = queued(TEA, "a");
  const { outbox } = flush(outboxOf([a]));
  const refusal = refused(outbox, a.draft.id, { code: "muted", wait: undefined }, NOW);
  deepEqual(refusal.kind === "refused" && [refusal.outbox.items, nameOf(refusal.item)], [[], "a"]);
  deepEqual(refused(outbox, TEA, { code: "muted", wait: undefined }, NOW), { kind: "unknown" });
});

test("what waited for half a day and was never signed needs another id, in its place", () => {
  const [a, b] = [queued(TEA, "a"), queued(TEA, "b")];
  const late = NOW + 43_200_001;
  deepEqual([isStale(a, NOW), isStale(a, late), isStale({ ...a, signed: signedDraft(a) }, late)], [
    false,
    true,
    false,
  ]);
  const anew = { ...a, draft: { ...a.draft, id: entryId(late, entropy) } };
  deepEqual(waiting(renamed(outboxOf([a, b]), a.draft.id, anew)), [anew, b]);
});

test("over any answers and cuts, a room's entries get their places in the order in which they were said", () =>
  check(
    fc.property(
      fc.array(fc.boolean(), { minLength: 1, maxLength: 20 }),
      fc.array(fc.constantFrom("stored", "tooFast", "notStored", "cut", "later"), { maxLength: 120 }),
      (rooms, answers) => {
        const items = rooms.map((isTea, at) => queued(isTea ? TEA : MILK, `${at}`));
        let outbox = outboxOf(items);
        let now = NOW;
        // What the server was sent and has not looked at, and what it has stored; it refuses as the protocol says.
        let wire: Queued[] = [];
        const stored: Queued[] = [];
        const refusing = new Map<string, Bytes>();
        const answer = (kind: string) => {
          if (kind === "cut") {
            wire = [];
            refusing.clear();
            outbox = disconnected(outbox);
            return;
          }
          const opening = { ...ALL_OPEN, now };
          for (let next = nextToSend(outbox, opening); next; next = nextToSend(outbox, opening)) {
            outbox = sent(outbox, next.draft.id, signedDraft(next));
            wire.push(next);
          }
          const item = kind === "later" ? undefined : wire.shift();
          now += 10;
          if (item === undefined) return;
          const { id } = item.draft;
          const held = refusing.get(item.room.toHex());
          const isHeld = held !== undefined && !sameBytes(held, id);
          if (stored.some(({ draft }) => sameBytes(draft.id, id)) || kind === "stored" && !isHeld) {
            refusing.delete(item.room.toHex());
            if (!stored.some(({ draft }) => sameBytes(draft.id, id))) stored.push(item);
            outbox = settled(outbox, id).outbox;
            return;
          }
          if (!isHeld) refusing.set(item.room.toHex(), id);
          const code = kind === "notStored" ? "notStored" : "tooFast";
          const refusal = refused(outbox, id, { code, wait: 5 }, now);
          if (refusal.kind === "refused") refusing.delete(item.room.toHex());
          if (refusal.kind !== "unknown") outbox = refusal.outbox;
        };
        for (const kind of answers) answer(kind);
        for (let at = 0; at < 200; at++) answer("stored");
        for (const room of [TEA, MILK]) {
          const numbers = stored.filter((item) => sameBytes(item.room, room)).map((item) =>
            Number(nameOf(item))
          );
          deepEqual(numbers, numbers.toSorted((a, b) => a - b));
        }
        deepEqual(waiting(outbox), []);
      },
    ),
    300,
  ));
