import assert from "node:assert/strict";
import { connectUnix, listenUnix } from "../../lib/net/unix_socket.ts";
import { Failure } from "../../lib/text/failure.ts";
import { folderTest, modeOf } from "../store/temporary_folder.ts";
import { test } from "../sanitized.ts";

if (mayListen()) {
  folderTest(
    "attack 22: a Unix socket and its folder are for their owner only, whatever was there",
    async (folder) => {
      await Deno.mkdir(`${folder}/admin`);
      await Deno.chmod(`${folder}/admin`, 0o777);
      const listening = await listenUnix(`${folder}/admin/socket`);
      assert.equal(await modeOf(`${folder}/admin`), 0o700);
      assert.equal(await modeOf(`${folder}/admin/socket`), 0o600);
      await listening.close();
    },
  );

  folderTest(
    "several programs talk over it at once, and closing it ends the iteration and removes it",
    async (folder) => {
      const path = `${folder}/admin/socket`;
      const listening = await listenUnix(path);
      const connections = listening.connections[Symbol.asyncIterator]();
      for (let count = 0; count < 3; count++) {
        const ours = await connectUnix(path) ?? assert.fail("somebody listens");
        const { value: theirs } = await connections.next();
        await theirs?.write(Uint8Array.of(count));
        const buffer = new Uint8Array(4);
        assert.equal(await ours.read(buffer), 1);
        assert.equal(buffer[0], count);
        theirs?.close();
        assert.equal(await ours.read(buffer), null);
        ours.close();
      }
      const waiting = connections.next();
      await listening.close();
      // At once: nothing is to be removed later, when the next program may have put its own there.
      assert.deepEqual(namesNow(`${folder}/admin`), ["socket.lock"]);
      assert.equal((await waiting).done, true);
      assert.equal(await connectUnix(path), undefined);
    },
  );

  folderTest("a second program on the same folder is told of the first, which goes on", async (folder) => {
    const path = `${folder}/admin/socket`;
    const first = await listenUnix(path);
    await assert.rejects(
      listenUnix(path),
      failure(
        "unavailable",
        /^Cannot listen on .*: another server runs on this data folder; stop it, or .*--data-dir\.$/,
      ),
    );
    const ours = await connectUnix(path) ?? assert.fail("the first listens still");
    ours.close();
    await first.close();
  });

  folderTest("what a program that was killed left there does not keep the next from it", async (folder) => {
    const path = `${folder}/admin/socket`;
    await leaveBehind(path);
    assert.equal(await connectUnix(path), undefined);
    const listening = await listenUnix(path);
    const ours = await connectUnix(path) ?? assert.fail("somebody listens");
    ours.close();
    await listening.close();
  });

  folderTest("of several programs that start at once where one was killed, one gets it", async (folder) => {
    // Whoever comes second may do so at any step of the first.
    for (let round = 0; round < 40; round++) {
      const path = `${folder}/${round}/socket`;
      await leaveBehind(path);
      const attempts = await Promise.allSettled(Array.from({ length: 5 }, async (_, at) => {
        for (let turn = 0; turn < at * round; turn++) await undefined;
        return await listenUnix(path);
      }));
      const won = attempts.flatMap((attempt) => attempt.status === "fulfilled" ? [attempt.value] : []);
      assert.equal(won.length, 1, `round ${round}`);
      const ours = await connectUnix(path) ?? assert.fail("the winner listens");
      ours.close();
      await won[0]?.close();
    }
  });

  folderTest(
    "a path that is too long for a socket, and a file in the way, are told in a sentence",
    async (folder) => {
      await assert.rejects(
        listenUnix(`${folder}/${"x".repeat(100)}/socket`),
        failure(
          "cannotCreate",
          /^Cannot make the socket .*: its path is too long for a socket; .*--data-dir\.$/,
        ),
      );
      await Deno.writeTextFile(`${folder}/admin`, "");
      await assert.rejects(
        listenUnix(`${folder}/admin/socket`),
        failure("cannotCreate", /^Cannot make the socket .*; choose another folder with --data-dir\.$/),
      );
    },
  );
} else {
  // Deno 2.9 lets a program use the Unix sockets that its flags name one by one, and these are in temporary folders.
  test("Unix sockets do what they shall, tried in a process that may use any of them", async () => {
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        ...[
          "test",
          "--lock=tests/deno.lock",
          "--frozen",
          "--no-prompt",
          "--allow-read",
          "--allow-write",
          "--allow-net",
        ],
        "tests/net/unix_socket_test.ts",
      ],
    }).output();
    const said = [stdout, stderr].map((output) => new TextDecoder().decode(output)).join("\n");
    assert.equal(code, 0, said);
    assert.match(said, /ok \| 6 passed \| 0 failed/, said);
  });
}

/** Whether this process may use a Unix socket wherever it likes. */
function mayListen(): boolean {
  try {
    return Deno.permissions.querySync({ name: "net", host: "unix:/of/any/path" }).state === "granted";
  } catch (error) {
    // Deno 2.6, which asks for permission to read and write the file alone.
    if (error instanceof URIError) return true;
    throw error;
  }
}

/** The names in a folder at this very moment. */
function namesNow(folder: string): string[] {
  return Array.from(Deno.readDirSync(folder), ({ name }) => name);
}

/** A socket's file as it stays where nobody removes it. */
async function leaveBehind(path: string): Promise<void> {
  await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
  const listener = Deno.listen({ transport: "unix", path: `${path}.new` });
  await Deno.rename(`${path}.new`, path);
  listener.close();
}

function failure(exit: Failure["exit"], sentence: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof Failure, String(error));
    assert.equal(error.exit, exit);
    assert.match(error.message, sentence);
    return true;
  };
}
