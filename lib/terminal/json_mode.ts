/**
 * The mode for programs: one JSON object a line, both ways. README has the table of objects.
 *
 * @module
 */

import { nearestRequest, quoted, readRequest, requestExample } from "../client/request_schema.ts";
import type { ClientEvent, ClientRequest, Talk } from "../client/event.ts";
import { MARKS_PER_BASE_MAX, visible } from "../text/visible.ts";
import type { Bytes } from "../wire/bytes.ts";
import { exchange } from "./exchange.ts";
import { faultSentence } from "./fault_sentence.ts";
import { inputFaultSentence, type InputLine, type LineSource, readLines } from "./lines.ts";
import { type Loss, lossOfEvent, lossOfRequest, saidText } from "./loss.ts";
import { shownDisplay } from "./names.ts";
import { type ModeOutcome, Output, type Write } from "./output.ts";
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
  /** The room of what is sent without one. */
  readonly room: string;
}

/** Values that JSON can say. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** A line of input, as far as it is understood. */
type Asked =
  | { readonly kind: "request"; readonly request: ClientRequest }
  | { readonly kind: "fingerprint" }
  | { readonly kind: "refused"; readonly sentence: string };

/** What tells an answer to one line from those to others. */
interface Tag {
  /** The room that it names. */
  readonly room: string | undefined;
  /** What its writer called it. */
  readonly ref: string | undefined;
}

/** What is asked of this program alone. */
const FINGERPRINT = "fingerprint";

const UNTAGGED: Tag = { room: undefined, ref: undefined };

const UNREADABLE = "Cannot understand a line of the input: it is no object that this mode takes; " +
  'write {"type":"send","text":"…"} or {"type":"quit"}';

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
  const front = new JsonFront(talk, io, { input: readLines(io.bytes), output });
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

/**
 * The object of one event: the event itself, an entry's number being `seq`, what is not there null, and octets
 * hexadecimal digits.
 */
export function eventJson(event: ClientEvent): Json {
  if (event.type !== "fault") return { type: event.type, ...fieldsJson(event) };
  const { code, room, about, text, wait } = event;
  return errorJson(code, faultSentence({ code, room, wait }), { room, about, text, wait });
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
  readonly #io: Pick<JsonModeIo, "fingerprint" | "room">;
  readonly #output: Output;
  #badInput = false;
  #undelivered = 0;

  constructor(
    talk: Talk,
    io: Pick<JsonModeIo, "fingerprint" | "room">,
    { input, output }: { input: LineSource; output: Output },
  ) {
    this.#talk = talk;
    this.#io = io;
    this.input = input;
    this.#output = output;
  }

  outcome(end: ModeOutcome["end"]): ModeOutcome {
    return { end, badInput: this.#badInput, undelivered: this.#undelivered };
  }

  async take(line: InputLine): Promise<"quit" | "goOn"> {
    if (line.kind === "fault") return await this.#refuse(inputFaultSentence(line.fault), UNTAGGED);
    if (line.text.trim() === "") return "goOn";
    const value = valueOf(line.text);
    const tag = tagOf(value);
    const asked = readValue(value, this.#io.room);
    switch (asked.kind) {
      case "refused":
        return await this.#refuse(asked.sentence, tag);
      case "fingerprint":
        await this.#put({ type: FINGERPRINT, fingerprint: this.#io.fingerprint });
        return "goOn";
      case "request":
        return asked.request.type === "quit" ? "quit" : await this.#ask(asked.request, tag);
    }
  }

  async show(event: ClientEvent): Promise<void> {
    const loss = lossOfEvent(event);
    if (loss !== undefined) this.#lost(loss);
    await this.#put(eventJson(event));
  }

  async #ask(request: ClientRequest, { ref }: Tag): Promise<"goOn"> {
    const sentence = await this.#talk.request(request);
    if (sentence === undefined) return "goOn";
    this.#lost(lossOfRequest(request, this.#talk));
    const text = saidText(request);
    const room = "room" in request ? request.room : undefined;
    const code = text === undefined ? "notDone" : "notSent";
    await this.#put(errorJson(code, visible(sentence), { room, text, ref }));
    return "goOn";
  }

  async #refuse(sentence: string, tag: Tag): Promise<"goOn"> {
    this.#lost("badInput");
    await this.#put(errorJson("badInput", sentence, { ...tag }));
    return "goOn";
  }

  #lost(loss: Loss): void {
    if (loss === "undelivered") this.#undelivered++;
    else this.#badInput = true;
  }

  async #put(value: Json): Promise<void> {
    await this.#output.write(jsonLine(value));
  }
}

/** What JSON says; `undefined` where a line is none. */
function valueOf(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function tagOf(value: unknown): Tag {
  if (typeof value !== "object" || value === null) return UNTAGGED;
  return {
    room: "room" in value && typeof value.room === "string" ? value.room : undefined,
    ref: "ref" in value && typeof value.ref === "string" ? value.ref : undefined,
  };
}

function readValue(tagged: unknown, room: string): Asked {
  if (
    typeof tagged !== "object" || tagged === null || !("type" in tagged) || typeof tagged.type !== "string"
  ) {
    return { kind: "refused", sentence: UNREADABLE };
  }
  const { type } = tagged;
  if ("ref" in tagged && typeof tagged.ref !== "string") {
    return {
      kind: "refused",
      sentence: `Cannot do "${quoted(type)}": "ref" is no text; write it between "…"`,
    };
  }
  const value = Object.fromEntries(Object.entries(tagged).filter(([name]) => name !== "ref"));
  if (type === FINGERPRINT && Object.keys(value).length === 1) return { kind: FINGERPRINT };
  const example = type === FINGERPRINT ? `{"type":"${FINGERPRINT}"}` : requestExample(type);
  if (example === undefined) return { kind: "refused", sentence: unknown(type) };
  const read = readRequest(type === "send" && !("room" in value) ? { room, ...value } : value);
  if (read.kind !== "misfit") return read;
  return { kind: "refused", sentence: `Cannot do "${type}": ${read.why}; write ${example}` };
}

function unknown(type: string): string {
  const meant = nearestRequest(type);
  const remedy = meant === undefined ? "README has the list of them" : `did you mean "${meant}"?`;
  return `Cannot do "${quoted(type)}": there is no such request; ${remedy}`;
}

function fieldsJson(value: object): { readonly [key: string]: Json } {
  const fields = Object.entries(value).map(([name, field]: [string, unknown]) => {
    if (name === "display") return [name, typeof field === "string" ? shownDisplay(field) ?? null : null];
    return [name === "sequence" ? "seq" : name, valueJson(field)];
  });
  return Object.fromEntries(fields);
}

function valueJson(value: unknown): Json {
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") return value;
  if (typeof value !== "object" || value === null) return null;
  if (value instanceof Uint8Array) return value.toHex();
  return Array.isArray(value) ? value.map(valueJson) : fieldsJson(value);
}

/** What is not known of an error is left out. */
function errorJson(
  code: string,
  sentence: string,
  others: Readonly<Record<string, string | number | undefined>> = {},
): Json {
  const known = Object.entries(others).flatMap(([name, value]) => value === undefined ? [] : [[name, value]]);
  return { type: "error", code, sentence, ...Object.fromEntries(known) };
}

function escaped(character: string): string {
  return Array.from(
    { length: character.length },
    (_, at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, "0")}`,
  ).join("");
}
