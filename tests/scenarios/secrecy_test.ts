/**
 * What somebody sees who records everything between clients and server.
 *
 * @module
 */

import { deepEqual, equal, ok } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { INVITATION_CODE_BYTES } from "../../lib/login/message.ts";
import { type Bytes, concat, utf8 } from "../../lib/wire/bytes.ts";
import { type Carried, framesIn, Relay, type Way } from "./relay.ts";
import { PASSWORD, scenario } from "./stage.ts";

const WAYS: readonly Way[] = ["toServer", "toClient"];

/** Octets of a record's body by suite, one of five (PROTOCOL §5.3). */
const RECORD_BYTES = {
  "a256cbc-hs512": [128, 320, 1_088, 4_160, 16_448],
  "a256ctr-hs512": [112, 304, 1_072, 4_144, 16_432],
} as const;

/** Octets of Hello with two suites, without and with a binder, and of Reply (PROTOCOL §4.2). */
const HELLO_BYTES = 1_261;
const HELLO_WITH_BINDER_BYTES = 1_293;
const REPLY_BYTES = 1_156;

/** A pre-shared key for each suite: a passphrase, and the key itself. */
const PRE_SHARED_KEYS = {
  "a256cbc-hs512": "correct horse battery staple",
  "a256ctr-hs512": "c0ffee".repeat(10) + "cafe",
} as const;

for (const suite of ["a256cbc-hs512", "a256ctr-hs512"] as const) {
  for (const psk of [undefined, PRE_SHARED_KEYS[suite]]) {
    const name = psk === undefined ? suite : `${suite} with a pre-shared key`;
    scenario(
      `a recording proxy sees neither messages, names, passwords, codes, keys nor more than five sizes: ${name}`,
      async (stage) => {
        const env: Record<string, string> = psk === undefined ? {} : { SOTTO_PSK: psk };
        const server = await stage.server({ args: [`--cipher=${suite}`, "--registration=invite"], env });
        const relay = new Relay(stage, server.port);
        const invitations = [await stage.invitation(server), await stage.invitation(server)] as const;
        const through = (url: string) => url.replace(server.address, relay.address);
        const newcomer = { newcomer: true, pinned: false, env };
        const mirabelle = await stage.joined(server, {
          user: "mirabelle",
          address: through(invitations[0]),
          ...newcomer,
        });
        const theodora = await stage.joined(server, {
          user: "theodora",
          json: true,
          address: through(invitations[1]),
          ...newcomer,
        });
        const secrets = ["we meet at the old oak", `bring ${"the lantern ".repeat(40)}`, "x".repeat(8_192)];
        await mirabelle.say(...secrets);
        await theodora.showsCount(3);
        await theodora.say("no one will hear us there");
        await mirabelle.showsCount(4);
        for (const client of [mirabelle, theodora]) {
          await client.quit();
          equal((await client.ending()).code, 0);
        }
        const all = await stage.until("the end of all connections", () => {
          return relay.connections.every(({ over }) => over) ? relay.connections : undefined;
        });
        equal(all.length, 4, "each registers by password, then logs in by its device");
        const recoveryCode = await mirabelle.program.found("err", /^recovery code (\S+) /);
        const codes = invitations.map((url) => new URL(url).searchParams.get("code") ?? "");

        const { publicKey, sha256 } = await hostKey(`${mirabelle.configDir}/known_hosts`);
        equal(server.fingerprint, `SHA256:${sha256.toBase64({ omitPadding: true })}`);
        const recorded = concat(...all.flatMap((carried) => WAYS.map((way) => carried.bytes(way))));
        for (
          const secret of [
            ...secrets.map((text) => text.slice(0, 20)),
            "hear us",
            "mirabelle",
            "theodora",
            "#lobby",
            Deno.build.os,
            PASSWORD,
            recoveryCode,
            recoveryCode.replaceAll("-", ""),
            ...codes,
            PRE_SHARED_KEYS[suite],
          ]
        ) deepEqual(sightings(recorded, utf8(secret)), [], secret);
        for (const code of codes) {
          const octets = Uint8Array.fromBase64(code, { alphabet: "base64url" });
          equal(octets.length, INVITATION_CODE_BYTES);
          deepEqual(sightings(recorded, octets), [], "the octets of an invitation's code");
        }
        deepEqual(sightings(recorded, publicKey), [], "the host key");
        deepEqual(sightings(recorded, sha256), [], "the fingerprint");
        const key = Uint8Array.fromHex(PRE_SHARED_KEYS["a256ctr-hs512"]);
        deepEqual(sightings(recorded, key), [], "the octets of the pre-shared key");
        // The search finds what is there: the name of the protocol stands in each Hello.
        deepEqual(sightings(recorded, utf8("sotto")), ["raw"]);
        deepEqual(sightings(concat(recorded, utf8(publicKey.toBase64())), publicKey), ["base64"]);

        const hello = psk === undefined ? HELLO_BYTES : HELLO_WITH_BINDER_BYTES;
        for (const carried of all) onlyKnownSizes(carried, { hello, sizes: RECORD_BYTES[suite] });
        const sizes = new Set(all.flatMap((carried) => recordSizes(carried, "toClient")));
        ok(sizes.size >= 3, "the session was too dull to show anything");
      },
    );
  }
}

/** Each connection is a Hello or a Reply, then records of the five sizes, to the last octet. */
function onlyKnownSizes(
  carried: Carried,
  { hello, sizes }: { readonly hello: number; readonly sizes: readonly number[] },
): void {
  for (const way of WAYS) {
    const { bodies: [first], rest } = framesIn(carried.bytes(way));
    equal(first?.length, way === "toServer" ? hello : REPLY_BYTES);
    equal(rest, 0, "octets that are no frame");
    for (const size of recordSizes(carried, way)) ok(sizes.includes(size), `a record of ${size} octets`);
  }
}

function recordSizes(carried: Carried, way: Way): readonly number[] {
  return framesIn(carried.bytes(way)).bodies.slice(1).map(({ length }) => length);
}

/** In which forms `secret` stands somewhere in `recorded`. */
function sightings(recorded: Bytes, secret: Bytes): readonly string[] {
  const haystack = Buffer.from(recorded);
  const forms: readonly (readonly [string, readonly string[]])[] = [
    ["hex", [secret.toHex(), secret.toHex().toUpperCase()]],
    ["base64", [0, 1, 2].map((before) => base64Core(secret, before))],
  ];
  return [
    ...(haystack.includes(Buffer.from(secret)) ? ["raw"] : []),
    ...forms.flatMap(([form, texts]) => texts.some((text) => haystack.includes(text)) ? [form] : []),
  ];
}

/** What base64 makes of `secret` wherever it stands behind so many octets, but for what its neighbours change. */
function base64Core(secret: Bytes, before: number): string {
  const text = concat(new Uint8Array(before), secret).toBase64({ omitPadding: true });
  return text.slice(Math.ceil(before * 8 / 6), Math.floor((before + secret.length) * 8 / 6));
}

/** The host key that a client has remembered. */
async function hostKey(knownHosts: string): Promise<{ readonly publicKey: Bytes; readonly sha256: Bytes }> {
  const [, , base64 = ""] = (await Deno.readTextFile(knownHosts)).trim().split(" ");
  const publicKey = Uint8Array.fromBase64(base64);
  return { publicKey, sha256: new Uint8Array(await crypto.subtle.digest("SHA-256", publicKey)) };
}
