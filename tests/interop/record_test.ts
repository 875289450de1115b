import assert from "node:assert/strict";
import { systemEntropy } from "../../lib/crypto/entropy.ts";
import { AES_BLOCK_BYTES } from "../../lib/crypto/port.ts";
import { recordCipher, TAG_BYTES } from "../../lib/secure/aead.ts";
import { ciphertextBytes, type Suite, SUITES } from "../../lib/secure/suite.ts";
import { type Bytes, concat, u16, u32, u64 } from "../../lib/wire/bytes.ts";
import { provider } from "../crypto/test_provider.ts";
import { skipped, test } from "../sanitized.ts";

const MISSING_PYTHON = "python3 with the package cryptography is missing";

const SCRIPT = new URL("open_record.py", import.meta.url);

/** A record as it is on the wire, and what the other end knows of it. */
interface SealedRecord {
  readonly suite: Suite;
  readonly key: Bytes;
  readonly epoch: number;
  readonly sequence: number;
  readonly body: Bytes;
}

const hasPython = await pythonHasCryptography();

for (const suite of SUITES) {
  pythonTest(`Python's cryptography opens records of ${suite}`, async () => {
    for (const length of [0, 1, 15, 16, 64, 16_384]) {
      const plaintext = systemEntropy(length);
      const opened = await openByPython(await seal(suite, plaintext));
      assert.deepEqual(opened, { code: 0, output: plaintext.toHex() }, `${length} octets`);
    }
  });

  pythonTest(`Python's cryptography refuses an altered record of ${suite}`, async () => {
    const record = await seal(suite, systemEntropy(64));
    const alterations: SealedRecord[] = [
      { ...record, sequence: record.sequence + 1 },
      { ...record, epoch: record.epoch + 1 },
      { ...record, body: record.body.with(20, (record.body[20] ?? 0) ^ 1) },
      { ...record, body: record.body.slice(0, -1) },
    ];
    for (const altered of alterations) assert.deepEqual(await openByPython(altered), { code: 1, output: "" });
  });
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

async function seal(suite: Suite, plaintext: Bytes): Promise<SealedRecord> {
  const [key, iv, epoch, sequence] = [systemEntropy(64), systemEntropy(16), 1, 2 ** 40 + 3];
  const cipher = await recordCipher(provider, suite, key);
  const bodyBytes = AES_BLOCK_BYTES + ciphertextBytes(suite, plaintext.length) + TAG_BYTES;
  const associated = concat(u32(epoch), u64(sequence), u16(bodyBytes));
  const { ciphertext, tag } = await cipher.seal(associated, iv, plaintext);
  return { suite, key, epoch, sequence, body: concat(iv, ciphertext, tag) };
}

async function openByPython(record: SealedRecord): Promise<{ code: number; output: string }> {
  const command = new Deno.Command("python3", {
    args: [decodeURIComponent(SCRIPT.pathname)],
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  });
  const child = command.spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(JSON.stringify({
    suite: record.suite,
    mac_key: record.key.slice(0, 32).toHex(),
    encryption_key: record.key.slice(32).toHex(),
    epoch: record.epoch,
    sequence: record.sequence,
    record: record.body.toHex(),
  })));
  await writer.close();
  const { code, stdout } = await child.output();
  return { code, output: new TextDecoder().decode(stdout).trim() };
}
