import { deepEqual, throws } from "node:assert/strict";
import { suitesFrom } from "../../lib/config/cipher_list.ts";
import { SUITES } from "../../lib/secure/suite.ts";
import { test } from "../sanitized.ts";

test("the suites are those of the list, in its order, or all", () => {
  deepEqual(suitesFrom(undefined, SUITES), SUITES);
  deepEqual(suitesFrom("a256ctr-hs512", SUITES), ["a256ctr-hs512"]);
  deepEqual(suitesFrom("a256ctr-hs512, a256cbc-hs512", SUITES), ["a256ctr-hs512", "a256cbc-hs512"]);
});

test("a list that holds anything else is refused whole, and nothing weaker is put in its place", () => {
  const cases = {
    "a256cbc-hs51":
      'Cannot use the cipher "a256cbc-hs51": there is no such suite; did you mean a256cbc-hs512?',
    "a256ctr-hs512,none":
      'Cannot use the cipher "none": there is no such suite; use a256cbc-hs512 or a256ctr-hs512.',
    "a256ctr-hs512,": 'Cannot use the cipher "": there is no such suite; use a256cbc-hs512 or a256ctr-hs512.',
    "a256ctr-hs512,a256ctr-hs512":
      'Cannot use --cipher "a256ctr-hs512,a256ctr-hs512": a256ctr-hs512 is there twice; name each once.',
  };
  for (const [list, message] of Object.entries(cases)) {
    throws(() => suitesFrom(list, SUITES), { name: "Failure", exit: "usage", message });
  }
});
