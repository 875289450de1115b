/**
 * A server that is measured: the real program, from its source or as an executable, on loopback.
 *
 * @module
 */

import { confined, serverPermissions } from "../tools/permissions.ts";
import { Program } from "../tools/program.ts";

/** What of a server is run. */
export type ServerForm = "source" | "executable";

/** The executable, where it is built. */
export const EXECUTABLE = "dist/sotto-server";

/** A running server. */
export class ServerProgram {
  /** Where it listens. */
  readonly host: string;
  /** And on which port. */
  readonly port: number;
  /** From its start until it said that it listens, in milliseconds. */
  readonly started_ms: number;
  readonly #program: Program;

  private constructor(
    program: Program,
    { address, started_ms }: { readonly address: string; readonly started_ms: number },
  ) {
    const [host = "", port = ""] = address.split(":");
    this.host = host;
    this.port = Number(port);
    this.started_ms = started_ms;
    this.#program = program;
  }

  /** Starts one on `dataDir`; settles when it accepts connections. */
  static async start(dataDir: string, form: ServerForm = "source"): Promise<ServerProgram> {
    const began = performance.now();
    const own = ["serve", "0", `--data-dir=${dataDir}`];
    const program = form === "source"
      ? new Program("the server", Deno.execPath(), {
        args: ["run", "--frozen", ...confined(serverPermissions(), dataDir), "server.ts", ...own],
      })
      : new Program("the server", EXECUTABLE, { args: own });
    try {
      const address = await program.output.until(
        "it listened",
        (line) => /^sotto-server listening on (\S+)$/.exec(line)?.[1],
      );
      return new ServerProgram(program, { address, started_ms: performance.now() - began });
    } catch (error) {
      program.kill("SIGKILL");
      await program.ended;
      throw error;
    }
  }

  /** The system's number of its process. */
  get pid(): number {
    return this.#program.pid;
  }

  /** Its address as HOST:PORT. */
  get address(): string {
    return `${this.host}:${this.port}`;
  }

  /** Has it end; settles when it has, which takes a while where clients are connected. */
  async stop(): Promise<void> {
    this.#program.kill("SIGTERM");
    await this.#program.ended;
  }

  /** Ends it at once, where nobody needs what it keeps. */
  async kill(): Promise<void> {
    this.#program.kill("SIGKILL");
    await this.#program.ended;
  }
}

/** Whether the executable is built. */
export async function isBuilt(): Promise<boolean> {
  try {
    await Deno.stat(EXECUTABLE);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
