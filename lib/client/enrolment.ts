/**
 * Enrolment: how this device becomes one of an account's, over a connection that has logged in by password. Secrets are
 * kept before they are published, and what the server then shows has to be what was published.
 *
 * @module
 */

import { ED25519_KEY_BYTES, type Entropy, type Provider, X25519_BYTES } from "../crypto/port.ts";
import { approvalWords, openApproval } from "../identity/approval.ts";
import {
  activeDevices,
  type DeviceList,
  findDevice,
  isLaterList,
  type OpenedKeys,
  openKeys,
  signDeviceList,
} from "../identity/device_list.ts";
import { firstDeviceList, withDevice } from "../identity/next_device_list.ts";
import {
  newRecoveryCode,
  openRecovery,
  parseRecoveryCode,
  recoveryCodeText,
  sealRecovery,
} from "../identity/recovery_code.ts";
import { Failure } from "../text/failure.ts";
import type { Handle } from "../text/handle.ts";
import { visible } from "../text/visible.ts";
import { type Bytes, equal } from "../wire/bytes.ts";
import { DEVICES_MAX } from "../wire/limits.ts";
import type { AccountMessage, Keys } from "../wire/message.ts";
import { brokenOff } from "./ending.ts";
import { chooseEnrolment } from "./enrolment_choice.ts";
import type { OwnKeys, OwnKeysKeeper } from "./keepers.ts";
import { keepAccount, openAccount, type OwnAccount, sameKeys } from "./own_account.ts";
import type { Answer, PasswordConnection } from "./password_connection.ts";
import type { EnrolmentWay, Person } from "./person.ts";

/** How often a recovery code may be typed: whoever has the paper needs no more. */
export const RECOVERY_TRIES_MAX = 5;

/** What enrolling takes from outside. */
export interface EnrolmentParts {
  /** The account. */
  readonly handle: Handle;
  /** The server's host key, 32 octets. */
  readonly hostKey: Bytes;
  /** The server's address, as the person knows it. */
  readonly server: string;
  /** Whether a person can be asked. */
  readonly terminal: boolean;
  /** What the device is to be called; it gets a number where another one is called so. */
  readonly device: string;
  /** A recovery code that was given beforehand. */
  readonly recoveryCode: string | undefined;
  /** The primitives. */
  readonly provider: Provider;
  /** For seeds, codes and what is sealed. */
  readonly entropy: Entropy;
  /** Milliseconds since 1970, for lists. */
  readonly wallClock: () => number;
  /** Whoever sits there. */
  readonly person: Person;
  /** Keeps own keys. */
  readonly ownKeys: OwnKeysKeeper;
}

/** An account as the server answered `enter`. */
export interface EnteredAccount {
  /** What it shows of it. */
  readonly account: AccountMessage;
  /** Whether this very connection registered it, so that it should have no keys yet. */
  readonly registered: boolean;
}

/** What of a password connection is used. */
export type AccountDesk = Pick<PasswordConnection, "publish" | "recover" | "askApproval">;

/**
 * Sees to it that this device is one of the account's, and gives its keys, which are kept and published. Throws a {@linkcode Failure} that says why not.
 */
export async function enrol(
  desk: AccountDesk,
  { account: shown, registered }: EnteredAccount,
  parts: EnrolmentParts,
): Promise<OwnKeys> {
  const kept = await keptAccount(parts);
  if (registered && shown.keys !== undefined && kept === undefined) {
    // An honest server shows that only after the operator's `user reset`.
    await insist(
      parts,
      `${parts.handle} was just registered, and ${parts.server} shows keys of it that are not of this device`,
    );
  }
  const choice = await chooseEnrolment(kept, shown.keys, parts);
  switch (choice.kind) {
    case "enrolled":
      await keepAccount(choice.account, parts.ownKeys, parts);
      return choice.account.own;
    case "first":
      return await newIdentity(desk, parts);
    case "publishAgain":
      return await publishWithCode(desk, choice.account.own, parts);
    case "renewCode":
      return await renewCode(desk, choice.account, parts);
    case "newDevice":
      return await newDevice(desk, { keys: choice.keys, hasRecovery: shown.recovery }, parts);
    case "foreign":
      await insist(parts, `the identity of ${parts.handle} is another than this device has known`);
      return await newDevice(desk, { keys: choice.keys, hasRecovery: shown.recovery }, parts);
    case "lost":
      await insist(
        parts,
        `${parts.server} has lost the keys of ${parts.handle}, so a new identity has to be made`,
      );
      return await newIdentity(desk, parts);
    case "refused":
      throw hardStop(
        parts,
        "the server shows a list of devices that is older than the one known here, or false",
      );
  }
}

/** The account of kept keys; such as do not fit together are nobody's, and stay where they are until others replace them. */
async function keptAccount(parts: EnrolmentParts): Promise<OwnAccount | undefined> {
  const own = await parts.ownKeys.load(parts.handle);
  return own && await openAccount(parts.handle, own, parts);
}

async function insist(parts: EnrolmentParts, what: string): Promise<void> {
  const question =
    `Careful: ${what}. That is so where you made a new identity elsewhere, the server's operator has reset your ` +
    "password or the server was set up anew, and where somebody pretends to be the server. Go on?";
  if (parts.terminal && await parts.person.confirm(question)) return;
  throw hardStop(parts, what);
}

async function newIdentity(desk: AccountDesk, parts: EnrolmentParts): Promise<OwnKeys> {
  const { handle, hostKey, provider, entropy, wallClock } = parts;
  const identitySeed = entropy(ED25519_KEY_BYTES);
  const deviceSeed = entropy(ED25519_KEY_BYTES);
  const { publicKey: key } = await provider.ed25519SigningKey(deviceSeed);
  const list = firstDeviceList(handle, { key, name: parts.device, added: wallClock() });
  const keys = await signDeviceList(await provider.ed25519SigningKey(identitySeed), hostKey, list);
  return await publishWithCode(desk, { published: false, deviceSeed, identitySeed, keys }, parts);
}

/** The next list, the same but for its number, only to bring a blob. */
async function renewCode(
  desk: AccountDesk,
  { identity, own, opened }: OwnAccount,
  parts: EnrolmentParts,
): Promise<OwnKeys> {
  const list: DeviceList = { ...opened.list, number: opened.list.number + 1 };
  const keys = await signDeviceList(identity, parts.hostKey, list);
  return await publishWithCode(desk, { ...own, keys }, parts);
}

async function publishWithCode(desk: AccountDesk, own: OwnKeys, parts: EnrolmentParts): Promise<OwnKeys> {
  const { handle, hostKey, provider, entropy } = parts;
  const code = newRecoveryCode(entropy);
  const blob = await sealRecovery(provider, entropy, { code, hostKey, handle, seed: own.identitySeed });
  const published = await publish(desk, { own, blob }, parts);
  await parts.person.showRecoveryCode(recoveryCodeText(code));
  await keep(published, parts);
  return published;
}

/** Publishes; the keys are kept as unpublished, which whoever calls changes once nothing can be lost any more. */
async function publish(
  desk: AccountDesk,
  { own, blob }: { readonly own: OwnKeys; readonly blob: Bytes | undefined },
  parts: EnrolmentParts,
): Promise<OwnKeys> {
  await keep({ ...own, published: false }, parts);
  const account = answered(await desk.publish(own.keys, blob), parts);
  const asPublished = account.keys !== undefined && sameKeys(account.keys, own.keys);
  if (!asPublished || blob !== undefined && !account.recovery) {
    throw hardStop(parts, "the server shows other keys than were just published");
  }
  return { ...own, published: true };
}

async function keep(own: OwnKeys, { handle, ownKeys }: EnrolmentParts): Promise<void> {
  await ownKeys.save(handle, own);
}

/** An account as the server shows it, whose keys hold together. */
interface Shown {
  readonly opened: OpenedKeys;
  readonly hasRecovery: boolean;
}

async function newDevice(
  desk: AccountDesk,
  { keys, hasRecovery }: { readonly keys: Keys; readonly hasRecovery: boolean },
  parts: EnrolmentParts,
): Promise<OwnKeys> {
  const opened = await openKeys(parts.provider, parts.hostKey, parts.handle, keys);
  if (opened === undefined) throw hardStop(parts, "the server shows keys of the account that are not signed");
  const way = await wayOf({ opened, hasRecovery }, parts);
  switch (way) {
    case "approval":
      return await byApproval(desk, opened, parts);
    case "recovery":
      return await byRecovery(desk, opened, parts);
    case "newIdentity":
      return await newIdentity(desk, parts);
  }
}

async function wayOf(
  { hasRecovery }: Shown,
  { terminal, recoveryCode, person, handle }: EnrolmentParts,
): Promise<EnrolmentWay> {
  if (recoveryCode !== undefined) return "recovery";
  if (!terminal) {
    throw new Failure(
      "noPermission",
      `Cannot add this device to ${handle}: nobody is there to compare words with another device; give the recovery ` +
        "code in SOTTO_RECOVERY_CODE, or start in a terminal.",
    );
  }
  const way = await person.enrolmentWay({ hasRecovery });
  if (way !== undefined) return way;
  throw new Failure("usage", `Cannot log in as ${handle}: a question was left unanswered; start again.`);
}

async function byRecovery(desk: AccountDesk, opened: OpenedKeys, parts: EnrolmentParts): Promise<OwnKeys> {
  const { provider, entropy, hostKey, wallClock } = parts;
  const blob = answered(await desk.recover(), parts);
  const identitySeed = await recoveredSeed(blob, opened.keys.identity, parts);
  const deviceSeed = entropy(ED25519_KEY_BYTES);
  const { publicKey: key } = await provider.ed25519SigningKey(deviceSeed);
  const list = withDevice(opened.list, { key, name: parts.device, added: wallClock() });
  if (list === undefined) throw tooManyDevices(parts);
  const keys = await signDeviceList(await provider.ed25519SigningKey(identitySeed), hostKey, list);
  const own = await publish(desk, {
    own: { published: false, deviceSeed, identitySeed, keys },
    blob: undefined,
  }, parts);
  await keep(own, parts);
  await tellDevices(list, parts);
  return own;
}

/** The identity's seed by the recovery code; only where it is the seed of the identity that the server shows. */
async function recoveredSeed(blob: Bytes, identity: Bytes, parts: EnrolmentParts): Promise<Bytes> {
  const { provider, hostKey, handle, person } = parts;
  let text = parts.recoveryCode ?? await person.recoveryCode(undefined);
  for (let tries = 1; text !== undefined; tries++) {
    const code = parseRecoveryCode(text);
    const seed = code && await openRecovery(provider, { code, hostKey, handle, identity, blob });
    if (seed !== undefined) return seed;
    const sentence = code === undefined
      ? "That is no recovery code: it has 32 letters and digits"
      : "That is not the recovery code of this account, or the server gave something else than it was given";
    if (!parts.terminal || tries >= RECOVERY_TRIES_MAX) {
      throw new Failure(
        "noPermission",
        `Cannot recover ${handle}: ${sentence}; look at what you wrote down.`,
      );
    }
    text = await person.recoveryCode(sentence);
  }
  throw new Failure(
    "usage",
    `Cannot recover ${handle}: no recovery code was given; start again with it at hand.`,
  );
}

/** Only whoever sees both devices can tell that it is the old one that answered, and not the server in its place. */
async function requireSameWords(parts: EnrolmentParts): Promise<void> {
  const question = "Did your other device show the same words before you approved this one there?";
  if (await parts.person.confirm(question)) return;
  throw hardStop(parts, "an approval came, and nobody says that the other device showed the same words");
}

async function byApproval(desk: AccountDesk, before: OpenedKeys, parts: EnrolmentParts): Promise<OwnKeys> {
  const { provider, entropy, hostKey, handle, person } = parts;
  const { identity } = before.keys;
  const deviceSeed = entropy(ED25519_KEY_BYTES);
  const { publicKey: device } = await provider.ed25519SigningKey(deviceSeed);
  const pair = await provider.x25519Pair(entropy(X25519_BYTES));
  await person.showApprovalWords(
    await approvalWords(provider, { hostKey, handle, identity, device, share: pair.share }),
  );
  const answer = await desk.askApproval({ device, name: parts.device, share: pair.share });
  if (answer.kind === "timedOut") throw notApproved(parts);
  const { keys, share: approver, sealed } = answered(answer, parts);
  const opened = await openKeys(provider, hostKey, handle, keys);
  // The identity is the one that the words are of, not one that came after them.
  const identitySeed = await openApproval(provider, pair, {
    hostKey,
    handle,
    identity,
    device,
    approver,
    sealed,
  });
  if (opened === undefined || identitySeed === undefined || !followsWith(device, { before, opened })) {
    throw hardStop(parts, "what the server says is the approval does not fit the words that were shown");
  }
  await requireSameWords(parts);
  const own: OwnKeys = { published: true, deviceSeed, identitySeed, keys };
  await keep(own, parts);
  await tellDevices(opened.list, parts);
  return own;
}

/** Whether the list of an approval is the same identity's, later than the one shown before, and has the device. */
function followsWith(
  device: Bytes,
  { before, opened }: { readonly before: OpenedKeys; readonly opened: OpenedKeys },
): boolean {
  return equal(opened.keys.identity, before.keys.identity) && isLaterList(before.list, opened.list) &&
    findDevice(activeDevices(opened.devices), device) !== undefined;
}

/** A server may have shown an old list, in which a device is active that was revoked: only its person can tell. */
async function tellDevices({ devices }: DeviceList, { handle, person }: EnrolmentParts): Promise<void> {
  const names = activeDevices(devices).map(({ name }) => visible(name)).join(", ");
  await person.tell(
    `The devices of ${handle} are now: ${names}. Revoke those that are not yours with /revoke NAME.`,
  );
}

function answered<Value>(answer: Answer<Value>, parts: EnrolmentParts): Value {
  const { handle, server } = parts;
  switch (answer.kind) {
    case "answered":
      return answer.value;
    case "fault":
      throw answer.code === "noRecovery"
        ? new Failure(
          "noPermission",
          `Cannot recover ${handle}: the account has no recovery code; have it approved instead.`,
        )
        : new Failure(
          "temporary",
          `Cannot add this device to ${handle} at ${server}: the server answers ${answer.code}; start again.`,
        );
    case "timedOut":
      throw new Failure(
        "temporary",
        `Cannot add this device to ${handle} at ${server}: it does not answer; try again.`,
      );
    case "ended":
      throw answer.end.kind === "hostKeyRefused"
        ? hardStop(parts, "its host key has changed")
        : brokenOff(answer.end, server);
  }
}

function hardStop({ handle, server }: EnrolmentParts, why: string): Failure {
  return new Failure(
    "protocol",
    `Cannot go on as ${handle} at ${server}: ${why}; nothing of it was believed; ask the server's operator.`,
  );
}

function notApproved({ handle }: EnrolmentParts): Failure {
  return new Failure(
    "temporary",
    `Cannot add this device to ${handle}: no other device approved it in time; start again, with one at hand.`,
  );
}

function tooManyDevices({ handle }: EnrolmentParts): Failure {
  return new Failure(
    "noPermission",
    `Cannot add this device to ${handle}: the account has ${DEVICES_MAX} active devices; revoke one elsewhere.`,
  );
}
