import assert from "node:assert/strict";
import type { Account } from "../../lib/chat/port.ts";
import { CardBook } from "../../lib/delivery/card_book.ts";
import type { Keys } from "../../lib/wire/message.ts";
import { handle } from "../session/people.ts";
import { test } from "../sanitized.ts";

const ANN = handle("ann");

function keys(list: number): Keys {
  return { identity: new Uint8Array(32), list: new Uint8Array([list]), signature: new Uint8Array(64) };
}

function account(keys: Keys | undefined): Account {
  return {
    handle: ANN,
    role: "member",
    standing: "active",
    registered: 1,
    passwordRecord: undefined,
    keys,
    recovery: undefined,
  };
}

test("an account is read once, and known though it has published nothing; who has none is asked for each time", async () => {
  const asked: string[] = [];
  const book = new CardBook({
    find: (name) => {
      asked.push(name);
      return Promise.resolve(name === ANN ? account(undefined) : undefined);
    },
  });
  for (let times = 0; times < 2; times++) await book.load([ANN, handle("nobody")]);
  assert.deepEqual(asked, ["ann", "nobody", "nobody"]);
  assert.deepEqual([book.isAccount(ANN), book.isAccount(handle("nobody"))], [true, false]);
  assert.equal(book.find(ANN), undefined);
});

test("what is published while an account is read is what counts", async () => {
  const gate = Promise.withResolvers<Account>();
  const book = new CardBook({ find: () => gate.promise });
  const loading = book.load([ANN]);
  book.put(ANN, keys(2));
  gate.resolve(account(keys(1)));
  await loading;
  assert.deepEqual(book.find(ANN)?.list, new Uint8Array([2]));
});

test("an account that is removed while it is read is known no more", async () => {
  const answers = [
    Promise.withResolvers<Account | undefined>(),
    Promise.withResolvers<Account | undefined>(),
  ];
  let asked = 0;
  const book = new CardBook({ find: () => answers[asked++]?.promise ?? assert.fail("asked twice") });
  const loading = book.load([ANN]);
  book.forget(ANN);
  answers[0]?.resolve(account(keys(1)));
  answers[1]?.resolve(undefined);
  await loading;
  assert.equal(book.isAccount(ANN), false);
});
