import assert from "node:assert/strict";
import type { SigningKey } from "../../lib/crypto/port.ts";
import { type HostKeyPin, SERVER_AUTH_LABEL } from "../../lib/secure/client_handshake.ts";
import { Link, type LinkEnd } from "../../lib/secure/link.ts";
import { SUITES } from "../../lib/secure/suite.ts";
import { type Bytes, concat } from "../../lib/wire/bytes.ts";
import { test } from "../sanitized.ts";
import { HOST_KEY_SEED, partsOf, PSK, repeatable } from "./recorded_session.ts";

const genuine = await repeatable.ed25519SigningKey(HOST_KEY_SEED);
const foreign = await repeatable.ed25519SigningKey(new Uint8Array(32).fill(0x66));
const pinned: HostKeyPin = { kind: "key", publicKey: genuine.publicKey };

for (const psk of [undefined, PSK]) {
  const how = psk === undefined ? "" : ", pre-shared key known";

  test(`attack 1: a host key of someone in the middle stops the client before it says a word more${how}`, async () => {
    const fingerprint = { kind: "fingerprint", sha256: await repeatable.sha256(genuine.publicKey) } as const;
    for (const pin of [pinned, fingerprint, { kind: "unknown" } as const]) {
      const { end, written } = await meet(foreign, pin, psk);
      assert.deepEqual(end, { kind: "hostKeyRefused", hostKey: foreign.publicKey }, pin.kind);
      assert.equal(written, 1, "Hello alone");
    }
  });

  test(`attack 1: the genuine host key without its signature stops the client${how}`, async () => {
    const elsewhere = await genuine.sign(concat(SERVER_AUTH_LABEL, new Uint8Array(64)));
    const thieves: readonly SigningKey[] = [
      // He signs with the key that he has.
      { publicKey: genuine.publicKey, sign: (data) => foreign.sign(data) },
      // He gives a signature that the server made in another handshake, or for another purpose.
      { publicKey: genuine.publicKey, sign: () => Promise.resolve(elsewhere) },
      {
        publicKey: genuine.publicKey,
        sign: (data) => genuine.sign(concat(Uint8Array.of(0), data.slice(1))),
      },
      { publicKey: genuine.publicKey, sign: () => Promise.resolve(new Uint8Array(64)) },
    ];
    for (const thief of thieves) {
      const { end, written } = await meet(thief, pinned, psk);
      assert.deepEqual(end, { kind: "failed", fault: "badSignature" });
      assert.equal(written, 1, "Hello alone");
    }
  });
}

test("a host key is accepted by itself or by its fingerprint, and not where none is known", async () => {
  const fingerprint = { kind: "fingerprint", sha256: await repeatable.sha256(genuine.publicKey) } as const;
  for (const pin of [pinned, fingerprint]) {
    const { end, written } = await meet(genuine, pin, undefined);
    assert.equal(end, undefined);
    assert.equal(written, 2, "Hello and Done");
  }
  const { end } = await meet(genuine, { kind: "unknown" }, undefined);
  assert.deepEqual(end, { kind: "hostKeyRefused", hostKey: genuine.publicKey });
});

/** A client meets whoever has `hostKey`; how it ended, if it did, and how many frames it wrote. */
async function meet(
  hostKey: SigningKey,
  pin: HostKeyPin,
  psk: Bytes | undefined,
): Promise<{ readonly end: LinkEnd | undefined; readonly written: number }> {
  const client = await Link.client({ suites: SUITES, psk, pin }, partsOf(repeatable, "client", "keys"), 0);
  const server = Link.server({ suites: SUITES, psk, hostKey }, partsOf(repeatable, "server", "keys"), 0);
  await server.receive(await client.nextWrite(() => 0) ?? assert.fail("a Hello"), 0);
  const flight = await server.nextWrite(() => 0) ?? assert.fail("an answer");
  const events = await client.receive(flight, 0);
  server.lost();
  if (events.length === 0) {
    const rest = await client.nextWrite(() => 0);
    return { end: await client.ended, written: rest === undefined ? 1 : 2 };
  }
  const done = await client.nextWrite(() => 0);
  client.lost();
  return { end: undefined, written: done === undefined ? 1 : 2 };
}
