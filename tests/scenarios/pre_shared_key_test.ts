/**
 * A pre-shared key at each end, the same or not, from a file or the environment.
 *
 * @module
 */

import { deepEqual, equal } from "node:assert/strict";
import { complained } from "./programs.ts";
import { Relay } from "./relay.ts";
import { scenario, type Stage } from "./stage.ts";

const KEY = "0123456789abcdef".repeat(4);
const PASSPHRASE = "the grass is greener on the other side";
const SILENCE =
  /: it closed without an answer; a pre-shared key may be required \(--psk-file\), or this address be banned there\.$/;

const WRONG =
  /: it closed without an answer; the pre-shared key given may be wrong, or this address be banned there\.$/;

/** How an end is told a pre-shared key: by a file with that text, or by the environment. */
interface Told {
  readonly file?: string;
  readonly variable?: string;
}

const NOT_TOLD: Told = {};

const SAME: readonly { readonly name: string; readonly server: Told; readonly client: Told }[] = [
  { name: "64 digits in files", server: { file: `${KEY}\n` }, client: { file: KEY } },
  {
    name: "64 digits in a file, and in capitals in SOTTO_PSK",
    server: { file: KEY },
    client: { variable: KEY.toUpperCase() },
  },
  {
    name: "a passphrase in SOTTO_PSK, and in a file with a newline",
    server: { variable: PASSPHRASE },
    client: { file: `${PASSPHRASE}\r\n` },
  },
];

const DIFFERENT: typeof SAME = [
  { name: "a key at the server, none at the client", server: { file: KEY }, client: NOT_TOLD },
  { name: "no key at the server, one at the client", server: NOT_TOLD, client: { file: KEY } },
  {
    name: "two keys that differ in a digit",
    server: { file: KEY },
    client: { variable: KEY.replace(/f$/, "e") },
  },
  {
    name: "two passphrases that differ in a capital",
    server: { file: PASSPHRASE },
    client: { file: PASSPHRASE.toUpperCase() },
  },
  { name: "a passphrase against a key", server: { file: PASSPHRASE }, client: { file: KEY } },
];

for (const { name, server: serverTold, client: clientTold } of SAME) {
  scenario(`attack 14: the same pre-shared key at both ends lets a client in: ${name}`, async (stage) => {
    const server = await stage.server(await told(stage, serverTold));
    const ann = await stage.joined(server, { user: "ann", ...await told(stage, clientTold) });
    await ann.say("hello");
    await ann.shows("ann: hello");
    await ann.quit();
    equal((await ann.ending()).code, 0);
  });
}

for (const { name, server: serverTold, client: clientTold } of DIFFERENT) {
  scenario(`attack 14: the server is silent and the client says why with 76: ${name}`, async (stage) => {
    const server = await stage.server(await told(stage, serverTold));
    const relay = new Relay(stage, server.port);
    const ann = await stage.client(server, {
      user: "ann",
      address: relay.address,
      ...await told(stage, clientTold),
    });
    const sentence = clientTold === NOT_TOLD ? SILENCE : WRONG;
    complained(await ann.ending(), { code: 76, sentence });
    equal((await relay.firstOver()).count("toClient"), 0);
    equal(relay.connections.length, 1, "nothing is tried again with less");
    deepEqual(await server.reasons(1), ["broke the protocol (badPreSharedKey)"]);
    deepEqual(await server.guests(), []);
  });
}

async function told(
  stage: Stage,
  { file, variable }: Told,
): Promise<{ readonly args: readonly string[]; readonly env: Readonly<Record<string, string>> }> {
  const env = variable === undefined ? undefined : { SOTTO_PSK: variable };
  if (file === undefined) return { args: [], env: env ?? {} };
  const path = stage.path("psk");
  await Deno.writeTextFile(path, file, { mode: 0o600 });
  return { args: [`--psk-file=${path}`], env: env ?? {} };
}
