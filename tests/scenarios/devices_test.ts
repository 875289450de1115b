/**
 * Devices of one account, and what others see of them: how a new one comes in, how one is shut out, and what is shown of
 * an identity that changes.
 *
 * @module
 */

import { deepEqual, equal, match, ok } from "node:assert/strict";
import { DEVICE_NAME, keepKeys, publishedKeys, replaceKeys, withAnotherIdentity } from "./enrolled.ts";
import { eventsOf } from "./json_events.ts";
import { complained } from "./programs.ts";
import { type Client, scenario, type Server, type Stage } from "./stage.ts";

/** How long a device that is revoked may still be connected, as seen from where it was revoked. */
const OUT_MS_MAX = 1_000;

scenario(
  "a new device without a terminal is told to give the recovery code: nobody is there to compare words",
  async (stage) => {
    const server = await stage.server();
    const old = await stage.joined(server, { user: "ann", newcomer: true });
    const young = await stage.visit(server, { user: "ann", newcomer: true, args: ["--device=phone"] });
    equal(young.code, 77);
    match(
      young.err.join("\n"),
      /^Cannot add this device to ann: nobody is there to compare words .*SOTTO_RECOVERY_CODE/m,
    );
    await old.program.type("/approve phone");
    await old.program.line("err", /^Cannot approve phone: no new device asks for it; log in there first/);
  },
);

scenario(
  "the recovery code makes a new device one of the account's, and a wrong one does not",
  async (stage) => {
    const server = await stage.server();
    const ben = await stage.joined(server, { user: "ben" });
    const old = await stage.joined(server, { user: "ann", newcomer: true });
    const code = await old.program.found("err", /^recovery code (\S+) /);
    const asTyped = code.toLowerCase().replaceAll("-", " ");
    const recovered = await stage.joined(server, {
      user: "ann",
      newcomer: true,
      env: { SOTTO_RECOVERY_CODE: asTyped },
    });
    await recovered.say("I am back");
    await ben.shows("ann: I am back");
    ok(!recovered.program.err.some((line) => line.startsWith("recovery code")), "the code is still the same");

    const wrong = `${code.slice(0, -1)}${code.endsWith("0") ? "1" : "0"}`;
    const run = { user: "ann", newcomer: true, env: { SOTTO_RECOVERY_CODE: wrong } };
    const { code: exit, err } = await stage.visit(server, run);
    equal(exit, 77);
    match(
      err[0] ?? "",
      /^Cannot recover ann: That is not the recovery code of this account, or the server gave something else/,
    );
    complained(await stage.visit(server, { ...run, env: { SOTTO_RECOVERY_CODE: "no-code" } }), {
      code: 77,
      sentence:
        /^Cannot recover ann: That is no recovery code: it has 32 letters and digits; look at what you wrote down\.$/,
    });
  },
);

for (const json of [false, true]) {
  const mode = json ? "JSON" : "lines";
  scenario(
    `attack 25: a device that is revoked is out within a second and for good, told so in ${mode}`,
    async (stage) => {
      const server = await stage.server();
      const ben = await stage.joined(server, { user: "ben", json: true });
      const keeper = await stage.joined(server, { user: "ann", newcomer: true, json: true });
      const [recovery] = eventsOf(keeper.events, "recoveryCode");
      const lost = await stage.joined(server, {
        user: "ann",
        newcomer: true,
        json,
        args: ["--device=lost phone"],
        env: { SOTTO_RECOVERY_CODE: recovery?.code ?? "" },
      });
      await lost.say("while it was mine");
      await ben.shows("ann: while it was mine");
      const started_ms = performance.now();
      await ask(keeper, { type: "revoke", name: "lost phone" });
      const { code, err } = await lost.ending();
      const took_ms = performance.now() - started_ms;
      equal(code, 77);
      match(err.at(-1) ?? "", /^Cannot go on (?:with|as) .*: this device was revoked/);
      ok(took_ms < OUT_MS_MAX, `it took ${took_ms} ms`);
      // An honest client goes by itself; whoever has the device may have another.
      await server.program.line("err", / gone: closed by this server \(deviceRevoked\)/);
      await ben.program.line("out", /"news":"deviceRevoked","detail":"lost phone"/);

      const { configDir } = lost;
      complained(await stage.visit(server, { user: "ann", configDir }, "am I still in?\n"), {
        code: 77,
        sentence:
          /^Cannot log in as ann with this device at \S+: the account was disabled, banned or removed, or this device revoked; ask the server's operator, or log in by password /,
      });
      await keeper.say("good riddance");
      await ben.shows("ann: good riddance");
      equal(ben.shown.at(-2), "ann: while it was mine", "nothing came between");
    },
  );
}

for (const json of [false, true]) {
  const mode = json ? "JSON" : "lines";
  scenario(
    `another identity under a known name is ☐ until the person accepts it, in ${mode}`,
    async (stage) => {
      const server = await stage.server();
      const { ben, impostor } = await replaced(stage, server, json);
      await impostor.say("it is really me");
      await ben.shows("ann: it is really me ☐ identity changed");
      if (json) deepEqual(newsOf(ben), [["ann", "identityChanged", null]]);
      else {await ben.program.line(
          "out",
          /^\* The identity of ann has changed: this is somebody else, or ann has lost/,
        );}

      // Not even a new start forgets whom it knew.
      await ben.quit();
      equal((await ben.ending()).code, 0);
      const again = await stage.joined(server, { user: "ben", json, configDir: ben.configDir });
      await impostor.say("believe me");
      await again.shows("ann: believe me ☐ identity changed");
      await say(again, json, "accept", "ann");
      await again.program.line(
        json ? "out" : "err",
        /The new identity of ann is accepted; compare the words /,
      );
      await impostor.say("thanks");
      await again.shows("ann: thanks");
    },
  );
}

scenario(
  "a device list that the server takes back is refused, and what its person says is ☐",
  async (stage) => {
    const server = await stage.server();
    const ann = await stage.joined(server, { user: "ann" });
    const ben = await stage.joined(server, { user: "ben" });
    const before = await publishedKeys(server.dataDir, "ann");
    await ann.program.type("/nick Ann of Green Gables");
    await ben.program.line("out", /^\* ann is now called "Ann of Green Gables"$/);
    await ann.quit();
    await ann.ending();
    await replaceKeys(server.dataDir, "ann", before);
    const again = await stage.client(server, { user: "ann" });
    // Ann's own device is shown the old list, too; others are when she is named.
    for (const client of [again, ben]) {
      if (client === ben) await again.say("do you see me?");
      await client.program.line(
        "out",
        /^\* The server shows devices of ann that do not follow from those known here, /,
      );
    }
    await ben.shows("ann: do you see me? ☐ device list refused");
  },
);

scenario(
  "two people see the same safety words of each other, and what was compared is remembered",
  async (stage) => {
    const server = await stage.server();
    const ann = await stage.joined(server, { user: "ann", json: true });
    const ben = await stage.joined(server, { user: "ben", json: true });
    await ask(ann, { type: "whois", handle: "ben" });
    await ask(ben, { type: "whois", handle: "ann" });
    const [ofBen] = await ann.program.until("the words", () => nonEmpty(eventsOf(ann.events, "person")));
    const [ofAnn] = await ben.program.until("the words", () => nonEmpty(eventsOf(ben.events, "person")));
    equal(ofBen?.words.length, 12);
    deepEqual(ofBen?.words, ofAnn?.words);
    equal(ofBen?.trust, "seen");
    await ask(ann, { type: "verify", handle: "ben" });
    await ann.program.line("out", /"what":"ben is verified: the words were compared/);
    await ann.quit();
    await ann.ending();
    const again = await stage.joined(server, { user: "ann", json: true });
    await ask(again, { type: "whois", handle: "ben" });
    const [remembered] = await again.program.until("ben", () => nonEmpty(eventsOf(again.events, "person")));
    equal(remembered?.trust, "verified");
    deepEqual(remembered?.words, ofBen?.words);
    deepEqual(remembered?.devices.map(({ name }) => name), [DEVICE_NAME]);
    await ben.say("it is still me");
    await again.shows("ben: it is still me");
    equal(eventsOf(again.events, "message").at(-1)?.trust, "verified");
  },
);

scenario(
  "a display name stands behind the name, and one that looks like somebody's name is refused",
  async (stage) => {
    const server = await stage.server();
    const ann = await stage.joined(server, { user: "ann" });
    const ben = await stage.joined(server, { user: "ben" });
    await ann.program.type("/nick Ännchen");
    await ben.program.line("out", /^\* ann is now called "Ännchen"$/);
    await ann.say("hello");
    await ben.program.line("out", / #lobby <ann \(Ännchen\)> hello ☒$/);
    await ann.program.type("/nick ben", "/nick Ann\u202e", "/nick Аnn");
    await ann.program.line(
      "err",
      /^Cannot change the display name: it looks like somebody else's name; choose another/,
    );
    await ann.program.until("two more refusals", () => {
      const refusals = ann.program.err.filter((line) => line.startsWith("Cannot use "));
      return refusals.length === 2 ? refusals : undefined;
    });
    await ann.say("still the same");
    await ben.program.line("out", / #lobby <ann \(Ännchen\)> still the same ☒$/);
  },
);

/** Ben, who knows ann, and somebody with the account of ann and another identity, which the server's disk was given. */
async function replaced(
  stage: Stage,
  server: Server,
  json: boolean,
): Promise<{ readonly ben: Client; readonly impostor: Client }> {
  const ann = await stage.joined(server, { user: "ann" });
  const ben = await stage.joined(server, { user: "ben", json });
  await ann.say("hello ben");
  await ben.shows("ann: hello ben");
  await ann.quit();
  await ann.ending();
  const own = await withAnotherIdentity(server.dataDir, "ann");
  const configDir = stage.path("impostor");
  await keepKeys(configDir, { dataDir: server.dataDir, user: "ann", own });
  complained(await stage.visit(server, { user: "ann" }), {
    code: 77,
    sentence:
      /^Cannot log in as ann with this device at \S+: the account was disabled, banned or removed, or this device revoked; /,
  });
  return { ben, impostor: await stage.joined(server, { user: "ann", configDir }) };
}

async function ask(client: Client, request: Readonly<Record<string, string>>): Promise<void> {
  await client.program.type(JSON.stringify(request));
}

async function say(client: Client, json: boolean, command: "accept", handle: string): Promise<void> {
  await client.program.type(json ? JSON.stringify({ type: command, handle }) : `/${command} ${handle}`);
}

function newsOf(client: Client): readonly (readonly (string | null)[])[] {
  return eventsOf(client.events, "keys").map(({ handle, news, detail }) => [handle, news, detail]);
}

function nonEmpty<Item>(items: readonly Item[]): readonly Item[] | undefined {
  return items.length === 0 ? undefined : items;
}
