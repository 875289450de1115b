import assert from "node:assert/strict";
import {
  decodeField,
  decodeHello,
  decodeReply,
  encodeField,
  encodeHello,
  encodeHelloBeforeBinder,
  encodeReply,
  type HandshakeMessage,
  splitMessages,
} from "../../lib/secure/handshake_message.ts";
import { decodeInner, encodeInner } from "../../lib/secure/inner.ts";
import { parseHandle } from "../../lib/text/handle.ts";
import { type Bytes, concat } from "../../lib/wire/bytes.ts";
import { decodeCbor, encodeCbor } from "../../lib/wire/cbor.ts";
import { decodeClose, encodeClose } from "../../lib/wire/close_code.ts";
import { encodeFrame, FrameReader } from "../../lib/wire/frame.ts";
import { FRAME_HEADER_BYTES, RECORD_BYTES_MAX } from "../../lib/wire/limits.ts";
import {
  decodeClientMessage,
  decodeServerMessage,
  encodeMessage,
  RECOVERY_BLOB_BYTES,
} from "../../lib/wire/message.ts";
import { test } from "../sanitized.ts";
import { FULL, sampled, sampler } from "../secure/extent.ts";
import { SAID } from "../secure/recorded_session.ts";

/** Frames in all: a million in the full run, as the attack says. */
const FRAMES = FULL ? 1_000_000 : 20_000;

/** A decoder with what it was made for, and the encoder that leads back, where its outcome has one. */
interface Target {
  readonly name: string;
  readonly genuine: readonly Bytes[];
  /** Decodes; gives the encoding of what it found, or `undefined` where it refused. */
  readonly again: (bytes: Bytes) => Bytes | undefined;
}

const hello = {
  nonce: new Uint8Array(32).fill(1),
  suiteCodes: [1, 2],
  x25519Share: new Uint8Array(32).fill(2),
  mlKemKey: new Uint8Array(1_184).fill(3),
};
const reply = {
  suite: "a256cbc-hs512",
  nonce: new Uint8Array(32).fill(4),
  x25519Share: new Uint8Array(32).fill(5),
  mlKemCiphertext: new Uint8Array(1_088).fill(6),
} as const;
const ANN = parseHandle("ann") ?? assert.fail("ann is a handle");
const KEYS = {
  identity: new Uint8Array(32).fill(8),
  list: new Uint8Array(100).fill(9),
  signature: new Uint8Array(64).fill(10),
};
const field: Bytes = new Uint8Array(32).fill(7);

const TARGETS: readonly Target[] = [
  {
    name: "frames",
    genuine: [encodeFrame(Uint8Array.of(1, 2, 3)), encodeFrame(new Uint8Array(300))],
    again: (bytes) => {
      const reader = new FrameReader();
      reader.push(bytes);
      const frames: Bytes[] = [];
      for (
        let next = reader.next(RECORD_BYTES_MAX);
        next.kind === "frame";
        next = reader.next(RECORD_BYTES_MAX)
      ) {
        frames.push(encodeFrame(next.body));
      }
      const read = concat(...frames);
      return read.length === bytes.length ? read : undefined;
    },
  },
  {
    name: "inner plaintexts",
    genuine: [encodeInner("ping", new Uint8Array(0)), encodeInner("message", new Uint8Array(100).fill(1))],
    again: (bytes) => {
      const inner = decodeInner(bytes);
      return inner && encodeInner(inner.kind, inner.content);
    },
  },
  {
    name: "Hello",
    genuine: [encodeHello(hello), concat(encodeHelloBeforeBinder(hello), field)],
    again: (bytes) =>
      ofOneMessage(bytes, (message) => {
        const received = decodeHello(message);
        if (received === undefined) return undefined;
        return received.bound === undefined
          ? encodeHello(received.hello)
          : concat(encodeHelloBeforeBinder(received.hello), received.bound.binder);
      }),
  },
  {
    name: "Reply",
    genuine: [encodeReply(reply)],
    again: (bytes) =>
      ofOneMessage(bytes, (message) => {
        const received = decodeReply(message);
        return received && encodeReply(received);
      }),
  },
  ...(["HostKey", "Signature", "Finished", "Done"] as const).map((name): Target => ({
    name,
    genuine: [encodeField(name, name === "Signature" ? new Uint8Array(64) : field)],
    again: (bytes) =>
      ofOneMessage(bytes, (message) => {
        const received = decodeField(name, message);
        return received && encodeField(name, received);
      }),
  })),
  {
    name: "close records",
    genuine: [encodeClose("done"), encodeClose("loginTimeout")],
    again: (bytes) => {
      const reason = decodeClose(bytes);
      return reason && encodeClose(reason);
    },
  },
  {
    name: "CBOR",
    genuine: Object.values(SAID),
    again: (bytes) => {
      const value = decodeCbor(bytes);
      return value === undefined ? undefined : encodeCbor(value);
    },
  },
  {
    name: "client messages",
    genuine: [
      SAID.read,
      SAID.first,
      SAID.second,
      encodeMessage({ type: "enter" }),
      encodeMessage({ type: "publish", keys: KEYS, recovery: new Uint8Array(RECOVERY_BLOB_BYTES) }),
    ],
    again: (bytes) => {
      const message = decodeClientMessage(bytes);
      return message && encodeMessage(message);
    },
  },
  {
    name: "server messages",
    genuine: [
      SAID.here,
      SAID.entry,
      SAID.firstAck,
      encodeMessage({ type: "fault", code: "notMember" }),
      encodeMessage({ type: "account", handle: ANN, role: "owner", keys: KEYS, recovery: true }),
      encodeMessage({ type: "cards", cards: [{ handle: ANN, ...KEYS }] }),
    ],
    again: (bytes) => {
      const message = decodeServerMessage(bytes);
      return message && encodeMessage(message);
    },
  },
];

for (const { name, genuine, again } of TARGETS) {
  test(`attack 26: random and mutated ${name} are taken exactly as they would be written, or refused`, () =>
    sampled(() => {
      const pick = sampler(`mutations of ${name}`);
      for (const bytes of genuine) assert.deepEqual(again(bytes), bytes, "the genuine one is taken");
      for (let count = 0; count < FRAMES / TARGETS.length; count++) {
        const start = genuine[pick(genuine.length)] ?? assert.fail("there is one");
        const bytes = mutated(start, pick);
        const written = again(bytes);
        if (written !== undefined) assert.deepEqual(written, bytes, bytes.toHex());
      }
      return Promise.resolve();
    }));
}

test("attack 26: keys that reach for prototypes are inert", () => {
  const status = { type: "status", state: "online" };
  assert.notEqual(decodeClientMessage(encodeCbor(status)), undefined);
  const values: readonly unknown[] = [
    { ...status, ["__proto__"]: { admin: true } },
    { ["__proto__"]: status },
    { ...status, constructor: { prototype: { admin: true } } },
  ];
  for (const value of values) assert.equal(decodeClientMessage(encodeCbor(value)), undefined);
  assert.equal("admin" in {}, false);
  assert.equal("type" in {}, false);
});

function ofOneMessage(
  bytes: Bytes,
  decode: (message: HandshakeMessage) => Bytes | undefined,
): Bytes | undefined {
  const [message, ...rest] = splitMessages(bytes) ?? [];
  return message === undefined || rest.length > 0 ? undefined : decode(message);
}

/** Octets changed, put in, taken out, doubled or cut off, once or a few times; or nothing but random octets. */
function mutated(start: Bytes, pick: (count: number) => number): Bytes {
  if (pick(10) === 0) return Uint8Array.from({ length: pick(80) }, () => pick(256));
  let bytes = start;
  for (let times = 1 + pick(3); times > 0; times--) {
    const at = near(bytes.length, pick);
    switch (pick(5)) {
      case 0:
        bytes = bytes.length === 0 ? bytes : bytes.with(at, (bytes[at] ?? 0) ^ 1 << pick(8));
        break;
      case 1:
        bytes = bytes.length === 0 ? bytes : bytes.with(at, pick(256));
        break;
      case 2:
        bytes = concat(bytes.slice(0, at), Uint8Array.of(pick(256)), bytes.slice(at));
        break;
      case 3:
        bytes = concat(bytes.slice(0, at), bytes.slice(at + 1 + pick(4)));
        break;
      default:
        bytes = concat(bytes.slice(0, at), bytes.slice(at, at + 1 + pick(16)), bytes.slice(at));
    }
  }
  return bytes.slice(0, RECORD_BYTES_MAX + FRAME_HEADER_BYTES);
}

/** A place in the structure, oftener in its first octets, where lengths and types are. */
function near(length: number, pick: (count: number) => number): number {
  if (length === 0) return 0;
  return pick(2) === 0 ? pick(Math.min(length, 64)) : pick(length);
}
