import assert from "node:assert/strict";
import { Reception, type Visit } from "../../lib/session/reception.ts";
import { MemoryAccounts } from "../chat/memory_accounts.ts";
import { provider } from "../crypto/test_provider.ts";
import { seededEntropy } from "../secure/seeded_entropy.ts";
import { test } from "../sanitized.ts";
import { handle, keyOf, Person, THEN } from "./people.ts";

const [ANN, BOB] = [handle("ann"), handle("bob")];

test("attack 20: one question of one kind is asked for a device, and no list is read but one with its key in it", async () => {
  const { store, visit } = await reception();
  const stranger = await keyOf("stranger");
  const asked: string[] = [];
  store.before = (method) => {
    asked.push(method);
  };
  for (const name of [ANN, BOB]) {
    assert.equal(await visit().device(name, stranger.publicKey), false);
    assert.equal(await store.keysNaming(name, stranger.publicKey), undefined);
  }
  assert.deepEqual(asked, Array.from({ length: 4 }, () => "keysNaming"));
});

test("a device of a disabled account, and one revoked, are none", async () => {
  const { store, visit, ann } = await reception();
  const isIn = () => visit().device(ANN, ann.device.publicKey);
  await store.setStanding(ANN, "disabled");
  assert.equal(await isIn(), false);
  await store.setStanding(ANN, "active");
  assert.equal(await isIn(), true);
  ann.list = ann.with((await keyOf("phone")).publicKey, "phone");
  ann.list = ann.without(ann.device.publicKey);
  const expected = (await store.find(ANN))?.keys;
  await store.setKeys(ANN, { keys: await ann.keys(), expected, recovery: undefined });
  assert.equal(await isIn(), false);
});

/** A reception where ann has a device. */
async function reception(): Promise<{
  readonly store: MemoryAccounts;
  readonly ann: Person;
  readonly visit: (address?: string) => Visit;
}> {
  const store = new MemoryAccounts();
  const ann = await Person.named("ann");
  await store.register({ handle: ANN, passwordRecord: new Uint8Array(192), now: THEN }, undefined);
  await store.setKeys(ANN, { keys: await ann.keys(), expected: undefined, recovery: undefined });
  const entropy = seededEntropy("reception");
  const at = new Reception({ store, registration: "open", provider, entropy });
  return { store, ann, visit: (address = "192.0.2.1") => at.visit(address, () => {}) };
}
