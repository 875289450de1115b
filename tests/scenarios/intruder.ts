/**
 * A man in the middle with a host key of his own: towards the client he is a server, towards the server a client,
 * and whatever one says he reads before he passes it on.
 *
 * @module
 */

import { systemEntropy } from "../../lib/crypto/entropy.ts";
import type { SigningKey } from "../../lib/crypto/port.ts";
import { parseHostKeyReference } from "../../lib/identity/host_key.ts";
import { decodeDeviceLogin, decodeLoginStart, decodeRegisterStart } from "../../lib/login/message.ts";
import { Channel, type ChannelEvent, type Received } from "../../lib/secure/channel.ts";
import type { HandshakeMessage } from "../../lib/secure/handshake_message.ts";
import { SUITES } from "../../lib/secure/suite.ts";
import type { Bytes } from "../../lib/wire/bytes.ts";
import { decodeClientMessage } from "../../lib/wire/message.ts";
import { provider } from "../crypto/test_provider.ts";
import type { Server, Stage } from "./stage.ts";
import { LOGIN_TYPES } from "../../lib/wire/login_type.ts";

/** The middleman's own key. */
export const INTRUDERS_KEY: SigningKey = await provider.ed25519SigningKey(new Uint8Array(32).fill(0x66));

const PARTS = { provider, entropy: systemEntropy, trace: () => {} };

/** Octets of the key that OPAQUE gives both ends, and nobody between them. */
const SESSION_KEY_BYTES = 64;

/** One of his two connections. */
interface Leg {
  readonly socket: Deno.TcpConn;
  readonly channel: Channel;
}

/** A man in the middle who listens on loopback, and ends with the stage. */
export class Intruder {
  /** Where he waits for clients. */
  readonly address: string;
  /** What clients said to him, names included. */
  readonly heard: string[] = [];
  /** All that he could open, of both sides. */
  readonly opened: Bytes[] = [];
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

  async #converse(socket: Deno.TcpConn): Promise<void> {
    using _client = socket;
    using upstream = await Deno.connect({ hostname: "127.0.0.1", port: this.#server.port });
    const pin = parseHostKeyReference(this.#server.fingerprint) ?? { kind: "unknown" };
    const { channel, opening } = await Channel.client({ suites: SUITES, psk: undefined, pin }, PARTS);
    const server: Leg = { socket: upstream, channel };
    const client: Leg = {
      socket,
      channel: Channel.server({ suites: SUITES, psk: undefined, hostKey: this.#hostKey }, PARTS),
    };
    await write(upstream, opening);
    // Until he has keys with the server himself, the client's words would have nowhere to go.
    await this.#listen(server, async ({ kind }) => await Promise.resolve(kind === "established"));
    const fromServer = this.#listen(server, (event) => this.#passToClient(event, { server, client }));
    await this.#listen(client, (event) => this.#passToServer(event, { server, client }));
    await upstream.closeWrite().catch(() => {});
    await fromServer;
    this.over += 1;
    this.#stage.changes.tell();
  }

  /** Reads a channel to its end, or until `take` says that it was enough. */
  async #listen(leg: Leg, take: (event: ChannelEvent) => Promise<boolean>): Promise<void> {
    const buffer = new Uint8Array(65_536);
    for (;;) {
      const count = await leg.socket.read(buffer).catch(() => null);
      if (count === null) return;
      if (await this.#take(leg, await leg.channel.receive(buffer.slice(0, count)), take)) return;
    }
  }

  async #take(
    { socket }: Leg,
    { events, reply }: Received,
    take: (event: ChannelEvent) => Promise<boolean>,
  ): Promise<boolean> {
    await write(socket, reply);
    let isEnough = false;
    for (const event of events) isEnough = await take(event) || isEnough;
    return isEnough;
  }

  async #passToServer(event: ChannelEvent, legs: { server: Leg; client: Leg }): Promise<boolean> {
    const { server, client } = legs;
    const goOn = (received: Received) =>
      this.#take(client, received, (next) => this.#passToServer(next, legs));
    switch (event.kind) {
      case "established":
        this.established += 1;
        return false;
      case "login": {
        this.#hearLogin(event.message);
        await write(server.socket, await server.channel.sendLogin(event.message.bytes));
        if (event.message.type === LOGIN_TYPES.DeviceLogin) {
          const verdict = await server.channel.expectVerdict();
          return await this.#take(server, verdict, (next) => this.#passToClient(next, legs));
        }
        if (event.message.type !== LOGIN_TYPES.LoginFinish) {
          return await goOn(await client.channel.continueLogin());
        }
        // The key that both ends have now he can only guess.
        const guess = systemEntropy(SESSION_KEY_BYTES);
        await this.#take(server, await server.channel.mix(guess), (next) => this.#passToClient(next, legs));
        return await goOn(await client.channel.mix(guess));
      }
      case "message":
        this.#hear(event.message);
        await write(server.socket, await server.channel.sealMessages([event.message]));
        return false;
      case "closed":
        if (server.channel.canClose) await write(server.socket, await server.channel.sealClose(event.reason));
        return false;
      case "hostKeyRefused":
      case "failed":
        return true;
    }
  }

  async #passToClient(event: ChannelEvent, legs: { server: Leg; client: Leg }): Promise<boolean> {
    const { server, client } = legs;
    switch (event.kind) {
      case "login": {
        this.opened.push(event.message.bytes);
        await write(client.socket, await client.channel.sendLogin(event.message.bytes));
        const received = await server.channel.continueLogin();
        return await this.#take(server, received, (next) => this.#passToClient(next, legs));
      }
      case "message":
        this.opened.push(event.message);
        await write(client.socket, await client.channel.sealMessages([event.message]));
        return false;
      case "closed":
        if (client.channel.canClose) await write(client.socket, await client.channel.sealClose(event.reason));
        return false;
      case "established":
        return false;
      case "hostKeyRefused":
      case "failed":
        return true;
    }
  }

  #hearLogin(message: HandshakeMessage): void {
    this.opened.push(message.bytes);
    const said = decodeRegisterStart(message) ?? decodeLoginStart(message) ?? decodeDeviceLogin(message);
    if (said !== undefined) this.heard.push(`name ${said.handle}`);
    this.#stage.changes.tell();
  }

  #hear(message: Bytes): void {
    this.opened.push(message);
    const heard = decodeClientMessage(message);
    if (heard?.type === "send") this.heard.push(`entry ${heard.entry.kind}`);
    this.#stage.changes.tell();
  }
}

async function write(socket: Deno.TcpConn, bytes: Bytes): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await socket.write(bytes.subarray(at)).catch(() => bytes.length);
}
