import { deepEqual, ok } from "node:assert/strict";
import { madeLines, restoredLines } from "../../lib/store/backup_text.ts";
import { test } from "../sanitized.ts";

const BACKUP = {
  made: Date.UTC(2026, 10, 22, 9, 30, 59),
  restKey: "inside",
  accounts: 2,
  rooms: 1,
  files: 0,
} as const;

test("an operator reads what a backup holds, and where the key is that opens it", () => {
  deepEqual(madeLines(BACKUP, "b\u001b[2J"), [
    "backed up 2 accounts, 1 room and 0 files to b␛[2J",
    "Keep it from others: by the keys in it anybody can read all of it, and pass for the server.",
  ]);
  deepEqual(restoredLines({ ...BACKUP, missing: [] }, "d"), [
    "restored 2 accounts, 1 room and 0 files, as of 2026-11-22 09:30 UTC, to d",
    "The server tells that in each room when it starts there.",
  ]);
  const elsewhere = { ...BACKUP, restKey: "elsewhere", made: 8.64e15 + 1 } as const;
  ok(madeLines(elsewhere, "b")[1]?.endsWith("The key of its rooms is not in it; keep a copy of that, too."));
  const [first, second] = restoredLines({ ...elsewhere, missing: [] }, "d");
  ok(first?.includes("as of a day that no calendar has"));
  ok(second?.endsWith("give it the key of the rooms by --key-file FILE."));
});

test("an operator reads what a backup had lost before it was put back", () => {
  deepEqual(restoredLines({ ...BACKUP, missing: ["rest.key", "files/0a"] }, "d").slice(1), [
    "rest.key was in the backup and is missing there: nothing that was said opens without it",
    "files/0a was in the backup and is missing there",
    "The server tells that in each room when it starts there; give it the key of the rooms by --key-file FILE.",
  ]);
});
