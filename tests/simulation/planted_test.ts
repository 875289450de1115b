import { match, ok } from "node:assert/strict";
import type { LogStore } from "../../lib/chat/log_port.ts";
import type { LocalStore, Queued } from "../../lib/client/keepers.ts";
import type { Exchange } from "../../lib/session/port.ts";
import { MemoryLog } from "../chat/memory_log.ts";
import { test } from "../sanitized.ts";
import type { MemoryLocal } from "./memory_local.ts";
import { wrongWith } from "./outcome.ts";
import { withMethods } from "./with_methods.ts";
import { type Broken, type Climate, climateOf, World } from "./world.ts";

/** Worlds in which a planted bug has to show at least once. */
const WORLDS = 60;

/** Worlds that have to be well when nothing is broken. */
const WELL_WORLDS = 5;

/** Turns at the disk that go by before a hasty client has kept what it says it has. */
const TURNS_LATE = 30;

test("worlds in which nothing is broken are well where others are not", async () => {
  for (let seed = 1; seed <= WELL_WORLDS; seed++) {
    const wrong = await wrongIn(seed, {});
    ok(wrong.length === 0, `${seed}: ${wrong.slice(0, 5).join("\n")}`);
  }
});

plantedTest(
  "a server that acknowledges what the disk has not stored yet is found",
  () => ({ logs: hastyLog }),
  /told .* to be stored|acknowledged and is lost/,
);

plantedTest(
  "a server that does not know an entry again is found",
  () => {
    const disk = new MemoryLog({ takesDoubles: true });
    return { disk, logs: () => withMethods(disk, { placeOfId: () => Promise.resolve(undefined) }) };
  },
  /is doubled at/,
);

plantedTest(
  "a server that resumes one entry too late is found",
  () => ({ exchange: resumingLate }),
  /found .* missing/,
);

plantedTest(
  "a client that says that it keeps what it has not kept yet is found",
  () => ({ local: hastyLocal }),
  /is lost in/,
);

plantedTest(
  "a client that gives what it sends again another id is found",
  () => ({ local: renamingLocal }),
  /is doubled at/,
);

/** Declares a test of a world in which something is broken on purpose: what is wrong has to be found, and named so. */
function plantedTest(name: string, broken: () => Broken, sentence: RegExp): void {
  test(name, async () => {
    const all: string[] = [];
    for (let seed = 1; seed <= WORLDS; seed++) {
      const wrong = await wrongIn(seed, broken());
      if (wrong.some((each) => sentence.test(each))) return;
      all.push(...wrong);
    }
    match(all.slice(0, 10).join("\n"), sentence);
  });
}

async function wrongIn(seed: number, broken: Broken): Promise<readonly string[]> {
  const world = await World.of(seed, { climate: stormy(seed), broken });
  await world.run();
  return wrongWith(world);
}

/** Crashes and cuts all the time, and people who do nothing but talk. */
function stormy(seed: number): Climate {
  const { manners, ...climate } = climateOf(seed);
  return {
    ...climate,
    manners: { ...manners, order: 0, curiosity: 0 },
    rests: 0,
    fullDisk: 0,
    troubles: 60,
  };
}

/** A log that tells of changes as soon as memory has them; the disk has them some time later, or never. */
function hastyLog(disk: MemoryLog): LogStore {
  const memory = new MemoryLog();
  return withMethods(memory, {
    rooms: async () => {
      for (const batch of disk.batches) await memory.change(batch);
      return await memory.rooms();
    },
    change: async (changes) => {
      await memory.change(changes);
      disk.change(changes).catch(() => {});
    },
  });
}

/** An exchange that gives who reads on after an entry what comes after the next one. */
function resumingLate(exchange: Exchange): Exchange {
  return withMethods(exchange, {
    take: (peer, request) => {
      if (request.type !== "read" || request.where.from !== "after") return exchange.take(peer, request);
      const where = { ...request.where, sequence: request.where.sequence + 1 };
      return exchange.take(peer, { ...request, where });
    },
  });
}

/** What is to be said counts as kept at once; the disk has it some time later, or never. */
function hastyLocal(local: MemoryLocal): LocalStore {
  async function later(item: Queued): Promise<void> {
    // Each of them waits for its turn at the disk.
    for (let at = 0; at < TURNS_LATE; at++) await local.setting("nothing");
    await local.queue(item);
  }

  return withMethods<LocalStore>(local, {
    queue: (item) => {
      void later(item);
      return Promise.resolve();
    },
  });
}

/** What waits to be sent comes from the disk under another id each time. */
function renamingLocal(local: MemoryLocal): LocalStore {
  let names = 0;
  return withMethods<LocalStore>(local, {
    queued: async () => {
      const queued = await local.queued();
      return queued.map(({ room, draft, refused }) => {
        const id = draft.id.slice();
        id.set(new TextEncoder().encode(`again ${++names}`).subarray(0, 8), 8);
        return { room, draft: { ...draft, id }, signed: undefined, refused };
      });
    },
    requeue: async (item, instead) => await local.requeue(item, instead) ?? item,
  });
}
