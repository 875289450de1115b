import { deepEqual, equal, throws } from "node:assert/strict";
import {
  type Address,
  DEFAULT_ENDPOINT,
  hostFrom,
  isLoopback,
  parseAddress,
  parseEndpoint,
  portFrom,
} from "../../lib/config/address.ts";
import { test } from "../sanitized.ts";

test("an address is a host, a host and port, or a port", () => {
  const cases: readonly (readonly [text: string, address: Address])[] = [
    ["example.org", { host: "example.org", port: undefined }],
    ["Example.org:9000", { host: "example.org", port: 9_000 }],
    ["127.0.0.1:1", { host: "127.0.0.1", port: 1 }],
    ["[::1]", { host: "::1", port: undefined }],
    ["[::1]:65535", { host: "::1", port: 65_535 }],
    ["::1", { host: "::1", port: undefined }],
    ["9000", { host: undefined, port: 9_000 }],
  ];
  for (const [text, address] of cases) deepEqual(parseAddress(text), address);
});

test("what an address does not say is the default", () => {
  deepEqual(parseEndpoint("9000", DEFAULT_ENDPOINT), { host: "127.0.0.1", port: 9_000 });
  deepEqual(parseEndpoint("[::1]", DEFAULT_ENDPOINT), { host: "::1", port: 8_443 });
  deepEqual(parseEndpoint("a:1", DEFAULT_ENDPOINT), { host: "a", port: 1 });
});

test("an address that cannot be understood is told in one sentence", () => {
  const forms = "HOST, HOST:PORT, [IPv6]:PORT or a port";
  const odd = [
    "",
    "-",
    "a:",
    ":1",
    "a:b",
    "a:1:2",
    "[::1]x",
    "[::1",
    "a b",
    "a\u001b[2J",
    "user@host",
    "a:-1",
  ];
  for (const text of odd) {
    throws(() => parseAddress(text), {
      name: "Failure",
      exit: "usage",
      message: `Cannot understand the address "${text.replace("\u001b", "␛")}": it is not ${forms}; ` +
        "write it like chat.example.org:8443.",
    });
  }
  throws(() => parseAddress("sotto://a:1/x"), {
    exit: "usage",
    message:
      `Cannot understand the address "sotto://a:1/x": an address is ${forms}; write it without "sotto://".`,
  });
});

test("a port that nobody can answer at is told as that", () => {
  for (const text of ["0", "65536", "a:0", "a:65536", "123456789"]) {
    const port = text.replace("a:", "");
    throws(() => parseAddress(text), {
      exit: "usage",
      message: `Cannot use "${port}" as a port: a port is a number from 1 to 65535; give one of these.`,
    });
  }
  equal(portFrom("0", 0), 0);
  throws(() => portFrom("", 0), {
    message: /^Cannot use "" as a port: a port is a number from 0 to 65535; /,
  });
});

test("a host alone has no port", () => {
  equal(hostFrom("[::1]"), "::1");
  throws(() => hostFrom("a:1"), {
    exit: "usage",
    message: 'Cannot use "a:1" as a host: a host is a name or an IP address, without a port; ' +
      "write it like chat.example.org.",
  });
});

test("loopback is 127.0.0.0/8, ::1 and localhost, and nothing that looks like them", () => {
  for (const host of ["127.0.0.1", "127.0.0.0", "127.255.255.255", "127.1.2.3", "::1", "localhost"]) {
    equal(isLoopback(host), true, host);
  }
  const others = [
    "",
    "0.0.0.0",
    "::",
    "128.0.0.1",
    "127.0.0.1.example.org",
    "127.0.0",
    "127.0.0.256",
    "127.0.0.01",
    "1127.0.0.1",
    "127.0.0.1 ",
    "localhost.example.org",
    "localhost.",
    "mylocalhost",
    "::2",
    "::ffff:7f00:1",
    "127x0x0x1",
  ];
  for (const host of others) equal(isLoopback(host), false, host);
});
