/**
 * A program's command line, by stricli: commands and flags as typed data, `--help`, `--version`, and for
 * whatever is wrong one sentence and an exit code. What stricli would print of errors, and its own exit
 * codes, never show.
 *
 * @module
 */

import {
  AliasNotFoundError,
  ArgumentParseError,
  buildApplication,
  buildRouteMap,
  type Command,
  type CommandContext,
  FlagNotFoundError,
  type RouteMap,
  run,
  type StricliIntegration,
  type StricliProcess,
  text_en,
  UnexpectedFlagError,
  UnexpectedPositionalError,
  UnsatisfiedFlagError,
  UnsatisfiedPositionalError,
} from "@stricli/core";
import { type Exit, EXIT_CODES, Failure } from "../text/failure.ts";
import { nearest } from "../text/nearest.ts";
import { visible } from "../text/visible.ts";
import { quoted } from "./quoted.ts";

/** Where a program writes. */
export interface Writer {
  /** Writes all of `text`, or throws. */
  write(text: string): void;
}

/** Standard output and standard error. */
export interface Streams {
  /** For what was asked for. */
  readonly stdout: Writer;
  /** For what could not be done. */
  readonly stderr: Writer;
}

/** What a command has as `this`. */
export interface ProgramContext extends CommandContext {
  /** Says how the program ends; without it, by `ok`. A command that fails throws a {@linkcode Failure}. */
  end(exit: Exit): void;
}

/** A program. */
export interface Program {
  /** As it is called. */
  readonly name: string;
  /** Of the release. */
  readonly version: string;
  /** By name, of one word or two: "chat", "user list"; each is made by stricli's `buildCommand`. */
  readonly commands: Readonly<Record<string, Command<ProgramContext>>>;
  /** The command that runs where none is named. */
  readonly defaultCommand: string;
  /** Environment names and what they do, in the order of `--help`. */
  readonly environment: readonly (readonly [name: string, brief: string])[];
  /** What a word that is no command can be, besides a slip: "a host of that name". */
  readonly wordMeans?: string;
}

/** What each exit code says, in a few words for `--help`; in their order. */
const EXIT_BRIEFS: Readonly<Record<Exit, string>> = {
  ok: "done",
  usage: "wrong command line",
  data: "bad data",
  noInput: "no such file",
  unavailable: "not reachable",
  software: "a fault of the program",
  cannotCreate: "cannot create or write",
  temporary: "timed out or cut: try again",
  protocol: "protocol or host key",
  noPermission: "not allowed",
  config: "configuration",
};

/** Exit codes on one line of `--help`. */
const EXITS_PER_LINE = 3;

/**
 * What the scanner takes for a flag. Other words with two dashes it would take for an argument, `--port=`
 * too.
 */
const FLAG = /^--[a-z][a-z\-.\d_]+(?:=.+)?$/i;

/** How a flag is called in code, against how it is typed: `dataDir`, `--data-dir`. */
const CASE_STYLE = { scanner: "allow-kebab-for-camel", shown: "convert-camel-to-kebab" } as const;

/**
 * Runs `program` with `args`, as they follow its name, and gives the exit code. Does not throw: a
 * {@linkcode Failure} becomes its sentence on standard error and its code, anything else a sentence that says
 * that the program is at fault.
 */
export async function runProgram(
  program: Program,
  args: readonly string[],
  streams: Streams,
): Promise<number> {
  try {
    return EXIT_CODES[await ended(program, args, streams)];
  } catch (error) {
    const { exit, message } = error instanceof Failure ? error : ownFault(program, error);
    streams.stderr.write(`${message}\n`);
    return EXIT_CODES[exit];
  }
}

/**
 * `flags` without JavaScript's inherited names: stricli looks typed names up in it, and would take
 * `--constructor` for a flag.
 */
export function flagTable<Flags extends object>(flags: Flags): Flags {
  Object.setPrototypeOf(flags, null);
  return flags;
}

/** For a flag that is read later, where more is known. */
export function asTyped(text: string): string {
  return text;
}

/** Refuses the name of `command` where an argument is expected, which a person means as the command. */
export function refuseCommand(text: string, command: string, program: string): void {
  if (text !== command) return;
  throw new Failure(
    "usage",
    `Cannot use ${quoted(text)} here: a command comes before its flags; write "${program} ${command} …".`,
  );
}

async function ended(program: Program, args: readonly string[], streams: Streams): Promise<Exit> {
  const faults: unknown[] = [];
  let exit: Exit = "ok";
  // Its own words on standard error go nowhere: ours are made of `faults`.
  const process: StricliProcess = { stdout: streams.stdout, stderr: { write: () => {} }, exitCode: null };
  await run(application(program, faults), routed(program, args), {
    process,
    end: (chosen) => {
      exit = chosen;
    },
  });
  // One sentence: of several things that are wrong, the first.
  if (faults.length > 0) throw sentenced(faults[0], program, args);
  if (process.exitCode !== 0) throw new RangeError(`stricli ended with ${process.exitCode} and no reason`);
  return exit;
}

function application(
  program: Program,
  faults: unknown[],
): ReturnType<typeof buildApplication<ProgramContext>> {
  const note = (fault: unknown): string => {
    faults.push(fault);
    return "";
  };
  return buildApplication<ProgramContext>(
    buildRouteMap({ routes: routesOf(program), docs: { brief: program.name } }),
    {
      name: program.name,
      scanner: { caseStyle: CASE_STYLE.scanner },
      documentation: { disableAnsiColor: true },
      localization: {
        text: {
          ...text_en,
          exceptionWhileParsingArguments: note,
          exceptionWhileLoadingCommandFunction: note,
          exceptionWhileLoadingCommandContext: note,
          exceptionWhileRunningCommand: note,
          commandErrorResult: note,
          exceptionWhileRunningIntegrationFlag: ({ exception }) => note(exception),
          exceptionWhileRunningIntegrationHook: ({ exception }) => note(exception),
          noCommandRegisteredForInput: ({ input }) => note(new RangeError(`no command ${input}`)),
        },
      },
    },
    { help: helpFlag(program), version: versionFlag(program) },
  );
}

/** Commands of two words stand below their first one. */
function routesOf({ commands }: Program): Record<string, Command<ProgramContext> | RouteMap<ProgramContext>> {
  const routes: Record<string, Command<ProgramContext> | RouteMap<ProgramContext>> = {};
  for (const [name, command] of Object.entries(commands)) {
    const [first = name, second] = name.split(" ");
    if (second === undefined) routes[first] = command;
    else {
      routes[first] ??= buildRouteMap({
        routes: Object.fromEntries(secondWords(commands, first).map(([word, target]) => [word, target])),
        docs: { brief: `commands about a ${first}` },
      });
    }
  }
  return routes;
}

function secondWords(
  commands: Program["commands"],
  first: string,
): (readonly [word: string, command: Command<ProgramContext>])[] {
  return Object.entries(commands)
    .filter(([name]) => name.startsWith(`${first} `))
    .map(([name, command]) => [name.slice(first.length + 1), command] as const);
}

/** `args` with the command named: stricli's own default command would swallow a misspelt one. */
function routed(program: Program, args: readonly string[]): readonly string[] {
  const { name, commands, defaultCommand, wordMeans } = program;
  const [first] = args;
  const broken = args.find((arg) => arg.startsWith("--") && !FLAG.test(arg));
  if (broken !== undefined) throw brokenFlag(broken, program);
  if (first === undefined || first.startsWith("-")) return [defaultCommand, ...args];
  if (Object.hasOwn(commands, first)) return args;
  const words = secondWords(commands, first).map(([word]) => word);
  if (words.length > 0) return routedBelow(program, args, words);
  const near = nearest(first, [...Object.keys(commands).flatMap(firstWord), "help", "version"]);
  if (near === undefined) return [defaultCommand, ...args];
  const isCommand = Object.keys(commands).flatMap(firstWord).includes(near);
  const meant = `write "${name} ${isCommand ? near : `--${near}`}"`;
  const other = wordMeans === undefined
    ? ""
    : `, or "${name} ${defaultCommand} ${visible(first)}" for ${wordMeans}`;
  throw new Failure("usage", `Cannot run ${quoted(first)}: there is no such command; ${meant}${other}.`);
}

function firstWord(command: string): string[] {
  return command.split(" ").slice(0, 1);
}

/** As {@linkcode routed}, where the first of two words is right and `words` may be the second. */
function routedBelow(
  { name }: Program,
  args: readonly string[],
  words: readonly string[],
): readonly string[] {
  const [first = "", second] = args;
  if (second !== undefined && (words.includes(second) || ["-h", "--help", "--version"].includes(second))) {
    return args;
  }
  const cannot = `Cannot run ${quoted(second === undefined ? first : `${first} ${second}`)}`;
  const near = second === undefined ? undefined : nearest(second, words);
  const why = second === undefined ? "it needs a second word" : "there is no such command";
  const remedy = near === undefined ? `see "${name} ${first} --help"` : `write "${name} ${first} ${near}"`;
  throw new Failure("usage", `${cannot}: ${why}; ${remedy}.`);
}

function brokenFlag(arg: string, program: Program): Failure {
  const valueless = /^--([^=]+)=$/.exec(arg)?.[1];
  if (valueless === undefined || !flagNames(program).includes(valueless)) return noSuchFlag(arg, program);
  return new Failure("usage", `Cannot use --${valueless}: it has an empty value; write one after the "=".`);
}

function noSuchFlag(typed: string, program: Program): Failure {
  const word = typed.replace(/^-+/, "").replace(/=.*$/s, "");
  const near = nearest(word, flagNames(program));
  if (near === word && typed.startsWith("--")) {
    return new Failure("usage", `Cannot use --${word} here: other commands have it; see this one's --help.`);
  }
  const remedy = near === undefined ? `see ${program.name} --help.` : `did you mean --${near}?`;
  return new Failure("usage", `Cannot use ${unquoted(typed)}: there is no such flag; ${remedy}`);
}

/** Every flag, as it is typed but for the dashes. */
function flagNames({ commands }: Program): string[] {
  const flags = Object.values(commands).flatMap(({ parameters }) => Object.keys(parameters.flags ?? {}));
  return [...flags.map(kebab), "help", "version"];
}

function kebab(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** A flag stands in a sentence as it is, without its value and without quotation marks. */
function unquoted(flag: string): string {
  return quoted(flag.replace(/=.*$/s, "")).slice(1, -1);
}

/** What stricli found wrong, in the words of this house; what a command threw is left as it is. */
function sentenced(fault: unknown, program: Program, args: readonly string[]): unknown {
  if (fault instanceof FlagNotFoundError) return noSuchFlag(`--${fault.input}`, program);
  if (fault instanceof AliasNotFoundError) {
    const typed = args.find((arg) => /^-[a-z]/i.test(arg) && arg.includes(fault.input));
    return noSuchFlag(typed ?? `-${fault.input}`, program);
  }
  if (fault instanceof UnsatisfiedFlagError) {
    const flag = `--${fault.externalFlagName}`;
    return new Failure(
      "usage",
      `Cannot use ${flag}: it needs a value; write ${flag} ${placeholder(fault, program)}.`,
    );
  }
  if (fault instanceof UnexpectedFlagError) {
    return new Failure(
      "usage",
      `Cannot use --${fault.externalFlagName} twice: which one counts is unclear; drop one.`,
    );
  }
  if (fault instanceof UnexpectedPositionalError) {
    const rule = "there is an argument too many";
    return new Failure("usage", `Cannot use ${quoted(fault.input)}: ${rule}; see ${program.name} --help.`);
  }
  if (fault instanceof UnsatisfiedPositionalError) {
    const said = wordsOf(args, program).map(visible).join(" ");
    const remedy = `write "${program.name} ${said} ${fault.placeholder}"`;
    return new Failure(
      "usage",
      `Cannot run ${quoted(said)} alone: ${fault.placeholder} is missing; ${remedy}.`,
    );
  }
  if (fault instanceof ArgumentParseError) {
    if (fault.exception instanceof Failure) return fault.exception;
    const flag = `--${fault.externalFlagNameOrPlaceholder}`;
    return new Failure(
      "usage",
      `Cannot give ${flag} the value ${quoted(fault.input)}: it takes none; write ${flag}.`,
    );
  }
  return fault;
}

/** The words of `args` that are no flags and no values of flags: the command, and what it is given. */
function wordsOf(args: readonly string[], { commands }: Program): string[] {
  const command = commands[args.slice(0, 2).join(" ")] ?? commands[args[0] ?? ""];
  const flags = Object.entries(command?.parameters.flags ?? {});
  const valued = new Set(flags.flatMap(([name, { kind }]) => kind === "boolean" ? [] : [`--${kebab(name)}`]));
  return args.filter((arg, at) => !arg.startsWith("-") && !valued.has(args[at - 1] ?? ""));
}

function placeholder({ externalFlagName }: UnsatisfiedFlagError, { commands }: Program): string {
  for (const { parameters } of Object.values(commands)) {
    for (const [name, flag] of Object.entries(parameters.flags ?? {})) {
      if (kebab(name) === externalFlagName) return flag.placeholder ?? "VALUE";
    }
  }
  return "VALUE";
}

function ownFault(program: Program, error: unknown): Failure {
  const told = visible(error instanceof Error ? `${error.name}: ${error.message}` : String(error));
  const remedy = "please report it with what you typed, without secrets";
  return new Failure("software", `Cannot go on: a fault of ${program.name} itself (${told}); ${remedy}.`);
}

function helpFlag(program: Program): StricliIntegration<ProgramContext> {
  return {
    flag: {
      brief: "print this and end",
      global: true,
      aliases: ["h"],
      run(_app, { result, additionalFlags, text }) {
        const help = result.target.formatHelp({
          prefix: result.prefix.filter((word) => word !== program.defaultCommand),
          text,
          additionalFlags,
          includeArgumentEscapeSequenceFlag: false,
          includeHidden: false,
          config: { useAliasInUsageLine: false, onlyRequiredInUsageLine: false, caseStyle: CASE_STYLE.shown },
          ansiColor: false,
        });
        this.process.stdout.write(`${help}\n${helpEnd(program)}`);
      },
    },
  };
}

/** What stricli's help has no place for. */
function helpEnd({ environment }: Program): string {
  const width = Math.max(...environment.map(([name]) => name.length));
  const names = environment.map(([name, brief]) => `  ${name.padEnd(width)}  ${brief}`);
  return ["ENVIRONMENT", ...names, "", "EXIT CODES", ...exitLines(), ""].join("\n");
}

function exitLines(): string[] {
  const briefs = new Map(Object.entries(EXIT_BRIEFS));
  const exits = Object.entries(EXIT_CODES).map(([exit, code]) => `${code} ${briefs.get(exit) ?? exit}`);
  const lines: string[] = [];
  for (let at = 0; at < exits.length; at += EXITS_PER_LINE) {
    lines.push(`  ${exits.slice(at, at + EXITS_PER_LINE).join(", ")}`);
  }
  return lines;
}

function versionFlag(program: Program): StricliIntegration<ProgramContext> {
  return {
    flag: {
      brief: "print the version and end",
      global: true,
      run() {
        this.process.stdout.write(`${program.name} ${program.version}\n`);
      },
    },
  };
}
