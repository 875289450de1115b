/**
 * The people around one account, and its own devices, through a conversation: takes what the server shows of their keys,
 * and does what its person asks about them.
 *
 * @module
 */

import type { Failure } from "../text/failure.ts";
import { type Handle, handleFault, parseHandle } from "../text/handle.ts";
import type { AccountMessage, Approval, Card, FaultCode, Keys, ServerMessage } from "../wire/message.ts";
import type { Carriage } from "./carriage.ts";
import type { ClientEvent, ClientRequest } from "./event.ts";
import type { Inquiries } from "./inquiries.ts";
import type { PeersKeeper } from "./keepers.ts";
import type { ChangeRequest } from "./list_change.ts";
import type { OwnDevices } from "./own_devices.ts";
import type { People } from "./people.ts";
import type { Questions } from "./questions.ts";
import { NOT_CONNECTED } from "./room_sentences.ts";
import type { Turns } from "./turns.ts";

/** What it works with. */
export interface CircleParts {
  /** What carries its questions. */
  readonly carriage: Carriage;
  /** In which it is changed. */
  readonly turns: Turns;
  /** Tells the answers to questions apart. */
  readonly questions: Questions;
  /** Asks for people's keys. */
  readonly inquiries: Inquiries;
  /** One's own devices. */
  readonly own: OwnDevices;
  /** The others. */
  readonly people: People;
  /** Keeps what is known of them. */
  readonly peers: PeersKeeper;
  /** Tells the front end. */
  readonly show: (events: readonly ClientEvent[]) => void;
  /** Why it cannot go on. */
  readonly stop: (failure: Failure) => void;
}

/** One account's. */
export class Circle {
  readonly #parts: CircleParts;
  /** Those who have blocks asked for wait for the server's list. */
  #blocking: ((isAnswered: boolean) => void)[] = [];

  /** One of which nothing was told on this connection. */
  constructor(parts: CircleParts) {
    this.#parts = parts;
  }

  /** Takes the account as the server has it. False where it is none of this device's. */
  async takeAccount({ handle, keys }: AccountMessage): Promise<boolean> {
    if (handle !== this.#self || keys === undefined) return false;
    await this.#takeOwnKeys(keys);
    return true;
  }

  /** Takes people's keys. False where they answer no question though they say so. */
  async takeCards(message: ServerMessage & { type: "cards" }): Promise<boolean> {
    const { people, questions, show } = this.#parts;
    const before = people.book;
    const events: ClientEvent[] = [];
    for (const card of message.cards) {
      if (card.handle === this.#self) await this.#takeOwnKeys(keysOf(card));
      else events.push(...await people.meet(card));
    }
    await this.#keepPeople(before);
    show(events);
    if (message.ask === undefined) return true;
    return await questions.answer(message.ask, message, message.end === true);
  }

  /** Takes a new device's request to be approved. */
  async takeApproval(approval: Approval): Promise<void> {
    const { own, show } = this.#parts;
    show(await own.takeApproval(approval));
  }

  /** Takes the server's list of whose messages one takes none of. */
  takeBlocks(): void {
    this.#settleBlocking(true);
  }

  /** Takes a fault that names nothing; whether it was the answer to a change of one's list of devices. */
  takeFault(code: FaultCode): boolean {
    if (this.#parts.own.takeFault(code)) return true;
    this.#settleBlocking(false);
    return false;
  }

  /** No answer comes any more. */
  disconnected(): void {
    this.#settleBlocking(false);
    this.#parts.own.end();
  }

  /** Takes no direct messages of somebody any more, or does again. */
  async block(
    { type, handle: text }: Extract<ClientRequest, { type: "block" | "unblock" }>,
  ): Promise<string | undefined> {
    const { carriage } = this.#parts;
    const handle = parseHandle(text);
    if (handle === undefined) return `${handleFault(text) ?? "Cannot use that name"}.`;
    if (carriage.connection === undefined) return NOT_CONNECTED;
    const on = type === "block";
    const answered = new Promise<boolean>((resolve) => this.#blocking.push(resolve));
    carriage.tell({ type: "block", handle, on });
    if (!await answered) return undefined;
    const what = on
      ? `${handle} can send you no private messages any more`
      : `${handle} can send you private messages again`;
    return this.#show({ type: "done", what });
  }

  /** Changes one's own list of devices. */
  async changeList(request: ChangeRequest): Promise<string | undefined> {
    const { carriage, turns, own } = this.#parts;
    const begun = await turns.take(async () => {
      if (carriage.connection === undefined) return NOT_CONNECTED;
      if (request.type === "nick" && this.#looksLikeAnother(request.display)) return LIKE_ANOTHER;
      const change = await own.begin(request);
      if (change.kind === "refused") return change.sentence;
      carriage.tell(change.message);
      return change;
    });
    if (typeof begun === "string") return begun;
    const answer = await begun.answer;
    return typeof answer === "string" ? answer : this.#show(answer);
  }

  /** Tells about somebody, or notes what their person has decided about their keys. */
  async askAbout(
    { type, handle: text }: Extract<ClientRequest, { type: "whois" | "verify" | "accept" }>,
  ): Promise<string | undefined> {
    const { people, inquiries, turns } = this.#parts;
    const handle = parseHandle(text);
    if (handle === undefined) return `${handleFault(text) ?? "Cannot use that name"}.`;
    if (handle !== this.#self && !people.knows(handle)) {
      await inquiries.ask((ask) => ({ type: "askCards", ask, handles: [handle] }));
    }
    return await turns.take(() => type === "whois" ? this.#tell(handle) : this.#judge(type, handle));
  }

  /** Whether that is the name of somebody, asked of the server where nothing is known of them. */
  async knows(text: string): Promise<boolean> {
    const { people, inquiries } = this.#parts;
    const handle = parseHandle(text);
    // What is no name is told as that.
    if (handle === undefined || people.knows(handle)) return true;
    await inquiries.ask((ask) => ({ type: "askCards", ask, handles: [handle] }));
    return people.knows(handle);
  }

  async #tell(handle: Handle): Promise<string | undefined> {
    const { people, own } = this.#parts;
    const told = await people.tell(handle, own.account);
    return "why" in told && !("type" in told)
      ? `Cannot tell about ${handle}: ${told.why}.`
      : this.#show(told);
  }

  async #judge(type: "verify" | "accept", handle: Handle): Promise<string | undefined> {
    const { people } = this.#parts;
    const before = people.book;
    const refused = type === "verify" ? people.verify(handle) : people.accept(handle);
    if (refused !== undefined) return `Cannot ${type} ${handle}: ${refused.why}.`;
    await this.#keepPeople(before);
    const what = type === "verify"
      ? `${handle} is verified: the words were compared`
      : `The new identity of ${handle} is accepted; compare the words of /whois ${handle}`;
    return this.#show({ type: "done", what });
  }

  async #takeOwnKeys(keys: Keys): Promise<void> {
    const { own, show, stop: end } = this.#parts;
    const { events, stop } = await own.take(keys);
    show(events);
    if (stop !== undefined) end(stop);
  }

  /** Kept before anything is shown by it: what was seen first must be the first at the next start, too. */
  async #keepPeople(before: People["book"]): Promise<void> {
    const { people, peers } = this.#parts;
    if (people.book !== before) await peers.save(this.#self, people.book);
  }

  #looksLikeAnother(display: string): boolean {
    return display.trim() !== "" && this.#parts.people.display(this.#self, display.trim()) === undefined;
  }

  #settleBlocking(isAnswered: boolean): void {
    for (const settle of this.#blocking.splice(0)) settle(isAnswered);
  }

  #show(event: ClientEvent): undefined {
    this.#parts.show([event]);
  }

  get #self(): Handle {
    return this.#parts.own.account.handle;
  }
}

const LIKE_ANOTHER = "Cannot change the display name: it looks like somebody else's name; choose another.";

function keysOf({ identity, list, signature }: Card): Keys {
  return { identity, list, signature };
}
