/**
 * The bench's end of a load: a process of its own, which takes orders and reports.
 *
 * @module
 */

import { Program } from "../tools/program.ts";
import { decodeReport, type Order, type Report } from "./load_order.ts";

/** A load that runs. */
export class Load {
  readonly #program: Program;
  #answered = 0;

  private constructor(program: Program) {
    this.#program = program;
  }

  /** Starts the load in the file `script`, which is given `args` and may read `folder`. */
  static start(script: string, args: readonly string[], folder: string): Load {
    return new Load(
      new Program("a load", Deno.execPath(), {
        args: [
          ...["run", "--frozen", "--no-prompt", "--allow-net=127.0.0.1", `--allow-read=${folder}`],
          ...[script, ...args],
        ],
      }),
    );
  }

  /** Has it do something; settles when that is done. Rejects where anything went wrong. */
  async order(order: Order): Promise<Report> {
    await this.#program.write(JSON.stringify(order));
    const number = this.#answered++;
    let seen = 0;
    try {
      return await this.#program.output.until(
        `it reported on ${order.order}`,
        (line) => line.startsWith('{"report"') && seen++ === number ? decodeReport(line) : undefined,
      );
    } catch (error) {
      this.#program.kill("SIGKILL");
      await this.#program.ended;
      throw new Error(this.#program.errors.lines.slice(0, 8).join("\n"), { cause: error });
    }
  }

  /** Ends it with all its connections. */
  async end(): Promise<void> {
    await this.order({ order: "end" });
    await this.#program.ended;
  }

  /** Ends it, whatever it does. */
  async kill(): Promise<void> {
    this.#program.kill("SIGKILL");
    await this.#program.ended;
  }
}
