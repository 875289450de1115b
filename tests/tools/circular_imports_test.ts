import { deepEqual } from "node:assert/strict";
import { circularImports, readInfo } from "../../tools/circular_imports.ts";
import { test } from "../sanitized.ts";

test("a circle is told with its first module at both ends", () => {
  deepEqual(circularImports(new Map([["a", ["b"]], ["b", ["c"]], ["c", ["b"]]])), [["b", "c", "b"]]);
  deepEqual(circularImports(new Map([["a", ["a"]]])), [["a", "a"]]);
});

test("two ways to the same module are no circle", () => {
  deepEqual(circularImports(new Map([["a", ["b", "c"]], ["b", ["d"]], ["c", ["d"]], ["d", []]])), []);
});

test("imports of values and of types are read, packages are not", () => {
  const graph = new Map<string, readonly string[]>();
  const dependencies = [
    { code: { specifier: "file:///b.ts" } },
    { type: { specifier: "file:///c.ts" } },
    { code: { specifier: "npm:/valibot@1.5.0" } },
  ];
  readInfo({ modules: [{ specifier: "file:///a.ts", dependencies }, { specifier: "node:fs" }] }, graph);
  deepEqual([...graph], [["file:///a.ts", ["file:///b.ts", "file:///c.ts"]]]);
});
