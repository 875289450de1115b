/**
 * PROTOCOL §5.6's example, computed from its text and with nothing of lib/secure.
 *
 * @module
 */

import assert from "node:assert/strict";
import { createCipheriv, createHash, createHmac } from "node:crypto";
import { type Bytes, concat, u16, u32, u64, u8, utf8 } from "../../lib/wire/bytes.ts";
import { test } from "../sanitized.ts";
import { namedOctets, section } from "./document.ts";

/** Its block has a language of its own: §11 recomputes what those of `hex` have in common. */
const octets = namedOctets(section("5.6").replace("```shared", "```hex"));

function named(name: string): Bytes {
  return octets.get(name) ?? assert.fail(`§5.6 names ${name}`);
}

test("PROTOCOL §5.6: the example's octets follow from its text", () => {
  const [room, keyId, iv] = [named("shared_room"), named("shared_key_id"), named("shared_iv")];
  const content = concat(u16(3), utf8("one"), u16(3), utf8("two"));
  const inner = concat(u8(2), u16(content.length), content);
  const cipher = createCipheriv("aes-256-cbc", named("shared_key"), iv);
  const padded = concat(inner, new Uint8Array(64 - inner.length));
  const ciphertext = concat(Uint8Array.from(cipher.update(padded)), Uint8Array.from(cipher.final()));
  assert.deepEqual(ciphertext, named("shared_ciphertext"));
  const body = concat(u8(1), room, keyId, iv, ciphertext);
  const digest = createHash("sha512").update(concat(utf8("sotto/1 shared"), u8(0), body.slice(1))).digest();
  assert.deepEqual(Uint8Array.from(digest), named("shared_digest"));

  const info = concat(u16(64), labelled("sotto/1 shared"), u8(0));
  const expanded = createHmac("sha512", named("shared_secret")).update(concat(info, u8(1))).digest();
  assert.deepEqual(Uint8Array.from(expanded.subarray(0, 32)), named("shared_tag_key"));
  const length = body.length + 32;
  const tag = createHmac("sha256", named("shared_tag_key"))
    .update(concat(u32(1), u64(5), u16(length), u8(1), named("shared_digest"))).digest();
  assert.deepEqual(Uint8Array.from(tag), named("shared_tag"));
  assert.deepEqual(concat(u16(length), body, Uint8Array.from(tag)), named("shared_frame"));
});

function labelled(label: string): Bytes {
  const bytes = utf8(label);
  return concat(u8(bytes.length), bytes);
}
