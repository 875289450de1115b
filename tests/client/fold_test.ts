import { deepEqual, equal } from "node:assert/strict";
import { Fold, FOLDED_MAX, REACTIONS_MAX } from "../../lib/client/fold.ts";
import type { KeptEntry } from "../../lib/client/keepers.ts";
import { NOWHERE } from "../../lib/identity/log_entry.ts";
import type { Handle } from "../../lib/text/handle.ts";
import { encodeBody, type EntryBody } from "../../lib/wire/entry_body.ts";
import { test } from "../sanitized.ts";
import { handle } from "../session/people.ts";

const [ANN, BEN] = [handle("ann"), handle("ben")];

/** Where a deed stands in its log: after all before it, unless a test says otherwise. */
let last = FOLDED_MAX;

/** What somebody does about the message of that number. */
function deed(
  from: Handle,
  what: EntryBody,
  about: number,
  { doubt, sequence = ++last }: { readonly doubt?: string; readonly sequence?: number } = {},
): KeptEntry {
  return {
    entry: {
      sequence,
      time: 0,
      previous: NOWHERE.hash,
      id: new Uint8Array(16),
      kind: what.kind,
      from,
      device: new Uint8Array(32),
      seen: NOWHERE,
      about: { sequence: about, hash: NOWHERE.hash },
      digest: new Uint8Array(32),
      signature: new Uint8Array(64),
      content: { salt: new Uint8Array(32), body: encodeBody(what) },
    },
    hash: NOWHERE.hash,
    doubt,
    deviceName: undefined,
  };
}

function edit(text: string): EntryBody {
  return { kind: "edit", body: { text } };
}

function reaction(on: boolean, text = "👍"): EntryBody {
  return { kind: "reaction", body: { reaction: text, on } };
}

test("the newest edit of each is known, so that nobody's takes another's away", () => {
  const fold = new Fold();
  fold.take(deed(ANN, edit("one"), 1));
  fold.take(deed(ANN, edit("two"), 1));
  fold.take(deed(BEN, edit("forged"), 1));
  equal(fold.of(1).edits.get(ANN), "two");
  equal(fold.of(2).edits.size, 0);
});

test("reactions are counted once for each giver, until they are taken back", () => {
  const fold = new Fold();
  for (const from of [ANN, BEN, ANN]) fold.take(deed(from, reaction(true), 1));
  deepEqual(fold.of(1).reactions.get("👍"), [BEN, ANN]);
  fold.take(deed(BEN, reaction(false), 1));
  fold.take(deed(ANN, reaction(false), 1));
  equal(fold.of(1).reactions.size, 0);
});

test("what was done last is told by its number, in whatever order it is read", () => {
  const fold = new Fold();
  fold.take(deed(ANN, edit("new"), 1, { sequence: 9 }));
  fold.take(deed(BEN, reaction(false), 1, { sequence: 8 }));
  fold.take(deed(ANN, edit("old"), 1, { sequence: 7 }));
  fold.take(deed(BEN, reaction(true), 1, { sequence: 6 }));
  fold.take(deed(ANN, reaction(true, "🎉"), 1, { sequence: 5 }));
  fold.take(deed(BEN, reaction(true, "🎉"), 1, { sequence: 4 }));
  equal(fold.of(1).edits.get(ANN), "new");
  deepEqual([...fold.of(1).reactions], [["🎉", [BEN, ANN]]]);
});

test("what was erased counts no more, and what was there before it does again", () => {
  const fold = new Fold();
  fold.take(deed(ANN, edit("first"), 1, { sequence: 2 }));
  fold.take(deed(ANN, edit("secret"), 1, { sequence: 3 }));
  fold.take(deed(BEN, reaction(true), 1, { sequence: 4 }));
  for (const erased of [3, 4, 99]) fold.forget(erased);
  equal(fold.of(1).edits.get(ANN), "first");
  fold.forget(2);
  deepEqual([fold.of(1).edits.size, fold.of(1).reactions.size], [0, 0]);
});

test("of very many reactions to one message the first are remembered", () => {
  const fold = new Fold();
  for (let at = 0; at < REACTIONS_MAX + 10; at++) fold.take(deed(ANN, reaction(true, `${at}`), 1));
  fold.take(deed(BEN, reaction(true, "0"), 1));
  equal(fold.of(1).reactions.size, REACTIONS_MAX);
  deepEqual(fold.of(1).reactions.get("0"), [ANN, BEN]);
});

test("what is doubtful changes nothing", () => {
  const fold = new Fold();
  fold.take(deed(ANN, edit("forged"), 1, { doubt: "bad signature" }));
  fold.take(deed(ANN, { kind: "delete", body: {} }, 1, { doubt: "not allowed" }));
  deepEqual([fold.of(1).edits.size, fold.of(1).deletedBy], [0, undefined]);
});

test("of more messages than are remembered the ones touched longest ago are forgotten", () => {
  const fold = new Fold();
  for (let about = 1; about <= FOLDED_MAX; about++) fold.take(deed(ANN, edit("x"), about));
  fold.take(deed(ANN, edit("y"), 1));
  fold.take(deed(ANN, edit("z"), FOLDED_MAX + 1));
  deepEqual([1, 2, FOLDED_MAX + 1].map((about) => fold.of(about).edits.get(ANN)), ["y", undefined, "z"]);
});
