/**
 * The logins of recorded sessions: what both ends say in them and do next. The messages have the sizes of real ones; what
 * a channel makes of them does not depend on what they mean.
 *
 * @module
 */

import type { Channel, ChannelEvent, Received } from "../../lib/secure/channel.ts";
import type { Link, LinkEvent } from "../../lib/secure/link.ts";
import { type Role } from "../../lib/secure/login_message.ts";
import { type Bytes, concat, equal, lengthPrefixed, u16, u8, utf8 } from "../../lib/wire/bytes.ts";
import { FRAME_HEADER_BYTES } from "../../lib/wire/limits.ts";
import { seededEntropy } from "./seeded_entropy.ts";
import { LOGIN_TYPES, type LoginName } from "../../lib/wire/login_type.ts";

/** How somebody logs in: by password, after a registration that is refused, so that keys are mixed; or by a device's key. */
export type LoginWay = "password" | "device";

const filler = seededEntropy("sotto golden login");
const ANN = lengthPrefixed(utf8("ann"));

/** What is said in recorded logins, header included. */
export const LOGIN_SAID = {
  RegisterStart: loginMessage("RegisterStart", ANN, lengthPrefixed(filler(16)), filler(32)),
  Refused: loginMessage("Refused", u8(5)),
  LoginStart: loginMessage("LoginStart", ANN, filler(96)),
  LoginReply: loginMessage("LoginReply", filler(320)),
  LoginFinish: loginMessage("LoginFinish", filler(64)),
  DeviceLogin: loginMessage("DeviceLogin", ANN, filler(32), filler(64)),
} as const;

/** The key that both ends of a recorded password login come to. */
export const SESSION_KEY: Bytes = filler(64);

/** One message of a login. */
export function loginMessage(name: LoginName, ...fields: readonly Bytes[]): Bytes {
  const body = concat(...fields);
  return concat(u8(LOGIN_TYPES[name]), u16(body.length), body);
}

/** What an end does after an event: it says something or not, and reads on in one of four ways. */
interface Move {
  readonly say: Bytes | undefined;
  readonly then: "continue" | "expectVerdict" | "admit" | "mix";
}

function firstMove(way: LoginWay): Move {
  return way === "password"
    ? { say: LOGIN_SAID.RegisterStart, then: "continue" }
    : { say: LOGIN_SAID.DeviceLogin, then: "expectVerdict" };
}

/** What follows each message where it is said as in the session; anything else ends the login without a word. */
const NEXT: readonly (readonly [Bytes, Move])[] = [
  [LOGIN_SAID.RegisterStart, { say: LOGIN_SAID.Refused, then: "continue" }],
  [LOGIN_SAID.Refused, { say: LOGIN_SAID.LoginStart, then: "continue" }],
  [LOGIN_SAID.LoginStart, { say: LOGIN_SAID.LoginReply, then: "continue" }],
  [LOGIN_SAID.LoginReply, { say: LOGIN_SAID.LoginFinish, then: "mix" }],
  [LOGIN_SAID.LoginFinish, { say: undefined, then: "mix" }],
  [LOGIN_SAID.DeviceLogin, { say: undefined, then: "admit" }],
];

function moveAfter(event: ChannelEvent | undefined, role: Role, way: LoginWay): Move | undefined {
  if (event?.kind === "established") return role === "client" ? firstMove(way) : undefined;
  if (event?.kind !== "login") return undefined;
  return NEXT.find(([said]) => equal(said, event.message.bytes))?.[1];
}

/** A channel whose owner logs in, or lets in, as in the session. */
export class PlayedEnd {
  /** The channel. */
  readonly channel: Channel;

  readonly #role: Role;
  readonly #way: LoginWay;
  /** Octets up to the end of the frame under way, for a client that is not established; then undefined. */
  #frame: { header: Bytes; missing: number } | undefined;

  /** The end of a session that goes on by the login `way`. */
  constructor(channel: Channel, role: Role, way: LoginWay) {
    this.channel = channel;
    this.#role = role;
    this.#way = way;
    this.#frame = role === "client" ? { header: new Uint8Array(0), missing: FRAME_HEADER_BYTES } : undefined;
  }

  /** Takes bytes, and does what they ask for: all events, and all there is to write. */
  async receive(bytes: Bytes): Promise<Received> {
    const events: ChannelEvent[] = [];
    const replies: Bytes[] = [];
    for (let rest = bytes; rest.length > 0;) {
      const chunk = this.#nextChunk(rest);
      rest = rest.subarray(chunk.length);
      let received: Received | undefined = await this.channel.receive(chunk);
      while (received !== undefined) {
        events.push(...received.events);
        replies.push(received.reply);
        const last: ChannelEvent | undefined = received.events.at(-1);
        if (last?.kind === "established") this.#frame = undefined;
        const move = moveAfter(last, this.#role, this.#way);
        if (move?.say !== undefined) replies.push(await this.channel.sendLogin(move.say));
        received = move && await decide(this.channel, move.then);
      }
    }
    return { events, reply: concat(...replies) };
  }

  /** A server cannot answer before it was asked, so a recorded client must have asked before it reads the answer. */
  #nextChunk(bytes: Bytes): Bytes {
    if (this.#frame === undefined) return bytes;
    const chunk = bytes.subarray(0, this.#frame.missing);
    const missing = this.#frame.missing - chunk.length;
    const header = concat(this.#frame.header, chunk).slice(0, FRAME_HEADER_BYTES);
    if (missing > 0) this.#frame = { header, missing };
    else if (this.#frame.header.length < FRAME_HEADER_BYTES) {
      const [high = 0, low = 0] = header;
      this.#frame = { header, missing: Math.max(1, high * 256 + low) };
    } else this.#frame = { header: new Uint8Array(0), missing: FRAME_HEADER_BYTES };
    return chunk;
  }
}

function decide(channel: Channel, how: Move["then"]): Promise<Received> {
  switch (how) {
    case "continue":
      return channel.continueLogin();
    case "expectVerdict":
      return channel.expectVerdict();
    case "admit":
      return channel.admit();
    case "mix":
      return channel.mix(SESSION_KEY);
  }
}

/** A link's bytes taken, and what they ask for done as in the session: all events but the login's own. */
export async function receiveAndLogIn(
  link: Link,
  bytes: Bytes,
  { role, way, now }: { role: Role; way: LoginWay; now: number },
): Promise<readonly LinkEvent[]> {
  const events: LinkEvent[] = [];
  let received: readonly LinkEvent[] | undefined = await link.receive(bytes, now);
  while (received !== undefined) {
    events.push(...received.filter(({ kind }) => kind !== "login"));
    const move = moveAfter(received.at(-1), role, way);
    if (move?.say !== undefined) await link.sendLogin(move.say);
    received = move && await decideOnLink(link, move.then, now);
  }
  return events;
}

function decideOnLink(link: Link, how: Move["then"], now: number): Promise<readonly LinkEvent[]> {
  switch (how) {
    case "continue":
      return link.continueLogin(now);
    case "expectVerdict":
      return link.expectVerdict(now);
    case "admit":
      return link.admit(now);
    case "mix":
      return link.mix(SESSION_KEY, now);
  }
}
