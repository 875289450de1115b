import { deepEqual, equal, rejects } from "node:assert/strict";
import { pskText } from "../../lib/config/psk_text.ts";
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
