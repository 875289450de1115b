import { equal } from "node:assert/strict";
import { RECENT_IDS_MAX, RecentIds } from "../../lib/client/recent_ids.ts";
import { u64 } from "../../lib/wire/bytes.ts";
import { test } from "../sanitized.ts";

test("an id is known from its first time until as many others have come as are remembered", () => {
  const ids = new RecentIds();
  equal(ids.seen(u64(0)), false);
  for (let id = 1; id < RECENT_IDS_MAX; id++) equal(ids.seen(u64(id)), false);
  equal(ids.seen(u64(0)), true);
  equal(ids.seen(u64(RECENT_IDS_MAX)), false);
  equal(ids.seen(u64(0)), false);
  equal(ids.seen(u64(RECENT_IDS_MAX)), true);
});
