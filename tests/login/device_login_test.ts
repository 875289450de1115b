import assert from "node:assert/strict";
import { SMALL_ORDER_ENCODINGS } from "../../lib/crypto/ed25519_points.ts";
import type { SigningKey } from "../../lib/crypto/port.ts";
import { deviceLogin } from "../../lib/login/client_login.ts";
import { deviceLoginContent } from "../../lib/login/device_signature.ts";
import { decodeDeviceLogin, encodeDeviceLogin, encodeRefused } from "../../lib/login/message.ts";
import type { DeskStep } from "../../lib/login/server_login.ts";
import { type Bytes, concat, utf8 } from "../../lib/wire/bytes.ts";
import { provider } from "../crypto/test_provider.ts";
import { test } from "../sanitized.ts";
import { ANN, BOB, desk, EXPORTER, handle, MemoryBook, NOW, received } from "./bench.ts";

const CAT = handle("cat");

/** What every login that is not let in is told. */
const REFUSED: DeskStep = { kind: "refuseAndClose", message: encodeRefused("badLogin") };

async function keyOf(octet: number): Promise<SigningKey> {
  return await provider.ed25519SigningKey(new Uint8Array(32).fill(octet));
}

const [annsKey, bobsKey, nobodysKey, catsKey] = [
  await keyOf(1),
  await keyOf(2),
  await keyOf(3),
  await keyOf(4),
];

function bookOfDevices(): MemoryBook {
  const book = new MemoryBook();
  const account = (...devices: readonly Bytes[]) => ({ record: undefined, active: true, devices });
  book.accounts.set(ANN, account(annsKey.publicKey));
  book.accounts.set(BOB, account(bobsKey.publicKey));
  book.accounts.set(CAT, { ...account(catsKey.publicKey), active: false });
  return book;
}

/** What a fresh desk says to the message, and what its book was asked. */
async function verdict(
  bytes: Bytes,
  book = bookOfDevices(),
): Promise<{ readonly step: DeskStep; readonly asked: readonly string[] }> {
  const step = await desk(book).take(received(bytes), NOW);
  return { step, asked: book.asked };
}

test("an enrolled device is let in by its signature", async () => {
  const { step, asked } = await verdict(await deviceLogin(annsKey, EXPORTER, ANN));
  assert.deepEqual(step, { kind: "device", handle: ANN, deviceKey: annsKey.publicKey });
  assert.deepEqual(asked, ["device ann"]);
});

test("a device's signature covers label, exporter, name and key, in this order", async () => {
  const login = decodeDeviceLogin(received(await deviceLogin(annsKey, EXPORTER, ANN)));
  const key = await provider.ed25519VerifyingKey(annsKey.publicKey);
  const signed = concat(
    utf8("sotto/1 device login"),
    Uint8Array.of(0),
    EXPORTER,
    Uint8Array.of(3),
    utf8("ann"),
    annsKey.publicKey,
  );
  assert.equal(await key?.verify(signed, login?.signature ?? assert.fail("a signature")), true);
});

test("attack 2: a device's login made for another channel is refused", async () => {
  for (const at of [0, 31, 63]) {
    const other: Bytes = EXPORTER.with(at, (EXPORTER[at] ?? 0) ^ 1);
    const { step, asked } = await verdict(await deviceLogin(annsKey, other, ANN));
    assert.deepEqual({ step, asked }, { step: REFUSED, asked: [] });
  }
});

test("a device's signature is worth nothing under another name, key or label", async () => {
  const genuine = decodeDeviceLogin(received(await deviceLogin(annsKey, EXPORTER, ANN)));
  assert(genuine !== undefined);
  const asBob = encodeDeviceLogin({ ...genuine, handle: BOB });
  const bobsSignature = await bobsKey.sign(deviceLoginContent(EXPORTER, ANN, annsKey.publicKey));
  const byBob = encodeDeviceLogin({ ...genuine, signature: bobsSignature });
  const ofBob = encodeDeviceLogin({ ...genuine, deviceKey: bobsKey.publicKey });
  const content = deviceLoginContent(EXPORTER, ANN, annsKey.publicKey);
  const otherLabel = concat(utf8("sotto/1 server auth\0"), content.slice(content.indexOf(0) + 1));
  const labelled = encodeDeviceLogin({ ...genuine, signature: await annsKey.sign(otherLabel) });
  for (const login of [asBob, byBob, ofBob, labelled]) {
    assert.deepEqual(await verdict(login), { step: REFUSED, asked: [] });
  }
});

test("a signature with any octet altered is refused before anything is looked up", async () => {
  const genuine = await deviceLogin(annsKey, EXPORTER, ANN);
  for (let at = genuine.length - 64; at < genuine.length; at++) {
    const altered: Bytes = genuine.with(at, (genuine[at] ?? 0) ^ 0x40);
    assert.deepEqual(await verdict(altered), { step: REFUSED, asked: [] }, `octet ${at}`);
  }
});

test("attack 20: unknown names, unknown devices and closed accounts are refused alike", async () => {
  const logins = [
    await deviceLogin(nobodysKey, EXPORTER, ANN),
    await deviceLogin(nobodysKey, EXPORTER, handle("nobody")),
    await deviceLogin(bobsKey, EXPORTER, ANN),
    await deviceLogin(catsKey, EXPORTER, CAT),
  ];
  for (const login of logins) assert.deepEqual((await verdict(login)).step, REFUSED);
});

test("attack 12: a device key of small order is refused, though a list names it and its forgery verifies", async () => {
  const neutral: Bytes = Uint8Array.from({ length: 32 }, (_, at) => at === 0 ? 1 : 0);
  const forged = concat(neutral, new Uint8Array(32));
  const content = deviceLoginContent(EXPORTER, ANN, neutral);
  const key = await crypto.subtle.importKey("raw", neutral, "Ed25519", false, ["verify"]);
  assert(await crypto.subtle.verify("Ed25519", key, forged, content), "WebCrypto takes it");
  for (const encoding of SMALL_ORDER_ENCODINGS) {
    const deviceKey: Bytes = Uint8Array.fromHex(encoding);
    const book = bookOfDevices();
    book.accounts.set(ANN, { record: undefined, active: true, devices: [deviceKey] });
    const login = encodeDeviceLogin({ handle: ANN, deviceKey, signature: forged });
    assert.deepEqual(await verdict(login, book), { step: REFUSED, asked: [] }, encoding);
  }
});

test("after a device's login, let in or not, the desk takes nothing", async () => {
  for (const key of [annsKey, nobodysKey]) {
    const connection = desk(bookOfDevices());
    await connection.take(received(await deviceLogin(key, EXPORTER, ANN)), NOW);
    const again = await connection.take(received(await deviceLogin(annsKey, EXPORTER, ANN)), NOW);
    assert.deepEqual(again, { kind: "broken" });
  }
});

test("an exporter or a key of our own that has a wrong length throws", async () => {
  assert.throws(() => deviceLoginContent(EXPORTER.slice(1), ANN, annsKey.publicKey), RangeError);
  assert.throws(() => deviceLoginContent(EXPORTER, ANN, new Uint8Array(31)), RangeError);
  await assert.rejects(deviceLogin(annsKey, new Uint8Array(0), ANN), RangeError);
});
