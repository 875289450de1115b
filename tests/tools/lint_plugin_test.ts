import { deepEqual, match } from "node:assert/strict";
import plugin from "../../tools/lint_plugin.ts";
import { test } from "../sanitized.ts";

/** What the plugin says of `source` as the file `path` of the checkout: "rule: message". */
function verdicts(path: string, source: string): readonly string[] {
  const file = decodeURIComponent(new URL(`../../${path}`, import.meta.url).pathname);
  return Deno.lint.runPlugin(plugin, file, source).map(({ id, message }) => `${id}: ${message}`);
}

function refuses(rule: string, path: string, sources: readonly string[]): void {
  for (const source of sources) {
    match(verdicts(path, source).join("\n"), new RegExp(`^sotto/${rule}: Cannot `, "m"), source);
  }
}

function accepts(path: string, sources: readonly string[]): void {
  for (const source of sources) deepEqual(verdicts(path, source), [], source);
}

test("sotto/import-table refuses an import that the table does not allow, in every form", () => {
  refuses("import-table", "lib/secure/a.ts", [
    `import { x } from "../chat/a.ts"; x();`,
    `import type { X } from "../chat/a.ts"; export const x: X = 1;`,
    `import "../chat/a.ts";`,
    `export { x } from "../chat/a.ts"; export const y = 1;`,
    `export type { X } from "../chat/a.ts"; export const y = 1;`,
    `export * from "../chat/a.ts";`,
    `await import("../chat/a.ts");`,
    `export type Y = import("../chat/a.ts").X;`,
    `import { x } from "../crypto/webcrypto.ts"; x();`,
    `import { x } from "../../server.ts"; x();`,
    `import { x } from "../../../other/a.ts"; x();`,
    `import { x } from "jsr:@std/assert"; x();`,
    `import { x } from "https://example.org/a.ts"; x();`,
    `import { x } from "npm:cborg@6.1.5"; x();`,
  ]);
});

test("sotto/import-table passes what the table allows", () => {
  accepts("lib/secure/a.ts", [
    `import type { Bytes } from "../wire/bytes.ts"; export type B = Bytes;`,
    `import type { Provider } from "../crypto/port.ts"; export type P = Provider;`,
    `import { b } from "./b.ts"; b();`,
    `import * as v from "valibot"; v.parse();`,
  ]);
  accepts("tests/secure/a_test.ts", [`import fc from "npm:fast-check@4.10.2"; fc.check();`]);
});

test("sotto/no-assertion refuses every assertion but as const", () => {
  refuses("no-assertion", "tests/a_test.ts", [
    `export const a = b as string;`,
    `export const a = b as unknown as string;`,
    `export const a = <string> b;`,
    `export const a = b as X.const;`,
  ]);
  accepts("tests/a_test.ts", [`export const a = [1] as const;`, `export const a = { b: 1 } satisfies B;`]);
});

test("sotto/pure-core refuses time, chance, I/O and the runtime in cores", () => {
  const sources = [
    `export const a = Date.now();`,
    `export const a = Date["now"]();`,
    `const { now } = Date; now();`,
    `export const a = new Date();`,
    `export const a = Date();`,
    `export const a = Math.random();`,
    `export const a = performance.now();`,
    `setTimeout(f, 1);`,
    `export const a = { timer: setInterval };`,
    `AbortSignal.timeout(1);`,
    `crypto.getRandomValues(a);`,
    `export const a = crypto.subtle;`,
    `crypto.randomUUID();`,
    `console.log(1);`,
    `Deno.exit(1);`,
    `export const a = Deno;`,
    `export function f(connection: Deno.Conn) {}`,
    `fetch("x");`,
    `globalThis.setTimeout(f, 1);`,
    `import { readFile } from "node:fs/promises"; readFile();`,
    `import { randomBytes } from "node:crypto"; randomBytes();`,
    `import { setTimeout as wait } from "node:timers/promises"; wait();`,
  ];
  for (const core of ["wire", "text", "secure", "identity", "login", "chat", "session", "delivery"]) {
    refuses("pure-core", `lib/${core}/a.ts`, sources);
  }
  refuses("pure-core", "lib/crypto/port.ts", sources);
});

test("sotto/pure-core passes names that only look alike", () => {
  accepts("lib/secure/a.ts", [
    `export const a = new Date(now);`,
    `export const a = clock.now();`,
    `export function f(crypto: Provider) { return crypto.sha256(a); }`,
    `export const a = { setTimeout: 1 };`,
    `export interface A { fetch(): void; readonly setInterval: number }`,
    `export class A { fetch() { return this.fetch(); } }`,
    `export const a = timers.setTimeout;`,
    `import { styleText } from "node:util"; styleText();`,
  ]);
});

test("sotto/pure-core keeps sockets and timers in lib/net, and WebCrypto in lib/crypto", () => {
  const sockets = [
    `Deno.connect({ port: 1 });`,
    `Deno.listen({ port: 1 });`,
    `const { connect } = Deno; connect();`,
    `setTimeout(f, 1);`,
    `setInterval(f, 1);`,
    `AbortSignal.timeout(1);`,
    `import { connect } from "node:net"; connect();`,
  ];
  for (const part of ["store", "client", "terminal", "admin", "config", "crypto"]) {
    refuses("pure-core", `lib/${part}/a.ts`, sockets);
  }
  accepts("lib/net/a.ts", sockets);
  accepts("server.ts", sockets);

  const webcrypto = [`crypto.subtle.digest(a, b);`, `import { scrypt } from "node:crypto"; scrypt();`];
  for (const part of ["store", "client", "net"]) refuses("pure-core", `lib/${part}/a.ts`, webcrypto);
  accepts("lib/crypto/a.ts", webcrypto);
  accepts("lib/store/a.ts", [`export const a = Date.now();`, `Deno.openSync("x");`, `console.error(1);`]);
});

test("sotto/no-barrel refuses export star and files that only pass things on", () => {
  refuses("no-barrel", "lib/chat/a.ts", [
    `export * from "./b.ts"; export const a = 1;`,
    `export { b } from "./b.ts";`,
    `export type { B } from "./b.ts"; export { c } from "./c.ts";`,
    `import { b } from "./b.ts"; export { b };`,
  ]);
  accepts("lib/chat/a.ts", [`export { b } from "./b.ts"; export const a = 1;`, `import "./b.ts";`, ``]);
});

test("sotto/no-default-export refuses a default anywhere but in the plugin", () => {
  refuses("no-default-export", "lib/chat/a.ts", [
    `export default 1;`,
    `export default function f() {}`,
    `const a = 1; export { a as default };`,
  ]);
  accepts("lib/chat/a.ts", [`export const a = 1;`]);
  accepts("tools/lint_plugin.ts", [`export default 1;`]);
});

test("sotto/file-name refuses names that are not snake_case or that say nothing", () => {
  for (
    const path of [
      "lib/chat/roomList.ts",
      "lib/chat/room-list.ts",
      "lib/chat/utils.ts",
      "lib/chat/room_helpers.ts",
      "lib/common/room.ts",
      "tests/util/room_test.ts",
    ]
  ) refuses("file-name", path, [`export const a = 1;`]);
  for (const path of ["lib/chat/room_list.ts", "lib/terminal/screen.tsx", "tests/chat/community_test.ts"]) {
    accepts(path, [`export const a = 1;`]);
  }
});

test("files outside the checkout are left alone", () => {
  deepEqual(Deno.lint.runPlugin(plugin, "/elsewhere/lib/chat/a.ts", `export const a = Date.now();`), []);
});
