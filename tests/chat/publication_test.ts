import assert from "node:assert/strict";
import { activeDevice, judge, type Proposal } from "../../lib/chat/publication.ts";
import type { Account } from "../../lib/chat/port.ts";
import type { DeviceList } from "../../lib/identity/device_list.ts";
import type { Keys } from "../../lib/wire/message.ts";
import { repeatable } from "../secure/recorded_session.ts";
import { HOST_KEY, keyOf, Person, THEN } from "../session/people.ts";
import { test } from "../sanitized.ts";

const SERVER = { provider: repeatable, hostKey: HOST_KEY.publicKey };
const BLOB = new Uint8Array(96);

test("the first keys of an account take a password and the number 1", async () => {
  const ann = await Person.named("ann");
  const keys = await ann.keys();
  assert.equal(await outcome(account(ann, undefined), { keys, by: "password" }), "accepted");
  assert.equal(await outcome(account(ann, undefined), { keys, by: "device" }), "badList");
  const later = await ann.keys({ ...ann.list, number: 2 });
  assert.equal(await outcome(account(ann, undefined), { keys: later, by: "password" }), "badList");
});

test("a list that follows is accepted, and says which devices are active", async () => {
  const ann = await Person.named("ann");
  const stored = account(ann, await ann.keys());
  const phone = await keyOf("phone");
  ann.list = ann.with(phone.publicKey, "phone");
  const added = await judged(stored, { keys: await ann.keys(), by: "device" });
  assert.ok(added.kind === "accepted");
  assert.deepEqual(added.publication.devices.map(({ name }) => name), ["laptop", "phone"]);
  assert.deepEqual(added.publication.account, { ...stored, keys: await ann.keys() });
  const revoked = await ann.keys(ann.without(ann.device.publicKey));
  const then = await judged(added.publication.account, { keys: revoked, by: "device" });
  assert.deepEqual(then.kind === "accepted" && then.publication.devices.map(({ name }) => name), ["phone"]);
});

test("a list that is not signed by its identity for this server and account is bad", async () => {
  const [ann, eve] = [await Person.named("ann"), await Person.named("eve")];
  const stored = account(ann, await ann.keys());
  const next = ann.with((await keyOf("ghost")).publicKey, "ghost");
  const good = await ann.keys(next);
  const forged: readonly Keys[] = [
    { ...good, signature: good.signature.map((octet, at) => at === 9 ? octet ^ 1 : octet) },
    { ...good, signature: (await eve.keys(next)).signature },
    { ...(await eve.keys(next)), identity: ann.identity.publicKey },
    { ...good, list: good.list.map((octet, at) => at === good.list.length - 1 ? octet ^ 1 : octet) },
    { ...good, identity: new Uint8Array(32) },
    await eve.keys(eve.with((await keyOf("ghost")).publicKey, "ghost")),
  ];
  assert.equal(await outcome(stored, { keys: good, by: "device" }), "accepted");
  for (const keys of forged) assert.equal(await outcome(stored, { keys, by: "device" }), "badList");
});

test("a list that another came before is stale, one that skips a number or forgets a device is bad", async () => {
  const ann = await Person.named("ann");
  const [phone, watch] = [await keyOf("phone"), await keyOf("watch")];
  ann.list = ann.with(phone.publicKey, "phone");
  const stored = account(ann, await ann.keys());
  const next: DeviceList = ann.with(watch.publicKey, "watch");
  const cases: readonly (readonly [DeviceList, string])[] = [
    [next, "accepted"],
    [{ ...next, number: ann.list.number }, "staleList"],
    [{ ...next, number: 1 }, "staleList"],
    [{ ...next, number: next.number + 1 }, "badList"],
    [{ ...next, devices: next.devices.slice(1) }, "badList"],
    [ann.list, "accepted"],
  ];
  for (const [list, expected] of cases) {
    assert.equal(await outcome(stored, { keys: await ann.keys(list), by: "device" }), expected);
  }
});

test("another identity takes a password, the number 1 and a recovery blob of its own", async () => {
  const [ann, again] = [await Person.named("ann"), await Person.named("ann", "again")];
  const stored = { ...account(ann, await ann.keys()), recovery: new Uint8Array(96).fill(1) };
  const keys = await again.keys();
  assert.equal(await outcome(stored, { keys, by: "device", recovery: BLOB }), "badList");
  assert.equal(await outcome(stored, { keys, by: "password" }), "badList");
  const judgement = await judged(stored, { keys, by: "password", recovery: BLOB });
  assert.deepEqual(judgement.kind === "accepted" && judgement.publication.account.recovery, BLOB);
});

test("whoever has the password alone puts no other recovery blob in the place of the stored one", async () => {
  const ann = await Person.named("ann");
  const [keys, other] = [await ann.keys(), new Uint8Array(96).fill(1)];
  const bare = account(ann, keys);
  const stored = { ...bare, recovery: BLOB };
  assert.equal(await outcome(stored, { keys, by: "password", recovery: other }), "badList");
  for (const recovery of [BLOB, undefined]) {
    const again = await judged(stored, { keys, by: "password", recovery });
    assert.deepEqual(again.kind === "accepted" && again.publication.account, stored, "an answer was lost");
  }
  assert.equal(await outcome(bare, { keys, by: "password", recovery: other }), "accepted", "there was none");
  assert.equal(await outcome(stored, { keys, by: "device", recovery: other }), "accepted");
});

test("a new recovery blob comes by password with the next list, which takes the identity's key", async () => {
  const [ann, eve] = [await Person.named("ann"), await Person.named("eve")];
  const stored = { ...account(ann, await ann.keys()), recovery: BLOB };
  const recovery = new Uint8Array(96).fill(1);
  const next: DeviceList = { ...ann.list, number: ann.list.number + 1 };
  const judgement = await judged(stored, { keys: await ann.keys(next), by: "password", recovery });
  assert.deepEqual(judgement.kind === "accepted" && judgement.publication.account.recovery, recovery);
  const forged = { ...await ann.keys(next), signature: (await eve.keys(next)).signature };
  assert.equal(await outcome(stored, { keys: forged, by: "password", recovery }), "badList");
});

test("a device is active in keys that list it and do not revoke it", async () => {
  const ann = await Person.named("ann");
  const phone = await keyOf("phone");
  ann.list = ann.with(phone.publicKey, "phone");
  const before = await ann.keys();
  const after = await ann.keys(ann.without(phone.publicKey));
  assert.equal(activeDevice(before, phone.publicKey)?.name, "phone");
  assert.equal(activeDevice(after, phone.publicKey), undefined);
  assert.equal(activeDevice(before, (await keyOf("other")).publicKey), undefined);
  assert.equal(activeDevice(undefined, phone.publicKey), undefined);
});

async function outcome(
  stored: Account,
  proposal: Omit<Proposal, "recovery"> & Partial<Proposal>,
): Promise<string> {
  const judgement = await judged(stored, proposal);
  return judgement.kind === "accepted" ? "accepted" : judgement.code;
}

function judged(
  stored: Account,
  proposal: Omit<Proposal, "recovery"> & Partial<Proposal>,
): ReturnType<typeof judge> {
  return judge(stored, { recovery: undefined, ...proposal }, SERVER);
}

function account({ name }: Person, keys: Keys | undefined): Account {
  return {
    handle: name,
    role: "member",
    standing: "active",
    registered: THEN,
    passwordRecord: undefined,
    keys,
    recovery: undefined,
  };
}
