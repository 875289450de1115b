import assert from "node:assert/strict";
import fc from "npm:fast-check@4.10.2";
import { type Bytes, concat } from "../../lib/wire/bytes.ts";
import { encodeFrame, FrameReader } from "../../lib/wire/frame.ts";
import { check } from "../properties.ts";
import { test } from "../sanitized.ts";

test("any split of a stream gives the frames that were written", () =>
  check(fc.property(
    fc.array(fc.uint8Array({ minLength: 1, maxLength: 300 }), { maxLength: 8 }),
    fc.array(fc.nat(), { maxLength: 20 }),
    (bodies, cuts) => {
      const stream = concat(...bodies.map((body) => encodeFrame(new Uint8Array(body))));
      const edges = [
        0,
        ...cuts.map((cut) => cut % (stream.length + 1)).toSorted((a, b) => a - b),
        stream.length,
      ];
      const reader = new FrameReader();
      const read: Bytes[] = [];
      for (const [at, edge] of edges.slice(1).entries()) {
        reader.push(stream.slice(edges[at] ?? 0, edge));
        for (let next = reader.next(300); next.kind !== "incomplete"; next = reader.next(300)) {
          assert.ok(next.kind === "frame");
          read.push(next.body);
        }
      }
      assert.deepEqual(read, bodies.map((body) => new Uint8Array(body)));
      assert.equal(reader.next(300).kind, "incomplete");
    },
  )));

test("a frame's limit may change from one to the next", () => {
  const reader = new FrameReader();
  reader.push(concat(encodeFrame(new Uint8Array(5)), encodeFrame(new Uint8Array(9))));
  assert.equal(reader.next(5).kind, "frame");
  assert.equal(reader.next(8).kind, "refused");
  assert.equal(reader.next(9).kind, "frame", "a refusal takes nothing from the stream");
});

test("a body longer than 65,535 octets cannot be framed", () => {
  assert.equal(encodeFrame(new Uint8Array(65_535)).length, 65_537);
  assert.throws(() => encodeFrame(new Uint8Array(65_536)), RangeError);
});

test("a frame read is a copy of its own", () => {
  const stream = encodeFrame(Uint8Array.of(1, 2, 3));
  const reader = new FrameReader();
  reader.push(stream);
  const next = reader.next(3);
  stream.fill(9);
  assert.deepEqual(next.kind === "frame" && next.body, Uint8Array.of(1, 2, 3));
});
