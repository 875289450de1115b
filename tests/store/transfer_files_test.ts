import { deepEqual, equal, match, rejects } from "node:assert/strict";
import { TransferFiles } from "../../lib/store/transfer_files.ts";
import { Failure } from "../../lib/text/failure.ts";
import type { Bytes } from "../../lib/wire/bytes.ts";
import { FILE_CHUNK_BYTES } from "../../lib/wire/limits.ts";
import { folderTest, namesIn } from "./temporary_folder.ts";

const ID = new Uint8Array(16).fill(0xab);
const PART = ".abababab.part";
const files = new TransferFiles();

function octets(length: number, from = 0): Bytes {
  return Uint8Array.from({ length }, (_, at) => (at + from) % 251);
}

async function read(
  file: { read(offset: number, into: Bytes): Promise<void> },
  offset: number,
  length: number,
): Promise<Bytes> {
  const into = new Uint8Array(length);
  await file.read(offset, into);
  return into;
}

function wanted(name: string, path: string | undefined, size = 1) {
  return { id: ID, name, size, path };
}

function failsWith(exit: Failure["exit"], pattern: RegExp) {
  return (error: unknown) => error instanceof Failure && error.exit === exit && pattern.test(error.message);
}

async function fetched(name: string, path: string, content = octets(9)): Promise<string> {
  const sink = await files.openSink(wanted(name, path, content.length));
  await sink.write(content);
  return await sink.finish();
}

folderTest("a file is read at any place, and has the last part of its path as its name", async (folder) => {
  await Deno.writeFile(`${folder}/a b.txt`, octets(100));
  const source = await files.openSource(`${folder}/a b.txt`);
  equal(source.name, "a b.txt");
  equal(source.size, 100);
  deepEqual(await read(source, 90, 10), octets(10, 90));
  deepEqual(await read(source, 0, 100), octets(100));
  source.close();
});

folderTest("what is missing, a folder or no ordinary file is not put", async (folder) => {
  await rejects(files.openSource(`${folder}/none`), failsWith("noInput", /there is no such file/));
  await rejects(files.openSource(folder), failsWith("noInput", /it is a folder; name a file\.$/));
  await rejects(files.openSource("/dev/null"), failsWith("noInput", /^Cannot put \/dev\/null: /));
});

folderTest("a file that was changed while it is read is noticed", async (folder) => {
  const path = `${folder}/x`;
  const changes: ((path: string) => Promise<void>)[] = [
    (path) => Deno.truncate(path, 50),
    (path) => Deno.writeFile(path, octets(1), { append: true }),
    async (path) => {
      await Deno.writeFile(path, octets(100, 7));
      await Deno.utime(path, 1_000, 1_000);
    },
  ];
  for (const change of changes) {
    await Deno.writeFile(path, octets(100));
    const source = await files.openSource(path);
    await read(source, 0, 60);
    await change(path);
    await rejects(read(source, 0, 60), failsWith("data", /it was changed meanwhile; put it again\.$/));
    source.close();
  }
});

folderTest("what is fetched has another name until it is whole", async (folder) => {
  const sink = await files.openSink(wanted("x.txt", folder, 9));
  await sink.write(octets(4));
  await sink.write(octets(5, 4));
  deepEqual(await namesIn(folder), [`x.txt${PART}`]);
  equal(await sink.finish(), `${folder}/x.txt`);
  deepEqual(await namesIn(folder), ["x.txt"]);
  deepEqual(await Deno.readFile(`${folder}/x.txt`), octets(9));
});

folderTest(
  "attack 27: a file that is there is never written over, whatever a peer calls its own",
  async (folder) => {
    await Deno.writeTextFile(`${folder}/x.tar.gz`, "mine");
    equal(await fetched("x.tar.gz", folder), `${folder}/x.tar (2).gz`);
    equal(await fetched("x.tar.gz", folder), `${folder}/x.tar (3).gz`);
    equal(await fetched("x.tar.gz", `${folder}/x.tar.gz`), `${folder}/x.tar (4).gz`);
    equal(await Deno.readTextFile(`${folder}/x.tar.gz`), "mine");
    equal(await fetched("x", folder), `${folder}/x`);
    equal(await fetched("x", folder), `${folder}/x (2)`);
  },
);

folderTest("attack 27: a name leads nowhere but into the folder that was named", async (folder) => {
  await Deno.mkdir(`${folder}/in`);
  for (const name of ["../x", "../../x", "/x", "..\\x", "C:\\x"]) {
    const path = await fetched(name, `${folder}/in`);
    match(path.slice(folder.length), /^\/in\/x( \(\d\))?$/);
  }
  equal(await fetched("..", `${folder}/in/`), `${folder}/in/_`);
  equal(await fetched(".bashrc", `${folder}/in`), `${folder}/in/_bashrc`);
  equal(await fetched("a\0\u202etxt.exe", `${folder}/in`), `${folder}/in/a__txt.exe`);
  deepEqual(await namesIn(folder), ["in"]);
});

folderTest("attack 27: a link in the way of a part is not followed", async (folder) => {
  await Deno.writeTextFile(`${folder}/mine`, "mine");
  await Deno.symlink(`${folder}/mine`, `${folder}/x${PART}`);
  await rejects(files.openSink(wanted("x", folder)), failsWith("cannotCreate", /something is in the way/));
  equal(await Deno.readTextFile(`${folder}/mine`), "mine");
});

folderTest("a path that is none of a folder is the file's own", async (folder) => {
  equal(await fetched("theirs.txt", `${folder}/mine.txt`), `${folder}/mine.txt`);
  await rejects(
    files.openSink(wanted("x", `${folder}/none/`)),
    failsWith("cannotCreate", /no such file or folder/),
  );
});

folderTest("an earlier try is gone on with from its last whole piece", async (folder) => {
  const first = await files.openSink(wanted("x", folder, 3 * FILE_CHUNK_BYTES));
  await first.write(octets(FILE_CHUNK_BYTES));
  await first.write(octets(99));
  first.close();
  const second = await files.openSink(wanted("x", folder, 3 * FILE_CHUNK_BYTES));
  equal(second.have, FILE_CHUNK_BYTES);
  deepEqual(await read(second, 0, FILE_CHUNK_BYTES), octets(FILE_CHUNK_BYTES));
  await second.write(octets(7));
  equal(await second.finish(), `${folder}/x`);
  equal((await Deno.stat(`${folder}/x`)).size, FILE_CHUNK_BYTES + 7);
});

folderTest("a part that is longer than its file is begun anew", async (folder) => {
  await Deno.writeFile(`${folder}/x${PART}`, octets(2 * FILE_CHUNK_BYTES));
  const sink = await files.openSink(wanted("x", folder, FILE_CHUNK_BYTES + 1));
  equal(sink.have, 0);
  await sink.discard();
  deepEqual(await namesIn(folder), []);
});

folderTest("a file is fetched to one place once at a time", async (folder) => {
  const sink = await files.openSink(wanted("x", folder));
  await rejects(
    files.openSink(wanted("x", folder)),
    failsWith("cannotCreate", /it is being fetched already/),
  );
  const other = await files.openSink({ ...wanted("x", folder), id: new Uint8Array(16) });
  other.close();
  sink.close();
  const again = await files.openSink(wanted("x", folder));
  again.close();
});
