import assert from "node:assert/strict";
import { connect, listen, tlsExpected } from "../../lib/net/tcp.ts";
import { connectTls, listenTls } from "../../lib/net/tls.ts";
import { LINGER_MS_MAX } from "../../lib/net/tls_relay.ts";
import { Failure } from "../../lib/text/failure.ts";
import { HANDSHAKE_MS_MAX } from "../../lib/wire/limits.ts";
import { utf8, utf8Text } from "../../lib/wire/bytes.ts";
import { skipped, test } from "../sanitized.ts";
import { HOST, identity, identityFor, listenHere, readAll, tlsPair, trustIn, writeAll } from "./tls_ends.ts";

const LONG = new Uint8Array(600_000).map((_, at) => at % 251);

test("two ends talk by TLS at length and at once, and what one wrote last arrives before the end", async () => {
  const { client, server: { socket } } = await tlsPair();
  const [atServer, atClient] = await Promise.all([
    readExactly(socket, LONG.length),
    readExactly(client, LONG.length),
    writeAll(client, LONG),
    writeAll(socket, LONG),
  ]);
  assert.deepEqual(atServer, LONG);
  assert.deepEqual(atClient, LONG);
  await writeAll(socket, utf8("goodbye"));
  socket.close();
  assert.equal(utf8Text(new Uint8Array(await readAll(client))), "goodbye");
  client.close();
});

test("a connection by TLS is told with the client's own address", async () => {
  const { listening, next } = listenHere();
  const tcp = await Deno.connect({ hostname: HOST, port: listening.at.port });
  const { from, socket } = await next();
  assert.deepEqual(from, { host: HOST, port: tcp.localAddr.port });
  socket.close();
  tcp.close();
  listening.close();
});

test("a client that leaves is the end of the stream", async () => {
  const { client, server: { socket } } = await tlsPair();
  client.close();
  assert.equal(await socket.read(new Uint8Array(9)), null);
  socket.close();
});

test("a server that closes while the client does not read lets go of it in time", async () => {
  const { client, server: { socket } } = await tlsPair();
  const writing: Promise<unknown> = writeAll(socket, new Uint8Array(30_000_000)).catch(() => {});
  const lingered = timersOf(LINGER_MS_MAX);
  // Until all buffers between the two are full.
  await new Promise((resolve) => setTimeout(resolve, 100));
  socket.close();
  const [letGo] = lingered();
  assert.ok(letGo !== undefined);
  letGo();
  await writing;
  await assert.rejects(readAll(client));
  client.close();
});

const STRANGERS =
  "attack 17: strangers that begin with TLS and fall silent leave no file behind when they are cut off";
if (Deno.build.os === "linux") test(STRANGERS, strangersLeaveNothing);
else skipped(STRANGERS, "only Linux has /proc");

async function strangersLeaveNothing(): Promise<void> {
  const { code, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--lock=tests/deno.lock", "--frozen", "-A", "tests/net/strangers_to_tls.ts"],
    stderr: "inherit",
  }).output();
  assert.equal(code, 0);
  assert.deepEqual(JSON.parse(new TextDecoder().decode(stdout)), { silent: 0, begun: 0, halfway: 0 });
}

const REFUSALS = {
  "another certificate than the one trusted": [
    { name: "sotto.invalid", certificates: [(await identityFor()).certificate] },
    /its certificate is none that you trust; give the one .* --tls-ca/,
  ],
  "no certificate trusted": [
    { name: "sotto.invalid", certificates: [] },
    /its certificate is none that you trust/,
  ],
  "a certificate for another name": [
    { name: "chat.example.org", certificates: [identity.certificate] },
    /its certificate is for another name; check the host, and --tls-ca/,
  ],
} as const;
for (const [what, [trust, sentence]] of Object.entries(REFUSALS)) {
  test(`attack 1: ${what}: the client stops before an octet of the channel leaves`, async () => {
    const { listening, next } = listenHere();
    const connecting = connectTls(listening.at, trust);
    const { socket } = await next();
    const reading: Promise<unknown> = socket.read(new Uint8Array(9)).catch(() => "failed");
    await assert.rejects(connecting, failure("protocol", sentence));
    assert.equal(await reading, "failed");
    socket.close();
    listening.close();
  });
}

test("a certificate that has expired, or does not hold yet, is told as that", async () => {
  for (const years of [-20, 20]) {
    const old = await identityFor("sotto.invalid", Date.now() + years * 365 * 86_400_000);
    const listening = listenTls({ host: HOST, port: 0 }, old);
    const accepting = listening.connections[Symbol.asyncIterator]().next();
    const connecting = connectTls(listening.at, trustIn(old));
    const { value } = await accepting;
    const reading: Promise<unknown> = value?.socket.read(new Uint8Array(9)).catch(() => {}) ??
      Promise.resolve();
    await assert.rejects(
      connecting,
      failure("protocol", /has expired, or is not valid yet; check the clock/),
    );
    await reading;
    value?.socket.close();
    listening.close();
  }
});

test("a certificate without its key, or none at all, is refused before anybody is told to connect", async () => {
  const other = await identityFor();
  const cases = {
    "they do not belong together": { certificate: identity.certificate, key: other.key },
    "there is no certificate": { certificate: "", key: identity.key },
    "there is no key": { certificate: identity.certificate, key: "nothing" },
  };
  for (const [why, given] of Object.entries(cases)) {
    assert.throws(
      () => listenTls({ host: HOST, port: 0 }, given),
      failure("config", new RegExp(`^Cannot use the TLS certificate and key: ${why}; give .*\\.$`)),
    );
  }
});

test("certificates to trust that are none are told as that", async () => {
  const listening = listen({ host: HOST, port: 0 });
  const accepting = listening.connections[Symbol.asyncIterator]().next();
  const damaged = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
  await assert.rejects(
    connectTls(listening.at, { name: "sotto.invalid", certificates: [damaged] }),
    failure("data", /^Cannot use the certificates given for TLS: .*; give them in PEM/),
  );
  (await accepting).value?.socket.close();
  listening.close();
});

test("a client without TLS learns from a server with TLS what it needs", async () => {
  const { listening, next } = listenHere();
  const client = await connect(listening.at);
  const { socket } = await next();
  const reading: Promise<unknown> = socket.read(new Uint8Array(9)).catch((error) => error.name);
  assert.equal(client.answeredInTls(), false);
  // As long as a Hello; what it says does not matter.
  await client.write(new Uint8Array(1_300).fill(5));
  assert.equal(await reading, "InvalidData");
  socket.close();
  await readAll(client);
  assert.equal(client.answeredInTls(), true);
  assert.match(
    tlsExpected(listening.at).message,
    /^Cannot talk with 127\.0\.0\.1 port \d+: .* expects TLS; add --tls/,
  );
  socket.close();
  client.close();
  listening.close();
});

test("a client without TLS does not take a server's ordinary answer for TLS", async () => {
  for (const parts of [[[21]], [[21], [4]], [[4, 21, 3]], [[5, 21], [3]]]) {
    const listening = listen({ host: HOST, port: 0 });
    const accepting = listening.connections[Symbol.asyncIterator]().next();
    const client = await connect(listening.at);
    const { value } = await accepting;
    const socket = value?.socket ?? assert.fail("a connection came");
    for (const part of parts) await writeAll(socket, Uint8Array.from(part));
    socket.close();
    await readAll(client);
    assert.equal(client.answeredInTls(), false, parts.join(" "));
    client.close();
    listening.close();
  }
});

test("a client with TLS learns at a server without TLS, and at another kind of server, why not", async () => {
  for (
    const [answer, sentence] of [
      [
        undefined,
        /^Cannot begin TLS with 127\.0\.0\.1 port \d+: it closed without an answer; .* leave --tls away/,
      ],
      ["SSH-2.0-OpenSSH\r\n", /: what answers there is not TLS; leave --tls away, or check host and port\.$/],
    ] as const
  ) {
    const listening = listen({ host: HOST, port: 0 });
    const accepting = listening.connections[Symbol.asyncIterator]().next();
    const connecting = connectTls(listening.at, trustIn(identity));
    const { value } = await accepting;
    const socket = value?.socket ?? assert.fail("a connection came");
    await socket.read(new Uint8Array(9_000));
    if (answer !== undefined) await writeAll(socket, utf8(answer));
    socket.close();
    await assert.rejects(connecting, failure("protocol", sentence));
    listening.close();
  }
});

test("a server that never answers a client with TLS is given up in time", async () => {
  const listening = listen({ host: HOST, port: 0 });
  const accepting = listening.connections[Symbol.asyncIterator]().next();
  const waited = timersOf(HANDSHAKE_MS_MAX);
  const connecting = connectTls(listening.at, trustIn(identity));
  const refused = assert.rejects(connecting, failure("temporary", /: it did not answer in time; /));
  const { value } = await accepting;
  await value?.socket.read(new Uint8Array(9));
  const [giveUp] = waited();
  assert.ok(giveUp !== undefined);
  giveUp();
  await refused;
  value?.socket.close();
  listening.close();
});

test("a connection that is closed before anything came is closed at once", async () => {
  const { listening, next } = listenHere();
  const client = await connect(listening.at);
  const { socket } = await next();
  const reading: Promise<unknown> = socket.read(new Uint8Array(9)).catch(() => "failed");
  socket.close();
  socket.close();
  assert.equal(await client.read(new Uint8Array(9)), null);
  assert.equal(await reading, "failed");
  client.close();
  listening.close();
});

/** Whether `error` is a failure with that exit and sentence. */
function failure(exit: Failure["exit"], sentence: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof Failure, String(error));
    assert.equal(error.exit, exit);
    assert.match(error.message, sentence);
    return true;
  };
}

async function readExactly(socket: { read(buffer: Uint8Array): Promise<number | null> }, length: number) {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length;) {
    const count = await socket.read(bytes.subarray(at));
    if (count === null) assert.fail(`the stream ended after ${at} octets`);
    at += count;
  }
  return bytes;
}

/**
 * From now on timers of `ms` are not started but kept: the function that this gives back ends that, and gives what each
 * would have done.
 */
function timersOf(ms: number): () => readonly (() => void)[] {
  const real = globalThis.setTimeout;
  const kept: (() => void)[] = [];
  const keeping = (act: () => void, after?: number) => {
    if (after !== ms) return real(act, after);
    return kept.push(act);
  };
  Object.assign(globalThis, { setTimeout: keeping });
  return () => {
    Object.assign(globalThis, { setTimeout: real });
    return kept;
  };
}
