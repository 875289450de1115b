import { deepEqual, equal, ok, throws } from "node:assert/strict";
import fc from "npm:fast-check@4.10.2";
import {
  activeDevices,
  decodeDeviceList,
  type Device,
  type DeviceList,
  encodeDeviceList,
  findDevice,
  isLaterList,
  LIST_NUMBER_MAX,
  openKeys,
  signDeviceList,
  successorFault,
} from "../../lib/identity/device_list.ts";
import { displayNameFault } from "../../lib/text/display_name.ts";
import { parseHandle } from "../../lib/text/handle.ts";
import { type Bytes, concat, lengthPrefixed, u16, u64, utf8 } from "../../lib/wire/bytes.ts";
import { DEVICE_LIST_BYTES_MAX, DEVICES_MAX } from "../../lib/wire/limits.ts";
import { provider } from "../crypto/test_provider.ts";
import { check } from "../properties.ts";
import { test } from "../sanitized.ts";
import { ANN, BOB, deviceOf, HOST_KEY, IDENTITY, listOf, OTHER_IDENTITY } from "./people.ts";

const RUNS = 500;
const ALTERED_RUNS = 3_000;

const names = fc.string({ unit: fc.constantFrom(..."aZé0 山🦊-"), minLength: 1, maxLength: 10 })
  .filter((name) => displayNameFault(name) === undefined);
const times = fc.oneof(fc.nat(), fc.maxSafeNat());
const devices: fc.Arbitrary<Device> = fc.record({
  key: fc.uint8Array({ minLength: 32, maxLength: 32 }).map((key): Bytes => new Uint8Array(key)),
  name: names,
  added: times,
  revoked: fc.option(times.map((time) => Math.max(time, 1)), { nil: undefined }),
});
const lists: fc.Arbitrary<DeviceList> = fc.record({
  handle: fc.constantFrom(ANN, BOB),
  number: fc.integer({ min: 1, max: LIST_NUMBER_MAX }),
  display: fc.oneof(fc.constant(""), names),
  devices: fc.uniqueArray(devices, {
    minLength: 1,
    maxLength: DEVICES_MAX,
    selector: ({ key }) => key.toHex(),
  })
    .filter((some) => activeDevices(some).length > 0),
});

test("a list comes out of its octets as it went in", async () => {
  await check(
    fc.property(lists, (list) => {
      const octets = encodeDeviceList(list);
      ok(octets.length <= DEVICE_LIST_BYTES_MAX);
      deepEqual(decodeDeviceList(octets), list);
    }),
    RUNS,
  );
});

test("attack 26: random and altered octets are a list that writes them again, or none", async () => {
  const random = fc.uint8Array({ maxLength: 300 }).map((octets): Bytes => new Uint8Array(octets));
  const altered = fc.tuple(lists, fc.nat(), fc.nat({ max: 255 }), fc.constantFrom("set", "cut", "put", "end"))
    .map(([list, at, octet, how]): Bytes => {
      const octets = encodeDeviceList(list);
      const place = at % octets.length;
      if (how === "set") return octets.with(place, octet);
      if (how === "end") return concat(octets, Uint8Array.of(octet));
      return concat(
        octets.slice(0, place),
        how === "put" ? Uint8Array.of(octet) : new Uint8Array(0),
        octets.slice(how === "cut" ? place + 1 : place),
      );
    });
  await check(
    fc.property(fc.oneof(random, altered), (octets) => {
      const list = decodeDeviceList(octets);
      if (list !== undefined) deepEqual(encodeDeviceList(list), octets);
    }),
    ALTERED_RUNS,
  );
});

test("the longest list fits its limit", async () => {
  const full = await Promise.all(
    Array.from(
      { length: DEVICES_MAX },
      (_, at) => deviceOf(at, { name: `${"x".repeat(61)} ${at % 10}`, revoked: undefined }),
    ),
  );
  const handle = parseHandle("h".repeat(32)) ?? ANN;
  const octets = encodeDeviceList({
    handle,
    number: LIST_NUMBER_MAX,
    display: "d".repeat(64),
    devices: full,
  });
  ok(octets.length <= DEVICE_LIST_BYTES_MAX, `${octets.length} octets`);
});

test("what is no list is not written", async () => {
  const one = await deviceOf(10);
  const wrong: readonly (readonly [string, Partial<DeviceList>])[] = [
    ["number 0", { number: 0 }],
    ["a number over the limit", { number: LIST_NUMBER_MAX + 1 }],
    ["half a number", { number: 1.5 }],
    ["a hidden display name", { display: "An\u200bn" }],
    ["no devices", { devices: [] }],
    ["no active device", { devices: [{ ...one, revoked: 1 }] }],
    ["a key twice", { devices: [one, { ...one, name: "other" }] }],
    ["a short key", { devices: [{ ...one, key: one.key.slice(1) }] }],
    ["a device without a name", { devices: [{ ...one, name: "" }] }],
    ["a device's name of two spellings", { devices: [{ ...one, name: "e\u0301" }] }],
    ["a time before 1970", { devices: [{ ...one, added: -1 }] }],
    ["an endless time", { devices: [one, { ...await deviceOf(11), revoked: Infinity }] }],
    ["a revocation at 0, which means none", { devices: [one, { ...await deviceOf(11), revoked: 0 }] }],
    ["too many devices", {
      devices: await Promise.all(Array.from({ length: DEVICES_MAX + 1 }, (_, at) => deviceOf(at))),
    }],
  ];
  for (const [what, rest] of wrong) {
    const list = await listOf(rest);
    throws(() => encodeDeviceList(list), RangeError, what);
  }
});

test("attack 32: names that deceive are refused in a list, though it is signed", async () => {
  for (const name of ["lap\u202etop", "lap\u200btop", "lаptop", "\u001b[2Jx", "laptop ☒"]) {
    const device = await deviceOf(10);
    const octets = concat(
      Uint8Array.of(1),
      lengthPrefixed(utf8(ANN)),
      Uint8Array.of(0, 0, 0, 1, 0, 1),
      device.key,
      lengthPrefixed(utf8(name)),
      u64(device.added),
      u64(0),
    );
    const label = concat(utf8("sotto/1 device list\0"), lengthPrefixed(HOST_KEY), u16(octets.length));
    const signature = await IDENTITY.sign(concat(label, octets));
    const keys = { identity: IDENTITY.publicKey, list: octets, signature };
    equal(await openKeys(provider, HOST_KEY, ANN, keys), undefined, JSON.stringify(name));
  }
});

test("a signed list opens for its server and its handle, with keys that verify", async () => {
  const list = await listOf({
    display: "Ann",
    devices: [await deviceOf(10), await deviceOf(11, { revoked: 5 })],
  });
  const keys = await signDeviceList(IDENTITY, HOST_KEY, list);
  const opened = await openKeys(provider, HOST_KEY, ANN, keys);
  ok(opened !== undefined);
  deepEqual(opened.list, list);
  deepEqual(opened.keys, keys);
  deepEqual(
    opened.devices.map(({ verifyingKey }) => verifyingKey.publicKey),
    list.devices.map(({ key }) => key),
  );
  equal(findDevice(opened.devices, list.devices[1]?.key ?? HOST_KEY)?.revoked, 5);
  equal(findDevice(opened.devices, HOST_KEY), undefined);
  deepEqual(activeDevices(opened.devices).map(({ name }) => name), ["device 10"]);
});

test("keys of another server, handle or identity, or altered ones, do not open", async () => {
  const keys = await signDeviceList(IDENTITY, HOST_KEY, await listOf());
  const otherList = encodeDeviceList(await listOf({ number: 2 }));
  equal(await openKeys(provider, OTHER_IDENTITY.publicKey, ANN, keys), undefined);
  equal(await openKeys(provider, HOST_KEY, BOB, keys), undefined);
  equal(await openKeys(provider, HOST_KEY, ANN, { ...keys, identity: OTHER_IDENTITY.publicKey }), undefined);
  equal(await openKeys(provider, HOST_KEY, ANN, { ...keys, list: otherList }), undefined);
  for (let at = 0; at < keys.list.length; at += 7) {
    const list = keys.list.with(at, (keys.list[at] ?? 0) ^ 1);
    equal(await openKeys(provider, HOST_KEY, ANN, { ...keys, list }), undefined, `octet ${at}`);
  }
  for (const at of [0, 31, 32, 63]) {
    const signature = keys.signature.with(at, (keys.signature[at] ?? 0) ^ 1);
    equal(await openKeys(provider, HOST_KEY, ANN, { ...keys, signature }), undefined, `octet ${at}`);
  }
});

test("attack 12: keys of small order are refused as an identity and as a device's", async () => {
  const neutral = new Uint8Array(32).with(0, 1);
  const list = await listOf({ devices: [await deviceOf(10), { ...await deviceOf(11), key: neutral }] });
  const keys = await signDeviceList(IDENTITY, HOST_KEY, list);
  equal(await openKeys(provider, HOST_KEY, ANN, keys), undefined);
  // Under the neutral key, R = [S]B is a signature of anything: here with S = 0 and R the neutral point.
  const forged = concat(neutral, new Uint8Array(32));
  const good = encodeDeviceList(await listOf());
  equal(
    await openKeys(provider, HOST_KEY, ANN, { identity: neutral, list: good, signature: forged }),
    undefined,
  );
});

test("the next list adds, revokes and renames the account, and keeps its devices", async () => {
  const [one, two, three] = [await deviceOf(10), await deviceOf(11), await deviceOf(12)];
  const before = await listOf({ number: 7, devices: [one, { ...two, revoked: 9 }, three] });
  const kept = before.devices;
  const good: readonly (readonly [string, Partial<DeviceList>])[] = [
    ["the same devices", {}],
    ["another display name", { display: "Ann" }],
    ["a device more", { devices: [...kept, await deviceOf(13)] }],
    ["a revocation", { devices: [one, { ...two, revoked: 9 }, { ...three, revoked: 10 }] }],
  ];
  for (const [what, rest] of good) {
    equal(successorFault(before, { ...before, number: 8, ...rest }), undefined, what);
  }
  const bad: readonly (readonly [string, Partial<DeviceList>, string])[] = [
    ["another account", { handle: BOB }, "handle"],
    ["the same number", { number: 7 }, "number"],
    ["a lower number", { number: 6 }, "number"],
    ["a number left out", { number: 9 }, "number"],
    ["a device less", { devices: [one, { ...two, revoked: 9 }] }, "devices"],
    ["a revoked device less", { devices: [one, three] }, "devices"],
    ["a revoked device back", { devices: [one, two, three] }, "devices"],
    ["a revocation at another time", { devices: [one, { ...two, revoked: 10 }, three] }, "devices"],
    ["another order", { devices: [{ ...two, revoked: 9 }, one, three] }, "devices"],
    ["a device put in before", { devices: [await deviceOf(13), ...kept] }, "devices"],
    ["another key", { devices: [await deviceOf(13), ...kept.slice(1)] }, "devices"],
    ["another name", { devices: [{ ...one, name: "mine" }, ...kept.slice(1)] }, "devices"],
    ["added at another time", { devices: [{ ...one, added: 1 }, ...kept.slice(1)] }, "devices"],
  ];
  for (const [what, rest, fault] of bad) {
    const after = { ...before, number: 8, ...rest };
    equal(successorFault(before, after), fault, what);
    if (what !== "a number left out") ok(!isLaterList(before, after), what);
  }
});

test("a full list drops its first revoked devices for new ones, and nothing else", async () => {
  const devices = await Promise.all(
    Array.from(
      { length: DEVICES_MAX },
      (_, at) => deviceOf(at, at === 3 || at === 5 ? { revoked: 100 - at } : {}),
    ),
  );
  const full = await listOf({ number: 3, devices });
  const newer = await Promise.all([100, 101, 102].map((octet) => deviceOf(octet)));
  const without = (...places: readonly number[]): readonly Device[] =>
    devices.filter((_, at) => !places.includes(at));
  const next = (some: readonly Device[]): DeviceList => ({ ...full, number: 4, devices: some });
  equal(successorFault(full, next([...without(3), ...newer.slice(0, 1)])), undefined);
  equal(successorFault(full, next([...without(3, 5), ...newer.slice(0, 2)])), undefined);
  const bad: readonly (readonly [string, readonly Device[]])[] = [
    ["the second revoked one", [...without(5), ...newer.slice(0, 1)]],
    ["an active one", [...without(4), ...newer.slice(0, 1)]],
    ["an active one beside the revoked", [...without(3, 5, 6), ...newer]],
    ["a revoked one for nothing", without(3)],
    ["two for one", [...without(3, 5), ...newer.slice(0, 1)]],
  ];
  for (const [what, some] of bad) {
    equal(successorFault(full, next(some)), "devices", what);
    ok(!isLaterList(full, next(some)), what);
  }
});

test("who missed lists takes a later one that keeps the devices, or is full", async () => {
  const [one, two] = [await deviceOf(10), await deviceOf(11)];
  const before = await listOf({ number: 3, devices: [one, two] });
  const later = (devices: readonly Device[]): DeviceList => ({ ...before, number: 9, devices });
  ok(isLaterList(before, later([one, { ...two, revoked: 4 }, await deviceOf(12, { revoked: 5 })])));
  ok(!isLaterList(before, later([two])), "a device gone from a list that is not full");
  ok(
    !isLaterList({ ...before, devices: [one, { ...two, revoked: 4 }] }, later([one, two])),
    "a revoked device back",
  );
  ok(!isLaterList(before, { ...later([one, two]), number: 3 }), "the same number");
  ok(!isLaterList(before, { ...later([one, two]), handle: BOB }), "another account");
  const many = await Promise.all(Array.from({ length: DEVICES_MAX - 1 }, (_, at) => deviceOf(100 + at)));
  ok(isLaterList(before, later([two, ...many])), "a device revoked and dropped meanwhile");
});
