import assert from "node:assert/strict";
import fc from "npm:fast-check@4.10.2";
import { offer, takeReply, takeServerProof } from "../../lib/secure/client_handshake.ts";
import {
  decodeField,
  decodeHello,
  decodeReply,
  encodeField,
  encodeHello,
  encodeHelloBeforeBinder,
  encodeReply,
  splitMessages,
} from "../../lib/secure/handshake_message.ts";
import { takeDone, takeHello } from "../../lib/secure/server_handshake.ts";
import { SUITES } from "../../lib/secure/suite.ts";
import { type Bytes, concat } from "../../lib/wire/bytes.ts";
import { check } from "../properties.ts";
import { test } from "../sanitized.ts";
import { optionsOf } from "./pair.ts";
import { KINDS, partsOf, repeatable } from "./recorded_session.ts";

const kind = KINDS[0] ?? assert.fail("there are kinds");

/** A handshake by its functions alone, up to the server's proof. */
async function upToProof() {
  const options = await optionsOf(kind);
  const { entropy } = partsOf(repeatable, "client", "contents");
  const { state, hello } = await offer(options.client, repeatable, entropy);
  const answer = await takeHello(options.server, hello, partsOf(repeatable, "server", "contents"));
  assert.equal(answer.kind, "answer");
  assert.ok(answer.kind === "answer");
  const next = await takeReply(state, answer.reply, repeatable);
  assert.ok(next.kind === "awaitingServerProof");
  return {
    awaitingProof: next,
    awaitingDone: answer.state,
    proof: answer.proof,
    awaitingReply: state,
    hello,
    answer,
  };
}

test("a proof with messages missing, doubled, reordered, cut or added is refused", async () => {
  const { awaitingProof, proof } = await upToProof();
  const [hostKey, signature, finished] = (splitMessages(proof) ?? []).map(({ bytes }) => bytes);
  assert.ok(hostKey !== undefined && signature !== undefined && finished !== undefined);
  const wrong: readonly Bytes[] = [
    new Uint8Array(0),
    hostKey,
    concat(hostKey, signature),
    concat(signature, finished),
    concat(hostKey, finished),
    concat(signature, hostKey, finished),
    concat(hostKey, signature, finished, finished),
    concat(hostKey, hostKey, signature, finished),
    concat(proof, Uint8Array.of(0)),
    concat(proof, encodeField("Done", new Uint8Array(32))),
    proof.slice(0, -1),
  ];
  for (const content of wrong) {
    assert.deepEqual(await takeServerProof(awaitingProof, content, repeatable), {
      kind: "failed",
      fault: "badHandshake",
    });
  }
});

test("a Finished that is not over this transcript is refused, whatever signs it", async () => {
  const { awaitingProof, proof } = await upToProof();
  const [hostKey, signature, finished] = (splitMessages(proof) ?? []).map(({ bytes }) => bytes);
  assert.ok(hostKey !== undefined && signature !== undefined && finished !== undefined);
  for (let at = 3; at < finished.length; at++) {
    const altered = finished.with(at, (finished[at] ?? 0) ^ 1);
    const content = concat(hostKey, signature, altered);
    assert.deepEqual(await takeServerProof(awaitingProof, content, repeatable), {
      kind: "failed",
      fault: "badFinished",
    });
  }
});

test("a Done that does not match is refused, and one with anything beside it", async () => {
  const { awaitingProof, awaitingDone, proof } = await upToProof();
  const next = await takeServerProof(awaitingProof, proof, repeatable);
  assert.ok(next.kind === "clientFinished");
  const { done } = next;
  for (let at = 3; at < done.length; at++) {
    const altered = done.with(at, (done[at] ?? 0) ^ 0x80);
    assert.deepEqual(await takeDone(awaitingDone, altered, repeatable), {
      kind: "failed",
      fault: "badFinished",
    });
  }
  const wrong = [new Uint8Array(0), done.slice(0, -1), concat(done, done), done.with(0, 5), proof];
  for (const content of wrong) {
    assert.deepEqual(await takeDone(awaitingDone, content, repeatable), {
      kind: "failed",
      fault: "badHandshake",
    });
  }
  const finished = await takeDone(awaitingDone, done, repeatable);
  assert.ok(finished.kind === "serverFinished");
  assert.deepEqual(finished.application, next.application, "both ends have the same secrets");
});

test("a Hello or a Reply with anything beside it, or of the wrong type, is refused", async () => {
  const { awaitingReply, hello, answer } = await upToProof();
  const { server } = await optionsOf(kind);
  for (
    const body of [
      concat(hello, hello),
      concat(hello, Uint8Array.of(0)),
      hello.slice(0, -1),
      hello.with(0, 2),
    ]
  ) {
    const parts = partsOf(repeatable, "server", "contents");
    assert.deepEqual(await takeHello(server, body, parts), { kind: "failed", fault: "badHandshake" });
  }
  const { reply } = answer;
  for (const body of [concat(reply, reply), reply.slice(0, -1), reply.with(0, 1), hello, answer.proof]) {
    assert.deepEqual(await takeReply(awaitingReply, body, repeatable), {
      kind: "failed",
      fault: "badHandshake",
    });
  }
});

test("a Hello offers 1 to 16 suites, none twice", async () => {
  const { hello: bytes } = await upToProof();
  const [message] = splitMessages(bytes) ?? [];
  const { hello } = (message && decodeHello(message)) ?? assert.fail("it parses");
  const lists = [[], [1, 1], [1, 2, 1], Array.from({ length: 17 }, (_, code) => code)];
  for (const suiteCodes of lists) {
    const [altered] = splitMessages(encodeHello({ ...hello, suiteCodes })) ?? [];
    assert.equal(altered && decodeHello(altered), undefined, suiteCodes.join());
  }
  for (const suiteCodes of [[1], [200, 1], Array.from({ length: 16 }, (_, code) => code + 1)]) {
    const [altered] = splitMessages(encodeHello({ ...hello, suiteCodes })) ?? [];
    assert.deepEqual((altered && decodeHello(altered))?.hello.suiteCodes, suiteCodes);
  }
});

test("handshake messages parse back to what was written", () =>
  check(fc.property(
    fc.record({
      nonce: exactly(32),
      suiteCodes: fc.uniqueArray(fc.integer({ min: 0, max: 255 }), { minLength: 1, maxLength: 16 }),
      x25519Share: exactly(32),
      mlKemKey: exactly(1_184),
    }, { noNullPrototype: true }),
    fc.record({
      suite: fc.constantFrom(...SUITES),
      nonce: exactly(32),
      x25519Share: exactly(32),
      mlKemCiphertext: exactly(1_088),
    }, { noNullPrototype: true }),
    exactly(32),
    (hello, reply, field) => {
      const [plain] = splitMessages(encodeHello(hello)) ?? [];
      assert.deepEqual(plain && decodeHello(plain), { hello, bound: undefined });
      const covers = encodeHelloBeforeBinder(hello);
      const [bound] = splitMessages(concat(covers, field)) ?? [];
      assert.deepEqual(bound && decodeHello(bound), { hello, bound: { binder: field, covers } });
      const [answer] = splitMessages(encodeReply(reply)) ?? [];
      assert.deepEqual(answer && decodeReply(answer), reply);
      for (const name of ["HostKey", "Finished", "Done"] as const) {
        const [message] = splitMessages(encodeField(name, field)) ?? [];
        assert.deepEqual(decodeField(name, message), field);
        assert.equal(decodeField("Signature", message), undefined);
      }
    },
  )));

function exactly(length: number): fc.Arbitrary<Bytes> {
  return fc.uint8Array({ minLength: length, maxLength: length }).map((array): Bytes => new Uint8Array(array));
}
