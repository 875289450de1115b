import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { signDeviceList } from "../../lib/identity/device_list.ts";
import { firstDeviceList, withDisplay } from "../../lib/identity/next_device_list.ts";
import {
  acceptIdentity,
  type KnownKeys,
  markVerified,
  type Peer,
  type PeerBook,
  peerBookText,
} from "../../lib/identity/peer_trust.ts";
import { PeersFiles } from "../../lib/store/peers_file.ts";
import { type Handle, parseHandle } from "../../lib/text/handle.ts";
import type { Bytes } from "../../lib/wire/bytes.ts";
import { provider } from "../crypto/test_provider.ts";
import { folderTest, modeOf, namesIn } from "./temporary_folder.ts";

const [ANN, BEN, EVE, DAN] = [handle("ann"), handle("ben"), handle("eve"), handle("dan")];
const HOST = octets(32, 0xab);
const FOLDER = `servers/${"ab".repeat(16)}/ann`;

folderTest("a missing file is an empty book", async (configDir) => {
  equal((await files(configDir).load(ANN)).size, 0);
});

folderTest("what is known of others is kept as it is, for each account by itself", async (configDir) => {
  const book = new Map([[BEN, await peer(BEN, 1, { verified: true })], [EVE, await peer(EVE, 2)]]);
  await files(configDir).save(ANN, book);
  deepEqual(peerBookText(await files(configDir).load(ANN)), peerBookText(book));
  equal((await files(configDir).load(BEN)).size, 0);
});

folderTest("attack 22: what is known of others is readable by its owner only", async (folder) => {
  const configDir = `${folder}/config`;
  await files(configDir).save(ANN, new Map([[BEN, await peer(BEN, 1)]]));
  equal(await modeOf(`${configDir}/${FOLDER}`), 0o700);
  equal(await modeOf(`${configDir}/${FOLDER}/peers`), 0o600);
  deepEqual(await namesIn(`${configDir}/${FOLDER}`), ["peers", "peers.lock"]);
});

folderTest("of two clients none loses what the other has learnt", async (configDir) => {
  const first = new Map([[BEN, await peer(BEN, 1)]]);
  await files(configDir).save(ANN, first);
  const [one, two] = [files(configDir), files(configDir)];
  let ones = await one.load(ANN);
  let twos = await two.load(ANN);
  ones = verified(ones, BEN);
  await one.save(ANN, ones);
  twos = new Map(twos).set(EVE, await peer(EVE, 2));
  await two.save(ANN, twos);
  ones = new Map(ones).set(DAN, await peer(DAN, 3));
  await one.save(ANN, ones);
  twos = new Map(twos).set(EVE, await peer(EVE, 2, { renamed: "Eva" }));
  await two.save(ANN, twos);
  const kept = await files(configDir).load(ANN);
  deepEqual(Array.from(kept.keys()).sort(), [BEN, DAN, EVE]);
  equal(kept.get(BEN)?.verified, true);
  equal(kept.get(EVE)?.known.list.display, "Eva");
});

folderTest("what two clients learn of one person is joined", async (configDir) => {
  await files(configDir).save(ANN, new Map([[BEN, await peer(BEN, 1)]]));
  const [one, two] = [files(configDir), files(configDir)];
  const ones = await one.load(ANN);
  await two.load(ANN);
  await one.save(ANN, verified(ones, BEN));
  await two.save(ANN, new Map([[BEN, await peer(BEN, 1, { renamed: "Ben" })]]));
  const ben = (await files(configDir).load(ANN)).get(BEN);
  equal(ben?.verified, true);
  equal(ben?.known.list.number, 2);
});

folderTest(
  "of two identities that two clients see first at once the first one kept counts",
  async (configDir) => {
    const [one, two] = [files(configDir), files(configDir)];
    await one.load(ANN);
    await two.load(ANN);
    const first = await peer(BEN, 1);
    await one.save(ANN, new Map([[BEN, first]]));
    await two.save(ANN, new Map([[BEN, await peer(BEN, 2)]]));
    deepEqual((await files(configDir).load(ANN)).get(BEN)?.known.keys, first.known.keys);
  },
);

folderTest("an identity that a person accepted is not taken back by another client", async (configDir) => {
  const changed = (await peer(BEN, 2)).known;
  await files(configDir).save(ANN, new Map([[BEN, { ...await peer(BEN, 1), changed }]]));
  for (const acceptsFirst of [true, false]) {
    const [one, two] = [files(configDir), files(configDir)];
    const accepted = acceptIdentity(await one.load(ANN), BEN) ?? await one.load(ANN);
    const other = new Map([[BEN, { ...await peer(BEN, 1, { verified: true }), changed }]]);
    await two.load(ANN);
    if (acceptsFirst) await one.save(ANN, accepted);
    await two.save(ANN, other);
    if (!acceptsFirst) await one.save(ANN, accepted);
    const ben = (await files(configDir).load(ANN)).get(BEN);
    deepEqual(ben?.known.keys, changed.keys);
    await Deno.remove(`${configDir}/${FOLDER}/peers`);
    await files(configDir).save(ANN, new Map([[BEN, { ...await peer(BEN, 1), changed }]]));
  }
});

folderTest("a damaged file is told by its line, and kept", async (configDir) => {
  const kept = files(configDir);
  const book = new Map([[BEN, await peer(BEN, 1)]]);
  await kept.save(ANN, book);
  const path = `${configDir}/${FOLDER}/peers`;
  const cases: readonly (readonly [string | Bytes, string])[] = [
    [`${peerBookText(book)}\u001b[2J\n`, "is damaged: line 3 does not tell a person's keys"],
    ["", 'is damaged: line 1 is not "sotto-peers 1"'],
    [Uint8Array.of(0xff), "is too long or no text"],
  ];
  for (const [content, why] of cases) {
    if (typeof content === "string") await Deno.writeTextFile(path, content);
    else await Deno.writeFile(path, content);
    const expected = {
      name: "Failure",
      exit: "data",
      message:
        `Cannot use the keys of others in ${path}: the file ${why}; put back your copy of it, or move it ` +
        "away and verify everybody anew.",
    };
    await rejects(kept.load(ANN), expected);
    await rejects(kept.save(ANN, book), expected);
    equal((await Deno.readFile(path)).length, typeof content === "string" ? content.length : 1);
  }
});

folderTest(
  "a file of others' keys that cannot be read or written is told in one sentence",
  async (folder) => {
    await Deno.mkdir(`${folder}/${FOLDER}/peers`, { recursive: true });
    await rejects(files(folder).load(ANN), {
      exit: "noInput",
      message: /^Cannot read the keys of others in .*\/peers: it is a folder; make it readable, or choose/,
    });
    await Deno.writeTextFile(`${folder}/file`, "");
    await rejects(files(`${folder}/file`).save(ANN, new Map()), {
      exit: "cannotCreate",
      message: /^Cannot keep the keys of others in .*: a part of .*; make the folder writable, or choose/,
    });
  },
);

function files(configDir: string): PeersFiles {
  return new PeersFiles({ configDir, hostKeySha256: HOST });
}

function verified(book: PeerBook, handle: Handle): PeerBook {
  const next = markVerified(book, handle);
  ok(next !== undefined);
  return next;
}

/** Somebody whose identity is made of `seed`, on their first list, or their second one where it renames them. */
async function peer(
  handle: Handle,
  seed: number,
  { verified = false, renamed }: { verified?: boolean; renamed?: string } = {},
): Promise<Peer> {
  const identity = await provider.ed25519SigningKey(octets(32, seed));
  const device = await provider.ed25519SigningKey(octets(32, seed + 100));
  const first = firstDeviceList(handle, { key: device.publicKey, name: "linux", added: 1 });
  const list = renamed === undefined ? first : withDisplay(first, renamed);
  const known: KnownKeys = { keys: await signDeviceList(identity, HOST, list), list };
  return { known, verified, changed: undefined };
}

function octets(length: number, fill: number): Bytes {
  return new Uint8Array(length).fill(fill);
}

function handle(text: string): Handle {
  const parsed = parseHandle(text);
  if (parsed === undefined) throw new Error(`${text} is no handle`);
  return parsed;
}
