import { deepEqual, equal, notDeepEqual, rejects } from "node:assert/strict";
import { test } from "../sanitized.ts";
import { Dice } from "./dice.ts";
import { Life, Scheduler } from "./scheduler.ts";

test("a world of one seed takes its turns in one order, and of another in another", async () => {
  deepEqual(await orderOf(1), await orderOf(1));
  notDeepEqual(await orderOf(1), await orderOf(2));
});

test("all that can settle does before the next turn", async () => {
  const scheduler = new Scheduler(new Dice(1));
  const done: string[] = [];
  async function work(name: string): Promise<void> {
    await scheduler.turn(undefined);
    for (const step of ["a", "b", "c"]) {
      await Promise.resolve();
      done.push(`${name}${step}`);
    }
  }
  const works = [work("1"), work("2"), work("3")];
  await scheduler.run(() => done.length === 9);
  await Promise.all(works);
  for (let at = 0; at < 9; at += 3) {
    equal(done.slice(at, at + 3).map((each) => each.slice(1)).join(""), "abc");
  }
});

test("the clock goes on when nothing else is left to do, and moments come in their order", async () => {
  const scheduler = new Scheduler(new Dice(1));
  const seen: number[] = [];
  for (const wait_ms of [30, 10, 20, 10]) {
    scheduler.after(undefined, wait_ms, () => seen.push(scheduler.now));
  }
  scheduler.soon(undefined, () => seen.push(scheduler.now));
  await scheduler.run(() => seen.length === 5);
  deepEqual(seen, [0, 10, 10, 20, 30]);
});

test("nothing that a program waits for comes once its life is over", async () => {
  const scheduler = new Scheduler(new Dice(1));
  const life = new Life("program");
  const done: string[] = [];
  void scheduler.turn(life).then(() => done.push("turn"));
  void scheduler.pause(life, 10).then(() => done.push("pause"));
  life.atEnd(() => done.push("end"));
  life.end();
  life.end();
  scheduler.after(undefined, 20, () => done.push("world"));
  await scheduler.run(() => done.includes("world"));
  deepEqual(done, ["end", "world"]);
});

test("a world with nothing left to do before it is done says so", async () => {
  await rejects(new Scheduler(new Dice(1)).run(() => false), /something is left/);
});

async function orderOf(seed: number): Promise<readonly number[]> {
  const scheduler = new Scheduler(new Dice(seed));
  const order: number[] = [];
  for (let at = 0; at < 20; at++) {
    scheduler.soon(undefined, () => {
      order.push(at);
      scheduler.after(undefined, at % 3, () => order.push(100 + at));
    });
  }
  await scheduler.run(() => order.length === 40);
  return order;
}
