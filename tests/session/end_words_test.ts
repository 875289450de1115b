import assert from "node:assert/strict";
import { endWords, type SessionEnd } from "../../lib/session/end_words.ts";
import { test } from "../sanitized.ts";

test("the operator reads who ended a connection, when and why; only a conversation is cut", () => {
  const ends: readonly (readonly [SessionEnd, string])[] = [
    [{ kind: "closed", by: "peer", reason: "done", confirmed: true }, "closed by the client (done)"],
    [
      { kind: "closed", by: "us", reason: "tooSlow", confirmed: false },
      "closed by this server (tooSlow), unconfirmed",
    ],
    [{ kind: "cut", during: "handshake", answered: true }, "left during the handshake"],
    [{ kind: "cut", during: "login", answered: true }, "left during the login"],
    [{ kind: "cut", during: "conversation", answered: true }, "cut during the conversation"],
    [{ kind: "dropped", during: "login", why: "unfit" }, "dropped during the login (no client sends that)"],
    [
      { kind: "dropped", during: "handshake", why: "crowded" },
      "dropped during the handshake (too many others came)",
    ],
    [
      { kind: "dropped", during: "conversation", why: "banned" },
      "dropped during the conversation (its address was banned)",
    ],
    [{ kind: "timedOut", during: "handshake" }, "timed out during the handshake"],
    [{ kind: "failed", fault: "badRecord" }, "broke the protocol (badRecord)"],
  ];
  for (const [end, words] of ends) assert.equal(endWords(end), words);
});
