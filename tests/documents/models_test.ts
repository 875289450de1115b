import { ok } from "node:assert/strict";
import { test } from "../sanitized.ts";
import { read } from "./markdown.ts";

/** Labels that no model needs: the pre-shared key, rekeying and shared records are left out, as the models say. */
const NOT_MODELLED = ["binder", "rekey", "shared"];

test("the symbolic models use every label of the key schedule that is in their scope", async () => {
  const models = `${await read("docs/handshake.vp")}${await read("docs/login.vp")}`;
  const schedule = await read("lib/secure/schedule.ts");
  const labels = new Set([...schedule.matchAll(/label: "([^"]+)"/g)].map(([, label]) => label ?? ""));
  ok(labels.size > NOT_MODELLED.length);
  for (const label of labels) {
    if (NOT_MODELLED.includes(label)) continue;
    const name = label.replace(/ (.)/g, (_, letter: string) => letter.toUpperCase());
    ok(new RegExp(`knows public .*\\b${name}\\b`).test(models), `no model knows the label "${label}"`);
  }
});
