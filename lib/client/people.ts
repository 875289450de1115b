/**
 * The people of a room as one client knows them: takes the cards that the server shows, tells what is new about them, and
 * finds out of each message whether it is its author's. Whatever the server says is judged by the identities first seen.
 *
 * @module
 */

import type { Provider } from "../crypto/port.ts";
import { type OpenedKeys, openKeys } from "../identity/device_list.ts";
import {
  acceptIdentity,
  type KnownKeys,
  markVerified,
  meet,
  type Peer,
  type PeerBook,
  trustOf,
} from "../identity/peer_trust.ts";
import { safetyWords } from "../identity/safety_words.ts";
import type { Handle } from "../text/handle.ts";
import { skeleton } from "../text/skeleton.ts";
import { type Bytes, equal } from "../wire/bytes.ts";
import type { BodyOf } from "../wire/entry_body.ts";
import type { Card } from "../wire/message.ts";
import { deviceLines } from "./device_lines.ts";
import type { Doubt } from "./doubt.ts";
import type { AuthorTrust, ClientEvent } from "./event.ts";
import { type OwnAccount, sameKeys } from "./own_account.ts";

/** What people are judged by. */
export interface PeopleParts {
  /** The primitives. */
  readonly provider: Provider;
  /** The server's host key, 32 octets. */
  readonly hostKey: Bytes;
}

/** Why something asked for about a person was not done: what follows "Cannot …: ". */
export interface Refused {
  /** Tells it from what was done. */
  readonly kind: "refused";
  /** Why, and what to do. */
  readonly why: string;
}

/** The people whom one client knows. */
export class People {
  readonly #parts: PeopleParts;
  /** Those of whom the server shows a list now that cannot be right. */
  readonly #refused = new Set<Handle>();
  readonly #opened = new Map<Handle, OpenedKeys>();
  readonly #handles = new Map<string, Handle>();
  /** The identities whose words were shown last, by handle. */
  readonly #compared = new Map<Handle, Bytes>();
  #book: PeerBook;

  /** Those of `book`, which is as it was kept. */
  constructor(book: PeerBook, parts: PeopleParts) {
    this.#parts = parts;
    this.#book = book;
    for (const handle of book.keys()) this.#handles.set(skeleton(handle), handle);
  }

  /** What is to be kept; the same object as long as nothing has changed. */
  get book(): PeerBook {
    return this.#book;
  }

  /** Takes a card of somebody else, and tells what is new. */
  async meet(card: Card): Promise<readonly ClientEvent[]> {
    const { provider, hostKey } = this.#parts;
    const { handle } = card;
    const opened = await openKeys(provider, hostKey, handle, card);
    const { book, news } = meet(this.#book, card, opened);
    this.#book = book;
    // Only of those who are in the book, whose size is bounded.
    if (book.has(handle)) {
      this.#handles.set(skeleton(handle), handle);
      if (news.some(({ kind }) => kind === "listRefused")) this.#refused.add(handle);
      else this.#refused.delete(handle);
    }
    return news.map((item) => ({
      type: "keys",
      handle,
      news: item.kind,
      detail: "detail" in item ? item.detail : undefined,
    }));
  }

  /** The keys of somebody as they are believed, with what is wrong with them altogether; `undefined` of whom nothing is known. */
  async author(
    handle: Handle,
    own: OwnAccount,
  ): Promise<{ readonly keys: OpenedKeys; readonly doubt: Doubt | undefined } | undefined> {
    const keys = await this.#openedOf(handle, own);
    if (keys === undefined) return undefined;
    return { keys, doubt: handle === own.handle ? undefined : this.#doubtAbout(handle) };
  }

  /** How far somebody whose entry verified is known. */
  trustIn(handle: Handle, own: OwnAccount): AuthorTrust {
    if (handle === own.handle) return "own";
    return this.#book.get(handle)?.verified ? "verified" : "seen";
  }

  /** The display name under which somebody's entry may be shown. */
  displayOf(handle: Handle, own: OwnAccount): string | undefined {
    const list = handle === own.handle ? own.opened.list : this.#book.get(handle)?.known.list;
    return list === undefined ? undefined : this.display(handle, list.display);
  }

  /** Whether an account's keys are known here. */
  knows(handle: Handle): boolean {
    return this.#book.has(handle);
  }

  /** Compares what a room's log says of somebody's keys with the card that was shown: two lists of one number are a lie. */
  async compare({ handle, identity, number, list }: BodyOf<"keys">): Promise<readonly ClientEvent[]> {
    const known = this.#book.get(handle)?.known;
    if (known === undefined || !equal(known.keys.identity, identity) || known.list.number !== number) {
      return [];
    }
    const hash = await this.#parts.provider.sha256(known.keys.list);
    if (equal(hash, list)) return [];
    this.#refused.add(handle);
    return [{ type: "keys", handle, news: "listRefused", detail: undefined }];
  }

  /** A display name as it may be shown: not where there is none, or where it looks like somebody else's handle. */
  display(handle: Handle, display: string): string | undefined {
    if (display === "") return undefined;
    const lookAlike = this.#handles.get(skeleton(display));
    return lookAlike === undefined || lookAlike === handle ? display : undefined;
  }

  /** What is known of a person, with the words to compare; a changed identity's, where one waits to be accepted. */
  async tell(handle: Handle, own: OwnAccount): Promise<ClientEvent | Refused> {
    const peer = this.#book.get(handle);
    const shown = handle === own.handle ? own.opened : peer?.changed ?? peer?.known;
    if (shown === undefined) return UNKNOWN;
    const { provider, hostKey } = this.#parts;
    const { keys: { identity }, list } = shown;
    this.#compared.set(handle, identity);
    return {
      type: "person",
      handle,
      display: this.display(handle, list.display),
      words: await safetyWords(provider, hostKey, [own.opened.keys.identity, identity]),
      trust: peer === undefined || handle === own.handle ? "own" : trustOf(peer),
      devices: deviceLines(list.devices, handle === own.handle ? own.device.publicKey : undefined),
    };
  }

  /** Notes that a person's words were compared. */
  verify(handle: Handle): Refused | undefined {
    const peer = this.#book.get(handle);
    if (peer === undefined) return UNKNOWN;
    if (peer.changed !== undefined) {
      return refused(
        `the identity of ${handle} has changed; compare the words of /whois ${handle}, then /accept ${handle}`,
      );
    }
    return this.#replace(handle, peer.known, markVerified(this.#book, handle));
  }

  /** Takes a person's changed identity for theirs. */
  accept(handle: Handle): Refused | undefined {
    const peer = this.#book.get(handle);
    if (peer === undefined) return UNKNOWN;
    if (peer.changed === undefined) {
      return refused(`the identity of ${handle} has not changed; nothing is to be done`);
    }
    return this.#replace(handle, peer.changed, acceptIdentity(this.#book, handle));
  }

  /** What was decided holds for the identity whose words were shown, and for no other that came since. */
  #replace(handle: Handle, decidedOn: KnownKeys, book: PeerBook | undefined): Refused | undefined {
    const compared = this.#compared.get(handle);
    if (book === undefined || compared !== undefined && !equal(compared, decidedOn.keys.identity)) {
      return refused(
        `the identity of ${handle} has changed again; compare the words of /whois ${handle} anew`,
      );
    }
    this.#book = book;
    return undefined;
  }

  /** A person's keys as they are believed, opened once. */
  async #openedOf(handle: Handle, own: OwnAccount): Promise<OpenedKeys | undefined> {
    if (handle === own.handle) return own.opened;
    const known: Peer | undefined = this.#book.get(handle);
    if (known === undefined) return undefined;
    const { keys } = known.known;
    const before = this.#opened.get(handle);
    if (before !== undefined && sameKeys(before.keys, keys)) return before;
    const opened = await openKeys(this.#parts.provider, this.#parts.hostKey, handle, keys);
    if (opened !== undefined) this.#opened.set(handle, opened);
    return opened;
  }

  #doubtAbout(handle: Handle): Doubt | undefined {
    if (this.#book.get(handle)?.changed !== undefined) return "identity changed";
    return this.#refused.has(handle) ? "device list refused" : undefined;
  }
}

const UNKNOWN = refused("nobody of that name was seen here; /names lists who is here");

function refused(why: string): Refused {
  return { kind: "refused", why };
}
