/**
 * What a person has settled for one account on this device: whose messages are not shown, and what others are told.
 *
 * @module
 */

import { type Handle, handleFault, parseHandle } from "../text/handle.ts";
import type { ClientRequest } from "./event.ts";
import type { LocalStore } from "./keepers.ts";

/** Whose messages may be hidden at once: more than a group has. */
export const IGNORED_MAX = 1_000;

/** Names in the local store. */
const NAMES = { ignored: "ignored", receipts: "receipts", typing: "typing" } as const;

const ON = "on";
const OFF = "off";

/** What changes a setting. */
type Change = Extract<ClientRequest, { type: "ignore" | "unignore" | "receipts" | "typingShown" }>;

/** The settings of one account. */
export class Settings {
  readonly #store: Pick<LocalStore, "setSetting">;
  #ignored: readonly Handle[];
  #receipts: boolean;
  #typing: boolean;

  private constructor(
    store: Pick<LocalStore, "setSetting">,
    kept: { readonly ignored: readonly Handle[]; readonly receipts: boolean; readonly typing: boolean },
  ) {
    this.#store = store;
    this.#ignored = kept.ignored;
    this.#receipts = kept.receipts;
    this.#typing = kept.typing;
  }

  /** Those that are kept. Rejects with a `Failure` where they cannot be read. */
  static async load(store: Pick<LocalStore, "setting" | "setSetting">): Promise<Settings> {
    const names = (await store.setting(NAMES.ignored) ?? "").split(" ");
    return new Settings(store, {
      ignored: names.map(parseHandle).filter((handle) => handle !== undefined),
      receipts: await store.setting(NAMES.receipts) !== OFF,
      typing: await store.setting(NAMES.typing) !== OFF,
    });
  }

  /** Whether others are told what one has read. */
  get receipts(): boolean {
    return this.#receipts;
  }

  /** Whether others are told that one writes. */
  get typing(): boolean {
    return this.#typing;
  }

  /** Whether what somebody says is not shown. */
  ignores(handle: Handle): boolean {
    return this.#ignored.includes(handle);
  }

  /** Changes one; gives what was done, or the sentence of why not. */
  async change(request: Change): Promise<{ readonly what: string } | { readonly sentence: string }> {
    switch (request.type) {
      case "receipts":
        await this.#store.setSetting(NAMES.receipts, request.on ? ON : OFF);
        this.#receipts = request.on;
        return {
          what: request.on ? "Others are told what you have read" : "Nobody is told what you have read",
        };
      case "typingShown":
        await this.#store.setSetting(NAMES.typing, request.on ? ON : OFF);
        this.#typing = request.on;
        return { what: request.on ? "Others are told that you write" : "Nobody is told that you write" };
      case "ignore":
      case "unignore":
        return await this.#ignore(request.handle, request.type === "ignore");
    }
  }

  async #ignore(
    text: string,
    on: boolean,
  ): Promise<{ readonly what: string } | { readonly sentence: string }> {
    const handle = parseHandle(text);
    if (handle === undefined) return { sentence: `${handleFault(text) ?? "Cannot use that name"}.` };
    const others = this.#ignored.filter((other) => other !== handle);
    if (on && others.length >= IGNORED_MAX) {
      return {
        sentence: `Cannot ignore ${handle}: ${IGNORED_MAX} are ignored already; unignore somebody first.`,
      };
    }
    const ignored = on ? [...others, handle] : others;
    await this.#store.setSetting(NAMES.ignored, ignored.join(" "));
    this.#ignored = ignored;
    return {
      what: on ? `What ${handle} says is not shown here any more` : `What ${handle} says is shown again`,
    };
  }
}
