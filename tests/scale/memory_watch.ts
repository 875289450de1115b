/**
 * How much memory programs take, as the system tells it: looked at again and again while something is under way.
 *
 * @module
 */

/** How often it is looked at, in milliseconds. */
const LOOKS_MS = 200;

/** How long a program has nothing to do before what it takes then counts as its idle memory, in milliseconds. */
const IDLE_MS = 1_500;

/** What a program takes, in octets. */
export interface Memory {
  /** While it has nothing to do. */
  readonly idle: number;
  /** The most that was seen since then. */
  most: number;
}

/** Watches programs until it is closed. */
export class MemoryWatch {
  readonly #watched = new Map<number, Memory>();
  readonly #stopping = new AbortController();
  readonly #looking: Promise<void>;

  /** Watches none yet. */
  constructor() {
    this.#looking = this.#look();
  }

  /** Watches the program of that process, which has nothing to do at the moment. */
  async watch(pid: number): Promise<Memory> {
    await pause(IDLE_MS);
    const idle = await residentOf(pid) ?? 0;
    const memory = { idle, most: idle };
    this.#watched.set(pid, memory);
    return memory;
  }

  /** Watches it from here on as it watched the one of which it takes the place. */
  watchAs(pid: number, memory: Memory): void {
    this.#watched.set(pid, memory);
  }

  /** Looks no more. */
  async close(): Promise<void> {
    this.#stopping.abort();
    await this.#looking;
  }

  async #look(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      for (const [pid, memory] of this.#watched) {
        const resident = await residentOf(pid);
        if (resident === undefined) this.#watched.delete(pid);
        else memory.most = Math.max(memory.most, resident);
      }
      await pause(LOOKS_MS);
    }
  }
}

/** Octets in memory; `undefined` where the process is gone. Deno lets nobody below /proc, so that another program reads it. */
async function residentOf(pid: number): Promise<number | undefined> {
  const { stdout } = await new Deno.Command("cat", { args: [`/proc/${pid}/status`], stderr: "null" })
    .output();
  const found = /^VmRSS:\s+([0-9]+) kB$/m.exec(new TextDecoder().decode(stdout));
  return found === null ? undefined : Number(found[1]) * 1_024;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
