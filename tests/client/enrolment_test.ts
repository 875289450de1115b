import { deepEqual, equal, match, rejects } from "node:assert/strict";
import { type AccountDesk, enrol, type EnrolmentParts } from "../../lib/client/enrolment.ts";
import type { OwnKeys } from "../../lib/client/keepers.ts";
import type { Answer } from "../../lib/client/password_connection.ts";
import { sealApproval } from "../../lib/identity/approval.ts";
import { decodeDeviceList, type DeviceList } from "../../lib/identity/device_list.ts";
import { withDisplay } from "../../lib/identity/next_device_list.ts";
import { parseRecoveryCode, recoveryCodeText, sealRecovery } from "../../lib/identity/recovery_code.ts";
import { Failure } from "../../lib/text/failure.ts";
import type { Bytes } from "../../lib/wire/bytes.ts";
import type { AccountMessage, Approved, AskApproval, Keys } from "../../lib/wire/message.ts";
import { repeatable } from "../secure/recorded_session.ts";
import { seededEntropy } from "../secure/seeded_entropy.ts";
import { test } from "../sanitized.ts";
import { handle, HOST_KEY, keyOf, Person, THEN } from "../session/people.ts";
import { type Answers, FakePerson } from "./fake_person.ts";
import { accountOf, MemoryOwnKeys, ownKeysOf } from "./memory_keepers.ts";

const ANN = await Person.named("ann");
const CODE = new Uint8Array(20).fill(5);

type Published = Answer<AccountMessage>;

/** A server's side of an account, which tells the truth until a test makes it lie. */
class Desk implements AccountDesk {
  /** What was published, in order. */
  readonly published: { readonly keys: Keys; readonly recovery: Bytes | undefined }[] = [];
  /** What it answers to `publish`. */
  answer: (keys: Keys, recovery: Bytes | undefined) => Published | Promise<Published> = (keys, recovery) => ({
    kind: "answered",
    value: { type: "account", handle: ANN.name, role: "member", keys, recovery: recovery !== undefined },
  });
  /** What it answers to `recover`. */
  blob: Answer<Bytes> = { kind: "fault", code: "noRecovery" };
  /** What it answers to `askApproval`. */
  approve: (request: Omit<AskApproval, "type">) => Answer<Approved> | Promise<Answer<Approved>> = () => ({
    kind: "timedOut",
  });

  /** See {@linkcode AccountDesk}. */
  async publish(keys: Keys, recovery: Bytes | undefined): Promise<Published> {
    this.published.push({ keys, recovery });
    return await this.answer(keys, recovery);
  }

  /** See {@linkcode AccountDesk}. */
  recover(): Promise<Answer<Bytes>> {
    return Promise.resolve(this.blob);
  }

  /** See {@linkcode AccountDesk}. */
  async askApproval(request: Omit<AskApproval, "type">): Promise<Answer<Approved>> {
    return await this.approve(request);
  }
}

/** One enrolment. */
class Enrolling {
  readonly desk = new Desk();
  readonly ownKeys = new MemoryOwnKeys();
  person = new FakePerson();

  /** Enrols; `shown` is the account as the server shows it. */
  enrol(
    shown: AccountMessage,
    { answers, registered = false, ...rest }: Partial<EnrolmentParts> & {
      answers?: Answers;
      registered?: boolean;
    } = {},
  ): Promise<OwnKeys> {
    this.person = new FakePerson(answers);
    return enrol(this.desk, { account: shown, registered }, {
      handle: ANN.name,
      hostKey: HOST_KEY.publicKey,
      server: "here",
      terminal: false,
      device: "phone",
      recoveryCode: undefined,
      provider: repeatable,
      entropy: seededEntropy("enrolment"),
      wallClock: () => THEN,
      person: this.person,
      ownKeys: this.ownKeys,
      ...rest,
    });
  }

  /** The failure of enrolling. */
  async refused(...args: Parameters<Enrolling["enrol"]>): Promise<Failure> {
    const failure = await this.enrol(...args).then(() => undefined, (error) => error);
    if (failure instanceof Failure) return failure;
    throw new Error(`Cannot test: it is not refused, but ${failure}`);
  }

  /** What is kept. */
  get kept(): OwnKeys | undefined {
    return this.ownKeys.kept.get(ANN.name);
  }
}

const NEW: AccountMessage = { type: "account", handle: ANN.name, role: "member", recovery: false };

async function blobOf(seed: Bytes, whose = ANN.name): Promise<Answer<Bytes>> {
  const context = { code: CODE, hostKey: HOST_KEY.publicKey, handle: whose, seed };
  return { kind: "answered", value: await sealRecovery(repeatable, seededEntropy("blob"), context) };
}

test("the secrets of a first device are kept before they are published", async () => {
  const enrolling = new Enrolling();
  const keptThen: (OwnKeys | undefined)[] = [];
  const honest = enrolling.desk.answer;
  enrolling.desk.answer = (...given) => {
    keptThen.push(enrolling.kept);
    return honest(...given);
  };
  const own = await enrolling.enrol(NEW);
  deepEqual(keptThen, [{ ...own, published: false }]);
  deepEqual(enrolling.kept, { ...own, published: true });
  const { list, recovery } = { list: decodeDeviceList(own.keys.list), ...enrolling.desk.published[0] };
  deepEqual([list?.number, list?.devices.map(({ name }) => name)], [1, ["phone"]]);
  equal(recovery?.length, 96);
  equal(parseRecoveryCode(enrolling.person.codes[0] ?? "")?.length, 20);
});

test("a server that shows other keys than were published is a hard stop, and nothing counts as published", async () => {
  const other = await accountOf(await Person.named("ann", "another life"));
  const lies: readonly Published[] = [
    { kind: "answered", value: other },
    { kind: "answered", value: NEW },
  ];
  for (const lie of lies) {
    const enrolling = new Enrolling();
    enrolling.desk.answer = () => lie;
    const failure = await enrolling.refused(NEW);
    equal(failure.exit, "protocol");
    match(failure.message, /other keys than were just published/);
    equal(enrolling.kept?.published, false);
    deepEqual(enrolling.person.codes, []);
  }
  const enrolling = new Enrolling();
  enrolling.desk.answer = (keys) => ({ kind: "answered", value: { ...NEW, keys, recovery: false } });
  equal((await enrolling.refused(NEW)).exit, "protocol");
});

test("keys that were published in vain are published again, with another code", async () => {
  const enrolling = new Enrolling();
  const honest = enrolling.desk.answer;
  enrolling.desk.answer = () => ({ kind: "timedOut" });
  equal((await enrolling.refused(NEW)).exit, "temporary");
  const before = enrolling.kept;
  enrolling.desk.answer = honest;
  const own = await enrolling.enrol(NEW);
  deepEqual({ ...own, published: false }, before);
  equal(enrolling.person.codes.length, 1);
});

test("keys whose recovery code nobody saw get another one, by a next list", async () => {
  const enrolling = new Enrolling();
  enrolling.desk.answer = () => ({ kind: "timedOut" });
  await enrolling.refused(NEW);
  const before = enrolling.kept;
  enrolling.desk.answer = new Desk().answer;
  const own = await enrolling.enrol({ ...NEW, keys: before?.keys, recovery: true } as const);
  equal(decodeDeviceList(own.keys.list)?.number, 2);
  deepEqual(own.deviceSeed, before?.deviceSeed);
  equal(enrolling.person.codes.length, 1);
  equal(enrolling.kept?.published, true);
});

test("a device that is one of the account's takes the newest list, and publishes nothing", async () => {
  const enrolling = new Enrolling();
  await enrolling.ownKeys.save(ANN.name, await ownKeysOf(ANN));
  const list = withDisplay(ANN.list, "Annie");
  const own = await enrolling.enrol(await accountOf(ANN, list));
  deepEqual(own.keys, await ANN.keys(list));
  deepEqual(enrolling.kept, own);
  deepEqual(enrolling.desk.published, []);
});

test("a list older than the one kept is a hard stop, and no list is made of it", async () => {
  const enrolling = new Enrolling();
  const phone = await keyOf("ann's phone");
  const ann = await Person.named("ann");
  ann.list = ann.with(phone.publicKey, "phone");
  const old = ann.list;
  ann.list = ann.without(ann.device.publicKey);
  await enrolling.ownKeys.save(ANN.name, await ownKeysOf(ann));
  const answers: Answers = {
    enrolmentWay: ["recovery"],
    recoveryCode: [recoveryCodeText(CODE)],
    confirm: [true],
  };
  const failure = await enrolling.refused(await accountOf(ann, old), { terminal: true, answers });
  equal(failure.exit, "protocol");
  match(failure.message, /older than the one known here/);
  deepEqual(enrolling.desk.published, []);
});

test("another identity than the one known goes on only where a person says so", async () => {
  const other = await Person.named("ann", "another life");
  const shown = await accountOf(other);
  const seed = (await ownKeysOf(other, "another life")).identitySeed;
  for (const [terminal, confirm] of [[false, true], [true, false]] as const) {
    const enrolling = new Enrolling();
    await enrolling.ownKeys.save(ANN.name, await ownKeysOf(ANN));
    enrolling.desk.blob = await blobOf(seed);
    const failure = await enrolling.refused(shown, {
      terminal,
      recoveryCode: recoveryCodeText(CODE),
      answers: { confirm: [confirm] },
    });
    equal(failure.exit, "protocol");
    deepEqual(enrolling.kept, await ownKeysOf(ANN));
  }
  const enrolling = new Enrolling();
  await enrolling.ownKeys.save(ANN.name, await ownKeysOf(ANN));
  enrolling.desk.blob = await blobOf(seed);
  const own = await enrolling.enrol(shown, {
    terminal: true,
    recoveryCode: recoveryCodeText(CODE),
    answers: { confirm: [true] },
  });
  deepEqual(own.identitySeed, seed);
});

test("a server that has lost the keys gets a new identity only where a person says so", async () => {
  const enrolling = new Enrolling();
  await enrolling.ownKeys.save(ANN.name, await ownKeysOf(ANN));
  equal((await enrolling.refused(NEW)).exit, "protocol");
  deepEqual(enrolling.desk.published, []);
  await enrolling.enrol(NEW, { terminal: true, answers: { confirm: [true] } });
  equal(enrolling.desk.published.length, 1);
});

test("an account whose keys are not signed by their identity is a hard stop", async () => {
  const shown = await accountOf(ANN);
  const signature = new Uint8Array(64);
  const keys = { ...await ANN.keys(), signature };
  const enrolling = new Enrolling();
  const failure = await enrolling.refused({ ...shown, keys }, { recoveryCode: recoveryCodeText(CODE) });
  equal(failure.exit, "protocol");
  deepEqual(enrolling.desk.published, []);
});

test("recovery goes on from the list shown, with a free name for the device", async () => {
  const phone = await keyOf("ann's phone");
  const list = ANN.with(phone.publicKey, "phone");
  const enrolling = new Enrolling();
  enrolling.desk.blob = await blobOf((await ownKeysOf(ANN)).identitySeed);
  const own = await enrolling.enrol(await accountOf(ANN, list), { recoveryCode: recoveryCodeText(CODE) });
  deepEqual(decodeDeviceList(own.keys.list)?.devices.map(({ name }) => name), ["laptop", "phone", "phone 2"]);
  equal(enrolling.desk.published[0]?.recovery, undefined);
  match(enrolling.person.sentences.join(), /The devices of ann are now: laptop, phone, phone 2\./);
});

test("a recovery blob of another identity, or account, opens nothing", async () => {
  const other = await Person.named("ann", "another life");
  const blobs = [
    await blobOf((await ownKeysOf(other, "another life")).identitySeed),
    await blobOf((await ownKeysOf(ANN)).identitySeed, handle("ben")),
  ];
  for (const blob of blobs) {
    const enrolling = new Enrolling();
    enrolling.desk.blob = blob;
    const failure = await enrolling.refused(await accountOf(ANN), { recoveryCode: recoveryCodeText(CODE) });
    equal(failure.exit, "noPermission");
    deepEqual([enrolling.desk.published, enrolling.kept], [[], undefined]);
  }
});

/** A person who chooses approval, and says whether the words were the same. */
function approving(same: boolean): { readonly terminal: true; readonly answers: Answers } {
  return { terminal: true, answers: { enrolmentWay: ["approval"], confirm: [same] } };
}

/** An approval of `request` by whoever has `seed`, with `list` signed by `signer`. */
async function approval(
  { device, share }: Omit<AskApproval, "type">,
  { person, seed, list }: { person: Person; seed: Bytes; list: DeviceList },
): Promise<Answer<Approved>> {
  const keys = await person.keys(list);
  const context = {
    hostKey: HOST_KEY.publicKey,
    handle: ANN.name,
    identity: keys.identity,
    device,
    share,
    seed,
  };
  const sealed = await sealApproval(repeatable, seededEntropy("approver"), context);
  if (sealed === undefined) throw new Error("Cannot test: the share is malformed");
  return { kind: "answered", value: { type: "approved", keys, ...sealed } };
}

test("a device that is approved keeps the identity of the words that were shown", async () => {
  const enrolling = new Enrolling();
  const { identitySeed: seed } = await ownKeysOf(ANN);
  enrolling.desk.approve = (request) =>
    approval(request, { person: ANN, seed, list: ANN.with(request.device, "phone") });
  const own = await enrolling.enrol(await accountOf(ANN), approving(true));
  deepEqual([own.identitySeed, own.published, enrolling.desk.published], [seed, true, []]);
  equal((await enrolling.person.words).length, 6);
});

test("an approval by an identity of the server's own making is a hard stop", async () => {
  const other = await Person.named("ann", "another life");
  const enrolling = new Enrolling();
  const { identitySeed: seed } = await ownKeysOf(other, "another life");
  enrolling.desk.approve = (request) =>
    approval(request, { person: other, seed, list: ANN.with(request.device, "phone") });
  const failure = await enrolling.refused(await accountOf(ANN), approving(true));
  equal(failure.exit, "protocol");
  match(failure.message, /does not fit the words/);
  equal(enrolling.kept, undefined);
});

test("an approval whose list lacks the device, or is not a later one, is a hard stop", async () => {
  const ghost = await keyOf("the server's own");
  const { identitySeed: seed } = await ownKeysOf(ANN);
  const shown = await accountOf(ANN, withDisplay(ANN.list, "Annie"));
  const lists: readonly ((device: Bytes) => DeviceList)[] = [
    () => ANN.with(ghost.publicKey, "phone"),
    (device) => ANN.with(device, "phone"),
  ];
  for (const list of lists) {
    const enrolling = new Enrolling();
    enrolling.desk.approve = (request) =>
      approval(request, { person: ANN, seed, list: list(request.device) });
    equal((await enrolling.refused(shown, approving(true))).exit, "protocol");
    equal(enrolling.kept, undefined);
  }
});

test("an account of the server's own making, approved by the server, is not believed without words compared", async () => {
  const seed = (await ownKeysOf(ANN)).identitySeed;
  for (const given of [approving(false), {}]) {
    const enrolling = new Enrolling();
    enrolling.desk.approve = (request) =>
      approval(request, { person: ANN, seed, list: ANN.with(request.device, "phone") });
    const failure = await enrolling.refused(await accountOf(ANN), given);
    match(failure.message, /nobody (says that the other device showed|is there to compare)/);
    equal(enrolling.kept, undefined);
  }
});

test("keys shown of an account that was registered just now are a hard stop, unless a person knows why", async () => {
  const enrolling = new Enrolling();
  const failure = await enrolling.refused(await accountOf(ANN), { registered: true });
  equal(failure.exit, "protocol");
  match(failure.message, /just registered/);
  deepEqual([enrolling.desk.published, enrolling.kept], [[], undefined]);
});

test("a device that nobody approves gives up with exit 75", async () => {
  const enrolling = new Enrolling();
  const failure = await enrolling.refused(await accountOf(ANN), approving(true));
  equal(failure.exit, "temporary");
  match(failure.message, /no other device approved it in time/);
});

test("an account without recovery code says so", async () => {
  const enrolling = new Enrolling();
  const failure = await enrolling.refused(await accountOf(ANN), { recoveryCode: recoveryCodeText(CODE) });
  equal(failure.exit, "noPermission");
  match(failure.message, /has no recovery code/);
});

test("keys that cannot be kept are not published", async () => {
  const enrolling = new Enrolling();
  enrolling.ownKeys.save = () =>
    Promise.reject(new Failure("cannotCreate", "Cannot keep keys: the disk is full."));
  await rejects(enrolling.enrol(NEW), Failure);
  deepEqual(enrolling.desk.published, []);
});
