/**
 * New devices of one's own account that ask to be approved. The server carries their requests and may make up some, so a
 * name stands for one request only, for as long as the connection lasts: what is approved is what was compared.
 *
 * @module
 */

import type { Provider } from "../crypto/port.ts";
import { type ApprovalContext, approvalWords } from "../identity/approval.ts";
import { displayNameFault } from "../text/display_name.ts";
import { equal } from "../wire/bytes.ts";
import type { Approval } from "../wire/message.ts";

/** Requests that one connection tells of; more in a day are nobody's own devices. */
export const REQUESTS_MAX = 32;

/** One request, as a person is told it. */
export interface ApprovalRequest {
  /** What it is called here. */
  readonly name: string;
  /** What is to be compared. */
  readonly words: readonly string[];
  /** As it came. */
  readonly approval: Approval;
}

/** The requests of one connection. */
export class ApprovalRequests {
  readonly #requests = new Map<string, ApprovalRequest>();

  /**
   * Takes a request for an account, whose identity key is the one known here; what a person is to be told of, `undefined`
   * where that was told before, too many came, or no honest device asks so.
   */
  async take(
    approval: Approval,
    provider: Provider,
    account: Omit<ApprovalContext, "device" | "share">,
  ): Promise<ApprovalRequest | undefined> {
    const { device, share } = approval;
    const before = Array.from(this.#requests.values());
    if (before.some((known) => equal(known.approval.device, device) && equal(known.approval.share, share))) {
      return undefined;
    }
    if (before.length >= REQUESTS_MAX || displayNameFault(approval.name) !== undefined) {
      return undefined;
    }
    if (await provider.ed25519VerifyingKey(device) === undefined) return undefined;
    const words = await approvalWords(provider, { ...account, device, share });
    const request = { name: this.#freeName(approval.name), words, approval };
    this.#requests.set(request.name, request);
    return request;
  }

  /** The request of that name. */
  find(name: string): ApprovalRequest | undefined {
    return this.#requests.get(name);
  }

  /** The names of all. */
  get names(): readonly string[] {
    return Array.from(this.#requests.keys());
  }

  /** Never one that was given before: whoever compared words may not have typed the name yet. */
  #freeName(name: string): string {
    for (let count = 1;; count++) {
      const numbered = count === 1 ? name : `${name} (${count})`;
      if (!this.#requests.has(numbered)) return numbered;
    }
  }
}
