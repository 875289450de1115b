import { deepEqual, equal, ok } from "node:assert/strict";
import { SMALL_ORDER_ENCODINGS } from "../../lib/crypto/ed25519_points.ts";
import { AES_BLOCK_BYTES, type Provider } from "../../lib/crypto/port.ts";
import { nobleMlKem } from "../../lib/crypto/ml_kem_noble.ts";
import { webCryptoProvider } from "../../lib/crypto/webcrypto.ts";
import { fingerprint, HOST_KEY_TYPE, hostKeyWords } from "../../lib/identity/host_key.ts";
import { withKnownHost } from "../../lib/identity/known_hosts.ts";
import { TAG_BYTES } from "../../lib/secure/aead.ts";
import { SERVER_AUTH_LABEL } from "../../lib/secure/client_handshake.ts";
import {
  encodeField,
  encodeHello,
  encodeReply,
  HANDSHAKE_TYPES,
  NONCE_BYTES,
} from "../../lib/secure/handshake_message.ts";
import { decodeInner, encodeInner, INNER_HEADER_BYTES } from "../../lib/secure/inner.ts";
import { ciphertextBytes, suiteOfCode, SUITES } from "../../lib/secure/suite.ts";
import { type Bytes, concat, u16, u8 } from "../../lib/wire/bytes.ts";
import { CLOSE_REASONS, decodeClose } from "../../lib/wire/close_code.ts";
import { PADDING_BUCKETS_BYTES } from "../../lib/wire/limits.ts";
import { FAULT_CODES } from "../../lib/wire/message.ts";
import { test } from "../sanitized.ts";
import { fenced, number, octets, section, tableRows } from "./document.ts";

const PROVIDER: Provider = webCryptoProvider(nobleMlKem);

test("PROTOCOL §4.2 has the types and sizes of the handshake's messages", () => {
  const rows = tableRows(section("4.2"), "type");
  deepEqual(rows.map(([type = "", name]) => [name, number(type)]), Object.entries(HANDSHAKE_TYPES));

  const hello = { nonce: zeros(NONCE_BYTES), x25519Share: zeros(32), mlKemKey: zeros(1_184) };
  const sizes = [
    encodeHello({ ...hello, suiteCodes: [] }),
    encodeReply({
      suite: "a256cbc-hs512",
      nonce: zeros(NONCE_BYTES),
      x25519Share: zeros(32),
      mlKemCiphertext: zeros(1_088),
    }),
    encodeField("HostKey", zeros(32)),
    encodeField("Signature", zeros(64)),
    encodeField("Finished", zeros(32)),
    encodeField("Done", zeros(32)),
  ].map((message) => message.length);
  deepEqual(rows.map(([, , size = ""]) => number(size.replace(/ \+.*$/, ""))), sizes);
});

test("PROTOCOL §4.4 has the label that is signed", () => {
  const [, label] = /Ed25519 signature by the host key of\s+"([^"]+)" \| 00 \|/.exec(section("4.4")) ?? [];
  deepEqual(new TextEncoder().encode(`${label}\0`), SERVER_AUTH_LABEL);
});

test("PROTOCOL §4.6 lists the points of small order that are refused", () => {
  const listed = fenced(section("4.6"), "text").flatMap((block) => block.trim().split("\n"));
  deepEqual(listed, Array.from(SMALL_ORDER_ENCODINGS));
});

test("PROTOCOL §4.6 shows the fingerprint, the words and the known-hosts line of the worked session's host key", async () => {
  const hostKey = octets("host_key");
  const endpoint = { host: "chat.example.org", port: 8_443 };
  ok(section("4.6").includes(HOST_KEY_TYPE));
  deepEqual(
    fenced(section("4.6"), "example"),
    [[
      fingerprint(await PROVIDER.sha256(hostKey)),
      (await hostKeyWords(hostKey, PROVIDER)).join(" "),
      withKnownHost("", endpoint, hostKey),
    ].join("\n")],
  );
});

test("PROTOCOL §5.1 has all suites and their codes", () => {
  const rows = tableRows(section("5.1"), "code");
  deepEqual(rows.map(([code = "", suite]) => [number(code), suite]), codesOf(255, suiteOfCode));
  equal(rows.length, SUITES.length);
});

test("PROTOCOL §5.3 has the sizes of records for each suite", () => {
  deepEqual(
    tableRows(section("5.3"), "bucket").map((cells) => cells.map(number)),
    PADDING_BUCKETS_BYTES.map((bucket) => [
      bucket,
      bucket - INNER_HEADER_BYTES,
      ...SUITES.map((suite) => AES_BLOCK_BYTES + ciphertextBytes(suite, bucket) + TAG_BYTES),
    ]),
  );
});

test("PROTOCOL §5.4 has all kinds of content and their codes", () => {
  const padding = zeros(encodeInner("ping", zeros(0)).length - 3);
  const kindOf = (code: number) => decodeInner(concat(u8(code), u16(0), padding))?.kind;
  const rows = tableRows(section("5.4"), "code");
  deepEqual(rows.map(([code = "", kind]) => [number(code), kind]), codesOf(255, kindOf));
});

test("PROTOCOL §5.5 has all reasons of a close and their codes", () => {
  const rows = tableRows(section("5.5"), "code");
  const reasons = codesOf(65_535, (code) => decodeClose(u16(code)));
  deepEqual(rows.map(([code = "", reason]) => [number(code), reason]), reasons);
  equal(reasons.length, CLOSE_REASONS.length);
});

test("PROTOCOL §8 has all faults of a request", () => {
  deepEqual(tableRows(section("8"), "code").map(([code]) => code), Array.from(FAULT_CODES));
});

/** Every code from 0 to `highest` that means something, with what it means. */
function codesOf(highest: number, meaning: (code: number) => string | undefined): readonly unknown[] {
  return Array.from({ length: highest + 1 }, (_, code) => [code, meaning(code)])
    .filter(([, name]) => name !== undefined);
}

function zeros(length: number): Bytes {
  return new Uint8Array(length);
}
