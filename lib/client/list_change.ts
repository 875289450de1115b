/**
 * Changes of one's own list of devices: what is asked for becomes the next list and the message that publishes it. The
 * next list is made of the one known here, never of one that the server shows.
 *
 * @module
 */

import type { Entropy, Provider } from "../crypto/port.ts";
import { sealApproval } from "../identity/approval.ts";
import { type DeviceList, signDeviceList } from "../identity/device_list.ts";
import { withDevice, withDisplay, withRevoked } from "../identity/next_device_list.ts";
import { displayNameFault } from "../text/display_name.ts";
import { visible } from "../text/visible.ts";
import { type Bytes, equal } from "../wire/bytes.ts";
import { DEVICES_MAX } from "../wire/limits.ts";
import type { Approve, FaultCode, Keys, Publish } from "../wire/message.ts";
import type { ApprovalRequests } from "./approval_requests.ts";
import type { ClientRequest } from "./event.ts";
import type { OwnAccount } from "./own_account.ts";

/** What is asked for. */
export type ChangeRequest = Extract<ClientRequest, { type: "approve" | "revoke" | "nick" }>;

/** What becomes of it. */
export type Change =
  /** To be sent; the server answers with these keys, or a fault. */
  | {
    readonly kind: "change";
    readonly message: Approve | Publish;
    readonly keys: Keys;
    /** What was done, once it is. */
    readonly done: string;
  }
  /** It cannot be; a sentence for people. */
  | { readonly kind: "refused"; readonly sentence: string };

/** What changes are made with. */
export interface ChangeParts {
  /** The primitives. */
  readonly provider: Provider;
  /** For what is sealed. */
  readonly entropy: Entropy;
  /** The server's host key, 32 octets. */
  readonly hostKey: Bytes;
  /** Milliseconds since 1970. */
  readonly wallClock: () => number;
}

/** Makes the change that `request` asks for. */
export function makeChange(
  request: ChangeRequest,
  account: OwnAccount,
  { requests, parts }: { readonly requests: ApprovalRequests; readonly parts: ChangeParts },
): Promise<Change> {
  switch (request.type) {
    case "approve":
      return approve(request.name, account, { requests, parts });
    case "revoke":
      return revoke(request.name, account, parts);
    case "nick":
      return rename(request.display, account, parts);
  }
}

/** What is told when the server does not do it. */
export function changeFault(request: ChangeRequest, code: FaultCode): string {
  const why = code === "staleList"
    ? "another of your devices changed the list at the same moment; do it again"
    : code === "noSuchRequest"
    ? "it does not wait any longer; start again there"
    : "the server refuses the new list of devices; connect again";
  return `Cannot ${named(request)}: ${why}.`;
}

/** What was asked for, to follow "Cannot". */
export function named(request: ChangeRequest): string {
  if (request.type === "nick") return "change the display name";
  return `${request.type} ${visible(request.name)}`;
}

async function approve(
  name: string,
  account: OwnAccount,
  { requests, parts }: { readonly requests: ApprovalRequests; readonly parts: ChangeParts },
): Promise<Change> {
  const waiting = requests.find(name);
  if (waiting === undefined) return refused(`approve ${visible(name)}`, noRequest(requests));
  const { device, share } = waiting.approval;
  const list = withDevice(account.opened.list, {
    key: device,
    name: waiting.approval.name,
    added: parts.wallClock(),
  });
  if (list === undefined) {
    return refused(
      `approve ${visible(name)}`,
      `it is in the list already, or the list has ${DEVICES_MAX} active devices; revoke one`,
    );
  }
  const { provider, entropy, hostKey } = parts;
  const { handle, own: { identitySeed: seed, keys: { identity } } } = account;
  const sealing = { hostKey, handle, identity, device, share, seed };
  const sealed = await sealApproval(provider, entropy, sealing);
  if (sealed === undefined) {
    return refused(`approve ${visible(name)}`, "its key is malformed; start again there");
  }
  const keys = await signDeviceList(account.identity, hostKey, list);
  return {
    kind: "change",
    message: { type: "approve", device, keys, ...sealed },
    keys,
    done: approved(waiting.name, list, device),
  };
}

/** Of two devices of one name the list calls the second one otherwise. */
function approved(name: string, { devices }: DeviceList, device: Bytes): string {
  const listed = devices.find(({ key }) => equal(key, device))?.name ?? name;
  const as = listed === name ? "" : `, and is listed as ${visible(listed)}`;
  return `${visible(name)} is approved${as}`;
}

async function revoke(name: string, account: OwnAccount, parts: ChangeParts): Promise<Change> {
  const { list } = account.opened;
  const device = list.devices.find((listed) => listed.name === name && listed.revoked === undefined);
  if (device === undefined) {
    return refused(`revoke ${visible(name)}`, "no active device of yours has that name; /devices lists them");
  }
  const next = withRevoked(list, device.key, parts.wallClock());
  if (next === undefined) {
    return refused(`revoke ${visible(name)}`, "it is your last active device; add another one first");
  }
  return await publish(next, account, { parts, done: `${visible(name)} is revoked` });
}

async function rename(display: string, account: OwnAccount, parts: ChangeParts): Promise<Change> {
  const text = display.normalize("NFC").trim();
  const fault = text === "" ? undefined : displayNameFault(text);
  if (fault !== undefined) return { kind: "refused", sentence: `${fault}.` };
  const { list } = account.opened;
  if (list.display === text) {
    return refused("change the display name", "it is that already; nothing is to be done");
  }
  const done = text === ""
    ? "Nothing is shown beside your name now"
    : `You are shown as ${visible(text)} now`;
  return await publish(withDisplay(list, text), account, { parts, done });
}

async function publish(
  list: DeviceList,
  account: OwnAccount,
  { parts, done }: { readonly parts: ChangeParts; readonly done: string },
): Promise<Change> {
  const keys = await signDeviceList(account.identity, parts.hostKey, list);
  return { kind: "change", message: { type: "publish", keys }, keys, done };
}

function noRequest({ names }: ApprovalRequests): string {
  if (names.length === 0) return "no new device asks for it; log in there first";
  return `none that asks is called that; those that do are ${names.map(visible).join(", ")}`;
}

function refused(what: string, why: string): Change {
  return { kind: "refused", sentence: `Cannot ${what}: ${why}.` };
}
