/** A keyboard and a screen for questions. */
import { PassThrough } from "node:stream";
import type { TerminalIo } from "../../lib/terminal/typed_line.ts";
import { Screen } from "./screen.ts";

/** Keys that may be written to, and what the screen shows. */
export function terminal(columns = 60): {
  readonly keys: PassThrough & { readonly isTTY: boolean };
  readonly screen: Screen;
  readonly io: TerminalIo;
} {
  const keys = Object.assign(new PassThrough(), { isTTY: true });
  const screen = new Screen(columns);
  return {
    keys,
    screen,
    io: {
      keys,
      columns: () => columns,
      write: (text: string) => screen.write(text),
    },
  };
}

/** Lets streams, promises and readline do what they have to do. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise<void>((resolve) => setTimeout(resolve, 0));
}
