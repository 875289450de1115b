import type { ClientEvent, ClientRequest, Talk } from "../../lib/client/event.ts";
import type { EntryBody } from "../../lib/wire/entry_body.ts";
import { type Handle, parseHandle } from "../../lib/text/handle.ts";

/** `text` as a handle. */
export function handle(text: string): Handle {
  const parsed = parseHandle(text);
  if (parsed === undefined) throw new Error(`${text} is no handle`);
  return parsed;
}

/** A text that a type takes for safe although a hostile peer wrote it. */
export function hostile<Claimed>(text: string): Claimed {
  return JSON.parse(JSON.stringify(text));
}

/** A message of somebody else, with `changes`. */
export function message(
  changes: Partial<Extract<ClientEvent, { type: "message" }>> = {},
): Extract<ClientEvent, { type: "message" }> {
  return {
    type: "message",
    room: "#lobby",
    sequence: 1,
    id: "0".repeat(32),
    from: "ben",
    display: undefined,
    trust: undefined,
    source: "member",
    device: "laptop",
    own: false,
    time: 0,
    text: "hello",
    verified: true,
    reason: undefined,
    history: false,
    kind: "text",
    about: undefined,
    file: undefined,
    edited: false,
    deletedBy: undefined,
    reactions: [],
    ...changes,
  };
}

/** Something that somebody else did in a room, with `changes`. */
export function deed(
  what: EntryBody | undefined,
  changes: Partial<Extract<ClientEvent, { type: "log" }>> = {},
): Extract<ClientEvent, { type: "log" }> {
  const { kind: _kind, text: _text, file: _file, edited: _, deletedBy: _by, reactions: __, ...facts } =
    message();
  return { ...facts, type: "log", what, ...changes };
}

/** A room that one is in, with `changes`. */
export function room(
  changes: Partial<Extract<ClientEvent, { type: "room" }>> = {},
): Extract<ClientEvent, { type: "room" }> {
  return {
    type: "room",
    news: "here",
    room: "#lobby",
    kind: "open",
    standing: "member",
    role: "member",
    settings: { visibility: "public", topic: "", history: "all", retention: 0, slow: 0, lockdown: false },
    members: 2,
    unread: 0,
    last: 1,
    ...changes,
  };
}

/** A time of day by Greenwich, so that tests do not depend on the machine. */
export function clock(time: number): string {
  return new Date(time).toISOString().slice(11, 19);
}

/** The day by Greenwich. */
export function day(time: number): string {
  const date = new Date(time);
  return Number.isNaN(date.getTime()) ? "" : date.toISOString().slice(0, 10);
}

/** What a conversation by lines is told beside its streams. */
export const LINE_IO = { clock, day, now: () => 0, fingerprint: "SHA256:abc", room: "#lobby" } as const;

/** A connection whose events the test says, and which acknowledges what it is asked where it is told to. */
export class FakeTalk implements Talk {
  readonly name: Handle = handle("ann");
  readonly requests: ClientRequest[] = [];
  /** What every request but the last gives. */
  refusal: string | undefined = undefined;
  /** Whether the last event comes as soon as the end is asked for. */
  endsOnQuit = true;
  /** What sending waits for. */
  window: Promise<void> = Promise.resolve();
  /** Whether what is sent comes back as one's own message. */
  acknowledges = false;
  /** Rooms that one is not in. */
  readonly absent = new Set<string>();
  taken = 0;
  readonly #events: (ClientEvent | undefined)[] = [];
  #wake = () => {};
  #changed = () => {};

  /** Lets `events` happen. */
  say(...events: readonly ClientEvent[]): void {
    this.#events.push(...events);
    this.#wake();
  }

  /** Lets the connection be at its end. */
  end(): void {
    this.#events.push(undefined);
    this.#wake();
  }

  /** The texts asked to be sent. */
  get sent(): readonly string[] {
    return this.requests.flatMap((request) => request.type === "send" ? [request.text] : []);
  }

  async nextEvent(): Promise<ClientEvent | undefined> {
    while (this.#events.length === 0) await new Promise<void>((resolve) => this.#wake = resolve);
    this.taken++;
    this.#changed();
    return this.#events.shift();
  }

  async request(request: ClientRequest): Promise<string | undefined> {
    this.requests.push(request);
    this.#changed();
    if (request.type === "quit") {
      if (this.endsOnQuit) this.end();
      return undefined;
    }
    await this.window;
    if (this.refusal !== undefined) return this.refusal;
    if (this.acknowledges && request.type === "send") {
      this.say(message({ from: this.name, own: true, text: request.text, sequence: this.requests.length }));
    }
    return undefined;
  }

  isIn(room: string): boolean {
    return !this.absent.has(room);
  }

  /** Settles when `condition` holds; looked at whenever something is asked or taken. */
  async until(condition: (talk: FakeTalk) => boolean): Promise<void> {
    while (!condition(this)) await new Promise<void>((resolve) => this.#changed = resolve);
  }
}
