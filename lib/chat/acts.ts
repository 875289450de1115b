/**
 * Who may do what in an open room: one table, which the rules read, docs/roles.md prints and a test tries cell by cell.
 *
 * @module
 */

import { ROOM_ROLES, type RoomRole } from "../wire/entry_body.ts";

/** What somebody is to a room: one of its roles, or not in it. */
export const PARTIES = [...ROOM_ROLES, "outsider"] as const;

/** One of {@linkcode PARTIES}. */
export type Party = typeof PARTIES[number];

/**
 * Whether a party may do it: always; with what is one's own alone; to those alone who are below oneself; or never. Those
 * below are of a later role in {@linkcode ROOM_ROLES}, or not in the room.
 */
export type Right = "yes" | "own" | "below" | "no";

/** One act: what it is, and the right of each party. */
interface Act extends Readonly<Record<Party, Right>> {
  /** What it is, for people. */
  readonly what: string;
}

const EVERYBODY = { owner: "yes", operator: "yes", member: "yes", muted: "no", outsider: "no" } as const;
const OPERATORS = { owner: "yes", operator: "yes", member: "no", muted: "no", outsider: "no" } as const;
const OWNERS = { owner: "yes", operator: "no", member: "no", muted: "no", outsider: "no" } as const;
const OUTSIDERS = { owner: "no", operator: "no", member: "no", muted: "no", outsider: "yes" } as const;
const ON_OWN = { owner: "own", operator: "own", member: "own", muted: "no", outsider: "no" } as const;
const ON_LOWER = { owner: "below", operator: "below", member: "no", muted: "no", outsider: "no" } as const;

/** The table. */
export const ACTS = {
  text: { what: "say something", ...EVERYBODY },
  reply: { what: "reply to a message", ...EVERYBODY },
  file: { what: "put a file into the room", ...EVERYBODY },
  reaction: { what: "react to a message, and take that back", ...EVERYBODY },
  edit: { what: "edit a message", ...ON_OWN },
  delete: { what: "delete what one has said oneself", ...ON_OWN },
  deleteOthers: { what: "delete what somebody else has said", ...ON_LOWER },
  pin: { what: "pin a message, and take that back", ...OPERATORS },
  topic: { what: "set the topic", ...OPERATORS },
  join: { what: "come into a public room, or take up an invitation", ...OUTSIDERS },
  knock: { what: "ask to be let into a private room", ...OUTSIDERS },
  part: {
    what: "leave, or take back one's knock, or decline an invitation",
    ...EVERYBODY,
    muted: "yes",
    outsider: "own",
  },
  invite: { what: "invite somebody into a public room", ...EVERYBODY },
  invitePrivately: { what: "invite somebody into a private room", ...OPERATORS },
  uninvite: { what: "take an invitation back", ...OPERATORS, member: "own" },
  allow: { what: "let in who knocks", ...OPERATORS },
  deny: { what: "turn away who knocks", ...OPERATORS },
  kick: { what: "put somebody out", ...ON_LOWER },
  ban: { what: "keep somebody out, for a time or until it is taken back", ...ON_LOWER },
  unban: { what: "lift a ban", ...OPERATORS },
  mute: { what: "mute somebody, for a time or until it is taken back", ...ON_LOWER },
  unmute: { what: "let somebody speak again", ...OPERATORS },
  role: { what: "give somebody another role, ownership included", ...ON_LOWER, operator: "no" },
  stepDown: { what: "take a lower role oneself", ...OPERATORS },
  rename: { what: "rename the room", ...OWNERS },
  visibility: { what: "make the room public or private", ...OWNERS },
  history: { what: "settle what newcomers may read of what was said before", ...OWNERS },
  retention: { what: "settle after how many days entries are dropped", ...OWNERS },
  slow: { what: "have members wait between two messages", ...OPERATORS },
  lockdown: { what: "let nobody below an operator speak or come in", ...OPERATORS },
} as const satisfies Readonly<Record<string, Act>>;

/** The name of an act. */
export type ActName = keyof typeof ACTS;

/** The right of somebody with `role`, `undefined` for who is not in the room. */
export function rightOf(role: RoomRole | undefined, act: ActName): Right {
  return ACTS[act][role ?? "outsider"];
}

/**
 * Whether somebody with the second role is below somebody with the first; whoever is not in the room is below everybody
 * in it.
 *
 * ```ts
 * import { isBelow } from "./acts.ts";
 * console.assert(isBelow("operator", "member") && isBelow("operator", undefined));
 * console.assert(!isBelow("operator", "operator") && !isBelow("member", "owner"));
 * ```
 */
export function isBelow(role: RoomRole, other: RoomRole | undefined): boolean {
  return other === undefined || ROOM_ROLES.indexOf(role) < ROOM_ROLES.indexOf(other);
}
