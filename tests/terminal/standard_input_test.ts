import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { PassThrough } from "node:stream";
import { type StandardInput, standardInput } from "../../lib/terminal/standard_input.ts";
import { readLines } from "../../lib/terminal/lines.ts";
import { test } from "../sanitized.ts";

/** A terminal's input: keys, and whether they come one by one. */
class Terminal extends PassThrough {
  readonly isTTY = true;
  raw = false;
  setRawMode(raw: boolean): this {
    this.raw = raw;
    return this;
  }
}

async function texts(input: StandardInput): Promise<string[]> {
  const lines = await Array.fromAsync(readLines(input.bytes()));
  return lines.map((line) => line.kind === "line" ? line.text : line.fault);
}

test("octets are read to the end of the source", async () => {
  const source = new PassThrough();
  const found = texts(standardInput(source));
  source.write("one\ntw");
  source.end("o\nthree");
  deepEqual(await found, ["one", "two", "three"]);
});

test("a source has one owner", () => {
  const source = new PassThrough();
  equal(standardInput(source), standardInput(source));
});

test("a pipe is read no faster than it is taken, and nothing of it is lost", async () => {
  const source = new PassThrough();
  const input = standardInput(source);
  const reader = input.bytes().getReader();
  const chunk = new Uint8Array(65_536);
  for (let written = 0; written < 100; written++) {
    source.write(chunk);
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  const held = input.readableLength + input.writableLength;
  ok(held < 10 * chunk.length, `${held}`);
  source.end();
  let octets = 0;
  for (let step = await reader.read(); !step.done; step = await reader.read()) octets += step.value.length;
  equal(octets, 100 * chunk.length);
});

test("once given up, the source is left paused, and nothing of it is heard", async () => {
  const source = new PassThrough();
  const lines = readLines(standardInput(source).bytes());
  const found = Array.fromAsync(lines);
  source.write("one\n");
  await lines.cancel();
  await found;
  equal(source.isPaused(), true);
  equal(source.listenerCount("data"), 0);
  source.emit("error", new Error("hung up"));
});

test("a failure of the source is one of the octets", async () => {
  const source = new PassThrough();
  const found = texts(standardInput(source));
  source.destroy(new Error("no input"));
  await rejects(found, /no input/);
});

test("a terminal is never paused before it is let go of, and hears of raw mode", () => {
  const source = new Terminal();
  const input = standardInput(source);
  input.setRawMode(true);
  equal(source.raw, true);
  input.resume();
  input.pause();
  source.write("x".repeat(1_000_000));
  equal(source.isPaused(), false);
  input.release();
  equal(source.isPaused(), true);
});
