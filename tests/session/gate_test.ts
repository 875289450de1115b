import { deepEqual, equal, rejects } from "node:assert/strict";
import { BANS_MS, Gate } from "../../lib/session/gate.ts";
import { MemoryAccounts } from "../chat/memory_accounts.ts";
import { test } from "../sanitized.ts";

const NOW = 1_800_000_000_000;

test("whoever is banned at the start does not come in, nor does who shares the group of addresses", async () => {
  const { accounts, gate } = await opened(async (store) => {
    await store.setBan(ban("192.0.2.7"));
    await store.setBan(ban("2001:db8:0:1::/64"));
    await store.setBan(ban("192.0.2.8", NOW));
  });
  const let_in = ["192.0.2.7", "::ffff:192.0.2.7", "2001:db8:0:1::9", "2001:db8:0:2::9", "192.0.2.8"]
    .map((address) => gate.lets(address));
  deepEqual(let_in, [false, false, false, true, true]);
  equal((await accounts.bans()).length, 2, "what was over at the start is lifted");
});

test("attack 25: who is in from an address that is banned is sent out, and nobody else", async () => {
  const { accounts, gate } = await opened();
  const out: string[] = [];
  const leave = gate.enter("192.0.2.7", () => out.push("left before"));
  gate.enter("192.0.2.7", () => out.push("one"));
  gate.enter("::ffff:192.0.2.7", () => out.push("two"));
  gate.enter("192.0.2.70", () => out.push("another"));
  leave();
  await accounts.setBan(ban("192.0.2.7"));
  await gate.look();
  deepEqual(out, ["one", "two"]);
  equal(gate.lets("192.0.2.7"), false);
  await accounts.liftBan({ kind: "address", group: "192.0.2.7" });
  await gate.look();
  equal(gate.lets("192.0.2.7"), true);
});

test("the last to look hears of the last change, however slow the disk is", async () => {
  const { accounts, gate } = await opened();
  const slow = Promise.withResolvers<void>();
  let asked = 0;
  accounts.after = (method) => method === "bans" && asked++ === 0 ? slow.promise : undefined;
  const before = gate.look();
  // Until it has looked, and waits to be told.
  while (asked === 0) await Promise.resolve();
  await accounts.setBan(ban("192.0.2.7"));
  const after = gate.look();
  // One that did not wait for the other would be done by then.
  for (let turn = 0; turn < 100; turn++) await Promise.resolve();
  slow.resolve();
  await Promise.all([before, after]);
  equal(gate.lets("192.0.2.7"), false);
});

test("a ban whose time is over is lifted within a minute, also when the clock was set back", async () => {
  const { accounts, gate, clock } = await opened(async (store) => {
    await store.setBan(ban("192.0.2.7", NOW + 10));
    await store.setBan(ban("192.0.2.8", NOW + 2 * BANS_MS));
  });
  clock.now += BANS_MS - 1;
  gate.tick();
  await gate.look();
  equal((await accounts.bans()).length, 1, "a look lifts what is over");
  clock.now = NOW + 3 * BANS_MS;
  gate.tick();
  const ticked = Promise.withResolvers<void>();
  accounts.after = (method) => method === "bans" ? ticked.resolve() : undefined;
  await ticked.promise;
  deepEqual(await accounts.bans(), []);
  let looks = 0;
  accounts.before = (method) => void (method === "liftExpiredBans" ? looks++ : 0);
  gate.tick();
  clock.now = NOW;
  gate.tick();
  await gate.look();
  equal(looks, 2, "none in the same minute, one since time went back, and one of ours");
});

test("where the disk fails whoever asked is told, or else the operator, and the bans stay as they were", async () => {
  const { accounts, gate, clock, faults } = await opened((store) => store.setBan(ban("192.0.2.7")));
  const full = new Error("the disk is full");
  accounts.before = (method) => method === "bans" ? Promise.reject(full) : undefined;
  await rejects(gate.look(), full);
  clock.now += BANS_MS;
  gate.tick();
  await rejects(gate.look(), full);
  deepEqual(faults, [full]);
  equal(gate.lets("192.0.2.7"), false);
});

async function opened(before: (store: MemoryAccounts) => Promise<unknown> = () => Promise.resolve()) {
  const accounts = new MemoryAccounts();
  await before(accounts);
  const clock = { now: NOW };
  const faults: unknown[] = [];
  const gate = await Gate.open({
    store: accounts,
    wallClock: () => clock.now,
    onFault: (fault) => void faults.push(fault),
  });
  return { accounts, gate, clock, faults };
}

function ban(group: string, until?: number) {
  return { subject: { kind: "address", group }, since: NOW, until, reason: undefined } as const;
}
