import { equal, notEqual, ok } from "node:assert/strict";
import fc from "npm:fast-check@4.10.2";
import { addressGroup } from "../../lib/chat/address_group.ts";
import {
  ACCOUNT_FAILURES_MAX,
  ADDRESS_FAILURES_MAX,
  ADDRESS_REGISTRATIONS_MAX,
  BackOff,
  type Counted,
  FORGIVEN_MS,
  type Guesser,
  SITE_ADDRESSES_MAX,
} from "../../lib/chat/back_off.ts";
import type { Bytes } from "../../lib/wire/bytes.ts";
import { provider } from "../crypto/test_provider.ts";
import { check } from "../properties.ts";
import { test } from "../sanitized.ts";

const ANN: Guesser = { handle: "ann", address: "192.0.2.1" };

/** The same in every run, so that the few names of a test share no bucket by chance. */
const KEY: Bytes = new Uint8Array(32).fill(1);

test("attack 21: guesses at one account are refused after a few, from one address", async () => {
  equal(await guessed(fresh(), 100, () => ANN), ACCOUNT_FAILURES_MAX);
});

test("attack 21: guesses at one account are refused after as few, from many addresses", async () => {
  const backOff = fresh();
  equal(
    await guessed(backOff, 100, (at) => ({ handle: "ann", address: `192.0.2.${at}` })),
    ACCOUNT_FAILURES_MAX,
  );
  equal(await allows(backOff, { handle: "ann", address: "198.51.100.1" }), false);
  equal(await allows(backOff, { handle: "ben", address: "192.0.2.1" }), true);
});

test("attack 21: guesses from one address at many accounts are refused after some", async () => {
  const backOff = fresh();
  const guesser = (at: number) => ({ handle: `name${at}`, address: "192.0.2.1" });
  equal(await guessed(backOff, 500, guesser), ADDRESS_FAILURES_MAX);
  equal(await allows(backOff, { handle: "fresh", address: "192.0.2.1" }), false);
  equal(await allows(backOff, { handle: "name1", address: "192.0.2.2" }), true);
});

test("attack 21: whoever keeps a thousand names failing gets no more guesses at another for it", async () => {
  const backOff = fresh();
  let address = 0;
  const guess = async (handle: string, now: number) => {
    address += 1;
    return await allows(backOff, {
      handle,
      address: `10.${address >> 16}.${address >> 8 & 255}.${address & 255}`,
    }, now);
  };
  for (let at = 0; at < 2 * 1_023; at++) await guess(`name${at % 1_023}`, 0);
  const rounds = 500;
  let guesses = 0;
  for (let at = 0; at < rounds; at++) {
    // Ten minutes in all. Each name that was not there before is what a table that is full would forget another for.
    const now = Math.floor(at * 10 * FORGIVEN_MS / rounds);
    if (await guess("ann", now)) guesses += 1;
    await guess(`fresh${at}`, now);
  }
  ok(guesses <= ACCOUNT_FAILURES_MAX + 10, `${guesses} guesses`);
});

test("attack 21: a flood of addresses clears no count of another, of logins or registrations", async () => {
  const backOff = fresh();
  const { address } = ANN;
  await guessed(backOff, ADDRESS_FAILURES_MAX, (at) => ({ handle: `name${at}`, address }));
  equal(
    await taken(ADDRESS_REGISTRATIONS_MAX, () => backOff.attemptRegistration(address, 0)),
    ADDRESS_REGISTRATIONS_MAX,
  );
  for (let at = 0; at < 3_000; at++) {
    const other = `10.0.${at >> 8}.${at & 255}`;
    await backOff.attempt({ handle: `other${at}`, address: other }, 0);
    await backOff.attemptRegistration(other, 0);
  }
  equal(await allows(backOff, { handle: "fresh", address }), false);
  equal(await backOff.attemptRegistration(address, 0), undefined);
});

test("attack 21: a /48 of IPv6 is refused after some of its /64s, and its neighbour is not", async () => {
  const most = SITE_ADDRESSES_MAX * ADDRESS_FAILURES_MAX;
  const backOff = fresh();
  const at = (net: number, site = "2001:db8:1") => addressGroup(`${site}:${net.toString(16)}::1`);
  equal(await guessed(backOff, 2 * most, (net) => ({ handle: `name${net}`, address: at(net) })), most);
  equal(await allows(backOff, { handle: "fresh", address: at(0xffff) }), false);
  equal(await allows(backOff, { handle: "fresh", address: at(0, "2001:db8:2") }), true);
  const registrations = SITE_ADDRESSES_MAX * ADDRESS_REGISTRATIONS_MAX;
  let net = 0;
  equal(await taken(2 * registrations, () => backOff.attemptRegistration(at(net++), 0)), registrations);
});

test("attack 21: which names share a bucket is another matter in each run", async () => {
  const sharing = await Promise.all([1, 2].map(async (octet) => {
    const backOff = new BackOff(provider, new Uint8Array(32).fill(octet));
    const [place] = await backOff.attempt(ANN, 0) ?? [];
    return place?.bucket;
  }));
  notEqual(sharing[0], sharing[1]);
});

test("names that share a bucket are counted as one", async () => {
  const mac = { sign: (): Promise<Bytes> => Promise.resolve(new Uint8Array(64)) };
  const backOff = new BackOff({ ...provider, hmacSha512: () => Promise.resolve(mac) }, KEY);
  equal(await guessed(backOff, 100, (at) => ({ ...ANN, handle: `name${at}` })), ACCOUNT_FAILURES_MAX);
});

test("attack 21: whoever goes on guessing has one guess a minute, and is not refused for longer", async () => {
  const backOff = fresh();
  let allowed = 0;
  for (let now = 0; now < 60 * FORGIVEN_MS; now += FORGIVEN_MS / 4) {
    if (await allows(backOff, ANN, now)) allowed += 1;
  }
  equal(allowed, ACCOUNT_FAILURES_MAX + 59);
});

test("attack 21: registrations from one address are refused after some, apart from logins, and forgiven one a minute", async () => {
  const backOff = fresh();
  const attempt = (now: number, address = ANN.address) => backOff.attemptRegistration(address, now);
  equal(await taken(ADDRESS_REGISTRATIONS_MAX + 5, () => attempt(0)), ADDRESS_REGISTRATIONS_MAX);
  notEqual(await attempt(0, "198.51.100.1"), undefined);
  equal(await allows(backOff, ANN), true);
  const counted = await attempt(FORGIVEN_MS) ?? [];
  equal(counted.length, 1);
  equal(await attempt(FORGIVEN_MS), undefined);
  backOff.giveBack(counted);
  equal(await taken(5, () => attempt(FORGIVEN_MS)), 1);
});

test("one failure is forgiven a minute, and all of them in time", async () => {
  const backOff = fresh();
  await guessed(backOff, ACCOUNT_FAILURES_MAX, () => ANN);
  equal(await allows(backOff, ANN, FORGIVEN_MS - 1), false);
  equal(await allows(backOff, ANN, FORGIVEN_MS), true);
  equal(await allows(backOff, ANN, FORGIVEN_MS), false);
  const later = (1 + ACCOUNT_FAILURES_MAX) * FORGIVEN_MS;
  equal(await guessed(backOff, 100, () => ANN, later), ACCOUNT_FAILURES_MAX);
});

test("a login that turns out right costs nothing, as often as it is done", async () => {
  const backOff = fresh();
  await guessed(backOff, ACCOUNT_FAILURES_MAX - 1, () => ANN);
  for (let at = 0; at < 1_000; at++) {
    const counted = await backOff.attempt(ANN, 0);
    ok(counted !== undefined);
    backOff.giveBack(counted);
  }
  equal(await guessed(backOff, 10, () => ANN), 1);
});

test("a login that turns out right gives back its own failure only", async () => {
  const backOff = fresh();
  await guessed(backOff, ACCOUNT_FAILURES_MAX, () => ANN);
  backOff.giveBack(await backOff.attempt({ handle: "eve", address: ANN.address }, 0) ?? []);
  equal(await allows(backOff, ANN), false);
});

test("attack 21: tries at the same moment count as many", async () => {
  const backOff = fresh();
  const tries = await Promise.all(Array.from({ length: 100 }, () => backOff.attempt(ANN, 0)));
  equal(tries.filter((counted) => counted !== undefined).length, ACCOUNT_FAILURES_MAX);
});

test("attack 29: a clock that jumps back by a year keeps nobody out for longer than the full number does", async () => {
  const year = 365 * 1_440 * FORGIVEN_MS;
  const backOff = fresh();
  await guessed(backOff, ACCOUNT_FAILURES_MAX, () => ANN, year);
  equal(await allows(backOff, ANN), false);
  let allowed = 0;
  for (let now = 0; now <= 2 * ACCOUNT_FAILURES_MAX * FORGIVEN_MS; now += FORGIVEN_MS) {
    if (await allows(backOff, ANN, now)) allowed += 1;
  }
  ok(allowed >= ACCOUNT_FAILURES_MAX, `${allowed} were allowed`);
});

test("attack 21: in no stretch of time does an account take more guesses than the full number and one a minute", async () => {
  const step = fc.record({
    handle: fc.constantFrom("ann", "ben"),
    address: fc.constantFrom("192.0.2.1", "192.0.2.2", "2001:db8:0:0::/64"),
    pause_ms: fc.integer({ min: 0, max: 3 * FORGIVEN_MS }),
  });
  await check(fc.asyncProperty(fc.array(step, { maxLength: 200 }), async (steps) => {
    const backOff = fresh();
    let now = 1_000_000;
    const times: number[] = [];
    for (const { handle, address, pause_ms } of steps) {
      now += pause_ms;
      if (await allows(backOff, { handle, address }, now) && handle === "ann") times.push(now);
    }
    times.forEach((from, first) =>
      times.slice(first).forEach((to, count) =>
        ok(count + 1 <= ACCOUNT_FAILURES_MAX + (to - from) / FORGIVEN_MS)
      )
    );
  }));
});

function fresh(): BackOff {
  return new BackOff(provider, KEY);
}

async function allows(backOff: BackOff, guesser: Guesser, now = 0): Promise<boolean> {
  return await backOff.attempt(guesser, now) !== undefined;
}

/** How many of `count` guesses, all in one moment, are allowed. */
async function guessed(
  backOff: BackOff,
  count: number,
  guesser: (at: number) => Guesser,
  now = 0,
): Promise<number> {
  let at = 0;
  return await taken(count, () => backOff.attempt(guesser(at++), now));
}

/** How many of `count` tries are allowed. */
async function taken(count: number, attempt: () => Promise<Counted | undefined>): Promise<number> {
  let allowed = 0;
  for (let at = 0; at < count; at++) {
    if (await attempt() !== undefined) allowed += 1;
  }
  return allowed;
}
