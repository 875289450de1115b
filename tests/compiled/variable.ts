/**
 * Wishes that are told to tests by variables of the environment.
 *
 * @module
 */

/** The value of `name`; `undefined` where it is not set, or this run may not read it. */
export function variable(name: string): string | undefined {
  const { state } = Deno.permissions.querySync({ name: "env", variable: name });
  return state === "granted" ? Deno.env.get(name) : undefined;
}
