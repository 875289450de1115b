import assert from "node:assert/strict";
import { administrationLines } from "../../lib/admin/administration_text.ts";
import { Failure } from "../../lib/text/failure.ts";
import { parseHandle } from "../../lib/text/handle.ts";
import { test } from "../sanitized.ts";

const ANN = parseHandle("ann") ?? assert.fail("ann is a handle");
const BENJAMIN = parseHandle("benjamin") ?? assert.fail("benjamin is a handle");
const MOMENT = Date.UTC(2026, 10, 22, 9, 30, 59);
const PLAIN = { qr: false } as const;

test("an invitation is a line for programs and one for people", async () => {
  const invitation = {
    kind: "invitation",
    url: "sotto://chat.example.org:8443/KEY?code=C",
    expires: MOMENT,
  } as const;
  assert.deepEqual(await administrationLines({ ...invitation, uses: 1 }, PLAIN), [
    "invitation sotto://chat.example.org:8443/KEY?code=C",
    "good for 1 registration until 2026-11-22 09:30 UTC",
  ]);
  const forAnn = await administrationLines({ ...invitation, uses: 3, handle: ANN }, PLAIN);
  assert.equal(forAnn[1], "good for 3 registrations for ann until 2026-11-22 09:30 UTC");
});

test("an invitation as a picture is a square of half blocks", async () => {
  const answer = { kind: "invitation", url: "sotto://x", expires: MOMENT, uses: 1 } as const;
  const picture = (await administrationLines(answer, { qr: true })).slice(2);
  const width = picture[0]?.length ?? 0;
  assert.ok(width >= 21, `${width}`);
  for (const row of picture) assert.match(row, new RegExp(`^[ █▀▄]{${width}}$`));
  assert.equal(picture.length, Math.ceil(width / 2));
});

test("accounts are a table, and none is told as none", async () => {
  const user = {
    role: "member",
    standing: "active",
    registered: MOMENT,
    hasPassword: true,
    hasKeys: true,
  } as const;
  const users = [
    { ...user, handle: ANN, role: "owner" },
    { ...user, handle: BENJAMIN, standing: "disabled", hasPassword: false, hasKeys: false },
  ] as const;
  assert.deepEqual(await administrationLines({ kind: "users", users: [...users] }, PLAIN), [
    "NAME      ROLE    STANDING  SINCE                 PASSWORD  DEVICES",
    "ann       owner   active    2026-11-22 09:30 UTC  set       published",
    "benjamin  member  disabled  2026-11-22 09:30 UTC  none      none",
  ]);
  assert.deepEqual(await administrationLines({ kind: "users", users: [] }, PLAIN), [
    "There are no accounts yet",
  ]);
});

test("rooms are a table, those of two are counted, and bans are a line each", async () => {
  const room = { name: "#lobby", visibility: "public", members: 12, entries: 1_043, last: MOMENT } as const;
  const other = { ...room, name: "#x\u001b[2J", visibility: "private", members: 1, entries: 1 } as const;
  assert.deepEqual(await administrationLines({ kind: "rooms", rooms: [room, other], directs: 1 }, PLAIN), [
    "NAME    KIND     MEMBERS  ENTRIES  LAST",
    "#lobby  public   12       1043     2026-11-22 09:30 UTC",
    "#x␛[2J  private  1        1        2026-11-22 09:30 UTC",
    "besides 1 conversation of two",
  ]);
  const bans = [
    { subject: "ann", since: MOMENT },
    { subject: "192.0.2.7", since: MOMENT, until: MOMENT + 86_400_000, reason: "a \u001b[2J flood" },
    { subject: "2001:db8:0:0::/64", since: MOMENT },
    { subject: "0:0:0:0::/64", since: MOMENT },
    { subject: "2001:0:0:10::/64", since: MOMENT },
  ];
  assert.deepEqual(await administrationLines({ kind: "bans", bans }, PLAIN), [
    "ann since 2026-11-22 09:30 UTC, for good",
    "192.0.2.7 since 2026-11-22 09:30 UTC, until 2026-11-23 09:30 UTC: a ␛[2J flood",
    "2001:db8::/64 since 2026-11-22 09:30 UTC, for good",
    "::/64 since 2026-11-22 09:30 UTC, for good",
    "2001:0:0:10::/64 since 2026-11-22 09:30 UTC, for good",
  ]);
  assert.deepEqual(await administrationLines({ kind: "bans", bans: [] }, PLAIN), ["Nobody is banned"]);
  const group = { kind: "address", group: "2001:db8:0:1::/64" } as const;
  const account = { kind: "account", handle: ANN } as const;
  const banned = [{ kind: "banned", isOn: true, subject: group }, {
    kind: "banned",
    isOn: false,
    subject: account,
  }] as const;
  assert.deepEqual((await Promise.all(banned.map((answer) => administrationLines(answer, PLAIN)))).flat(), [
    "banned 2001:db8:0:1::/64",
    "banned no more: ann",
  ]);
});

test("a change is told, and a refusal thrown", async () => {
  const changed = { kind: "changed", change: "removed", handle: ANN } as const;
  assert.deepEqual(await administrationLines(changed, PLAIN), ["removed ann"]);
  await assert.rejects(
    administrationLines({ kind: "refused", exit: "data", sentence: "Cannot x: y; z." }, PLAIN),
    (error) => error instanceof Failure && error.exit === "data" && error.message === "Cannot x: y; z.",
  );
});

test("attack 31: what a server says is made safe for the terminal", async () => {
  const hostile = {
    kind: "invitation",
    url: "sotto://\u001b]52;c;x\u0007",
    expires: 8.64e15 + 1,
    uses: 1,
  } as const;
  assert.deepEqual(await administrationLines(hostile, PLAIN), [
    "invitation sotto://␛]52;c;x␇",
    "good for 1 registration until a day that no calendar has",
  ]);
});
