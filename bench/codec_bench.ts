import { decodeBody, encodeBody } from "../lib/wire/entry_body.ts";
import { decodeClientMessage, decodeServerMessage, encodeMessage } from "../lib/wire/message.ts";
import { draft, entry, room } from "./sample_log.ts";

const told = encodeMessage({ type: "entry", room: room.id, entry });
const said = encodeMessage({ type: "send", room: room.id, entry: draft });
const body = encodeBody({ kind: "text", body: { text: "a".repeat(100) } });

Deno.bench("encode an entry", () => {
  encodeMessage({ type: "entry", room: room.id, entry });
});
Deno.bench("decode an entry, as a client", () => {
  decodeServerMessage(told);
});
Deno.bench("decode a send, as a server", () => {
  decodeClientMessage(said);
});
Deno.bench("decode what an entry says", () => {
  decodeBody("text", body);
});
