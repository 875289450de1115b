import assert from "node:assert/strict";
import fc from "npm:fast-check@4.10.2";
import { cardMessages } from "../../lib/chat/cards.ts";
import { parseHandle } from "../../lib/text/handle.ts";
import { CARDS_MAX, DEVICE_LIST_BYTES_MAX, MESSAGE_BYTES_MAX } from "../../lib/wire/limits.ts";
import { type Card, decodeServerMessage, encodeMessage } from "../../lib/wire/message.ts";
import { check } from "../properties.ts";
import { test } from "../sanitized.ts";

test("cards of any sizes come in order, each once, in messages that fit", () =>
  check(
    fc.property(
      fc.array(fc.integer({ min: 1, max: DEVICE_LIST_BYTES_MAX }), { maxLength: 200 }),
      (sizes) => {
        const cards = sizes.map((listBytes) => card(listBytes));
        const messages = cardMessages(cards).map((message) => {
          const bytes = encodeMessage(message);
          assert.ok(bytes.length <= MESSAGE_BYTES_MAX);
          const decoded = decodeServerMessage(bytes);
          return decoded?.type === "cards" ? decoded.cards : assert.fail("what clients take");
        });
        assert.deepEqual(messages.flat(), cards);
      },
    ),
    50,
  ));

test("as many cards as fit are in one message: small ones up to the number, large ones up to the size", () => {
  const small = Array.from({ length: CARDS_MAX + 1 }, () => card(1));
  assert.equal(cardMessages(small).length, 2);
  assert.equal(cardMessages(small.slice(1)).length, 1);
  const large = Array.from({ length: 4 }, () => card(DEVICE_LIST_BYTES_MAX));
  assert.equal(cardMessages(large.slice(1)).length, 1);
  assert.equal(cardMessages(large).length, 2);
  assert.deepEqual(cardMessages([]), []);
});

test("a message of cards is filled to the last octet, whatever their names and lists are like", () => {
  for (const listBytes of [23, 24, 255, 256]) {
    for (const nameChars of [1, 23, 24, 32]) {
      const cards = Array.from({ length: 24 }, () => card(listBytes, nameChars));
      while (encodedBytes(cards) < MESSAGE_BYTES_MAX - 3_000) cards.push(card(2_000, nameChars));
      const last = MESSAGE_BYTES_MAX - encodedBytes([...cards, card(300)]) + 300;
      assert.equal(encodedBytes([...cards, card(last)]), MESSAGE_BYTES_MAX);
      assert.equal(cardMessages([...cards, card(last)]).length, 1);
      assert.equal(cardMessages([...cards, card(last + 1)]).length, 2);
    }
  }
});

function encodedBytes(cards: Card[]): number {
  return encodeMessage({ type: "cards", cards }).length;
}

function card(listBytes: number, nameChars = 32): Card {
  return {
    handle: parseHandle("a-name-of-thirty-two-characters-".slice(0, nameChars)) ?? assert.fail("a handle"),
    identity: new Uint8Array(32),
    list: new Uint8Array(listBytes),
    signature: new Uint8Array(64),
  };
}
