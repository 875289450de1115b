import assert from "node:assert/strict";
import { Turns } from "../../lib/session/turns.ts";
import { test } from "../sanitized.ts";

test("work under one key is done one at a time, in the order in which it was asked for", async () => {
  const turns = new Turns<string>();
  const [gate, log] = [Promise.withResolvers<void>(), new Array<string>()];
  const first = turns.take("ann", async () => {
    log.push("begun");
    await gate.promise;
    log.push("over");
    return 1;
  });
  const second = turns.take("ann", () => Promise.resolve(log.push("next")));
  await turns.take("bob", () => Promise.resolve(log.push("bob")));
  assert.deepEqual(log, ["begun", "bob"], "another key does not wait");
  gate.resolve();
  assert.equal(await first, 1);
  await second;
  assert.deepEqual(log, ["begun", "bob", "over", "next"]);
});

test("work that fails is told to whoever asked for it, and the next is done all the same", async () => {
  const turns = new Turns<string>();
  const first = turns.take("ann", () => Promise.reject(new Error("disk full")));
  const second = turns.take("ann", () => Promise.resolve("done"));
  await assert.rejects(first, /disk full/);
  assert.equal(await second, "done");
});
