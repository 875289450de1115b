/**
 * Who may register: the rules behind `--registration`.
 *
 * @module
 */

import type { Handle } from "../text/handle.ts";
import { skeleton } from "../text/skeleton.ts";
import type { Bytes } from "../wire/bytes.ts";
import type { AccountStore, Invitation } from "./port.ts";

/** What `--registration` may say. */
export const REGISTRATIONS = [
  /** Whoever has an invitation. */
  "invite",
  /** Everybody. */
  "open",
  /** Nobody but those for whom the operator made an invitation by name. */
  "closed",
] as const;

/** One of {@linkcode REGISTRATIONS}. */
export type Registration = typeof REGISTRATIONS[number];

/** Why somebody may not register. */
export type RegistrationRefusal = "registrationClosed" | "badInvitation" | "nameTaken";

/** Somebody who wants an account. */
export interface Applicant {
  /** The name wanted. */
  readonly handle: Handle;
  /** SHA-256 of the invitation's code, where one was given. */
  readonly codeHash: Bytes | undefined;
  /** The moment, in milliseconds since 1970. */
  readonly now: number;
}

/** What the names look like that clients show as the senders of lines that no account wrote. */
const RESERVED: ReadonlySet<string> = new Set(["server", "console", "bridge"].map(skeleton));

/**
 * Why `applicant` may not register; `undefined` where nothing stands against it at this moment. The invitation is
 * looked at before the name: whoever has none learns no names. A code that is given must be good, under `open`, too.
 */
export async function mayRegister(
  store: AccountStore,
  registration: Registration,
  { handle, codeHash, now }: Applicant,
): Promise<RegistrationRefusal | undefined> {
  const invitation = codeHash === undefined ? undefined : await store.findInvitation(codeHash, now);
  const isInvited = invitation !== undefined && isFor(invitation, handle);
  if (registration === "closed" && !(isInvited && invitation.handle === handle)) return "registrationClosed";
  if (!isInvited && (registration === "invite" || codeHash !== undefined)) return "badInvitation";
  const mayHave = await isNameFree(store, handle) || await isReset(store, handle, invitation);
  return mayHave ? undefined : "nameTaken";
}

/**
 * Makes the account of `applicant` with OPAQUE's `record`, or says why not: the rules are asked again, since another may
 * have been faster. Settles once the account is durable.
 */
export async function register(
  store: AccountStore,
  registration: Registration,
  applicant: Applicant & { readonly record: Bytes },
): Promise<RegistrationRefusal | undefined> {
  const refusal = await mayRegister(store, registration, applicant);
  if (refusal !== undefined) return refusal;
  const { handle, record, codeHash, now } = applicant;
  const outcome = await store.register({ handle, passwordRecord: record, now }, codeHash);
  return outcome.kind === "registered" ? undefined : outcome.kind;
}

/** Whether a new account may have the name: neither it nor one that looks like it was ever another's, or is the server's. */
export async function isNameFree(store: AccountStore, handle: Handle): Promise<boolean> {
  return !RESERVED.has(skeleton(handle)) && !await store.isTaken(handle);
}

function isFor(invitation: Invitation, handle: Handle): boolean {
  return invitation.handle === undefined || invitation.handle === handle;
}

/** The account of a person who was sent an invitation of their own may be there already, without a password. */
async function isReset(
  store: AccountStore,
  handle: Handle,
  invitation: Invitation | undefined,
): Promise<boolean> {
  if (invitation?.handle !== handle) return false;
  const account = await store.find(handle);
  return account !== undefined && account.passwordRecord === undefined;
}
