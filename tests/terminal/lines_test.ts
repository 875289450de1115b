import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { PassThrough } from "node:stream";
import fc from "npm:fast-check@4.10.2";
import { bytesOf, type InputLine, readFirstLine, readLines } from "../../lib/terminal/lines.ts";
import { type Bytes, concat, utf8 } from "../../lib/wire/bytes.ts";
import { check } from "../properties.ts";
import { test } from "../sanitized.ts";

function streamOf(...chunks: readonly Bytes[]): ReadableStream<Bytes> {
  return ReadableStream.from(chunks);
}

async function linesOf(bytes: Bytes | string, bytesMax?: number): Promise<InputLine[]> {
  return await Array.fromAsync(
    readLines(streamOf(typeof bytes === "string" ? utf8(bytes) : bytes), bytesMax),
  );
}

function line(text: string): InputLine {
  return { kind: "line", text };
}

test("lines end with LF, CRLF or the input", async () => {
  deepEqual(await linesOf("one\ntwo\r\n\n\r\nfive"), ["one", "two", "", "", "five"].map(line));
  deepEqual(await linesOf("one\n"), [line("one")]);
  deepEqual(await linesOf(""), []);
  deepEqual(await linesOf("a\rb\n"), [line("a\rb")]);
});

test("a line over the limit is one fault, and the next line is read", async () => {
  const cases = ["12345\nok", "12345\r\nok", "1234567890123\nok", "1234\r5\nok"];
  for (const text of cases) {
    deepEqual(await linesOf(text, 4), [{ kind: "fault", fault: "tooLong" }, line("ok")], text);
  }
  deepEqual(await linesOf("1234\n1234\r\n1234", 4), [line("1234"), line("1234"), line("1234")]);
  deepEqual(await linesOf("12345", 4), [{ kind: "fault", fault: "tooLong" }]);
});

test("a line that is not UTF-8 is one fault, and the next line is read", async () => {
  const bytes = concat(utf8("a\n"), Uint8Array.of(0xff, 0x0a), utf8("é\n"), Uint8Array.of(0xc3));
  deepEqual(await linesOf(bytes), [line("a"), { kind: "fault", fault: "notUtf8" }, line("é"), {
    kind: "fault",
    fault: "notUtf8",
  }]);
});

test("however the octets are cut into chunks, the lines are the same", async () => {
  const bytes = utf8("né\r\n\nlong long long\nx\r\n👩‍🚀 last");
  const whole = await linesOf(bytes, 12);
  await check(
    fc.asyncProperty(fc.array(fc.nat(bytes.length)), async (cuts) => {
      const at = [0, ...cuts.sort((a, b) => a - b), bytes.length];
      const chunks = at.slice(1).map((to, index) => bytes.slice(at[index], to));
      deepEqual(await Array.fromAsync(readLines(streamOf(...chunks), 12)), whole);
    }),
  );
});

test("an endless line does not fill the memory", async () => {
  let left = 512;
  let bytesMax = 0;
  const stream = new ReadableStream<Bytes>({
    pull(controller) {
      bytesMax = Math.max(bytesMax, Deno.memoryUsage().external);
      if (left-- > 0) controller.enqueue(new Uint8Array(1_048_576).fill(0x61));
      else controller.close();
    },
  });
  const before = Deno.memoryUsage().external;
  deepEqual(await Array.fromAsync(readLines(stream)), [{ kind: "fault", fault: "tooLong" }]);
  ok(bytesMax - before < 400 * 1_048_576, `${bytesMax}`);
});

test("a pending line can be given up", async () => {
  let cancelled = false;
  const source = readLines(new ReadableStream<Bytes>({ cancel: () => void (cancelled = true) }));
  const found = Array.fromAsync(source);
  await source.cancel();
  deepEqual(await found, []);
  equal(cancelled, true);
});

test("a failure of the input is thrown, and giving up after it is quiet", async () => {
  const source = readLines(
    new ReadableStream<Bytes>({ start: (controller) => controller.error(new Error("gone")) }),
  );
  await rejects(Array.fromAsync(source), /gone/);
  await source.cancel();
});

test("the first line is taken by itself, however it comes, and what follows stays", async () => {
  const cases: readonly (readonly [chunks: readonly string[], first: string, rest: readonly string[]])[] = [
    [["one\r\ntwo\nthree"], "one", ["two", "three"]],
    [["o", "ne", "\n", "two\n"], "one", ["two"]],
    [["one\n"], "one", []],
    [["one"], "one", []],
    [["\ntwo"], "", ["two"]],
  ];
  for (const [chunks, first, rest] of cases) {
    const source = new PassThrough();
    const found = readFirstLine(source);
    for (const chunk of chunks) {
      source.write(chunk);
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
    source.end();
    deepEqual(await found, line(first));
    deepEqual(await Array.fromAsync(readLines(bytesOf(source))), rest.map(line));
  }
});

test("a first line that is none, or too long, is told as such", async () => {
  const empty = new PassThrough();
  empty.end();
  equal(await readFirstLine(empty), undefined);
  for (const text of ["12345\nrest", "1234567890"]) {
    const source = new PassThrough();
    source.end(text);
    deepEqual(await readFirstLine(source, 4), { kind: "fault", fault: "tooLong" });
  }
  const fits = new PassThrough();
  fits.end("1234\r\nrest");
  deepEqual(await readFirstLine(fits, 4), line("1234"));
});

test("a source that fails before the first line's end is told", async () => {
  const source = new PassThrough();
  const found = readFirstLine(source);
  source.write("one");
  source.destroy(new Error("no input"));
  await rejects(found, /no input/);
});
