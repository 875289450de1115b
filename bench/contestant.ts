/**
 * A server with its clients, whoever made it: all are told to speak in the same way, and what that costs each is read in
 * the same way.
 *
 * @module
 */

import { House, type Household } from "./house.ts";
import { Load } from "./load.ts";
import { encodeCast } from "./member.ts";
import { makeCertificate, type Peer, type RunningPeer } from "./peer_server.ts";
import { cpuSeconds } from "./process_meter.ts";
import type { Stage } from "./scenario.ts";
import { ServerProgram } from "./server_program.ts";

/** How many come at once: below what one address may have half open (lib/session/admission.ts). */
export const GROUP = 200;

/** How long all have to say something. */
export interface Talk {
  /** How many speak, each one thing behind the other. */
  readonly senders: number;
  /** How many messages each has under way. */
  readonly window: number;
  /** For how long. */
  readonly ms: number;
  /** How many a second, all together, where not as many as can be. */
  readonly perSecond?: number;
}

/** What came of it. */
export interface TalkFigures {
  /** How much was said. */
  readonly said: number;
  /** How much was heard, by all. */
  readonly heard: number;
  /** What the server has used meanwhile. */
  readonly cpu_s: number;
  /** From the first word to the last acknowledgement. */
  readonly elapsed_ms: number;
  /** From saying to hearing, of those who heard it in the speaker's process. */
  readonly delays: readonly number[];
}

/** A server with all its clients in one room. */
export class Contestant {
  /** What tables call it. */
  readonly name: string;
  /** The system's number of its process. */
  readonly pid: number;
  readonly #room: string;
  readonly #loads: readonly Load[];
  readonly #members: number;
  /** How many of them the first load plays: they speak. */
  readonly #speakers: number;
  readonly #kill: () => Promise<void>;

  constructor(
    { name, pid, kill }: {
      readonly name: string;
      readonly pid: number;
      readonly kill: () => Promise<void>;
    },
    { room, loads, members, speakers }: {
      readonly room: string;
      readonly loads: readonly Load[];
      readonly members: number;
      readonly speakers: number;
    },
  ) {
    this.name = name;
    this.pid = pid;
    this.#kill = kill;
    this.#room = room;
    this.#loads = loads;
    this.#members = members;
    this.#speakers = speakers;
  }

  /** Has some speak, and waits until all have heard it. Rejects where anybody did not hear what they should have. */
  async talk({ senders, window, ms, perSecond }: Talk): Promise<TalkFigures> {
    const [first] = this.#loads;
    if (first === undefined) throw new Error(`nobody speaks to ${this.name}`);
    const seats = Array.from({ length: senders }, (_, seat) => ({
      room: this.#room,
      members: Array.from({ length: this.#speakers }, (_, at) => at).filter((at) => at % senders === seat),
    }));
    const before = await cpuSeconds(this.pid);
    const said = await first.order({
      order: "say",
      seats,
      window,
      ms,
      ...(perSecond === undefined ? {} : { perSecond }),
    });
    const sequence = said.sequence ?? 0;
    const heard = await Promise.all(
      this.#loads.map((load) => load.order({ order: "hear", room: this.#room, sequence })),
    );
    const cpu_s = await cpuSeconds(this.pid) - before;
    const count = heard.reduce((sum, each) => sum + each.count, 0);
    if (count !== said.count * (this.#members - 1)) {
      throw new Error(`${this.name}: ${count} of ${said.count} to ${this.#members - 1} were heard`);
    }
    if (new Set(heard.map(({ hash }) => hash)).size !== 1) {
      throw new Error(`${this.name}: processes heard different logs`);
    }
    return {
      said: said.count,
      heard: count,
      cpu_s,
      elapsed_ms: said.ms,
      delays: heard.flatMap(({ delays }) => delays ?? []),
    };
  }

  /** Ends it with all its clients. */
  async end(): Promise<void> {
    await Promise.all(this.#loads.map((load) => load.kill()));
    await this.#kill();
  }
}

/** A Sotto server with its house. */
export interface Sotto {
  /** Its data. */
  readonly house: House;
  /** Itself. */
  readonly server: ServerProgram;
  /** A new process of clients, who are nowhere yet. */
  readonly load: () => Load;
}

/** Builds a house in a folder called `name`, has `furnish` put something in, and opens it. */
export async function openSotto<Furniture>(
  stage: Stage,
  name: string,
  { connections, furnish, ...household }: Household & {
    /** How many may connect, where some accounts have more than one connection. */
    readonly connections?: number;
    readonly furnish: (house: House) => Promise<Furniture>;
  },
): Promise<Sotto & { readonly furniture: Furniture }> {
  const folder = `${stage.folder}/${name}`;
  const house = await House.build(`${folder}/server`, household, stage.provider);
  const furniture = await furnish(house);
  const server = await ServerProgram.start(house.dataDir, stage.form);
  const { host, port } = server;
  const { hostKey, residents } = house;
  const members = Array.from(
    { length: connections ?? residents.length },
    (_, at) => residents.slice(at % residents.length).slice(0, 1),
  ).flat();
  const file = `${folder}/cast.json`;
  await Deno.writeTextFile(file, encodeCast({ host, port, hostKey, members }), { mode: 0o600 });
  return {
    house,
    server,
    furniture,
    load: () => Load.start("bench/load_sotto.ts", [file], stage.folder),
  };
}

/** How many clients each process plays, and in how many turns they come: so mixed, they are mixed in what a server does. */
export interface Crowd {
  /** The processes. The first one speaks. */
  readonly shares: readonly number[];
  /** 1, where it does not matter. */
  readonly turns?: number;
}

/** A Sotto server with one room of `accounts`, to which all connections come: some accounts have two where they are more. */
export async function sottoContestant(
  stage: Stage,
  { accounts, ...crowd }: Crowd & { readonly accounts: number },
): Promise<Contestant> {
  const connections = sizeOf(crowd);
  const sotto = await openSotto(stage, `sotto-${connections}`, {
    accounts,
    connections,
    furnish: async (house) => (await house.furnish([{ from: 0, to: accounts }]))[0] ?? "",
  });
  return await crowdIn(sotto, sotto.furniture, { accounts, ...crowd });
}

/** A Sotto server whose first `accounts` are members of `room`, to which they come. */
export async function crowdIn(
  { server, load }: Sotto,
  room: string,
  { accounts, ...crowd }: Crowd & { readonly accounts: number },
): Promise<Contestant> {
  const members = sizeOf(crowd);
  const loads = crowd.shares.map(() => load());
  const contestant = new Contestant({ name: "sotto", pid: server.pid, kill: () => server.kill() }, {
    room,
    loads,
    members,
    speakers: Math.min(crowd.shares[0] ?? 0, accounts),
  });
  return await withAllThere(contestant, crowd, { loads, room });
}

/** A peer with all these connections; `undefined` where it is not installed. */
export async function peerContestant(
  stage: Stage,
  peer: Peer,
  crowd: Crowd,
): Promise<Contestant | undefined> {
  const running = await startPeer(stage, peer);
  if (running === undefined) return undefined;
  const loads = crowd.shares.map(() => running.load());
  const [speakers = 0] = crowd.shares;
  const contestant = new Contestant({ name: peer.name, ...running }, {
    room: "",
    loads,
    members: sizeOf(crowd),
    speakers,
  });
  return await withAllThere(contestant, crowd, { loads });
}

/** A peer without connections; `undefined` where it is not installed. */
export async function startPeer(
  stage: Stage,
  peer: Peer,
): Promise<(RunningPeer & { readonly load: () => Load }) | undefined> {
  const folder = `${stage.folder}/peers`;
  await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
  const certificate = await makeCertificate(folder);
  const running = await peer.start(folder);
  if (running === undefined) {
    stage.note(`${peer.name} is not installed, and left out`);
    return undefined;
  }
  const tls = peer.tls ? [certificate.path, certificate.name] : [];
  const args = [peer.dialect, String(running.port), ...tls];
  return { ...running, load: () => Load.start("bench/load_lines.ts", args, stage.folder) };
}

function sizeOf({ shares }: Crowd): number {
  return shares.reduce((sum, each) => sum + each, 0);
}

/** The places of each process stand together, whatever the order in which they come. */
async function withAllThere(
  contestant: Contestant,
  { shares, turns = 1 }: Crowd,
  { loads, room }: { readonly loads: readonly Load[]; readonly room?: string },
): Promise<Contestant> {
  try {
    for (let turn = 0; turn < turns; turn++) {
      let first = 0;
      for (const [at, share] of shares.entries()) {
        const [from, to] = [turn, turn + 1].map((each) => first + Math.floor(share * each / turns));
        first += share;
        await loads[at]?.order({
          order: "come",
          from: from ?? 0,
          to: to ?? 0,
          atOnce: GROUP,
          ...(room === undefined ? {} : { room }),
        });
      }
    }
    return contestant;
  } catch (error) {
    await contestant.end();
    throw error;
  }
}
