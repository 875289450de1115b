import { deepEqual, equal, ok } from "node:assert/strict";
import fc from "npm:fast-check@4.10.2";
import type { KeysNews } from "../../lib/client/event.ts";
import type { SigningKey } from "../../lib/crypto/port.ts";
import { type DeviceList, openKeys } from "../../lib/identity/device_list.ts";
import {
  acceptIdentity,
  EMPTY_PEER_BOOK,
  markVerified,
  meet,
  type MetPeer,
  parsePeerBook,
  PEER_BOOK_BYTES_MAX,
  type PeerBook,
  peerBookText,
  type PeerNews,
  PEERS_MAX,
  trustOf,
} from "../../lib/identity/peer_trust.ts";
import { utf8 } from "../../lib/wire/bytes.ts";
import { DEVICES_MAX } from "../../lib/wire/limits.ts";
import { provider } from "../crypto/test_provider.ts";
import { check } from "../properties.ts";
import { test } from "../sanitized.ts";
import {
  ANN,
  BOB,
  deviceOf,
  handleOf,
  HOST_KEY,
  IDENTITY,
  listOf,
  OTHER_IDENTITY,
  shownBy,
} from "./people.ts";

const RUNS = 300;
const [ONE, TWO, THREE] = [await deviceOf(10), await deviceOf(11), await deviceOf(12)];
const IDENTITY_CHANGED: readonly PeerNews[] = [{ kind: "identityChanged" }];

/** What a client says when `list` is shown by its identity. */
async function show(
  book: PeerBook,
  rest: Partial<DeviceList>,
  identity: SigningKey = IDENTITY,
): Promise<MetPeer> {
  const { card, opened } = await shownBy(identity, await listOf(rest));
  return meet(book, card, opened);
}

/** A book in which Ann has the list `rest`. */
async function bookWith(rest: Partial<DeviceList> = {}): Promise<PeerBook> {
  return (await show(EMPTY_PEER_BOOK, rest)).book;
}

function refusal(news: readonly PeerNews[]): string | undefined {
  const [first] = news;
  return first?.kind === "listRefused" && news.length === 1 ? first.why : undefined;
}

test("news have the names by which a client tells them", () => {
  const names: Record<PeerNews["kind"], KeysNews> = {
    deviceAdded: "deviceAdded",
    deviceRevoked: "deviceRevoked",
    renamed: "renamed",
    identityChanged: "identityChanged",
    listRefused: "listRefused",
  };
  for (const [kind, name] of Object.entries(names)) equal(kind, name);
});

test("somebody met for the first time is no news, and neither is the same list again", async () => {
  const met = await show(EMPTY_PEER_BOOK, { number: 4 });
  deepEqual(met.news, []);
  const peer = met.book.get(ANN);
  ok(peer !== undefined);
  equal(trustOf(peer), "seen");
  equal(peer.known.list.number, 4);
  const again = await show(met.book, { number: 4 });
  deepEqual(again.news, []);
  equal(again.book, met.book);
});

test("a later list is taken, and what changed in it is told", async () => {
  const book = await bookWith({ devices: [ONE, TWO] });
  const met = await show(book, {
    number: 2,
    display: "Ann",
    devices: [ONE, { ...TWO, revoked: 9 }, THREE],
  });
  deepEqual(met.news, [
    { kind: "deviceAdded", detail: "device 12" },
    { kind: "deviceRevoked", detail: "device 11" },
    { kind: "renamed", detail: "Ann" },
  ]);
  equal(met.book.get(ANN)?.known.list.number, 2);
});

test("who missed lists is told of what came and went meanwhile", async () => {
  const book = await bookWith({ devices: [ONE, TWO] });
  const met = await show(book, { number: 9, devices: [ONE, TWO, { ...THREE, revoked: 5 }] });
  deepEqual(met.news, [
    { kind: "deviceAdded", detail: "device 12" },
    { kind: "deviceRevoked", detail: "device 12" },
  ]);
  const many = await Promise.all(Array.from({ length: DEVICES_MAX - 1 }, (_, at) => deviceOf(100 + at)));
  const dropped = await show(book, { number: 40, devices: [TWO, ...many] });
  equal(dropped.news.filter(({ kind }) => kind === "deviceAdded").length, DEVICES_MAX - 1);
  deepEqual(dropped.news.at(-1), { kind: "deviceRevoked", detail: "device 10" });
});

test("an older list is refused: a server cannot bring a revoked device back", async () => {
  const book = await bookWith({ number: 5, devices: [ONE, { ...TWO, revoked: 9 }] });
  const met = await show(book, { number: 4, devices: [ONE, TWO] });
  equal(refusal(met.news), "older");
  equal(met.book, book);
});

test("two lists of one number are refused, whatever the difference", async () => {
  const book = await bookWith({ number: 5, devices: [ONE] });
  const met = await show(book, { number: 5, devices: [ONE, TWO] });
  equal(refusal(met.news), "fork");
  equal(met.book, book);
});

test("a later list that brings a revoked device back, or drops one, is refused", async () => {
  const book = await bookWith({ number: 5, devices: [ONE, { ...TWO, revoked: 9 }] });
  for (const number of [6, 60]) {
    equal(refusal((await show(book, { number, devices: [ONE, TWO] })).news), "rewritten");
    equal(refusal((await show(book, { number, devices: [ONE] })).news), "rewritten");
  }
});

test("keys that do not verify, or of somebody else, are refused", async () => {
  const book = await bookWith();
  const { card, opened } = await shownBy(IDENTITY, await listOf({ number: 2 }));
  const forged = { ...card, signature: card.signature.with(0, (card.signature[0] ?? 0) ^ 1) };
  const met = meet(book, forged, await openKeys(provider, HOST_KEY, ANN, forged));
  equal(refusal(met.news), "invalid");
  equal(met.book, book);
  const swapped = meet(book, { ...card, handle: BOB }, opened);
  equal(refusal(swapped.news), "invalid");
  equal(swapped.book, book);
  equal(meet(EMPTY_PEER_BOOK, forged, undefined).book, EMPTY_PEER_BOOK);
});

test("another identity is told once and doubtful, and the first one stays known", async () => {
  const book = await bookWith();
  const met = await show(book, { devices: [THREE] }, OTHER_IDENTITY);
  deepEqual(met.news, IDENTITY_CHANGED);
  const peer = met.book.get(ANN);
  ok(peer !== undefined);
  equal(trustOf(peer), "changed");
  deepEqual(peer.known, book.get(ANN)?.known);
  const again = await show(met.book, { devices: [THREE] }, OTHER_IDENTITY);
  deepEqual(again.news, []);
  equal(again.book, met.book);
  equal(markVerified(met.book, ANN), undefined, "words of which identity?");
});

test("lists of the doubtful identity go on in order, without news of its devices", async () => {
  const { book } = await show(await bookWith(), { number: 3, devices: [TWO] }, OTHER_IDENTITY);
  const later = await show(book, { number: 4, devices: [TWO, THREE] }, OTHER_IDENTITY);
  deepEqual(later.news, []);
  equal(later.book.get(ANN)?.changed?.list.number, 4);
  equal(refusal((await show(later.book, { number: 3, devices: [TWO] }, OTHER_IDENTITY)).news), "older");
  equal(refusal((await show(later.book, { number: 4, devices: [TWO] }, OTHER_IDENTITY)).news), "fork");
  equal(refusal((await show(later.book, { number: 5, devices: [TWO] }, OTHER_IDENTITY)).news), "rewritten");
});

test("when the first identity is shown again, the doubt goes; when the other comes back, it is told anew", async () => {
  const { book } = await show(await bookWith({ number: 2 }), { devices: [THREE] }, OTHER_IDENTITY);
  equal((await show(book, { number: 1 })).book, book, "an older list proves nothing new");
  const back = await show(book, { number: 2 });
  deepEqual(back.news, []);
  equal(back.book.get(ANN)?.changed, undefined);
  deepEqual((await show(back.book, { devices: [THREE] }, OTHER_IDENTITY)).news, IDENTITY_CHANGED);
});

test("a changed identity that is accepted becomes the known one, and is not verified", async () => {
  const verified = markVerified(await bookWith(), ANN);
  ok(verified !== undefined);
  equal(verified.get(ANN)?.verified, true);
  const { book } = await show(verified, { devices: [THREE] }, OTHER_IDENTITY);
  const accepted = acceptIdentity(book, ANN);
  const peer = accepted?.get(ANN);
  ok(accepted !== undefined && peer !== undefined);
  deepEqual(peer.known.keys.identity, OTHER_IDENTITY.publicKey);
  equal(trustOf(peer), "seen");
  equal(acceptIdentity(accepted, ANN), undefined);
  deepEqual((await show(accepted, {})).news, IDENTITY_CHANGED);
});

test("nobody unknown is accepted or verified", () => {
  equal(acceptIdentity(EMPTY_PEER_BOOK, ANN), undefined);
  equal(markVerified(EMPTY_PEER_BOOK, ANN), undefined);
});

test("a verified person stays so through later lists", async () => {
  const verified = markVerified(await bookWith(), ANN);
  ok(verified !== undefined);
  const { book } = await show(verified, { number: 2, display: "Ann" });
  const peer = book.get(ANN);
  equal(peer && trustOf(peer), "verified");
});

test("attack 33: a book that is full takes nobody more and forgets nobody", async () => {
  const book = await bookWith();
  const peer = book.get(ANN);
  ok(peer !== undefined);
  const full = new Map(book);
  for (let at = 1; at < PEERS_MAX; at++) full.set(handleOf(`x${at}`), peer);
  const met = await show(full, { handle: BOB });
  equal(refusal(met.news), "bookFull");
  equal(met.book, full);
  deepEqual((await show(full, { number: 2 })).news, []);
});

test("a book comes out of its text as it went in", async () => {
  let { book } = await show(await bookWith({ display: "Zoë 山" }), { handle: BOB, devices: [TWO, THREE] });
  deepEqual(parsePeerBook(peerBookText(book)), { kind: "peerBook", book });
  book = markVerified(book, ANN) ?? book;
  book = (await show(book, { handle: BOB, number: 7 }, OTHER_IDENTITY)).book;
  deepEqual(parsePeerBook(peerBookText(book)), { kind: "peerBook", book });
  deepEqual(parsePeerBook(peerBookText(EMPTY_PEER_BOOK)), { kind: "peerBook", book: EMPTY_PEER_BOOK });
});

test("the longest book fits its limit", async () => {
  const devices = await Promise.all(
    Array.from(
      { length: DEVICES_MAX },
      (_, at) => deviceOf(at, { name: "x".repeat(64), revoked: undefined }),
    ),
  );
  const rest = { handle: handleOf("h".repeat(32)), display: "d".repeat(64), devices };
  const { book } = await show((await show(EMPTY_PEER_BOOK, rest)).book, rest, OTHER_IDENTITY);
  const text = peerBookText(markVerified(book, rest.handle) ?? book);
  const [header = "", line = ""] = text.split("\n");
  ok(
    header.length + PEERS_MAX * (utf8(line).length + 1) + 1 <= PEER_BOOK_BYTES_MAX,
    `${line.length} octets a line`,
  );
});

test("a text that is no book is a fault with its line, never a shorter book", async () => {
  const changed = (await show(await bookWith(), { devices: [THREE] }, OTHER_IDENTITY)).book;
  const text = peerBookText(changed);
  const [header = "", line = ""] = text.split("\n");
  const words = line.split(" ");
  const wrong: readonly (readonly [string, number])[] = [
    ["", 1],
    [text.replace("sotto-peers 1", "sotto-peers 2"), 1],
    [`\ufeff${text}`, 1],
    [text.slice(0, -1), 2],
    [`${header}\n\n`, 2],
    [`${text}${line}\n`, 3],
    [`${text}# nobody\n`, 3],
    [text.replaceAll("\n", "\r\n"), 1],
    [text.replace("ann seen", "Ann seen"), 2],
    [text.replace("ann seen", "bob seen"), 2],
    [text.replace(" seen ", " trusted "), 2],
    [text.replace(" seen ", "  seen "), 2],
    [`${header}\n${line} \n`, 2],
    [`${header}\n${words.slice(0, 4).join(" ")}\n`, 2],
    [`${header}\n${words.slice(0, 6).join(" ")}\n`, 2],
    [`${header}\n${words.slice(0, 5).concat(words.slice(2, 5)).join(" ")}\n`, 2],
    [`${header}\n${line.replace("=", "")}\n`, 2],
    [`${header}\n${[...words.slice(0, 3), "AAAAA", ...words.slice(4)].join(" ")}\n`, 2],
    [`${header}\n${[...words.slice(0, 3), "A".repeat(10_000), ...words.slice(4)].join(" ")}\n`, 2],
    [header + "\n".repeat(PEERS_MAX + 2), PEERS_MAX + 2],
  ];
  for (const [some, at] of wrong) {
    const parsed = parsePeerBook(some);
    equal(parsed.kind === "fault" ? parsed.line : "a book", at, JSON.stringify(some.slice(0, 80)));
  }
});

test("attack 26: random and altered texts are a book that is written so, or a fault", async () => {
  const text = peerBookText((await show(await bookWith(), { devices: [THREE] }, OTHER_IDENTITY)).book);
  const altered = fc.tuple(
    fc.nat({ max: text.length }),
    fc.nat({ max: 2 }),
    fc.string({ unit: "binary", maxLength: 2 }),
  )
    .map(([at, cut, put]) => text.slice(0, at) + put + text.slice(at + cut));
  const random = fc.string({ unit: "binary" }).map((some) => `sotto-peers 1\n${some}\n`);
  await check(
    fc.property(fc.oneof(altered, random), (some) => {
      const parsed = parsePeerBook(some);
      if (parsed.kind === "peerBook") equal(peerBookText(parsed.book), some);
    }),
    RUNS,
  );
});
