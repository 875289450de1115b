/**
 * How often passwords may be tried, and names be asked for: counts, per account and per address, that grow
 * with every try and are forgiven with time. A wrong password shows at the client alone (PROTOCOL §4), so each try counts
 * as a failure when it is answered, and is given back once it turns out right. Logins by a device's key do not
 * count: a stranger who uses up an account's tries does not keep its owner out.
 *
 * Names and addresses are free to make up, so that no table could hold them all, and one that forgot the least of them
 * would forget whom a guesser wants forgotten. Each therefore counts in a bucket, found by a hash under a key of this run,
 * so that nobody can tell who shares a bucket: nothing is ever evicted, and those who share one are only counted stricter.
 *
 * @module
 */

import type { Mac, Provider } from "../crypto/port.ts";
import { ByteReader, type Bytes, utf8 } from "../wire/bytes.ts";

/** Failures of one account: someone who has forgotten which of some passwords it was finds it within them. */
export const ACCOUNT_FAILURES_MAX = 10;

/** Failures of one address: people behind one router who log in at once; a guesser has as many for all accounts. */
export const ADDRESS_FAILURES_MAX = 50;

/**
 * Registrations begun from one address that came to no login: a class behind one router, of whom each asks whether a name
 * is free, types the password again and asks once more. Each is one evaluation of a name's OPRF, for whoever would try
 * passwords before that name is somebody's, and tells whether the name is free.
 */
export const ADDRESS_REGISTRATIONS_MAX = 100;

/**
 * A /48 of IPv6 counts as so many addresses at most: a site of some houses, while whoever rents one has 65,536 addresses
 * (/64) in it.
 */
export const SITE_ADDRESSES_MAX = 8;

/** One failure is forgiven in this time: 1,440 guesses a day at an account, each of which costs Argon2id. */
export const FORGIVEN_MS = 60_000;

/**
 * Buckets of accounts, half a mebibyte: an account shares that of one under attack once in 65,536 times. To keep all of
 * them full takes 1,092 failures a second from 65,536 addresses, each of which may fail once a minute.
 */
const ACCOUNT_BUCKETS = 65_536;

/**
 * Buckets of addresses, an eighth of a mebibyte for each thing counted: someone shares that of one of a thousand
 * addresses which have all used up theirs once in 17 times, and still gets in by a device.
 */
const ADDRESS_BUCKETS = 16_384;

/** Who tries a password. */
export interface Guesser {
  /** The account, as it was named, whether or not there is one. */
  readonly handle: string;
  /** The group of addresses that one customer of a provider commands, by `addressGroup` of lib/chat/address_group.ts. */
  readonly address: string;
}

/** A try that was counted, to be given back by {@linkcode BackOff.giveBack}. */
export type Counted = readonly Place[];

/** Where a failure counts. */
interface Place {
  readonly table: Table;
  readonly bucket: number;
}

/** The failures of one kind. */
interface Table {
  /** Part of what is hashed: who shares a bucket here does not elsewhere. */
  readonly name: string;
  /** How many a bucket takes. */
  readonly failuresMax: number;
  /**
   * By bucket the moment at which all of its failures are forgiven: as many of {@linkcode FORGIVEN_MS} away as there are
   * failures.
   */
  readonly forgiven: Float64Array;
}

/** What is counted of addresses: alone, and in IPv6 for the site that they are of. */
interface AddressTables {
  readonly addresses: Table;
  readonly sites: Table;
}

/**
 * What one run of a server remembers of failures. Every `now` is in milliseconds, of one clock for all calls. Where that
 * jumps back, nobody waits longer than from the full number of failures.
 */
export class BackOff {
  readonly #mac: Promise<Mac>;
  readonly #accounts = table("account", ACCOUNT_FAILURES_MAX, ACCOUNT_BUCKETS);
  readonly #passwords = addressTables("password", ADDRESS_FAILURES_MAX);
  readonly #registrations = addressTables("registration", ADDRESS_REGISTRATIONS_MAX);

  /** Nothing has failed. `key` is secret and random, 32 octets of this run. */
  constructor(provider: Provider, key: Bytes) {
    this.#mac = provider.hmacSha512(key);
  }

  /**
   * Counts a password tried at the moment `now` as a failure, until it is given back; `undefined` where it may not be tried.
   * What is refused does not count: otherwise whoever goes on trying would never be forgiven.
   */
  async attempt({ handle, address }: Guesser, now: number): Promise<Counted | undefined> {
    return counted([
      await this.#place(this.#accounts, handle),
      ...await this.#addressPlaces(this.#passwords, address),
    ], now);
  }

  /** Counts a registration begun, apart from logins, as {@linkcode attempt} does. */
  async attemptRegistration(address: string, now: number): Promise<Counted | undefined> {
    return counted(await this.#addressPlaces(this.#registrations, address), now);
  }

  /** Takes the count back of a try that turned out right; to be called once for each. */
  giveBack(places: Counted): void {
    for (const { table: { forgiven }, bucket } of places) {
      forgiven[bucket] = (forgiven[bucket] ?? 0) - FORGIVEN_MS;
    }
  }

  async #addressPlaces({ addresses, sites }: AddressTables, address: string): Promise<readonly Place[]> {
    const site = siteOf(address);
    const place = await this.#place(addresses, address);
    return site === undefined ? [place] : [place, await this.#place(sites, site)];
  }

  async #place(table: Table, key: string): Promise<Place> {
    // Two octets are as many values as the most buckets, and a multiple of the fewer.
    const tag = await (await this.#mac).sign(utf8(`${table.name} ${key}`));
    return { table, bucket: new ByteReader(tag).u16() % table.forgiven.length };
  }
}

function table(name: string, failuresMax: number, buckets: number): Table {
  return { name, failuresMax, forgiven: new Float64Array(buckets) };
}

function addressTables(name: string, failuresMax: number): AddressTables {
  return {
    addresses: table(`${name} address`, failuresMax, ADDRESS_BUCKETS),
    sites: table(`${name} site`, SITE_ADDRESSES_MAX * failuresMax, ADDRESS_BUCKETS),
  };
}

/** One more failure at each of the places, or at none; in one turn, so that tries at the same moment count as many. */
function counted(places: readonly Place[], now: number): Counted | undefined {
  const allowed = places.every((place) => forgivenAt(place, now) <= latest(place, now) - FORGIVEN_MS);
  for (const place of places) {
    place.table.forgiven[place.bucket] = forgivenAt(place, now) + (allowed ? FORGIVEN_MS : 0);
  }
  return allowed ? places : undefined;
}

/** When all is forgiven; no later than the full number, whatever was noted before the clock jumped back. */
function forgivenAt(place: Place, now: number): number {
  return Math.max(now, Math.min(place.table.forgiven[place.bucket] ?? now, latest(place, now)));
}

/** When the full number of failures is forgiven. */
function latest({ table }: Place, now: number): number {
  return now + table.failuresMax * FORGIVEN_MS;
}

/** The /48 of a /64 of IPv6; `undefined` for an address of IPv4. */
function siteOf(address: string): string | undefined {
  return /^([0-9a-f]+:[0-9a-f]+:[0-9a-f]+):[0-9a-f]+::\/64$/.exec(address)?.[1];
}
