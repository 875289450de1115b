import { equal, rejects } from "node:assert/strict";
import { EmptyPskError, pskFromText } from "../../lib/secure/psk.ts";
import { provider } from "../crypto/test_provider.ts";
import { test } from "../sanitized.ts";

const DIGITS = "00112233445566778899aAbBcCdDeEfF".repeat(2);

test("64 hexadecimal digits are the pre-shared key itself, whatever their case", async () => {
  for (const text of [DIGITS, `${DIGITS}\n`, `${DIGITS}\r\n`]) {
    equal((await pskFromText(text, provider)).toHex(), DIGITS.toLowerCase());
  }
});

test("anything else is a passphrase, derived as Python's hashlib.scrypt derives it", async () => {
  const cases = {
    "correct horse battery staple": "241fcaded185d4cb07b9385ad90507c38d86a094e33c4cad11eaac1d24487634",
    "größe": "d75e1f781ef63615a1682c821d2c00f860bb3c5377a98874775820d5bdc1eb29",
    // A digit short of a key.
    [`${"ab".repeat(31)}a`]: "3b886f52624c3082b5465806f7c5a99afdd3c8f8776601f824ca5f58037dd018",
  };
  for (const [passphrase, derived] of Object.entries(cases)) {
    equal((await pskFromText(passphrase, provider)).toHex(), derived);
  }
});

test("one newline at the end of a passphrase is dropped, and no more than one", async () => {
  const bare = await pskFromText("a b", provider);
  equal((await pskFromText("a b\n", provider)).toHex(), bare.toHex());
  equal((await pskFromText("a b\r\n", provider)).toHex(), bare.toHex());
  for (const other of ["a b\n\n", "a b ", "\na b", "a b\r"]) {
    equal((await pskFromText(other, provider)).toHex() === bare.toHex(), false, JSON.stringify(other));
  }
});

test("an empty pre-shared key is refused by a type of its own", async () => {
  for (const text of ["", "\n", "\r\n"]) {
    await rejects(pskFromText(text, provider), (error) => error instanceof EmptyPskError);
  }
});
