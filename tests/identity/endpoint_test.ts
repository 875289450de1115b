import { deepEqual, equal } from "node:assert/strict";
import fc from "npm:fast-check@4.10.2";
import { endpointText, parseEndpointText, parseHost, parsePort } from "../../lib/identity/endpoint.ts";
import { check } from "../properties.ts";
import { test } from "../sanitized.ts";

test("a host has one spelling", () => {
  const cases: readonly (readonly [text: string, host: string])[] = [
    ["localhost", "localhost"],
    ["LocalHost", "localhost"],
    ["chat.example.org.", "chat.example.org."],
    ["my_host-2", "my_host-2"],
    ["münchen.example", "xn--mnchen-3ya.example"],
    ["127.1", "127.0.0.1"],
    ["0x7f.0.0.1", "127.0.0.1"],
    ["::1", "::1"],
    ["[::1]", "::1"],
    ["0:0:0:0:0:0:0:1", "::1"],
    ["2001:DB8::00A1", "2001:db8::a1"],
    ["::ffff:127.0.0.1", "::ffff:7f00:1"],
  ];
  for (const [text, host] of cases) equal(parseHost(text), host, text);
});

test("what is no host is refused", () => {
  const cases = [
    ..." |a b|a/b|user@host|host?x|host#x|a\\b|%31|a\tb|a\nb|a\0b|a\u202Eb|\u001b[2J|http://a".split("|"),
    ..."|.|..|a..b|.a|-a|a.-b|256.1.1.1|1.2.3.4.5|xn--a|::g|1::2::3|[::1|::1]|[a]|[]|fe80::1%eth0|a:1".split(
      "|",
    ),
    `${"a".repeat(60)}.`.repeat(5),
  ];
  for (const text of cases) equal(parseHost(text), undefined, JSON.stringify(text));
});

test("a port is one to five digits, up to 65535", () => {
  equal(parsePort("0"), 0);
  equal(parsePort("00080"), 80);
  equal(parsePort("65535"), 65_535);
  for (
    const text of [
      "",
      "65536",
      "99999",
      "000080",
      "-1",
      "+1",
      "1.0",
      "1e3",
      "0x50",
      " 80",
      "80 ",
      "٨٠",
      "8\n",
    ]
  ) {
    equal(parsePort(text), undefined, JSON.stringify(text));
  }
});

test("an endpoint is read back as it was written", async () => {
  const host = fc.oneof(fc.ipV4(), fc.ipV6(), fc.domain());
  await check(fc.property(host, fc.integer({ min: 0, max: 65_535 }), (text, port) => {
    const parsed = parseHost(text);
    if (parsed === undefined) return;
    equal(parseHost(parsed), parsed);
    deepEqual(parseEndpointText(endpointText({ host: parsed, port })), { host: parsed, port });
  }));
});

test("an endpoint needs both its parts", () => {
  for (
    const text of [
      "",
      "a",
      ":1",
      "a:",
      "::1",
      "::1:8443",
      "[::1]",
      "[::1]:",
      "[::1]8443",
      "a:b",
      "a:1:2",
      "a:65536",
    ]
  ) {
    equal(parseEndpointText(text), undefined, text);
  }
});
