/**
 * Who takes part in a test in terminals: shells, clients that a person sees, programs without a screen.
 *
 * @module
 */

import type { Program } from "../../tools/program.ts";
import { enrolled, keepKeys } from "../scenarios/enrolled.ts";
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

/** How a shell is opened. */
export interface ShellOpening {
  readonly size?: Size;
  /** Whose home it has, where it is not its own. */
  readonly home?: string;
  /** Variables besides TERM, HOME, PATH and the prompt. */
  readonly env?: Readonly<Record<string, string>>;
}

/** A pane with a shell that finds the executables and has nothing else of ours. */
export async function shell(
  { executables, tmux, folder }: Stage,
  name: string,
  { size = USUAL, home = name, env = {} }: ShellOpening = {},
): Promise<Pane> {
  const path = executables.client.file.replace(/\/[^/]*$/, "");
  const variables = Object.entries({ PATH: path, PS1: "$ ", ...env }).map(([key, value]) =>
    `${key}=${value}`
  );
  const pane = await tmux.pane(name, [...bare(`${folder}/${home}`), ...variables, "/bin/sh"], size);
  await pane.foot("$");
  return pane;
}

/** Waits for a question that a window of any width shows, which may have broken it, and answers it. */
export async function answer(pane: Pane, question: string, text: string): Promise<void> {
  await pane.until(
    `"${question}" at its foot`,
    (rows) => rows.join("").replace(/\s/g, "").endsWith(question.replace(/\s/g, "")),
  );
  await pane.enter(text);
}

/** Answers what somebody is asked who is new to a server; the recovery code that is shown. */
export async function becomeNew(pane: Pane, password: string): Promise<string> {
  await answer(pane, "Password:", password);
  await answer(pane, "The same password again, for a new account:", password);
  const shown = await pane.until("the recovery code", (rows) => recoveryCodeIn(rows));
  await answer(pane, "Press Enter when you have it:", "");
  return shown;
}

/** The recovery code that a screen of any width shows whole. */
function recoveryCodeIn(rows: readonly string[]): string | undefined {
  return /neveragain:((?:[0-9A-Z]{4}-){7}[0-9A-Z]{4})Write/.exec(withoutSpaces(rows.join("")))?.[1];
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

/** Makes an account of `name`, and keys of a device of it in the folder of its client: nothing is asked there any more. */
export async function settle({ folder }: Stage, name: string): Promise<void> {
  const dataDir = `${folder}/server`;
  for (const own of await enrolled(dataDir, [name])) {
    await keepKeys(`${folder}/${name}`, { dataDir, user: name, own });
  }
}

/** A pane in which a client runs that knows the server's key, and whose device the server knows. */
export async function openKnown(
  stage: Stage,
  name: string,
  announced: Announcement,
  size = USUAL,
): Promise<Pane> {
  await settle(stage, name);
  return await openClient(stage, name, { args: known(announced, name), size });
}

/** A server without a screen; on a free port, where it is not said which. */
export async function startServer(
  { executables, folder, companions }: Stage,
  { port = 0 }: { readonly port?: number } = {},
): Promise<Announcement & { readonly program: Program }> {
  const args = [`--port=${port}`, `--data-dir=${folder}/server`];
  const program = start("the server", executables.server, { args, bare: true });
  companions.push(program);
  return { ...await announcement(program), program };
}

/** A client without a screen, to say by JSON what a pane is to show. */
export async function startSpeaker(
  stage: Stage,
  announced: Announcement,
  name: string,
): Promise<Program> {
  const { executables, folder, companions } = stage;
  await settle(stage, name);
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
  return new RegExp(`^${TIME} #lobby <${name}> ${RegExp.escape(text)} ☒$`);
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
  const pattern = new RegExp(`^${TIME}#lobby<${name}>(.*)☒$`);
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
