/**
 * A program that races another one: opens the accounts in a folder, says `ready`, and at the first line of its standard
 * input registers one account by each of some invitations, as fast as it can. It prints how each came out.
 *
 *     racer.ts FOLDER NAME COUNT
 *
 * @module
 */

import { openAccountDatabase } from "../../lib/store/account_database.ts";
import { parseHandle } from "../../lib/text/handle.ts";

const [folder = "", name = "", count = ""] = Deno.args;

const accounts = await openAccountDatabase(folder);
console.log("ready");
await Deno.stdin.read(new Uint8Array(1));
const kinds: string[] = [];
for (let at = 0; at < Number(count); at++) {
  const handle = parseHandle(`${name}-${at}`);
  if (handle === undefined) throw new Error("no handle");
  const account = { handle, passwordRecord: new Uint8Array(192), now: 0 };
  kinds.push((await accounts.register(account, new Uint8Array(32).fill(at))).kind);
}
accounts.close();
console.log(kinds.join(" "));
