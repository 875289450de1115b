import assert from "node:assert/strict";
import fc from "npm:fast-check@4.10.2";
import {
  CLOCK_SKEW_SECONDS_MAX,
  Fernet,
  FERNET_KEY_BYTES,
  isFresh,
  parseFernetKey,
  TOKEN_IV_BYTES,
  TOKEN_SECONDS_MAX,
} from "../../lib/bridge/fernet.ts";
import { fernetKeyFrom } from "../../lib/bridge/fernet_key.ts";
import { isServerIv, serverIv, visitorIv } from "../../lib/bridge/token_iv.ts";
import { systemEntropy } from "../../lib/crypto/entropy.ts";
import { Failure } from "../../lib/text/failure.ts";
import { utf8 } from "../../lib/wire/bytes.ts";
import { provider } from "../crypto/test_provider.ts";
import { check } from "../properties.ts";
import { test } from "../sanitized.ts";
import { FERNET, OTHER_FERNET } from "./house.ts";

const KEY_TEXT = "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=";

test("any content of any moment comes out of its token as it went in, and not by another key", () =>
  check(fc.asyncProperty(
    fc.uint8Array({ maxLength: 200 }),
    fc.nat({ max: 2 ** 40 }),
    async (array, seconds) => {
      const [content, iv] = [new Uint8Array(array), visitorIv(systemEntropy)];
      const token = await FERNET.seal(content, { seconds, iv });
      const opened = await FERNET.open(token) ?? assert.fail("it opens");
      assert.deepEqual([opened.content, opened.seconds, opened.iv], [content, seconds, iv]);
      assert.equal(await OTHER_FERNET.open(token), undefined);
    },
  )));

test("a token of which any bit is flipped, or any part is missing, is none", async () => {
  const token = await FERNET.seal(utf8("hello"), { seconds: 1, iv: visitorIv(systemEntropy) });
  const octets = Uint8Array.fromBase64(token, { alphabet: "base64url" });
  for (let bit = 0; bit < octets.length * 8; bit++) {
    const flipped = octets.with(bit >> 3, (octets[bit >> 3] ?? 0) ^ (1 << (bit & 7)));
    assert.equal(
      await FERNET.open(new Uint8Array(flipped).toBase64({ alphabet: "base64url" })),
      undefined,
      `bit ${bit}`,
    );
  }
  for (let length = 0; length < octets.length; length++) {
    const cut = octets.slice(0, length).toBase64({ alphabet: "base64url" });
    assert.equal(await FERNET.open(cut), undefined, `${length} octets`);
  }
});

test("text that is no base64url with its padding is no token", async () => {
  const token = await FERNET.seal(utf8("x"), { seconds: 1, iv: visitorIv(systemEntropy) });
  for (const text of [token.replace(/=+$/, ""), `${token}=`, `${token}A`, `+${token}`, "", "%%%%", "ä"]) {
    assert.equal(await FERNET.open(text), undefined, text);
  }
});

test("a token is fresh for a minute, and from a clock that is a minute ahead", () => {
  const now = 1_000_000;
  const [youngest, oldest] = [now + CLOCK_SKEW_SECONDS_MAX, now - TOKEN_SECONDS_MAX];
  assert.deepEqual([youngest, now, oldest].map((seconds) => isFresh(seconds, now)), [true, true, true]);
  assert.deepEqual([youngest + 1, oldest - 1, 2 ** 63].map((seconds) => isFresh(seconds, now)), [
    false,
    false,
    false,
  ]);
});

test("a key is 32 octets in base64url, with the newline that an editor leaves", async () => {
  assert.equal(parseFernetKey(KEY_TEXT)?.length, FERNET_KEY_BYTES);
  assert.deepEqual(parseFernetKey(`${KEY_TEXT}\r\n`), parseFernetKey(KEY_TEXT));
  for (const text of ["", "secret", KEY_TEXT.slice(4), `${KEY_TEXT}AAAA`, KEY_TEXT.replace("_", "/")]) {
    assert.equal(parseFernetKey(text), undefined, text);
  }
  for (const length of [0, 31, 33]) {
    await assert.rejects(Fernet.of(provider, new Uint8Array(length)), RangeError);
  }
});

test("what is no key is refused by a sentence that tells nothing of it", () => {
  assert.equal(fernetKeyFrom(`${KEY_TEXT}\n`).length, FERNET_KEY_BYTES);
  assert.throws(() => fernetKeyFrom("correct horse battery"), (error) => {
    assert.ok(error instanceof Failure && error.exit === "config");
    assert.match(error.message, /^Cannot use the Fernet key: .+; .+\.$/);
    assert.doesNotMatch(error.message, /horse/);
    return true;
  });
});

test("the server knows its own IVs, and takes no other for one", () => {
  for (let count = 0; count < 100; count++) {
    const [own, other] = [serverIv(systemEntropy), visitorIv(systemEntropy)];
    assert.deepEqual([own.length, other.length], [TOKEN_IV_BYTES, TOKEN_IV_BYTES]);
    assert.deepEqual([own, other].map(isServerIv), [true, false]);
  }
});
