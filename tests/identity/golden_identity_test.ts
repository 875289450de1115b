import { deepEqual, equal } from "node:assert/strict";
import { test } from "../sanitized.ts";
import { GOLDEN_IDENTITY_FILE, goldenIdentity, openedFromGolden } from "./golden_identity.ts";
import { seedOf } from "./people.ts";

test("the golden vectors of identities are what this implementation does, octet for octet", async () => {
  equal(await goldenIdentity(), await Deno.readTextFile(GOLDEN_IDENTITY_FILE));
});

test("what is sealed in the golden vectors opens to the identity's seed", async () => {
  deepEqual(await openedFromGolden(), [seedOf(2), seedOf(2)]);
});
