import { deepEqual, fail, match } from "node:assert/strict";
import { test } from "../sanitized.ts";
import {
  faultsOf,
  type Heard,
  type Kept,
  type KeptLine,
  type LogLine,
  type Observed,
  type Placed,
  type Witness,
} from "./checker.ts";

const ROOM = "#lobby";

test("the checker finds nothing where nothing is wrong", () => {
  deepEqual(faultsOf(good()), []);
});

test("the checker finds an acknowledged entry that is lost", () => {
  const { logs, witnesses } = good();
  // The last one, so that no other number changes.
  const cut = { logs: new Map([[ROOM, log(logs).slice(0, 4)]]), witnesses };
  finds(cut, /^ann: #lobby #5 was acknowledged and is lost$/);
  finds(cut, /^ann: "a2" is lost in #lobby$/);
});

test("the checker finds a kept text that is lost, and lets one be lost of which nothing was said", () => {
  const ann = witnessOf("ann");
  const more = (sure: boolean): Observed =>
    withWitness({ ...ann, said: [...ann.said, { room: ROOM, text: "a3", sure }] });
  finds(more(true), /^ann: "a3" is lost in #lobby$/);
  deepEqual(faultsOf(more(false)), []);
});

test("the checker lets what was refused be missing, and finds it where it is not", () => {
  const ann = witnessOf("ann");
  const said = [...ann.said, { room: ROOM, text: "a3", sure: true }];
  deepEqual(faultsOf(withWitness({ ...ann, said, refused: new Set(["a3"]) })), []);
  finds(withWitness({ ...ann, refused: new Set(["a2"]) }), /^ann: "a2" was refused and is in #lobby$/);
});

test("the checker finds a doubled entry, under one id or two", () => {
  const { logs, witnesses } = good();
  const again = (id: string): Observed => {
    const line: LogLine = { sequence: 6, id, from: "ann", text: "a1", erased: false };
    return { logs: new Map([[ROOM, [...log(logs), line]]]), witnesses };
  };
  finds(again("id 3"), /^#lobby: the id of #3 is doubled at #6$/);
  finds(again("id 6"), /^#lobby: "a1" of #3 is doubled at #6$/);
});

test("the checker finds two entries of one author that are swapped", () => {
  const { logs, witnesses } = good();
  const lines = log(logs).map((line) => ({
    ...line,
    text: line.text === "a1" ? "a2" : line.text === "a2" ? "a1" : line.text,
  }));
  finds(
    { logs: new Map([[ROOM, lines]]), witnesses },
    /^ann: "a1" was said before "a2" and stands after it in #lobby$/,
  );
});

test("the checker finds two entries that somebody heard swapped, doubled, not at all or otherwise", () => {
  const ben = witnessOf("ben");
  const heard = (numbers: readonly number[]): Observed =>
    withWitness({ ...ben, heard: [numbers.map(hears)] });
  deepEqual(faultsOf(heard([1, 2, 3, 4, 5])), []);
  finds(heard([1, 2, 4, 3, 5]), /^ben: heard #lobby #4 after #2$/);
  finds(heard([1, 2, 2, 3, 4, 5]), /^ben: heard #lobby #2 after #2$/);
  finds(heard([1, 2, 4, 5]), /^ben: heard #lobby #4 after #2$/);
  const other: Heard = { kind: "entry", entry: { room: ROOM, sequence: 4, id: "id 40" } };
  finds(
    withWitness({ ...ben, heard: [[hears(3), other]] }),
    /^ben: heard another entry at #lobby #4 than the log has$/,
  );
});

test("the checker lets somebody miss what was said while they were outside, or not running", () => {
  const ben = witnessOf("ben");
  const outside: Heard = { kind: "outside", room: ROOM };
  deepEqual(faultsOf(withWitness({ ...ben, heard: [[hears(1), outside, hears(4), hears(5)]] })), []);
  deepEqual(faultsOf(withWitness({ ...ben, heard: [[hears(1)], [hears(3), hears(4)]] })), []);
  const bases = new Map([[ROOM, [3]]]);
  deepEqual(faultsOf(withWitness({ ...ben, bases, heard: [[hears(1), hears(4), hears(5)]] })), []);
  finds(
    withWitness({ ...ben, bases, heard: [[hears(1), hears(3), hears(5)]] }),
    /^ben: heard #lobby #3 after #1$/,
  );
});

test("the checker finds what a client keeps wrongly, not to the end, or holds to be flawed", () => {
  const ben = witnessOf("ben");
  const whole: Kept = { entries: kept([1, 2, 3, 4, 5]), base: 0, head: 5, flaws: [] };
  const keeps = (kept: Partial<Kept>): Observed =>
    withWitness({ ...ben, kept: new Map([[ROOM, { ...whole, ...kept }]]) });
  deepEqual(faultsOf(keeps({})), []);
  deepEqual(faultsOf(keeps({ entries: kept([4, 5]), base: 3 })), []);
  finds(keeps({ entries: kept([1, 2, 4, 5]) }), /^ben: does not keep #lobby #3$/);
  finds(keeps({ head: 4 }), /^ben: knows #lobby up to #4 of 5$/);
  finds(keeps({ flaws: ["missing 3 to 3"] }), /^ben: holds #lobby to be flawed: missing 3 to 3$/);
  finds(keeps({ entries: kept([1, 2, 3, 4, 5, 5]) }), /^ben: keeps an entry of #lobby twice$/);
  const swapped = kept([1, 2, 3, 4, 5]).map((place) =>
    place.sequence === 2 ? { ...place, id: "id 3" } : place
  );
  finds(keeps({ entries: swapped }), /^ben: keeps another entry as #lobby #2$/);
});

test("the checker finds what was erased and is kept, and what was not and is lost", () => {
  const ben = witnessOf("ben");
  const erasedAt = (number: number, lines: readonly LogLine[]): readonly LogLine[] =>
    lines.map((line) => line.sequence === number ? { ...line, erased: true } : line);
  const { logs, witnesses } = good();
  finds(
    { logs: new Map([[ROOM, erasedAt(3, log(logs))]]), witnesses },
    /^ben: keeps what #lobby #3 said, which is erased$/,
  );
  const entries = erasedAt(3, log(logs));
  finds(
    withWitness({ ...ben, kept: new Map([[ROOM, { entries, base: 0, head: 5, flaws: [] }]]) }),
    /^ben: has lost what #lobby #3 says$/,
  );
});

test("the checker tells of what a client doubted", () => {
  finds(withWitness({ ...witnessOf("ben"), doubts: ["doubts #lobby #3"] }), /^ben: doubts #lobby #3$/);
});

/** Two people, of whom each has said two things and heard all. */
function good(): Observed {
  const lines: readonly LogLine[] = [
    { sequence: 1, id: "id 1", from: undefined, text: undefined, erased: false },
    { sequence: 2, id: "id 2", from: "ben", text: "b1", erased: false },
    { sequence: 3, id: "id 3", from: "ann", text: "a1", erased: false },
    { sequence: 4, id: "id 4", from: "ben", text: "b2", erased: false },
    { sequence: 5, id: "id 5", from: "ann", text: "a2", erased: false },
  ];
  const witness = (name: string, said: readonly string[], own: readonly number[]): Witness => ({
    name,
    said: said.map((text) => ({ room: ROOM, text, sure: true })),
    refused: new Set(),
    acknowledged: places(own),
    heard: [[hears(1), hears(2)], [hears(3), hears(4), hears(5)]],
    bases: new Map(),
    kept: new Map([[ROOM, { entries: lines, base: 0, head: 5, flaws: [] }]]),
    doubts: [],
  });
  return {
    logs: new Map([[ROOM, lines]]),
    witnesses: [witness("ann", ["a1", "a2"], [3, 5]), witness("ben", ["b1", "b2"], [2, 4])],
  };
}

function log(logs: Observed["logs"]): readonly LogLine[] {
  return logs.get(ROOM) ?? [];
}

function witnessOf(name: string): Witness {
  return good().witnesses.find((each) => each.name === name) ?? fail(`${name} is a witness`);
}

function withWitness(witness: Witness): Observed {
  const { logs, witnesses } = good();
  return { logs, witnesses: witnesses.map((each) => each.name === witness.name ? witness : each) };
}

function places(numbers: readonly number[]): readonly Placed[] {
  return numbers.map((sequence) => ({ room: ROOM, sequence, id: `id ${sequence}` }));
}

function kept(numbers: readonly number[]): readonly KeptLine[] {
  return numbers.map((sequence) => ({ sequence, id: `id ${sequence}`, erased: false }));
}

function hears(sequence: number): Heard {
  return { kind: "entry", entry: { room: ROOM, sequence, id: `id ${sequence}` } };
}

function finds(observed: Observed, sentence: RegExp): void {
  match(faultsOf(observed).find((fault) => sentence.test(fault)) ?? faultsOf(observed).join("\n"), sentence);
}
