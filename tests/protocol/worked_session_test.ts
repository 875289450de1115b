import { deepEqual, equal, ok } from "node:assert/strict";
import { skipped, test } from "../sanitized.ts";
import { octetNames, octets, PROTOCOL } from "./document.ts";
import { workedSession } from "./worked_session.ts";

const MISSING_PYTHON = "python3 with the package cryptography is missing";

const SCRIPT = new URL("independent.py", import.meta.url);

/** Octets that the session is given; all others of §11 follow from them. */
const GIVEN = /_(?:seed|nonce|iv|ml_kem_message)$|^entry_id$|^psk_passphrase$/;

test("PROTOCOL §11: the worked session follows from its seeds, octet for octet", async () => {
  const computed = await workedSession(octets);
  for (const [name, bytes] of computed) equal(bytes.toHex(), octets(name).toHex(), name);
  const elsewhere = ["entry_message", "fault_message"];
  const shown = octetNames().filter((name) => !GIVEN.test(name) && !elsewhere.includes(name));
  deepEqual(
    shown.toSorted(),
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
    equal(output, "the worked session is right: 8 application contents");
  },
);

pythonTest("PROTOCOL §11: that client refuses a worked session with any value altered", async () => {
  for (
    const name of octetNames().filter((name) => /_frame$|^host_key$|^psk$|^t_done$|_secret$|_ap$/.test(name))
  ) {
    const { code, output } = await runIndependent(altered(name));
    equal(code, 1, `${name}: ${output}`);
  }
});

function pythonTest(name: string, body: () => Promise<void>): void {
  if (hasPython) test(name, body);
  else skipped(name, MISSING_PYTHON);
}

/** The document with the last digit of `name` changed. */
function altered(name: string): string {
  const digits = octets(name).toHex();
  const start = PROTOCOL.indexOf(`\n${name} =`);
  const tail = digits.slice(-8);
  const at = PROTOCOL.indexOf(tail, start) + tail.length - 1;
  ok(start > 0 && at >= tail.length, name);
  return PROTOCOL.slice(0, at) + (tail.endsWith("0") ? "1" : "0") + PROTOCOL.slice(at + 1);
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

async function runIndependent(document: string): Promise<{ code: number; output: string }> {
  const child = new Deno.Command("python3", {
    args: [decodeURIComponent(SCRIPT.pathname)],
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
