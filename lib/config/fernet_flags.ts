/**
 * What a server is told about its Fernet bridge: an address, and a file with the key.
 *
 * @module
 */

import type { FlagParametersForType } from "@stricli/core";
import { type Endpoint, parseEndpointText } from "../identity/endpoint.ts";
import { Failure } from "../text/failure.ts";
import { asTyped, flagTable, type ProgramContext } from "./command_line.ts";
import { quoted } from "./quoted.ts";
import { bridgeKeyText, type ReadSecret } from "./secret_text.ts";

/** A bridge as a server opens it. */
export interface BridgeConfig {
  /** Where it listens; port 0 takes a free one. */
  readonly endpoint: Endpoint;
  /** The text of its key; never empty. */
  readonly keyText: string;
}

/** The flags, parsed. */
export interface BridgeFlags {
  /** `--fernet-listen`. */
  readonly fernetListen: Endpoint | undefined;
  /** `--fernet-key-file`. */
  readonly fernetKeyFile: string | undefined;
}

/** The flags of {@linkcode BridgeFlags} for stricli. */
export function bridgeFlags(): FlagParametersForType<BridgeFlags, ProgramContext> {
  return flagTable<FlagParametersForType<BridgeFlags, ProgramContext>>({
    fernetListen: {
      kind: "parsed",
      parse: listenEndpointFrom,
      optional: true,
      placeholder: "HOST:PORT",
      brief: "let programs with the Fernet key talk in #lobby there, by lines of tokens",
    },
    fernetKeyFile: {
      kind: "parsed",
      parse: asTyped,
      optional: true,
      placeholder: "FILE",
      brief: "that key, in base64url as every Fernet library writes it",
    },
  });
}

/** What the flags say together; throws a {@linkcode Failure} where one is missing, and what reading the file throws. */
export async function bridgeConfig(
  { fernetListen, fernetKeyFile }: BridgeFlags,
  readSecret: ReadSecret,
): Promise<BridgeConfig | undefined> {
  if (fernetListen === undefined && fernetKeyFile === undefined) return undefined;
  if (fernetListen === undefined || fernetKeyFile === undefined) {
    const [given, missing] = fernetListen === undefined
      ? ["--fernet-key-file", "--fernet-listen HOST:PORT"]
      : ["--fernet-listen", "--fernet-key-file FILE"];
    throw new Failure(
      "usage",
      `Cannot use ${given} alone: a Fernet bridge has an address and a key; give ${missing}, too.`,
    );
  }
  return { endpoint: fernetListen, keyText: await bridgeKeyText(fernetKeyFile, readSecret) };
}

function listenEndpointFrom(text: string): Endpoint {
  const endpoint = parseEndpointText(text);
  if (endpoint !== undefined) return endpoint;
  throw new Failure(
    "usage",
    `Cannot use ${quoted(text)} for --fernet-listen: it is not HOST:PORT; write it like 127.0.0.1:12345.`,
  );
}
