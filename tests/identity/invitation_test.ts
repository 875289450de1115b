import { deepEqual, equal, match, ok, throws } from "node:assert/strict";
import fc from "npm:fast-check@4.10.2";
import {
  type Invitation,
  INVITATION_CHARS_MAX,
  INVITATION_CODE_BYTES,
  invitationText,
  INVITED_CERTIFICATE_BYTES_MAX,
  parseInvitation,
} from "../../lib/identity/invitation.ts";
import { visible } from "../../lib/text/visible.ts";
import type { Bytes } from "../../lib/wire/bytes.ts";
import { check } from "../properties.ts";
import { test } from "../sanitized.ts";
import { HOST_KEY, seedOf } from "./people.ts";

const RUNS = 1_000;

function octets(minLength: number, maxLength = minLength): fc.Arbitrary<Bytes> {
  return fc.uint8Array({ minLength, maxLength }).map((some): Bytes => new Uint8Array(some));
}

const invitations: fc.Arbitrary<Invitation> = fc.record({
  endpoint: fc.record({
    host: fc.constantFrom("127.0.0.1", "::1", "chat.example.org", "localhost", "2001:db8::5"),
    port: fc.integer({ min: 1, max: 65_535 }),
  }),
  hostKey: octets(32),
  code: fc.option(octets(INVITATION_CODE_BYTES), { nil: undefined }),
  certificate: fc.option(octets(1, 600), { nil: undefined }),
});

const FULL: Invitation = {
  endpoint: { host: "chat.example.org", port: 8_443 },
  hostKey: HOST_KEY,
  code: seedOf(60).slice(0, INVITATION_CODE_BYTES),
  certificate: seedOf(90),
};
const TEXT = invitationText(FULL);

test("an invitation comes out of its text as it went in", async () => {
  await check(
    fc.property(invitations, (invitation) => {
      deepEqual(parseInvitation(invitationText(invitation)), { kind: "invitation", invitation });
    }),
    RUNS,
  );
});

test("the longest invitation is read", () => {
  const certificate = new Uint8Array(INVITED_CERTIFICATE_BYTES_MAX);
  const text = invitationText({
    ...FULL,
    endpoint: { host: `${"a".repeat(249)}.org`, port: 65_535 },
    certificate,
  });
  ok(text.length <= INVITATION_CHARS_MAX, `${text.length} characters`);
  equal(parseInvitation(text).kind, "invitation");
});

test("what is no invitation is not written", () => {
  const wrong: readonly Partial<Invitation>[] = [
    { endpoint: { host: "a", port: 0 } },
    { hostKey: HOST_KEY.slice(1) },
    { code: new Uint8Array(15) },
    { certificate: new Uint8Array(0) },
    { certificate: new Uint8Array(INVITED_CERTIFICATE_BYTES_MAX + 1) },
  ];
  for (const rest of wrong) throws(() => invitationText({ ...FULL, ...rest }), RangeError);
});

test("every other spelling of an invitation is refused, with the reason and without the code", () => {
  const [code = "", tls = ""] = TEXT.split("?")[1]?.split("&") ?? [];
  const key = HOST_KEY.toBase64({ alphabet: "base64url", omitPadding: true });
  const bare = `sotto://chat.example.org:8443/${key}`;
  const cases: readonly (readonly [string, RegExp])[] = [
    ["", /does not begin with sotto:/],
    [TEXT.replace("sotto", "SOTTO"), /does not begin/],
    [TEXT.replace("sotto", "http"), /does not begin/],
    [` ${TEXT}`, /does not begin/],
    [TEXT + "A".repeat(INVITATION_CHARS_MAX), /too long/],
    ["sotto://", /names no server/],
    [TEXT.replace(":8443", ""), /names no server/],
    [TEXT.replace("8443", "0"), /names no server/],
    [TEXT.replace("8443", "65536"), /names no server/],
    [TEXT.replace("chat", "chat\u202e"), /names no server/],
    [TEXT.replace("chat", "me@chat"), /names no server/],
    [bare.slice(0, -1), /key in it is incomplete/],
    [bare.replace(key, ""), /key in it is incomplete/],
    [bare.replace(`/${key}`, ""), /key in it is incomplete/],
    [`${bare}A`, /key in it is incomplete/],
    [`${bare}=`, /key in it is incomplete/],
    [`${bare}/`, /key in it is incomplete/],
    [`${bare}#x`, /key in it is incomplete/],
    [`${bare}?`, /what follows/],
    [`${bare}?${code.slice(0, -1)}`, /what follows/],
    [`${bare}?code=`, /what follows/],
    [`${bare}?tls=`, /what follows/],
    [`${bare}?${code}&x=1`, /what follows/],
    [`${bare}?${tls}&${code}`, /what follows/],
    [`${bare}?${code}&${code}`, /what follows/],
    [`${TEXT}\n`, /what follows/],
    [`${bare}?${code}&`, /not spelled/],
    [`${bare}?${code}${tls}`, /what follows|not spelled/],
    [`${bare}?&${tls}`, /not spelled/],
    [TEXT.replace("chat.example", "Chat.Example"), /not spelled/],
    [TEXT.replace("8443", "08443"), /not spelled/],
    [TEXT.replace(code, `${code.slice(0, -1)}${code.endsWith("w") ? "x" : "w"}`), /not spelled/],
  ];
  for (const [text, reason] of cases) {
    const parsed = parseInvitation(text);
    equal(parsed.kind, "refused", text);
    if (parsed.kind !== "refused") continue;
    match(parsed.sentence, reason, text);
    match(parsed.sentence, /^Cannot use the invitation: .*; copy it anew, all of it\.$/);
    ok(!parsed.sentence.includes(code.slice(5, 15)));
  }
});

test("attack 26: random and altered texts are an invitation that is written so, or none", async () => {
  const altered = fc.tuple(
    fc.nat({ max: TEXT.length }),
    fc.nat({ max: 3 }),
    fc.string({ unit: "binary", maxLength: 3 }),
  )
    .map(([at, cut, put]) => TEXT.slice(0, at) + put + TEXT.slice(at + cut));
  const texts = fc.oneof(altered, fc.string({ unit: "binary" }).map((text) => `sotto://${text}`));
  await check(
    fc.property(texts, (text) => {
      const parsed = parseInvitation(text);
      if (parsed.kind === "invitation") equal(invitationText(parsed.invitation), text);
      else equal(visible(parsed.sentence), parsed.sentence);
    }),
    RUNS,
  );
});
