import { deepEqual, equal, match, throws } from "node:assert/strict";
import fc from "npm:fast-check@4.10.2";
import { systemEntropy } from "../../lib/crypto/entropy.ts";
import {
  newRecoveryCode,
  openRecovery,
  parseRecoveryCode,
  RECOVERY_CODE_BYTES,
  recoveryCodeText,
  sealRecovery,
} from "../../lib/identity/recovery_code.ts";
import type { Bytes } from "../../lib/wire/bytes.ts";
import { RECOVERY_BLOB_BYTES } from "../../lib/wire/message.ts";
import { provider } from "../crypto/test_provider.ts";
import { check } from "../properties.ts";
import { test } from "../sanitized.ts";
import { ANN, BOB, HOST_KEY, IDENTITY, OTHER_IDENTITY, seedOf } from "./people.ts";

const RUNS = 500;
const CODE = seedOf(7).slice(0, RECOVERY_CODE_BYTES);
const ACCOUNT = { code: CODE, hostKey: HOST_KEY, handle: ANN, identity: IDENTITY.publicKey };

const codes = fc.uint8Array({ minLength: RECOVERY_CODE_BYTES, maxLength: RECOVERY_CODE_BYTES })
  .map((code): Bytes => new Uint8Array(code));

test("a code is read back from what is written, however it is typed", async () => {
  await check(
    fc.property(codes, (code) => {
      const text = recoveryCodeText(code);
      match(text, /^[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){7}$/);
      const bare = text.replaceAll("-", "");
      const typings = [
        text,
        text.toLowerCase(),
        bare,
        text.replaceAll("-", " "),
        ` ${[...bare].join(" ")}\n`,
        text.replaceAll("-", "—"),
        text.replaceAll("1", "l").replaceAll("0", "O"),
        text.replaceAll("1", "I").replaceAll("0", "o"),
      ];
      for (const typed of typings) deepEqual(parseRecoveryCode(typed), code, typed);
    }),
    RUNS,
  );
});

test("what is no code is refused", () => {
  const text = recoveryCodeText(CODE);
  const wrong = [
    "",
    text.slice(1),
    `${text}0`,
    text.replace(/.$/, "U"),
    text.replace(/.$/, "ſ"),
    text.replace(/.$/, "é"),
  ];
  for (const typed of wrong.concat([" ".repeat(1_000_000), "-".repeat(32), text.replace(/.$/, "_")])) {
    equal(parseRecoveryCode(typed), undefined, typed.slice(0, 50));
  }
  throws(() => recoveryCodeText(CODE.slice(1)), RangeError);
});

test("attack 26: any text is a code or none, never a throw", async () => {
  const texts = fc.oneof(
    fc.string({ unit: "binary", maxLength: 60 }),
    fc.string({ unit: fc.constantFrom(..."0Oo1IlLuUzZ -ſıİß"), minLength: 28, maxLength: 40 }),
  );
  await check(
    fc.property(texts, (text) => {
      const code = parseRecoveryCode(text);
      if (code !== undefined) deepEqual(parseRecoveryCode(recoveryCodeText(code)), code);
    }),
    RUNS,
  );
});

test("a fresh code is 160 bits of the entropy given", () => {
  deepEqual(newRecoveryCode((length) => seedOf(9).slice(0, length)), seedOf(9).slice(0, 20));
});

test("the code gives the identity's seed back", async () => {
  const blob = await sealRecovery(provider, systemEntropy, { ...ACCOUNT, seed: seedOf(2) });
  equal(blob.length, RECOVERY_BLOB_BYTES);
  deepEqual(await openRecovery(provider, { ...ACCOUNT, blob }), seedOf(2));
});

test("a blob does not open by another code, for another account or server, or altered", async () => {
  const blob = await sealRecovery(provider, systemEntropy, { ...ACCOUNT, seed: seedOf(2) });
  const wrong = [
    { ...ACCOUNT, blob, code: CODE.with(19, 0) },
    { ...ACCOUNT, blob, handle: BOB },
    { ...ACCOUNT, blob, hostKey: OTHER_IDENTITY.publicKey },
    { ...ACCOUNT, blob: blob.with(40, (blob[40] ?? 0) ^ 1) },
    { ...ACCOUNT, blob: blob.slice(1) },
  ];
  for (const request of wrong) equal(await openRecovery(provider, request), undefined);
});

test("a seed that is not that of the account's identity is not given out", async () => {
  const blob = await sealRecovery(provider, systemEntropy, { ...ACCOUNT, seed: seedOf(3) });
  equal(await openRecovery(provider, { ...ACCOUNT, blob }), undefined);
  const short = await sealRecovery(provider, systemEntropy, { ...ACCOUNT, seed: seedOf(2).slice(1) });
  equal(await openRecovery(provider, { ...ACCOUNT, blob: short }), undefined);
});
