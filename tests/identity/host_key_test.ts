import { deepEqual, equal } from "node:assert/strict";
import { wordlist } from "@scure/bip39/wordlists/english.js";
import { fingerprint, hostKeyWords, parseHostKeyReference } from "../../lib/identity/host_key.ts";
import { provider } from "../crypto/test_provider.ts";
import { test } from "../sanitized.ts";

/** The public key of RFC 8032 §7.1, test 1. */
const KEY = Uint8Array.fromHex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
const KEY_BASE64 = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
/** Its SHA-256, by Python's hashlib. */
const FINGERPRINT = "SHA256:If4x36FUomFia/hUBG/SJxt77UtqvkWqWId+9H+XIbk";
/** SHA-512("sotto/1 host key words" 00 | KEY), by Python's hashlib. */
const WORDS_HASH = "de8e9b9423a3e9a7512617e7bd82f1b7827f2ef8ca3108835d90c29aaad35f91" +
  "877b9db9965e2cc65e2adec4a919a76c2cced2201956fa7aceacc72236c0c17a";

test("a fingerprint is SHA-256 in unpadded base64, as OpenSSH prints one", async () => {
  equal(fingerprint(await provider.sha256(KEY)), FINGERPRINT);
});

test("a host key is named by its fingerprint, padded or not", async () => {
  const sha256 = await provider.sha256(KEY);
  deepEqual(parseHostKeyReference(FINGERPRINT), { kind: "fingerprint", sha256 });
  deepEqual(parseHostKeyReference(`${FINGERPRINT}=`), { kind: "fingerprint", sha256 });
});

test("a host key is named by itself, padded or not, alone or after its type", () => {
  const bare = KEY_BASE64.slice(0, -1);
  for (const text of [KEY_BASE64, bare, `sotto-ed25519 ${KEY_BASE64}`, `sotto-ed25519  ${bare}`]) {
    deepEqual(parseHostKeyReference(text), { kind: "key", publicKey: KEY }, text);
  }
});

test("what names no host key is refused", () => {
  const cases = [
    "",
    "SHA256:",
    `SHA256:${FINGERPRINT}`,
    `${FINGERPRINT.slice(0, -1)}`,
    `${FINGERPRINT}A`,
    // Another spelling of the last octet: bits beyond it are set.
    `${FINGERPRINT.slice(0, -1)}l`,
    FINGERPRINT.replace("SHA256", "MD5"),
    FINGERPRINT.replace("+", "-"),
    ` ${KEY_BASE64}`,
    `${KEY_BASE64} me@here`,
    `ssh-ed25519 ${KEY_BASE64}`,
    `sotto-ed25519 ${KEY_BASE64} me@here`,
    "sotto-ed25519",
    "sotto-ed25519 ",
    KEY.toHex(),
  ];
  for (const text of cases) equal(parseHostKeyReference(text), undefined, JSON.stringify(text));
});

test("a host key's words are the first 132 bits of its labelled hash", async () => {
  const bits = [...BigInt(`0x${WORDS_HASH}`).toString(2).padStart(512, "0")].slice(0, 132).join("");
  const expected = bits.match(/.{11}/g)?.map((index) => wordlist[parseInt(index, 2)]);
  deepEqual(await hostKeyWords(KEY, provider), expected);
  equal(expected?.length, 12);
});
