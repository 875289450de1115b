import { deepEqual, rejects } from "node:assert/strict";
import { systemEntropy } from "../../lib/crypto/entropy.ts";
import { roomsOnDisk } from "../../lib/store/room_store.ts";
import { provider } from "../crypto/test_provider.ts";
import { openRooms, SpokenRoom } from "./spoken_room.ts";
import { folderTest, namesIn } from "./temporary_folder.ts";

const PARTS = { provider, entropy: systemEntropy };

folderTest("rooms are read of files, and where there are none nothing is made", async (folder) => {
  const place = { dataDir: folder, keyFile: undefined };
  deepEqual(await roomsOnDisk(place, PARTS), []);
  deepEqual(await namesIn(folder), []);
  const store = await openRooms(folder);
  const room = new SpokenRoom(1);
  await store.log.change([room.say("hello")]);
  store.close();
  deepEqual(await roomsOnDisk(place, PARTS), [room.state]);
  await rejects(roomsOnDisk({ ...place, keyFile: `${folder}/other.key` }, PARTS), { exit: "noInput" });
});
