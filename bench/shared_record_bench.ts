import { nodeProvider } from "../lib/crypto/node_provider.ts";
import { systemEntropy } from "../lib/crypto/entropy.ts";
import { AES_KEY_BYTES, SHA512_BYTES } from "../lib/crypto/port.ts";
import { Sealer } from "../lib/secure/record.ts";
import { ROOM_KEY_ID_BYTES, shareMessages } from "../lib/secure/shared_record.ts";
import { encodeMessage } from "../lib/wire/message.ts";
import { entry, provider, room } from "./sample_log.ts";

const key = { room: room.id, id: systemEntropy(ROOM_KEY_ID_BYTES), key: systemEntropy(AES_KEY_BYTES) };
const message = encodeMessage({ type: "entry", room: room.id, entry });
const server = { provider: nodeProvider(provider), entropy: systemEntropy };

/** Records of so many entries. */
const COUNTS = [1, 16] as const;

/** Who hears them. */
const HEARERS = 100;

/** One direction of a connection. */
async function newSealer(): Promise<Sealer> {
  const secret = systemEntropy(SHA512_BYTES);
  const direction = { suite: "a256cbc-hs512", secret, epoch: 1, trace: () => {} } as const;
  return await Sealer.start(direction, server.provider, systemEntropy);
}

for (const count of COUNTS) {
  const messages = Array.from({ length: count }, () => message);
  Deno.bench(`encrypt ${count} for all`, { group: "share" }, () => {
    shareMessages(key, messages, server);
  });
  const { records } = shareMessages(key, messages, server);
  const hearers = await Promise.all(Array.from({ length: HEARERS }, newSealer));
  for (const sealer of hearers) await sealer.share(records);
  Deno.bench(`tag ${count} for ${HEARERS} who hear it`, { group: "tag" }, () => {
    for (const sealer of hearers) {
      if (sealer.shareNow(records) === undefined) throw new Error("it is shared at once");
    }
  });
}
