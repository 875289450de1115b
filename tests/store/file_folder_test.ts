import { deepEqual, equal, rejects } from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import type { FileStore, KeptFile } from "../../lib/chat/file_port.ts";
import { systemEntropy } from "../../lib/crypto/entropy.ts";
import { sealedBytes } from "../../lib/store/file_folder.ts";
import type { RoomStore } from "../../lib/store/room_store.ts";
import { type Bytes, concat } from "../../lib/wire/bytes.ts";
import { FILE_CHUNK_BYTES } from "../../lib/wire/limits.ts";
import { provider } from "../crypto/test_provider.ts";
import { ANN, BEN, NOW, octets, openRooms } from "./spoken_room.ts";
import { folderTest, modeOf, namesIn } from "./temporary_folder.ts";

const ROOM = octets(16, 1);
const ID = octets(16, 0xab);
const NAME = "ab".repeat(16);

folderTest("a file of any size is kept piece by piece, and read so", async (folder) => {
  const sizes = [
    0,
    1,
    15,
    16,
    17,
    FILE_CHUNK_BYTES - 1,
    FILE_CHUNK_BYTES,
    FILE_CHUNK_BYTES + 1,
    40_000,
    600_000,
  ];
  for (const [mark, size] of sizes.entries()) {
    const id = octets(16, mark);
    const content = systemEntropy(size);
    await withFiles(folder, async (files) => {
      await begun(files, content, { id });
      await putAll(files, id, content);
      equal(await files.flush(id), size);
      equal((await files.find(id))?.done, false);
      equal(await files.finish(id), true);
    });
    await withFiles(folder, async (files) => {
      equal((await files.find(id))?.done, true);
      deepEqual(await contentOf(files, id), content);
      equal(await files.read(id, Math.ceil(size / FILE_CHUNK_BYTES) * FILE_CHUNK_BYTES), undefined);
      equal(await files.read(id, 1), undefined);
    });
    const path = `${folder}/files/${id.toHex()}`;
    equal((await Deno.stat(path)).size, sealedBytes(size), `${size}`);
    equal(await modeOf(path), 0o600);
  }
  equal(await modeOf(`${folder}/files`), 0o700);
});

folderTest("what is known of a file is kept", async (folder) => {
  const content = systemEntropy(20_000);
  const file = fileOf(content, {});
  await withFiles(folder, async (files) => {
    deepEqual(await files.begin(file), { ...file, have: 0, done: false });
    await rejects(files.begin(file), RangeError);
    equal(await files.find(octets(16, 9)), undefined);
  });
  await withFiles(
    folder,
    async (files) => deepEqual(await files.find(ID), { ...file, have: 0, done: false }),
  );
});

folderTest("after a crash a file goes on from what was durable", async (folder) => {
  const content = systemEntropy(5 * FILE_CHUNK_BYTES + 7);
  await withFiles(folder, async (files) => {
    await begun(files, content);
    for (const at of [0, 1, 2]) await put(files, content, at);
    equal(await files.flush(ID), 3 * FILE_CHUNK_BYTES);
    await put(files, content, 3);
  });
  await withFiles(folder, async (files) => {
    equal((await files.find(ID))?.have, 3 * FILE_CHUNK_BYTES);
    equal(await files.flush(ID), 3 * FILE_CHUNK_BYTES);
    await rejects(put(files, content, 4), RangeError);
    await Promise.all([3, 4, 5].map((at) => put(files, content, at)));
    equal(await files.finish(ID), true);
    deepEqual(await contentOf(files, ID), content);
  });
});

folderTest("a piece is taken in its turn alone, and whole", async (folder) => {
  const content = systemEntropy(2 * FILE_CHUNK_BYTES + 7);
  await withFiles(folder, async (files) => {
    await begun(files, content);
    await rejects(put(files, content, 1), RangeError);
    await rejects(files.write(ID, 0, content.slice(0, 100)), RangeError);
    await rejects(files.write(ID, 0, content.slice(0, FILE_CHUNK_BYTES + 1)), RangeError);
    await rejects(files.finish(ID), RangeError);
    await Promise.all([0, 1].map((at) => put(files, content, at)));
    await rejects(put(files, content, 0), RangeError);
    await rejects(files.write(ID, 2 * FILE_CHUNK_BYTES, systemEntropy(8)), RangeError);
    await put(files, content, 2);
    equal(await files.read(ID, 0), undefined, "nobody reads what is not whole");
    equal(await files.finish(ID), true);
    await rejects(files.write(ID, content.length, systemEntropy(1)), RangeError);
    await rejects(files.write(octets(16, 9), 0, content), RangeError);
  });
});

folderTest("a file of another hash is thrown away", async (folder) => {
  const content = systemEntropy(20_000);
  await withFiles(folder, async (files) => {
    await files.begin({ ...fileOf(content, {}), sha256: octets(32, 7) });
    await putAll(files, ID, content);
    equal(await files.finish(ID), false);
    equal(await files.find(ID), undefined);
    deepEqual(await namesIn(`${folder}/files`), []);
    await begun(files, content);
    equal((await files.find(ID))?.have, 0);
  });
});

folderTest("attack 42: a piece changed, swapped, cut or of another file is not read", async (folder) => {
  const content = systemEntropy(5 * FILE_CHUNK_BYTES);
  const other = octets(16, 2);
  const path = `${folder}/files/${NAME}`;
  await withFiles(folder, async (files) => {
    for (const id of [ID, other]) {
      await begun(files, content, { id });
      await putAll(files, id, content);
      equal(await files.finish(id), true);
    }
    const [mine, theirs] = [
      await Deno.readFile(path),
      await Deno.readFile(`${folder}/files/${other.toHex()}`),
    ];
    const piece = (from: Bytes, at: number): Bytes =>
      from.slice(at * sealedBytes(FILE_CHUNK_BYTES)).slice(
        0,
        sealedBytes(FILE_CHUNK_BYTES),
      );
    const changed = piece(mine, 0);
    changed[1_000] = (changed[1_000] ?? 0) ^ 1;
    await Deno.writeFile(
      path,
      concat(changed, piece(mine, 2), piece(theirs, 2), piece(mine, 3), piece(mine, 4).slice(0, -1)),
    );
    const readable = [];
    for (const at of [0, 1, 2, 3, 4]) {
      readable.push(await files.read(ID, at * FILE_CHUNK_BYTES) !== undefined);
    }
    deepEqual(readable, [false, false, false, true, false]);
    await Deno.remove(path);
    equal(await files.read(ID, 0), undefined);
    deepEqual(await contentOf(files, other), content);
  });
});

folderTest("attack 42: a row that is changed while its file is in use opens no more", async (folder) => {
  const content = systemEntropy(2 * FILE_CHUNK_BYTES);
  await withFiles(folder, async (files) => {
    await begun(files, content);
    await putAll(files, ID, content);
    equal(await files.finish(ID), true);
    equal(await files.read(ID, 0) !== undefined, true);
    const database = new DatabaseSync(`${folder}/rooms.db`);
    database.exec("UPDATE files SET sealed = zeroblob(length(sealed))");
    database.close();
    equal(await files.find(ID), undefined);
    equal(await files.read(ID, 0), undefined);
  });
});

folderTest("a file that was changed while it came is thrown away", async (folder) => {
  const content = systemEntropy(3 * FILE_CHUNK_BYTES);
  await withFiles(folder, async (files) => {
    await begun(files, content);
    await putAll(files, ID, content);
    using opened = await Deno.open(`${folder}/files/${NAME}`, { write: true });
    await opened.seek(100, Deno.SeekMode.Start);
    await opened.write(Uint8Array.of(1, 2, 3, 4));
    equal(await files.finish(ID), false);
    equal(await files.find(ID), undefined);
  });
});

folderTest("usage counts all of every file, and an empty one as a piece", async (folder) => {
  const other = octets(16, 2);
  await withFiles(folder, async (files) => {
    deepEqual(await files.usage(ANN, ROOM), { owner: 0, room: 0 });
    await begun(files, systemEntropy(100_000), { id: octets(16, 3) });
    await begun(files, systemEntropy(0), { id: octets(16, 4), room: other });
    await begun(files, systemEntropy(50_000), { id: octets(16, 5), owner: BEN });
    deepEqual(await files.usage(ANN, ROOM), { owner: 100_000 + FILE_CHUNK_BYTES, room: 150_000 });
    deepEqual(await files.usage(BEN, other), { owner: 50_000, room: FILE_CHUNK_BYTES });
    await files.remove(octets(16, 3));
    deepEqual(await files.usage(ANN, ROOM), { owner: FILE_CHUNK_BYTES, room: 50_000 });
  });
});

folderTest("files expire by their age, and those that are not whole by theirs", async (folder) => {
  await withFiles(folder, async (files) => {
    for (const [mark, begunAt] of [1, 2, 3, 4].entries()) {
      const id = octets(16, mark);
      await begun(files, octets(5, mark), { id, begun: NOW + begunAt });
      if (mark % 2 === 0) continue;
      await files.write(id, 0, octets(5, mark));
      equal(await files.finish(id), true);
    }
    equal(await files.expire({ done: NOW + 3, unfinished: NOW + 2 }), 2);
    deepEqual(await namesIn(`${folder}/files`), ["02".repeat(16), "03".repeat(16)]);
    equal(await files.expire({ done: NOW, unfinished: NOW }), 0);
  });
});

folderTest(
  "what a crash left in the folder without a row is taken away, and nothing else",
  async (folder) => {
    await withFiles(folder, async (files) => {
      await begun(files, systemEntropy(10));
    });
    await Deno.writeTextFile(`${folder}/files/${"cd".repeat(16)}`, "left");
    await withFiles(folder, async (files) => {
      deepEqual(await namesIn(`${folder}/files`), [NAME]);
      await files.remove(ID);
      await files.remove(ID);
      deepEqual(await namesIn(`${folder}/files`), []);
    });
  },
);

folderTest("attack 27: no id names anything but a file in the folder", async (folder) => {
  const content = systemEntropy(10);
  await withFiles(folder, async (files) => {
    for (const id of [new Uint8Array(0), new TextEncoder().encode("../rooms.db"), octets(17, 1)]) {
      await rejects(files.begin({ ...fileOf(content, {}), id }), RangeError);
      equal(await files.read(id, 0), undefined);
    }
    deepEqual(await namesIn(`${folder}/files`), []);
  });
});

folderTest("attack 22: nothing of a file is in the folder without the key", async (folder) => {
  const content = new TextEncoder().encode("canary ".repeat(5_000));
  await withFiles(folder, async (files) => {
    await begun(files, content);
    await putAll(files, ID, content);
    equal(await files.finish(ID), true);
  });
  for (const name of ["rooms.db", `files/${NAME}`]) {
    const file = new TextDecoder("latin1").decode(await Deno.readFile(`${folder}/${name}`));
    equal(file.includes("canary"), false, name);
    equal(file.includes(new TextDecoder("latin1").decode(fileOf(content, {}).sha256)), false, name);
  }
});

function fileOf(content: Bytes, changed: Partial<KeptFile>): Omit<KeptFile, "have" | "done"> {
  const { id = ID, room = ROOM, owner = ANN, begun = NOW } = changed;
  return { id, room, owner, size: content.length, sha256: provider.sha256Now(content), begun };
}

async function begun(files: FileStore, content: Bytes, changed: Partial<KeptFile> = {}): Promise<void> {
  await files.begin(fileOf(content, changed));
}

function put(files: FileStore, content: Bytes, at: number): Promise<void> {
  return files.write(
    ID,
    at * FILE_CHUNK_BYTES,
    content.slice(at * FILE_CHUNK_BYTES, (at + 1) * FILE_CHUNK_BYTES),
  );
}

async function putAll(files: FileStore, id: Bytes, content: Bytes): Promise<void> {
  for (let offset = 0; offset < content.length; offset += FILE_CHUNK_BYTES) {
    await files.write(id, offset, content.slice(offset, offset + FILE_CHUNK_BYTES));
  }
}

async function contentOf(files: FileStore, id: Bytes): Promise<Bytes> {
  const pieces: Bytes[] = [];
  const { size } = await files.find(id) ?? { size: 0 };
  for (let offset = 0; offset < size; offset += FILE_CHUNK_BYTES) {
    pieces.push(await files.read(id, offset) ?? new Uint8Array(0));
  }
  return concat(...pieces);
}

async function withFiles(folder: string, work: (files: RoomStore["files"]) => Promise<void>): Promise<void> {
  const store = await openRooms(folder);
  try {
    await work(store.files);
  } finally {
    store.close();
  }
}
