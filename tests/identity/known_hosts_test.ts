import { deepEqual, equal, throws } from "node:assert/strict";
import fc from "npm:fast-check@4.10.2";
import { parseHost } from "../../lib/identity/endpoint.ts";
import {
  knownHostKey,
  type KnownHosts,
  type KnownHostsFault,
  parseKnownHosts,
  withKnownHost,
} from "../../lib/identity/known_hosts.ts";
import { check } from "../properties.ts";
import { test } from "../sanitized.ts";

const KEY = Uint8Array.from({ length: 32 }, (_, at) => at);
const OTHER = KEY.with(0, 1);
const LINE = `chat.example.org:8443 sotto-ed25519 ${KEY.toBase64()}`;
const CHAT = { host: "chat.example.org", port: 8_443 } as const;

test("known hosts are read, comments and blank lines aside", () => {
  const text = `# office\r\n\n   \n${LINE}\r\n  # home\n[0::1]:1\tsotto-ed25519  ${OTHER.toBase64()}  \n`;
  const known = read(text);
  deepEqual(known.hosts, [
    { endpoint: CHAT, publicKey: KEY },
    { endpoint: { host: "::1", port: 1 }, publicKey: OTHER },
  ]);
  deepEqual(knownHostKey(known, { host: "::1", port: 1 }), OTHER);
  equal(knownHostKey(known, { host: "::1", port: 2 }), undefined);
  equal(knownHostKey(known, { host: "example.org", port: 8_443 }), undefined);
  deepEqual(read("").hosts, []);
});

test("hosts are compared in their one spelling", () => {
  const known = read(LINE.replace("chat.", "CHAT."));
  deepEqual(knownHostKey(known, CHAT), KEY);
});

test("a malformed line is a fault with its number, never skipped", () => {
  const malformed = [
    "x",
    LINE.replace(":8443", ""),
    LINE.replace("8443", "65536"),
    LINE.replace("sotto-ed25519", "ssh-ed25519"),
    LINE.replace("sotto-ed25519 ", ""),
    LINE.slice(0, -2),
    `${LINE} me@here`,
    LINE.replace("org", "org,other.org"),
    `\uFEFF${LINE}`.replace("chat", "\u202Echat"),
  ];
  for (const line of malformed) {
    deepEqual(
      parseKnownHosts(`# first\n${LINE}\n${line}\n`),
      { kind: "fault", line: 3, why: "is not HOST:PORT sotto-ed25519 BASE64" },
      line,
    );
  }
});

test("attack 30: a second line that gives a known host another key is a fault, not a choice", () => {
  const contradiction = LINE.replace(KEY.toBase64(), OTHER.toBase64());
  deepEqual(parseKnownHosts(`${LINE}\n${LINE}\n${contradiction}`), {
    kind: "fault",
    line: 3,
    why: "gives chat.example.org:8443 another key than a line above it",
  });
});

test("a host is added as a line at the end, all else kept", () => {
  equal(withKnownHost("", CHAT, KEY), `${LINE}\n`);
  equal(withKnownHost("# mine\r\n\n", CHAT, KEY), `# mine\r\n\n${LINE}\n`);
  equal(withKnownHost("# no newline", CHAT, KEY), `# no newline\n${LINE}\n`);
  equal(withKnownHost(LINE, CHAT, KEY), LINE);
});

test("attack 30: a host known by another key is never added over it", () => {
  throws(() => withKnownHost(LINE, CHAT, OTHER), RangeError);
  throws(() => withKnownHost("x", CHAT, KEY), RangeError);
});

test("every host that was added is found, and those before it still are", async () => {
  const endpoint = fc.record({
    host: fc.oneof(fc.ipV4(), fc.ipV6(), fc.domain()).map((text) => parseHost(text) ?? "localhost"),
    port: fc.integer({ min: 1, max: 65_535 }),
  });
  const entry = fc.tuple(endpoint, fc.uint8Array({ minLength: 32, maxLength: 32 }));
  const selector = ([{ host, port }]: [{ host: string; port: number }, Uint8Array]) => `${host} ${port}`;
  await check(fc.property(fc.uniqueArray(entry, { maxLength: 5, selector }), (entries) => {
    const text = entries.reduce((kept, [where, key]) => withKnownHost(kept, where, Uint8Array.from(key)), "");
    const known = read(text);
    for (const [where, key] of entries) deepEqual(knownHostKey(known, where), Uint8Array.from(key));
    equal(known.hosts.length, entries.length);
  }));
});

function read(text: string): KnownHosts {
  const known: KnownHosts | KnownHostsFault = parseKnownHosts(text);
  if (known.kind === "fault") throw new Error(`line ${known.line} ${known.why}`);
  return known;
}
