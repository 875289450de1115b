import { deepEqual, equal, match } from "node:assert/strict";
import { afterAttempt, attemptFor, loginKind, wantedAccount } from "../../lib/client/login_choice.ts";
import { REFUSAL_CODES } from "../../lib/login/message.ts";
import { test } from "../sanitized.ts";
import { Person } from "../session/people.ts";
import { ownKeysOf } from "./memory_keepers.ts";

const CODE = new Uint8Array(16);
const NAMES = { handle: "ann", server: "here" };

test("published keys come in by themselves, unless an invitation is to be used up", async () => {
  const own = await ownKeysOf(await Person.named("ann"));
  const plain = { register: false, code: undefined };
  equal(loginKind(plain, own), "device");
  equal(loginKind({ ...plain, register: true }, own), "device");
  equal(loginKind({ ...plain, code: CODE }, own), "device");
  equal(loginKind({ register: true, code: CODE }, own), "password");
  equal(loginKind(plain, { ...own, published: false }), "password");
  equal(loginKind(plain, undefined), "password");
});

test("an account is made where that was said, on this machine, or where a person says so", () => {
  const nothing = { register: false, code: undefined, loopback: false, terminal: false };
  equal(wantedAccount(nothing), "existing");
  equal(wantedAccount({ ...nothing, terminal: true }), "ask");
  equal(wantedAccount({ ...nothing, loopback: true, terminal: true }), "newIfFree");
  equal(wantedAccount({ ...nothing, register: true, loopback: true }), "new");
  equal(wantedAccount({ ...nothing, code: CODE }), "new");
});

test("a person's password is typed twice before it makes an account, and only what was wanted is made", () => {
  const script = { code: undefined, terminal: false, passwordAgain: false };
  deepEqual(attemptFor("existing", script), { kind: "login" });
  deepEqual(attemptFor("newIfFree", script), {
    kind: "register",
    code: undefined,
    whenFree: "finish",
    whenRefused: "login",
  });
  deepEqual(attemptFor("new", { code: CODE, terminal: true, passwordAgain: false }), {
    kind: "register",
    code: CODE,
    whenFree: "stop",
    whenRefused: "stop",
  });
  const again = attemptFor("new", { code: CODE, terminal: true, passwordAgain: true });
  equal(again.kind === "register" && again.whenFree, "finish");
});

test("every refusal is a sentence and exit 77, and a person is asked for another name", () => {
  for (const code of REFUSAL_CODES) {
    const after = afterAttempt({ kind: "refused", during: "registration", code }, {
      ...NAMES,
      terminal: false,
      triesLeft: 2,
    });
    if (after.kind !== "fail") throw new Error(`Cannot test: ${code} is no failure`);
    equal(after.failure.exit, "noPermission");
    match(after.failure.message, /^Cannot (?:log in as|come in as|register) ann at here: [^;]+; .+\.$/);
  }
  const person = { ...NAMES, terminal: true, triesLeft: 2 };
  equal(
    afterAttempt({ kind: "refused", during: "registration", code: "nameTaken" }, person).kind,
    "anotherName",
  );
});

test("a person may type a wrong password again until no try is left", () => {
  const wrong = { kind: "wrongPassword" } as const;
  equal(afterAttempt(wrong, { ...NAMES, terminal: true, triesLeft: 1 }).kind, "anotherPassword");
  equal(afterAttempt(wrong, { ...NAMES, terminal: true, triesLeft: 0 }).kind, "fail");
  equal(afterAttempt(wrong, { ...NAMES, terminal: false, triesLeft: 2 }).kind, "fail");
  equal(afterAttempt({ kind: "nameFree" }, { ...NAMES, terminal: true, triesLeft: 2 }).kind, "passwordAgain");
});
