/**
 * Runs a program to its end and keeps what it printed.
 *
 * @module
 */

/** How a program ended. */
export interface Ending {
  /** Its exit code; 0 is success. */
  readonly code: number;
  /** Standard output and standard error, as they came. */
  readonly output: string;
  /** How long it ran, in milliseconds. */
  readonly elapsed_ms: number;
}

/** What can be chosen about a run. */
export interface RunOptions {
  /** Variables set in addition to ours. */
  readonly env?: Record<string, string>;
  /** Whether what it prints is shown here too, while it runs. */
  readonly shown?: boolean;
}

/** Runs `program` without standard input and waits for its end. Throws where it cannot be started. */
export async function run(
  program: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<Ending> {
  const started_ms = performance.now();
  const child = new Deno.Command(program, {
    args: [...args],
    env: options.env ?? {},
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const chunks: string[] = [];
  const collect = async (stream: ReadableStream<Uint8Array<ArrayBuffer>>) => {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) {
      chunks.push(text);
      if (options.shown) await Deno.stdout.write(new TextEncoder().encode(text));
    }
  };
  const [status] = await Promise.all([child.status, collect(child.stdout), collect(child.stderr)]);
  return { code: status.code, output: chunks.join(""), elapsed_ms: performance.now() - started_ms };
}
