import assert from "node:assert/strict";
import { connect, listen } from "../../lib/net/tcp.ts";
import { Failure } from "../../lib/text/failure.ts";
import { test } from "../sanitized.ts";

const HOST = "127.0.0.1";

test("a listener takes a free port and tells which, takes several connections, and where they are from", async () => {
  const listening = listen({ host: HOST, port: 0 });
  assert.equal(listening.at.host, HOST);
  assert.ok(listening.at.port > 0);
  const connections = listening.connections[Symbol.asyncIterator]();
  for (let count = 0; count < 3; count++) {
    const ours = await connect(listening.at);
    const { value } = await connections.next();
    const theirs = value ?? assert.fail("a connection came");
    assert.equal(theirs.from.host, HOST);
    assert.ok(theirs.from.port > 0 && theirs.from.port !== listening.at.port);
    await theirs.socket.write(Uint8Array.of(count));
    const buffer = new Uint8Array(4);
    assert.equal(await ours.read(buffer), 1);
    assert.equal(buffer[0], count);
    theirs.socket.close();
    assert.equal(await ours.read(buffer), null);
    ours.close();
  }
  listening.close();
  assert.equal((await connections.next()).done, true);
});

test("a listener that is closed ends the iteration that waits on it", async () => {
  const listening = listen({ host: HOST, port: 0 });
  const next = listening.connections[Symbol.asyncIterator]().next();
  listening.close();
  assert.equal((await next).done, true);
});

test("a port in use and a port where nobody listens are told in a sentence", async () => {
  const listening = listen({ host: HOST, port: 0 });
  const { port } = listening.at;
  assert.throws(() => listen({ host: HOST, port }), (error) => {
    assert.ok(error instanceof Failure);
    assert.equal(error.exit, "unavailable");
    assert.match(
      error.message,
      new RegExp(`^Cannot listen on 127\\.0\\.0\\.1 port ${port}: another program .*; .*\\.$`),
    );
    return true;
  });
  listening.close();
  await assert.rejects(connect({ host: HOST, port }), (error) => {
    assert.ok(error instanceof Failure);
    assert.equal(error.exit, "unavailable");
    assert.match(
      error.message,
      new RegExp(`^Cannot reach 127\\.0\\.0\\.1 port ${port}: no server answers there; .*\\.$`),
    );
    return true;
  });
});
