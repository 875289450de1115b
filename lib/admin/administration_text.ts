/**
 * What an operator reads of an answer.
 *
 * @module
 */

import type { AdminAnswer, AdminUser, ListedRoom } from "../chat/administration.ts";
import { Failure } from "../text/failure.ts";
import { visible } from "../text/visible.ts";

/**
 * The lines of `answer`, safe for a terminal; an invitation is a picture, too, where `qr` is set. Throws what was
 * refused as a {@linkcode Failure}.
 */
export async function administrationLines(
  answer: AdminAnswer,
  { qr }: { readonly qr: boolean },
): Promise<readonly string[]> {
  switch (answer.kind) {
    case "users":
      return userLines(answer.users);
    case "invitation": {
      const { url, expires, uses, handle } = answer;
      const who = handle === undefined ? "" : ` for ${handle}`;
      const good = `good for ${uses} ${uses === 1 ? "registration" : "registrations"}${who} until ${
        moment(expires)
      }`;
      return [`invitation ${visible(url)}`, good, ...(qr ? await picture(url) : [])];
    }
    case "bans":
      return banLines(answer.bans);
    case "rooms":
      return roomLines(answer.rooms, answer.directs);
    case "banned": {
      const { isOn, subject } = answer;
      const who = subject.kind === "account" ? visible(subject.handle) : shownGroup(subject.group);
      return [isOn ? `banned ${who}` : `banned no more: ${who}`];
    }
    case "changed":
      return [`${answer.change} ${answer.handle}`];
    case "refused":
      throw new Failure(answer.exit, visible(answer.sentence));
  }
}

function banLines(bans: Extract<AdminAnswer, { kind: "bans" }>["bans"]): string[] {
  if (bans.length === 0) return ["Nobody is banned"];
  return bans.map(({ subject, since, until, reason }) => {
    const end = until === undefined ? "for good" : `until ${moment(until)}`;
    return [
      `${shownGroup(subject)} since ${moment(since)}, ${end}`,
      ...(reason === undefined ? [] : [visible(reason)]),
    ].join(": ");
  });
}

/** An IPv6 group as one writes it, without zeros that need not be there; anything else as it is. */
function shownGroup(group: string): string {
  return visible(group.replace(/(?:(?:^|:)0)+::\/64$/, "::/64"));
}

function userLines(users: readonly AdminUser[]): string[] {
  if (users.length === 0) return ["There are no accounts yet"];
  return table([["NAME", "ROLE", "STANDING", "SINCE", "PASSWORD", "DEVICES"], ...users.map(userRow)]);
}

function roomLines(rooms: readonly ListedRoom[], directs: number): string[] {
  const heading = ["NAME", "KIND", "MEMBERS", "ENTRIES", "LAST"];
  const between = directs === 1 ? "1 conversation of two" : `${directs} conversations of two`;
  return [...table([heading, ...rooms.map(roomRow)]), `besides ${between}`];
}

function roomRow({ name, visibility, members, entries, last }: ListedRoom): readonly string[] {
  return [visible(name), visibility, String(members), String(entries), moment(last)];
}

/** Each column as wide as its widest cell. */
function table(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ").trimEnd());
}

function userRow({ handle, role, standing, registered, hasPassword, hasKeys }: AdminUser): readonly string[] {
  return [
    handle,
    role,
    standing,
    moment(registered),
    hasPassword ? "set" : "none",
    hasKeys ? "published" : "none",
  ];
}

/** The same wherever it is read. */
function moment(time: number): string {
  const date = new Date(time);
  if (Number.isNaN(date.getTime())) return "a day that no calendar has";
  return `${date.toISOString().slice(0, 16).replace("T", " ")} UTC`;
}

/** Half a line for each row of squares, light ones printed, so that it is right on a dark screen. */
async function picture(url: string): Promise<readonly string[]> {
  const { renderUnicodeCompact } = await import("uqr");
  return renderUnicodeCompact(url).split("\n");
}
