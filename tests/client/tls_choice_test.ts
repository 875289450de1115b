import { deepEqual } from "node:assert/strict";
import { chooseTls, type TlsChoice } from "../../lib/client/tls_choice.ts";
import type { Bytes } from "../../lib/wire/bytes.ts";
import { test } from "../sanitized.ts";

const ONE: Bytes = Uint8Array.of(1);
const TWO: Bytes = Uint8Array.of(2);
const NOTHING = { invited: undefined, said: undefined, remembered: undefined } as const;

function tls(certificates: readonly Bytes[], remembered: boolean): TlsChoice {
  return { kind: "tls", certificates, remembered };
}

test("where nothing is said or remembered there is no TLS", () => {
  deepEqual(chooseTls(NOTHING), { kind: "plain" });
});

test("what is said counts, and is to be remembered", () => {
  deepEqual(chooseTls({ ...NOTHING, said: [] }), tls([], false));
  deepEqual(chooseTls({ ...NOTHING, said: [ONE, TWO] }), tls([ONE, TWO], false));
  deepEqual(chooseTls({ ...NOTHING, said: [ONE], remembered: [TWO] }), tls([ONE], false));
  deepEqual(chooseTls({ ...NOTHING, invited: ONE }), tls([ONE], false));
  deepEqual(chooseTls({ ...NOTHING, invited: ONE, said: [] }), tls([ONE], false));
});

test("what is remembered counts where nothing else is said, and --tls alone says nothing else", () => {
  for (const remembered of [[], [ONE], [ONE, TWO]]) {
    deepEqual(chooseTls({ ...NOTHING, remembered }), tls(remembered, true));
    deepEqual(chooseTls({ ...NOTHING, said: [], remembered }), tls(remembered, true));
  }
});

test("attack 30: an invitation's certificate does not take the place of what is remembered", () => {
  for (const remembered of [[], [TWO]]) {
    deepEqual(chooseTls({ ...NOTHING, invited: ONE, remembered }), { kind: "contradicted" });
    deepEqual(chooseTls({ invited: ONE, said: [], remembered }), { kind: "contradicted" });
  }
  deepEqual(chooseTls({ ...NOTHING, invited: ONE, remembered: [TWO, ONE] }), tls([TWO, ONE], true));
});
