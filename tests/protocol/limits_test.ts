import { deepEqual, equal, ok } from "node:assert/strict";
import * as fernet from "../../lib/bridge/fernet.ts";
import * as outbox from "../../lib/bridge/outbox.ts";
import * as phrases from "../../lib/bridge/phrases.ts";
import * as usedTokens from "../../lib/bridge/used_tokens.ts";
import * as backOff from "../../lib/chat/back_off.ts";
import * as directRules from "../../lib/chat/direct_rules.ts";
import * as openRules from "../../lib/chat/open_rules.ts";
import * as targetRules from "../../lib/chat/target_rules.ts";
import * as approvalRequests from "../../lib/client/approval_requests.ts";
import * as pauses from "../../lib/client/back_off.ts";
import * as entryJudge from "../../lib/client/entry_judge.ts";
import * as eventQueue from "../../lib/client/event_queue.ts";
import * as passwordConnection from "../../lib/client/password_connection.ts";
import * as clientOutbox from "../../lib/client/outbox.ts";
import * as blockBook from "../../lib/delivery/block_book.ts";
import * as roomKeys from "../../lib/delivery/room_keys.ts";
import * as readingDesk from "../../lib/delivery/reading_desk.ts";
import * as port from "../../lib/crypto/port.ts";
import * as deviceList from "../../lib/identity/device_list.ts";
import * as invitation from "../../lib/identity/invitation.ts";
import * as peerTrust from "../../lib/identity/peer_trust.ts";
import * as loginMessage from "../../lib/login/message.ts";
import * as serverLogin from "../../lib/login/server_login.ts";
import * as handshakeMessage from "../../lib/secure/handshake_message.ts";
import * as inner from "../../lib/secure/inner.ts";
import * as link from "../../lib/secure/link.ts";
import * as record from "../../lib/secure/record.ts";
import * as sharedRecord from "../../lib/secure/shared_record.ts";
import * as admission from "../../lib/session/admission.ts";
import * as fileDesk from "../../lib/session/file_desk.ts";
import * as displayName from "../../lib/text/display_name.ts";
import * as handle from "../../lib/text/handle.ts";
import * as limits from "../../lib/wire/limits.ts";
import * as entryBody from "../../lib/wire/entry_body.ts";
import * as message from "../../lib/wire/message.ts";
import { test } from "../sanitized.ts";
import { number, section, tableRows } from "./document.ts";

/** Where constants lie that bind what passes between two ends, beside wire/limits.ts, all of whose are in the table. */
const OTHERS = [
  fernet,
  outbox,
  phrases,
  usedTokens,
  backOff,
  openRules,
  directRules,
  targetRules,
  approvalRequests,
  pauses,
  entryJudge,
  clientOutbox,
  blockBook,
  readingDesk,
  fileDesk,
  entryBody,
  eventQueue,
  passwordConnection,
  port,
  deviceList,
  invitation,
  peerTrust,
  loginMessage,
  serverLogin,
  displayName,
  handshakeMessage,
  inner,
  link,
  record,
  sharedRecord,
  roomKeys,
  admission,
  handle,
  message,
] as const;

/** What the table also has of them: sizes that are no limits. */
const SIZES = [
  "HANDSHAKE_HEADER_BYTES",
  "INVITATION_CODE_BYTES",
  "FILE_CHUNK_BYTES",
  "FILE_WINDOW_CHUNKS",
  "OUTBOX_WINDOW",
];

/** What binds nothing that passes between two ends: a file on a client's own disk. */
const LOCAL = ["PEER_BOOK_BYTES_MAX"];

const UNIT_ENDINGS: readonly (readonly [RegExp, RegExp])[] = [
  [/_BYTES(?:_MAX)?$/, /^octets$/],
  [/_MS(?:_MAX)?$/, /^milliseconds$/],
  [/_CHARS_MAX$/, /^characters$/],
  [/_RECORDS_MAX$/, /^records$/],
  [/_SECONDS_MAX$/, /^seconds$/],
];

test("PROTOCOL §9 has exactly the limits that the code has, with their values", () => {
  const inDocument = new Map(
    rows().map(([name = "", value = ""]) => [name, value.split("; ").map(number)]),
  );
  equal(inDocument.size, rows().length, "no name stands twice");
  const sorted = (map: ReadonlyMap<string, readonly number[]>) =>
    Array.from(map).sort(([a], [b]) => a < b ? -1 : 1);
  deepEqual(sorted(inDocument), sorted(inCode()));
});

test("PROTOCOL §9 gives each limit its unit, a reason and a consequence", () => {
  for (const [name = "", , unit = "", reason = "", consequence = ""] of rows()) {
    const expected = UNIT_ENDINGS.find(([ending]) => ending.test(name))?.[1] ?? /^[a-z]+$/;
    ok(expected.test(unit), `${name} is in ${unit}`);
    ok(reason.length > 5 && consequence.length > 0, `${name} has a reason and a consequence`);
  }
});

test("the limits of PROTOCOL §9 fit each other", () => {
  equal(limits.INNER_BYTES_MAX, Math.max(...limits.PADDING_BUCKETS_BYTES));
  equal(inner.CONTENT_BYTES_MAX, limits.INNER_BYTES_MAX - inner.INNER_HEADER_BYTES);
  equal(limits.MESSAGE_BYTES_MAX, inner.CONTENT_BYTES_MAX - 2);
  ok(limits.TEXT_BYTES_MAX + 1_024 < limits.MESSAGE_BYTES_MAX);
  ok(clientOutbox.OUTBOX_WINDOW * (limits.TEXT_BYTES_MAX + 1_024) < link.QUEUE_BYTES_MAX);
});

test("PROTOCOL §9: the longest device list fits its limit, and says how long it is", () => {
  const devices = Array.from({ length: limits.DEVICES_MAX }, (_, at) => ({
    key: new Uint8Array(32).fill(at),
    name: "x".repeat(limits.DISPLAY_NAME_BYTES_MAX),
    added: 1,
    revoked: undefined,
  }));
  const longest = deviceList.encodeDeviceList({
    handle: longestHandle(),
    number: deviceList.LIST_NUMBER_MAX,
    display: "x".repeat(limits.DISPLAY_NAME_BYTES_MAX),
    devices,
  }).length;
  ok(longest <= limits.DEVICE_LIST_BYTES_MAX);
  const reason = rows().find(([name]) => name === "DEVICE_LIST_BYTES_MAX")?.[3] ?? "";
  equal(number(/longest list has ([\d,]+)/.exec(reason)?.[1] ?? ""), longest);
});

function longestHandle(): handle.Handle {
  const longest = handle.parseHandle("x".repeat(handle.HANDLE_CHARS_MAX));
  if (longest === undefined) throw new RangeError("Cannot make the list: its handle is refused");
  return longest;
}

function rows(): readonly (readonly string[])[] {
  return tableRows(section("9"), "name");
}

function inCode(): ReadonlyMap<string, readonly number[]> {
  const found = new Map<string, readonly number[]>();
  for (const [name, value] of Object.entries(limits)) found.set(name, [value].flat());
  for (const module of OTHERS) {
    for (const [name, value] of Object.entries<unknown>(module)) {
      if (LOCAL.includes(name)) continue;
      if (typeof value === "number" && (/_(?:MAX|MS)$/.test(name) || SIZES.includes(name))) {
        found.set(name, [value]);
      }
    }
  }
  return found;
}
