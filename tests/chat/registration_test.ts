import { equal } from "node:assert/strict";
import type { AccountStore } from "../../lib/chat/port.ts";
import { mayRegister, register, type Registration, REGISTRATIONS } from "../../lib/chat/registration.ts";
import { openAccountDatabase } from "../../lib/store/account_database.ts";
import { type Handle, parseHandle } from "../../lib/text/handle.ts";
import type { Bytes } from "../../lib/wire/bytes.ts";
import { folderTest } from "../store/temporary_folder.ts";

const [ANN, BEN, EVE] = [handle("ann"), handle("ben"), handle("eve")];
const NOW = 1_800_000_000_000;
/** Codes' hashes: for anybody, for Ben, for the account of Ann that has no password, for one that has ended, for none. */
const [ANYBODY, FOR_BEN, FOR_ANN, ENDED, UNKNOWN] = [
  octets(32, 1),
  octets(32, 2),
  octets(32, 3),
  octets(32, 4),
  octets(32, 5),
];

registrationTest(
  "who may register depends on the policy, the invitation and the name, in this order",
  async (store) => {
    const table: readonly (readonly [Handle, Bytes | undefined, Readonly<Record<Registration, unknown>>])[] =
      [
        [EVE, undefined, { invite: "badInvitation", open: undefined, closed: "registrationClosed" }],
        [EVE, ANYBODY, { invite: undefined, open: undefined, closed: "registrationClosed" }],
        [EVE, UNKNOWN, { invite: "badInvitation", open: "badInvitation", closed: "registrationClosed" }],
        [EVE, ENDED, { invite: "badInvitation", open: "badInvitation", closed: "registrationClosed" }],
        [EVE, FOR_BEN, { invite: "badInvitation", open: "badInvitation", closed: "registrationClosed" }],
        [BEN, FOR_BEN, { invite: undefined, open: undefined, closed: undefined }],
        [ANN, FOR_ANN, { invite: undefined, open: undefined, closed: undefined }],
        [ANN, undefined, { invite: "badInvitation", open: "nameTaken", closed: "registrationClosed" }],
        [ANN, UNKNOWN, { invite: "badInvitation", open: "badInvitation", closed: "registrationClosed" }],
        [ANN, ANYBODY, { invite: "nameTaken", open: "nameTaken", closed: "registrationClosed" }],
        [handle("olga"), ANYBODY, { invite: "nameTaken", open: "nameTaken", closed: "registrationClosed" }],
        [handle("o1ga"), ANYBODY, { invite: "nameTaken", open: "nameTaken", closed: "registrationClosed" }],
        [handle("console"), ANYBODY, {
          invite: "nameTaken",
          open: "nameTaken",
          closed: "registrationClosed",
        }],
        [handle("server"), ANYBODY, {
          invite: "nameTaken",
          open: "nameTaken",
          closed: "registrationClosed",
        }],
        [handle("conso1e"), ANYBODY, {
          invite: "nameTaken",
          open: "nameTaken",
          closed: "registrationClosed",
        }],
        [handle("bridge"), undefined, {
          invite: "badInvitation",
          open: "nameTaken",
          closed: "registrationClosed",
        }],
      ];
    for (const [handle, codeHash, expected] of table) {
      for (const registration of REGISTRATIONS) {
        const refusal = await mayRegister(store, registration, { handle, codeHash, now: NOW });
        equal(refusal, expected[registration], `${registration}: ${handle} by ${codeHash?.[0]}`);
      }
    }
  },
);

registrationTest("a stranger without an invitation learns no names", async (store) => {
  for (const registration of ["invite", "closed"] as const) {
    for (const codeHash of [undefined, UNKNOWN, ENDED]) {
      const asked = [ANN, handle("olga"), handle("nobody")].map((handle) =>
        mayRegister(store, registration, { handle, codeHash, now: NOW })
      );
      equal(new Set(await Promise.all(asked)).size, 1);
    }
  }
});

registrationTest("registering uses up the invitation, and asks the rules again", async (store) => {
  const record = octets(192, 9);
  const by = (handle: Handle, codeHash: Bytes | undefined) =>
    register(store, "invite", { handle, codeHash, now: NOW, record });
  equal(await by(EVE, undefined), "badInvitation");
  equal(await by(ANN, ANYBODY), "nameTaken");
  equal(await by(handle("console"), ANYBODY), "nameTaken");
  equal(await by(EVE, ANYBODY), undefined);
  equal((await store.find(EVE))?.role, "member");
  equal(await by(BEN, ANYBODY), "badInvitation");
  equal(await by(ANN, FOR_ANN), undefined);
  equal((await store.find(ANN))?.passwordRecord?.[0], 9);
  equal(await register(store, "closed", { handle: BEN, codeHash: FOR_BEN, now: NOW, record }), undefined);
  equal(
    await register(store, "open", { handle: handle("udo"), codeHash: undefined, now: NOW, record }),
    undefined,
  );
});

registrationTest("of those who want a name or an invitation at once one gets it", async (store) => {
  const record = octets(192, 9);
  const all = await Promise.all([
    register(store, "open", { handle: EVE, codeHash: undefined, now: NOW, record }),
    register(store, "open", { handle: handle("eve-"), codeHash: undefined, now: NOW, record }),
    register(store, "open", { handle: handle("tom"), codeHash: ANYBODY, now: NOW, record }),
    register(store, "open", { handle: handle("pia"), codeHash: ANYBODY, now: NOW, record }),
  ]);
  equal(all.filter((refusal) => refusal === undefined).length, 2);
  equal(all.filter((refusal) => refusal === "nameTaken").length, 1);
  equal(all.filter((refusal) => refusal === "badInvitation").length, 1);
});

/** A store with the owner Olga, Ann who has no password, and the invitations above. */
function registrationTest(name: string, body: (store: AccountStore) => Promise<void>): void {
  folderTest(name, async (folder) => {
    const accounts = await openAccountDatabase(folder);
    for (const person of [handle("olga"), ANN]) {
      await accounts.register({ handle: person, passwordRecord: octets(192, 1), now: NOW }, undefined);
    }
    await accounts.setPasswordRecord(ANN, undefined);
    const invite = (codeHash: Bytes, person: Handle | undefined, expires = NOW + 1) =>
      accounts.addInvitation({ codeHash, expires, usesLeft: 1, handle: person });
    await invite(ANYBODY, undefined);
    await invite(FOR_BEN, BEN);
    await invite(FOR_ANN, ANN);
    await invite(ENDED, undefined, NOW);
    try {
      await body(accounts);
    } finally {
      accounts.close();
    }
  });
}

function octets(length: number, fill: number): Bytes {
  return new Uint8Array(length).fill(fill);
}

function handle(text: string): Handle {
  const parsed = parseHandle(text);
  if (parsed === undefined) throw new Error(`${text} is no handle`);
  return parsed;
}
