/**
 * `deno task bench`: what a long log costs. A server with a thousand entries in its lobby and one with a million: start-up,
 * a newcomer's coming in, and paging anywhere are to take as long on both. The programs are the real ones, their data on
 * the disk of this checkout; `deno task bench 100000` takes another size.
 *
 * @module
 */

import * as v from "valibot";
import { systemEntropy } from "../lib/crypto/entropy.ts";
import { chosenMlKem } from "../lib/crypto/ml_kem_choice.ts";
import { OPAQUE_BYTES, type Provider } from "../lib/crypto/port.ts";
import { webCryptoProvider } from "../lib/crypto/webcrypto.ts";
import { signDeviceList } from "../lib/identity/device_list.ts";
import { firstDeviceList } from "../lib/identity/next_device_list.ts";
import { openAccountDatabase } from "../lib/store/account_database.ts";
import { loadOrMakeHostKey } from "../lib/store/host_key_file.ts";
import { OwnKeysFiles } from "../lib/store/own_keys_file.ts";
import type { Handle } from "../lib/text/handle.ts";
import { parseHandle } from "../lib/text/handle.ts";
import type { Bytes } from "../lib/wire/bytes.ts";
import { LOBBY } from "../lib/wire/message.ts";
import { clientPermissions, confined, serverPermissions } from "../tools/permissions.ts";
import { Program } from "../tools/program.ts";
import { type Author, lengthenLobby } from "./long_room.ts";

const FOLDER = ".sotto/bench";
const SHORT = 1_000;
const LONG = Number(Deno.args[0] ?? 1_000_000);

/** How often each is measured; the median counts, as the first run of each finds cold caches. */
const STARTS = 5;
const COMINGS = 5;
const PAGES = 100;

/** Entries of a page that is asked for. */
const PAGE_ENTRIES = 100;

/** How many times as long anything may take with the longer log before it counts as growing. */
const RATIO_MAX = 1.5;

const PageSchema = v.object({
  type: v.literal("page"),
  first: v.nullable(v.number()),
  last: v.nullable(v.number()),
});

/** What was measured of one log, in milliseconds. */
type Figures = Readonly<
  Record<"start-up" | "coming in" | "a page by its number" | "a page by its time", number>
>;

async function main(): Promise<number> {
  await Deno.mkdir(FOLDER, { recursive: true, mode: 0o700 });
  const folder = await Deno.makeTempDir({ dir: FOLDER });
  try {
    const short = await figuresOf(`${folder}/short`, SHORT);
    const long = await figuresOf(`${folder}/long`, LONG);
    console.log(`${"".padEnd(22)}${String(SHORT).padStart(12)}${String(LONG).padStart(12)}   ratio`);
    let isFlat = true;
    for (const [name, before] of Object.entries(short)) {
      const after = Object.entries(long).find(([each]) => each === name)?.[1] ?? NaN;
      const ratio = after / before;
      isFlat &&= ratio <= RATIO_MAX;
      const shown = [before, after].map((figure) => `${figure.toFixed(1)} ms`.padStart(12)).join("");
      console.log(`${name.padEnd(22)}${shown}${ratio.toFixed(2).padStart(8)}`);
    }
    return isFlat ? 0 : 1;
  } finally {
    await Deno.remove(folder, { recursive: true });
    // Another bench may be under way in there.
    await Deno.remove(FOLDER).catch(() => {});
  }
}

async function figuresOf(folder: string, count: number): Promise<Figures> {
  const provider = webCryptoProvider(await chosenMlKem());
  const house = await House.build(folder, provider);
  // It makes the lobby, which is then there to be lengthened, and lets its owner into it.
  await house.withServer(async (address) => {
    const client = await house.client(address, `${folder}/first`);
    await quit(client.program);
  });
  const began = performance.now();
  await lengthenLobby(house.dataDir, { provider, author: house.author, count });
  console.log(`${count} entries written in ${((performance.now() - began) / 1000).toFixed(0)} s`);

  const starts: number[] = [];
  for (let at = 0; at < STARTS; at++) {
    starts.push(await house.withServer(() => Promise.resolve()));
  }
  const comings: number[] = [];
  const pages: number[] = [];
  const moments: number[] = [];
  await house.withServer(async (address) => {
    for (let at = 0; at < COMINGS; at++) {
      const { program, came_ms } = await house.client(address, `${folder}/client-${at}`);
      comings.push(came_ms);
      if (at === 0) {
        for (let page = 0; page < PAGES; page++) {
          const seq = 1 + Math.floor(Math.random() * count);
          pages.push(await pageTime(program, { from: "around", seq }, page));
        }
        for (let page = 0; page < PAGES; page++) {
          const time = Date.now() - Math.floor(Math.random() * count) * 1_000;
          moments.push(await pageTime(program, { from: "since", time }, PAGES + page));
        }
      }
      await quit(program);
    }
  });
  return {
    "start-up": median(starts),
    "coming in": median(comings),
    "a page by its number": median(pages),
    "a page by its time": median(moments),
  };
}

/** A server's data folder with one account, whose clients come each time as if they had never been there. */
class House {
  /** The server's. */
  readonly dataDir: string;
  /** The account. */
  readonly author: Author;
  readonly #hostKey: Bytes;
  readonly #provider: Provider;

  private constructor(dataDir: string, { author, hostKey, provider }: {
    readonly author: Author;
    readonly hostKey: Bytes;
    readonly provider: Provider;
  }) {
    this.dataDir = dataDir;
    this.author = author;
    this.#hostKey = hostKey;
    this.#provider = provider;
  }

  /** A folder with the account in it; no server has run there. */
  static async build(folder: string, provider: Provider): Promise<House> {
    const dataDir = `${folder}/server`;
    const hostKey =
      (await provider.ed25519SigningKey(await loadOrMakeHostKey(dataDir, systemEntropy))).publicKey;
    const handle = parseHandle("ann");
    if (handle === undefined) throw new Error("ann is a handle");
    const keys = await newKeys(provider, { hostKey, handle });
    const accounts = await openAccountDatabase(dataDir);
    try {
      const passwordRecord = new Uint8Array(OPAQUE_BYTES.registrationRecord);
      await accounts.register({ handle, passwordRecord, now: Date.now() }, undefined);
      await accounts.setKeys(handle, { keys: keys.keys, expected: undefined, recovery: undefined });
    } finally {
      accounts.close();
    }
    return new House(dataDir, { author: { handle, keys }, hostKey, provider });
  }

  /** Has `work` done with a server; gives how many milliseconds it took until it listened. */
  async withServer(work: (address: string) => Promise<void>): Promise<number> {
    const began = performance.now();
    const program = new Program("the server", Deno.execPath(), {
      args: [
        ...["run", "--frozen", ...confined(serverPermissions(), this.dataDir)],
        ...["server.ts", "serve", "0", `--data-dir=${this.dataDir}`],
      ],
    });
    try {
      const address = await program.output.until(
        "it listened",
        (line) => /^sotto-server listening on (\S+)$/.exec(line)?.[1],
      );
      const started_ms = performance.now() - began;
      await work(address);
      return started_ms;
    } finally {
      program.kill("SIGTERM");
      await program.ended;
    }
  }

  /** A client that knows nothing of the log yet, and how many milliseconds it took until it had the newest of it. */
  async client(
    address: string,
    configDir: string,
  ): Promise<{ readonly program: Program; readonly came_ms: number }> {
    const hostKeySha256 = await this.#provider.sha256(this.#hostKey);
    const { handle, keys } = this.author;
    await new OwnKeysFiles({ configDir, hostKeySha256 }).save(handle, keys);
    const began = performance.now();
    const program = new Program("the client", Deno.execPath(), {
      args: [
        ...["run", "--frozen", ...confined(clientPermissions(), configDir)],
        ...["client.ts", "chat", address, `--user=${handle}`, `--host-key=${this.#hostKey.toBase64()}`],
        "--json",
      ],
      env: { SOTTO_CONFIG_DIR: configDir },
    });
    await program.output.until("it was let in", (line) => line.includes('"state":"ready"') || undefined);
    await program.write(JSON.stringify({ type: "check", room: LOBBY }));
    await program.output.until(
      "it had the log",
      (line) => line.startsWith('{"type":"integrity"') || undefined,
    );
    return { program, came_ms: performance.now() - began };
  }
}

async function newKeys(
  provider: Provider,
  { hostKey, handle }: { readonly hostKey: Bytes; readonly handle: Handle },
): Promise<Author["keys"]> {
  const [identitySeed, deviceSeed] = [systemEntropy(32), systemEntropy(32)];
  const { publicKey: key } = await provider.ed25519SigningKey(deviceSeed);
  const list = firstDeviceList(handle, { key, name: "laptop", added: Date.now() });
  const keys = await signDeviceList(await provider.ed25519SigningKey(identitySeed), hostKey, list);
  return { published: true, deviceSeed, identitySeed, keys };
}

/** Milliseconds from asking for a page to its end; `number` pages were asked for before. */
async function pageTime(
  program: Program,
  where: Readonly<Record<string, unknown>>,
  number: number,
): Promise<number> {
  const began = performance.now();
  await program.write(JSON.stringify({ type: "history", room: LOBBY, where, limit: PAGE_ENTRIES }));
  let seen = 0;
  await program.output.until("it told the page", (line) => {
    const isPage = line.startsWith('{"type":"page"') && v.is(PageSchema, JSON.parse(line));
    return isPage && seen++ === number ? true : undefined;
  });
  return performance.now() - began;
}

async function quit(program: Program): Promise<void> {
  await program.write('{"type":"quit"}');
  const code = await program.ended;
  if (code !== 0) throw new Error(`the client ended with ${code}: ${program.errors.lines.join(" | ")}`);
}

function median(figures: readonly number[]): number {
  return figures.toSorted((a, b) => a - b)[Math.floor(figures.length / 2)] ?? NaN;
}

if (import.meta.main) Deno.exit(await main());
