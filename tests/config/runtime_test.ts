import { equal } from "node:assert/strict";
import { DENO_VERSION_MIN, runtimeFault } from "../../lib/config/runtime.ts";
import { test } from "../sanitized.ts";

test("supported releases of Deno will do, and so will this one", () => {
  for (
    const version of [DENO_VERSION_MIN, "2.6.11", "2.7.0", "2.10.0", "3.0.0", "2.9.6+d3bf5f2", "2.7.0-rc.1"]
  ) {
    equal(runtimeFault(version), undefined, version);
  }
  equal(runtimeFault(Deno.version.deno), undefined);
});

test("an older Deno is told to be upgraded", () => {
  for (const version of ["2.5.0", "2.6.9", "2.6.2", "1.46.3", "2.0.11"]) {
    equal(
      runtimeFault(version),
      `Cannot run on Deno ${version}: Sotto needs 2.6.10 or newer; upgrade Deno with \`deno upgrade\`.`,
    );
  }
});

test("a runtime that tells no version of Deno is none", () => {
  equal(
    runtimeFault(undefined),
    "Cannot run on this runtime: Sotto needs Deno 2.6.10 or newer; install it from deno.com.",
  );
  equal(
    runtimeFault("two\u001b"),
    'Cannot run on Deno "two␛": Sotto needs 2.6.10 or newer; upgrade Deno with `deno upgrade`.',
  );
});
