/**
 * Administration of a server that runs: one request and one answer a connection, each a line of JSON, over a socket
 * that only the server's own user can reach. That is all that says who an operator is.
 *
 * @module
 */

import * as v from "valibot";
import {
  type AdminAnswer,
  type AdminRequest,
  parseAdminAnswer,
  parseAdminRequest,
} from "../chat/administration.ts";
import { type Exit, EXIT_CODES, Failure } from "../text/failure.ts";
import { visible } from "../text/visible.ts";
import { type Bytes, concat, utf8, utf8Text } from "../wire/bytes.ts";

/** Where the socket is in a data folder: in a folder of its own, see lib/net/unix_socket.ts. */
export const ADMINISTRATION_SOCKET = "admin/socket";

/** Longest request: a name and two numbers take a tenth of it. */
const REQUEST_BYTES_MAX = 4_096;

/** Longest answer: a list of a hundred thousand accounts. */
const ANSWER_BYTES_MAX = 16_777_216;

/** Octets read at once. */
const CHUNK_BYTES = 16_384;

/** A connection, as far as it is used here. */
export interface AdministrationConnection {
  /** Reads some bytes; `null` at the end. */
  read(buffer: Uint8Array): Promise<number | null>;
  /** Writes some of the bytes; tells how many. */
  write(bytes: Uint8Array): Promise<number>;
  /** Ends both directions. */
  close(): void;
}

/** What an operator asks of a server. */
export interface AdministrationCall {
  /** What is to be done. */
  readonly request: AdminRequest;
  /** What an invitation is to say of where the server is, where that is not what it would say by itself. */
  readonly address: PlaceAddress | undefined;
}

/** Where others reach a server; without a port, it is the one that it listens on. */
export interface PlaceAddress {
  /** A host. */
  readonly host: string;
  /** 1 to 65535. */
  readonly port: number | undefined;
}

const PortSchema = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65_535));
const CallSchema = v.strictObject({
  request: v.unknown(),
  address: v.exactOptional(
    v.strictObject({
      host: v.pipe(v.string(), v.minLength(1), v.maxLength(255)),
      port: v.exactOptional(PortSchema),
    }),
  ),
});
const ExitSchema = v.custom<Exit>((exit) => typeof exit === "string" && Object.hasOwn(EXIT_CODES, exit));
const FailureSchema = v.strictObject({ failure: v.strictObject({ exit: ExitSchema, sentence: v.string() }) });
const AnswerSchema = v.strictObject({ answer: v.unknown() });

/**
 * Answers `connections` by `answer`, as they come and several at once, until there are no more. A {@linkcode Failure}
 * that `answer` throws is told to whoever asked; what else it throws is handed to `onFault`, too.
 */
export async function serveAdministration(
  connections: AsyncIterable<AdministrationConnection>,
  { answer, onFault }: {
    readonly answer: (call: AdministrationCall) => Promise<AdminAnswer>;
    readonly onFault: (fault: unknown) => void;
  },
): Promise<void> {
  for await (const connection of connections) {
    // Whoever went away before the answer came is no fault of anybody.
    converse(connection, answer, onFault).catch(() => {}).finally(() => connection.close());
  }
}

/**
 * Asks the server at the other end of `connection`, which is closed then. Throws a {@linkcode Failure}: what the server
 * says it cannot do, or that it gave no answer.
 */
export async function askAdministration(
  connection: AdministrationConnection,
  { request, address }: AdministrationCall,
): Promise<AdminAnswer> {
  const call = { request, ...(address === undefined ? {} : { address: named(address) }) };
  try {
    await writeLine(connection, call);
    const line = await readLine(connection, ANSWER_BYTES_MAX);
    return answerIn(line);
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw new Failure(
      "temporary",
      "Cannot hear from the server that runs: it ended meanwhile; try again, and see by the list what was done.",
    );
  } finally {
    connection.close();
  }
}

async function converse(
  connection: AdministrationConnection,
  answer: (call: AdministrationCall) => Promise<AdminAnswer>,
  onFault: (fault: unknown) => void,
): Promise<void> {
  const call = callIn(await readLine(connection, REQUEST_BYTES_MAX));
  try {
    if (call === undefined) throw notUnderstood("the request that came over its socket");
    await writeLine(connection, { answer: await answer(call) });
  } catch (error) {
    if (!(error instanceof Failure)) onFault(error);
    const { exit, message } = error instanceof Failure ? error : ownFault();
    await writeLine(connection, { failure: { exit, sentence: message } });
  }
}

function callIn(line: string): AdministrationCall | undefined {
  const parsed = v.safeParse(CallSchema, parsedJson(line));
  const request = parsed.success ? parseAdminRequest(parsed.output.request) : undefined;
  if (!parsed.success || request === undefined) return undefined;
  const { address } = parsed.output;
  return { request, address: address && { host: address.host, port: address.port } };
}

function answerIn(line: string): AdminAnswer {
  const value = parsedJson(line);
  const failed = v.safeParse(FailureSchema, value);
  if (failed.success) {
    const { exit, sentence } = failed.output.failure;
    throw new Failure(exit, visible(sentence));
  }
  const parsed = v.safeParse(AnswerSchema, value);
  const answer = parsed.success ? parseAdminAnswer(parsed.output.answer) : undefined;
  if (answer === undefined) throw notUnderstood("the answer of the server that runs");
  return answer;
}

function notUnderstood(what: string): Failure {
  return new Failure(
    "protocol",
    `Cannot understand ${what}: it is of another version; use the same release as the server that runs.`,
  );
}

function ownFault(): Failure {
  return new Failure(
    "software",
    "Cannot do that: a fault of the server that runs, which its journal tells more of; please report it.",
  );
}

function named({ host, port }: PlaceAddress): { host: string; port?: number } {
  return port === undefined ? { host } : { host, port };
}

function parsedJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

async function writeLine(connection: AdministrationConnection, value: object): Promise<void> {
  const bytes = utf8(`${JSON.stringify(value)}\n`);
  for (let written = 0; written < bytes.length;) written += await connection.write(bytes.subarray(written));
}

/** The first line, without its end; empty where it is not UTF-8. Throws where it is cut short or too long. */
async function readLine(connection: AdministrationConnection, bytesMax: number): Promise<string> {
  const parts: Bytes[] = [];
  const buffer = new Uint8Array(CHUNK_BYTES);
  for (let length = 0; length <= bytesMax;) {
    const count = await connection.read(buffer);
    if (count === null) throw new RangeError("Cannot read a line: the other end left");
    const part = buffer.slice(0, count);
    const end = part.indexOf(LF);
    parts.push(end < 0 ? part : part.subarray(0, end));
    if (end >= 0) return utf8Text(concat(...parts)) ?? "";
    length += count;
  }
  throw new RangeError("Cannot read a line: it is too long");
}

const LF = 0x0a;
