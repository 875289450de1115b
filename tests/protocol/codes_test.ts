import { deepEqual, equal, ok } from "node:assert/strict";
import { SMALL_ORDER_ENCODINGS } from "../../lib/crypto/ed25519_points.ts";
import { AES_BLOCK_BYTES, OPAQUE_BYTES, type Provider } from "../../lib/crypto/port.ts";
import { nobleMlKem } from "../../lib/crypto/ml_kem_noble.ts";
import { webCryptoProvider } from "../../lib/crypto/webcrypto.ts";
import { approvalWords } from "../../lib/identity/approval.ts";
import { fingerprint, HOST_KEY_TYPE, hostKeyWords } from "../../lib/identity/host_key.ts";
import { invitationText } from "../../lib/identity/invitation.ts";
import { withKnownHost } from "../../lib/identity/known_hosts.ts";
import { recoveryCodeText } from "../../lib/identity/recovery_code.ts";
import { safetyWords } from "../../lib/identity/safety_words.ts";
import { decodeRefused, encodeRefused } from "../../lib/login/message.ts";
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
import { parseLoginMessage } from "../../lib/secure/login_message.ts";
import { ciphertextBytes, suiteOfCode, SUITES } from "../../lib/secure/suite.ts";
import { MAY_COME } from "../../lib/session/phase.ts";
import { type Bytes, concat, u16, u8 } from "../../lib/wire/bytes.ts";
import { CLOSE_REASONS, decodeClose } from "../../lib/wire/close_code.ts";
import { PADDING_BUCKETS_BYTES } from "../../lib/wire/limits.ts";
import { FAULT_CODES } from "../../lib/wire/message.ts";
import { test } from "../sanitized.ts";
import type { Doubt } from "../../lib/client/doubt.ts";
import { fenced, number, octets, section, tableRows } from "./document.ts";
import { ANN } from "./worked_people.ts";
import { LOGIN_TYPES } from "../../lib/wire/login_type.ts";

const PROVIDER: Provider = webCryptoProvider(nobleMlKem);

/** One message of each kind of a login; those of §11, and a Refused. */
const LOGIN_EXAMPLES: Readonly<Record<string, Bytes>> = {
  RegisterStart: octets("register_start_message"),
  RegisterReply: octets("register_reply_message"),
  RegisterFinish: octets("register_finish_message"),
  LoginStart: octets("login_start_message"),
  LoginReply: octets("login_reply_message"),
  LoginFinish: octets("login_finish_message"),
  DeviceLogin: octets("device_login_message"),
  Refused: encodeRefused("badLogin"),
};

/** The phases in which messages may come, as the session has them. */
const PHASES = ["entering", "password", "device"] as const;

/** The reasons for doubt, in the order in which a client looks; the compiler sees to it that none is missing. */
const DOUBTS = Object.keys(
  {
    "not what was signed": 0,
    "unknown person": 0,
    "identity changed": 0,
    "device list refused": 0,
    "unknown device": 0,
    "bad signature": 0,
    "revoked device": 0,
    "not allowed": 0,
    "wrong time": 0,
    "not readable": 0,
    "repeated message": 0,
    "time went back": 0,
    "out of order": 0,
    "saw another log": 0,
    "withheld": 0,
    "rewritten": 0,
    "not linked": 0,
    "bridged": 0,
  } satisfies Readonly<Record<Doubt, number>>,
);

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

test("PROTOCOL §4.7 has the types, the ways and the sizes of the login's messages", () => {
  const rows = tableRows(section("4.7"), "type").slice(0, Object.keys(LOGIN_TYPES).length);
  deepEqual(rows.map(([type = "", name]) => [name, number(type)]), Object.entries(LOGIN_TYPES));
  for (const [, name = "", way, size = ""] of rows) {
    const example = LOGIN_EXAMPLES[name] ?? zeros(0);
    const sender = way === "C▸S" ? "client" : "server";
    equal(parseLoginMessage(example, sender)?.name, name);
    equal(parseLoginMessage(example, sender === "client" ? "server" : "client"), undefined, "one way only");
    const variable = size.includes("handle") ? ANN.length : 0;
    const code = size.includes("invitation") ? 16 : 0;
    equal(number(size.replace(/ .*$/, "")) + variable + code, example.length, name);
  }
});

test("PROTOCOL §4.7 tells the buckets of the login's records", () => {
  const bucketOf = (name: string, more: number) =>
    encodeInner("handshake", zeros((LOGIN_EXAMPLES[name] ?? zeros(0)).length + more)).length;
  const byName = Object.keys(LOGIN_TYPES).filter((name) => name !== "RegisterStart")
    .map((name) => [name, bucketOf(name, 0)]);
  deepEqual(Object.fromEntries(byName), {
    RegisterReply: 256,
    RegisterFinish: 256,
    LoginStart: 256,
    LoginReply: 1_024,
    LoginFinish: 256,
    DeviceLogin: 256,
    Refused: 64,
  });
  // The example has an invitation and a handle of three letters.
  deepEqual([8, 9].map((h) => bucketOf("RegisterStart", h - ANN.length)), [64, 256]);
  deepEqual([24, 25].map((h) => bucketOf("RegisterStart", h - ANN.length - 16)), [64, 256]);
});

test("PROTOCOL §4.8 has the sizes of OPAQUE's messages", () => {
  const rows = tableRows(section("4.8"), "OPAQUE's message");
  deepEqual(rows.map(([name, size = ""]) => [name, number(size)]), [
    ["RegistrationRequest", OPAQUE_BYTES.registrationRequest],
    ["RegistrationResponse", OPAQUE_BYTES.registrationResponse],
    ["RegistrationRecord", OPAQUE_BYTES.registrationRecord],
    ["KE1", OPAQUE_BYTES.ke1],
    ["KE2", OPAQUE_BYTES.ke2],
    ["KE3", OPAQUE_BYTES.ke3],
  ]);
  for (const [name, size = "", parts = ""] of rows) {
    const sizes = Array.from(parts.matchAll(/ (\d+)(?:,|$)/g), ([, octets = ""]) => Number(octets));
    if (sizes.length > 0) equal(sizes.reduce((sum, octets) => sum + octets, 0), number(size), name);
  }
});

test("PROTOCOL §4.10 has all refusals and their codes", () => {
  const rows = tableRows(section("4.10"), "code");
  deepEqual(rows.map(([code = "", name]) => [number(code), name]), codesOf(255, refusalOf));
});

test("PROTOCOL §4.11 shows an invitation to the worked session's server", () => {
  const endpoint = { host: "chat.example.org", port: 8_443 };
  const code = octets("invitation_code");
  deepEqual(
    fenced(section("4.11"), "invitation").map((block) => block.trim()),
    [invitationText({ endpoint, hostKey: octets("host_key"), code, certificate: undefined })],
  );
});

test("PROTOCOL §6.26 has all reasons for doubt", () => {
  const reasons = tableRows(section("6.26"), "reason").map(([reason]) => reason);
  deepEqual([...reasons, "bridged"], Array.from(DOUBTS));
  ok(section("6.26").includes("`bridged`"));
});

test("PROTOCOL §6.27 to §6.29 show the recovery code and the words of the examples", async () => {
  deepEqual(fenced(section("6.27"), "example"), [`${recoveryCodeText(octets("recovery_code"))}\n`]);
  const hostKey = octets("host_key");
  const identity = octets("ann_identity_key");
  const [device, share] = [octets("phone_device_key"), octets("phone_share")];
  const six = await approvalWords(PROVIDER, { hostKey, handle: ANN, identity, device, share });
  deepEqual(fenced(section("6.28"), "example"), [`${six.join(" ")}\n`]);
  const twelve = await safetyWords(PROVIDER, hostKey, [octets("bob_identity_key"), identity]);
  deepEqual(fenced(section("6.29"), "example"), [`${twelve.join(" ")}\n`]);
});

test("PROTOCOL §7 has what may come in each phase", () => {
  const head = section("7").split("\n").find((line) => line.startsWith("| message "));
  const phases = head?.split("|").slice(2, -1).map((cell) => cell.trim()) ?? [];
  deepEqual(phases, PHASES);
  const rows = tableRows(section("7"), "message");
  for (const [at, phase] of PHASES.entries()) {
    const listed = rows.filter((cells) => cells[at + 1] !== "–").flatMap(([types = ""]) => types.split(", "));
    deepEqual(listed.toSorted(), MAY_COME[phase].toSorted(), phase);
  }
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

function refusalOf(code: number): string | undefined {
  const fields = u8(code);
  const type = LOGIN_TYPES.Refused;
  return decodeRefused({ type, fields, bytes: concat(u8(type), u16(1), fields) });
}

function zeros(length: number): Bytes {
  return new Uint8Array(length);
}
