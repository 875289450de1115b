/**
 * The one that writes: what is to be stored waits in one queue; when the disk is free, all that waits is decided in its
 * order, stored by one change, and only then acknowledged and told (PROTOCOL §8). Where the change is rejected, it is as
 * if nothing had been asked.
 *
 * @module
 */

import type { LogChange, LogStore } from "../chat/log_port.ts";
import type { Proposal } from "../chat/proposal.ts";
import type { RoomState } from "../chat/room.ts";
import type { Bytes } from "../wire/bytes.ts";
import { SLOW_SECONDS_MAX } from "../wire/limits.ts";
import type { Logged, Place } from "../wire/message.ts";
import { Batch, type BatchParts, type Verdict } from "./batch.ts";
import { type Evidence, evidenceFor, type EvidenceParts } from "./evidence.ts";

/** Proposals in one change, which holds up all else for as long as it is decided and stored. */
export const BATCH_MAX = 256;

/** Of them, those of one connection, where there are others': who says much at once does not keep the others waiting. */
export const BATCH_PER_PEER_MAX = 16;

/** Proposals of one connection that wait before no more of it is read: a client's window. */
export const WAITING_PER_PEER_MAX = 256;

/** Proposals of all connections that wait before no more of any is read: with the longest texts, 70 MiB. */
export const WAITING_MAX = 8_192;

/** A proposal that wants its place. */
export interface Wish {
  /** What job it is. */
  readonly kind: "entry";
  /** What is proposed. */
  readonly proposal: Proposal;
  /** The connection that it came by; `undefined` for the server's own. */
  readonly source: object | undefined;
  /**
   * What it is when its turn comes: void where who has said it was put out meanwhile; stuck where what they said before it
   * could not be stored.
   */
  readonly standing: () => "meant" | "void" | "stuck";
  /** Told what came of it, in the order of the queue; `undefined` where it was not meant any more. */
  readonly settle: (verdict: Verdict | undefined) => void;
}

/** Entries that are to be dropped. */
export interface Trimming {
  /** What job it is. */
  readonly kind: "trim";
  /** The room's id. */
  readonly room: Bytes;
  /** The last entry that goes. */
  readonly last: Place;
  /** Those of them that put files into it, which go, too. */
  readonly files: readonly Logged[];
  /** Told whether it was done. */
  readonly settle: (isDone: boolean) => void;
}

/** What a writer works with. */
export interface WriterParts extends EvidenceParts, Pick<BatchParts, "hostKey" | "retention"> {
  /** Where it writes. */
  readonly logs: LogStore;
  /** Milliseconds since 1970. */
  readonly wallClock: () => number;
  /** Calls back once all that came in this turn was read, so that it shares the change. */
  readonly soon: (act: () => void) => void;
  /** Marks that wait to be kept. */
  readonly marks: () => readonly LogChange[];
  /** Those marks are kept. */
  readonly marksKept: (changes: readonly LogChange[]) => void;
  /** A batch is stored, and what came of each was told; `before` has the rooms that it changed, as they were. */
  readonly changed: (rooms: readonly Changed[]) => void;
  /** The disk refused so many, with its reason. */
  readonly notStored: (count: number, error: unknown) => void;
  /** A fault of ours. */
  readonly fault: (error: unknown) => void;
}

/** A room before and after a batch. */
export interface Changed {
  /** `undefined` where the batch has made it. */
  readonly before: RoomState | undefined;
  /** After it. */
  readonly room: RoomState;
}

type Job = Wish | Trimming;

/** What was decided on a job: told when the change is stored. */
type Decided =
  | { readonly job: Wish; readonly verdict: Verdict | undefined }
  | { readonly job: Trimming; readonly isDone: boolean };

const NOT_STORED: Verdict = { kind: "refused", code: "notStored" };

/** The writer of one server. */
export class Writer {
  readonly #parts: WriterParts;
  readonly #spoken = new Map<string, number>();
  readonly #ofSource = new Map<object, number>();
  #queue: Job[] = [];
  #state: "idle" | "due" | "writing" = "idle";
  #turned = Promise.withResolvers<void>();

  /** A writer that has nothing to write. */
  constructor(parts: WriterParts) {
    this.#parts = parts;
  }

  /** Puts a job at the end of the queue. */
  add(job: Job): void {
    this.#queue.push(job);
    const source = job.kind === "entry" ? job.source : undefined;
    if (source !== undefined) this.#ofSource.set(source, (this.#ofSource.get(source) ?? 0) + 1);
    this.#wake();
  }

  /** Settles when that connection may add more. */
  async hasRoom(source: object): Promise<void> {
    while (
      (this.#ofSource.get(source) ?? 0) >= WAITING_PER_PEER_MAX || this.#queue.length >= WAITING_MAX
    ) await this.#turned.promise;
  }

  /** Settles when nothing of that connection waits. */
  async finished(source: object): Promise<void> {
    while (this.#ofSource.has(source)) await this.#turned.promise;
  }

  /** Has marks that wait kept, where nothing else is. */
  keepMarks(): void {
    if (this.#parts.marks().length > 0) this.#wake();
  }

  /** Forgets who spoke longer ago than any slow mode asks for. */
  tick(now: number): void {
    for (const [speaker, time] of this.#spoken) {
      if (now - time > SLOW_SECONDS_MAX * 1_000) this.#spoken.delete(speaker);
    }
  }

  /** Settles when nothing waits and nothing is being written. */
  async settled(): Promise<void> {
    while (this.#state !== "idle") await this.#turned.promise;
  }

  #wake(): void {
    if (this.#state !== "idle") return;
    this.#state = "due";
    this.#parts.soon(() => {
      this.#state = "writing";
      this.#turn().catch(this.#parts.fault).finally(() => this.#afterTurn());
    });
  }

  #afterTurn(): void {
    this.#state = "idle";
    if (this.#queue.length > 0) this.#wake();
    this.#turned.resolve();
    this.#turned = Promise.withResolvers();
  }

  async #turn(): Promise<void> {
    const jobs = this.#next();
    try {
      await this.#write(jobs);
    } finally {
      for (const job of jobs) this.#forget(job);
    }
  }

  /** The first that wait, each connection's in their order; what is left keeps its own. */
  #next(): readonly Job[] {
    const taken: Job[] = [];
    const left: Job[] = [];
    const ofSource = new Map<object, number>();
    for (const job of this.#queue) {
      const source = job.kind === "entry" ? job.source : undefined;
      const count = source === undefined ? 0 : ofSource.get(source) ?? 0;
      const mayCome = taken.length < BATCH_MAX && count < BATCH_PER_PEER_MAX;
      // What is behind one of the same connection that has to wait waits, too.
      if (source !== undefined) ofSource.set(source, mayCome ? count + 1 : BATCH_PER_PEER_MAX);
      (mayCome ? taken : left).push(job);
    }
    this.#queue = left;
    return taken;
  }

  async #write(jobs: readonly Job[]): Promise<void> {
    const marks = this.#parts.marks();
    const found = await this.#lookAll(jobs);
    const batch = new Batch({ ...this.#parts, now: this.#parts.wallClock(), spoken: this.#spoken });
    const decided = jobs.map((job, at) => this.#decide(batch, job, found[at]));
    const changes = [...batch.changes, ...marks];
    try {
      if (changes.length > 0) await this.#parts.logs.change(changes);
    } catch (error) {
      this.#parts.notStored(jobs.length, error);
      for (const job of jobs) this.#settle(refusal(job));
      return;
    }
    this.#parts.marksKept(marks);
    this.#tell(batch, decided);
  }

  /** All of it in one turn, so that all connections see one order. */
  #tell(batch: Batch, decided: readonly Decided[]): void {
    const { rooms, places, changed } = this.#parts;
    const news = batch.rooms.map((room) => ({ before: rooms.get(room.id), room }));
    for (const { room } of news) rooms.put(room);
    for (const [speaker, time] of batch.spoken) this.#spoken.set(speaker, time);
    for (const one of decided) {
      if (one.job.kind === "entry" && "verdict" in one && one.verdict?.kind === "accepted") {
        const { id, head } = one.verdict.room;
        places.note(id, head);
      }
      this.#settle(one);
    }
    changed(news);
  }

  /** Nothing where the disk could not be read for one of them: those behind it must not get its place. */
  async #lookAll(jobs: readonly Job[]): Promise<readonly (Evidence | undefined)[]> {
    const errors: unknown[] = [];
    const found = await Promise.all(jobs.map(async (job) => {
      try {
        return job.kind === "entry" ? await evidenceFor(job.proposal, this.#parts) : undefined;
      } catch (error) {
        errors.push(error);
        return undefined;
      }
    }));
    if (errors.length === 0) return found;
    this.#parts.notStored(jobs.length, errors[0]);
    return [];
  }

  #decide(batch: Batch, job: Job, found: Evidence | undefined): Decided {
    if (job.kind === "trim") return { job, isDone: batch.trim(job.room, job.last, job.files) !== undefined };
    const standing = job.standing();
    if (standing === "void") return { job, verdict: undefined };
    if (found === undefined || standing === "stuck") return refusal(job);
    try {
      return { job, verdict: batch.decide(job.proposal, found) };
    } catch (error) {
      this.#parts.fault(error);
      return refusal(job);
    }
  }

  /** A fault in telling one must not keep the others from being told. */
  #settle(one: Decided): void {
    try {
      if ("verdict" in one) one.job.settle(one.verdict);
      else one.job.settle(one.isDone);
    } catch (error) {
      this.#parts.fault(error);
    }
  }

  #forget(job: Job): void {
    const source = job.kind === "entry" ? job.source : undefined;
    if (source === undefined) return;
    const count = (this.#ofSource.get(source) ?? 0) - 1;
    if (count > 0) this.#ofSource.set(source, count);
    else this.#ofSource.delete(source);
  }
}

function refusal(job: Job): Decided {
  return job.kind === "entry" ? { job, verdict: NOT_STORED } : { job, isDone: false };
}
