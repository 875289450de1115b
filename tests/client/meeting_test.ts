import { deepEqual, equal } from "node:assert/strict";
import { Meeting } from "../../lib/client/meeting.ts";
import { test } from "../sanitized.ts";
import { HOST_KEY } from "../session/people.ts";
import { FakeBook, wire } from "./fake_server.ts";

test("a meeting learns the host key, says nothing else and goodbye", async () => {
  const book = new FakeBook();
  const { carried, over, server } = await wire((link) => new Meeting(link), {
    book,
    script: () => [],
    clock: { now: 0 },
  });
  deepEqual(await carried.met, { kind: "met", hostKey: HOST_KEY.publicKey });
  deepEqual(await over, { kind: "closed", by: "us", reason: "done", confirmed: true });
  deepEqual([server.heard, book.log], [[], []]);
});

test("a meeting that does not come about says how it ended", async () => {
  const { carried, server, over } = await wire((link) => new Meeting(link), {
    book: new FakeBook(),
    script: () => [],
    clock: { now: 0 },
  });
  carried.lost();
  server.link.lost();
  equal((await carried.met).kind, "ended");
  await over;
});
