/**
 * What to do about keys after a login by password, decided from what this device has kept and what the server shows.
 * Nothing that the server shows is taken for one's own unless what is kept says so, or a person.
 *
 * @module
 */

import { decodeDeviceList, type OpenedKeys } from "../identity/device_list.ts";
import type { Keys } from "../wire/message.ts";
import { isActive, judgeOwn, type ListParts, type OwnAccount } from "./own_account.ts";

/** What to do. */
export type EnrolmentChoice =
  /** This device is one of the account's; only the newest list is to be kept. */
  | { readonly kind: "enrolled"; readonly account: OwnAccount }
  /** Make a first identity: nobody has published any. */
  | { readonly kind: "first" }
  /** Publish the kept keys once more: the server never had them. */
  | { readonly kind: "publishAgain"; readonly account: OwnAccount }
  /** The kept keys are published, but nobody was shown their recovery code: make another one. */
  | { readonly kind: "renewCode"; readonly account: OwnAccount }
  /** Become a new device of the account's identity. */
  | { readonly kind: "newDevice"; readonly keys: Keys }
  /** As above, but the identity is not the one that this device has known: only where a person wants it. */
  | { readonly kind: "foreign"; readonly keys: Keys }
  /** The server has lost the keys that it had: a new identity, only where a person wants it. */
  | { readonly kind: "lost" }
  /** The server shows a list older than the one kept, or one that cannot be right: a hard stop. */
  | { readonly kind: "refused" };

/** Decides. `shown` are the account's keys at the server, where it has any. */
export async function chooseEnrolment(
  kept: OwnAccount | undefined,
  shown: Keys | undefined,
  parts: ListParts,
): Promise<EnrolmentChoice> {
  if (shown === undefined) return chooseWithoutKeys(kept);
  if (kept === undefined) return { kind: "newDevice", keys: shown };
  const judged = await judgeOwn(kept, shown, parts);
  switch (judged.kind) {
    case "foreign":
      // Kept keys that were never published are nobody's yet.
      return { kind: kept.own.published ? "foreign" : "newDevice", keys: shown };
    case "refused":
      return mayPrecede(shown, kept) ? { kind: "newDevice", keys: shown } : { kind: "refused" };
    case "believed": {
      const { account } = judged;
      if (!isActive(account)) return { kind: "newDevice", keys: shown };
      const codeUnseen = !kept.own.published && isAlone(account.opened);
      return { kind: codeUnseen ? "renewCode" : "enrolled", account };
    }
  }
}

function chooseWithoutKeys(kept: OwnAccount | undefined): EnrolmentChoice {
  if (kept === undefined) return { kind: "first" };
  if (kept.own.published) return { kind: "lost" };
  return isFirst(kept.opened) ? { kind: "publishAgain", account: kept } : { kind: "first" };
}

/** Kept keys that were never published are the next list after one that was: anything older than that is refused, too. */
function mayPrecede(shown: Keys, { own, opened }: OwnAccount): boolean {
  const number = decodeDeviceList(shown.list)?.number ?? 0;
  return !own.published && number + 1 >= opened.list.number;
}

/** The list of an identity made here: whoever was enrolled by another device, or by a code, is not alone in it. */
function isAlone({ list }: OpenedKeys): boolean {
  return list.devices.length === 1;
}

/** The list of an identity just made, which comes with a recovery code. */
function isFirst({ list }: OpenedKeys): boolean {
  return list.number === 1;
}
