import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import type { Socket } from "../../lib/net/pump.ts";
import { type Bytes, concat, equal as equalBytes } from "../../lib/wire/bytes.ts";
import { test } from "../sanitized.ts";
import { Dice } from "./dice.ts";
import { Network, type Weather } from "./network.ts";
import { Life, Scheduler } from "./scheduler.ts";

const ROUGH: Weather = { delay_ms: 50, splits: 0.5 };

test("octets arrive all and in order, however they are split and delayed", async () => {
  for (let seed = 1; seed <= 20; seed++) {
    const { scheduler, client, server, sent } = await connected(seed);
    const heard = readAll(server);
    void writeAll(client, sent).then(() => client.close());
    await scheduler.run(() => heard.end !== undefined);
    equal(heard.end, "end");
    ok(equalBytes(heard.bytes(), sent), "all octets arrive");
  }
});

test("what arrives before a cut is the beginning of what was written, and both ends learn of it", async () => {
  const lengths = new Set<number>();
  for (let seed = 1; seed <= 30; seed++) {
    const { scheduler, network, client, server, sent, dice } = await connected(seed);
    const [heard, answered] = [readAll(server), readAll(client)];
    const written = writeAll(client, sent).catch(() => {});
    scheduler.after(undefined, dice.below(300), () => network.cutOne("reset"));
    await scheduler.run(() => heard.end !== undefined && answered.end !== undefined);
    await written;
    deepEqual([heard.end, answered.end], ["connection reset", "connection reset"]);
    ok(equalBytes(heard.bytes(), sent.slice(0, heard.bytes().length)), "it is a beginning");
    lengths.add(heard.bytes().length);
  }
  ok(lengths.size > 5, "cuts come at many places");
});

test("a connection that has fallen silent tells nobody, and takes what is written to it", async () => {
  const { scheduler, network, client, server, sent } = await connected(1);
  const [heard, answered] = [readAll(server), readAll(client)];
  network.cutOne("silence");
  let isWritten = false;
  void writeAll(client, sent).then(() => isWritten = true);
  scheduler.after(undefined, 60_000, () => {});
  await scheduler.run(() => scheduler.now >= 60_000);
  ok(isWritten);
  deepEqual([heard.end, answered.end, heard.bytes().length], [undefined, undefined, 0]);
  client.close();
  await scheduler.run(() => answered.end !== undefined);
  equal(answered.end, "closed");
});

test("the other end of a program that crashed learns of it, and the program of nothing", async () => {
  const ends = new Set<string>();
  for (let seed = 1; seed <= 20; seed++) {
    const { scheduler, lives, client, server, sent } = await connected(seed);
    const [heard, answered] = [readAll(server), readAll(client)];
    void writeAll(server, sent).catch(() => {});
    lives.server.end();
    await scheduler.run(() => answered.end !== undefined);
    equal(heard.end, undefined);
    ends.add(answered.end ?? "");
    ok(equalBytes(answered.bytes(), sent.slice(0, answered.bytes().length)), "it is a beginning");
  }
  deepEqual(Array.from(ends).sort(), ["connection reset", "end"]);
});

test("nobody is reached where no program listens", async () => {
  const scheduler = new Scheduler(new Dice(1));
  const network = new Network(scheduler, new Dice(1, "network"), ROUGH);
  const refused = rejects(network.dial(new Life("client"), "host"), /refused/);
  let isOver = false;
  void refused.then(() => isOver = true);
  await scheduler.run(() => isOver);
});

interface Connected {
  readonly scheduler: Scheduler;
  readonly network: Network;
  readonly dice: Dice;
  readonly lives: { readonly client: Life; readonly server: Life };
  readonly client: Socket;
  readonly server: Socket;
  readonly sent: Bytes;
}

async function connected(seed: number): Promise<Connected> {
  const dice = new Dice(seed);
  const scheduler = new Scheduler(new Dice(seed, "scheduler"));
  const network = new Network(scheduler, new Dice(seed, "network"), ROUGH);
  const lives = { client: new Life("client"), server: new Life("server") };
  const ends: { client?: Socket; server?: Socket } = {};
  network.listen(lives.server, (socket) => ends.server = socket);
  void network.dial(lives.client, "host").then((socket) => ends.client = socket);
  await scheduler.run(() => ends.client !== undefined && ends.server !== undefined);
  const { client, server } = ends;
  if (client === undefined || server === undefined) throw new Error("they are connected");
  return { scheduler, network, dice, lives, client, server, sent: dice.entropy(5_000) };
}

async function writeAll(socket: Socket, bytes: Bytes): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await socket.write(bytes.subarray(at));
}

function readAll(socket: Socket): { readonly bytes: () => Bytes; end?: string } {
  const pieces: Bytes[] = [];
  const heard: { readonly bytes: () => Bytes; end?: string } = { bytes: () => concat(...pieces) };
  async function read(): Promise<string> {
    const buffer = new Uint8Array(700);
    for (;;) {
      const count = await socket.read(buffer);
      if (count === null) return "end";
      pieces.push(buffer.slice(0, count));
    }
  }
  void read().catch((error) => error instanceof Error ? error.message : "?").then((end) => heard.end = end);
  return heard;
}
