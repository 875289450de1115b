import assert from "node:assert/strict";
import type { Provider } from "../../lib/crypto/port.ts";
import { Link } from "../../lib/secure/link.ts";
import { SUITES } from "../../lib/secure/suite.ts";
import type { Bytes } from "../../lib/wire/bytes.ts";
import { test } from "../sanitized.ts";
import { HOST_KEY_SEED, partsOf, repeatable } from "./recorded_session.ts";

const KEYS: Readonly<Record<string, Bytes | undefined>> = {
  none: undefined,
  A: new Uint8Array(32).fill(0xa),
  B: new Uint8Array(32).fill(0xb),
};

for (const [servers, serverKey] of Object.entries(KEYS)) {
  for (const [clients, clientKey] of Object.entries(KEYS)) {
    if (servers === clients) equalKeysTest(servers, serverKey);
    else otherKeysTest({ servers, serverKey, clients, clientKey });
  }
}

function equalKeysTest(name: string, key: Bytes | undefined): void {
  test(`attack 14: with the pre-shared key ${name} at both ends the handshake ends well`, async () => {
    const { client, server } = await ends(key, key, repeatable);
    await server.receive(await write(client), 0);
    const events = await client.receive(await write(server), 0);
    assert.deepEqual(events.map(({ kind }) => kind), ["established"]);
    const [established] = await server.receive(await write(client), 0);
    assert.equal(established?.kind, "established");
    client.lost();
    server.lost();
  });
}

interface Keys {
  readonly servers: string;
  readonly serverKey: Bytes | undefined;
  readonly clients: string;
  readonly clientKey: Bytes | undefined;
}

function otherKeysTest({ servers, serverKey, clients, clientKey }: Keys): void {
  test(`attack 14: a server with the pre-shared key ${servers} is silent to a client with ${clients}`, async () => {
    const asked: string[] = [];
    const { client, server } = await ends(serverKey, clientKey, listening(repeatable, asked));
    assert.deepEqual(await server.receive(await write(client), 0), []);
    assert.equal(await server.nextWrite(() => 0), undefined, "not one octet");
    assert.deepEqual(await server.ended, { kind: "failed", fault: "badPreSharedKey" });
    assert.deepEqual(asked, [], "no asymmetric work for a stranger");

    client.receiveEnd();
    assert.deepEqual(await client.ended, { kind: "cut", during: "handshake", answered: false });
  });
}

async function ends(
  serverKey: Bytes | undefined,
  clientKey: Bytes | undefined,
  serverProvider: Provider,
): Promise<{ readonly client: Link; readonly server: Link }> {
  const hostKey = await repeatable.ed25519SigningKey(HOST_KEY_SEED);
  const pin = { kind: "key", publicKey: hostKey.publicKey } as const;
  return {
    client: await Link.client(
      { suites: SUITES, psk: clientKey, pin },
      partsOf(repeatable, "client", "keys"),
      0,
    ),
    server: Link.server(
      { suites: SUITES, psk: serverKey, hostKey },
      partsOf(serverProvider, "server", "keys"),
      0,
    ),
  };
}

/** A provider that tells which asymmetric primitives are asked for. */
function listening(real: Provider, asked: string[]): Provider {
  function told<Result>(name: string, result: Result): Result {
    asked.push(name);
    return result;
  }
  return {
    ...real,
    x25519Pair: (seed) => told("x25519Pair", real.x25519Pair(seed)),
    mlKemPair: (seed) => told("mlKemPair", real.mlKemPair(seed)),
    mlKemEncapsulate: (key, entropy) => told("mlKemEncapsulate", real.mlKemEncapsulate(key, entropy)),
    ed25519VerifyingKey: (key) => told("ed25519VerifyingKey", real.ed25519VerifyingKey(key)),
  };
}

async function write(link: Link): Promise<Bytes> {
  return await link.nextWrite(() => 0) ?? assert.fail("there is something to write");
}
