import assert from "node:assert/strict";
import type { Fernet } from "../../lib/bridge/fernet.ts";
import { FAREWELL, SERVER_LINE_BYTES_MAX } from "../../lib/bridge/phrases.ts";
import { serverIv, visitorIv } from "../../lib/bridge/token_iv.ts";
import { runVisit, shownText, type VisitLine } from "../../lib/bridge/visit.ts";
import { visitFailure } from "../../lib/bridge/visit_failure.ts";
import { type VisitEnd, Visitor } from "../../lib/bridge/visitor.ts";
import { systemEntropy } from "../../lib/crypto/entropy.ts";
import { EXIT_CODES } from "../../lib/text/failure.ts";
import { type Bytes, concat, utf8 } from "../../lib/wire/bytes.ts";
import { LOGIN_MS_MAX, TEXT_BYTES_MAX } from "../../lib/wire/limits.ts";
import { test } from "../sanitized.ts";
import { FERNET, House, OTHER_FERNET, THEN } from "./house.ts";

test("a visitor is greeted, hears, says lines in their order, and leaves when all was dealt with", async () => {
  await using house = await House.open();
  const { visitor, shown, carrying } = visit(house);
  await visitor.say("one");
  await house.say("hear, hear");
  await visitor.say("two");
  visitor.leave();
  await carrying;
  assert.equal(await visitor.ended, "left");
  assert.deepEqual(house.happened.slice(1).toSorted().filter((what) => what !== "guest-1 guestWent"), [
    "console: hear, hear",
    "guest-1: one",
    "guest-1: two",
  ], "that it went may be told behind its goodbye");
  assert.equal(shown.texts[0], "* you are guest-1 in #lobby, with nobody; exit leaves");
  assert.ok(!shown.texts.includes(FAREWELL));
  assert.equal(visitor.refusals, 0);
});

test("thousands of lines from a pipe are all said before the visit is over, and what is no line is told", async () => {
  await using house = await House.open();
  const { visitor, carrying } = visit(house);
  const texts = Array.from({ length: 2_000 }, (_, at) => `line ${at}`);
  const complaints: string[] = [];
  const outcome = await runVisit(visitor, {
    input: typed([
      ...texts.map((text) => ({ kind: "line", text }) as const),
      { kind: "fault", fault: "notUtf8" },
      { kind: "line", text: "x".repeat(TEXT_BYTES_MAX + 1) },
    ]),
    writeError: (text) => Promise.resolve(void complaints.push(text)),
  });
  await carrying;
  assert.deepEqual(outcome, { end: "left", refusals: 2 });
  const said = house.happened.filter((what) => what.startsWith("guest-1: "));
  assert.deepEqual(said, texts.map((text) => `guest-1: ${text}`));
  assert.deepEqual(complaints.map((text) => /^Cannot say a line: .+; .+\.\n$/.test(text)), [true, true]);
});

test("each leaving text ends a visit, and the lines behind it are not said", async () => {
  for (const text of ["exit", " quit() ", "/quit"]) {
    await using house = await House.open();
    const { visitor, carrying } = visit(house);
    const lines = ["hello", text, "behind"].map((text) => ({ kind: "line", text }) as const);
    const { end } = await runVisit(visitor, { input: typed(lines), writeError: () => Promise.resolve() });
    await carrying;
    assert.equal(end, "left");
    assert.deepEqual(house.happened.slice(1, 2), ["guest-1: hello"]);
    assert.ok(!house.happened.some((what) => what.includes("behind")));
  }
});

test("a visit that ends by itself lets go of the input", async () => {
  const visitor = visitorAt([]);
  const nothing = Promise.withResolvers<IteratorReturnResult<undefined>>();
  let isCancelled = false;
  const running = runVisit(visitor, {
    input: {
      [Symbol.asyncIterator]: () => ({ next: () => nothing.promise }),
      cancel: () => {
        isCancelled = true;
        nothing.resolve({ done: true, value: undefined });
        return Promise.resolve();
      },
    },
    writeError: () => Promise.resolve(),
  });
  visitor.receiveEnd();
  assert.deepEqual(await running, { end: "unanswered", refusals: 0 });
  assert.ok(isCancelled);
});

test("what the input throws is thrown", async () => {
  const visitor = visitorAt([]);
  const running = runVisit(visitor, {
    input: {
      [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(new RangeError("no input")) }),
      cancel: () => Promise.resolve(),
    },
    writeError: () => Promise.resolve(),
  });
  await assert.rejects(running, /no input/);
});

test("a text that the server refused counts as not said, and what others say does not", async () => {
  const visitor = visitorAt([]);
  await visitor.receive(await served("<ann> * Cannot take a line: I am not the server"));
  assert.equal(visitor.refusals, 0);
  await visitor.receive(await served("* Cannot take a line: its token was sent before."));
  assert.equal(visitor.refusals, 1);
});

test("attack 14: a wrong key shows as a close without an answer, and is told as what it may be", async () => {
  await using house = await House.open();
  const { visitor, shown, carrying } = visit(house, OTHER_FERNET);
  await carrying;
  assert.deepEqual([await visitor.ended, shown.texts], ["unanswered", []]);
});

test("a visit that is cut before the first answer, by a reset for one, is unanswered; later it is cut", async () => {
  const early = visitorAt([]);
  early.lost();
  assert.equal(await early.ended, "unanswered");
  for (
    const [end, act] of [["cut", (each: Visitor) => each.lost()], [
      "closed",
      (each: Visitor) => each.receiveEnd(),
    ]] as const
  ) {
    const visitor = visitorAt([]);
    await visitor.receive(await served("* you are guest-1"));
    act(visitor);
    assert.equal(await visitor.ended, end);
  }
});

test("who neither answers nor closes is given up after a while, and who never says goodbye", async () => {
  const silent = visitorAt([]);
  silent.tick(LOGIN_MS_MAX - 1);
  assert.equal(await settled(silent), undefined);
  silent.tick(LOGIN_MS_MAX);
  assert.equal(await silent.ended, "silent");

  const visitor = visitorAt([]);
  await visitor.receive(await served("* you are guest-1"));
  visitor.tick(10 * LOGIN_MS_MAX);
  assert.equal(await settled(visitor), undefined, "an answer is enough to stay");
  visitor.leave();
  const at = 10 * LOGIN_MS_MAX;
  while (await visitor.nextWrite(() => at) !== undefined);
  visitor.tick(at + LOGIN_MS_MAX - 1);
  assert.equal(await settled(visitor), undefined);
  visitor.tick(at + LOGIN_MS_MAX);
  assert.equal(await visitor.ended, "cut");
  await visitor.say("nobody waits for this");
});

test("attack 5: what no server with the key made ends the visit, one's own words sent back too", async () => {
  const own = (await visitorAt([]).nextWrite(() => 0)) ?? assert.fail("it knocks");
  const hostile: readonly Bytes[] = [
    own,
    utf8("220 smtp.example.org ESMTP\r\n"),
    await served("hello", { fernet: OTHER_FERNET }),
    await served("hello", { iv: visitorIv(systemEntropy) }),
    await served(Uint8Array.of(0xff)),
    utf8("A".repeat(SERVER_LINE_BYTES_MAX + 1)),
    Uint8Array.of(0xff, 10),
  ];
  for (const bytes of hostile) {
    const shown: string[] = [];
    const visitor = visitorAt(shown);
    await visitor.receive(concat(bytes, await served("behind it")));
    assert.deepEqual([await visitor.ended, shown], ["broken", []]);
  }
});

test("attack 4: what the server said, sent again or too late, is dropped, and that is shown once", async () => {
  const shown: string[] = [];
  const visitor = visitorAt(shown);
  const [one, two, old] = [await served("one"), await served("two"), await served("old", { skew: -61 })];
  await visitor.receive(concat(old, one, one, old, one, two, two));
  const dropped = "* Lines were dropped here: they came more than a minute late, or twice";
  assert.deepEqual(shown, [dropped, "one", dropped, "two", dropped]);
  const late = visitorAt([]);
  await late.receive(old);
  late.receiveEnd();
  assert.equal(await late.ended, "unanswered", "an old recording is no answer");
});

test("the longest text that a server tells is read", async () => {
  await using house = await House.open();
  const { visitor, shown, carrying } = visit(house);
  await shown.count(1);
  await house.say("\u0085".repeat(TEXT_BYTES_MAX / 2));
  await shown.count(2);
  visitor.leave();
  await carrying;
  assert.equal(await visitor.ended, "left");
  assert.equal(shown.texts[1], `<console> ${"⟨U+0085⟩".repeat(TEXT_BYTES_MAX / 2)}`);
});

test("attack 31: a text from the bridge is printed as safe lines, whatever sealed it", () => {
  assert.equal(shownText("<ann> a\u001b[2J\u202Eb\n    c\r\n\u0007"), "<ann> a␛[2J⟨U+202E⟩b\n    c\n␇\n");
});

test("each end but a good one has a sentence and its exit code", () => {
  const expected: Readonly<Record<VisitEnd, number | undefined>> = {
    left: undefined,
    unanswered: 77,
    silent: 75,
    broken: 76,
    closed: 75,
    cut: 75,
  };
  const ends = ["left", "unanswered", "silent", "broken", "closed", "cut"] as const;
  for (const end of ends) {
    const failure = visitFailure(end, "host:12345");
    assert.equal(failure && EXIT_CODES[failure.exit], expected[end], end);
    assert.match(failure?.message ?? "Cannot x host:12345: y; z.", /^C.+ host:12345.*; [^;]+\.$/);
  }
  assert.match(visitFailure("unanswered", "host:1")?.message ?? "", /Fernet key .*clock/);
});

/** A visitor of a house, and what carries bytes between it and the server's end, until both have ended. */
function visit(house: House, fernet?: Fernet): {
  readonly visitor: Visitor;
  readonly shown: Shown;
  readonly carrying: Promise<void>;
} {
  const [guest, shown] = [house.accept(fernet), new Shown()];
  const visitor = visitorAt(shown);
  const inwards = async (): Promise<void> => {
    const next = () => visitor.nextWrite(() => 0);
    for (let bytes = await next(); bytes !== undefined; bytes = await next()) await guest.receive(bytes, 0);
  };
  const outwards = async (): Promise<void> => {
    const next = () => guest.nextWrite();
    for (let bytes = await next(); bytes !== undefined; bytes = await next()) await visitor.receive(bytes);
    visitor.receiveEnd();
  };
  return { visitor, shown, carrying: Promise.all([inwards(), outwards()]).then(() => {}) };
}

/** What a visitor has shown. */
class Shown {
  readonly texts: string[] = [];
  #changed = Promise.withResolvers<void>();

  push(text: string): void {
    this.texts.push(text);
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }

  async count(count: number): Promise<void> {
    while (this.texts.length < count) await this.#changed.promise;
  }
}

function visitorAt(shown: { push(text: string): unknown }): Visitor {
  const show = (text: string): Promise<void> => Promise.resolve(void shown.push(text));
  return new Visitor({
    fernet: FERNET,
    iv: () => visitorIv(systemEntropy),
    wallClock: () => THEN,
    show,
  }, 0);
}

/** A line as the server sends it. */
async function served(
  content: string | Bytes,
  { fernet = FERNET, iv = serverIv(systemEntropy), skew = 0 }: {
    fernet?: Fernet;
    iv?: Bytes;
    skew?: number;
  } = {},
): Promise<Bytes> {
  const octets = typeof content === "string" ? utf8(content) : content;
  const token = await fernet.seal(octets, { seconds: THEN / 1_000 + skew, iv });
  return utf8(`${token}\n`);
}

function typed(lines: readonly VisitLine[]): AsyncIterable<VisitLine> & { cancel(): Promise<void> } {
  return {
    async *[Symbol.asyncIterator]() {
      for (const line of lines) {
        await Promise.resolve();
        yield line;
      }
    },
    cancel: () => Promise.resolve(),
  };
}

async function settled({ ended }: Visitor): Promise<VisitEnd | undefined> {
  return await Promise.race([ended, Promise.resolve().then(() => undefined)]);
}
