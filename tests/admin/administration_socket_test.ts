import assert from "node:assert/strict";
import {
  type AdministrationCall,
  askAdministration,
  serveAdministration,
} from "../../lib/admin/administration_socket.ts";
import type { AdminAnswer, AdminRequest } from "../../lib/chat/administration.ts";
import { Failure } from "../../lib/text/failure.ts";
import { parseHandle } from "../../lib/text/handle.ts";
import { utf8, utf8Text } from "../../lib/wire/bytes.ts";
import { test } from "../sanitized.ts";
import { connectionPair, type End } from "./connection_pair.ts";

const ANN = parseHandle("ann") ?? assert.fail("ann is a handle");
const INVITATION: AdminAnswer = { kind: "invitation", url: "sotto://…", expires: 7, uses: 1, handle: ANN };

test("each request and each answer comes over as it was, in however small parts", async () => {
  const requests: readonly AdminRequest[] = [
    { type: "userList" },
    { type: "userAdd", handle: ANN },
    { type: "invite", uses: 3, lifetimeMs: 60_000 },
    { type: "invite" },
  ];
  const answers: readonly AdminAnswer[] = [
    {
      kind: "users",
      users: Array.from({ length: 500 }, () => ({
        handle: ANN,
        role: "owner",
        standing: "active",
        registered: 1_800_000_000_000,
        hasPassword: true,
        hasKeys: false,
      })),
    },
    INVITATION,
    { kind: "changed", change: "disabled", handle: ANN },
    { kind: "refused", exit: "data", sentence: "Cannot x: y; z." },
  ];
  for (const takes of [1_000, 7]) {
    for (const [at, request] of requests.entries()) {
      const answer = answers[at] ?? assert.fail("as many as requests");
      const asked: AdministrationCall[] = [];
      const [ours, theirs] = connectionPair(takes);
      const serving = serveAdministration(soon(theirs), {
        answer: (call) => Promise.resolve((asked.push(call), answer)),
        onFault: unexpected,
      });
      const address = at % 2 === 0
        ? undefined
        : { host: "chat.example.org", port: at === 1 ? undefined : 9_000 };
      assert.deepEqual(await askAdministration(ours, { request, address }), answer);
      assert.deepEqual(asked, [{ request, address }]);
      await serving;
      assert.equal(ours.closed, true);
      assert.equal(theirs.closed, true);
    }
  }
});

test("a failure is told to whoever asked, with its exit; a fault as such, and to the server", async () => {
  const failed = await asked(() => Promise.reject(new Failure("temporary", "Cannot x: locked; try again.")));
  assert.deepEqual(failed, { exit: "temporary", sentence: "Cannot x: locked; try again.", faults: [] });
  const fault = new TypeError("odd \u001b[2J");
  const broken = await asked(() => Promise.reject(fault));
  assert.equal(broken.exit, "software");
  assert.match(broken.sentence, /^Cannot do that: a fault of the server that runs, .*; please report it\.$/);
  assert.deepEqual(broken.faults, [fault]);
});

test("what is no request is refused and never done", async () => {
  const lines = [
    "",
    "hello",
    "null",
    "[]",
    '{"request":{"type":"userList"}}}',
    '{"request":{"type":"nothing"}}',
    '{"request":{"type":"userAdd"}}',
    '{"request":{"type":"userAdd","handle":"Ann"}}',
    '{"request":{"type":"userAdd","handle":"../x"}}',
    '{"request":{"type":"userList","more":1}}',
    '{"request":{"type":"userList"},"more":1}',
    '{"request":{"type":"userList"},"address":{"host":"","port":1}}',
    '{"request":{"type":"userList"},"address":{"host":"a","port":0}}',
    '{"request":{"type":"userList"},"address":{"host":"a","port":1.5}}',
    '{"request":{"type":"invite","uses":0}}',
    '{"request":{"type":"invite","uses":1e9}}',
    '{"__proto__":{"request":{"type":"userList"}}}',
  ];
  for (const line of lines) {
    const [ours, theirs] = connectionPair();
    const serving = serveAdministration(soon(theirs), { answer: unasked, onFault: unexpected });
    await ours.write(utf8(`${line}\n`));
    assert.match(
      await textFrom(ours),
      /^\{"failure":\{"exit":"protocol","sentence":"Cannot understand /,
      line,
    );
    await serving;
  }
});

test("a request that is too long, cut short or not UTF-8 ends the connection, and the next one is answered", async () => {
  const [[long, longEnd], [short, shortEnd], [bad, badEnd], [good, goodEnd]] = [
    connectionPair(),
    connectionPair(),
    connectionPair(),
    connectionPair(),
  ];
  const serving = serveAdministration(soon(longEnd, shortEnd, badEnd, goodEnd), {
    answer: () => Promise.resolve(INVITATION),
    onFault: unexpected,
  });
  const asking = askAdministration(good, { request: { type: "invite" }, address: undefined });
  await long.write(utf8("x".repeat(5_000)));
  assert.equal(await textFrom(long), "");
  await short.write(utf8('{"request":'));
  short.close();
  await bad.write(Uint8Array.of(0xff, 0x0a));
  assert.match(await textFrom(bad), /Cannot understand/);
  assert.deepEqual(await asking, INVITATION);
  await serving;
});

test("several are answered at once: one that waits does not keep the others", async () => {
  const gate = Promise.withResolvers<void>();
  const [[slow, slowEnd], [quick, quickEnd]] = [connectionPair(), connectionPair()];
  const serving = serveAdministration(soon(slowEnd, quickEnd), {
    answer: async ({ request }) => {
      if (request.type === "userList") await gate.promise;
      return INVITATION;
    },
    onFault: unexpected,
  });
  const first = askAdministration(slow, { request: { type: "userList" }, address: undefined });
  await askAdministration(quick, { request: { type: "invite" }, address: undefined });
  gate.resolve();
  await first;
  await serving;
});

test("a server that ends meanwhile, and one of another version, are told in a sentence", async () => {
  for (
    const [said, exit, sentence] of [
      [undefined, "temporary", /^Cannot hear from the server that runs: it ended meanwhile; try again/],
      [
        "{}\n",
        "protocol",
        /^Cannot understand the answer of the server that runs: it is of another version; /,
      ],
      ['{"answer":{"kind":"odd"}}\n', "protocol", /another version/],
      ['{"failure":{"exit":"odd","sentence":"x"}}\n', "protocol", /another version/],
      ['{"failure":{"exit":"data","sentence":"a\\u001b[2J"}}\n', "data", /^a␛\[2J$/],
    ] as const
  ) {
    const [ours, theirs] = connectionPair();
    const asking = askAdministration(ours, { request: { type: "userList" }, address: undefined });
    await theirs.read(new Uint8Array(1_000));
    if (said !== undefined) await theirs.write(utf8(said));
    theirs.close();
    await assert.rejects(asking, (error) => {
      assert.ok(error instanceof Failure, String(error));
      assert.equal(error.exit, exit);
      assert.match(error.message, sentence);
      return true;
    });
  }
});

async function asked(
  answer: () => Promise<AdminAnswer>,
): Promise<{ exit: string; sentence: string; faults: readonly unknown[] }> {
  const faults: unknown[] = [];
  const [ours, theirs] = connectionPair();
  const serving = serveAdministration(soon(theirs), { answer, onFault: (fault) => void faults.push(fault) });
  try {
    await askAdministration(ours, { request: { type: "userList" }, address: undefined });
  } catch (error) {
    assert.ok(error instanceof Failure);
    await serving;
    return { exit: error.exit, sentence: error.message, faults };
  }
  return assert.fail("there was an answer");
}

function unasked(): Promise<AdminAnswer> {
  return assert.fail("this was no request");
}

function unexpected(fault: unknown): void {
  assert.fail(`a fault: ${fault}`);
}

async function* soon(...ends: readonly End[]): AsyncGenerator<End> {
  for (const end of ends) yield await Promise.resolve(end);
}

/** All that comes until the end. */
async function textFrom(end: End): Promise<string> {
  let text = "";
  const buffer = new Uint8Array(1_000);
  for (let count = await end.read(buffer); count !== null; count = await end.read(buffer)) {
    text += utf8Text(buffer.slice(0, count)) ?? assert.fail("it is text");
  }
  return text;
}
