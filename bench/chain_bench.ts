import { claimOf, contentDigest, placeOf, signEntry, verifyEntry } from "../lib/identity/log_entry.ts";
import { author, draft, entry, provider, room } from "./sample_log.ts";

const claim = claimOf(room.id, entry);
const key = await provider.ed25519VerifyingKey(author.key.publicKey);
if (key === undefined) throw new Error("a key of our own is one");

Deno.bench("the digest of what an entry says", () => {
  contentDigest(provider, draft.content);
});
Deno.bench("an entry's place in the chain", () => {
  placeOf(provider, room.id, entry);
});
Deno.bench("sign an entry", async () => {
  await signEntry(author.key, claim);
});
Deno.bench("verify an entry", async () => {
  if (!await verifyEntry(key, claim, entry.signature)) throw new Error("it verifies");
});
