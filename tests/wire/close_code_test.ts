import assert from "node:assert/strict";
import { CLOSE_REASONS, decodeClose, encodeClose } from "../../lib/wire/close_code.ts";
import { u16 } from "../../lib/wire/bytes.ts";
import { test } from "../sanitized.ts";

test("every reason has a code of its own that leads back to it", () => {
  const codes = CLOSE_REASONS.map((reason) => encodeClose(reason).toHex());
  assert.deepEqual(codes, ["0000", "0001", "0002", "0003", "0004", "0005", "0006", "0007"]);
  for (const reason of CLOSE_REASONS) assert.equal(decodeClose(encodeClose(reason)), reason);
});

test("other codes and other lengths are no reason", () => {
  for (let code = 0; code < 65_536; code++) {
    assert.equal(decodeClose(u16(code)), CLOSE_REASONS[code]);
  }
  for (const length of [0, 1, 3, 4]) assert.equal(decodeClose(new Uint8Array(length)), undefined);
});
