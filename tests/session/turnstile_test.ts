import { deepEqual, equal } from "node:assert/strict";
import { setImmediate } from "node:timers/promises";
import { Turnstile } from "../../lib/session/turnstile.ts";
import { Room } from "../delivery/room.ts";
import { test } from "../sanitized.ts";

/** Strangers who come at once: a second's of the storm that attack 18 is. */
const STRANGERS = 1_000;

test("turns come in the order of asking, each once others were heard, whatever is ended twice or not at all", async () => {
  const told: string[] = [];
  const held: (() => void)[] = [];
  const turnstile = new Turnstile((act) => held.push(act));
  const take = async (name: string): Promise<() => void> => {
    const end = await turnstile.turn();
    told.push(name);
    return end;
  };
  const [first, second, third] = [take("first"), take("second"), take("third")];
  const endFirst = await first;
  equal(turnstile.waiting, 3);
  endFirst();
  endFirst();
  await setImmediate();
  deepEqual(
    [told, held.length, turnstile.waiting],
    [["first"], 1, 2],
    "the others are heard before the next",
  );
  let turns = 0;
  for (; held.length > 0; turns++) held.shift()?.();
  deepEqual([told, turns], [["first"], 4]);
  (await second)();
  deepEqual(told, ["first", "second"]);
  while (held.length > 0) held.shift()?.();
  (await third)();
  equal(turnstile.waiting, 0);
});

test("attack 18: while a thousand strangers shake hands at once, what is said inside is stored and told after a few of them", async () => {
  const room = await Room.open();
  const [ann, bob] = [await room.welcome("ann"), await room.welcome("bob")];
  const hellos = await Promise.all(Array.from({ length: STRANGERS }, (_, id) => room.stranger(1_000 + id)));
  let greeted = 0;
  for (const { session } of hellos) void session.nextWrite(() => 0).then((bytes) => greeted += bytes ? 1 : 0);
  for (const { session, hello } of hellos) void session.receive(hello, 0);
  ann.say("hello");
  await room.until(() => bob.texts.length > 0 && ann.summary.at(-1) === "ack");
  // Without turns all of them are computed first.
  equal(greeted < STRANGERS / 10, true, `${greeted} were answered before`);
  for (const { session } of hellos) session.lost();
  await Promise.all(hellos.map(({ session }) => session.ended));
  for (const guest of [ann, bob]) await guest.leave();
});
