/**
 * A program that races another one: opens ann's store in a folder, says `ready`, and at the first line of its standard
 * input keeps entries of one room and queues messages, as fast as it can; then says `done`.
 *
 *     local_racer.ts FOLDER NUMBER COUNT
 *
 * @module
 */

import { localStoreKeeper } from "../../lib/store/local_database.ts";
import { utf8 } from "../../lib/wire/bytes.ts";
import type { Logged } from "../../lib/wire/message.ts";
import { provider } from "../crypto/test_provider.ts";
import { ANN } from "../identity/people.ts";

const [configDir = "", number = "", count = ""] = Deno.args;

const entropy = (length: number) => crypto.getRandomValues(new Uint8Array(length));
const keeper = localStoreKeeper({ provider, entropy }, { configDir, hostKeySha256: new Uint8Array(32) });
const store = await keeper.open(ANN);
console.log("ready");
await Deno.stdin.read(new Uint8Array(1));

const room = new Uint8Array(16).fill(1);
const content = { salt: new Uint8Array(32), body: utf8("a line") };
for (let sequence = 1; sequence <= Number(count); sequence++) {
  const hash = new Uint8Array(32).fill(sequence);
  const id = new Uint8Array(16).fill(sequence);
  const place = { sequence, hash };
  const entry: Logged = {
    sequence,
    time: sequence,
    previous: new Uint8Array(32),
    id,
    kind: "text",
    device: new Uint8Array(32),
    seen: place,
    digest: new Uint8Array(32),
    signature: new Uint8Array(64),
    content,
  };
  await store.keep({
    room,
    label: "#tea",
    base: { sequence: 0, hash: new Uint8Array(32) },
    head: place,
    read: sequence,
    flaws: [],
    knowledge: {
      headTime: sequence,
      served: 0,
      gap: undefined,
      retention: undefined,
      whole: true,
      roles: new Map(),
      awaited: [],
      left: false,
      claims: [],
    },
  }, [{ entry, hash, doubt: undefined, deviceName: undefined }]);
  const own = new Uint8Array(16).fill(sequence);
  own[0] = Number(number);
  await store.queue({
    room,
    draft: { id: own, kind: "text", content },
    signed: undefined,
    refused: undefined,
  });
}
store.close();
console.log("done");
