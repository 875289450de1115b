/**
 * `--trace`: what happens on a channel, told in plain words and in full hex, for learning and for debugging. All
 * of it is on the wire or public: an event has no place for a key, a secret or a password.
 *
 * @module
 */

import type { Bytes } from "../wire/bytes.ts";
import { visible } from "./visible.ts";

/** The handshake messages, in their order (PROTOCOL §4.2). */
export type HandshakeMessage = "Hello" | "Reply" | "HostKey" | "Signature" | "Finished" | "Done";

/** The messages of a login that anybody may see. */
export type OpenLoginMessage =
  | "RegisterReply"
  | "LoginStart"
  | "LoginReply"
  | "LoginFinish"
  | "DeviceLogin"
  | "Refused";

/** Those with a secret in them: an invitation's code, and the record that a server keeps of a password. */
export type SecretLoginMessage = "RegisterStart" | "RegisterFinish";

/** Something that happened on a channel, seen from one of its ends. */
export type TraceEvent =
  /** A handshake or login message, decrypted where it came under keys; `bytes`: u8 type | u16 length | fields. */
  | {
    readonly kind: "handshake";
    readonly way: "sent" | "received";
    readonly message: HandshakeMessage | OpenLoginMessage;
    readonly bytes: Bytes;
  }
  /** A login message of which nothing but its length is told. */
  | {
    readonly kind: "secretMessage";
    readonly way: "sent" | "received";
    readonly message: SecretLoginMessage;
    readonly octets: number;
  }
  /** A record as it is on the wire: `iv` 16 octets, `tag` 32. */
  | {
    readonly kind: "record";
    readonly way: "sent" | "received";
    readonly epoch: number;
    readonly sequence: number;
    readonly iv: Bytes;
    readonly ciphertext: Bytes;
    readonly tag: Bytes;
  }
  /** A shared record as it is on the wire: all but the tag, and that, 32 octets. */
  | {
    readonly kind: "shared";
    readonly way: "sent" | "received";
    readonly epoch: number;
    readonly sequence: number;
    readonly bytes: Bytes;
    readonly tag: Bytes;
  }
  /** New keys are in use from here on. */
  | { readonly kind: "keys"; readonly epoch: number; readonly suite: string }
  /** New keys are in use, with those of a password login mixed in. */
  | { readonly kind: "mixedKeys"; readonly epoch: number; readonly suite: string }
  /** The channel has ended. */
  | { readonly kind: "end"; readonly reason: string };

/**
 * Octets of a message shown from its beginning: all that a Hello has before its ML-KEM key, and some of
 * that.
 */
const HEAD_OCTETS = 128;
/** Octets shown from its end: the binder, where a Hello has one. */
const TAIL_OCTETS = 32;
/** Octets in a line of hex: with offset and prefix it stays below 80 columns. */
const LINE_OCTETS = 32;

const PREFIX = "trace ▸";

/** Prose of at most 88 columns a line, which with prefix and indentation stays below 100. */
const WRAP = /.{1,88}(?: |$)/g;

/** What is said of a message, whichever end says it. */
interface Lesson {
  readonly step: string;
  readonly way: string;
  readonly carries: string;
  readonly why: string;
}

const OPEN = "in the clear";
const CLOSED = "encrypted under the handshake keys (shown decrypted)";
const LOGIN = "encrypted under the application keys (shown decrypted)";
const LOGIN_KEPT = "encrypted under the application keys (not shown)";
const TO_SERVER = "client to server";
const TO_CLIENT = "server to client";

const LESSONS: Readonly<Record<HandshakeMessage | OpenLoginMessage | SecretLoginMessage, Lesson>> = {
  Hello: {
    step: "step 1 of 3, the SYN",
    way: `${TO_SERVER}, ${OPEN}`,
    carries: "magic and version, mode, nonce, suites offered, X25519 share, ML-KEM-768 key; " +
      "last, where a pre-shared key is set, its binder",
    why:
      "asks for a connection with the client's half of two key agreements: a Diffie-Hellman share, and a " +
      "key that a quantum computer cannot break either; the nonce makes this session like no other; the " +
      "binder shows knowledge of the pre-shared key, and without it the server keeps silent",
  },
  Reply: {
    step: "step 2 of 3, the SYN-ACK begins",
    way: `${TO_CLIENT}, ${OPEN}`,
    carries: "suite chosen, nonce, X25519 share, ML-KEM-768 ciphertext",
    why: "gives the server's half: both ends now know the same two secrets; from these, the pre-shared key " +
      "where one is set, and a hash of every octet so far come the handshake keys; all that follows is " +
      "encrypted, and who is at the server's end is shown next",
  },
  HostKey: {
    step: "step 2 of 3, the SYN-ACK goes on",
    way: `${TO_CLIENT}, ${CLOSED}`,
    carries: "the server's Ed25519 host key",
    why: "says who the server claims to be, where no listener can read it; the client compares it with the " +
      "key it knows, and stops here if it is another",
  },
  Signature: {
    step: "step 2 of 3, the SYN-ACK goes on",
    way: `${TO_CLIENT}, ${CLOSED}`,
    carries: "an Ed25519 signature by the host key over the hash of everything up to HostKey",
    why:
      "proves that the owner of the host key takes part in this very exchange: someone in the middle has " +
      "shares of their own at each end, so the hash is another and the signature does not fit",
  },
  Finished: {
    step: "step 2 of 3, the SYN-ACK ends",
    way: `${TO_CLIENT}, ${CLOSED}`,
    carries: "a MAC under a key of the server's over the hash of everything up to Signature",
    why: "proves that the server has the handshake keys and saw each message as it was sent: no suite was " +
      "struck out, no octet changed",
  },
  Done: {
    step: "step 3 of 3, the ACK",
    way: `${TO_SERVER}, ${CLOSED}`,
    carries: "a MAC under a key of the client's over the hash of everything up to Finished",
    why:
      "proves the same of the client: a recorded Hello sent again gets no further than here; both ends now " +
      "change to the application keys",
  },
  RegisterStart: {
    step: "a new account is asked for",
    way: `${TO_SERVER}, ${LOGIN_KEPT}`,
    carries: "the name, an invitation's code where there is one, and the password, blinded",
    why: "the server helps to harden the password without seeing it; not shown, since a code is a secret",
  },
  RegisterReply: {
    step: "the name is free",
    way: `${TO_CLIENT}, ${LOGIN}`,
    carries: "the blinded password, evaluated under a key of the server's, and the server's login key",
    why: "the client takes the blinding off and stretches what remains, which only it can compute",
  },
  RegisterFinish: {
    step: "the account is made",
    way: `${TO_SERVER}, ${LOGIN_KEPT}`,
    carries: "the record that the server keeps instead of a password",
    why: "later logins are checked against it; not shown, since whoever has it is a step nearer to guessing",
  },
  LoginStart: {
    step: "a login by password begins",
    way: `${TO_SERVER}, ${LOGIN}`,
    carries: "the name, the password, blinded afresh, and a share of a key agreement (OPAQUE's KE1)",
    why: "asks for what was kept at registration; nothing in it can be checked against a guess",
  },
  LoginReply: {
    step: "the server answers",
    way: `${TO_CLIENT}, ${LOGIN}`,
    carries: "the password's evaluation, the client's sealed keys, and the server's share (KE2)",
    why: "only the right password opens the keys; for a name that nobody has, the answer looks the same",
  },
  LoginFinish: {
    step: "the login by password ends",
    way: `${TO_SERVER}, ${LOGIN}`,
    carries: "a MAC over the whole login (KE3)",
    why: "proves the password without telling it; what both now share is mixed into the keys of this channel",
  },
  DeviceLogin: {
    step: "a login by device",
    way: `${TO_SERVER}, ${LOGIN}`,
    carries: "the name, the device's key, and its signature over what names this connection",
    why: "proves who is there without a password; taken to another connection, the signature fits nothing",
  },
  Refused: {
    step: "the answer is no",
    way: `${TO_CLIENT}, ${LOGIN}`,
    carries: "one octet: why",
    why: "says as little as possible, so that nobody learns who has an account",
  },
};

/**
 * The lines that tell `event`, each beginning with `trace ▸` and safe for a terminal. A record is one line of
 * `name=value` fields for scripts, `iv`, `ciphertext.hex`, `ciphertext.base64` and `tag`, each in full.
 *
 * ```ts
 * import { deepEqual } from "node:assert/strict";
 * import { traceLines } from "./trace.ts";
 * deepEqual(traceLines({ kind: "end", reason: "closed by the peer" }), ["trace ▸ end: closed by the peer"]);
 * ```
 */
export function traceLines(event: TraceEvent): string[] {
  return told(event).map((line) => `${PREFIX} ${line}`);
}

function told(event: TraceEvent): string[] {
  switch (event.kind) {
    case "handshake":
      return [...messageLesson(event, event.bytes.length), ...messageHex(event.bytes)];
    case "secretMessage":
      return messageLesson(event, event.octets);
    case "record":
      return [[
        `${event.way} record epoch ${event.epoch} sequence ${event.sequence}`,
        `iv=${event.iv.toHex()}`,
        `ciphertext.hex=${event.ciphertext.toHex()}`,
        `ciphertext.base64=${event.ciphertext.toBase64()}`,
        `tag=${event.tag.toHex()}`,
      ].join(" ")];
    case "shared":
      return [
        `${event.way} shared record epoch ${event.epoch} sequence ${event.sequence} ` +
        `body.hex=${event.bytes.toHex()} tag=${event.tag.toHex()}`,
      ];
    case "keys":
      return [`keys epoch ${event.epoch} suite ${visible(event.suite)}`, ...wrapped(keysLesson(event.epoch))];
    case "mixedKeys":
      return [`keys epoch ${event.epoch} suite ${visible(event.suite)}`, ...wrapped(MIXED_LESSON)];
    case "end":
      return [`end: ${visible(event.reason)}`];
  }
}

function messageLesson(
  { way, message }: TraceEvent & { kind: "handshake" | "secretMessage" },
  octets: number,
): string[] {
  const lesson = LESSONS[message];
  return [
    `${way} ${message}, ${octets} octets: ${lesson.step}`,
    `  way: ${lesson.way}`,
    ...wrapped(`carries: ${lesson.carries}`),
    ...wrapped(`why: ${lesson.why}`),
  ];
}

const MIXED_LESSON =
  "the application keys with the login's key mixed in: someone who relays a login between two channels of his " +
  "has neither; the sequence starts again at 0";

function keysLesson(epoch: number): string {
  switch (epoch) {
    case 0:
      return "the handshake keys, one set each way; each record is encrypted under a fresh random IV, then " +
        "its tag is made over IV, ciphertext, epoch, sequence and length";
    case 1:
      return "the application keys, bound to the whole handshake; the sequence starts again at 0";
    default:
      return "newer application keys, after a rekey; the sequence starts again at 0";
  }
}

function messageHex(bytes: Bytes): string[] {
  const left = bytes.length - HEAD_OCTETS - TAIL_OCTETS;
  if (left <= 0) return hexLines(bytes, 0, bytes.length);
  return [
    ...hexLines(bytes, 0, HEAD_OCTETS),
    `  … ${left} octets more …`,
    ...hexLines(bytes, bytes.length - TAIL_OCTETS, bytes.length),
  ];
}

function hexLines(bytes: Bytes, start: number, end: number): string[] {
  const lines: string[] = [];
  for (let at = start; at < end; at += LINE_OCTETS) {
    const octets = bytes.subarray(at, Math.min(at + LINE_OCTETS, end));
    lines.push(`  ${at.toString(16).padStart(4, "0")} ${octets.toHex()}`);
  }
  return lines;
}

/** Prose in lines, the later ones indented. */
function wrapped(prose: string): string[] {
  const lines = prose.match(WRAP) ?? [];
  return lines.map((line, at) => `${at === 0 ? "  " : "    "}${line.trimEnd()}`);
}
