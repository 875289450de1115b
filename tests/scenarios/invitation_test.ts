/**
 * How a newcomer comes in by an invitation.
 *
 * @module
 */

import { deepEqual, equal, ok } from "node:assert/strict";
import { invitationText, parseInvitation } from "../../lib/identity/invitation.ts";
import { eventsOf, jsonEvent } from "./json_events.ts";
import { complained } from "./programs.ts";
import { PASSWORD, scenario } from "./stage.ts";

scenario("an invitation on standard input registers, and what follows it is said", async (stage) => {
  const server = await stage.server({ args: ["--registration=invite", "--tls"] });
  const invitation = await stage.invitation(server);
  const configDir = stage.path("ann");
  const launch = {
    as: "ann",
    args: ["chat", "-", "--user=ann", "--json"],
    env: { SOTTO_CONFIG_DIR: configDir, SOTTO_PASSWORD: PASSWORD },
  };
  const { code, out, err } = await stage.run(
    "sotto",
    launch,
    `${invitation}\n{"type":"send","text":"one"}\n{"type":"send","text":"two"}\n`,
  );
  deepEqual([code, err], [0, []]);
  ok(out[0]?.startsWith('{"type":"recoveryCode",'), out[0]);
  const said = eventsOf(out.map(jsonEvent), "message");
  deepEqual(said.map(({ text, verified }) => [text, verified]), [["one", true], ["two", true]]);
  // Used up, it still names server, key and certificate for whoever has an account.
  const again = { ...launch, env: { SOTTO_CONFIG_DIR: configDir } };
  equal((await stage.run("sotto", again, `${invitation}\n`)).code, 0);
});

scenario("attack 30: an invitation does not take the place of a host key that is known", async (stage) => {
  const server = await stage.server();
  const other = await stage.server();
  const visited = await stage.visit(server, { user: "ann" });
  equal(visited.code, 0);
  const parsed = parseInvitation(await stage.invitation(server));
  ok(parsed.kind === "invitation");
  const hostKey = Uint8Array.fromBase64(other.hostKey);
  const args = ["chat", invitationText({ ...parsed.invitation, hostKey }), "--user=ann"];
  const env = { SOTTO_CONFIG_DIR: await stage.home(server, "ann"), SOTTO_PASSWORD: PASSWORD };
  complained(await stage.run("sotto", { as: "ann", args, env }), {
    code: 76,
    sentence:
      /^Cannot trust the invitation: it says that the host key of \S+ is SHA256:\S+, and here it is known as /,
  });
  // Not even connected.
  deepEqual((await server.reasons(1)).length, 1);
  const { err } = await server.stop();
  equal(err.filter((line) => line.endsWith(" connected")).length, 1);
});
