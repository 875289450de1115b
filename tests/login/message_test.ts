import fc from "npm:fast-check@4.10.2";
import assert from "node:assert/strict";
import { OPAQUE_BYTES } from "../../lib/crypto/port.ts";
import {
  decodeDeviceLogin,
  decodeLoginStart,
  decodeOpaque,
  decodeRefused,
  decodeRegisterStart,
  encodeDeviceLogin,
  encodeLoginStart,
  encodeOpaque,
  encodeRefused,
  encodeRegisterStart,
  type LoginMessage,
  REFUSAL_CODES,
} from "../../lib/login/message.ts";
import { type Handle, HANDLE_CHARS_MAX, parseHandle } from "../../lib/text/handle.ts";
import { type Bytes, concat, u16, u8, utf8 } from "../../lib/wire/bytes.ts";
import { HANDSHAKE_MESSAGE_BYTES_MAX } from "../../lib/wire/limits.ts";
import { check } from "../properties.ts";
import { test } from "../sanitized.ts";
import { FULL, sampled, sampler } from "../secure/extent.ts";
import { ANN, handle, received } from "./bench.ts";
import { LOGIN_TYPES } from "../../lib/wire/login_type.ts";

/** Messages in all for every decoder: a million in the full run, as the attack says. */
const FRAMES = FULL ? 1_000_000 : 20_000;

/** One of the messages: genuine ones, and a decoder whose outcome is written again. */
interface Target {
  readonly name: string;
  readonly genuine: readonly Bytes[];
  readonly again: (message: LoginMessage) => Bytes | undefined;
}

const SEPARATE = ["RegisterReply", "RegisterFinish", "LoginReply", "LoginFinish"] as const;

const TARGETS: readonly Target[] = [
  {
    name: "RegisterStart",
    genuine: [
      encodeRegisterStart({ handle: ANN, code: undefined, request: octets(32) }),
      encodeRegisterStart({ handle: longest(), code: octets(16), request: octets(32) }),
    ],
    again(message) {
      const decoded = decodeRegisterStart(message);
      return decoded && encodeRegisterStart(decoded);
    },
  },
  {
    name: "LoginStart",
    genuine: [encodeLoginStart({ handle: ANN, ke1: octets(96) })],
    again(message) {
      const decoded = decodeLoginStart(message);
      return decoded && encodeLoginStart(decoded);
    },
  },
  {
    name: "DeviceLogin",
    genuine: [encodeDeviceLogin({ handle: ANN, deviceKey: octets(32), signature: octets(64) })],
    again(message) {
      const decoded = decodeDeviceLogin(message);
      return decoded && encodeDeviceLogin(decoded);
    },
  },
  {
    name: "Refused",
    genuine: REFUSAL_CODES.map(encodeRefused),
    again(message) {
      const decoded = decodeRefused(message);
      return decoded && encodeRefused(decoded);
    },
  },
  ...SEPARATE.map((name): Target => ({
    name,
    genuine: [encodeOpaque(name, octets(sizeOf(name)))],
    again(message) {
      const decoded = decodeOpaque(name, message);
      return decoded && encodeOpaque(name, decoded);
    },
  })),
];

function octets(length: number): Bytes {
  return Uint8Array.from({ length }, (_, at) => at);
}

function longest(): Handle {
  return handle("z".repeat(HANDLE_CHARS_MAX));
}

function sizeOf(name: typeof SEPARATE[number]): number {
  const sizes = {
    RegisterReply: OPAQUE_BYTES.registrationResponse,
    RegisterFinish: OPAQUE_BYTES.registrationRecord,
    LoginReply: OPAQUE_BYTES.ke2,
    LoginFinish: OPAQUE_BYTES.ke3,
  };
  return sizes[name];
}

/** `fields` under the header of type `type`. */
function messageWith(type: number, fields: Bytes): LoginMessage {
  return { type, fields, bytes: concat(u8(type), u16(fields.length), fields) };
}

test("there is a decoder for every type of login message", () => {
  assert.deepEqual(TARGETS.map(({ name }) => name).sort(), Object.keys(LOGIN_TYPES).sort());
});

test("login messages come back as they went, each by its own decoder alone", () => {
  for (const { name, genuine } of TARGETS) {
    for (const bytes of genuine) {
      for (const other of TARGETS) {
        const written = other.again(received(bytes));
        assert.deepEqual(written, other.name === name ? bytes : undefined, `${name} as ${other.name}`);
      }
    }
  }
});

test("no login message is longer than a handshake message may be", () => {
  for (const { name, genuine } of TARGETS) {
    for (const bytes of genuine) assert(bytes.length <= HANDSHAKE_MESSAGE_BYTES_MAX, name);
  }
});

const anyHandle = fc.stringMatching(/^[a-z0-9][a-z0-9_-]{0,31}$/).map(parseHandle).filter((name) =>
  name !== undefined
);

function anyOctets(length: number): fc.Arbitrary<Bytes> {
  return fc.uint8Array({ minLength: length, maxLength: length }).map((bytes) => Uint8Array.from(bytes));
}

test("any RegisterStart, LoginStart and DeviceLogin comes back as it went", () =>
  check(fc.property(
    fc.record({
      handle: anyHandle,
      code: fc.option(anyOctets(16), { nil: undefined }),
      request: anyOctets(32),
      ke1: anyOctets(96),
      deviceKey: anyOctets(32),
      signature: anyOctets(64),
    }),
    ({ handle, code, request, ke1, deviceKey, signature }) => {
      const start = { handle, code, request };
      assert.deepEqual(decodeRegisterStart(received(encodeRegisterStart(start))), start);
      const login = { handle, ke1 };
      assert.deepEqual(decodeLoginStart(received(encodeLoginStart(login))), login);
      const device = { handle, deviceKey, signature };
      assert.deepEqual(decodeDeviceLogin(received(encodeDeviceLogin(device))), device);
    },
  )));

for (const { name, genuine, again } of TARGETS) {
  test(`attack 26: random and altered fields of ${name} are taken exactly as they would be written, or refused`, () =>
    sampled(() => {
      const pick = sampler(`mutations of ${name}`);
      for (let count = 0; count < FRAMES / TARGETS.length; count++) {
        const { type, fields } = received(genuine[pick(genuine.length)] ?? assert.fail("there is one"));
        const message = messageWith(pick(20) === 0 ? pick(256) : type, mutated(fields, pick));
        const written = again(message);
        if (written !== undefined) assert.deepEqual(written, message.bytes, message.bytes.toHex());
      }
      return Promise.resolve();
    }));
}

/** Octets changed, put in, taken out or cut off; or nothing but random octets. */
function mutated(start: Bytes, pick: (count: number) => number): Bytes {
  if (pick(10) === 0) return Uint8Array.from({ length: pick(200) }, () => pick(256));
  const at = pick(2) === 0 ? pick(Math.min(start.length, 40)) : pick(start.length);
  switch (pick(4)) {
    case 0:
      return start.with(at, pick(256));
    case 1:
      return concat(start.slice(0, at), u8(pick(256)), start.slice(at));
    case 2:
      return concat(start.slice(0, at), start.slice(at + 1 + pick(4)));
    default:
      return start.slice(0, at);
  }
}

test("names that are no handles, and codes of other lengths, make no message", () => {
  const names = ["", "Ann", "a\0", "../x", "con", "-a", "ann ", "z".repeat(33), "änn"];
  for (const name of names) {
    const text = utf8(name);
    const prefix = concat(u8(text.length), text);
    assert.equal(
      decodeLoginStart(messageWith(LOGIN_TYPES.LoginStart, concat(prefix, octets(96)))),
      undefined,
    );
    const device = concat(prefix, octets(96));
    assert.equal(decodeDeviceLogin(messageWith(LOGIN_TYPES.DeviceLogin, device)), undefined, name);
    const start = concat(prefix, u8(0), octets(32));
    assert.equal(decodeRegisterStart(messageWith(LOGIN_TYPES.RegisterStart, start)), undefined, name);
  }
  for (const length of [1, 15, 17, 32]) {
    const start = concat(u8(3), utf8("ann"), u8(length), octets(length), octets(32));
    assert.equal(decodeRegisterStart(messageWith(LOGIN_TYPES.RegisterStart, start)), undefined);
  }
});

test("codes of refusals are 1 to 5, and others make no message", () => {
  assert.deepEqual(REFUSAL_CODES.map((code) => encodeRefused(code).at(-1)), [1, 2, 3, 4, 5]);
  for (const octet of [0, 6, 255]) {
    assert.equal(decodeRefused(messageWith(LOGIN_TYPES.Refused, u8(octet))), undefined);
  }
});

test("fields of our own that have a wrong length throw", () => {
  const [handle, request, code] = [ANN, octets(32), octets(16)];
  assert.throws(() => encodeRegisterStart({ handle, code: octets(15), request }), RangeError);
  assert.throws(() => encodeRegisterStart({ handle, code, request: octets(31) }), RangeError);
  assert.throws(() => encodeLoginStart({ handle, ke1: octets(97) }), RangeError);
  assert.throws(
    () => encodeDeviceLogin({ handle, deviceKey: octets(31), signature: octets(64) }),
    RangeError,
  );
  assert.throws(
    () => encodeDeviceLogin({ handle, deviceKey: octets(32), signature: octets(63) }),
    RangeError,
  );
  for (const name of SEPARATE) assert.throws(() => encodeOpaque(name, octets(1)), RangeError);
});
