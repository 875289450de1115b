/**
 * What a client knows of others, on its disk: the file `peers` in the account's folder.
 *
 * @module
 */

import {
  EMPTY_PEER_BOOK,
  parsePeerBook,
  type Peer,
  PEER_BOOK_BYTES_MAX,
  type PeerBook,
  peerBookText,
  PEERS_MAX,
} from "../identity/peer_trust.ts";
import { Failure } from "../text/failure.ts";
import type { Handle } from "../text/handle.ts";
import { visible } from "../text/visible.ts";
import { equal, utf8, utf8Text } from "../wire/bytes.ts";
import { accountFolder, type ServerFolder } from "./account_folder.ts";
import { orFailure } from "./file_failure.ts";
import { lockBeside, readPrivateFileIfThere, replacePrivateFile } from "./private_file.ts";

/** The file's name in the account's folder. */
export const PEERS_FILE = "peers";

/**
 * What each account on one server knows of others. It remembers what it has read and written: of several clients that
 * keep something at once, none loses what another has learnt.
 */
export class PeersFiles {
  readonly #server: ServerFolder;
  /** By account, the book as whoever uses this object has it. */
  readonly #seen = new Map<Handle, PeerBook>();

  /** Touches nothing yet. */
  constructor(server: ServerFolder) {
    this.#server = server;
  }

  /**
   * What is kept for `handle`; the empty book where there is no file. Throws a {@linkcode Failure}: `noInput` where it
   * cannot be read, `data` where it is damaged.
   */
  async load(handle: Handle): Promise<PeerBook> {
    const book = await bookIn(this.#path(handle));
    this.#seen.set(handle, book);
    return book;
  }

  /**
   * Keeps `book`, mode 0600 in a folder of mode 0700, with what others have changed in the file since this object loaded
   * or saved it; it is on the disk once this settles. Throws a {@linkcode Failure}: `cannotCreate` where the file cannot
   * be written, and those of {@linkcode load}.
   */
  async save(handle: Handle, book: PeerBook): Promise<void> {
    const path = this.#path(handle);
    await orFailure(() => this.#replace(path, book, handle), {
      exit: "cannotCreate",
      cannot: `Cannot keep the keys of others in ${visible(path)}`,
      remedy: "make the folder writable, or choose another by SOTTO_CONFIG_DIR",
    });
  }

  async #replace(path: string, book: PeerBook, handle: Handle): Promise<void> {
    using _lock = await lockBeside(path);
    const before = this.#seen.get(handle) ?? EMPTY_PEER_BOOK;
    const merged = withChanges(book, { before, after: await bookIn(path) });
    await replacePrivateFile(path, utf8(peerBookText(merged)));
    this.#seen.set(handle, book);
  }

  #path(handle: Handle): string {
    return `${accountFolder(this.#server, handle)}/${PEERS_FILE}`;
  }
}

/** `book` with what differs between `before` and `after`: what another client has learnt and this one does not know. */
function withChanges(
  book: PeerBook,
  { before, after }: { readonly before: PeerBook; readonly after: PeerBook },
): PeerBook {
  const merged = new Map(book);
  for (const [handle, theirs] of after) {
    const old = before.get(handle);
    if (isSame(handle, theirs, old)) continue;
    const ours = book.get(handle);
    if (ours !== undefined) {
      merged.set(handle, isSame(handle, ours, old) ? theirs : withBoth(ours, theirs, old));
    } else if (merged.size < PEERS_MAX) merged.set(handle, theirs);
  }
  return merged;
}

/** What two clients have learnt of one person since `old`. */
function withBoth(ours: Peer, theirs: Peer, old: Peer | undefined): Peer {
  if (isSameIdentity(ours, theirs)) {
    const known = ours.known.list.number < theirs.known.list.number ? theirs.known : ours.known;
    return { known, verified: ours.verified || theirs.verified, changed: ours.changed ?? theirs.changed };
  }
  // Ours was accepted by a person just now; or else theirs was, or was seen first.
  return old !== undefined && !isSameIdentity(ours, old) ? ours : theirs;
}

function isSameIdentity(a: Peer, b: Peer): boolean {
  return equal(a.known.keys.identity, b.known.keys.identity);
}

function isSame(handle: Handle, a: Peer | undefined, b: Peer | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a === b || peerBookText(new Map([[handle, a]])) === peerBookText(new Map([[handle, b]]));
}

async function bookIn(path: string): Promise<PeerBook> {
  const shown = visible(path);
  const file = await orFailure(() => readPrivateFileIfThere(path, PEER_BOOK_BYTES_MAX), {
    exit: "noInput",
    cannot: `Cannot read the keys of others in ${shown}`,
    remedy: "make it readable, or choose another folder by SOTTO_CONFIG_DIR",
  });
  if (file === undefined) return EMPTY_PEER_BOOK;
  const text = file.octets.length > PEER_BOOK_BYTES_MAX ? undefined : utf8Text(file.octets);
  const parsed = text === undefined ? undefined : parsePeerBook(text);
  if (parsed?.kind === "peerBook") return parsed.book;
  const why = parsed === undefined
    ? "is too long or no text"
    : `is damaged: line ${parsed.line} ${parsed.why}`;
  throw new Failure(
    "data",
    `Cannot use the keys of others in ${shown}: the file ${why}; put back your copy of it, or move it away and ` +
      "verify everybody anew.",
  );
}
