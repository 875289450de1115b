import { deepEqual, equal, match } from "node:assert/strict";
import { ANSWER_MS_MAX } from "../../lib/client/password_connection.ts";
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
import type { Script } from "./fake_server.ts";
import { accountOf, cardOf, keysEvent, Lobby, ownKeysOf } from "./lobby.ts";

/** Ann, as all of these tests begin. */
const ANN = await Person.named("ann");

/** An account message with keys of the test's choice. */
function account(keys: Keys): ServerMessage {
  return { type: "account", handle: ANN.name, role: "member", keys, recovery: true };
}

/** Answers changes of the list as an honest server does. */
const obedient: Script = async (message) => {
  if (message.type === "publish" || message.type === "approve") return [account(message.keys)];
  if (message.type === "enter") return [await accountOf(ANN)];
  return [{ type: "presence", room: "#lobby", change: "here", names: [ANN.name], time: 0 }];
};

async function asking(name: string, device: SigningKey): Promise<Approval & { readonly type: "approval" }> {
  const pair = await repeatable.x25519Pair(seededEntropy(`share of ${name}`)(32));
  return { type: "approval", device: device.publicKey, name, share: pair.share };
}

function keptList(lobby: Lobby) {
  const kept = lobby.ownKeys.kept.get(ANN.name);
  return kept && decodeDeviceList(kept.keys.list);
}

test("what another own device publishes is believed, kept and told", async () => {
  const lobby = await Lobby.entered();
  const phone = await keyOf("ann's phone");
  const list = ANN.with(phone.publicKey, "phone");
  deepEqual(await lobby.tell(await accountOf(ANN, list)), [keysEvent(ANN, "deviceAdded", "phone")]);
  deepEqual(keptList(lobby)?.number, 2);
  await lobby.conversation.request({ type: "devices" });
  const told = await lobby.until(({ type }) => type === "devices");
  deepEqual(
    told.type === "devices" && told.devices.map(({ name, here }) => [name, here]),
    [["laptop", true], ["phone", false]],
  );
  equal((await lobby.shown(await lobby.entry(ANN, { device: phone }))).verified, true);
  await lobby.leave();
});

test("a list with a device in it that the identity did not sign is not believed", async () => {
  const lobby = await Lobby.entered();
  const ghost = await keyOf("the server's own");
  const keys = await ANN.keys(ANN.with(ghost.publicKey, "laptop 2"));
  const signature = await (await keyOf("the server's identity")).sign(keys.list);
  deepEqual(await lobby.tell(account({ ...keys, signature })), [keysEvent(ANN, "listRefused")]);
  equal(lobby.ownKeys.log.length, 0);
  equal((await lobby.shown(await lobby.entry(ANN, { device: ghost }))).reason, "unknown device");
  await lobby.leave();
});

test("an older list of one's own is told, and never believed", async () => {
  const lobby = await Lobby.entered();
  const phone = await keyOf("ann's phone");
  await lobby.tell(await accountOf(ANN, ANN.with(phone.publicKey, "phone")));
  const before = lobby.ownKeys.log.length;
  deepEqual(await lobby.tell(await accountOf(ANN)), [keysEvent(ANN, "listRefused")]);
  deepEqual(await lobby.tell({ type: "cards", cards: [await cardOf(ANN)] }), [keysEvent(ANN, "listRefused")]);
  equal(lobby.ownKeys.log.length, before);
  await lobby.leave();
});

test("two lists of one's own with one number are told", async () => {
  const lobby = await Lobby.entered();
  await lobby.tell(await accountOf(ANN, withDisplay(ANN.list, "Annie")));
  deepEqual(await lobby.tell(await accountOf(ANN, withDisplay(ANN.list, "Anna"))), [
    keysEvent(ANN, "listRefused"),
  ]);
  await lobby.leave();
});

test("another identity in place of one's own ends the conversation, and nothing is kept of it", async () => {
  const other = await Person.named("ann", "another life");
  for (const shown of [await accountOf(other), { type: "cards" as const, cards: [await cardOf(other)] }]) {
    const lobby = await Lobby.entered();
    const events = await lobby.tell(shown);
    deepEqual(events[0], keysEvent(ANN, "identityChanged"));
    equal((await lobby.conversation.outcome)?.exit, "protocol");
    equal(lobby.ownKeys.log.length, 0);
    await lobby.leave();
  }
});

test("another identity at the door is no reason to join", async () => {
  const other = await Person.named("ann", "another life");
  const lobby = await Lobby.began({ script: async () => [await accountOf(other)] });
  equal(await lobby.conversation.admission, "ended");
  match((await lobby.conversation.outcome)?.message ?? "", /another identity now/);
  await lobby.leave();
  deepEqual(lobby.server.heard.map(({ type }) => type), ["enter"]);
});

test("a list in which this device is revoked ends the conversation with exit 77", async () => {
  const lobby = await Lobby.entered();
  const phone = await keyOf("ann's phone");
  const ann = await Person.named("ann");
  ann.list = ann.with(phone.publicKey, "phone");
  await lobby.tell(await accountOf(ann));
  const events = await lobby.tell(await accountOf(ann, ann.without(ann.device.publicKey)));
  deepEqual(events[0], keysEvent(ANN, "deviceRevoked", "laptop"));
  const failure = await lobby.conversation.outcome;
  equal(failure?.exit, "noPermission");
  match(failure?.message ?? "", /^Cannot go on as ann at here: this device was revoked/);
  await lobby.leave();
});

test("a display name is changed, taken away, and refused where it is none", async () => {
  const lobby = await Lobby.entered({ script: obedient });
  const { conversation } = lobby;
  equal(await conversation.request({ type: "nick", display: " Ann the First " }), undefined);
  equal(keptList(lobby)?.display, "Ann the First");
  equal(await conversation.request({ type: "nick", display: "" }), undefined);
  equal(keptList(lobby)?.display, "");
  equal(lobby.events.filter(({ type }) => type === "done").length, 2);
  match(await conversation.request({ type: "nick", display: "a\u202Eb" }) ?? "", /^Cannot use /);
  await lobby.tell({ type: "cards", cards: [await cardOf(await Person.named("ben"))] });
  match(
    await conversation.request({ type: "nick", display: "Ben" }) ?? "",
    /looks like somebody else's name/,
  );
  await lobby.leave();
});

test("a device is revoked by its name, blanks and all, but never the last one", async () => {
  const lobby = await Lobby.entered({ script: obedient });
  const { conversation } = lobby;
  match(await conversation.request({ type: "revoke", name: "laptop" }) ?? "", /your last active device/);
  const phone = await keyOf("ann's phone");
  await lobby.tell(await accountOf(ANN, ANN.with(phone.publicKey, "my old phone")));
  match(await conversation.request({ type: "revoke", name: "old" }) ?? "", /no active device of yours/);
  equal(await conversation.request({ type: "revoke", name: "my old phone" }), undefined);
  equal(keptList(lobby)?.devices.at(-1)?.revoked === undefined, false);
  match(
    await conversation.request({ type: "revoke", name: "my old phone" }) ?? "",
    /no active device of yours/,
  );
  await lobby.leave();
});

test("an approval seals the seed for the device whose words were shown, in a list made of the one known", async () => {
  const lobby = await Lobby.entered({ script: obedient });
  const phone = await keyOf("ann's phone");
  const request = await asking("phone", phone);
  const [told] = await lobby.tell(request);
  const { identity } = await ANN.keys();
  const context = { hostKey: HOST_KEY.publicKey, handle: ANN.name, identity, device: phone.publicKey };
  const words = await approvalWords(repeatable, { ...context, share: request.share });
  deepEqual(told, { type: "approval", name: "phone", words });
  equal(await lobby.conversation.request({ type: "approve", name: "phone" }), undefined);

  const { keys, share: approver, sealed, device } = await lobby.server.said("approve");
  deepEqual(device, phone.publicKey);
  const pair = await repeatable.x25519Pair(seededEntropy("share of phone")(32));
  const seed = await openApproval(repeatable, pair, { ...context, approver, sealed });
  deepEqual(seed, (await ownKeysOf(ANN)).identitySeed);
  const opened = await openKeys(repeatable, HOST_KEY.publicKey, ANN.name, keys);
  deepEqual(opened?.list.devices.map(({ name }) => name), ["laptop", "phone"]);
  match(await lobby.conversation.request({ type: "approve", name: "phone" }) ?? "", /in the list already/);
  match(
    await lobby.conversation.request({ type: "approve", name: "fridge" }) ?? "",
    /those that do are phone/,
  );
  await lobby.leave();
});

test("what was done is told in one sentence each, without a full stop, as all notices", async () => {
  const lobby = await Lobby.entered({ script: obedient });
  await lobby.tell(
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
  ) equal(await lobby.conversation.request(request), undefined);
  await lobby.tell({ type: "cards", cards: [other] });
  equal(await lobby.conversation.request({ type: "accept", handle: "ben" }), undefined);
  deepEqual(lobby.events.flatMap((event) => event.type === "done" ? [event.what] : []), [
    "phone is approved",
    "phone is revoked",
    "You are shown as Annie now",
    "Nothing is shown beside your name now",
    "ben is verified: the words were compared",
    "The new identity of ben is accepted; compare the words of /whois ben",
  ]);
  await lobby.leave();
});

test("a second request of the same name does not take the first one's place", async () => {
  const lobby = await Lobby.entered({ script: obedient });
  const phone = await keyOf("ann's phone");
  const ghost = await keyOf("the server's own");
  const events = await lobby.tell(
    await asking("phone", phone),
    { ...await asking("phone", ghost), share: (await asking("other", ghost)).share },
    await asking("phone", phone),
  );
  deepEqual(events.map((event) => event.type === "approval" && event.name), ["phone", "phone (2)"]);
  equal(await lobby.conversation.request({ type: "approve", name: "phone" }), undefined);
  deepEqual((await lobby.server.said("approve")).device, phone.publicKey);
  await lobby.leave();
});

test("requests by names or keys that no honest device has are not shown", async () => {
  const lobby = await Lobby.entered();
  const phone = await keyOf("ann's phone");
  deepEqual(
    await lobby.tell(
      { ...await asking("phone", phone), name: "pho\u200Bne" },
      { ...await asking("phone", phone), device: new Uint8Array(32) },
    ),
    [],
  );
  await lobby.leave();
});

test("a change that the server refuses, or answers with other keys, is not believed", async () => {
  for (const [code, why] of [["staleList", /do it again/], ["badList", /refuses the new list/]] as const) {
    const lobby = await Lobby.entered({
      script: async (message) =>
        message.type === "publish" ? [{ type: "fault", code }] : await obedient(message),
    });
    match(await lobby.conversation.request({ type: "nick", display: "Annie" }) ?? "", why);
    equal(lobby.ownKeys.log.length, 0);
    await lobby.leave();
  }

  const other = await Person.named("ann", "another life");
  const lobby = await Lobby.entered({
    script: async (message) =>
      message.type === "publish" ? [await accountOf(other)] : await obedient(message),
  });
  match(
    await lobby.conversation.request({ type: "nick", display: "Annie" }) ?? "",
    /the connection has ended/,
  );
  equal((await lobby.conversation.outcome)?.exit, "protocol");
  equal(lobby.ownKeys.log.length, 0);
  await lobby.leave();
});

test("a change that is never answered keeps nobody waiting, and another one is refused meanwhile", async () => {
  const lobby = await Lobby.entered({
    script: async (message) => message.type === "publish" ? [] : await obedient(message),
  });
  const { conversation } = lobby;
  const asked = conversation.request({ type: "nick", display: "Annie" });
  await lobby.server.said("publish");
  match(await conversation.request({ type: "nick", display: "Anna" }) ?? "", /another change waits/);
  lobby.clock.now = ANSWER_MS_MAX;
  conversation.tick(lobby.clock.now);
  match(await asked ?? "", /the server does not answer/);
  await lobby.leave();
});

test("another program of this device may have kept the same list first, but not other keys", async () => {
  const list = withDisplay(ANN.list, "Annie");
  const inUse = new Failure(
    "temporary",
    "Cannot keep the keys: another program has changed them; try again.",
  );
  const own = { ...await ownKeysOf(ANN), keys: await ANN.keys(list) };
  for (const there of [own, { ...own, deviceSeed: new Uint8Array(32) }]) {
    const lobby = await Lobby.entered();
    lobby.ownKeys.kept.set(ANN.name, there);
    lobby.ownKeys.save = () => Promise.reject(inUse);
    const events = await lobby.tell(await accountOf(ANN, list));
    if (there === own) deepEqual(events, [keysEvent(ANN, "renamed", "Annie")]);
    else equal(await lobby.conversation.outcome, inUse);
    await lobby.leave();
  }
});
