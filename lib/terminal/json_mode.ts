/**
 * The mode for programs: one JSON object a line, both ways. README has the table of objects.
 *
 * @module
 */

import * as v from "valibot";
import { parseText } from "../client/commands.ts";
import type { ClientEvent, Talk } from "../client/event.ts";
import { MARKS_PER_BASE_MAX, visible } from "../text/visible.ts";
import type { Bytes } from "../wire/bytes.ts";
import { LOBBY, RoomNameSchema } from "../wire/message.ts";
import { exchange } from "./exchange.ts";
import { inputFaultSentence, type InputLine, type LineSource, readLines } from "./lines.ts";
import { type ModeOutcome, Output, type Write } from "./output.ts";
import { faultSentence } from "./phrase.ts";

/** What the JSON mode reads and writes. */
export interface JsonModeIo {
  /** Standard input. */
  readonly bytes: ReadableStream<Bytes>;
  /** Standard output. */
  readonly write: Write;
  /** Standard error; nothing is written there in this mode, whose errors are objects. */
  readonly writeError: Write;
}

/** Values that JSON can say. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

const RequestSchema = v.variant("type", [
  v.strictObject({
    type: v.literal("send"),
    room: v.optional(RoomNameSchema, LOBBY),
    // A lone surrogate is not text: UTF-8 would quietly put another character in its place.
    text: v.pipe(v.string(), v.check((text) => text.isWellFormed())),
  }),
  v.strictObject({ type: v.literal("quit") }),
]);

type Request = v.InferOutput<typeof RequestSchema>;

const UNREADABLE = "Cannot understand a line of the input: it is no object that this mode takes; " +
  'write {"type":"send","text":"…"} or {"type":"quit"}';
const BLANK = "Cannot send a text of white space only: nobody would see it; write something";

// Each escaped again as its UTF-16 units, which JSON reads as the same text. Beside what moves a cursor or
// cannot be seen: marks that would be drawn on our quotation mark, or would make a tower.
const UNPRINTABLE = new RegExp(
  String.raw`[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]` +
    String.raw`|(?<=["\\\s]|\p{M}{${MARKS_PER_BASE_MAX}})\p{M}`,
  "gu",
);

/**
 * Talks by JSON lines until the connection ends, and lets go of the input. Throws what the input or the
 * output throws, once the connection has ended; but an output without a reader is an end like others.
 */
export async function runJsonMode(talk: Talk, io: JsonModeIo): Promise<ModeOutcome> {
  const output: Output = new Output(io.write, io.writeError, { onGone: () => running.end("outputGone") });
  const front = new JsonFront(talk, readLines(io.bytes), output);
  const running = exchange(talk, front);
  return front.outcome(await running.ended);
}

/**
 * `value` as one line of JSON, its end included, that a terminal can be shown: what is not printable is
 * escaped, and reading it gives the same value.
 *
 * ```ts
 * import { equal } from "node:assert/strict";
 * import { jsonLine } from "./json_mode.ts";
 * equal(jsonLine({ text: "\u009b2J é" }), '{"text":"\\u009b2J é"}\n');
 * ```
 */
export function jsonLine(value: Json): string {
  return `${JSON.stringify(value).replace(UNPRINTABLE, escaped)}\n`;
}

/** The object of one event. */
export function eventJson(event: ClientEvent): Json {
  switch (event.type) {
    case "message": {
      const { type, room, sequence, id, from, own, time, text, verified, reason } = event;
      return { type, room, seq: sequence, id, from, own, time, text, verified, reason: reason ?? null };
    }
    case "ack":
      return { type: event.type, room: event.room, id: event.id, seq: event.sequence, time: event.time };
    case "presence": {
      const { type, room, change, names, time } = event;
      return { type, room, change, names, time };
    }
    case "fault":
      return error(event.code, faultSentence(event.code), event.about);
    case "state":
      return { type: event.type, state: event.state, detail: event.detail ?? null };
    case "unacknowledged":
      return { type: event.type, room: event.room, id: event.id, text: event.text };
  }
}

class JsonFront {
  readonly input: LineSource;
  readonly #talk: Talk;
  readonly #output: Output;
  #badInput = false;
  #undelivered = 0;

  constructor(talk: Talk, input: LineSource, output: Output) {
    this.#talk = talk;
    this.input = input;
    this.#output = output;
  }

  outcome(end: ModeOutcome["end"]): ModeOutcome {
    return { end, badInput: this.#badInput, undelivered: this.#undelivered };
  }

  async take(line: InputLine): Promise<"quit" | "goOn"> {
    if (line.kind === "fault") return await this.#refuse(inputFaultSentence(line.fault));
    if (line.text.trim() === "") return "goOn";
    const request = parseRequest(line.text);
    if (request === undefined) return await this.#refuse(UNREADABLE);
    if (request.type === "quit") return "quit";
    const parsed = parseText(request.text);
    if (parsed.kind !== "send") {
      return await this.#refuse(parsed.kind === "refused" ? parsed.sentence : BLANK);
    }
    const sentence = await this.#talk.request(request);
    if (sentence !== undefined) {
      this.#undelivered++;
      await this.#put(error("notSent", visible(sentence)));
    }
    return "goOn";
  }

  async show(event: ClientEvent): Promise<void> {
    if (event.type === "unacknowledged" || event.type === "fault" && event.about !== undefined) {
      this.#undelivered++;
    }
    await this.#put(eventJson(event));
  }

  async #refuse(sentence: string): Promise<"goOn"> {
    this.#badInput = true;
    await this.#put(error("badInput", sentence));
    return "goOn";
  }

  async #put(value: Json): Promise<void> {
    await this.#output.write(jsonLine(value));
  }
}

function parseRequest(line: string): Request | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  const parsed = v.safeParse(RequestSchema, value);
  return parsed.success ? parsed.output : undefined;
}

function error(code: string, sentence: string, about?: string): Json {
  return { type: "error", code, sentence, ...(about === undefined ? {} : { about }) };
}

function escaped(character: string): string {
  return Array.from(
    { length: character.length },
    (_, at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, "0")}`,
  ).join("");
}
