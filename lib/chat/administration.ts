/**
 * What an operator may do with accounts, and learn of rooms, as values: the same through the administration socket, by the server's console
 * and straight on the database. Requests and answers survive JSON.
 *
 * @module
 */

import * as v from "valibot";
import type { Entropy, Provider } from "../crypto/port.ts";
import type { Endpoint } from "../identity/endpoint.ts";
import { INVITATION_CODE_BYTES, invitationText } from "../identity/invitation.ts";
import { type Handle, HandleSchema } from "../text/handle.ts";
import type { Bytes } from "../wire/bytes.ts";
import { VISIBILITIES } from "../wire/entry_body.ts";
import { addressGroup } from "./address_group.ts";
import type { Account, AccountStore, BanSubject, ServerBan } from "./port.ts";
import type { RoomState } from "./room.ts";
import { isNameFree } from "./registration.ts";

/** How long an invitation is good for, unless it is made otherwise: a day, the time to reach somebody. */
export const INVITATION_MS = 86_400_000;

/** Longest time that may be asked for: a year, 365 days; what is older has been forgotten, and passed on. */
export const INVITATION_MS_MAX = 31_536_000_000;

/** Most people that may be asked to come by one invitation: ten times what a server is made for. */
export const INVITATION_USES_MAX = 10_000;

/** Longest ban that ends by itself: ten years; longer is for ever. */
export const BAN_MS_MAX = 315_360_000_000;

/** Longest reason of a ban, in UTF-16 units: a line. */
export const BAN_REASON_CHARS_MAX = 256;

const TimeSchema = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

/** An account by its handle, or an IP address as the operator wrote it. */
const BanSubjectSchema = v.variant("kind", [
  v.strictObject({ kind: v.literal("account"), handle: HandleSchema }),
  v.strictObject({ kind: v.literal("address"), address: v.pipe(v.string(), v.regex(/^[0-9a-f:.]{2,45}$/i)) }),
]);

const AdminRequestSchema = v.variant("type", [
  /** All accounts. */
  v.strictObject({ type: v.literal("userList") }),
  /** An invitation by which that name alone may be registered. */
  v.strictObject({ type: v.literal("userAdd"), handle: HandleSchema }),
  /** Lets an account log in again. */
  v.strictObject({ type: v.literal("userEnable"), handle: HandleSchema }),
  /** Lets an account log in no more. */
  v.strictObject({ type: v.literal("userDisable"), handle: HandleSchema }),
  /** Removes an account with all that is kept of it; its name stays taken. */
  v.strictObject({ type: v.literal("userRemove"), handle: HandleSchema }),
  /** Forgets an account's password, and makes an invitation by which it gets a new one. */
  v.strictObject({ type: v.literal("userReset"), handle: HandleSchema }),
  /** Keeps an account, or whoever connects from an address or its /64, out of the whole server. */
  v.strictObject({
    type: v.literal("ban"),
    subject: BanSubjectSchema,
    lastingMs: v.exactOptional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(BAN_MS_MAX))),
    reason: v.exactOptional(v.pipe(v.string(), v.minLength(1), v.maxLength(BAN_REASON_CHARS_MAX))),
  }),
  /** Lets them in again. */
  v.strictObject({ type: v.literal("unban"), subject: BanSubjectSchema }),
  /** All bans from the whole server. */
  v.strictObject({ type: v.literal("bans") }),
  /** All rooms that are not between two people, and how many of those there are. */
  v.strictObject({ type: v.literal("roomList") }),
  /** An invitation for anybody: for one, and {@linkcode INVITATION_MS}, unless said otherwise. */
  v.strictObject({
    type: v.literal("invite"),
    uses: v.exactOptional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(INVITATION_USES_MAX))),
    lifetimeMs: v.exactOptional(
      v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(INVITATION_MS_MAX)),
    ),
  }),
]);

const UserSchema = v.strictObject({
  handle: HandleSchema,
  role: v.picklist(["owner", "member"]),
  standing: v.picklist(["active", "disabled"]),
  /** Milliseconds since 1970. */
  registered: TimeSchema,
  /** Whether a password fits: none does after `userReset`. */
  hasPassword: v.boolean(),
  /** Whether a device has published its keys. */
  hasKeys: v.boolean(),
});

const ListedRoomSchema = v.strictObject({
  name: v.string(),
  visibility: v.picklist(VISIBILITIES),
  /** How many accounts are in it. */
  members: v.number(),
  /** How many entries its log has: those that were dropped do not count. */
  entries: v.number(),
  /** When the last of them was made, in milliseconds since 1970. */
  last: TimeSchema,
});

const AdminAnswerSchema = v.variant("kind", [
  v.strictObject({ kind: v.literal("users"), users: v.array(UserSchema) }),
  v.strictObject({
    kind: v.literal("invitation"),
    /** A secret until it has been used up. */
    url: v.string(),
    /** Milliseconds since 1970. */
    expires: TimeSchema,
    uses: v.number(),
    /** Whom it is for, where it is for one person. */
    handle: v.exactOptional(HandleSchema),
  }),
  v.strictObject({
    kind: v.literal("changed"),
    change: v.picklist(["enabled", "disabled", "removed"]),
    handle: HandleSchema,
  }),
  v.strictObject({
    kind: v.literal("bans"),
    bans: v.array(v.strictObject({
      /** A handle or an address group. */
      subject: v.string(),
      since: TimeSchema,
      until: v.exactOptional(TimeSchema),
      reason: v.exactOptional(v.string()),
    })),
  }),
  v.strictObject({
    kind: v.literal("rooms"),
    rooms: v.array(ListedRoomSchema),
    /** Conversations of two: an operator is not told whose. */
    directs: v.number(),
  }),
  /** After `isOn` the connections of the account, or from the address group, are to be ended. */
  v.strictObject({
    kind: v.literal("banned"),
    isOn: v.boolean(),
    subject: v.variant("kind", [
      v.strictObject({ kind: v.literal("account"), handle: HandleSchema }),
      v.strictObject({ kind: v.literal("address"), group: v.string() }),
    ]),
  }),
  v.strictObject({
    kind: v.literal("refused"),
    exit: v.literal("data"),
    /** What could not be done, why, what to do; safe for a terminal. */
    sentence: v.string(),
  }),
]);

/** What an operator asks for. */
export type AdminRequest = v.InferOutput<typeof AdminRequestSchema>;
/** One account, as an operator sees it. */
export type AdminUser = v.InferOutput<typeof UserSchema>;
/** One room, as an operator sees it. */
export type ListedRoom = v.InferOutput<typeof ListedRoomSchema>;
/** What came of it. After `disabled` and `removed` the account's connections are to be ended. */
export type AdminAnswer = v.InferOutput<typeof AdminAnswerSchema>;

/** The request in `value`, which came out of JSON; `undefined` where it is none. */
export function parseAdminRequest(value: unknown): AdminRequest | undefined {
  const parsed = v.safeParse(AdminRequestSchema, value);
  return parsed.success ? parsed.output : undefined;
}

/** The answer in `value`, which came out of JSON; `undefined` where it is none. */
export function parseAdminAnswer(value: unknown): AdminAnswer | undefined {
  const parsed = v.safeParse(AdminAnswerSchema, value);
  return parsed.success ? parsed.output : undefined;
}

/** What an invitation says of the server. */
export interface Place {
  /** Where those who are invited connect to. */
  readonly endpoint: Endpoint;
  /** The host key, 32 octets. */
  readonly hostKey: Bytes;
  /** The server's own certificate in DER, where it has one that no authority has signed. */
  readonly certificate: Bytes | undefined;
}

/** What {@linkcode administer} needs besides the accounts. */
export interface Office {
  /** Reads all rooms. */
  readonly rooms: () => Promise<readonly RoomState[]>;
  /** The moment, in milliseconds since 1970. */
  readonly now: number;
  /** Makes the codes of invitations. */
  readonly entropy: Entropy;
  /** Hashes them. */
  readonly provider: Provider;
  /** What is written into invitations. */
  readonly place: Place;
}

/** Does what `request` asks for; settles once that is durable. */
export async function administer(
  request: AdminRequest,
  store: AccountStore,
  office: Office,
): Promise<AdminAnswer> {
  switch (request.type) {
    case "userList":
      return { kind: "users", users: (await store.list()).map(shown) };
    case "userAdd":
      return await addUser(request.handle, store, office);
    case "userEnable":
      return changed("enabled", request.handle, await store.setStanding(request.handle, "active"));
    case "userDisable":
      return changed("disabled", request.handle, await store.setStanding(request.handle, "disabled"));
    case "userRemove":
      return changed("removed", request.handle, await store.remove(request.handle));
    case "userReset":
      return await resetUser(request.handle, store, office);
    case "ban":
      return await ban(request, store, office);
    case "unban":
      return await unban(subjectOf(request.subject), store);
    case "bans":
      return { kind: "bans", bans: (await store.bans()).map(shownBan) };
    case "roomList":
      return listed(await office.rooms());
    case "invite": {
      const { uses = 1, lifetimeMs = INVITATION_MS } = request;
      return await invite({ uses, lifetimeMs, handle: undefined }, store, office);
    }
  }
}

async function addUser(handle: Handle, store: AccountStore, office: Office): Promise<AdminAnswer> {
  if (await isNameFree(store, handle)) return await inviteOne(handle, store, office);
  const cannot = `Cannot add the user ${handle}`;
  return await store.find(handle) === undefined
    ? refused(`${cannot}: the name is or was another's, or looks like one; choose another.`)
    : refused(`${cannot}: there is one; for a new password run: sotto-server user reset ${handle}`);
}

async function resetUser(handle: Handle, store: AccountStore, office: Office): Promise<AdminAnswer> {
  if (await store.find(handle) === undefined) return nobody("reset", handle);
  // Before the password goes: should this program end in between, nothing has changed for the account.
  const answer = await inviteOne(handle, store, office);
  return await store.setPasswordRecord(handle, undefined) ? answer : nobody("reset", handle);
}

async function ban(
  { subject: asked, lastingMs, reason }: AdminRequest & { type: "ban" },
  store: AccountStore,
  { now }: Office,
): Promise<AdminAnswer> {
  const subject = subjectOf(asked);
  const until = lastingMs === undefined ? undefined : now + lastingMs;
  const isThere = await store.setBan({ subject, since: now, until, reason });
  return isThere || subject.kind === "address"
    ? { kind: "banned", isOn: true, subject }
    : nobody("ban", subject.handle);
}

async function unban(subject: BanSubject, store: AccountStore): Promise<AdminAnswer> {
  if (await store.liftBan(subject)) return { kind: "banned", isOn: false, subject };
  const who = subject.kind === "account" ? subject.handle : subject.group;
  return refused(`Cannot lift the ban of ${who}: there is none; to see all run: sotto-server bans`);
}

function subjectOf(asked: v.InferOutput<typeof BanSubjectSchema>): BanSubject {
  return asked.kind === "account"
    ? { kind: "account", handle: asked.handle }
    : { kind: "address", group: addressGroup(asked.address) };
}

function shownBan({ subject, since, until, reason }: ServerBan) {
  return {
    subject: subject.kind === "account" ? subject.handle : subject.group,
    since,
    ...(until === undefined ? {} : { until }),
    ...(reason === undefined ? {} : { reason }),
  };
}

function listed(rooms: readonly RoomState[]): AdminAnswer {
  const open = rooms.flatMap((room) => room.form.kind === "open" ? [shownRoom(room, room.form.name)] : []);
  return {
    kind: "rooms",
    rooms: open.sort((one, other) => one.name < other.name ? -1 : 1),
    directs: rooms.length - open.length,
  };
}

function shownRoom({ settings, members, head, base, headTime }: RoomState, name: string): ListedRoom {
  return {
    name,
    visibility: settings.visibility,
    members: members.size,
    entries: head.sequence - base.sequence,
    last: headTime,
  };
}

function inviteOne(handle: Handle, store: AccountStore, office: Office): Promise<AdminAnswer> {
  return invite({ uses: 1, lifetimeMs: INVITATION_MS, handle }, store, office);
}

async function invite(
  { uses, lifetimeMs, handle }: { uses: number; lifetimeMs: number; handle: Handle | undefined },
  store: AccountStore,
  { now, entropy, provider, place }: Office,
): Promise<AdminAnswer> {
  const code = entropy(INVITATION_CODE_BYTES);
  const expires = now + lifetimeMs;
  await store.addInvitation({ codeHash: await provider.sha256(code), expires, usesLeft: uses, handle });
  const url = invitationText({ ...place, code });
  return { kind: "invitation", url, expires, uses, ...(handle === undefined ? {} : { handle }) };
}

function changed(
  change: "enabled" | "disabled" | "removed",
  handle: Handle,
  isThere: boolean,
): AdminAnswer {
  return isThere ? { kind: "changed", change, handle } : nobody(VERBS[change], handle);
}

const VERBS = { enabled: "enable", disabled: "disable", removed: "remove" } as const;

function nobody(verb: string, handle: Handle): AdminAnswer {
  return refused(
    `Cannot ${verb} the user ${handle}: there is none of that name; to see all run: sotto-server user list`,
  );
}

function refused(sentence: string): AdminAnswer {
  return { kind: "refused", exit: "data", sentence };
}

function shown({ handle, role, standing, registered, passwordRecord, keys }: Account): AdminUser {
  return {
    handle,
    role,
    standing,
    registered,
    hasPassword: passwordRecord !== undefined,
    hasKeys: keys !== undefined,
  };
}
