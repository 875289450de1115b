/**
 * What every command of `sotto` that talks with a server is told about it: where it is, how to know it, and who comes.
 *
 * @module
 */

import type { FlagParametersForType } from "@stricli/core";
import { type HostKeyReference, parseHostKeyReference } from "../identity/host_key.ts";
import { type Invitation, INVITATION_SCHEME, parseInvitation } from "../identity/invitation.ts";
import { Failure } from "../text/failure.ts";
import { type Handle, handleFault, parseHandle } from "../text/handle.ts";
import { type Address, DEFAULT_ENDPOINT, hostFrom, parseAddress, portFrom } from "./address.ts";
import { suitesFrom } from "./cipher_list.ts";
import { asTyped, flagTable, type ProgramContext, refuseCommand } from "./command_line.ts";
import { clientConfigFolder, type Environment, type OperatingSystem } from "./folders.ts";
import { quoted } from "./quoted.ts";
import { passwordText, pskText, type ReadSecret } from "./secret_text.ts";

/** A server, how to know it, and who comes to it. */
export interface ConnectionConfig<Suite extends string> {
  /** The server, as far as it was said; the invitation's, where there is one. */
  readonly address: Address;
  /** The invitation, where one was given: it has the host key, and may have a code and a certificate. */
  readonly invitation: Invitation | undefined;
  /** The name to go by, where it was said. */
  readonly user: Handle | undefined;
  /** The password, where it was said; never empty. */
  readonly password: string | undefined;
  /** The host key that the server must have, where one was given by itself. */
  readonly hostKey: HostKeyReference | undefined;
  /**
   * TLS below the channel, where it was asked for; an invitation with a certificate asks for it, too, and so does a server
   * that is known by it.
   */
  readonly tls: TlsWish | undefined;
  /** The suites to offer; at least one. */
  readonly suites: readonly Suite[];
  /** The text of the pre-shared key, where one is set; never empty. */
  readonly pskText: string | undefined;
  /** Whether to tell on standard error what happens on the channel. */
  readonly trace: boolean;
  /** The folder of known hosts and keys. */
  readonly configDir: string;
}

/** TLS as it was asked for. */
export interface TlsWish {
  /** A file of certificates to trust beside the system's, in PEM. */
  readonly caFile: string | undefined;
}

/** What a server may be named by. */
export type Destination =
  | { readonly kind: "address"; readonly address: Address }
  | { readonly kind: "invitation"; readonly invitation: Invitation }
  /** `-`: an invitation that is yet to be read. */
  | { readonly kind: "standardInput" };

/** What these flags need of their program. */
export interface ConnectionSources<Suite extends string> {
  /** All suites, the default first. */
  readonly suites: readonly Suite[];
  /**
   * Asked for SOTTO_PASSWORD, SOTTO_PSK, SOTTO_CONFIG_DIR, XDG_CONFIG_HOME and HOME, or APPDATA, each only where it
   * counts.
   */
  readonly environment: Environment;
  /** Which system's folders to use. */
  readonly os: OperatingSystem;
  /** How `--psk-file` and `--password-file` are read. */
  readonly readSecret: ReadSecret;
  /** A line with an invitation, of standard input or asked for at the terminal; `undefined` where there is none. */
  readonly readInvitation: () => Promise<string | undefined>;
}

/** The flags, parsed. */
export interface ConnectionFlags {
  /** `--user`. */
  readonly user: Handle | undefined;
  /** `--password-file`. */
  readonly passwordFile: string | undefined;
  /** `--host`. */
  readonly host: string | undefined;
  /** `--port`. */
  readonly port: number | undefined;
  /** `--host-key`. */
  readonly hostKey: HostKeyReference | undefined;
  /** `--tls`. */
  readonly tls: boolean | undefined;
  /** `--tls-ca`. */
  readonly tlsCa: string | undefined;
  /** `--psk-file`. */
  readonly pskFile: string | undefined;
  /** `--cipher`. */
  readonly cipher: string | undefined;
  /** `--trace`. */
  readonly trace: boolean | undefined;
}

/** The flags of {@linkcode ConnectionFlags} for stricli. */
export function connectionFlags(
  suites: readonly string[],
): FlagParametersForType<ConnectionFlags, ProgramContext> {
  return flagTable<FlagParametersForType<ConnectionFlags, ProgramContext>>({
    user: {
      kind: "parsed",
      parse: userFrom,
      optional: true,
      placeholder: "NAME",
      brief: "the name you go by",
    },
    passwordFile: {
      kind: "parsed",
      parse: asTyped,
      optional: true,
      placeholder: "FILE",
      brief: "its password, where one is needed",
    },
    host: {
      kind: "parsed",
      parse: hostFrom,
      optional: true,
      placeholder: "HOST",
      brief: "the server's host, instead of ADDRESS",
    },
    port: {
      kind: "parsed",
      parse: (text) => portFrom(text, 1),
      optional: true,
      placeholder: "PORT",
      brief: "the server's port",
    },
    hostKey: {
      kind: "parsed",
      parse: hostKeyFrom,
      optional: true,
      placeholder: "KEY",
      brief: "accept this host key only: SHA256:… as the server prints it, or the key",
    },
    tls: {
      kind: "boolean",
      optional: true,
      withNegated: false,
      brief: "TLS below the channel; invitations ask for it, and it is remembered",
    },
    tlsCa: {
      kind: "parsed",
      parse: asTyped,
      optional: true,
      placeholder: "FILE",
      brief: "TLS, and trust the certificates in FILE (PEM), too",
    },
    pskFile: {
      kind: "parsed",
      parse: asTyped,
      optional: true,
      placeholder: "FILE",
      brief: "pre-shared key: 64 hexadecimal digits, or a passphrase",
    },
    cipher: {
      kind: "parsed",
      parse: asTyped,
      optional: true,
      placeholder: "LIST",
      brief: `suites to offer (${suites.join(",")})`,
    },
    trace: {
      kind: "boolean",
      optional: true,
      withNegated: false,
      brief: "explain the handshake and each record on standard error",
    },
  });
}

/** The argument that names a server, for stricli; `refused` are the commands of `program`, which are no hosts. */
export function addressArgument(refused: readonly string[], program: string): {
  readonly brief: string;
  readonly placeholder: string;
  readonly parse: (text: string) => Destination;
  readonly optional: true;
} {
  const { host, port } = DEFAULT_ENDPOINT;
  return {
    brief: `an invitation (- reads it), HOST, HOST:PORT, [IPv6]:PORT or a port (${host}:${port})`,
    placeholder: "ADDRESS",
    parse: (text) => {
      for (const command of refused) refuseCommand(text, command, program);
      return destinationFrom(text);
    },
    optional: true,
  };
}

/**
 * What the flags and the argument say together. Throws a {@linkcode Failure}: `usage` where they contradict each other,
 * and what reading secrets and the invitation throws.
 */
export async function connectionConfig<Suite extends string>(
  flags: ConnectionFlags,
  destination: Destination | undefined,
  { suites, environment, os, readSecret, readInvitation }: ConnectionSources<Suite>,
): Promise<ConnectionConfig<Suite>> {
  const { pskFile, passwordFile, tls, tlsCa } = flags;
  const secrets = {
    suites: suitesFrom(flags.cipher, suites),
    pskText: await pskText({ file: pskFile, environment, readSecret }),
    password: await passwordText({ file: passwordFile, environment, readSecret }),
    configDir: clientConfigFolder(environment, os),
  };
  const invitation = await invitationOf(destination, readInvitation);
  const address = destination?.kind === "address" ? destination.address : invitation?.endpoint;
  refuseTwice("host-key", "host key", invitation?.hostKey, flags.hostKey);
  refuseTwice("tls-ca", "certificate", invitation?.certificate, tlsCa);
  return {
    address: {
      host: oneOf("host", address?.host, flags.host),
      port: oneOf("port", address?.port, flags.port),
    },
    invitation,
    user: flags.user,
    hostKey: flags.hostKey,
    tls: tls === true || tlsCa !== undefined ? { caFile: tlsCa } : undefined,
    trace: flags.trace === true,
    ...secrets,
  };
}

async function invitationOf(
  destination: Destination | undefined,
  readInvitation: () => Promise<string | undefined>,
): Promise<Invitation | undefined> {
  if (destination === undefined || destination.kind === "address") return undefined;
  if (destination.kind === "invitation") return destination.invitation;
  const text = (await readInvitation())?.trim();
  if (text === undefined || text === "") {
    throw new Failure(
      "data",
      "Cannot read an invitation from standard input: there is none; write one there, on a line of its own.",
    );
  }
  const parsed = parseInvitation(text);
  if (parsed.kind === "invitation") return parsed.invitation;
  throw new Failure("data", parsed.sentence);
}

function destinationFrom(text: string): Destination {
  if (text === "-") return { kind: "standardInput" };
  if (!text.startsWith(INVITATION_SCHEME)) return { kind: "address", address: parseAddress(text) };
  const parsed = parseInvitation(text);
  if (parsed.kind === "invitation") return parsed;
  throw new Failure("usage", parsed.sentence);
}

function oneOf<Part>(name: string, inAddress: Part | undefined, inFlag: Part | undefined): Part | undefined {
  if (inAddress === undefined || inFlag === undefined) return inAddress ?? inFlag;
  throw new Failure("usage", `Cannot use --${name}: the address has a ${name} already; drop one of them.`);
}

function refuseTwice(flag: string, what: string, invited: unknown, given: unknown): void {
  if (invited === undefined || given === undefined) return;
  throw new Failure("usage", `Cannot use --${flag}: the invitation has a ${what} already; drop the flag.`);
}

function userFrom(text: string): Handle {
  const handle = parseHandle(text);
  if (handle !== undefined) return handle;
  throw new Failure("usage", `${handleFault(text) ?? `Cannot use ${quoted(text)} as a name`}.`);
}

function hostKeyFrom(text: string): HostKeyReference {
  const reference = parseHostKeyReference(text);
  if (reference !== undefined) return reference;
  throw new Failure(
    "usage",
    `Cannot use ${quoted(text)} as a host key: it is neither a fingerprint (SHA256:…) nor a key in base64; ` +
      "copy the fingerprint that the server prints when it starts.",
  );
}
