/**
 * The command line of `sotto fernet`.
 *
 * @module
 */

import { buildCommand, type Command, type FlagParametersForType } from "@stricli/core";
import type { Endpoint } from "../identity/endpoint.ts";
import { type Exit, Failure } from "../text/failure.ts";
import { parseEndpoint } from "./address.ts";
import { asTyped, flagTable, type ProgramContext, refuseCommand } from "./command_line.ts";
import type { Environment } from "./folders.ts";
import { fernetKeyText, type ReadSecret } from "./secret_text.ts";

/** Where a bridge is looked for when nobody says otherwise. */
export const DEFAULT_BRIDGE: Endpoint = { host: "127.0.0.1", port: 12_345 };

/** A bridge to be visited. */
export interface FernetConfig {
  /** Where it is. */
  readonly endpoint: Endpoint;
  /** The text of its key; never empty. */
  readonly keyText: string;
}

/** What the command needs of its program. */
export interface FernetCommandOptions {
  /** Asked for SOTTO_FERNET_KEY. */
  readonly environment: Environment;
  /** How `--key-file` is read. */
  readonly readSecret: ReadSecret;
  /** Talks over a bridge until the person or the server ends it, and says how it ended; may throw a {@linkcode Failure}. */
  readonly fernet: (config: FernetConfig) => Promise<Exit>;
}

interface FernetFlags {
  readonly keyFile: string | undefined;
}

/** The command, of `program`. */
export function fernetCommand(options: FernetCommandOptions, program: string): Command<ProgramContext> {
  return buildCommand<FernetFlags, [Endpoint | undefined], ProgramContext>({
    async func(flags, endpoint = DEFAULT_BRIDGE) {
      this.end(await options.fernet({ endpoint, keyText: await keyText(flags, options) }));
    },
    parameters: {
      flags: flagTable<FlagParametersForType<FernetFlags, ProgramContext>>({
        keyFile: {
          kind: "parsed",
          parse: asTyped,
          optional: true,
          placeholder: "FILE",
          brief: "the key that the server's operator gave you",
        },
      }),
      positional: {
        kind: "tuple",
        parameters: [{
          brief: `HOST:PORT, HOST or a port (${DEFAULT_BRIDGE.host}:${DEFAULT_BRIDGE.port})`,
          placeholder: "ADDRESS",
          parse: (text) => {
            refuseCommand(text, "fernet", program);
            return parseEndpoint(text, DEFAULT_BRIDGE);
          },
          optional: true,
        }],
      },
    },
    docs: {
      brief: "talk over a server's Fernet bridge",
      customUsage: ["[ADDRESS] --key-file FILE"],
      fullDescription: "Talks in #lobby over the Fernet bridge of a Sotto server, by lines; exit leaves.",
    },
  });
}

async function keyText({ keyFile }: FernetFlags, options: FernetCommandOptions): Promise<string> {
  const text = await fernetKeyText({ ...options, file: keyFile });
  if (text !== undefined) return text;
  throw new Failure(
    "usage",
    "Cannot talk over a bridge without its key: none is given; add --key-file FILE, or set SOTTO_FERNET_KEY.",
  );
}
