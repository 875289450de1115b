import { deepEqual, equal, rejects } from "node:assert/strict";
import { newPasswordText, passwordText, pskText, recoveryCodeText } from "../../lib/config/secret_text.ts";
import { PASSWORD_BYTES_MAX } from "../../lib/crypto/port.ts";
import { test } from "../sanitized.ts";

const none = () => undefined;
const unread = () => Promise.reject(new Error("a file was read"));

test("without file and variable there is no pre-shared key", async () => {
  equal(await pskText({ file: undefined, environment: none, readSecret: unread }), undefined);
});

test("the pre-shared key is that of SOTTO_PSK or of the file", async () => {
  const environment = (name: string) => name === "SOTTO_PSK" ? "geheim" : undefined;
  equal(await pskText({ file: undefined, environment, readSecret: unread }), "geheim");
  const asked: string[][] = [];
  const readSecret = (...args: string[]) => {
    asked.push(args);
    return Promise.resolve("from file\n");
  };
  equal(await pskText({ file: "psk", environment: none, readSecret }), "from file\n");
  deepEqual(asked, [["psk", "the pre-shared key"]]);
});

test("a pre-shared key that is said twice is refused before it is read", async () => {
  await rejects(pskText({ file: "psk", environment: () => "", readSecret: unread }), {
    name: "Failure",
    exit: "usage",
    message: "Cannot use both --psk-file and SOTTO_PSK: which one counts is unclear; drop one.",
  });
});

test("an empty pre-shared key is refused, never taken for none", async () => {
  for (const text of ["", "\n", "\r\n"]) {
    await rejects(pskText({ file: undefined, environment: () => text, readSecret: unread }), {
      exit: "usage",
      message: "Cannot use SOTTO_PSK: it is empty; put a passphrase into it, or unset it.",
    });
    await rejects(pskText({ file: "psk", environment: none, readSecret: () => Promise.resolve(text) }), {
      exit: "data",
      message: 'Cannot use the pre-shared key in "psk": the file is empty; write one.',
    });
  }
});

test("a password is that of SOTTO_PASSWORD or of the file, without one newline at its end", async () => {
  const environment = (name: string) => name === "SOTTO_PASSWORD" ? " geheim \r\n" : undefined;
  equal(await passwordText({ file: undefined, environment, readSecret: unread }), " geheim ");
  const asked: string[][] = [];
  const readSecret = (...args: string[]) => {
    asked.push(args);
    return Promise.resolve("two\n\n");
  };
  equal(await passwordText({ file: "pw", environment: none, readSecret }), "two\n");
  equal(await newPasswordText({ file: "npw", environment: none, readSecret }), "two\n");
  deepEqual(asked, [["pw", "the password"], ["npw", "the new password"]]);
});

test("a new password is in no variable, and a recovery code in no file", async () => {
  const environment = (name: string) => name === "SOTTO_RECOVERY_CODE" ? "ABCD" : undefined;
  equal(await newPasswordText({ file: undefined, environment, readSecret: unread }), undefined);
  equal(await recoveryCodeText({ environment, readSecret: unread }), "ABCD");
  equal(await recoveryCodeText({ environment: none, readSecret: unread }), undefined);
});

test("a password that is empty, too long or said twice is refused, and not repeated", async () => {
  const environment = (name: string) =>
    name === "SOTTO_PASSWORD" ? "x".repeat(PASSWORD_BYTES_MAX + 1) : undefined;
  const cases = [
    [
      { file: "pw", environment, readSecret: unread },
      "Cannot use both --password-file and SOTTO_PASSWORD: which one counts is unclear; drop one.",
    ],
    [
      { file: undefined, environment, readSecret: unread },
      `Cannot use the password: it is longer than ${PASSWORD_BYTES_MAX} octets; use a shorter one.`,
    ],
    [
      { file: "pw", environment: none, readSecret: () => Promise.resolve("\n") },
      'Cannot use the password in "pw": the file is empty; write one.',
    ],
  ] as const;
  for (const [sources, message] of cases) await rejects(passwordText(sources), { name: "Failure", message });
});
