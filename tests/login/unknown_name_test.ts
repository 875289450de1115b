/**
 * Attack 20: whoever asks for a name learns neither from what comes back nor from when, whether there is such an
 * account.
 */

import assert from "node:assert/strict";
import { systemEntropy } from "../../lib/crypto/entropy.ts";
import type { Handle } from "../../lib/text/handle.ts";
import { type Bytes, equal } from "../../lib/wire/bytes.ts";
import { encodeOpaque, type LoginMessage } from "../../lib/login/message.ts";
import { test } from "../sanitized.ts";
import {
  ANN,
  BOB,
  bookWith,
  desk,
  handle,
  type MemoryBook,
  messageOf,
  NOW,
  oracleLogin,
  received,
  SETUP,
  watchedDesk,
} from "./bench.ts";
import { publicKeyOf, readSetup, unmasked } from "./opaque_oracle.ts";

const CAT = handle("cat");
const DAN = handle("dan");

/** The names asked for: an account, none, one that is disabled, one whose password was reset. */
const NAMES: readonly Handle[] = [ANN, BOB, CAT, DAN];

async function bookOfAll(): Promise<MemoryBook> {
  const book = await bookWith(ANN, "correct horse");
  const { record } = book.accounts.get(ANN) ?? assert.fail("she is there");
  book.accounts.set(CAT, { record, active: false, devices: [] });
  book.accounts.set(DAN, { record: undefined, active: true, devices: [] });
  return book;
}

/** What a desk of its own answers to `start`. */
async function answer(book: MemoryBook, start: LoginMessage): Promise<LoginMessage> {
  return messageOf(await desk(book).take(start, NOW));
}

test("attack 20: known, unknown, disabled and reset names are answered by the same steps and lengths", async () => {
  const book = await bookOfAll();
  const seen: unknown[] = [];
  for (const name of NAMES) {
    const connection = watchedDesk(book);
    const login = oracleLogin(name, "a guess");
    const reply = messageOf(await connection.take(login.start, NOW));
    const wrong = await connection.take(received(encodeOpaque("LoginFinish", systemEntropy(64))), NOW);
    const steps = book.asked.splice(0).map((what) => what.replace(name, "NAME"));
    seen.push({ type: reply.type, length: reply.bytes.length, wrong, steps, guess: login.finish(reply) });
  }
  const expected = {
    type: 11,
    length: 323,
    wrong: { kind: "broken" },
    steps: ["count NAME", "answer NAME"],
    guess: undefined,
  };
  assert.deepEqual(seen, NAMES.map(() => expected));
});

test("attack 20: a name asked for twice is answered alike, whether it is known or not", async () => {
  const book = await bookOfAll();
  for (const name of NAMES) {
    const { start } = oracleLogin(name, "a guess");
    const [first, second] = [(await answer(book, start)).fields, (await answer(book, start)).fields];
    // The evaluated element is a function of the name; were it not so for unknown ones, it would tell them apart.
    assert.deepEqual(first.slice(0, 32), second.slice(0, 32), `${name}: the same OPRF key`);
    // All the rest is fresh or masked by what is.
    for (let from = 32; from < first.length; from += 16) {
      assert(!hasPart(second, first.slice(from, from + 16)), `${name}: octet ${from}`);
    }
  }
});

function hasPart(bytes: Bytes, part: Bytes): boolean {
  return bytes.some((_, at) => equal(bytes.slice(at, at + part.length), part));
}

test("attack 20: a name is answered after its registration with the OPRF key it had before", async () => {
  const book = await bookOfAll();
  const { start } = oracleLogin(BOB, "a guess");
  const before = await answer(book, start);
  const record = book.accounts.get(ANN)?.record;
  book.accounts.set(BOB, { record, active: true, devices: [] });
  const after = await answer(book, start);
  assert.deepEqual(after.fields.slice(0, 32), before.fields.slice(0, 32));
});

test("attack 20: the envelope that a stranger's answer hides opens with no key that anybody could know", async () => {
  const book = await bookOfAll();
  const { start } = oracleLogin(BOB, "a guess");
  for (const key of [new Uint8Array(64), SETUP.slice(0, 64)]) {
    const { fields: ke2 } = await answer(book, start);
    const [serverKey, envelope] = [unmasked(ke2, key).slice(0, 32), unmasked(ke2, key).slice(32)];
    assert.notDeepEqual(serverKey, publicKeyOf(readSetup(SETUP).privateKey));
    assert.notDeepEqual(envelope, new Uint8Array(96));
  }
});

/** Answers measured of each name; the first ones warm the runtime up and are left out. */
const MEASURED = 400;
const WARM_UP = 100;

/**
 * How often one of two answers measured side by side may be the slower, of a hundred: 50 where nothing tells them apart,
 * up to 62 on a machine that is busy with other things.
 */
const SLOWER_PERCENT = { from: 20, to: 80 } as const;

test("attack 20: answers for known and unknown names take times that overlap, and neither is often slower", async () => {
  const book = await bookOfAll();
  book.late = false;
  const starts = NAMES.map((name) => oracleLogin(name, "a guess").start);
  const times = NAMES.map((): number[] => []);
  for (let round = 0; round < WARM_UP + MEASURED; round++) {
    // Each in turn, and each as often first, so that whatever else the machine does falls on all alike.
    for (let turn = 0; turn < NAMES.length; turn++) {
      const at = (round + turn) % NAMES.length;
      const [connection, start] = [desk(book), starts[at] ?? assert.fail("one for each name")];
      const began_ms = performance.now();
      await connection.take(start, NOW);
      const took_ms = performance.now() - began_ms;
      if (round >= WARM_UP) times[at]?.push(took_ms);
    }
  }
  const [known = [], ...others] = times;
  for (const [at, other] of others.entries()) {
    const told = `${NAMES[at + 1]} ${JSON.stringify(middle(other))}, known ${JSON.stringify(middle(known))}`;
    assert(middle(other).from_ms <= middle(known).to_ms, told);
    assert(middle(known).from_ms <= middle(other).to_ms, told);
    const slower = known.filter((time_ms, round) => time_ms > (other[round] ?? 0)).length;
    const percent = 100 * slower / MEASURED;
    assert(percent >= SLOWER_PERCENT.from && percent <= SLOWER_PERCENT.to, `${told}: ${percent} % slower`);
  }
});

/** The middle half of some times, which a busy machine leaves alone. */
function middle(times: readonly number[]): { readonly from_ms: number; readonly to_ms: number } {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (part: number): number => sorted[Math.floor(part * sorted.length)] ?? assert.fail("measured");
  return { from_ms: at(0.25), to_ms: at(0.75) };
}
