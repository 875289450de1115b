/**
 * Who may import whom, as data: the rooms of the house, what lives in each, and what each may use. The lint
 * rule `sotto/import-table` enforces it. "May use" is direct and complete, types included; a room may always
 * use its own files and packages (`npm:` by way of deno.json, `node:`).
 *
 * @module
 */

/** One room of the house. Paths are relative to the checkout; one that ends in `/` is a folder. */
export interface Place {
  /** Where its files are. */
  readonly path: string;
  /** What lives there, in one phrase. */
  readonly holds: string;
  /** The paths it may import from, besides its own. */
  readonly mayUse: readonly string[];
}

/** What every part of lib may use: octets and messages, the interfaces of cryptography, safe text. */
const ALWAYS = ["lib/wire/", "lib/crypto/port.ts", "lib/text/"] as const;

/** Every folder of lib but lib/crypto, whose implementations are chosen by roots, tests and benches alone. */
const PARTS = [
  "lib/wire/",
  "lib/text/",
  "lib/secure/",
  "lib/identity/",
  "lib/login/",
  "lib/chat/",
  "lib/session/",
  "lib/delivery/",
  "lib/store/",
  "lib/cluster/",
  "lib/bridge/",
  "lib/admin/",
  "lib/sealed/",
  "lib/client/",
  "lib/net/",
  "lib/terminal/",
  "lib/config/",
] as const;

const EVERYTHING = [...PARTS, "lib/crypto/", "deno.json"];

/** The table. No two paths overlap; nothing lists the two roots, so nothing imports them. */
export const PLACES: readonly Place[] = [
  { path: "deno.json", holds: "pins, strict settings, tasks, import map", mayUse: [] },
  { path: "server.ts", holds: "the server's composition root", mayUse: EVERYTHING },
  { path: "client.ts", holds: "the client's composition root", mayUse: EVERYTHING },
  { path: "lib/wire/", holds: "frames, codec, message types, fault codes", mayUse: ["lib/text/"] },
  { path: "lib/text/", holds: "the sanitiser, safe names, words, trace rendering", mayUse: ALWAYS },
  { path: "lib/crypto/", holds: "interfaces of cryptography and their implementations", mayUse: ALWAYS },
  { path: "lib/secure/", holds: "handshake, key schedule, records, rekeying", mayUse: ALWAYS },
  { path: "lib/identity/", holds: "keys, certificates, invitations, known hosts", mayUse: ALWAYS },
  { path: "lib/login/", holds: "registration and login, both sides", mayUse: [...ALWAYS, "lib/identity/"] },
  {
    path: "lib/chat/",
    holds: "the rules, and the ports Store and Bus",
    mayUse: [...ALWAYS, "lib/identity/"],
  },
  {
    path: "lib/session/",
    holds: "one peer of the server from first byte to goodbye",
    mayUse: [...ALWAYS, "lib/secure/", "lib/login/", "lib/chat/"],
  },
  {
    path: "lib/delivery/",
    holds: "who is connected, queues, fan-out, back-pressure",
    mayUse: [...ALWAYS, "lib/identity/", "lib/chat/", "lib/session/", "lib/secure/"],
  },
  {
    path: "lib/store/",
    holds: "what is kept on disk",
    mayUse: [
      ...ALWAYS,
      "lib/chat/port.ts",
      "lib/chat/log_port.ts",
      "lib/chat/file_port.ts",
      "lib/chat/room.ts",
      "lib/chat/room_snapshot.ts",
      "lib/client/keepers.ts",
      "lib/client/room_merge.ts",
      "lib/identity/",
    ],
  },
  { path: "lib/cluster/", holds: "Store and Bus on NATS", mayUse: [...ALWAYS, "lib/chat/port.ts"] },
  { path: "lib/bridge/", holds: "the Fernet line bridge", mayUse: [...ALWAYS, "lib/chat/"] },
  {
    path: "lib/admin/",
    holds: "console, administration, health and metrics",
    mayUse: [...ALWAYS, "lib/chat/", "lib/session/", "lib/delivery/"],
  },
  { path: "lib/sealed/", holds: "end-to-end encrypted rooms", mayUse: [...ALWAYS, "lib/identity/"] },
  {
    path: "lib/client/",
    holds: "one person's client: connection, outbox, commands",
    mayUse: [...ALWAYS, "lib/secure/", "lib/login/", "lib/identity/", "lib/sealed/"],
  },
  { path: "lib/net/", holds: "sockets, timers and the pump", mayUse: ALWAYS },
  {
    path: "lib/terminal/",
    holds: "full-screen, line and JSON front ends",
    mayUse: [...ALWAYS, "lib/client/"],
  },
  { path: "lib/config/", holds: "flags and folders as typed values", mayUse: [...ALWAYS, "lib/identity/"] },
  {
    path: "tools/",
    holds: "start, demo, build, gates",
    mayUse: [...PARTS, "lib/crypto/port.ts", "deno.json"],
  },
  { path: "tests/", holds: "tests, which mirror lib", mayUse: [...EVERYTHING, "tools/", "bench/"] },
  { path: "bench/", holds: "measurements, and the loads for them", mayUse: [...EVERYTHING, "tools/"] },
];

/**
 * The sentence of what is wrong when `importer` imports `imported`; `undefined` where it may. Both are paths
 * relative to the checkout, with `/` as separator.
 *
 * ```ts
 * import { importVerdict } from "./import_table.ts";
 * console.assert(importVerdict("lib/secure/record.ts", "lib/wire/bytes.ts") === undefined);
 * console.assert(importVerdict("lib/wire/bytes.ts", "lib/secure/record.ts") !== undefined);
 * ```
 */
export function importVerdict(importer: string, imported: string): string | undefined {
  const refusal = `Cannot import ${imported} from ${importer}`;
  const from = placeOf(importer);
  if (from === undefined) {
    return `${refusal}: ${importer} is in no place of tools/import_table.ts; give it a row`;
  }
  const to = placeOf(imported);
  if (to === undefined) {
    return `${refusal}: ${imported} is in no place of tools/import_table.ts; give it a row`;
  }
  if (imported === "server.ts" || imported === "client.ts") {
    return `${refusal}: nothing imports a composition root; move what you need into lib`;
  }
  if (from.path === to.path || from.mayUse.some((path) => isWithin(imported, path))) return undefined;
  const allowed = from.mayUse.length === 0 ? "nothing" : from.mayUse.map(shown).join(", ");
  const rule = `${shown(from.path)} may use ${allowed}`;
  return `${refusal}: ${rule}; take the value as an argument or declare a port`;
}

/** The place of a file, or `undefined` where the table has none. */
export function placeOf(file: string): Place | undefined {
  return PLACES.find((place) => isWithin(file, place.path));
}

function isWithin(file: string, path: string): boolean {
  return path.endsWith("/") ? file.startsWith(path) : file === path;
}

function shown(path: string): string {
  return path.replace(/\/$/, "");
}
