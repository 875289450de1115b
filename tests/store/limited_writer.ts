/**
 * A program that writes to a disk that takes no more at some point: adds pieces to a file, and entries to a room, until
 * each is refused twice in a row, and prints how many were taken, and the sentence of the refusal. In between it prints
 * how much of the file is durable.
 *
 *     limited_writer.ts FOLDER
 *
 * @module
 */

import { systemEntropy } from "../../lib/crypto/entropy.ts";
import { Failure } from "../../lib/text/failure.ts";
import { FILE_CHUNK_BYTES } from "../../lib/wire/limits.ts";
import { ANN, NOW, octets, openRooms, SpokenRoom } from "./spoken_room.ts";

/** More than the disk takes. */
const TRIES = 1_000;

const [folder = ""] = Deno.args;
const { log, files, close } = await openRooms(folder);
const room = new SpokenRoom(1);
const id = octets(16, 1);
const size = TRIES * FILE_CHUNK_BYTES;
await files.begin({ id, room: id, owner: ANN, size, sha256: octets(32, 0), begun: NOW });
await tell((at) => files.write(id, at * FILE_CHUNK_BYTES, systemEntropy(FILE_CHUNK_BYTES)));
console.log(await files.flush(id));
await tell(async () => {
  const before = room.state;
  try {
    await log.change([room.say("x".repeat(4_000))]);
  } catch (error) {
    room.state = before;
    room.entries.pop();
    throw error;
  }
});
close();

/** Does it until it is refused twice in a row. */
async function tell(work: (at: number) => Promise<void>): Promise<void> {
  const sentences: string[] = [];
  let taken = 0;
  for (; taken < TRIES && sentences.length < 2;) {
    try {
      await work(taken);
      taken += 1;
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      sentences.push(error.message);
    }
  }
  console.log(taken);
  console.log(new Set(sentences).size === 1 ? sentences[0] : sentences);
}
