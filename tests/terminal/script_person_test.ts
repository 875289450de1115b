import { deepEqual, equal } from "node:assert/strict";
import type { Person } from "../../lib/client/person.ts";
import { ScriptPerson, type Told, toldLine } from "../../lib/terminal/script_person.ts";
import { test } from "../sanitized.ts";

test("a script has the answers that it brought, and no others", async () => {
  const script: Person = new ScriptPerson({
    password: "secret",
    newPassword: "next",
    tell: () => Promise.reject(new Error("nothing is told")),
  });
  for (const sentence of [undefined, "It is wrong"]) equal(await script.password(sentence), "secret");
  equal(await script.passwordAgain("secret"), "secret");
  equal(await script.newPassword(), "next");
  equal(await script.confirm("Is it so?"), false);
  equal(await script.anotherName("It is taken"), undefined);
  equal(await script.enrolmentWay({ hasRecovery: true }), undefined);
  equal(await script.recoveryCode(undefined), undefined);
});

test("a script is told the recovery code, the words and sentences, each once", async () => {
  const told: Told[] = [];
  const script = new ScriptPerson({
    password: undefined,
    newPassword: undefined,
    tell: (what) => Promise.resolve(void told.push(what)),
  });
  await script.showRecoveryCode("ABCD");
  await script.showApprovalWords(["one", "two"]);
  await script.tell("So it is.");
  deepEqual(told.map(toldLine), [
    "recovery code ABCD (keep it safe: it is shown this once, and gives the account back)",
    "The approving device must show these words, too: one two",
    "So it is.",
  ]);
});

test("attack 31: what a script is told is one safe line", () => {
  const hostile = "a\x1b[2J\n\u202e";
  // deno-lint-ignore no-control-regex
  equal(/[\x00-\x1f\u202e]/.test(toldLine({ kind: "told", sentence: hostile })), false);
});
