/**
 * The one way this project declares a test: with the sanitizers of both supported Deno releases on. They are
 * off by default in 2.9 and no flag turns them on in 2.6.
 *
 * @module
 */

/** What a test body gets: the context for steps. */
export type TestBody = (context: Deno.TestContext) => void | Promise<void>;

/** Declares a test whose name is a sentence; leaked operations, resources and exits fail it. */
export function test(name: string, body: TestBody): void {
  Deno.test({ name, fn: body, sanitizeOps: true, sanitizeResources: true, sanitizeExit: true });
}

/** Declares a test that this machine cannot run, and says why. CI allows only the reasons it lists. */
export function skipped(name: string, reason: string): void {
  Deno.test({ name: `${name} [skipped: ${reason}]`, ignore: true, fn: () => {} });
}
