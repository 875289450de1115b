import { deepEqual, equal } from "node:assert/strict";
import { Conversation } from "../../lib/client/conversation.ts";
import type { ClientEvent } from "../../lib/client/event.ts";
import { systemEntropy } from "../../lib/crypto/entropy.ts";
import { chosenMlKem } from "../../lib/crypto/ml_kem_choice.ts";
import { webCryptoProvider } from "../../lib/crypto/webcrypto.ts";
import { LobbyExchange } from "../../lib/delivery/exchange.ts";
import { Link } from "../../lib/secure/link.ts";
import { Session } from "../../lib/session/session.ts";
import { parseHandle } from "../../lib/text/handle.ts";
import type { Bytes } from "../../lib/wire/bytes.ts";
import { test } from "../sanitized.ts";

const NOW = 1_000;
const now = (): number => NOW;

/** A conversation and the session at its other end, with the bytes between them carried by hand. */
async function pair(): Promise<{ conversation: Conversation; session: Session }> {
  const provider = webCryptoProvider(await chosenMlKem());
  const parts = { provider, entropy: systemEntropy, trace: () => {} };
  const hostKey = await provider.ed25519SigningKey(systemEntropy(32));
  const pin = { kind: "key", publicKey: hostKey.publicKey } as const;
  const clientLink = await Link.client({ suites: ["a256cbc-hs512"], psk: undefined, pin }, parts, NOW);
  const serverLink = Link.server({ suites: ["a256cbc-hs512"], psk: undefined, hostKey }, parts, NOW);
  const name = parseHandle("ann");
  if (name === undefined) throw new Error("Cannot test: ann is no handle");
  const clocks = { wallClock: now, clock: now };
  return {
    conversation: new Conversation(clientLink, { name, entropy: systemEntropy, ...clocks }),
    session: new Session(1, serverLink, { exchange: new LobbyExchange(now), now: NOW }),
  };
}

interface End {
  receive(bytes: Bytes, now: number): Promise<void>;
  nextWrite(now: () => number): Promise<Bytes | undefined>;
}

/** Carries the next write of one end to the other. */
async function carry(from: End, to: End): Promise<void> {
  const bytes = await from.nextWrite(now);
  if (bytes === undefined) throw new Error("Cannot carry bytes: there are none");
  await to.receive(bytes, NOW);
}

async function join(
  { conversation, session }: { conversation: Conversation; session: Session },
): Promise<void> {
  await carry(conversation, session);
  await carry(session, conversation);
  await carry(conversation, session);
  await carry(session, conversation);
  equal((await conversation.admission).kind, "admitted");
}

async function eventsToTheEnd(conversation: Conversation): Promise<readonly ClientEvent[]> {
  const events: ClientEvent[] = [];
  for (
    let event = await conversation.nextEvent();
    event !== undefined;
    event = await conversation.nextEvent()
  ) {
    events.push(event);
  }
  return events;
}

test("an acknowledgement that arrives together with the close counts", async () => {
  const { conversation, session } = await pair();
  await join({ conversation, session });
  await conversation.request({ type: "send", room: "#lobby", text: "last words" });
  await conversation.request({ type: "quit" });
  await carry(conversation, session);
  const acknowledgement = await session.nextWrite(now) ?? new Uint8Array(0);
  // The client asks for its next write once the last is written, as the pump does.
  const writing = conversation.nextWrite(now);
  await conversation.receive(acknowledgement, NOW);
  const kinds = (await eventsToTheEnd(conversation)).map((event) => event.type);
  deepEqual(kinds, ["state", "state", "presence", "message", "ack", "state"]);
  equal(conversation.unacknowledged, 0);
  equal(await writing, undefined);
  equal(await session.nextWrite(now), undefined);
});

test("what was sent and not acknowledged is named when the connection is lost", async () => {
  const { conversation, session } = await pair();
  await join({ conversation, session });
  await conversation.request({ type: "send", room: "#lobby", text: "into the void" });
  await conversation.nextWrite(now);
  conversation.lost();
  const events = await eventsToTheEnd(conversation);
  deepEqual(events.slice(-2).map((event) => event.type), ["unacknowledged", "state"]);
  equal(await conversation.request({ type: "send", room: "#lobby", text: "more" }) === undefined, false);
  session.lost();
  await session.ended;
});

test("a burst waits for its window and loses nothing", async () => {
  const { conversation, session } = await pair();
  await join({ conversation, session });
  const burst = 1_000;
  const sending = (async () => {
    for (let index = 0; index < burst; index++) {
      await conversation.request({ type: "send", room: "#lobby", text: `message ${index}` });
    }
    await conversation.request({ type: "quit" });
  })();
  const shown = eventsToTheEnd(conversation);
  const pumps = [flow(conversation, session), flow(session, conversation)];
  await sending;
  const acknowledged = (await shown).filter((event) => event.type === "ack");
  equal(acknowledged.length, burst);
  await Promise.all(pumps);
});

async function flow(from: End, to: End): Promise<void> {
  for (let bytes = await from.nextWrite(now); bytes !== undefined; bytes = await from.nextWrite(now)) {
    await to.receive(bytes, NOW);
  }
}
