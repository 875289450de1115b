/**
 * What a process has used so far, as the system counts it. Deno lets nobody but who may do everything read /proc, so a
 * child reads it that may do nothing else.
 *
 * @module
 */

import { run } from "../tools/child.ts";

/** Ticks a second of the counters in /proc/PID/stat: USER_HZ, which is 100 on every architecture that Deno runs on. */
const TICKS_PER_SECOND = 100;

/** Where utime and stime are among the fields behind the command's name (proc(5): fields 14 and 15, the third being first). */
const [USER_FIELD, SYSTEM_FIELD] = [11, 12] as const;

const KIBIBYTE = 1_024;

/** Seconds of processor time that a process has used, in user mode and in the system's, all of its threads together. */
export async function cpuSeconds(pid: number): Promise<number> {
  const stat = await contentOf(`/proc/${pid}/stat`);
  // The command's name stands in brackets and may have spaces and brackets itself.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const ticks = [fields[USER_FIELD], fields[SYSTEM_FIELD]].map(Number);
  const seconds = ticks.reduce((sum, each) => sum + each, 0) / TICKS_PER_SECOND;
  if (!Number.isFinite(seconds)) throw new Error(`Cannot read the times of process ${pid}: ${stat}`);
  return seconds;
}

/** Octets of memory that a process has in use. */
export async function residentBytes(pid: number): Promise<number> {
  const status = await contentOf(`/proc/${pid}/status`);
  const kibibytes = Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]);
  if (!Number.isFinite(kibibytes)) throw new Error(`Cannot read the memory of process ${pid}: ${status}`);
  return kibibytes * KIBIBYTE;
}

/** How many files, connections included, a process may have open. */
export async function openFilesMax(pid: number): Promise<number> {
  const limits = await contentOf(`/proc/${pid}/limits`);
  const soft = /^Max open files\s+(\d+|unlimited)\s/m.exec(limits)?.[1];
  if (soft === undefined) throw new Error(`Cannot read the limits of process ${pid}: ${limits}`);
  return soft === "unlimited" ? Infinity : Number(soft);
}

/** How much work waits for this machine's processors: the averages of 1, 5 and 15 minutes, as the system prints them. */
export async function machineLoad(): Promise<string> {
  return (await contentOf("/proc/loadavg")).split(" ").slice(0, 3).join(" ");
}

/** What the first processor calls itself. */
export async function processorName(): Promise<string> {
  return /^model name\s*: (.*)$/m.exec(await contentOf("/proc/cpuinfo"))?.[1] ?? "unknown";
}

async function contentOf(path: string): Promise<string> {
  const { code, output } = await run("cat", [path]);
  if (code !== 0) throw new Error(`Cannot read ${path}: ${output}`);
  return output;
}
