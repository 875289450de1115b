/**
 * Text as it comes from a program, cut into lines.
 *
 * @module
 */

/** The lines of UTF-8 `stream`, without their ends; what follows the last end is one unless empty. */
export async function* lines(stream: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<string> {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const parts = (rest + text).split("\n");
    rest = parts.pop() ?? "";
    yield* parts;
  }
  if (rest !== "") yield rest;
}
