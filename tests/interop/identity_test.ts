import assert from "node:assert/strict";
import { GOLDEN_IDENTITY_FILE } from "../identity/golden_identity.ts";
import { skipped, test } from "../sanitized.ts";

const MISSING_PYTHON = "python3 with the package cryptography is missing";

const SCRIPT = new URL("identity.py", import.meta.url);

/** How many values the script compares. */
const COMPARED = 30;

pythonTest("Python computes the golden vectors of identities from the formulas", async () => {
  const { code, lines } = await computeByPython(GOLDEN_IDENTITY_FILE);
  assert.deepEqual({ code, compared: lines.length }, { code: 0, compared: COMPARED });
});

pythonTest(
  "Python refuses golden vectors in which one octet of what is signed or sealed was altered",
  async () => {
    const text = await Deno.readTextFile(GOLDEN_IDENTITY_FILE);
    const signatures = Array.from(
      text.matchAll(/"(?:signature|blob|sealed|digest|hash)": "[0-9a-f]+/g),
      (match) => match,
    );
    assert.equal(signatures.length, 15);
    const folder = await Deno.makeTempDir();
    try {
      const file = new URL(`file://${folder}/vectors.json`);
      for (const match of signatures) {
        const end = match.index + match[0].length;
        const other = text[end - 1] === "0" ? "1" : "0";
        await Deno.writeTextFile(file, text.slice(0, end - 1) + other + text.slice(end));
        assert.equal((await computeByPython(file)).code, 1, match[0]);
      }
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
);

function pythonTest(name: string, body: () => Promise<void>): void {
  if (hasPython()) test(name, body);
  else skipped(name, MISSING_PYTHON);
}

function hasPython(): boolean {
  try {
    const args = ["-c", "import cryptography"];
    return new Deno.Command("python3", { args, stdout: "null", stderr: "null" }).outputSync().success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

async function computeByPython(file: URL): Promise<{ code: number; lines: readonly string[] }> {
  const command = new Deno.Command("python3", {
    args: [decodeURIComponent(SCRIPT.pathname), decodeURIComponent(file.pathname)],
    stderr: "null",
  });
  const { code, stdout } = await command.output();
  return { code, lines: new TextDecoder().decode(stdout).split("\n").slice(0, -1) };
}
