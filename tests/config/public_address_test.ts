import { deepEqual, equal, match, throws } from "node:assert/strict";
import { invitedEndpoint, publicAddressFrom } from "../../lib/config/public_address.ts";
import { Failure } from "../../lib/text/failure.ts";
import { test } from "../sanitized.ts";

test("an address that others can reach has a host, and a port where it was said", () => {
  deepEqual(publicAddressFrom("Chat.example.org"), { host: "chat.example.org", port: undefined });
  deepEqual(publicAddressFrom("chat.example.org:9000"), { host: "chat.example.org", port: 9_000 });
  deepEqual(publicAddressFrom("[2001:db8::1]:9000"), { host: "2001:db8::1", port: 9_000 });
  for (const text of ["9000", "0.0.0.0", "::", "[::]:1", "", "a b", "sotto://x"]) {
    throws(
      () => publicAddressFrom(text),
      (error) => error instanceof Failure && error.exit === "usage",
      text,
    );
  }
});

test("invitations name the address that was said, with the port that the server has where none was", () => {
  const at = { host: "0.0.0.0", port: 8_443 };
  const host = "chat.example.org";
  deepEqual(invitedEndpoint(at, { host, port: 443 }), { endpoint: { host, port: 443 }, warning: undefined });
  deepEqual(invitedEndpoint(at, { host, port: undefined }), {
    endpoint: { host, port: 8_443 },
    warning: undefined,
  });
});

test("without one they name where the server listens, and an operator is told where that is this machine only", () => {
  for (const host of ["127.0.0.1", "192.0.2.7", "chat.example.org"]) {
    const at = { host, port: 9_000 };
    deepEqual(invitedEndpoint(at, undefined), { endpoint: at, warning: undefined });
  }
  for (const [all, own] of [["0.0.0.0", "127.0.0.1"], ["::", "::1"]] as const) {
    const { endpoint, warning } = invitedEndpoint({ host: all, port: 9_000 }, undefined);
    deepEqual(endpoint, { host: own, port: 9_000 });
    match(
      warning ?? "",
      /^Invitations name .*, which is this machine only; give --address HOST:PORT as others reach it$/,
    );
  }
  equal(invitedEndpoint({ host: "constructor", port: 1 }, undefined).endpoint.host, "constructor");
});
