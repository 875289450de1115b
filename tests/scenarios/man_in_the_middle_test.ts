/**
 * Somebody on the way who wants to be taken for the server.
 *
 * @module
 */

import { deepEqual, equal, ok } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { parseKnownHosts } from "../../lib/identity/known_hosts.ts";
import { fingerprint } from "../../lib/identity/host_key.ts";
import { provider } from "../crypto/test_provider.ts";
import { Intruder, INTRUDERS_KEY } from "./intruder.ts";
import { complained } from "./programs.ts";
import { framesIn, Relay } from "./relay.ts";
import { type Client, PASSWORD, scenario, type Server, type Stage } from "./stage.ts";

const INTRUDERS_FINGERPRINT = fingerprint(await provider.sha256(INTRUDERS_KEY.publicKey));

scenario(
  "attack 1: a client that knows the host key says nothing but Hello to a man in the middle",
  async (stage) => {
    const server = await stage.server();
    const intruder = new Intruder(stage, server);
    const relay = relayTo(stage, intruder);
    const run = { user: "ann", address: relay.address };
    const ending = await stage.visit(server, run, "a word in private\n");
    complained(ending, {
      code: 76,
      sentence:
        /^Cannot trust 127\.0\.0\.1:\d+: its host key is \S+ and not \S+, so somebody may be in between; /,
    });
    const [sentence = ""] = ending.err;
    ok(sentence.includes(INTRUDERS_FINGERPRINT) && sentence.includes(server.fingerprint), "both are shown");
    await onlyHello(relay);
    await stage.until("the intruder's failure", () => intruder.over === 1 || undefined);
    equal(intruder.established, 0);
    deepEqual(intruder.heard, []);
    deepEqual(await server.guests(), []);
  },
);

scenario("attack 1: another program's server in between learns no more of the client", async (stage) => {
  const server = await stage.server();
  const other = await stage.server();
  const relay = new Relay(stage, other.port);
  complained(await stage.visit(server, { user: "ann", address: relay.address }), {
    code: 76,
    sentence: new RegExp(
      `: its host key is ${escaped(other.fingerprint)} and not ${escaped(server.fingerprint)}, `,
    ),
  });
  await onlyHello(relay);
  deepEqual(await other.reasons(1), ["left during the handshake"]);
  deepEqual(await other.guests(), []);
});

scenario(
  "attack 1: the server's own host key without the key to sign by it stops the client",
  async (stage) => {
    const server = await stage.server();
    const met = await acquaintance(stage, server);
    const { sign } = INTRUDERS_KEY;
    const intruder = new Intruder(stage, server, { publicKey: met.publicKey, sign: (data) => sign(data) });
    const relay = relayTo(stage, intruder);
    complained(await stage.visit(server, { user: "ann", address: relay.address }), {
      code: 76,
      sentence: /^Cannot go on with 127\.0\.0\.1:\d+: it could not prove its host key; /,
    });
    await onlyHello(relay);
    equal(intruder.established, 0);
  },
);

for (const isNew of [true, false]) {
  const whose = isNew ? "a new account's registration and login" : "a login";
  scenario(
    `attack 2: ${whose}, relayed by a man in the middle whom the client trusts at first sight, gives no session`,
    async (stage) => {
      const server = await stage.server();
      if (!isNew) {
        equal((await stage.visit(server, { user: "ann", newcomer: true })).code, 0);
      }
      const intruder = new Intruder(stage, server);
      const ann = await stage.client(server, {
        user: "ann",
        address: intruder.address,
        pinned: false,
        newcomer: true,
      });
      await ann.program.typeAndEnd("a word in private\n");
      const { code, out, err } = await ann.ending();
      equal(code, 75);
      deepEqual(out, []);
      deepEqual(err, [`Connection cut: ${intruder.address} went away without a goodbye; try again.`]);
      // The first connection only asks for the host key.
      await stage.until("the end of both connections", () => intruder.over === 2 || undefined);
      equal(intruder.established, 1);
      // Asked to register, then to log in: he learns the name, and of the password nothing.
      deepEqual(intruder.heard, ["name ann", "name ann"]);
      ok(intruder.opened.length > 0, "he did open what came before the keys were mixed");
      for (const bytes of intruder.opened) ok(!Buffer.from(bytes).includes(PASSWORD), "the password");
      await server.program.line("err", / failed to log in as ann by password \(wrongPassword\)$/);
      deepEqual(await server.guests(), isNew ? [] : ["ann"], "nobody came in through him");
    },
  );
}

scenario(
  "attack 2: a device has no keys for a man in the middle, so he gets no signature of it",
  async (stage) => {
    const server = await stage.server();
    const intruder = new Intruder(stage, server);
    const run = { user: "ann", address: intruder.address, pinned: false, password: null };
    complained(await stage.visit(server, run, "a word in private\n"), {
      code: 64,
      sentence:
        /^Cannot log in as ann: there is no password; give one in SOTTO_PASSWORD or --password-file\.$/,
    });
    deepEqual(intruder.heard, []);
    deepEqual(await server.guests(), []);
  },
);

scenario(
  "attack 30: a host key that has changed is a hard stop, both fingerprints shown, nothing sent",
  async (stage) => {
    const first = await stage.server();
    const relay = new Relay(stage, first.port);
    const ann = await stage.joined(first, { user: "ann", address: relay.address, pinned: false });
    await ann.quit();
    equal((await ann.ending()).code, 0);
    const path = `${ann.configDir}/known_hosts`;
    const remembered = await Deno.readTextFile(path);
    equal((await first.stop()).code, 0);

    const second = await stage.server({ port: first.port });
    const { configDir } = ann;
    for (const json of [false, true]) {
      const again = await stage.client(second, {
        user: "ann",
        address: relay.address,
        pinned: false,
        configDir,
        json,
      });
      await again.program.typeAndEnd(json ? '{"type":"send","text":"x"}\n' : "hello?\n");
      complained(await again.ending(), {
        code: 76,
        sentence: new RegExp(
          `: its host key is ${escaped(second.fingerprint)} and not ${
            escaped(first.fingerprint)
          }, so somebody may ` +
            `be in between; ask its operator, .* remove the line of ${relay.address} from ${path}\\.$`,
        ),
      });
    }
    // The first client came twice, to see the key and to talk; each later one once.
    equal(relay.connections.length, 4);
    for (const carried of relay.connections.slice(2)) {
      const { bodies, rest } = framesIn(carried.bytes("toServer"));
      equal(bodies.length, 1, "Hello and nothing else");
      equal(rest, 0);
    }
    equal(await Deno.readTextFile(path), remembered);
    deepEqual(await second.guests(), []);
  },
);

/** A client of `server` that has met it; gives the host key that it remembers. */
async function acquaintance(
  stage: Stage,
  server: Server,
): Promise<{ readonly client: Client; readonly publicKey: Uint8Array<ArrayBuffer> }> {
  const client = await stage.joined(server, { user: "friend", pinned: false });
  const known = parseKnownHosts(await Deno.readTextFile(`${client.configDir}/known_hosts`));
  const [host] = known.kind === "knownHosts" ? known.hosts : [];
  if (host === undefined) throw new Error("the client remembers no host key");
  return { client, publicKey: host.publicKey };
}

function relayTo(stage: Stage, { address }: Intruder): Relay {
  return new Relay(stage, Number(address.replace(/^.*:/, "")));
}

/** Asserts that all that came of the client in its one connection is a Hello. */
async function onlyHello(relay: Relay): Promise<void> {
  const { bodies, rest } = framesIn((await relay.firstOver()).bytes("toServer"));
  equal(relay.connections.length, 1);
  equal(bodies.length, 1, "Hello and nothing else");
  equal(rest, 0);
}

function escaped(text: string): string {
  return text.replaceAll(/[+/.]/g, (character) => `\\${character}`);
}
