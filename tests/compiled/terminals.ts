/**
 * Who takes part in a test in terminals: shells, clients that a person sees, programs without a screen.
 *
 * @module
 */

import type { Program } from "../../tools/program.ts";
import type { Stage } from "./executables.ts";
import { type Announcement, announcement, start } from "./launch.ts";
import { type Pane, type Size, USUAL } from "./tmux.ts";

/** A time of day on a screen, as a part of a pattern. */
export const TIME = String.raw`\d\d:\d\d:\d\d`;

/** How a client is opened in a pane of its own. */
export interface Opening {
  readonly args: readonly string[];
  readonly size?: Size;
  /** Whose folder it uses, where it is not its own. */
  readonly home?: string;
}

/** A pane with a shell that finds the executables and has nothing else of ours. */
export async function shell({ executables, tmux, folder }: Stage, name: string): Promise<Pane> {
  const path = executables.client.file.replace(/\/[^/]*$/, "");
  const pane = await tmux.pane(name, [...bare(`${folder}/${name}`), `PATH=${path}`, "PS1=$ ", "/bin/sh"]);
  await pane.foot("$");
  return pane;
}

/** A pane in which a client runs, and nothing else. */
export async function openClient(
  { executables, tmux, folder }: Stage,
  name: string,
  { args, size = USUAL, home = name }: Opening,
): Promise<Pane> {
  const command = [...bare(folder), `SOTTO_CONFIG_DIR=${folder}/${home}`, executables.client.file, ...args];
  return await tmux.pane(name, command, size);
}

/** A pane in which a client runs that knows the server's key. */
export async function openKnown(
  stage: Stage,
  name: string,
  announced: Announcement,
  size = USUAL,
): Promise<Pane> {
  return await openClient(stage, name, { args: known(announced, name), size });
}

/** A server without a screen. */
export async function startServer(
  { executables, folder, companions }: Stage,
): Promise<Announcement & { readonly program: Program }> {
  const args = ["--port=0", `--data-dir=${folder}/server`];
  const program = start("the server", executables.server, { args, bare: true });
  companions.push(program);
  return { ...await announcement(program), program };
}

/** A client without a screen, to say by JSON what a pane is to show. */
export async function startSpeaker(
  { executables, folder, companions }: Stage,
  announced: Announcement,
  name: string,
): Promise<Program> {
  const program = start(name, executables.client, {
    args: [...known(announced, name), "--json"],
    bare: true,
    env: { SOTTO_CONFIG_DIR: `${folder}/${name}` },
  });
  companions.push(program);
  await program.output.until("it was in", (line) => line.includes('"change":"here"') ? line : undefined);
  return program;
}

/** Waits until each of `panes` shows that `name` said `text`. */
export async function shows(panes: readonly Pane[], name: string, text: string): Promise<void> {
  for (const pane of panes) {
    await pane.until(`${name}'s "${text}"`, (rows) => rows.some((row) => saidBy(name, text).test(row)));
  }
}

/** The row of a message that fits in one. */
export function saidBy(name: string, text: string): RegExp {
  return new RegExp(`^${TIME} #lobby <${name}> ${RegExp.escape(text)} ☐ unverified name$`);
}

/**
 * What `name` said, without its spaces, by a screen of any width: a message may be broken at a space or not.
 */
export function lettersOf(name: string, rows: readonly string[]): readonly string[] {
  const whole: string[] = [];
  for (const row of rows) {
    if (row.startsWith("    ")) whole.push((whole.pop() ?? "") + withoutSpaces(row));
    else whole.push(withoutSpaces(row));
  }
  const pattern = new RegExp(`^${TIME}#lobby<${name}>(.*)☐unverifiedname$`);
  return whole.flatMap((row) => pattern.exec(row)?.[1] ?? []);
}

/** `text` in the form of {@linkcode lettersOf}. */
export function withoutSpaces(text: string): string {
  return text.replaceAll(" ", "");
}

/** All that a program in a pane has of an environment. */
function bare(home: string): readonly string[] {
  return ["env", "-i", "TERM=xterm-256color", `HOME=${home}`];
}

function known({ address, fingerprint }: Announcement, name: string): readonly string[] {
  return [address, `--host-key=${fingerprint}`, `--user=${name}`];
}
