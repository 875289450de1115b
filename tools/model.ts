/**
 * `deno task model`: has Verifpal check the symbolic models in docs/, and check that it finds the attack in each of them
 * once a defence is taken out: a model in which nothing can fail proves nothing. Takes some minutes. Verifpal 1.6 comes
 * by `cargo install verifpal`.
 *
 * @module
 */

import { run } from "./child.ts";

/** A model, and what taking out a defence means in its text. */
interface Model {
  readonly file: string;
  readonly broken: readonly { readonly without: string; readonly from: string; readonly to: string }[];
}

const MODELS: readonly Model[] = [
  {
    file: "docs/login.vp",
    broken: [{ without: "the mixed-in login key", from: "opaqueKey, nil)", to: "nil, nil)" }],
  },
  {
    file: "docs/handshake.vp",
    broken: [
      { without: "ML-KEM", from: "CONCAT(mlkem$1, x25519$1)", to: "x25519$1" },
      { without: "the host key's signature", from: "signatureC)?", to: "signatureC)" },
    ],
  },
];

/** Concurrent runs of each principal: two find replays and mixed-up sessions; one is enough to see a defence missing. */
const SESSIONS = { whole: 2, broken: 1 } as const;

const folder = await Deno.makeTempDir();
let failed = false;
try {
  for (const { file, broken } of MODELS) {
    const text = await Deno.readTextFile(file);
    report(`${file} holds`, await holds(text, SESSIONS.whole));
    for (const { without, from, to } of broken) {
      const changed = taken(text, from, to);
      const found = changed !== text && !await holds(changed, SESSIONS.broken);
      report(`${file} without ${without} is broken, and that is found`, found);
    }
  }
} finally {
  await Deno.remove(folder, { recursive: true });
}
Deno.exit(failed ? 1 : 0);

function report(what: string, isSo: boolean): void {
  console.log(`${isSo ? "ok    " : "FAILED"} ${what}`);
  failed ||= !isSo;
}

/** `$1` stands for either end's letter. */
function taken(text: string, from: string, to: string): string {
  return ["C", "S"].reduce(
    (changed, end) => changed.replaceAll(from.replaceAll("$1", end), to.replaceAll("$1", end)),
    text,
  );
}

async function holds(text: string, sessions: number): Promise<boolean> {
  const path = `${folder}/model.vp`;
  await Deno.writeTextFile(path, text);
  const { code, output } = await run("verifpal", [
    "verify",
    "--fail-on-attack",
    "--sessions",
    String(sessions),
    path,
  ]);
  // 2 says that an attack was found; anything else but 0 that the model could not be read.
  if (code !== 0 && code !== 2) throw new Error(`Cannot check a model: verifpal failed\n${output}`);
  return code === 0;
}
