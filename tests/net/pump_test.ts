import assert from "node:assert/strict";
import { pump, type Pumped, type Socket } from "../../lib/net/pump.ts";
import { connect, listen } from "../../lib/net/tcp.ts";
import { Ticker } from "../../lib/net/ticker.ts";
import { Link, type LinkEnd, type LinkEvent } from "../../lib/secure/link.ts";
import { type Bytes, concat, utf8, utf8Text } from "../../lib/wire/bytes.ts";
import { test } from "../sanitized.ts";
import { optionsOf } from "../secure/pair.ts";
import { receiveAndLogIn } from "../secure/recorded_login.ts";
import { KINDS, partsOf, repeatable } from "../secure/recorded_session.ts";

const HOST = "127.0.0.1";

/** A socket whose other side is the test. */
class FakeSocket implements Socket {
  /** What was written. */
  readonly written: Bytes[] = [];
  /** Octets that each write takes at most. */
  takes = Infinity;
  /** How often it was closed. */
  closed = 0;
  /** Sizes of the buffers it was read into. */
  readonly buffers: number[] = [];
  /** What a write waits for. */
  writable: Promise<void> = Promise.resolve();
  #incoming: (Bytes | null | Error)[] = [];
  #arrived = Promise.withResolvers<void>();

  /** Has bytes arrive, the stream end, or the socket fail. */
  arrive(what: Bytes | null | Error): void {
    this.#incoming.push(what);
    this.#arrived.resolve();
  }

  async read(buffer: Uint8Array): Promise<number | null> {
    this.buffers.push(buffer.length);
    while (this.#incoming.length === 0) await this.#arrived.promise;
    const next = this.#incoming.shift();
    if (this.#incoming.length === 0) this.#arrived = Promise.withResolvers();
    if (next instanceof Error) throw next;
    if (next === null || next === undefined) return null;
    const count = Math.min(buffer.length, next.length);
    buffer.set(next.subarray(0, count));
    if (count < next.length) this.#incoming.unshift(next.subarray(count));
    if (this.#incoming.length > 0) this.#arrived.resolve();
    return count;
  }

  async write(bytes: Uint8Array): Promise<number> {
    await this.writable;
    if (this.closed > 0) throw new Error("closed");
    const count = Math.min(this.takes, bytes.length);
    this.written.push(new Uint8Array(bytes.subarray(0, count)));
    return count;
  }

  close(): void {
    this.closed += 1;
    this.arrive(new Error("closed"));
  }
}

/** What a pump feeds, written down. */
class Notebook implements Pumped {
  readonly received: Bytes[] = [];
  readonly notes: string[] = [];
  readonly ended: Promise<void>;
  readonly #end: () => void;
  readonly #writes: (Bytes | undefined)[] = [];
  /** What taking bytes waits for. */
  ready: Promise<void> = Promise.resolve();
  #asked = Promise.withResolvers<void>();
  #noted = Promise.withResolvers<void>();

  constructor() {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.ended = promise;
    this.#end = resolve;
  }

  async receive(bytes: Bytes): Promise<void> {
    this.received.push(bytes);
    this.#note("receive");
    await this.ready;
  }

  receiveEnd(): void {
    this.#note("receiveEnd");
  }

  lost(): void {
    this.#note("lost");
  }

  tick(): void {
    this.#note("tick");
  }

  async nextWrite(): Promise<Bytes | undefined> {
    this.#note("nextWrite");
    while (this.#writes.length === 0) await this.#asked.promise;
    this.#asked = Promise.withResolvers();
    return this.#writes.shift();
  }

  /** Has something to write, or no more ever. */
  write(bytes: Bytes | undefined): void {
    this.#writes.push(bytes);
    this.#asked.resolve();
  }

  /** Ends. */
  end(): void {
    this.write(undefined);
    this.#end();
  }

  /** Settles once something was noted so often. */
  async until(note: string, count = 1): Promise<void> {
    while (this.notes.filter((noted) => noted === note).length < count) await this.#noted.promise;
  }

  #note(note: string): void {
    this.notes.push(note);
    this.#noted.resolve();
    this.#noted = Promise.withResolvers();
  }
}

function pumping(): { socket: FakeSocket; notebook: Notebook; pumped: Promise<void> } {
  const [socket, notebook] = [new FakeSocket(), new Notebook()];
  const clock = (): number => 7;
  return { socket, notebook, pumped: pump(socket, notebook, { clock, ticker: new Ticker(clock) }) };
}

test("what arrives is handed on, and the end of it told", async () => {
  const { socket, notebook, pumped } = pumping();
  socket.arrive(Uint8Array.of(1, 2));
  socket.arrive(Uint8Array.of(3));
  socket.arrive(null);
  await notebook.until("receiveEnd");
  assert.deepEqual(concat(...notebook.received), Uint8Array.of(1, 2, 3));
  assert.equal(socket.closed, 0, "what we owe may still be written");
  notebook.end();
  await pumped;
  assert.equal(socket.closed, 1);
});

test("nothing is read while what came is not dealt with", async () => {
  const { socket, notebook, pumped } = pumping();
  const gate = Promise.withResolvers<void>();
  notebook.ready = gate.promise;
  socket.arrive(Uint8Array.of(1));
  socket.arrive(Uint8Array.of(2));
  await notebook.until("receive");
  await turn();
  assert.equal(socket.buffers.length, 1);
  gate.resolve();
  await notebook.until("receive", 2);
  notebook.end();
  await pumped;
});

test("an idle connection reads into a small buffer, a busy one into larger ones up to a bound, and then again", async () => {
  const { socket, notebook, pumped } = pumping();
  const stream = new Uint8Array(600_000).map((_, at) => at % 251);
  socket.arrive(stream);
  socket.arrive(Uint8Array.of(1));
  socket.arrive(Uint8Array.of(2));
  socket.arrive(null);
  await notebook.until("receiveEnd");
  assert.deepEqual(concat(...notebook.received), concat(stream, Uint8Array.of(1, 2)));
  assert.equal(socket.buffers[0], 512);
  assert.equal(Math.max(...socket.buffers), 65_536);
  assert.equal(socket.buffers.at(-1), 512);
  notebook.end();
  await pumped;
});

test("bytes handed on are not overwritten by what arrives later", async () => {
  const { socket, notebook, pumped } = pumping();
  for (let octet = 0; octet < 5; octet++) socket.arrive(Uint8Array.of(octet));
  await notebook.until("receive", 5);
  assert.deepEqual(notebook.received, [0, 1, 2, 3, 4].map((octet) => Uint8Array.of(octet)));
  notebook.end();
  await pumped;
});

test("a write that is taken in parts is written whole, and more is asked for after it", async () => {
  const { socket, notebook, pumped } = pumping();
  socket.takes = 3;
  notebook.write(Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8));
  await notebook.until("nextWrite", 2);
  assert.deepEqual(concat(...socket.written), Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8));
  assert.deepEqual(socket.written.map(({ length }) => length), [3, 3, 2]);
  notebook.end();
  await pumped;
});

test("no more is asked for while a write is not done, and reading goes on meanwhile", async () => {
  const { socket, notebook, pumped } = pumping();
  const gate = Promise.withResolvers<void>();
  socket.writable = gate.promise;
  notebook.write(Uint8Array.of(1));
  notebook.write(Uint8Array.of(2));
  socket.arrive(Uint8Array.of(9));
  await notebook.until("receive");
  await turn();
  assert.equal(notebook.notes.filter((note) => note === "nextWrite").length, 1);
  gate.resolve();
  await notebook.until("nextWrite", 3);
  notebook.end();
  await pumped;
});

test("a read that fails and a write that fails are a lost connection", async () => {
  const reading = pumping();
  reading.socket.arrive(new Error("reset"));
  await reading.notebook.until("lost");
  reading.notebook.end();
  await reading.pumped;

  const writing = pumping();
  writing.socket.writable = Promise.reject(new Error("broken pipe"));
  writing.notebook.write(Uint8Array.of(1));
  await writing.notebook.until("lost");
  writing.notebook.end();
  await writing.pumped;
});

test("the end closes the socket though a write hangs", async () => {
  const { socket, notebook, pumped } = pumping();
  const gate = Promise.withResolvers<void>();
  socket.writable = gate.promise;
  notebook.write(Uint8Array.of(1));
  await notebook.until("nextWrite");
  notebook.end();
  while (socket.closed === 0) await turn();
  gate.resolve();
  await pumped;
  assert.equal(socket.closed, 1);
});

for (const kind of KINDS) {
  test(`two links talk over TCP and close, ${kind.name}`, async () => {
    const { client, server } = await overTcp(kind);
    const texts = Array.from({ length: 300 }, (_, at) => `${at} ${"x".repeat(at)}`);
    server.greet = () => {
      for (const text of texts) server.link.send(utf8(text));
    };
    client.greet = () => {
      for (const text of texts) client.link.send(utf8(text));
      client.link.close("done", 0);
    };
    client.begin();
    server.begin();
    await Promise.all([client.pumped, server.pumped]);
    assert.deepEqual(server.texts, texts);
    assert.deepEqual(client.texts, texts);
    assert.deepEqual(await client.end, { kind: "closed", by: "us", reason: "done", confirmed: true });
    assert.deepEqual(await server.end, { kind: "closed", by: "peer", reason: "done", confirmed: true });
  });
}

test("a peer that vanishes is a cut for the other end", async () => {
  const { client, server } = await overTcp();
  client.greet = () => client.link.lost();
  client.begin();
  server.begin();
  await Promise.all([client.pumped, server.pumped]);
  assert.equal((await server.end).kind, "cut");
});

test("a peer that resets the connection is a cut for the other end", async () => {
  const listening = listen({ host: HOST, port: 0 });
  const accepting = listening.connections[Symbol.asyncIterator]().next();
  const { client } = await ends(await connect(listening.at));
  const { value } = await accepting;
  client.begin();
  // What is not read when a socket is closed makes the system answer with a reset.
  await turn();
  await value?.socket.write(new Uint8Array(2));
  value?.socket.close();
  await client.pumped;
  const end = await client.end;
  assert.ok(end.kind === "cut" || end.kind === "failed", end.kind);
  listening.close();
});

interface End {
  readonly link: Link;
  readonly end: Promise<LinkEnd>;
  readonly texts: string[];
  greet: () => void;
  begin(): void;
  pumped: Promise<void>;
}

async function overTcp(
  kind = KINDS[0] ?? assert.fail("there are kinds"),
): Promise<{ client: End; server: End }> {
  const listening = listen({ host: HOST, port: 0 });
  const accepting = listening.connections[Symbol.asyncIterator]().next();
  const socket = await connect(listening.at);
  const { value } = await accepting;
  listening.close();
  return ends(socket, value?.socket ?? assert.fail("somebody connected"), kind);
}

async function ends(
  clientSocket: Socket,
  serverSocket: Socket = new FakeSocket(),
  kind = KINDS[0] ?? assert.fail("there are kinds"),
): Promise<{ client: End; server: End }> {
  const options = await optionsOf(kind);
  const client = await Link.client(options.client, partsOf(repeatable, "client", "tcp"), 0);
  const server = Link.server(options.server, partsOf(repeatable, "server", "tcp"), 0);
  return { client: endOf(client, "client", clientSocket), server: endOf(server, "server", serverSocket) };
}

function endOf(link: Link, role: "client" | "server", socket: Socket): End {
  const clock = (): number => 0;
  const end: End = {
    link,
    end: link.ended,
    texts: [],
    greet: () => {},
    begin: () => {
      end.pumped = pump(socket, owner, { clock, ticker: new Ticker(clock) });
    },
    pumped: Promise.resolve(),
  };
  function take(event: LinkEvent): void {
    if (event.kind === "closed") link.close("done", 0);
    else if (event.kind === "message") end.texts.push(utf8Text(event.message) ?? "?");
  }
  const owner: Pumped = {
    receive: async (bytes, now) => {
      const wasOpen = link.open;
      const events = await receiveAndLogIn(link, bytes, { role, way: "device", now });
      // A client talks as soon as it has asked to be let in, a server as soon as it has let it in.
      const mayTalk = role === "client"
        ? events.some(({ kind }) => kind === "established")
        : !wasOpen && link.open;
      if (mayTalk) end.greet();
      events.forEach(take);
    },
    receiveEnd: () => link.receiveEnd(),
    lost: () => link.lost(),
    tick: (now) => link.tick(now),
    nextWrite: (now) => link.nextWrite(now),
    ended: link.ended,
  };
  return end;
}

/** A turn of the event loop. */
function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 1));
}
