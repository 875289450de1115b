/**
 * A man in the middle with a host key of his own: towards the client he is a server, towards the server a client,
 * and whatever one says he reads before he passes it on.
 *
 * @module
 */

import { systemEntropy } from "../../lib/crypto/entropy.ts";
import type { SigningKey } from "../../lib/crypto/port.ts";
import { parseHostKeyReference } from "../../lib/identity/host_key.ts";
import { Channel, type ChannelEvent } from "../../lib/secure/channel.ts";
import { SUITES } from "../../lib/secure/suite.ts";
import type { Bytes } from "../../lib/wire/bytes.ts";
import { decodeClientMessage } from "../../lib/wire/message.ts";
import { provider } from "../crypto/test_provider.ts";
import type { Server, Stage } from "./stage.ts";

/** The middleman's own key. */
export const INTRUDERS_KEY: SigningKey = await provider.ed25519SigningKey(new Uint8Array(32).fill(0x66));

const PARTS = { provider, entropy: systemEntropy, trace: () => {} };

/** A man in the middle who listens on loopback, and ends with the stage. */
export class Intruder {
  /** Where he waits for clients. */
  readonly address: string;
  /** What clients said to him, names included. */
  readonly heard: string[] = [];
  /** How many handshakes clients have completed with him. */
  established = 0;
  /** How many connections are over. */
  over = 0;

  readonly #stage: Stage;
  readonly #server: Server;
  readonly #hostKey: SigningKey;

  /** Stands between clients and `server`, and shows `hostKey`. */
  constructor(stage: Stage, server: Server, hostKey: SigningKey = INTRUDERS_KEY) {
    this.#stage = stage;
    this.#server = server;
    this.#hostKey = hostKey;
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    this.address = `127.0.0.1:${listener.addr.port}`;
    const serving = this.#serve(listener);
    stage.atEnd(async () => {
      listener.close();
      await serving;
    });
  }

  async #serve(listener: Deno.TcpListener): Promise<void> {
    const conversations: Promise<void>[] = [];
    for await (const socket of listener) conversations.push(this.#converse(socket));
    await Promise.all(conversations);
  }

  async #converse(client: Deno.TcpConn): Promise<void> {
    using _client = client;
    using upstream = await Deno.connect({ hostname: "127.0.0.1", port: this.#server.port });
    const pin = parseHostKeyReference(this.#server.fingerprint) ?? { kind: "unknown" };
    const { channel: toServer, opening } = await Channel.client(
      { suites: SUITES, psk: undefined, pin },
      PARTS,
    );
    const toClient = Channel.server({ suites: SUITES, psk: undefined, hostKey: this.#hostKey }, PARTS);
    await write(upstream, opening);
    // Until he has keys with the server himself, the client's words would have nowhere to go.
    await this.#listen(upstream, toServer, { until: "established" });
    const fromServer = this.#listen(upstream, toServer, { pass: (event) => pass(event, toClient, client) });
    await this.#listen(client, toClient, {
      pass: async (event) => {
        if (event.kind === "established") this.established += 1;
        if (event.kind === "message") this.#hear(event.message);
        await pass(event, toServer, upstream);
      },
    });
    await upstream.closeWrite().catch(() => {});
    await fromServer;
    this.over += 1;
    this.#stage.changes.tell();
  }

  /** Reads a channel to its end, or to the first event of a kind. */
  async #listen(
    socket: Deno.TcpConn,
    channel: Channel,
    { pass = async () => {}, until }: {
      readonly pass?: (event: ChannelEvent) => Promise<void>;
      readonly until?: ChannelEvent["kind"];
    },
  ): Promise<void> {
    const buffer = new Uint8Array(65_536);
    for (;;) {
      const count = await socket.read(buffer).catch(() => null);
      if (count === null) return;
      const { events, reply } = await channel.receive(buffer.slice(0, count));
      await write(socket, reply);
      for (const event of events) await pass(event);
      if (until !== undefined && events.some(({ kind }) => kind === until)) return;
    }
  }

  #hear(message: Bytes): void {
    const heard = decodeClientMessage(message);
    if (heard?.type === "join") this.heard.push(`name ${heard.name}`);
    if (heard?.type === "send") this.heard.push(`text ${heard.text}`);
    this.#stage.changes.tell();
  }
}

/** Says to the other side what one side said. */
async function pass(event: ChannelEvent, channel: Channel, socket: Deno.TcpConn): Promise<void> {
  if (event.kind === "message") await write(socket, await channel.sealMessages([event.message]));
  if (event.kind === "closed") await write(socket, await channel.sealClose(event.reason));
}

async function write(socket: Deno.TcpConn, bytes: Bytes): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await socket.write(bytes.subarray(at)).catch(() => bytes.length);
}
