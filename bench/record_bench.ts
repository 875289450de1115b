import { systemEntropy } from "../lib/crypto/entropy.ts";
import { SHA512_BYTES } from "../lib/crypto/port.ts";
import { packMessages } from "../lib/secure/message_pack.ts";
import { Opener, Sealer } from "../lib/secure/record.ts";
import { FRAME_HEADER_BYTES } from "../lib/wire/limits.ts";
import { encodeMessage } from "../lib/wire/message.ts";
import { entry, provider, room } from "./sample_log.ts";

const secret = systemEntropy(SHA512_BYTES);
const direction = { suite: "a256cbc-hs512", secret, epoch: 1, trace: () => {} } as const;
const message = encodeMessage({ type: "entry", room: room.id, entry });

/** Records of so many entries. */
const COUNTS = [1, 16] as const;

/** Calls that are under way at once: WebCrypto computes aside, and several at a time. */
const AT_ONCE = 16;

for (const count of COUNTS) {
  const [content] = packMessages(Array.from({ length: count }, () => message));
  if (content === undefined) throw new Error("what is packed is there");
  const sealer = await Sealer.start(direction, provider, systemEntropy);
  Deno.bench(`seal a record of ${count}`, { group: "seal" }, async () => {
    await sealer.seal("message", content);
  });
  const sealers = await Promise.all(
    Array.from({ length: AT_ONCE }, () => Sealer.start(direction, provider, systemEntropy)),
  );
  Deno.bench(`seal ${AT_ONCE} records of ${count}, at once`, { group: "seal" }, async () => {
    await Promise.all(sealers.map((each) => each.seal("message", content)));
  });
  const both = await Sealer.start(direction, provider, systemEntropy);
  const opener = await Opener.start(direction, provider);
  Deno.bench(`open a record of ${count}`, { group: "open" }, async (bench) => {
    const frame = await both.seal("message", content);
    bench.start();
    const opened = await opener.open(frame.subarray(FRAME_HEADER_BYTES));
    bench.end();
    if (opened === undefined) throw new Error("it opens");
  });
}
