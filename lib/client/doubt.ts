/**
 * Why an entry gets ☐.
 *
 * @module
 */

/** Why an entry gets ☐, as a person reads it. */
export type Doubt =
  /** The signature is not that device's, or not the host key's, over what the entry is. */
  | "bad signature"
  /** What it says is not what was signed. */
  | "not what was signed"
  /** What it says is nothing that an entry of its kind can say. */
  | "not readable"
  /** Nothing is known of whom it names: the server has shown no list of their devices. */
  | "unknown person"
  /** The list of that person's devices has no such one. */
  | "unknown device"
  /** The device was revoked before. */
  | "revoked device"
  /** The person has another identity than the one first seen, and it was not accepted. */
  | "identity changed"
  /** The server shows a list of that person's devices that cannot be right. */
  | "device list refused"
  /** Whoever signed it had no right to. */
  | "not allowed"
  /** The same entry came before. */
  | "repeated message"
  /** The entry says that it was made long before the server took it, or long after. */
  | "wrong time"
  /** The server took it before the entry that stands before it. */
  | "time went back"
  /** The entry says that it saw what comes after it. */
  | "out of order"
  /** Its author saw another entry, in the log or as the one that it is about, than was given here. */
  | "saw another log"
  /** Another entry was given there before, or the one that follows does not follow on it. */
  | "rewritten"
  /** Nothing that is known follows on it. */
  | "not linked"
  /** What it says is missing, and nobody who may has had it erased. */
  | "withheld"
  /** It came over the bridge, and nobody signed it. */
  | "bridged";
