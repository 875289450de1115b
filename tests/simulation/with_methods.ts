/**
 * A part with some of its methods replaced, for tests that break something on purpose.
 *
 * @module
 */

/** `part`, but for what `methods` does in the place of its own. */
export function withMethods<Part extends object>(part: Part, methods: Partial<Part>): Part {
  return new Proxy(part, {
    get(target, name): unknown {
      if (Object.hasOwn(methods, name)) return Reflect.get(methods, name);
      const own: unknown = Reflect.get(target, name);
      // Bound, since its private fields are the part's and not the proxy's.
      return typeof own === "function" ? own.bind(target) : own;
    },
  });
}
