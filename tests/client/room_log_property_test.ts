import { deepEqual, equal, ok } from "node:assert/strict";
import fc from "npm:fast-check@4.10.2";
import { trimmed } from "../../lib/chat/retention.ts";
import type { Handle } from "../../lib/text/handle.ts";
import type { EntryBody } from "../../lib/wire/entry_body.ts";
import { ROOM_ROLES } from "../../lib/wire/entry_body.ts";
import { DELETE, EDIT, JOIN, LIKE, moderation, PART, REPLY, settlement, text } from "../chat/bodies.ts";
import { House } from "../chat/house.ts";
import { handleOf } from "../identity/people.ts";
import { check } from "../properties.ts";
import { test } from "../sanitized.ts";
import { GivenLog, Reader, words } from "./given_log.ts";

const PEOPLE = ["ann", "bob", "cleo", "dan"].map(handleOf);
const [ANN = handleOf("ann"), BOB = handleOf("bob"), CLEO = handleOf("cleo"), DAN = handleOf("dan")] = PEOPLE;
const DAY_MS = 86_400_000;

/** What happens next. */
type Step =
  /** Somebody does something, about an entry counted from the last where it is about one. */
  | { readonly kind: "act"; readonly from: Handle; readonly what: EntryBody; readonly back: number }
  /** Time passes, and the server drops what is too old. */
  | { readonly kind: "time"; readonly hours: number }
  /** The reader reads on, in pages of so many; or one page only, and is cut off. */
  | { readonly kind: "catchUp"; readonly limit: number; readonly isCut: boolean }
  /** The reader hears what is new as it comes. */
  | { readonly kind: "listen" }
  /** The reader reads back. */
  | { readonly kind: "back"; readonly limit: number }
  /** The reader starts anew. */
  | { readonly kind: "restart" };

test("over any honest log, however it is read, there is no flaw and no doubt, and what was deleted is not kept", () =>
  check(
    fc.asyncProperty(
      fc.nat({ max: 30 }),
      fc.array(step(), { minLength: 20, maxLength: 100 }),
      async (days, steps) => {
        const house = new House(...PEOPLE);
        house.retention = days < 3 ? days : 0;
        const room = house.open("#tea", ANN);
        house.bring(room, BOB, "operator");
        house.bring(room, CLEO);
        const reader = new Reader(room);
        const given = () => {
          const { base, settings: { retention } } = house.room(room);
          const log = new GivenLog(room, house.log(room).filter(({ sequence }) => sequence > base.sequence));
          if (log.entries.length === 0) log.head = house.room(room).head;
          log.base = base;
          log.retention = retention;
          return log;
        };
        for (const each of steps) {
          reader.now = house.now;
          switch (each.kind) {
            case "act": {
              const { base, head } = house.room(room);
              const about = Math.max(base.sequence + 1, head.sequence - each.back);
              const isAbout = ["reply", "edit", "delete", "reaction"].includes(each.what.kind);
              if (!isAbout || about <= head.sequence) {
                house.propose(room, each.from, each.what, isAbout ? { about } : {});
              }
              break;
            }
            case "time":
              // A retention that one hears of only when its own entry was dropped by it cannot be told from a cut.
              if (
                reader.log.begun && reader.log.knowledge.retention !== house.room(room).settings.retention
              ) {
                await reader.catchUp(given());
              }
              house.now += each.hours * 3_600_000;
              drop(house, room);
              break;
            case "catchUp":
              if (each.isCut) await reader.page(given(), { limit: each.limit, isLive: false });
              else await reader.catchUp(given(), { limit: each.limit });
              break;
            case "listen":
              if (!reader.log.begun) break;
              await reader.catchUp(given());
              break;
            case "back":
              if (reader.log.begun) await reader.before(given(), undefined, each.limit);
              break;
            case "restart":
              if (reader.log.begun) reader.restart();
              break;
          }
        }
        reader.now = house.now;
        await reader.catchUp(given());
        deepEqual([words(reader.told), [...reader.doubtful]], [[], []]);
        const shown = reader.shown.map(({ entry }) => entry.sequence);
        deepEqual(shown, shown.toSorted((a, b) => a - b), "each once, in order");
        equal(new Set(shown).size, shown.length);
        for (const { entry } of reader.kept.values()) {
          const there = house.entry(room, entry.sequence);
          // Where the deletion was dropped, too, before it was read, nobody has told of it.
          if (there.erasedBy === undefined || reader.kept.has(there.erasedBy)) {
            equal(entry.content === undefined, there.content === undefined, `#${entry.sequence}`);
          }
        }
      },
    ),
    150,
  ));

/** Drops what a room's retention drops. */
function drop(house: House, id: GivenLog["room"]): void {
  const room = house.room(id);
  const { retention } = room.settings;
  const old = house.log(id).filter(({ time }) => retention > 0 && time < house.now - retention * DAY_MS);
  const last = old.at(-1)?.sequence ?? 0;
  if (last > room.base.sequence) house.put(trimmed(room, house.place(id, last)));
}

function step(): fc.Arbitrary<Step> {
  const people = fc.constantFrom(...PEOPLE, ANN, BOB);
  const what = fc.oneof(
    fc.constantFrom<EntryBody>(text(), text("more"), EDIT, EDIT, REPLY, LIKE, DELETE, DELETE, JOIN, PART),
    fc.tuple(people, fc.constantFrom(...ROOM_ROLES)).map(([handle, role]) =>
      moderation({ act: "role", handle, role })
    ),
    fc.tuple(people, fc.constantFrom("kick", "mute", "unmute")).map(([handle, act]) =>
      moderation({ act, handle })
    ),
    fc.nat({ max: 3 }).map((days) => settlement({ act: "retention", days })),
  );
  const act = fc.record({ kind: fc.constant("act" as const), from: people, what, back: fc.nat({ max: 8 }) });
  return fc.oneof(
    { weight: 12, arbitrary: act },
    { weight: 1, arbitrary: fc.nat({ max: 40 }).map((hours) => ({ kind: "time" as const, hours })) },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant("catchUp" as const),
        limit: fc.integer({ min: 1, max: 20 }),
        isCut: fc.boolean(),
      }),
    },
    { weight: 1, arbitrary: fc.constant({ kind: "listen" as const }) },
    {
      weight: 1,
      arbitrary: fc.integer({ min: 1, max: 9 }).map((limit) => ({ kind: "back" as const, limit })),
    },
    { weight: 1, arbitrary: fc.constant({ kind: "restart" as const }) },
  );
}

test("attack 42: over any log, whatever one entry is changed into, it is named, however it is read", () =>
  check(
    fc.asyncProperty(
      fc.integer({ min: 6, max: 25 }),
      fc.nat(),
      fc.constantFrom(
        "signature",
        "time",
        "device",
        "digest",
        "from",
        "kind",
        "removed",
        "erased",
        "swapped",
      ),
      fc.constantFrom("whole", "paged", "back"),
      fc.integer({ min: 1, max: 7 }),
      async (count, drawn, how, way, limit) => {
        const house = new House(...PEOPLE);
        const room = house.open("#tea", ANN);
        house.bring(room, BOB);
        house.bring(room, CLEO);
        for (let at = 4; at <= count; at++) house.must(room, PEOPLE[at % 3], text());
        const log = new GivenLog(room, house.log(room));
        const first = log.copy();
        const at = 1 + drawn % count;
        const other = 1 + (drawn + 1) % count;
        tamper(log, how, { at, other });
        const reader = new Reader(room);
        const isPaged = way === "paged" && at > 3 && other > 3;
        if (isPaged) {
          first.cut(3);
          await reader.catchUp(first);
          reader.restart();
        }
        if (way === "back") await reader.page(log, { limit });
        else await reader.catchUp(log, { limit: isPaged ? limit : 100 });
        while (reader.log.base.sequence > 0) {
          const { shown } = await reader.before(log, firstOf(reader), limit);
          reader.shown.push(...shown);
          if (shown.length === 0) break;
        }
        const isNamed = reader.log.flaws.some(({ from, to }) => from <= at && at <= to);
        ok(
          isNamed || reader.doubtful.has(at),
          JSON.stringify([words(reader.log.flaws), [...reader.doubtful]]),
        );
        const far = reader.log.flaws.filter(({ from, to }) =>
          to < Math.min(at, other) - 1 || from > Math.max(at, other) + 1
        );
        deepEqual(far, [], "and nothing that is as it was");
      },
    ),
    200,
  ));

function tamper(
  log: GivenLog,
  how: "signature" | "time" | "device" | "digest" | "from" | "kind" | "removed" | "erased" | "swapped",
  { at, other }: { readonly at: number; readonly other: number },
): void {
  const entry = log.at(at);
  const { content: _, ...erased } = entry;
  const another = log.at(other);
  switch (how) {
    case "removed":
      return log.remove(at);
    case "erased":
      return log.replace(at, () => erased);
    case "swapped":
      log.replace(at, ({ sequence, previous, time }) => ({ ...another, sequence, previous, time }));
      return log.replace(other, ({ sequence, previous, time }) => ({ ...entry, sequence, previous, time }));
    case "time":
      return log.replace(at, () => ({ ...entry, time: entry.time + 1 }));
    case "from":
      return log.replace(at, () => ({ ...entry, from: DAN }));
    case "kind":
      return log.replace(at, () => ({ ...entry, kind: "reaction" }));
    default:
      return log.replace(at, () => ({ ...entry, [how]: new Uint8Array(entry[how].length).fill(5) }));
  }
}

/** The first entry that a reader has seen of those from its base on, as a person scrolls. */
function firstOf(reader: Reader): number {
  return Math.min(...reader.shown.map(({ entry }) => entry.sequence));
}
