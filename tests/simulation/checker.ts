/**
 * The checker: what became of all that was said, against what a log that loses nothing promises. It knows nothing of how
 * the messages went; it compares what people said and were told with the logs at the end.
 *
 * @module
 */

/** An entry at its place. Ids and rooms are any texts that tell them apart. */
export interface Placed {
  readonly room: string;
  readonly sequence: number;
  readonly id: string;
}

/** An entry of a log at the end. */
export interface LogLine {
  readonly sequence: number;
  readonly id: string;
  /** Whose it is; `undefined` for the host key. */
  readonly from: string | undefined;
  /** What it said when it came, where that was something that was said but once. */
  readonly text: string | undefined;
  /** Whether what it said was erased since. */
  readonly erased: boolean;
}

/** Something that somebody said, of which no text is said twice. */
export interface Said {
  readonly room: string;
  readonly text: string;
  /** Whether they were told that it is kept. What a crash came before may be there or not. */
  readonly sure: boolean;
}

/** What came to somebody, in its order. */
export type Heard =
  /** An entry, for the first time. */
  | { readonly kind: "entry"; readonly entry: Placed }
  /** They are not in that room any more, or in it again: what was said meanwhile they need not hear. */
  | { readonly kind: "outside"; readonly room: string };

/** An entry as a client has kept it. */
export interface KeptLine {
  readonly sequence: number;
  readonly id: string;
  /** Whether what it said was erased there. */
  readonly erased: boolean;
}

/** What a client has kept of a room at the end. */
export interface Kept {
  /** Its entries, in their order. */
  readonly entries: readonly KeptLine[];
  /** The last entry before the ones that it holds to be without a gap. */
  readonly base: number;
  /** The last entry that it has verified. */
  readonly head: number;
  /** What it found at fault, in a word each. */
  readonly flaws: readonly string[];
}

/** One client through all of its lives. */
export interface Witness {
  readonly name: string;
  /** All that it was given to say, in that order. */
  readonly said: readonly Said[];
  /** Texts of which its person was told that they were not taken. */
  readonly refused: ReadonlySet<string>;
  /** Entries of its own that it was told to be stored. */
  readonly acknowledged: readonly Placed[];
  /** What it heard, by its lives. */
  readonly heard: readonly (readonly Heard[])[];
  /** The last entries that it could not read, of the times when it came into a room: what is before them it need not hear. */
  readonly bases: ReadonlyMap<string, readonly number[]>;
  /** What it has kept of the rooms that it is in. */
  readonly kept: ReadonlyMap<string, Kept>;
  /** What it doubted or told and was not so, a sentence each. */
  readonly doubts: readonly string[];
}

/** All that is known at the end. */
export interface Observed {
  /** The logs as the server has them, each from its first entry. */
  readonly logs: ReadonlyMap<string, readonly LogLine[]>;
  readonly witnesses: readonly Witness[];
}

type Logs = Observed["logs"];

/** The line of a log in which somebody says something; `undefined` where there is none. */
type LineOf = (said: { readonly room: string; readonly name: string; readonly text: string }) =>
  | LogLine
  | undefined;

/** What is wrong, a sentence each; nothing where all promises were kept. */
export function faultsOf({ logs, witnesses }: Observed): readonly string[] {
  const lineOf = indexOf(logs);
  return [
    ...Array.from(logs).flatMap(([room, log]) => logFaults(room, log)),
    ...witnesses.flatMap((witness) => [
      ...lossFaults(witness, logs, lineOf),
      ...orderFaults(witness, lineOf),
      ...hearingFaults(witness, logs),
      ...keepingFaults(witness, logs),
      ...witness.doubts.map((doubt) => `${witness.name}: ${doubt}`),
    ]),
  ];
}

function indexOf(logs: Logs): LineOf {
  const lines = new Map<string, LogLine>();
  for (const [room, log] of logs) {
    for (const line of log) {
      const { from, text } = line;
      if (from !== undefined && text !== undefined) lines.set(JSON.stringify([room, from, text]), line);
    }
  }
  return ({ room, name, text }) => lines.get(JSON.stringify([room, name, text]));
}

/** Numbers without a gap; no id and no text twice. */
function logFaults(room: string, log: readonly LogLine[]): readonly string[] {
  const faults: string[] = [];
  const ids = new Map<string, number>();
  const texts = new Map<string, number>();
  log.forEach(({ sequence, id, text }, at) => {
    if (sequence !== at + 1) faults.push(`${room}: ${sequence} stands where ${at + 1} belongs`);
    const [sameId, sameText] = [ids.get(id), text === undefined ? undefined : texts.get(text)];
    if (sameId !== undefined) faults.push(`${room}: the id of #${sameId} is doubled at #${sequence}`);
    if (sameText !== undefined) faults.push(`${room}: "${text}" of #${sameText} is doubled at #${sequence}`);
    ids.set(id, sequence);
    if (text !== undefined) texts.set(text, sequence);
  });
  return faults;
}

/** All that was acknowledged is where that was said; all that was kept is there, or was refused. */
function lossFaults(
  { name, said, refused, acknowledged }: Witness,
  logs: Logs,
  lineOf: LineOf,
): readonly string[] {
  const faults: string[] = [];
  for (const { room, sequence, id } of acknowledged) {
    if (logs.get(room)?.[sequence - 1]?.id !== id) {
      faults.push(`${name}: ${room} #${sequence} was acknowledged and is lost`);
    }
  }
  for (const { room, text, sure } of said) {
    const line = lineOf({ room, name, text });
    if (line === undefined && sure && !refused.has(text)) {
      faults.push(`${name}: "${text}" is lost in ${room}`);
    }
    if (line !== undefined && refused.has(text)) {
      faults.push(`${name}: "${text}" was refused and is in ${room}`);
    }
  }
  return faults;
}

/** What one client said in a room stands there in that order. */
function orderFaults({ name, said }: Witness, lineOf: LineOf): readonly string[] {
  const faults: string[] = [];
  const last = new Map<string, LogLine>();
  for (const { room, text } of said) {
    const line = lineOf({ room, name, text });
    if (line === undefined) continue;
    const before = last.get(room);
    if (before !== undefined && before.sequence > line.sequence) {
      faults.push(`${name}: "${before.text}" was said before "${text}" and stands after it in ${room}`);
    }
    last.set(room, line);
  }
  return faults;
}

/** What was heard is what the log has, each number once, in order, and none passed over. */
function hearingFaults({ name, heard, bases }: Witness, logs: Logs): readonly string[] {
  const faults: string[] = [];
  for (const life of heard) {
    const last = new Map<string, number>();
    for (const each of life) {
      if (each.kind === "outside") {
        last.delete(each.room);
        continue;
      }
      const { room, sequence, id } = each.entry;
      const before = last.get(room);
      if (logs.get(room)?.[sequence - 1]?.id !== id) {
        faults.push(`${name}: heard another entry at ${room} #${sequence} than the log has`);
      }
      const isBeginning = sequence > (before ?? 0) && bases.get(room)?.includes(sequence - 1) === true;
      if (before !== undefined && sequence !== before + 1 && !isBeginning) {
        faults.push(`${name}: heard ${room} #${sequence} after #${before}`);
      }
      last.set(room, sequence);
    }
  }
  return faults;
}

/** What is kept is the log, to its end, and nothing was found at fault. */
function keepingFaults({ name, kept }: Witness, logs: Logs): readonly string[] {
  const faults: string[] = [];
  for (const [room, { entries, base, head, flaws }] of kept) {
    const log = logs.get(room) ?? [];
    for (const flaw of flaws) faults.push(`${name}: holds ${room} to be flawed: ${flaw}`);
    if (head !== log.length) faults.push(`${name}: knows ${room} up to #${head} of ${log.length}`);
    const own = new Map(entries.map((line) => [line.sequence, line]));
    if (own.size !== entries.length) faults.push(`${name}: keeps an entry of ${room} twice`);
    for (const { sequence, id, erased } of log.slice(base)) {
      const found = own.get(sequence);
      if (found === undefined) faults.push(`${name}: does not keep ${room} #${sequence}`);
      else if (found.id !== id) faults.push(`${name}: keeps another entry as ${room} #${sequence}`);
      else if (erased && !found.erased) {
        faults.push(`${name}: keeps what ${room} #${sequence} said, which is erased`);
      } else if (!erased && found.erased) faults.push(`${name}: has lost what ${room} #${sequence} says`);
    }
  }
  return faults;
}
