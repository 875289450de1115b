import { deepEqual, equal, match } from "node:assert/strict";
import { ANSWER_MS_MAX } from "../../lib/client/password_connection.ts";
import type { ClientEvent, KeysNews } from "../../lib/client/event.ts";
import type { SigningKey } from "../../lib/crypto/port.ts";
import { approvalWords, openApproval } from "../../lib/identity/approval.ts";
import { decodeDeviceList, openKeys } from "../../lib/identity/device_list.ts";
import { withDisplay } from "../../lib/identity/next_device_list.ts";
import { Failure } from "../../lib/text/failure.ts";
import type { Approval, Keys, ServerMessage } from "../../lib/wire/message.ts";
import { repeatable } from "../secure/recorded_session.ts";
import { seededEntropy } from "../secure/seeded_entropy.ts";
import { test } from "../sanitized.ts";
import { HOST_KEY, keyOf, Person } from "../session/people.ts";
import { ChatBench } from "./chat_bench.ts";
import { accountOf, cardOf, ownKeysOf } from "./memory_keepers.ts";

/** Ann, as all of these tests begin. */
const ANN = await Person.named("ann");

/** An account message with keys of the test's choice. */
function account(keys: Keys): ServerMessage {
  return { type: "account", handle: ANN.name, role: "member", keys, recovery: true };
}

/** A change of Ann's keys as the front end is told it. */
function keysEvent(news: KeysNews, detail?: string): ClientEvent {
  return { type: "keys", handle: ANN.name, news, detail };
}

async function asking(name: string, device: SigningKey): Promise<Approval & { readonly type: "approval" }> {
  const pair = await repeatable.x25519Pair(seededEntropy(`share of ${name}`)(32));
  return { type: "approval", device: device.publicKey, name, share: pair.share };
}

function keptList(bench: ChatBench) {
  const kept = bench.ownKeys.kept.get(ANN.name);
  return kept && decodeDeviceList(kept.keys.list);
}

test("what another own device publishes is believed, kept and told", async () => {
  const bench = await ChatBench.entered();
  const phone = await keyOf("ann's phone");
  const list = ANN.with(phone.publicKey, "phone");
  deepEqual(await bench.told(await accountOf(ANN, list)), [keysEvent("deviceAdded", "phone")]);
  deepEqual(keptList(bench)?.number, 2);
  await bench.chat.request({ type: "devices" });
  const told = await bench.until(({ type }) => type === "devices");
  deepEqual(
    told.type === "devices" && told.devices.map(({ name, here }) => [name, here]),
    [["laptop", true], ["phone", false]],
  );
  equal((await bench.said(ANN, { device: phone })).verified, true);
  await bench.quit();
});

test("a list with a device in it that the identity did not sign is not believed", async () => {
  const bench = await ChatBench.entered();
  const ghost = await keyOf("the server's own");
  const keys = await ANN.keys(ANN.with(ghost.publicKey, "laptop 2"));
  const signature = await (await keyOf("the server's identity")).sign(keys.list);
  deepEqual(await bench.told(account({ ...keys, signature })), [keysEvent("listRefused")]);
  equal(bench.ownKeys.log.length, 0);
  equal((await bench.said(ANN, { device: ghost })).reason, "unknown device");
  await bench.quit();
});

test("an older list of one's own is told, and never believed", async () => {
  const bench = await ChatBench.entered();
  const phone = await keyOf("ann's phone");
  await bench.told(await accountOf(ANN, ANN.with(phone.publicKey, "phone")));
  const before = bench.ownKeys.log.length;
  deepEqual(await bench.told(await accountOf(ANN)), [keysEvent("listRefused")]);
  deepEqual(await bench.told({ type: "cards", cards: [await cardOf(ANN)] }), [keysEvent("listRefused")]);
  equal(bench.ownKeys.log.length, before);
  await bench.quit();
});

test("two lists of one's own with one number are told", async () => {
  const bench = await ChatBench.entered();
  await bench.told(await accountOf(ANN, withDisplay(ANN.list, "Annie")));
  deepEqual(await bench.told(await accountOf(ANN, withDisplay(ANN.list, "Anna"))), [
    keysEvent("listRefused"),
  ]);
  await bench.quit();
});

test("another identity in place of one's own ends the conversation, and nothing is kept of it", async () => {
  const other = await Person.named("ann", "another life");
  for (const shown of [await accountOf(other), { type: "cards" as const, cards: [await cardOf(other)] }]) {
    const bench = await ChatBench.entered();
    const events = await bench.told(shown);
    deepEqual(events[0], keysEvent("identityChanged"));
    equal((await bench.outcome())?.exit, "protocol");
    equal(bench.ownKeys.log.length, 0);
    await bench.quit();
  }
});

test("another identity at the door is no reason to come in", async () => {
  const other = await accountOf(await Person.named("ann", "another life"));
  const bench = await ChatBench.of();
  bench.lie = () => [other];
  const failure = await bench.begin().then(() => undefined, (error) => error);
  match(failure?.message ?? "", /another identity now/);
  deepEqual(bench.heard.map(({ type }) => type), ["enter"]);
});

test("a list in which this device is revoked ends the conversation with exit 77", async () => {
  const bench = await ChatBench.entered();
  const phone = await keyOf("ann's phone");
  const ann = await Person.named("ann");
  ann.list = ann.with(phone.publicKey, "phone");
  await bench.told(await accountOf(ann));
  const events = await bench.told(await accountOf(ann, ann.without(ann.device.publicKey)));
  deepEqual(events[0], keysEvent("deviceRevoked", "laptop"));
  const failure = await bench.outcome();
  equal(failure?.exit, "noPermission");
  match(failure?.message ?? "", /^Cannot go on as ann at here: this device was revoked/);
  await bench.quit();
});

test("a display name is changed, taken away, and refused where it is none", async () => {
  const bench = await ChatBench.entered();
  equal(await bench.chat.request({ type: "nick", display: " Ann the First " }), undefined);
  equal(keptList(bench)?.display, "Ann the First");
  equal(await bench.chat.request({ type: "nick", display: "" }), undefined);
  equal(keptList(bench)?.display, "");
  equal(bench.events.filter(({ type }) => type === "done").length, 2);
  match(await bench.chat.request({ type: "nick", display: "a\u202Eb" }) ?? "", /^Cannot use /);
  await bench.told({ type: "cards", cards: [await cardOf(await Person.named("ben"))] });
  match(
    await bench.chat.request({ type: "nick", display: "Ben" }) ?? "",
    /looks like somebody else's name/,
  );
  await bench.quit();
});

test("a device is revoked by its name, blanks and all, but never the last one", async () => {
  const bench = await ChatBench.entered();
  match(await bench.chat.request({ type: "revoke", name: "laptop" }) ?? "", /your last active device/);
  const phone = await keyOf("ann's phone");
  await bench.told(await accountOf(ANN, ANN.with(phone.publicKey, "my old phone")));
  match(await bench.chat.request({ type: "revoke", name: "old" }) ?? "", /no active device of yours/);
  equal(await bench.chat.request({ type: "revoke", name: "my old phone" }), undefined);
  equal(keptList(bench)?.devices.at(-1)?.revoked === undefined, false);
  match(
    await bench.chat.request({ type: "revoke", name: "my old phone" }) ?? "",
    /no active device of yours/,
  );
  await bench.quit();
});

test("an approval seals the seed for the device whose words were shown, in a list made of the one known", async () => {
  const bench = await ChatBench.entered();
  const phone = await keyOf("ann's phone");
  const request = await asking("phone", phone);
  const [told] = await bench.told(request);
  const { identity } = await ANN.keys();
  const context = { hostKey: HOST_KEY.publicKey, handle: ANN.name, identity, device: phone.publicKey };
  const words = await approvalWords(repeatable, { ...context, share: request.share });
  deepEqual(told, { type: "approval", name: "phone", words });
  equal(await bench.chat.request({ type: "approve", name: "phone" }), undefined);

  const { keys, share: approver, sealed, device } = await bench.line.server.said("approve");
  deepEqual(device, phone.publicKey);
  const pair = await repeatable.x25519Pair(seededEntropy("share of phone")(32));
  const seed = await openApproval(repeatable, pair, { ...context, approver, sealed });
  deepEqual(seed, (await ownKeysOf(ANN)).identitySeed);
  const opened = await openKeys(repeatable, HOST_KEY.publicKey, ANN.name, keys);
  deepEqual(opened?.list.devices.map(({ name }) => name), ["laptop", "phone"]);
  match(await bench.chat.request({ type: "approve", name: "phone" }) ?? "", /in the list already/);
  match(
    await bench.chat.request({ type: "approve", name: "fridge" }) ?? "",
    /those that do are phone/,
  );
  await bench.quit();
});

test("a device that the list calls otherwise is told by the name that was given, and by that of the list", async () => {
  const bench = await ChatBench.entered();
  await bench.told(await asking("laptop", await keyOf("ann's other laptop")));
  equal(await bench.chat.request({ type: "approve", name: "laptop" }), undefined);
  const done = await bench.until(({ type }) => type === "done");
  equal(done.type === "done" && done.what, "laptop is approved, and is listed as laptop 2");
  await bench.quit();
});

test("what was done is told in one sentence each, without a full stop, as all notices", async () => {
  const bench = await ChatBench.entered();
  await bench.told(
    await asking("phone", await keyOf("ann's phone")),
    { type: "cards", cards: [await cardOf(await Person.named("ben"))] },
  );
  const other = await cardOf(await Person.named("ben", "another life"));
  for (
    const request of [
      { type: "approve", name: "phone" },
      { type: "revoke", name: "phone" },
      { type: "nick", display: "Annie" },
      { type: "nick", display: "" },
      { type: "verify", handle: "ben" },
    ] as const
  ) equal(await bench.chat.request(request), undefined);
  await bench.told({ type: "cards", cards: [other] });
  equal(await bench.chat.request({ type: "accept", handle: "ben" }), undefined);
  deepEqual(bench.events.flatMap((event) => event.type === "done" ? [event.what] : []), [
    "phone is approved",
    "phone is revoked",
    "You are shown as Annie now",
    "Nothing is shown beside your name now",
    "ben is verified: the words were compared",
    "The new identity of ben is accepted; compare the words of /whois ben",
  ]);
  await bench.quit();
});

test("a second request of the same name does not take the first one's place", async () => {
  const bench = await ChatBench.entered();
  const phone = await keyOf("ann's phone");
  const ghost = await keyOf("the server's own");
  const events = await bench.told(
    await asking("phone", phone),
    { ...await asking("phone", ghost), share: (await asking("other", ghost)).share },
    await asking("phone", phone),
  );
  deepEqual(events.map((event) => event.type === "approval" && event.name), ["phone", "phone (2)"]);
  equal(await bench.chat.request({ type: "approve", name: "phone" }), undefined);
  deepEqual((await bench.line.server.said("approve")).device, phone.publicKey);
  await bench.quit();
});

test("requests by names or keys that no honest device has are not shown", async () => {
  const bench = await ChatBench.entered();
  const phone = await keyOf("ann's phone");
  deepEqual(
    await bench.told(
      { ...await asking("phone", phone), name: "pho\u200Bne" },
      { ...await asking("phone", phone), device: new Uint8Array(32) },
    ),
    [],
  );
  await bench.quit();
});

test("a change that the server refuses, or answers with other keys, is not believed", async () => {
  for (const [code, why] of [["staleList", /do it again/], ["badList", /refuses the new list/]] as const) {
    const bench = await ChatBench.entered();
    bench.lie = ({ type }) => type === "publish" ? [{ type: "fault", code }] : undefined;
    match(await bench.chat.request({ type: "nick", display: "Annie" }) ?? "", why);
    equal(bench.ownKeys.log.length, 0);
    await bench.quit();
  }

  const other = await accountOf(await Person.named("ann", "another life"));
  const bench = await ChatBench.entered();
  bench.lie = ({ type }) => type === "publish" ? [other] : undefined;
  match(await bench.chat.request({ type: "nick", display: "Annie" }) ?? "", /the connection has ended/);
  equal((await bench.outcome())?.exit, "protocol");
  equal(bench.ownKeys.log.length, 0);
});

test("a change that is never answered keeps nobody waiting, and another one is refused meanwhile", async () => {
  const bench = await ChatBench.entered();
  bench.lie = ({ type }) => type === "publish" ? [] : undefined;
  const asked = bench.chat.request({ type: "nick", display: "Annie" });
  await bench.line.server.said("publish");
  match(await bench.chat.request({ type: "nick", display: "Anna" }) ?? "", /another change waits/);
  bench.pass(ANSWER_MS_MAX);
  match(await asked ?? "", /the server does not answer/);
  await bench.quit();
});

test("another program of this device may have kept the same list first, but not other keys", async () => {
  const list = withDisplay(ANN.list, "Annie");
  const inUse = new Failure(
    "temporary",
    "Cannot keep the keys: another program has changed them; try again.",
  );
  const own = { ...await ownKeysOf(ANN), keys: await ANN.keys(list) };
  for (const there of [own, { ...own, deviceSeed: new Uint8Array(32) }]) {
    const bench = await ChatBench.entered();
    bench.ownKeys.kept.set(ANN.name, there);
    bench.ownKeys.save = () => Promise.reject(inUse);
    const events = await bench.told(await accountOf(ANN, list));
    if (there === own) deepEqual(events, [keysEvent("renamed", "Annie")]);
    else equal(await bench.outcome(), inUse);
    await bench.quit();
  }
});
