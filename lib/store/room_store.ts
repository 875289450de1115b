/**
 * What a server keeps of rooms: their logs and files, on one database and one key.
 *
 * @module
 */

import type { FileStore } from "../chat/file_port.ts";
import type { LogStore } from "../chat/log_port.ts";
import type { Entropy, Provider } from "../crypto/port.ts";
import type { RoomState } from "../chat/room.ts";
import { refuseHalfRestored } from "./backup.ts";
import { openFileFolder } from "./file_folder.ts";
import { LogDatabase, type RestoredRoom } from "./log_database.ts";
import { isThere } from "./private_file.ts";
import type { RestKeyPlace } from "./rest_key_file.ts";
import { openRoomsFile, ROOMS_FILE } from "./rooms_file.ts";

/** The rooms of a server, on disk. */
export interface RoomStore {
  /** Their logs. */
  readonly log: LogStore;
  /** Their files. */
  readonly files: FileStore;
  /**
   * The rooms that came out of a backup and do not say so yet. A room does once a notice of the server's own was
   * appended to it, which is to be the first that is done with it.
   */
  restored(): Promise<readonly RestoredRoom[]>;
  /** Ends its use; afterwards no other method may be called. */
  close(): void;
}

/**
 * Opens the rooms in a data folder; folder, database and key are made where they are missing. How long that takes does
 * not depend on how long the logs are. Only one program at a time may have them open, but for backup and doctor.
 *
 * Throws a {@linkcode Failure}: `cannotCreate` where something cannot be made or written, `config` where others can
 * reach a file, a newer release has written it or the key is another, `noInput` where the key is missing, `data` where
 * something is damaged, `temporary` where another program keeps the database locked.
 */
export async function openRoomStore(
  place: RestKeyPlace,
  parts: { readonly provider: Provider; readonly entropy: Entropy },
): Promise<RoomStore> {
  await refuseHalfRestored(place.dataDir);
  const file = await openRoomsFile(place, parts);
  try {
    const log = new LogDatabase(file, parts.entropy);
    const files = await openFileFolder(place.dataDir, file, parts);
    return {
      log,
      files,
      restored: () => log.restored(),
      close: () => file.database.close(),
    };
  } catch (error) {
    file.database.close();
    throw error;
  }
}

/**
 * The rooms in a data folder on which no server runs; none where none has run there since there are rooms. Throws as
 * {@linkcode openRoomStore}.
 */
export async function roomsOnDisk(
  place: RestKeyPlace,
  parts: { readonly provider: Provider; readonly entropy: Entropy },
): Promise<readonly RoomState[]> {
  await refuseHalfRestored(place.dataDir);
  // To open it would make it, and a key of its own.
  if (!await isThere(`${place.dataDir}/${ROOMS_FILE}`)) return [];
  const file = await openRoomsFile(place, parts);
  try {
    return await new LogDatabase(file, parts.entropy).rooms();
  } finally {
    file.database.close();
  }
}
