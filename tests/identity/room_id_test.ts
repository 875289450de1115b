import { deepEqual, equal, notDeepEqual, throws } from "node:assert/strict";
import { directId, lobbyId, openId } from "../../lib/identity/room_id.ts";
import { provider } from "../crypto/test_provider.ts";
import { test } from "../sanitized.ts";
import { ANN, BOB, handleOf, HOST_KEY, OTHER_IDENTITY, seedOf } from "./people.ts";

test("the lobby's id follows from the host key, and every server has another", () => {
  const id = lobbyId(provider, HOST_KEY);
  equal(id.length, 16);
  deepEqual(lobbyId(provider, HOST_KEY), id);
  notDeepEqual(lobbyId(provider, OTHER_IDENTITY.publicKey), id);
});

test("a direct conversation has one id, whoever of the two begins it", () => {
  const id = directId(provider, HOST_KEY, [ANN, BOB]);
  equal(id.length, 16);
  deepEqual(directId(provider, HOST_KEY, [BOB, ANN]), id);
  notDeepEqual(directId(provider, HOST_KEY, [ANN, handleOf("bo")]), id);
  notDeepEqual(directId(provider, OTHER_IDENTITY.publicKey, [ANN, BOB]), id);
  notDeepEqual(
    directId(provider, HOST_KEY, [handleOf("annb"), handleOf("ob")]),
    id,
    "names do not run together",
  );
  throws(() => directId(provider, HOST_KEY, [ANN, ANN]), RangeError);
});

test("an open room's id follows from the entry that makes it", () => {
  const [one, other] = [seedOf(1).slice(0, 16), seedOf(2).slice(0, 16)];
  equal(openId(provider, HOST_KEY, one).length, 16);
  notDeepEqual(openId(provider, HOST_KEY, one), openId(provider, HOST_KEY, other));
  notDeepEqual(openId(provider, OTHER_IDENTITY.publicKey, one), openId(provider, HOST_KEY, one));
});
