/**
 * Terminals for tests: panes of a tmux server of our own, on a socket that nobody else has.
 *
 * @module
 */

/** How long something may take to be seen; a machine under load redraws late. */
const SEEN_MS_MAX = 20_000;

/** Between two looks at a screen. */
const LOOK_MS = 25;

/** Lines that a pane remembers beyond its screen. */
const HISTORY_LINES = 5_000;

/** How large a pane is. */
export interface Size {
  readonly columns: number;
  readonly rows: number;
}

/** The size that most have. */
export const USUAL: Size = { columns: 80, rows: 24 };

/** Whether this machine has tmux. */
export async function hasTmux(): Promise<boolean> {
  try {
    return (await new Deno.Command("tmux", { args: ["-V"], stdout: "null", stderr: "null" }).output())
      .success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** A tmux server. */
export class Tmux {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** Starts one, its socket in `folder`. */
  static async open(folder: string): Promise<Tmux> {
    const tmux = new Tmux(folder);
    await tmux.order(["start-server"], [
      ["set-option", "-g", "exit-empty", "off"],
      ["set-option", "-g", "remain-on-exit", "on"],
      ["set-option", "-g", "status", "off"],
      ["set-option", "-g", "history-limit", String(HISTORY_LINES)],
    ]);
    return tmux;
  }

  /** Opens a pane in which `command` runs: a file and its arguments. */
  async pane(name: string, command: readonly string[], size: Size = USUAL): Promise<Pane> {
    const { columns, rows } = size;
    await this.order(["new-session", "-d", "-s", name, "-x", `${columns}`, "-y", `${rows}`, ...command]);
    return new Pane(this, name);
  }

  /** Ends all that runs in it. */
  async close(): Promise<void> {
    await this.order(["kill-server"]);
  }

  /** Runs a command of the shell beside the panes; what it prints. */
  async run(command: string): Promise<string> {
    const file = `${this.#folder}/printed`;
    await this.order(["run-shell", `${command} > ${file}`]);
    return await Deno.readTextFile(file);
  }

  /** Gives tmux an order, and `more` right after it; what it prints. Throws what it complains of. */
  async order(first: readonly string[], more: readonly (readonly string[])[] = []): Promise<string> {
    const orders = [first, ...more].flatMap((order, at) => at === 0 ? order : [";", ...order]);
    const { code, stdout, stderr } = await new Deno.Command("tmux", {
      args: ["-u", "-f", "/dev/null", "-L", `sotto-test-${Deno.pid}`, ...orders],
      clearEnv: true,
      env: { PATH: Deno.env.get("PATH") ?? "", TMUX_TMPDIR: this.#folder, LC_ALL: "C.UTF-8" },
      stdin: "null",
    }).output();
    if (code !== 0) throw new Error(`tmux ${first[0]}: ${new TextDecoder().decode(stderr).trim()}`);
    return new TextDecoder().decode(stdout);
  }
}

/** One terminal. */
export class Pane {
  /** What it is called. */
  readonly name: string;
  readonly #tmux: Tmux;

  /** The pane called `name`. */
  constructor(tmux: Tmux, name: string) {
    this.#tmux = tmux;
    this.name = name;
  }

  /** Types `text`, all at once, as a person who is quick or a paste without its marks. */
  async type(text: string): Promise<void> {
    await this.#tmux.order(["send-keys", "-t", this.name, "-l", "--", text]);
  }

  /** Presses keys by their names in tmux: `Enter`, `C-c`, `Left`. */
  async press(...keys: readonly string[]): Promise<void> {
    await this.#tmux.order(["send-keys", "-t", this.name, ...keys]);
  }

  /** Types a line and ends it. */
  async enter(line: string): Promise<void> {
    if (line !== "") await this.type(line);
    await this.press("Enter");
  }

  /** The rows of the screen, without spaces at their ends and without the empty ones at its foot. */
  async screen(): Promise<readonly string[]> {
    return rowsOf(await this.#capture([]));
  }

  /** All rows since the beginning; with `joined`, rows that the terminal itself has broken are one. */
  async history({ joined = false } = {}): Promise<readonly string[]> {
    return rowsOf(await this.#capture(["-S", "-", ...joined ? ["-J"] : []]));
  }

  /** What `find` makes of the screen once it makes anything of it. Throws the screen where it never does. */
  async until<Found>(
    what: string,
    find: (rows: readonly string[]) => Found | undefined | false,
    look: () => Promise<readonly string[]> = () => this.screen(),
  ): Promise<Found> {
    for (const late_ms = performance.now() + SEEN_MS_MAX;;) {
      const rows = await look();
      const found = find(rows);
      if (found !== undefined && found !== false) return found;
      if (performance.now() > late_ms) {
        throw new Error(`${this.name}'s screen does not show ${what}:\n${rows.join("\n")}`);
      }
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  }

  /** Keeps every octet that is written to the terminal from now on, erased or not, in `file`. */
  async record(file: string): Promise<void> {
    await this.#tmux.order(["pipe-pane", "-t", this.name, `exec cat > ${file}`]);
  }

  /** Waits for a row that `pattern` fits; gives its first group, or the row. */
  async row(pattern: RegExp): Promise<string> {
    return await this.until(`${pattern}`, (rows) => {
      for (const row of rows) {
        const found = pattern.exec(row);
        if (found !== null) return found[1] ?? found[0];
      }
      return undefined;
    });
  }

  /** Waits until the last row is `text`: a prompt, and what is typed behind it. */
  async foot(text: string): Promise<void> {
    await this.until(`"${text}" at its foot`, (rows) => rows.at(-1) === text);
  }

  /** Gives the pane another size, as who drags a window does; settles when its program can know. */
  async resize({ columns, rows }: Size): Promise<void> {
    await this.#tmux.order(["resize-window", "-t", this.name, "-x", `${columns}`, "-y", `${rows}`]);
    // tmux tells the terminal a moment after its own screen has changed.
    const tty = await this.#tmux.order(["display-message", "-p", "-t", this.name, "#{pane_tty}"]);
    await this.until(
      "its new size",
      ([said]) => said === `${rows} ${columns}`,
      async () => [(await this.#tmux.run(`stty size < ${tty.trim()}`)).trim()],
    );
  }

  /** Waits for the end of the program that the pane was opened with; its exit code. */
  async exitCode(): Promise<number> {
    const ask = ["display-message", "-p", "-t", this.name, "#{pane_dead} #{pane_dead_status}"];
    // tmux 3.3 now and then misses the end of a child until it hears of another's.
    const another = ["run-shell", ":"];
    const found = await this.until(
      "the end of its program",
      ([said = ""]) => /^1 (\d+)$/.exec(said)?.[1],
      async () => [(await this.#tmux.order(another, [ask])).trim()],
    );
    return Number(found);
  }

  #capture(options: readonly string[]): Promise<string> {
    return this.#tmux.order(["capture-pane", "-p", "-t", this.name, ...options]);
  }
}

function rowsOf(captured: string): readonly string[] {
  const rows = captured.split("\n").map((row) => row.trimEnd());
  while (rows.at(-1) === "") rows.pop();
  return rows;
}
