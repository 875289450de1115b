/**
 * What one account says and hears on a server, whatever connection carries it: hands what the server says to whom it
 * concerns, and what its person asks to who does it. The connections themselves come and go in `chat.ts`.
 *
 * Everything is dealt with in turns: signing, verifying and keeping take a while, and each sees what the one before has
 * left.
 *
 * @module
 */

import type { VerifyingKey } from "../crypto/port.ts";
import { Failure } from "../text/failure.ts";
import type { Fault, ServerMessage } from "../wire/message.ts";
import { Acts } from "./acting.ts";
import { Carriage } from "./carriage.ts";
import { Circle } from "./circle.ts";
import type { DeviceConnection } from "./device_connection.ts";
import { Doings } from "./doings.ts";
import type { ClientEvent, ClientRequest } from "./event.ts";
import { said } from "./fold.ts";
import { Inquiries } from "./inquiries.ts";
import type { LocalFiles, LocalStore, PeersKeeper } from "./keepers.ts";
import { LogReader } from "./log_reader.ts";
import type { OwnDevices, OwnDevicesParts } from "./own_devices.ts";
import type { People } from "./people.ts";
import { Questions } from "./questions.ts";
import { requestFault } from "./request_fault.ts";
import { NOT_CONNECTED, notIn, notThere } from "./room_sentences.ts";
import { Rooms } from "./rooms.ts";
import { Sayings } from "./sayings.ts";
import type { Sender } from "./sender.ts";
import type { Settings } from "./settings.ts";
import { Transfers } from "./transfers.ts";
import { Turns } from "./turns.ts";

/** What a conversation takes from outside. */
export interface ConversationParts extends OwnDevicesParts {
  /** Keeps what is known of others. */
  readonly peers: PeersKeeper;
  /** The files of this machine. */
  readonly files: LocalFiles;
}

/** What is made ready before it begins. */
interface Ready extends ConversationParts {
  readonly host: VerifyingKey;
  readonly own: OwnDevices;
  readonly people: People;
  readonly store: LocalStore;
  readonly settings: Settings;
  readonly sender: Sender;
  /** Tells the front end. */
  readonly show: (events: readonly ClientEvent[]) => void;
  /** Why it cannot go on. */
  readonly stop: (failure: Failure) => void;
  /** All rooms were told on a connection: its person is in. */
  readonly ready: () => void;
}

/** What one says of being away. */
interface Away {
  readonly text?: string;
}

/** One account's. */
export class Conversation {
  readonly #parts: Ready;
  readonly #carriage = new Carriage();
  readonly #turns = new Turns();
  readonly #questions = new Questions();
  readonly #acts = new Acts();
  readonly #reader: LogReader;
  readonly #rooms: Rooms;
  readonly #inquiries: Inquiries;
  readonly #doings: Doings;
  readonly #sayings: Sayings;
  readonly #circle: Circle;
  readonly #transfers: Transfers;
  /** What is said of one's being away, where one is. */
  #away: Away | undefined;

  /** One that no connection carries yet. */
  constructor(parts: Ready) {
    this.#parts = parts;
    const { store, settings, show } = parts;
    this.#reader = new LogReader({ ...parts, ignores: (handle) => settings.ignores(handle) });
    const shared = {
      ...parts,
      carriage: this.#carriage,
      turns: this.#turns,
      questions: this.#questions,
      acts: this.#acts,
      reader: this.#reader,
    };
    const rooms: Rooms = new Rooms({
      ...shared,
      tell: (message) => this.#carriage.tell(message),
      opened: () => this.#sayings.flush(),
      showsReceipts: () => settings.receipts,
    });
    this.#rooms = rooms;
    this.#inquiries = new Inquiries({ ...shared, rooms });
    this.#circle = new Circle({ ...shared, inquiries: this.#inquiries });
    this.#doings = new Doings({ ...shared, rooms, inquiries: this.#inquiries });
    this.#sayings = new Sayings({ ...shared, rooms, doings: this.#doings });
    this.#transfers = new Transfers({
      ...parts,
      tell: (event) => show([event]),
      say: (room, body) =>
        this.#turns.take(() => this.#sayings.queue(room, { kind: "file", body }, undefined)),
      settings: store,
    });
  }

  /** How much waits to be stored. */
  get unsent(): number {
    return this.#sayings.unsent;
  }

  /** What waits to be stored, as events for when it has ended. */
  get unacknowledged(): readonly ClientEvent[] {
    return this.#sayings.unacknowledged;
  }

  /** Whether one is in a room of that label. */
  isIn(label: string): boolean {
    return this.#rooms.named(label)?.isMember === true;
  }

  /** A connection carries it from now on. */
  connected(connection: DeviceConnection): void {
    this.#carriage.begin(connection);
  }

  /** No connection carries it any more; settles when all that came by it is dealt with. */
  async disconnected(): Promise<void> {
    await this.#turns.take(async () => {
      this.#carriage.lose();
      this.#parts.sender.disconnected();
      this.#transfers.disconnected();
      this.#rooms.disconnected();
      this.#acts.end();
      await this.#questions.end();
      this.#circle.disconnected();
      this.#carriage.changed();
    });
  }

  /** Settles when all that was said is stored, and all files are through, or its person is not in any more. */
  async drained(): Promise<void> {
    await this.#sayings.stored();
    if (this.#carriage.connection !== undefined) await this.#transfers.idle();
    // The last thing that a file does is to be said.
    await this.#sayings.stored();
    this.#rooms.tellMarks();
  }

  /** Ends what is under way. */
  async end(): Promise<void> {
    this.#carriage.end();
    await this.#parts.store.flush();
    await this.#transfers.end();
    await this.#turns.done();
  }

  /** About a second has passed. */
  tick(now: number): void {
    this.#parts.own.tick(now);
    this.#acts.tick(now);
    this.#rooms.tick(now);
    this.#transfers.tick(now);
    this.#carriage.changed();
    if (this.#sayings.isDue(now)) void this.#goOn();
  }

  /** Takes what the server says. False where no honest server says it there. */
  take(message: ServerMessage): Promise<boolean> {
    return this.#turns.take(async () => {
      const isTaken = await this.#take(message);
      this.#carriage.changed();
      return isTaken;
    });
  }

  /** Does what its person asks; gives the sentence of why not. */
  async request(request: Exclude<ClientRequest, { type: "quit" }>): Promise<string | undefined> {
    const fault = requestFault(request, this.#parts.own.account.handle);
    if (fault !== undefined) return fault;
    switch (request.type) {
      case "send":
      case "reply":
      case "edit":
      case "delete":
      case "react":
      case "pin":
        return await this.#sayings.say(request);
      case "put":
      case "get":
        return await this.#transfer(request);
      case "create":
        return await this.#doings.create(request);
      case "join":
      case "knock":
        return await this.#doings.enter(request);
      case "rooms":
        return await this.#turns.take(() =>
          this.#show({ type: "rooms", rooms: this.#rooms.all.map((room) => room.shown) })
        );
      case "list":
        return await this.#inquiries.list();
      case "members":
        return await this.#inquiries.members(request);
      case "history":
        return await this.#inquiries.history(request);
      case "check":
        return await this.#turns.take(() => this.#check(request));
      case "read":
        return await this.#read(request);
      case "typing":
        return this.#typing(request);
      case "away":
        return this.#status(textIfAny(request.text));
      case "back":
        return this.#status(undefined);
      case "block":
      case "unblock":
        return await this.#circle.block(request);
      case "ignore":
      case "unignore":
      case "receipts":
      case "typingShown":
        return await this.#set(request);
      case "devices":
        return this.#show(this.#parts.own.told);
      case "approve":
      case "revoke":
      case "nick":
        return await this.#circle.changeList(request);
      case "whois":
      case "verify":
      case "accept":
        return await this.#circle.askAbout(request);
      default:
        return await this.#doings.act(request);
    }
  }

  async #take(message: ServerMessage): Promise<boolean> {
    switch (message.type) {
      case "account":
        return await this.#circle.takeAccount(message);
      case "cards":
        return await this.#circle.takeCards(message);
      case "approval":
        await this.#circle.takeApproval(message);
        return true;
      case "blocks":
        this.#circle.takeBlocks();
        return true;
      case "ready":
        return await this.#takeReady();
      case "ack":
        await this.#sayings.takeAcknowledgement(message);
        return true;
      case "fault":
        await this.#takeFault(message);
        return true;
      case "directory":
      case "members":
        return await this.#questions.answer(message.ask, message, message.end);
      case "fileState":
      case "fileData":
        this.#transfers.receive(message);
        return true;
      case "recovery":
      case "approved":
      case "passwordResponse":
        return false;
      default:
        return await this.#rooms.take(message);
    }
  }

  async #takeReady(): Promise<boolean> {
    if (!this.#carriage.letIn()) return false;
    this.#parts.ready();
    await this.#rooms.ready();
    await this.#sayings.tellRefused();
    this.#transfers.connected({
      send: (message) => this.#carriage.tell(message),
      drained: async (octets) => await this.#carriage.connection?.drained(octets),
    });
    // Whoever is away stays it, whatever connection says so.
    if (this.#away !== undefined) this.#carriage.tell({ type: "status", state: "away", ...this.#away });
    await this.#sayings.flush();
    return true;
  }

  async #takeFault(fault: Fault): Promise<void> {
    const { code, about, ask, wait } = fault;
    if (ask !== undefined && await this.#questions.refuse(ask, fault)) return;
    if (about !== undefined) {
      if (!this.#transfers.receive(fault)) await this.#sayings.takeFault({ ...fault, about });
    } else if (!this.#circle.takeFault(code)) {
      this.#show({ type: "fault", code, room: undefined, about: undefined, text: undefined, wait });
    }
  }

  /** Sends what had to wait. */
  async #goOn(): Promise<void> {
    try {
      await this.#turns.take(() => this.#sayings.flush());
    } catch (fault) {
      if (!(fault instanceof Failure)) throw fault;
      this.#parts.stop(fault);
    }
  }

  #check({ room: label }: ClientRequest & { type: "check" }): string | undefined {
    const room = this.#rooms.named(label);
    return room === undefined
      ? notThere(label)
      : this.#show(this.#reader.integrity(room, room.log.flaws, true));
  }

  async #read({ room: label }: ClientRequest & { type: "read" }): Promise<string | undefined> {
    return await this.#turns.take(async () => {
      const room = this.#rooms.named(label);
      if (room === undefined) return notThere(label);
      await this.#rooms.read(room);
      return undefined;
    });
  }

  #typing({ room: label, on }: ClientRequest & { type: "typing" }): undefined {
    const room = this.#rooms.named(label);
    if (room === undefined || !this.#parts.settings.typing) return;
    this.#carriage.tell({ type: "typing", room: room.id, on });
  }

  #status(away: Away | undefined): string | undefined {
    if (this.#carriage.connection === undefined) return NOT_CONNECTED;
    this.#away = away;
    this.#carriage.tell({ type: "status", state: away === undefined ? "online" : "away", ...away });
    return this.#show({ type: "done", what: away === undefined ? "You are back" : "You are away" });
  }

  async #set(
    request: Extract<ClientRequest, { type: "ignore" | "unignore" | "receipts" | "typingShown" }>,
  ): Promise<string | undefined> {
    const { settings } = this.#parts;
    if (request.type === "ignore" && !await this.#circle.knows(request.handle)) {
      return `Cannot ignore ${request.handle}: nobody of that name was seen here; /names lists who is here.`;
    }
    return await this.#turns.take(async () => {
      const done = await settings.change(request);
      return "sentence" in done ? done.sentence : this.#show({ type: "done", what: done.what });
    });
  }

  async #transfer(
    request: Extract<ClientRequest, { type: "put" | "get" }>,
  ): Promise<string | undefined> {
    const room = this.#rooms.named(request.room);
    if (room === undefined || !room.isMember) return notIn(room, request.room);
    const place = { room: room.id, label: room.label };
    if (request.type === "put") return await this.#transfers.put({ ...place, path: request.path });
    const { sequence, path } = request;
    const kept = await this.#reader.entryAt(room, sequence);
    const what = kept === undefined ? undefined : said(kept.entry);
    if (what?.kind !== "file") {
      return `Cannot get #${sequence} of ${room.label}: no file is known under that number; see /history.`;
    }
    return await this.#transfers.get({ ...place, file: what.body, path });
  }

  #show(event: ClientEvent): undefined {
    this.#parts.show([event]);
  }
}

function textIfAny(text: string | undefined): Away {
  return text === undefined || text === "" ? {} : { text };
}
