/**
 * Where the programs keep their files, after the XDG Base Directory Specification.
 *
 * @module
 */

import { Failure } from "../text/failure.ts";

/** The environment: the value of a name, or `undefined` where it has none. */
export type Environment = (name: string) => string | undefined;

/** The operating systems as Deno names them. */
export type OperatingSystem = typeof Deno.build.os;

/**
 * The server's data folder: `$XDG_DATA_HOME/sotto-server`, else `~/.local/share/sotto-server`. Throws a
 * {@linkcode Failure} of configuration where no home is set.
 *
 * ```ts
 * import { equal } from "node:assert/strict";
 * import { serverDataFolder } from "./folders.ts";
 * const environment = (name: string) => name === "HOME" ? "/home/ann" : undefined;
 * equal(serverDataFolder(environment), "/home/ann/.local/share/sotto-server");
 * ```
 */
export function serverDataFolder(environment: Environment): string {
  const base = absolute(environment("XDG_DATA_HOME")) ?? below(environment("HOME"), ".local/share");
  if (base !== undefined) return `${base}/sotto-server`;
  throw new Failure(
    "config",
    "Cannot choose a data folder: neither XDG_DATA_HOME nor HOME is set; set one, or give --data-dir.",
  );
}

/**
 * The client's folder: `$SOTTO_CONFIG_DIR`, else `$XDG_CONFIG_HOME/sotto`, else `~/.config/sotto`; on Windows
 * `%APPDATA%\sotto` unless SOTTO_CONFIG_DIR is set. Throws a {@linkcode Failure} of configuration where none
 * of them is set. `APPDATA` is asked for on Windows only.
 */
export function clientConfigFolder(environment: Environment, os: OperatingSystem): string {
  const given = environment("SOTTO_CONFIG_DIR");
  if (given !== undefined && given !== "") return given;
  if (os === "windows") return windowsConfigFolder(environment);
  const base = absolute(environment("XDG_CONFIG_HOME")) ?? below(environment("HOME"), ".config");
  if (base !== undefined) return `${base}/sotto`;
  throw new Failure(
    "config",
    "Cannot choose a folder for keys: SOTTO_CONFIG_DIR, XDG_CONFIG_HOME and HOME are not set; " +
      "set one of them.",
  );
}

function windowsConfigFolder(environment: Environment): string {
  const base = environment("APPDATA");
  if (base !== undefined && base !== "") return `${base}\\sotto`;
  throw new Failure(
    "config",
    "Cannot choose a folder for keys: neither SOTTO_CONFIG_DIR nor APPDATA is set; set one of them.",
  );
}

/** The specification has a relative folder ignored, and an empty one taken for unset. */
function absolute(folder: string | undefined): string | undefined {
  return folder?.startsWith("/") ? folder : undefined;
}

function below(home: string | undefined, folder: string): string | undefined {
  return home === undefined || home === "" ? undefined : `${home}/${folder}`;
}
