import { deepEqual, equal, ok } from "node:assert/strict";
import { type ActName, ACTS, PARTIES, type Party } from "../../lib/chat/acts.ts";
import type { Handle } from "../../lib/text/handle.ts";
import type { Bytes } from "../../lib/wire/bytes.ts";
import type { EntryBody, Visibility } from "../../lib/wire/entry_body.ts";
import { handleOf } from "../identity/people.ts";
import { test } from "../sanitized.ts";
import {
  DELETE,
  EDIT,
  JOIN,
  KNOCK,
  LIKE,
  membership,
  moderation,
  PART,
  PIN,
  REPLY,
  settlement,
  text,
} from "./bodies.ts";
import { House } from "./house.ts";

/** One person of each party who acts, and one to whom it is done. */
const ACTORS = people("actor");
const OTHERS = people("other");
const ZED = handleOf("zed");

/** From most to least, as every table has it: what is below what is not asked of the code under test. */
const RANKS = ["owner", "operator", "member", "muted", "outsider"] as const;

/** A room with somebody of each party, twice; outsiders have accounts. */
interface Stage {
  readonly house: House;
  readonly room: Bytes;
  /** Who does it, and as what. */
  readonly actor: Handle;
  readonly party: Party;
}

/** How an act is tried: the rules are asked on a stage of that visibility; true where it has its place. */
interface Trial {
  readonly visibility?: Visibility;
  /** Of an act that is always or never a party's. */
  readonly plain?: (stage: Stage) => boolean;
  /** Of an act that may be theirs with what is their own: with that. */
  readonly own?: (stage: Stage) => boolean;
  /** With what is another's. */
  readonly foreign?: (stage: Stage) => boolean;
  /** Of an act that is done to somebody. */
  readonly to?: (stage: Stage, handle: Handle, party: Party) => boolean;
}

const TRIALS: Readonly<Record<ActName, Trial>> = {
  text: { plain: (stage) => does(stage, text()) },
  reply: { plain: (stage) => does(stage, REPLY, saidByOwner(stage)) },
  file: { plain: puts },
  reaction: {
    plain: (stage) => does(stage, LIKE, saidByOwner(stage)),
  },
  edit: {
    own: (stage) => does(stage, EDIT, saidBy(stage, stage.actor)),
    foreign: (stage) => does(stage, EDIT, saidByOwner(stage)),
  },
  delete: {
    own: (stage) => does(stage, DELETE, saidBy(stage, stage.actor)),
  },
  deleteOthers: {
    to: (stage, handle) => does(stage, DELETE, saidBy(stage, handle)),
  },
  pin: { plain: (stage) => does(stage, PIN, saidByOwner(stage)) },
  topic: { plain: (stage) => does(stage, { kind: "topic", body: { topic: "tea" } }) },
  join: { plain: (stage) => does(stage, JOIN) },
  knock: { visibility: "private", plain: (stage) => does(stage, KNOCK) },
  part: {
    plain: (stage) => does(stage, PART),
    own: (stage) => {
      stage.house.must(stage.room, OTHERS.owner, membership({ change: "invite", handle: stage.actor }));
      return does(stage, PART);
    },
    foreign: (stage) => does(stage, PART),
  },
  invite: { plain: (stage) => does(stage, membership({ change: "invite", handle: ZED })) },
  invitePrivately: {
    visibility: "private",
    plain: (stage) => does(stage, membership({ change: "invite", handle: ZED })),
  },
  uninvite: {
    plain: uninvitesForeign,
    own: (stage) => {
      stage.house.must(stage.room, stage.actor, membership({ change: "invite", handle: ZED }));
      return does(stage, membership({ change: "uninvite", handle: ZED }));
    },
    foreign: uninvitesForeign,
  },
  allow: { visibility: "private", plain: (stage) => answers(stage, "allow") },
  deny: { visibility: "private", plain: (stage) => answers(stage, "deny") },
  kick: { to: (stage, handle) => does(stage, moderation({ act: "kick", handle })) },
  ban: { to: (stage, handle) => does(stage, moderation({ act: "ban", handle, reason: "spam" })) },
  unban: {
    plain: (stage) => {
      stage.house.must(stage.room, OTHERS.owner, moderation({ act: "ban", handle: ZED }));
      return does(stage, moderation({ act: "unban", handle: ZED }));
    },
  },
  mute: {
    to: (stage, handle) => does(stage, moderation({ act: "mute", handle, until: stage.house.now + 1_000 })),
  },
  unmute: { plain: (stage) => does(stage, moderation({ act: "unmute", handle: OTHERS.muted })) },
  role: {
    to: (stage, handle, party) =>
      does(stage, moderation({ act: "role", handle, role: party === "operator" ? "member" : "operator" })),
  },
  stepDown: {
    plain: (stage) => {
      const role = stage.party === "owner" ? "operator" : stage.party === "operator" ? "member" : "muted";
      return does(stage, moderation({ act: "role", handle: stage.actor, role }));
    },
  },
  rename: { plain: (stage) => does(stage, settlement({ act: "rename", name: "#other" })) },
  visibility: {
    plain: (stage) => does(stage, settlement({ act: "visibility", visibility: "private" })),
  },
  history: { plain: (stage) => does(stage, settlement({ act: "history", history: 10 })) },
  retention: { plain: (stage) => does(stage, settlement({ act: "retention", days: 30 })) },
  slow: { plain: (stage) => does(stage, settlement({ act: "slow", seconds: 10 })) },
  lockdown: { plain: (stage) => does(stage, settlement({ act: "lockdown", on: true })) },
};

for (const [act, { what }] of Object.entries(ACTS)) {
  test(`who may ${what} is as the table says, in every cell (${act})`, () => {
    for (const party of PARTIES) tryCell(act, party);
  });
}

test("every act of the table is tried, by every party", () => {
  deepEqual(Object.keys(TRIALS), Object.keys(ACTS));
  deepEqual(PARTIES, RANKS);
});

function tryCell(act: string, party: Party): void {
  const trial = Object.entries(TRIALS).find(([name]) => name === act)?.[1];
  const right = Object.entries(ACTS).find(([name]) => name === act)?.[1][party];
  ok(trial !== undefined && right !== undefined);
  const { plain, own, foreign, to } = trial;
  const cell = `${act} by ${party}`;
  if (right === "own") {
    equal(own?.(stageFor(trial, party)), true, `${cell}, own`);
    if (foreign !== undefined) equal(foreign(stageFor(trial, party)), false, `${cell}, another's`);
    return;
  }
  if (to !== undefined) {
    for (const other of RANKS) {
      // Nobody who is not in the room can be put out of it, muted or given a role.
      if (other === "outsider" && act !== "ban" && act !== "deleteOthers") continue;
      const isAllowed: boolean = right === "below" && RANKS.indexOf(party) < RANKS.indexOf(other);
      equal(to(stageFor(trial, party), OTHERS[other], other), isAllowed, `${cell} to ${other}`);
    }
    return;
  }
  const attempt = plain ?? foreign ?? own;
  equal(attempt?.(stageFor(trial, party)), right === "yes", cell);
}

function stageFor({ visibility = "public" }: Trial, party: Party): Stage {
  const house = new House(...Object.values(ACTORS), ...Object.values(OTHERS), ZED);
  const room = house.open("#room", OTHERS.owner, visibility);
  for (const handle of Object.values(OTHERS).slice(1)) {
    house.bring(room, handle);
    house.must(room, handle, text());
  }
  house.must(room, OTHERS.owner, text());
  house.must(room, OTHERS.owner, moderation({ act: "role", handle: OTHERS.operator, role: "operator" }));
  house.must(room, OTHERS.owner, moderation({ act: "mute", handle: OTHERS.muted }));
  house.must(room, OTHERS.outsider, PART);
  const actor = ACTORS[party];
  house.bring(room, actor);
  house.must(room, actor, text());
  if (party === "outsider") house.must(room, actor, PART);
  else if (party === "muted") house.must(room, OTHERS.owner, moderation({ act: "mute", handle: actor }));
  else if (party !== "member") {
    house.must(room, OTHERS.owner, moderation({ act: "role", handle: actor, role: party }));
  }
  return { house, room, actor, party };
}

function does({ house, room, actor }: Stage, what: EntryBody, about?: number): boolean {
  const before = house.room(room);
  const decision = house.propose(room, actor, what, about === undefined ? {} : { about });
  if (decision.kind === "refused") equal(house.room(room), before);
  return decision.kind === "placed";
}

function puts(stage: Stage): boolean {
  const { house, room, actor: owner } = stage;
  const file = {
    id: house.newId(),
    room,
    owner,
    size: 3,
    sha256: new Uint8Array(32),
    begun: 0,
    have: 3,
    done: true,
  };
  house.files.set(file.id.toHex(), file);
  return does(stage, { kind: "file", body: { file: file.id, name: "a.txt", size: 3, sha256: file.sha256 } });
}

function uninvitesForeign(stage: Stage): boolean {
  stage.house.must(stage.room, OTHERS.owner, membership({ change: "invite", handle: ZED }));
  return does(stage, membership({ change: "uninvite", handle: ZED }));
}

function answers(stage: Stage, change: "allow" | "deny"): boolean {
  stage.house.must(stage.room, ZED, KNOCK);
  return does(stage, membership({ change, handle: ZED }));
}

function saidByOwner(stage: Stage): number {
  return saidBy(stage, OTHERS.owner);
}

function saidBy({ house, room }: Stage, handle: Handle): number {
  const entry = house.log(room).findLast(({ from, kind }) => from === handle && kind === "text");
  ok(entry !== undefined);
  return entry.sequence;
}

function people(name: string): Readonly<Record<Party, Handle>> {
  return {
    owner: handleOf(`${name}-owner`),
    operator: handleOf(`${name}-operator`),
    member: handleOf(`${name}-member`),
    muted: handleOf(`${name}-muted`),
    outsider: handleOf(`${name}-outsider`),
  };
}
