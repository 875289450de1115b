import { deepEqual, equal, notDeepEqual, ok } from "node:assert/strict";
import {
  type AdminAnswer,
  administer,
  type AdminRequest,
  BAN_MS_MAX,
  INVITATION_MS,
  INVITATION_MS_MAX,
  INVITATION_USES_MAX,
  type Office,
  parseAdminAnswer,
  parseAdminRequest,
} from "../../lib/chat/administration.ts";
import type { AccountStore } from "../../lib/chat/port.ts";
import { mayRegister, register } from "../../lib/chat/registration.ts";
import type { RoomState } from "../../lib/chat/room.ts";
import { systemEntropy } from "../../lib/crypto/entropy.ts";
import { parseInvitation } from "../../lib/identity/invitation.ts";
import { openAccountDatabase } from "../../lib/store/account_database.ts";
import { type Handle, parseHandle } from "../../lib/text/handle.ts";
import type { Bytes } from "../../lib/wire/bytes.ts";
import { provider } from "../crypto/test_provider.ts";
import { folderTest } from "../store/temporary_folder.ts";
import { test } from "../sanitized.ts";

const [ANN, BEN, EVE] = [handle("ann"), handle("ben"), handle("eve")];
const NOW = 1_800_000_000_000;
const OFFICE: Office = {
  now: NOW,
  entropy: systemEntropy,
  provider,
  rooms: () => Promise.resolve([]),
  place: {
    endpoint: { host: "chat.example.org", port: 8_443 },
    hostKey: octets(32, 7),
    certificate: undefined,
  },
};

officeTest(
  "each request is done and answered, and what cannot be done is told in one sentence",
  async (store) => {
    const changed = (change: "enabled" | "disabled" | "removed", handle: Handle): AdminAnswer => ({
      kind: "changed",
      change,
      handle,
    });
    const refused = (sentence: string): AdminAnswer => ({ kind: "refused", exit: "data", sentence });
    const nobody = "there is none of that name; to see all run: sotto-server user list";
    const table: readonly (readonly [AdminRequest, AdminAnswer])[] = [
      [{ type: "userDisable", handle: BEN }, changed("disabled", BEN)],
      [{ type: "userDisable", handle: BEN }, changed("disabled", BEN)],
      [{ type: "userList" }, {
        kind: "users",
        users: [
          { ...user(ANN), role: "owner", hasKeys: true },
          { ...user(BEN), standing: "disabled" },
        ],
      }],
      [{ type: "userEnable", handle: BEN }, changed("enabled", BEN)],
      [
        { type: "userAdd", handle: BEN },
        refused(
          "Cannot add the user ben: there is one; for a new password run: sotto-server user reset ben",
        ),
      ],
      [{ type: "userRemove", handle: BEN }, changed("removed", BEN)],
      [{ type: "userList" }, { kind: "users", users: [{ ...user(ANN), role: "owner", hasKeys: true }] }],
      [{ type: "userRemove", handle: BEN }, refused(`Cannot remove the user ben: ${nobody}`)],
      [{ type: "userEnable", handle: BEN }, refused(`Cannot enable the user ben: ${nobody}`)],
      [{ type: "userDisable", handle: BEN }, refused(`Cannot disable the user ben: ${nobody}`)],
      [{ type: "userReset", handle: BEN }, refused(`Cannot reset the user ben: ${nobody}`)],
      [
        { type: "userAdd", handle: BEN },
        refused(
          "Cannot add the user ben: the name is or was another's, or looks like one; choose another.",
        ),
      ],
    ];
    for (const [request, answer] of table) {
      deepEqual(await administer(request, store, OFFICE), answer, JSON.stringify(request));
    }
  },
);

officeTest("an account is banned with time and reason, listed, and let in again", async (store) => {
  const subject = { kind: "account", handle: BEN } as const;
  const asked = { type: "ban", subject, lastingMs: 60_000, reason: "a flood" } as const;
  deepEqual(await administer(asked, store, OFFICE), { kind: "banned", isOn: true, subject });
  equal((await store.find(BEN))?.standing, "disabled");
  deepEqual(await administer({ type: "bans" }, store, OFFICE), {
    kind: "bans",
    bans: [{ subject: "ben", since: NOW, until: NOW + 60_000, reason: "a flood" }],
  });
  deepEqual(await administer({ type: "unban", subject }, store, OFFICE), {
    kind: "banned",
    isOn: false,
    subject,
  });
  equal((await store.find(BEN))?.standing, "active");
  const refused = (sentence: string): AdminAnswer => ({ kind: "refused", exit: "data", sentence });
  deepEqual(
    await administer({ type: "unban", subject }, store, OFFICE),
    refused("Cannot lift the ban of ben: there is none; to see all run: sotto-server bans"),
  );
  deepEqual(
    await administer({ type: "ban", subject: { kind: "account", handle: EVE } }, store, OFFICE),
    refused("Cannot ban the user eve: there is none of that name; to see all run: sotto-server user list"),
  );
});

officeTest("an address is banned with all of its group", async (store) => {
  const at = (address: string) => ({ kind: "address", address }) as const;
  const banned = (group: string, isOn: boolean): AdminAnswer => ({
    kind: "banned",
    isOn,
    subject: { kind: "address", group },
  });
  for (
    const [address, group] of [["192.0.2.7", "192.0.2.7"], ["2001:DB8::7", "2001:db8:0:0::/64"]] as const
  ) {
    deepEqual(await administer({ type: "ban", subject: at(address) }, store, OFFICE), banned(group, true));
  }
  deepEqual((await store.bans()).map(({ until, reason }) => [until, reason]), [
    [undefined, undefined],
    [undefined, undefined],
  ]);
  const lifted = await administer({ type: "unban", subject: at("2001:db8::99") }, store, OFFICE);
  deepEqual(lifted, banned("2001:db8:0:0::/64", false));
});

officeTest(
  "rooms are listed by name; of conversations of two an operator learns the number only",
  async (store) => {
    const secret = {
      ...room("#z", 0, 1),
      form: { kind: "direct", people: [ANN, BEN], asked: undefined, denied: false },
    } as const;
    const rooms = () => Promise.resolve([room("#b", 2, 9), secret, room("#a", 0, 3)]);
    const answer = await administer({ type: "roomList" }, store, { ...OFFICE, rooms });
    deepEqual(answer, {
      kind: "rooms",
      rooms: [
        { name: "#a", visibility: "private", members: 1, entries: 3, last: NOW },
        { name: "#b", visibility: "private", members: 1, entries: 7, last: NOW },
      ],
      directs: 1,
    });
    deepEqual(parseAdminAnswer(JSON.parse(JSON.stringify(answer))), answer);
  },
);

officeTest("an invitation is for one person and a day, unless it is made otherwise", async (store) => {
  const plain = await invited(store, { type: "invite" });
  deepEqual([plain.uses, plain.expires, plain.handle], [1, NOW + INVITATION_MS, undefined]);
  const wide = await invited(store, { type: "invite", uses: 3, lifetimeMs: 1_000 });
  deepEqual([wide.uses, wide.expires, wide.handle], [3, NOW + 1_000, undefined]);
  notDeepEqual(plain.code, wide.code);
  const found = await store.findInvitation(await provider.sha256(wide.code), NOW);
  deepEqual([found?.usesLeft, found?.expires], [3, NOW + 1_000]);
});

officeTest("an invitation says where the server is and how to know it", async (store) => {
  const certificate = octets(300, 3);
  const office = { ...OFFICE, place: { ...OFFICE.place, certificate } };
  const answer = await administer({ type: "invite" }, store, office);
  const parsed = parseInvitation(answer.kind === "invitation" ? answer.url : "");
  ok(parsed.kind === "invitation");
  const { code, ...place } = parsed.invitation;
  deepEqual(place, office.place);
  equal(code?.length, 16);
});

officeTest("who is added may register by an invitation that fits nobody else", async (store) => {
  const { code, handle } = await invited(store, { type: "userAdd", handle: EVE });
  equal(handle, EVE);
  const codeHash = await provider.sha256(code);
  const by = (handle: Handle) => mayRegister(store, "closed", { handle, codeHash, now: NOW });
  equal(await by(BEN), "registrationClosed");
  equal(await by(EVE), undefined);
});

officeTest(
  "who is reset has no password, keeps all else, and gets a new one by the invitation",
  async (store) => {
    const before = await store.find(ANN);
    const { code, handle } = await invited(store, { type: "userReset", handle: ANN });
    equal(handle, ANN);
    deepEqual(await store.find(ANN), { ...before, passwordRecord: undefined });
    const applicant = {
      handle: ANN,
      codeHash: await provider.sha256(code),
      now: NOW,
      record: octets(192, 9),
    };
    equal(await register(store, "closed", applicant), undefined);
    deepEqual(await store.find(ANN), { ...before, passwordRecord: octets(192, 9) });
  },
);

officeTest("a second reset leaves the first one's invitation without use", async (store) => {
  const first = await invited(store, { type: "userReset", handle: ANN });
  const second = await invited(store, { type: "userReset", handle: ANN });
  const by = async (code: Bytes) =>
    await mayRegister(store, "invite", { handle: ANN, codeHash: await provider.sha256(code), now: NOW });
  equal(await by(first.code), "badInvitation");
  equal(await by(second.code), undefined);
});

officeTest("requests and answers are the same after a way through JSON", async (store) => {
  const requests: readonly AdminRequest[] = [
    { type: "userList" },
    { type: "userAdd", handle: EVE },
    { type: "userReset", handle: ANN },
    { type: "userDisable", handle: ANN },
    { type: "userEnable", handle: ANN },
    { type: "ban", subject: { kind: "account", handle: BEN }, lastingMs: BAN_MS_MAX, reason: "x" },
    { type: "ban", subject: { kind: "address", address: "2001:db8::7" } },
    { type: "bans" },
    { type: "unban", subject: { kind: "account", handle: BEN } },
    { type: "roomList" },
    { type: "userRemove", handle: BEN },
    { type: "userRemove", handle: BEN },
    { type: "invite" },
    { type: "invite", uses: INVITATION_USES_MAX, lifetimeMs: INVITATION_MS_MAX },
  ];
  for (const request of requests) {
    deepEqual(parseAdminRequest(JSON.parse(JSON.stringify(request))), request);
    const answer = await administer(request, store, OFFICE);
    deepEqual(parseAdminAnswer(JSON.parse(JSON.stringify(answer))), answer);
  }
});

test("what is no request or answer is taken for none", () => {
  const requests: readonly unknown[] = [
    undefined,
    null,
    "userList",
    {},
    { type: "user" },
    { type: "userList", handle: "ann" },
    { type: "userAdd" },
    { type: "userAdd", handle: "Ann" },
    { type: "userRemove", handle: "../ann" },
    { type: "invite", uses: 0 },
    { type: "invite", uses: 1.5 },
    { type: "invite", uses: INVITATION_USES_MAX + 1 },
    { type: "invite", lifetimeMs: 0 },
    { type: "invite", lifetimeMs: INVITATION_MS_MAX + 1 },
    { type: "invite", uses: "1" },
    { type: "ban" },
    { type: "ban", subject: { kind: "account", handle: "Ann" } },
    { type: "ban", subject: { kind: "address", address: "192.0.2.0/24" } },
    { type: "ban", subject: { kind: "address", address: "192.0.2.7" }, lastingMs: 0 },
    { type: "ban", subject: { kind: "address", address: "192.0.2.7" }, lastingMs: BAN_MS_MAX + 1 },
    { type: "ban", subject: { kind: "address", address: "192.0.2.7" }, reason: "x".repeat(257) },
    { type: "unban", subject: "ann" },
    { type: "roomList", name: "#lobby" },
  ];
  for (const value of requests) equal(parseAdminRequest(value), undefined, JSON.stringify(value));
  const answers: readonly unknown[] = [
    undefined,
    {},
    { kind: "users" },
    { kind: "changed", change: "crowned", handle: "ann" },
    { kind: "refused", exit: "ok", sentence: "x" },
  ];
  for (const value of answers) equal(parseAdminAnswer(value), undefined, JSON.stringify(value));
});

/** A store with the owner Ann, who has published keys, and Ben, who has not. */
function officeTest(name: string, body: (store: AccountStore) => Promise<void>): void {
  folderTest(name, async (folder) => {
    const accounts = await openAccountDatabase(folder);
    for (const person of [ANN, BEN]) {
      await accounts.register({ handle: person, passwordRecord: octets(192, 1), now: NOW }, undefined);
    }
    const keys = { identity: octets(32, 1), list: octets(90, 2), signature: octets(64, 3) };
    await accounts.setKeys(ANN, { keys, expected: undefined, recovery: undefined });
    try {
      await body(accounts);
    } finally {
      accounts.close();
    }
  });
}

/** The invitation that `request` makes, with the code in its address. */
async function invited(store: AccountStore, request: AdminRequest) {
  const answer = await administer(request, store, OFFICE);
  ok(answer.kind === "invitation", JSON.stringify(answer));
  const parsed = parseInvitation(answer.url);
  ok(parsed.kind === "invitation" && parsed.invitation.code !== undefined);
  return { ...answer, code: parsed.invitation.code };
}

/** A room of Ann's whose log goes on from `base` to `head`. */
function room(name: string, base: number, head: number): RoomState {
  const place = (sequence: number) => ({ sequence, hash: octets(32, sequence) });
  return {
    id: octets(16, head),
    form: { kind: "open", name },
    settings: { visibility: "private", topic: "", history: 0, retention: 0, slow: 0, lockdown: false },
    members: new Map([[ANN, { role: "owner", mutedUntil: undefined, base: 0 }]]),
    invited: new Map(),
    knocking: [],
    bans: new Map(),
    mutedAway: new Map(),
    pins: [],
    head: place(head),
    headTime: NOW,
    base: place(base),
  };
}

function user(handle: Handle) {
  return {
    handle,
    role: "member",
    standing: "active",
    registered: NOW,
    hasPassword: true,
    hasKeys: false,
  } as const;
}

function octets(length: number, fill: number): Bytes {
  return new Uint8Array(length).fill(fill);
}

function handle(text: string): Handle {
  const parsed = parseHandle(text);
  if (parsed === undefined) throw new Error(`${text} is no handle`);
  return parsed;
}
