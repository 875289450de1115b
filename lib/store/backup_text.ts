/**
 * What an operator reads of a backup.
 *
 * @module
 */

import { visible } from "../text/visible.ts";
import type { Backup, Restored } from "./backup.ts";
import { REST_KEY_FILE } from "./rest_key_file.ts";

/** The lines about a backup that was made in the folder `to`, safe for a terminal. */
export function madeLines(backup: Backup, to: string): readonly string[] {
  const key = backup.restKey === "inside"
    ? "Keep it from others: by the keys in it anybody can read all of it, and pass for the server."
    : "Keep it from others: by the host key in it anybody can pass for the server. The key of its rooms is not in it; keep a copy of that, too.";
  return [`backed up ${content(backup)} to ${visible(to)}`, key];
}

/** The lines about a backup that was put into the data folder `dataDir`, safe for a terminal. */
export function restoredLines(backup: Restored, dataDir: string): readonly string[] {
  const { missing } = backup;
  const next = backup.restKey === "inside" && !missing.includes(REST_KEY_FILE)
    ? "The server tells that in each room when it starts there."
    : "The server tells that in each room when it starts there; give it the key of the rooms by --key-file FILE.";
  return [
    `restored ${content(backup)}, as of ${moment(backup.made)}, to ${visible(dataDir)}`,
    ...missing.map((name) =>
      `${visible(name)} was in the backup and is missing there${
        name === REST_KEY_FILE ? ": nothing that was said opens without it" : ""
      }`
    ),
    next,
  ];
}

function content({ accounts, rooms, files }: Backup): string {
  return `${counted(accounts, "account")}, ${counted(rooms, "room")} and ${counted(files, "file")}`;
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}

/** The same wherever it is read. */
function moment(time: number): string {
  const date = new Date(time);
  if (Number.isNaN(date.getTime())) return "a day that no calendar has";
  return `${date.toISOString().slice(0, 16).replace("T", " ")} UTC`;
}
