import assert from "node:assert/strict";
import * as v from "valibot";
import { Fernet, FERNET_KEY_BYTES, isFresh } from "../../lib/bridge/fernet.ts";
import { serverIv, visitorIv } from "../../lib/bridge/token_iv.ts";
import { systemEntropy } from "../../lib/crypto/entropy.ts";
import { utf8, utf8Text } from "../../lib/wire/bytes.ts";
import { provider } from "../crypto/test_provider.ts";
import { pythonTest } from "./python.ts";

const SCRIPT = new URL("fernet.py", import.meta.url);

const TEXTS = ["", "hello", "x".repeat(15), "x".repeat(16), "Grüße 👋", "ä".repeat(4_096)];

/** What Python is asked. */
type Asked = { readonly key: string } & ({ readonly text: string } | { readonly token: string });

pythonTest("Python's cryptography opens the tokens of a server and of a visitor", async () => {
  const { key, fernet } = await newKey();
  const asked: Asked[] = [];
  for (const text of TEXTS) {
    for (const iv of [serverIv(systemEntropy), visitorIv(systemEntropy)]) {
      asked.push({ key, token: await fernet.seal(utf8(text), { seconds: nowSeconds(), iv }) });
    }
  }
  assert.deepEqual(await answers(asked), TEXTS.flatMap((text) => [text, text]));
});

pythonTest("Python's cryptography refuses an altered token, an old one and another key's", async () => {
  const [{ key, fernet }, other] = [await newKey(), await newKey()];
  const iv = visitorIv(systemEntropy);
  const token = await fernet.seal(utf8("hello"), { seconds: nowSeconds(), iv });
  const old = await fernet.seal(utf8("hello"), { seconds: nowSeconds() - 120, iv });
  const altered = token.slice(0, 40) + (token[40] === "A" ? "B" : "A") + token.slice(41);
  const tokens = [altered, old, await other.fernet.seal(utf8("hello"), { seconds: nowSeconds(), iv })];
  assert.deepEqual(await answers(tokens.map((token) => ({ key, token }))), [null, null, null]);
});

pythonTest("the tokens of Python's cryptography open, and are fresh", async () => {
  const { key, fernet } = await newKey();
  const tokens = await answers(TEXTS.map((text) => ({ key, text })));
  for (const [at, token] of tokens.entries()) {
    const opened = await fernet.open(token ?? "") ?? assert.fail("it opens");
    assert.equal(utf8Text(opened.content), TEXTS[at]);
    assert.ok(isFresh(opened.seconds, nowSeconds()));
  }
  assert.equal(tokens.length, TEXTS.length);
});

async function newKey(): Promise<{ readonly key: string; readonly fernet: Fernet }> {
  const octets = systemEntropy(FERNET_KEY_BYTES);
  return { key: octets.toBase64({ alphabet: "base64url" }), fernet: await Fernet.of(provider, octets) };
}

function nowSeconds(): number {
  return Math.floor(Date.now() / 1_000);
}

async function answers(asked: readonly Asked[]): Promise<readonly (string | null)[]> {
  const child = new Deno.Command("python3", {
    args: [decodeURIComponent(SCRIPT.pathname)],
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(utf8(JSON.stringify(asked)));
  await writer.close();
  const { stdout } = await child.output();
  return v.parse(v.array(v.nullable(v.string())), JSON.parse(new TextDecoder().decode(stdout)));
}
