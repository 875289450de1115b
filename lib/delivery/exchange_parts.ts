/**
 * What delivery is given, and what it tells the operator.
 *
 * @module
 */

import type { FileStore } from "../chat/file_port.ts";
import type { LogStore } from "../chat/log_port.ts";
import type { AccountStore } from "../chat/port.ts";
import type { Entropy, Provider, SigningKey } from "../crypto/port.ts";
import type { FileLimits } from "../session/file_desk.ts";
import { Failure } from "../text/failure.ts";
import type { Handle } from "../text/handle.ts";
import type { FaultCode } from "../wire/message.ts";

/** What the operator is told of what is stored and delivered. */
export type DeliveryNews =
  /** The disk refused so many entries or answers; `why` is its sentence. */
  | { readonly kind: "notStored"; readonly count: number; readonly why: string }
  /** Entries of a room are dropped, since they are as old as its people want: up to that number. */
  | { readonly kind: "dropped"; readonly room: string; readonly upTo: number }
  /** A connection is over of which things were refused: how many, by code. */
  | {
    readonly kind: "refused";
    readonly handle: Handle;
    readonly address: string;
    readonly counts: ReadonlyMap<FaultCode, number>;
  }
  /** A fault of this program. */
  | { readonly kind: "fault"; readonly what: string };

/** What delivery is given. */
export interface ExchangeParts {
  /** Hashes and verifies. */
  readonly provider: Provider;
  /** For ids and salts of what the server itself writes. */
  readonly entropy: Entropy;
  /** Signs that. */
  readonly hostKey: SigningKey;
  /** Milliseconds since 1970. */
  readonly wallClock: () => number;
  /** Calls back once what has come in this turn was read: what other connections bring in it shares one change. */
  readonly soon: (act: () => void) => void;
  /** Where logs are kept. */
  readonly logs: LogStore;
  /** Where files are kept. */
  readonly files: FileStore;
  /** Who has an account. */
  readonly accounts: Pick<AccountStore, "find" | "list">;
  /** Days after which entries of new rooms are dropped; 0: never. */
  readonly retention: number;
  /** How much may be kept of files. */
  readonly fileLimits: FileLimits;
  /** Whether entries are encrypted once for all who hear them, or for each. */
  readonly fanout: Fanout;
  /** Is told what the operator may want to know. */
  readonly note: (news: DeliveryNews) => void;
}

/** How entries reach those who hear them. */
export type Fanout = "shared" | "individual";

/** The operator is told that something could not be stored or read, or of a fault of ours. */
export function noteTrouble({ note }: Pick<ExchangeParts, "note">, error: unknown, count = 1): void {
  note(
    error instanceof Failure
      ? { kind: "notStored", count, why: error.message }
      : { kind: "fault", what: error instanceof Error ? error.stack ?? String(error) : String(error) },
  );
}
