/**
 * The mode for programs: one JSON object a line, both ways. README has the table of objects.
 *
 * @module
 */

import * as v from "valibot";
import { parseText } from "../client/commands.ts";
import type { ClientEvent, DeviceLine, Talk } from "../client/event.ts";
import { MARKS_PER_BASE_MAX, visible } from "../text/visible.ts";
import type { Bytes } from "../wire/bytes.ts";
import { LOBBY, RoomNameSchema } from "../wire/message.ts";
import { exchange } from "./exchange.ts";
import { inputFaultSentence, type InputLine, type LineSource, readLines } from "./lines.ts";
import { shownDisplay } from "./names.ts";
import { type ModeOutcome, Output, type Write } from "./output.ts";
import { faultSentence } from "./phrase.ts";
import type { Told } from "./script_person.ts";

/** What the JSON mode reads and writes. */
export interface JsonModeIo {
  /** Standard input. */
  readonly bytes: ReadableStream<Bytes>;
  /** Standard output. */
  readonly write: Write;
  /** Standard error; nothing is written there in this mode, whose errors are objects. */
  readonly writeError: Write;
  /** The fingerprint of the server's host key. */
  readonly fingerprint: string;
}

/** Values that JSON can say. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

// A lone surrogate is not text: UTF-8 would quietly put another character in its place.
const TextSchema = v.pipe(v.string(), v.check((text) => text.isWellFormed()));

const RequestSchema = v.variant("type", [
  v.strictObject({
    type: v.literal("send"),
    room: v.optional(RoomNameSchema, LOBBY),
    text: TextSchema,
  }),
  v.strictObject({ type: v.literal("devices") }),
  v.strictObject({ type: v.literal("approve"), name: TextSchema }),
  v.strictObject({ type: v.literal("revoke"), name: TextSchema }),
  v.strictObject({ type: v.literal("nick"), display: TextSchema }),
  v.strictObject({ type: v.literal("whois"), handle: TextSchema }),
  v.strictObject({ type: v.literal("verify"), handle: TextSchema }),
  v.strictObject({ type: v.literal("accept"), handle: TextSchema }),
  v.strictObject({ type: v.literal("fingerprint") }),
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
  const front = new JsonFront(talk, { input: readLines(io.bytes), output, fingerprint: io.fingerprint });
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
      const { type, room, sequence: seq, id, from, source, own, time, text, verified } = event;
      const display = shownDisplay(event.display) ?? null;
      const device = event.device ?? null;
      const trust = event.trust ?? null;
      const reason = event.reason ?? null;
      return { type, room, seq, id, from, display, trust, device, source, own, time, text, verified, reason };
    }
    case "ack":
      return { type: event.type, room: event.room, id: event.id, seq: event.sequence, time: event.time };
    case "presence": {
      const { type, room, change, names, time } = event;
      return { type, room, change, names, time };
    }
    case "keys":
      return { type: event.type, handle: event.handle, news: event.news, detail: event.detail ?? null };
    case "approval":
      return { type: event.type, name: event.name, words: event.words };
    case "devices":
      return { type: event.type, devices: event.devices.map(deviceJson) };
    case "person": {
      const { type, handle, words, trust, devices } = event;
      const display = shownDisplay(event.display) ?? null;
      return { type, handle, display, words, trust, devices: devices.map(deviceJson) };
    }
    case "done":
      return { type: event.type, what: event.what };
    case "fault":
      return error(event.code, faultSentence(event.code), event.about);
    case "state":
      return { type: event.type, state: event.state, detail: event.detail ?? null };
    case "unacknowledged":
      return { type: event.type, room: event.room, id: event.id, text: event.text };
  }
}

/** The object of what a script is told before the conversation. */
export function toldJson(told: Told): Json {
  switch (told.kind) {
    case "recoveryCode":
      return { type: told.kind, code: told.code };
    case "told":
      return { type: told.kind, sentence: told.sentence };
  }
}

class JsonFront {
  readonly input: LineSource;
  readonly #talk: Talk;
  readonly #output: Output;
  readonly #fingerprint: string;
  #badInput = false;
  #undelivered = 0;

  constructor(
    talk: Talk,
    { input, output, fingerprint }: { input: LineSource; output: Output; fingerprint: string },
  ) {
    this.#talk = talk;
    this.input = input;
    this.#output = output;
    this.#fingerprint = fingerprint;
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
    if (request.type === "send") return await this.#send(request);
    if (request.type === "fingerprint") {
      await this.#put({ type: request.type, fingerprint: this.#fingerprint });
      return "goOn";
    }
    const sentence = await this.#talk.request(request);
    return sentence === undefined ? "goOn" : await this.#refuse(visible(sentence), "notDone");
  }

  async show(event: ClientEvent): Promise<void> {
    if (event.type === "unacknowledged" || event.type === "fault" && event.about !== undefined) {
      this.#undelivered++;
    }
    await this.#put(eventJson(event));
  }

  async #send(request: Extract<Request, { type: "send" }>): Promise<"goOn"> {
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

  async #refuse(sentence: string, code: "badInput" | "notDone" = "badInput"): Promise<"goOn"> {
    this.#badInput = true;
    await this.#put(error(code, sentence));
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

function deviceJson({ name, added, revoked, here }: DeviceLine): Json {
  return { name, added, revoked: revoked ?? null, here };
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
