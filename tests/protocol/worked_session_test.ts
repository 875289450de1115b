import { deepEqual, equal } from "node:assert/strict";
import { skipped, test } from "../sanitized.ts";
import { octetNames, octets, PROTOCOL } from "./document.ts";
import { workedSession } from "./worked_session.ts";

const MISSING_PYTHON = "python3 with the package cryptography is missing";

const SCRIPT = new URL("independent.py", import.meta.url);

/** Octets that the session is given; all others of §11 follow from them. */
const GIVEN =
  /_(?:seed|nonce|iv|ml_kem_message|blind|private_key|code|salt|id|octets)$|^psk_passphrase$|^ann_password$/;

/** What ends like something given, and is computed. */
const COMPUTED = ["lobby_id", "direct_id"];

test("PROTOCOL §11: the worked session follows from its seeds, octet for octet", async () => {
  const computed = await workedSession(octets);
  for (const [name, bytes] of computed) equal(bytes.toHex(), octets(name).toHex(), name);
  deepEqual(
    computedNames().toSorted(),
    Array.from(computed.keys()).toSorted(),
    "nothing is shown that is not recomputed",
  );
});

const hasPython = await pythonHasCryptography();

pythonTest(
  "PROTOCOL §11: a client written from the document alone recomputes the worked session",
  async () => {
    const { code, output } = await runIndependent(PROTOCOL);
    equal(code, 0, output);
    equal(output, "the worked session is right: 25 records, 42 messages");
  },
);

pythonTest("PROTOCOL §11: that client refuses a worked session with any computed value altered", async () => {
  const { code, output } = await runIndependent(PROTOCOL, computedNames());
  equal(code, 0, output);
  equal(output, `${computedNames().length} alterations are refused`);
});

function computedNames(): readonly string[] {
  return octetNames().filter((name) => !GIVEN.test(name) || COMPUTED.includes(name));
}

function pythonTest(name: string, body: () => Promise<void>): void {
  if (hasPython) test(name, body);
  else skipped(name, MISSING_PYTHON);
}

async function pythonHasCryptography(): Promise<boolean> {
  try {
    const command = new Deno.Command("python3", {
      args: ["-c", "import cryptography"],
      stdout: "null",
      stderr: "null",
    });
    return (await command.output()).success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

async function runIndependent(
  document: string,
  names: readonly string[] = [],
): Promise<{ code: number; output: string }> {
  const child = new Deno.Command("python3", {
    args: [decodeURIComponent(SCRIPT.pathname), ...names],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(document));
  await writer.close();
  const { code, stdout, stderr } = await child.output();
  const decoder = new TextDecoder();
  return { code, output: (decoder.decode(stdout) + decoder.decode(stderr)).trim() };
}
