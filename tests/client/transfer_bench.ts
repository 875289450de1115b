/**
 * A client's transfers and a server's desk with a connection between that a test holds: what is on its way is delivered
 * one message at a time, and lost where the connection is cut or an end dies.
 *
 * @module
 */

import { ok } from "node:assert/strict";
import type { ClientEvent } from "../../lib/client/event.ts";
import { Transfers } from "../../lib/client/transfers.ts";
import type { FileCaller, FileRequest } from "../../lib/session/file_desk.ts";
import { FileDesk } from "../../lib/session/file_desk.ts";
import type { Bytes } from "../../lib/wire/bytes.ts";
import type { BodyOf } from "../../lib/wire/entry_body.ts";
import { FILE_CHUNK_BYTES } from "../../lib/wire/limits.ts";
import {
  type ClientMessage,
  decodeClientMessage,
  decodeServerMessage,
  encodeMessage,
  type FaultCode,
  type ServerMessage,
} from "../../lib/wire/message.ts";
import { provider } from "../crypto/test_provider.ts";
import { ANN } from "../identity/people.ts";
import { MemoryFiles } from "../session/memory_files.ts";
import { MemoryDisk } from "./memory_disk.ts";

/** The room that everything is put into. */
export const ROOM = { room: new Uint8Array(16).fill(1), label: "#lobby" };

/** Turns of the event loop's smallest step after which whatever works in memory has come to rest. */
const STEPS_TO_REST = 60;

/** What may go wrong. */
export type Mishap =
  /** The connection is lost, and the server knows it. */
  | "cut"
  /** The connection is lost, and the server does not know it yet. */
  | "silentCut"
  /** The server dies, and what was not durable with it. */
  | "serverDies"
  /** The client dies; its person asks again for what was under way. */
  | "clientDies";

type FileEvent = Extract<ClientEvent, { type: "file" }>;

/** A connection. */
class Wire {
  readonly toServer: Bytes[] = [];
  readonly toClient: Bytes[] = [];
  isUp = true;

  drained(): Promise<void> {
    return Promise.resolve();
  }

  send(message: Bytes): void {
    if (this.isUp) this.toClient.push(message);
  }
}

/** Both ends. */
export class TransferBench {
  readonly store = new MemoryFiles();
  readonly disk = new MemoryDisk();
  readonly settings = new Map<string, string>();
  /** What the client told, all in all. */
  readonly events: (FileEvent | Extract<ClientEvent, { type: "fault" }>)[] = [];
  /** What it said in rooms. */
  readonly said: BodyOf<"file">[] = [];
  /** What was delivered to the server. */
  readonly heard: ClientMessage[] = [];
  /** Changes what the server says; `undefined` loses it. */
  meddle: (message: ServerMessage) => ServerMessage | undefined = (message) => message;
  /** Settles when the client may send more. */
  drained: (isUp: boolean) => Promise<void> = () => Promise.resolve();
  /** Why the server lets nobody put a file into the room. */
  refusal: FaultCode | undefined;
  now = 0;
  /** Milliseconds that a message takes. */
  messageMs = 0;
  transfers: Transfers;
  #desk: FileDesk;
  #wire: Wire | undefined;
  #toClientNext = false;

  constructor() {
    this.transfers = this.#client();
    this.#desk = this.#server();
  }

  /** Events about files that are there or came to nothing. */
  get ends(): FileEvent[] {
    return this.events.filter((event): event is FileEvent => event.type === "file").filter((event) =>
      event.done || event.failure !== undefined
    );
  }

  /** Whole pieces that are on their way to the server. */
  get piecesOnWay(): number {
    return (this.#wire?.toServer ?? []).filter(({ length }) => length >= FILE_CHUNK_BYTES).length;
  }

  /** The server has that file. */
  async keep(
    { file: id, room, bytes, sha256 }: { file: Bytes; room: Bytes; bytes: Bytes; sha256: Bytes },
  ): Promise<void> {
    await this.store.begin({ id, room, owner: ANN, size: bytes.length, sha256, begun: 0 });
    for (let at = 0; at < bytes.length; at += FILE_CHUNK_BYTES) {
      await this.store.write(id, at, bytes.slice(at, at + FILE_CHUNK_BYTES));
    }
    await this.store.flush(id);
    ok(await this.store.finish(id));
  }

  /** A new connection. */
  connect(): void {
    const wire = new Wire();
    this.#wire = wire;
    this.transfers.connected({
      send: (message) => {
        if (wire.isUp) wire.toServer.push(encodeMessage(message));
      },
      drained: () => this.drained(wire.isUp),
    });
  }

  /** Something goes wrong; the connection is gone after it. */
  async suffer(mishap: Mishap, again: () => Promise<unknown> = () => Promise.resolve()): Promise<void> {
    const wire = this.#wire;
    this.#wire = undefined;
    if (wire !== undefined) wire.isUp = false;
    if (mishap === "serverDies") {
      this.store.crash();
      this.#desk = this.#server();
    } else if (mishap !== "silentCut" && wire !== undefined) {
      await this.#desk.leave(wire);
    }
    if (mishap === "clientDies") {
      this.disk.endRun();
      this.transfers = this.#client();
      await again();
    } else {
      this.transfers.disconnected();
    }
    await rest();
  }

  /** Delivers one message, of either way in turn; whether there was one. */
  async deliver(): Promise<boolean> {
    await rest();
    const wire = this.#wire;
    if (wire === undefined) return false;
    this.#toClientNext = !this.#toClientNext;
    const toClient = wire.toServer.length === 0 || this.#toClientNext && wire.toClient.length > 0;
    const bytes = (toClient ? wire.toClient : wire.toServer).shift();
    if (bytes === undefined) return false;
    this.now += this.messageMs;
    if (toClient) this.#hear(bytes);
    else await this.#serve(wire, bytes);
    await rest();
    return true;
  }

  /** Delivers until nothing is on its way and no transfer is under way, over seconds where that takes them. */
  async finish(secondsMax = 60): Promise<void> {
    let isIdle = false;
    const idle = this.transfers.idle().then(() => isIdle = true);
    for (let second = 0; !isIdle; second++) {
      ok(second < secondsMax, "it stands still");
      while (await this.deliver());
      this.now += 1_000;
      this.transfers.tick(this.now);
      await rest();
    }
    await idle;
  }

  #hear(bytes: Bytes): void {
    const message = decodeServerMessage(bytes);
    ok(message !== undefined);
    const heard = this.meddle(message);
    if (heard !== undefined) this.transfers.receive(heard);
  }

  async #serve(wire: Wire, bytes: Bytes): Promise<void> {
    const message = decodeClientMessage(bytes);
    ok(message !== undefined && isFileRequest(message));
    this.heard.push(message);
    const caller: FileCaller = { peer: wire, handle: ANN, isHere: () => wire.isUp };
    await this.#desk.take(caller, message);
  }

  #client(): Transfers {
    const { events, said, settings, disk: { run } } = this;
    return new Transfers({
      provider,
      entropy: (length) => crypto.getRandomValues(new Uint8Array(length)),
      clock: () => this.now,
      files: this.disk,
      tell: (event) => {
        if (!run.isOver) events.push(event);
      },
      say: (_room, file) => Promise.resolve(void said.push(file)),
      settings: {
        setting: (name) => Promise.resolve(settings.get(name)),
        setSetting: (name, value) => {
          if (value === undefined) settings.delete(name);
          else settings.set(name, value);
          return Promise.resolve();
        },
      },
    });
  }

  #server(): FileDesk {
    return new FileDesk({
      store: this.store,
      rooms: { refusalToPut: () => this.refusal, mayRead: () => true },
      limits: { quotaBytes: 1_000_000_000, days: 0 },
      wallClock: () => this.now,
      trouble: () => {},
    });
  }
}

/** Everything that works in memory comes to rest. */
export async function rest(): Promise<void> {
  for (let step = 0; step < STEPS_TO_REST; step++) await null;
}

function isFileRequest(message: ClientMessage): message is FileRequest {
  return message.type === "fileBegin" || message.type === "fileChunk" || message.type === "fileGet";
}
