import assert from "node:assert/strict";
import { addressGroup } from "../../lib/chat/address_group.ts";
import { test } from "../sanitized.ts";

test("addresses that one person commands are one group", () => {
  const groups: readonly (readonly [string, string])[] = [
    ["127.0.0.1", "127.0.0.1"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
    ["2001:db8:1:2::1", "2001:db8:1:2::/64"],
    ["2001:0DB8:0001:0002:ffff::", "2001:db8:1:2::/64"],
    ["2001:db8::1", "2001:db8:0:0::/64"],
    ["::1", "0:0:0:0::/64"],
    ["::", "0:0:0:0::/64"],
    ["1::", "1:0:0:0::/64"],
    ["fe80::1%eth0", "fe80:0:0:0::/64"],
    // A socket that takes both families shows IPv4 so: one group each, not one for all of them.
    ["::ffff:192.0.2.1", "192.0.2.1"],
    ["::FFFF:192.0.2.2", "192.0.2.2"],
  ];
  for (const [address, group] of groups) assert.equal(addressGroup(address), group, address);
});
