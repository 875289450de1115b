import { deepEqual, equal } from "node:assert/strict";
import fc from "npm:fast-check@4.10.2";
import type { ClientEvent } from "../../lib/client/event.ts";
import { encodeMessage } from "../../lib/wire/message.ts";
import { check } from "../properties.ts";
import { test } from "../sanitized.ts";
import { ChatBench, settle } from "./chat_bench.ts";

/** Store calls in a run that says three things are about that many, twice. */
const STEPS_MAX = 80;

/** Says what is left until the run ends; gives what was taken, which is a promise to say it. */
async function sayAll(bench: ChatBench, texts: readonly string[]): Promise<readonly string[]> {
  const taken: string[] = [];
  const asked = texts.map((text) =>
    bench.chat.request({ type: "send", room: "#lobby", text }).then((refusal) => {
      if (refusal === undefined) taken.push(text);
    })
  );
  await Promise.race([Promise.all(asked), bench.crashing]);
  // What was taken in the turn of the crash was taken, too.
  await settle();
  return taken;
}

test("a client that crashes at any step of its store loses nothing that it took, and says nothing twice", async () => {
  await check(
    fc.asyncProperty(
      fc.array(fc.nat({ max: STEPS_MAX }), { minLength: 1, maxLength: 3 }),
      fc.boolean(),
      async (crashes, swallows) => {
        const bench = await ChatBench.of();
        const promised: string[] = [];
        for (const [run, steps] of crashes.entries()) {
          bench.server.swallows = () => swallows;
          const began = bench.begin(steps);
          const isIn = await Promise.race([began.then(() => true), bench.crashing.then(() => false)]);
          if (isIn) promised.push(...await sayAll(bench, [`${run} a`, `${run} b`, `${run} c`]));
          for (let turn = 0; turn < 3; turn++) await settle();
          await bench.crash();
        }
        bench.server.swallows = () => false;
        await bench.start();
        equal(await bench.quit(), undefined);
        const texts = bench.server.texts();
        equal(new Set(texts).size, texts.length, "nothing is said twice");
        // What was never taken may have been kept all the same: then it is said, too.
        deepEqual(texts.filter((text) => promised.includes(text)).toSorted(), promised.toSorted());
        deepEqual(texts, texts.toSorted(), "all is said in its order");
        const octets = new Map<string, string>();
        for (const send of bench.server.sent) {
          const id = send.entry.id.toHex();
          const sent = encodeMessage(send).toHex();
          equal(octets.get(id) ?? sent, sent, "one id is always the same octets");
          octets.set(id, sent);
        }
        deepEqual(bench.local.waiting, []);
      },
    ),
    30,
  );
});

test("whatever step a client crashes at, the next run shows each message of others that the last one did not keep", async () => {
  await check(
    fc.asyncProperty(fc.nat({ max: STEPS_MAX }), async (steps) => {
      const bench = await ChatBench.of();
      for (let at = 0; at < 5; at++) await bench.server.text(bench.ben, `before ${at}`);
      const began = bench.begin(steps);
      await Promise.race([began.then(() => bench.isLive(), () => {}), bench.crashing]);
      for (let at = 0; at < 5; at++) await bench.server.text(bench.ben, `live ${at}`);
      for (let turn = 0; turn < 3; turn++) await settle();
      await bench.crash();
      await bench.start();
      await bench.ask({ type: "check", room: "#lobby" });
      const integrity = await bench.until((event) => event.type === "integrity" && event.asked);
      equal(integrity.type === "integrity" && integrity.flaws.length, 0);
      const expected = [0, 1, 2, 3, 4].flatMap((at) => [`before ${at}`, `live ${at}`]);
      for (const text of expected) {
        const kept = bench.local.kept.flatMap(({ entries }) => entries).some(({ entry }) =>
          entry.content !== undefined && new TextDecoder().decode(entry.content.body).includes(text)
        );
        equal(kept, true, text);
      }
      equal(new Set(bench.shown).size, bench.shown.length);
      await bench.quit();
    }),
    30,
  );
});

test("whatever step a client crashes at, what it told was refused is never said, and what it took is told or said", async () => {
  let tolds = 0;
  for (let steps = 0; steps <= STEPS_MAX; steps++) {
    const bench = await ChatBench.of();
    const began = bench.begin(steps);
    const isIn = await Promise.race([began.then(() => true), bench.crashing.then(() => false)]);
    bench.server.refuse = () => ({ code: "notMember" });
    const taken = isIn ? await sayAll(bench, ["once"]) : [];
    if (taken.length > 0) await Promise.race([bench.crashing, answered(bench)]);
    await settle();
    const before = faultsOf(bench);
    await bench.crash();
    bench.server.refuse = () => undefined;
    await bench.start();
    equal(await bench.quit(), undefined);
    const faults = [...before, ...faultsOf(bench)];
    const said = bench.server.texts();
    if (taken.length > 0) equal(faults.length === 0, said.length > 0, `after ${steps} steps`);
    if (faults.length > 0) deepEqual(said, [], `after ${steps} steps`);
    deepEqual(bench.local.waiting, []);
    tolds += before.length > 0 && faults.length > before.length ? 1 : 0;
  }
  equal(tolds > 0, true, "some run ends between telling and forgetting");
});

function faultsOf(bench: ChatBench): readonly ClientEvent[] {
  return bench.events.filter((event) => event.type === "fault" && event.text === "once");
}

/** Settles once its person knows that it was refused, and nothing of it is kept. */
async function answered(bench: ChatBench): Promise<void> {
  await bench.until((event) => event.type === "fault");
  while (bench.local.waiting.length > 0 && !bench.hasCrashed) await settle();
}
