import { deepEqual, ok } from "node:assert/strict";
import * as v from "valibot";
import { test } from "../sanitized.ts";

const Lock = v.object({
  specifiers: v.record(v.string(), v.string()),
  npm: v.record(v.string(), v.object({ integrity: v.string() })),
});
const Configuration = v.object({ imports: v.record(v.string(), v.string()) });

async function read(path: string): Promise<unknown> {
  return JSON.parse(await Deno.readTextFile(new URL(`../../${path}`, import.meta.url)));
}

test("deno.lock names what deno.json pins and nothing that only tests use", async () => {
  const { imports } = v.parse(Configuration, await read("deno.json"));
  const pins = Object.values(imports).map((pin) => /^npm:(@[^/]+\/)?[^/]+/.exec(pin)?.[0] ?? pin);
  const lock = v.parse(Lock, await read("deno.lock"));
  deepEqual(
    Object.keys(lock.specifiers).sort(),
    [...new Set(pins)].sort(),
    "run deno task --frozen=false lock",
  );
});

test("every pin of deno.json is one exact release", async () => {
  const { imports } = v.parse(Configuration, await read("deno.json"));
  for (const pin of Object.values(imports)) ok(/^npm:(@[^/]+\/)?[^/@]+@\d+\.\d+\.\d+(\/|$)/.test(pin), pin);
});

test("tests/deno.lock has the same packages as deno.lock, and more", async () => {
  const product = v.parse(Lock, await read("deno.lock"));
  const tests = v.parse(Lock, await read("tests/deno.lock"));
  for (const [name, { integrity }] of Object.entries(product.npm)) {
    deepEqual(tests.npm[name]?.integrity, integrity, name);
  }
});
