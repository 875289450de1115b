/**
 * A client program that speaks JSON, through all the lives that it has: killed and started again on the same folder. What
 * it was given to say and what it told is kept for the checker.
 *
 * @module
 */

import * as v from "valibot";
import type { Program } from "../../tools/program.ts";
import type { Heard, Placed, Said, Witness } from "../simulation/checker.ts";

const PlacedEventSchema = v.object({
  type: v.picklist(["message", "log"]),
  room: v.string(),
  seq: v.number(),
  id: v.string(),
  own: v.boolean(),
  history: v.boolean(),
  verified: v.boolean(),
  source: v.string(),
  reason: v.nullable(v.string()),
  text: v.optional(v.string()),
});

const EventSchema = v.variant("type", [
  PlacedEventSchema,
  v.object({ type: v.literal("ack"), room: v.string(), id: v.string(), seq: v.number() }),
  v.object({ type: v.literal("queued"), room: v.string(), id: v.string(), text: v.string() }),
  v.object({ type: v.literal("room"), room: v.string(), news: v.string() }),
  v.object({ type: v.literal("gone"), room: v.string() }),
  v.object({ type: v.literal("state"), state: v.string() }),
  v.object({
    type: v.literal("integrity"),
    room: v.string(),
    upTo: v.number(),
    flaws: v.array(v.unknown()),
    asked: v.boolean(),
  }),
  v.object({
    type: v.literal("page"),
    room: v.string(),
    first: v.nullable(v.number()),
    more: v.boolean(),
  }),
  v.object({ type: v.literal("error"), code: v.string(), text: v.optional(v.string()) }),
]);

/** What of a program's events matters here. */
export type TalkerEvent = v.InferOutput<typeof EventSchema>;

/** One life of a talker. */
interface TalkerLife {
  readonly program: Program;
  /** Whether it was killed. */
  isKilled: boolean;
}

/** One client. */
export class Talker {
  /** Its account. */
  readonly name: string;

  readonly #start: () => Program;
  readonly #typed: { readonly room: string; readonly text: string }[] = [];
  readonly #lives: TalkerLife[] = [];
  #texts = 0;

  /** A client that has not been started; `start` starts its program. */
  constructor(name: string, start: () => Program) {
    this.name = name;
    this.#start = start;
  }

  /** Starts it, for the first time or again, until it is let in: a client that cannot connect at all ends at once. */
  async come(): Promise<void> {
    for (let isIn = false; !isIn;) {
      this.#lives.push({ program: this.#start(), isKilled: false });
      isIn = await Promise.race([this.#isLetIn(), this.#life.program.ended.then(() => false)]);
    }
  }

  /** Kills it, whatever it is doing. */
  async kill(): Promise<void> {
    const life = this.#life;
    life.isKilled = true;
    life.program.kill("SIGKILL");
    await life.program.ended;
  }

  /** Asks for something. */
  async ask(request: Readonly<Record<string, unknown>>): Promise<void> {
    // Where it was just killed, nobody reads that.
    await this.#life.program.write(JSON.stringify(request)).catch(() => {});
  }

  /** Has it say something that is said but once. */
  async say(room: string): Promise<void> {
    const text = `${this.name} ${++this.#texts}`;
    this.#typed.push({ room, text });
    await this.ask({ type: "send", room, text });
  }

  /** The first event that `find` makes something of, of this life. */
  async until<Found>(what: string, find: (event: TalkerEvent) => Found | undefined): Promise<Found> {
    return await this.#life.program.output.until(what, (line) => {
      const event = eventOf(line);
      return event === undefined ? undefined : find(event);
    });
  }

  /** What `find` makes of the event that is number `count`, from 1, of those of this life that it makes something of. */
  async answer<Found>(
    what: string,
    count: number,
    find: (event: TalkerEvent) => Found | undefined,
  ): Promise<Found> {
    let found = 0;
    return await this.until(what, (event) => {
      const made = find(event);
      return made !== undefined && ++found === count ? made : undefined;
    });
  }

  /** The highest number of an entry of that room that it told of, in any life. */
  last(room: string): number {
    const told = this.#events().flat().flatMap((event) =>
      "seq" in event && event.room === room ? [event.seq] : []
    );
    return Math.max(0, ...told);
  }

  /** Ends it when all is acknowledged; gives its exit code and what it said on standard error. */
  async quit(): Promise<{ readonly code: number; readonly errors: string }> {
    await this.ask({ type: "quit" });
    const { program } = this.#life;
    return { code: await program.ended, errors: program.errors.lines.join("\n") };
  }

  /** What all of its lives come to. */
  get witness(): Witness {
    const lives = this.#events();
    const all = lives.flat();
    const kept = new Set(
      all.flatMap((event) =>
        event.type === "queued" || event.type === "message" && event.own ? [event.text] : []
      ),
    );
    const said: readonly Said[] = this.#typed.map(({ room, text }) => ({ room, text, sure: kept.has(text) }));
    const refused = new Set(
      all.flatMap((event) => event.type === "error" && event.text !== undefined ? [event.text] : []),
    );
    const acknowledged: readonly Placed[] = all.flatMap((event) =>
      event.type === "ack" ? [{ room: event.room, sequence: event.seq, id: event.id }] : []
    );
    return {
      name: this.name,
      said,
      refused,
      acknowledged,
      heard: lives.map((life) => life.flatMap(heardOf)),
      bases: new Map(),
      kept: new Map(),
      doubts: [...all.flatMap(doubtOf), ...(lives.at(-1) ?? []).flatMap(flawsOf)],
    };
  }

  async #isLetIn(): Promise<boolean> {
    const { output } = this.#life.program;
    const isReady = (line: string): true | undefined => {
      const event = eventOf(line);
      return event?.type === "state" && event.state === "ready" ? true : undefined;
    };
    // Where it ends before, that is no fault of its own.
    return await output.until("it was let in", isReady).catch(() => false);
  }

  get #life(): TalkerLife {
    const life = this.#lives.at(-1);
    if (life === undefined) throw new Error(`${this.name} was started`);
    return life;
  }

  #events(): readonly (readonly TalkerEvent[])[] {
    return this.#lives.map(({ program, isKilled }) =>
      program.output.lines.flatMap((line, at) => {
        const event = eventOf(line);
        // Of a program that was killed, the last line may be the beginning of one.
        const isTorn = isKilled && at === program.output.lines.length - 1;
        if (event === undefined && !isTorn && !isObject(line)) throw new Error(`${this.name} told: ${line}`);
        return event === undefined ? [] : [event];
      })
    );
  }
}

function heardOf(event: TalkerEvent): readonly Heard[] {
  switch (event.type) {
    case "message":
    case "log": {
      const { room, seq, id, history } = event;
      return history ? [] : [{ kind: "entry", entry: { room, sequence: seq, id } }];
    }
    case "gone":
      return [{ kind: "outside", room: event.room }];
    default:
      return [];
  }
}

/** An entry that does not verify. */
function doubtOf(event: TalkerEvent): readonly string[] {
  const isEntry = event.type === "message" || event.type === "log";
  if (!isEntry || event.source !== "member" || event.verified) return [];
  return [`doubts ${event.room} #${event.seq}: ${event.reason}`];
}

function flawsOf(event: TalkerEvent): readonly string[] {
  if (event.type !== "integrity") return [];
  return event.flaws.map((flaw) => `found a flaw in ${event.room}: ${JSON.stringify(flaw)}`);
}

function eventOf(line: string): TalkerEvent | undefined {
  const parsed = v.safeParse(EventSchema, json(line));
  return parsed.success ? parsed.output : undefined;
}

function isObject(line: string): boolean {
  return json(line) !== undefined;
}

function json(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
