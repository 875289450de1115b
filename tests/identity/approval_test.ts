import { deepEqual, equal, notDeepEqual, ok, rejects } from "node:assert/strict";
import { systemEntropy } from "../../lib/crypto/entropy.ts";
import { approvalWords, openApproval, sealApproval } from "../../lib/identity/approval.ts";
import { SEALED_SEED_BYTES } from "../../lib/wire/message.ts";
import { provider } from "../crypto/test_provider.ts";
import { test } from "../sanitized.ts";
import { ANN, BOB, HOST_KEY, IDENTITY, keyOf, OTHER_IDENTITY, seedOf } from "./people.ts";

const PAIR = await provider.x25519Pair(seedOf(70));
const DEVICE = (await keyOf(10)).publicKey;
const OTHER_DEVICE = (await keyOf(11)).publicKey;
const ACCOUNT = { hostKey: HOST_KEY, handle: ANN, identity: IDENTITY.publicKey, device: DEVICE };
const CONTEXT = { ...ACCOUNT, share: PAIR.share };

test("an approved device opens the identity's seed", async () => {
  const sealed = await sealApproval(provider, systemEntropy, { ...CONTEXT, seed: seedOf(2) });
  ok(sealed !== undefined);
  equal(sealed.sealed.length, SEALED_SEED_BYTES);
  const opened = await openApproval(provider, PAIR, {
    ...ACCOUNT,
    approver: sealed.share,
    sealed: sealed.sealed,
  });
  deepEqual(opened, seedOf(2));
});

test("each approval has a share of its own", async () => {
  const one = await sealApproval(provider, systemEntropy, { ...CONTEXT, seed: seedOf(2) });
  const two = await sealApproval(provider, systemEntropy, { ...CONTEXT, seed: seedOf(2) });
  notDeepEqual(one?.share, two?.share);
});

test("nothing opens by another pair, for another device, account, identity or server, or altered", async () => {
  const made = await sealApproval(provider, systemEntropy, { ...CONTEXT, seed: seedOf(2) });
  ok(made !== undefined);
  const good = { ...ACCOUNT, approver: made.share, sealed: made.sealed };
  const otherPair = await provider.x25519Pair(seedOf(71));
  equal(await openApproval(provider, otherPair, good), undefined);
  const wrong = [
    { ...good, device: OTHER_DEVICE },
    { ...good, handle: BOB },
    { ...good, identity: OTHER_IDENTITY.publicKey },
    { ...good, hostKey: OTHER_IDENTITY.publicKey },
    { ...good, approver: otherPair.share },
    { ...good, approver: made.share.with(0, (made.share[0] ?? 0) ^ 1) },
    { ...good, sealed: made.sealed.with(50, (made.sealed[50] ?? 0) ^ 1) },
    { ...good, sealed: made.sealed.slice(1) },
  ];
  for (const request of wrong) equal(await openApproval(provider, PAIR, request), undefined);
});

test("attack 12: shares of small order and of a wrong length are refused by both devices", async () => {
  const made = await sealApproval(provider, systemEntropy, { ...CONTEXT, seed: seedOf(2) });
  ok(made !== undefined);
  const zero = new Uint8Array(32);
  for (const share of [zero, zero.with(0, 1), new Uint8Array(32).fill(255)]) {
    equal(await sealApproval(provider, systemEntropy, { ...CONTEXT, share, seed: seedOf(2) }), undefined);
    equal(
      await openApproval(provider, PAIR, { ...ACCOUNT, approver: share, sealed: made.sealed }),
      undefined,
    );
  }
  const cut = made.share.slice(1);
  equal(await openApproval(provider, PAIR, { ...ACCOUNT, approver: cut, sealed: made.sealed }), undefined);
});

test("the words differ for another device, share, account, identity or server", async () => {
  const words = (await approvalWords(provider, CONTEXT)).join(" ");
  equal(words.split(" ").length, 6);
  const others = [
    { ...CONTEXT, device: OTHER_DEVICE },
    { ...CONTEXT, share: (await provider.x25519Pair(seedOf(71))).share },
    { ...CONTEXT, handle: BOB },
    { ...CONTEXT, identity: OTHER_IDENTITY.publicKey },
    { ...CONTEXT, hostKey: OTHER_IDENTITY.publicKey },
    { ...CONTEXT, device: CONTEXT.identity, identity: CONTEXT.device },
  ];
  for (const context of others) ok((await approvalWords(provider, context)).join(" ") !== words);
  await rejects(approvalWords(provider, { ...CONTEXT, device: DEVICE.slice(1) }), RangeError);
});

test("a server that answers a new device itself, with an identity of its own, is found out", async () => {
  // The device shows words over the identity that it was told. A false one gives other words than the old device has.
  const told = { ...CONTEXT, identity: OTHER_IDENTITY.publicKey };
  notDeepEqual(await approvalWords(provider, told), await approvalWords(provider, CONTEXT));
  // Told the true one, it takes no seed but that one's.
  const forged = await sealApproval(provider, systemEntropy, { ...CONTEXT, seed: seedOf(3) });
  ok(forged !== undefined);
  equal(
    await openApproval(provider, PAIR, { ...ACCOUNT, approver: forged.share, sealed: forged.sealed }),
    undefined,
  );
});
