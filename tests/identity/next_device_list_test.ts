import { deepEqual, equal, ok } from "node:assert/strict";
import fc from "npm:fast-check@4.10.2";
import {
  activeDevices,
  decodeDeviceList,
  encodeDeviceList,
  successorFault,
} from "../../lib/identity/device_list.ts";
import {
  firstDeviceList,
  withDevice,
  withDisplay,
  withRevoked,
} from "../../lib/identity/next_device_list.ts";
import { DEVICES_MAX } from "../../lib/wire/limits.ts";
import { check } from "../properties.ts";
import { test } from "../sanitized.ts";
import { ANN, deviceOf, seedOf } from "./people.ts";

const RUNS = 100;

const FIRST = firstDeviceList(ANN, { key: seedOf(0), name: "linux", added: 1 });

test("a first list has number 1, one active device and no display name", () => {
  deepEqual(FIRST, {
    handle: ANN,
    number: 1,
    display: "",
    devices: [{ key: seedOf(0), name: "linux", added: 1, revoked: undefined }],
  });
});

test("any course of changes is one of lists, each the next one to the one before", async () => {
  const changes = fc.array(
    fc.record({
      kind: fc.constantFrom("add", "revoke", "display"),
      octet: fc.nat({ max: 60 }),
      time: fc.nat(),
    }),
    { maxLength: 80 },
  );
  await check(
    fc.property(changes, (course) => {
      let list = FIRST;
      for (const { kind, octet, time } of course) {
        const next = kind === "add"
          ? withDevice(list, { key: seedOf(octet), name: "linux", added: time })
          : kind === "revoke"
          ? withRevoked(list, seedOf(octet), time)
          : withDisplay(list, `Ann ${octet}`);
        if (next === undefined) continue;
        equal(successorFault(list, next), undefined);
        deepEqual(decodeDeviceList(encodeDeviceList(next)), next);
        equal(new Set(next.devices.map(({ name }) => name)).size, next.devices.length);
        list = next;
      }
    }),
    RUNS,
  );
});

test("a listed key is not added again, revoked or not", () => {
  const two = withDevice(FIRST, { key: seedOf(1), name: "phone", added: 2 });
  ok(two !== undefined);
  equal(withDevice(two, { key: seedOf(1), name: "other", added: 3 }), undefined);
  const revoked = withRevoked(two, seedOf(1), 4);
  ok(revoked !== undefined);
  equal(revoked.devices[1]?.revoked, 4);
  equal(withDevice(revoked, { key: seedOf(1), name: "other", added: 5 }), undefined);
});

test("neither the last active device, nor one revoked or unknown, is revoked", () => {
  equal(withRevoked(FIRST, seedOf(0), 2), undefined);
  const two = withDevice(FIRST, { key: seedOf(1), name: "phone", added: 2 });
  const one = two && withRevoked(two, seedOf(0), 0);
  ok(one !== undefined);
  equal(one.devices[0]?.revoked, 1, "never 0, which would mean active");
  equal(withRevoked(one, seedOf(0), 3), undefined);
  equal(withRevoked(one, seedOf(1), 3), undefined);
  equal(withRevoked(one, seedOf(2), 3), undefined);
});

test("a taken or impossible name gets another", () => {
  const second = withDevice(FIRST, { key: seedOf(1), name: "linux", added: 2 });
  equal(second?.devices[1]?.name, "linux 2");
  const third = second && withDevice(second, { key: seedOf(2), name: "linux", added: 3 });
  equal(third?.devices[2]?.name, "linux 3");
  const long = firstDeviceList(ANN, { key: seedOf(0), name: "x".repeat(64), added: 1 });
  equal(withDevice(long, { key: seedOf(1), name: "x".repeat(64), added: 2 })?.devices[1]?.name, "device 2");
  equal(withDevice(FIRST, { key: seedOf(1), name: "lin\u202eux", added: 2 })?.devices[1]?.name, "device 2");
});

test("a full list takes a new device for its first revoked one, and none where all are active", async () => {
  let list = FIRST;
  for (let octet = 1; octet < DEVICES_MAX; octet++) {
    const { key } = await deviceOf(octet);
    list = withDevice(list, { key, name: "linux", added: octet }) ?? list;
  }
  equal(activeDevices(list.devices).length, DEVICES_MAX);
  const newcomer = { key: seedOf(200), name: "new", added: 9 };
  equal(withDevice(list, newcomer), undefined);
  const [, , third] = list.devices;
  const revoked = third && withRevoked(list, third.key, 8);
  const after = revoked && withDevice(revoked, newcomer);
  ok(revoked !== undefined && after !== undefined);
  equal(after.devices.length, DEVICES_MAX);
  equal(after.devices.at(-1)?.name, "new");
  ok(!after.devices.some(({ name }) => name === third?.name));
  equal(successorFault(revoked, after), undefined);
});
