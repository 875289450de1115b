import assert from "node:assert/strict";
import * as v from "valibot";
import { Fernet, isFresh, parseFernetKey } from "../../lib/bridge/fernet.ts";
import { utf8, utf8Text } from "../../lib/wire/bytes.ts";
import { provider } from "../crypto/test_provider.ts";
import { readJson, vectorTest } from "./vector_files.ts";

/** Seconds since 1970 of a time with its zone. */
const seconds = v.pipe(v.string(), v.transform((text) => Date.parse(text) / 1_000), v.safeInteger());

const Token = { token: v.string(), now: seconds, secret: v.string() };
const GENERATE = v.array(v.object({
  ...Token,
  iv: v.pipe(v.array(v.number()), v.transform((octets) => Uint8Array.from(octets))),
  src: v.string(),
}));
const VERIFY = v.array(v.object({ ...Token, ttl_sec: v.literal(60), src: v.string() }));
const INVALID = v.array(v.object({ ...Token, ttl_sec: v.literal(60), desc: v.string() }));

vectorTest("a Fernet token is made as the specification's example is", async () => {
  const cases = await readJson("fernet/generate.json", GENERATE);
  for (const { token, now, iv, src, secret } of cases) {
    const fernet = await fernetOf(secret);
    assert.equal(await fernet.seal(utf8(src), { seconds: now, iv }), token);
  }
  assert.equal(cases.length, 1);
});

vectorTest("a Fernet token of the specification opens and is fresh", async () => {
  const cases = await readJson("fernet/verify.json", VERIFY);
  for (const { token, now, src, secret } of cases) {
    const opened = await (await fernetOf(secret)).open(token) ?? assert.fail("it opens");
    assert.equal(utf8Text(opened.content), src);
    assert.ok(isFresh(opened.seconds, now));
  }
  assert.equal(cases.length, 1);
});

vectorTest("a Fernet token that the specification calls invalid does not open, or is not fresh", async () => {
  const cases = await readJson("fernet/invalid.json", INVALID);
  const untimely: string[] = [];
  for (const { token, now, desc, secret } of cases) {
    const opened = await (await fernetOf(secret)).open(token);
    if (opened === undefined) continue;
    assert.ok(!isFresh(opened.seconds, now), desc);
    untimely.push(desc);
  }
  assert.deepEqual(untimely, ["far-future TS (unacceptable clock skew)", "expired TTL"]);
  assert.equal(cases.length, 8);
});

function fernetOf(secret: string): Promise<Fernet> {
  return Fernet.of(provider, parseFernetKey(secret) ?? assert.fail("a key"));
}
