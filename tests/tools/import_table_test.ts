import { equal, match, ok } from "node:assert/strict";
import { importVerdict, placeOf, PLACES } from "../../tools/import_table.ts";
import { test } from "../sanitized.ts";

function allowed(importer: string, imported: string): boolean {
  return importVerdict(importer, imported) === undefined;
}

test("every part of lib uses octets, safe text and the interfaces of cryptography", () => {
  for (const { path } of PLACES.filter((place) => place.path.startsWith("lib/"))) {
    ok(allowed(`${path}a.ts`, "lib/text/visible.ts"), path);
    if (path === "lib/wire/") continue;
    ok(allowed(`${path}a.ts`, "lib/wire/bytes.ts"), path);
    ok(allowed(`${path}a.ts`, "lib/crypto/port.ts"), path);
  }
  ok(!allowed("lib/wire/bytes.ts", "lib/crypto/port.ts"));
});

test("implementations of cryptography are imported by roots, tests and benches alone", () => {
  for (
    const importer of ["server.ts", "client.ts", "tests/secure/a_test.ts", "bench/a.ts", "lib/crypto/a.ts"]
  ) {
    ok(allowed(importer, "lib/crypto/webcrypto.ts"), importer);
  }
  for (
    const { path } of PLACES.filter((place) => place.path.startsWith("lib/") && place.path !== "lib/crypto/")
  ) {
    ok(!allowed(`${path}a.ts`, "lib/crypto/webcrypto.ts"), path);
  }
  ok(!allowed("tools/demo.ts", "lib/crypto/webcrypto.ts"));
});

test("nothing imports a composition root", () => {
  for (const { path } of PLACES) {
    const importer = path.endsWith("/") ? `${path}a.ts` : path;
    match(importVerdict(importer, "server.ts") ?? "", /nothing imports a composition root/);
    match(importVerdict(importer, "client.ts") ?? "", /nothing imports a composition root/);
  }
});

test("the store and the cluster see the rules' ports and not the rules", () => {
  for (const importer of ["lib/store/a.ts", "lib/cluster/a.ts"]) {
    ok(allowed(importer, "lib/chat/port.ts"));
    ok(!allowed(importer, "lib/chat/decide.ts"));
  }
});

test("the rows say who may use whom", () => {
  const rows = [
    ["lib/session/a.ts", "lib/secure/a.ts", true],
    ["lib/session/a.ts", "lib/identity/a.ts", false],
    ["lib/session/a.ts", "lib/delivery/a.ts", false],
    ["lib/delivery/a.ts", "lib/session/a.ts", true],
    ["lib/chat/a.ts", "lib/identity/a.ts", true],
    ["lib/chat/a.ts", "lib/store/a.ts", false],
    ["lib/client/a.ts", "lib/sealed/a.ts", true],
    ["lib/client/a.ts", "lib/chat/a.ts", false],
    ["lib/client/a.ts", "lib/net/a.ts", false],
    ["lib/terminal/a.ts", "lib/client/a.ts", true],
    ["lib/terminal/a.ts", "lib/secure/a.ts", false],
    ["lib/net/a.ts", "lib/secure/a.ts", false],
    ["lib/admin/a.ts", "lib/delivery/a.ts", true],
    ["lib/config/a.ts", "lib/identity/a.ts", true],
    ["lib/wire/a.ts", "tools/import_table.ts", false],
    ["tests/a_test.ts", "tools/import_table.ts", true],
    ["server.ts", "lib/net/a.ts", true],
    ["server.ts", "tests/sanitized.ts", false],
  ] as const;
  for (const [importer, imported, expected] of rows) {
    equal(allowed(importer, imported), expected, `${importer} > ${imported}`);
  }
});

test("a file in no row is refused by name", () => {
  match(
    importVerdict("lib/misc/a.ts", "lib/wire/a.ts") ?? "",
    /^Cannot import .*: lib\/misc\/a\.ts is in no place/,
  );
  match(importVerdict("lib/chat/a.ts", "lib/misc/a.ts") ?? "", /lib\/misc\/a\.ts is in no place/);
});

test("no two places overlap", () => {
  for (const { path } of PLACES) equal(placeOf(path.endsWith("/") ? `${path}a.ts` : path)?.path, path);
});
