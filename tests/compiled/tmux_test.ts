/**
 * Both executables as a person sees them: in terminals, under tmux, on an environment of TERM and a home.
 *
 * @module
 */

import { deepEqual, equal, match, ok } from "node:assert/strict";
import { namesIn } from "../store/temporary_folder.ts";
import { terminalTest } from "./executables.ts";
import { keepScreen, WRITES_SCREENS } from "./screens.ts";
import {
  becomeNew,
  lettersOf,
  openClient,
  openKnown,
  saidBy,
  settle,
  shell,
  shows,
  startServer,
  startSpeaker,
  TIME,
  withoutSpaces,
} from "./terminals.ts";
import { type Pane, USUAL } from "./tmux.ts";

/** What README's reader gets; tests take a free port. */
const PORT = WRITES_SCREENS ? "8443" : "0";

terminalTest("two people meet at a server, talk both ways, and part", async (stage) => {
  const server = await shell(stage, "server");
  await server.enter(PORT === "0" ? "sotto-server --port 0" : "sotto-server");
  const port = await server.row(/^sotto-server listening on 127\.0\.0\.1:(\d+)$/);
  const fingerprint = await server.row(/^fingerprint (SHA256:\S{43})$/);

  const ann = await shell(stage, "ann");
  await ann.enter("sotto");
  await ann.foot("Server's host [127.0.0.1]:");
  await ann.enter("");
  await ann.foot("Server's port [8443]:");
  await ann.enter(port === "8443" ? "" : port);
  await ann.foot("Your name here:");
  await ann.enter("ann");
  await ann.foot("Is it the same (yes/no)?");
  equal(await ann.row(/^ {2}(SHA256:\S{43})$/), fingerprint);
  await ann.enter("yes");
  await becomeNew(ann, "the password of ann");
  await ann.foot("ann #lobby>");

  const ben = await shell(stage, "ben");
  await ben.enter(`sotto chat 127.0.0.1:${port} --user ben`);
  await ben.foot("Is it the same (yes/no)?");
  await ben.enter("yes");
  await becomeNew(ben, "the password of ben");
  await ben.row(new RegExp(`^${TIME} \\* here: ben, ann$`));
  await ben.row(new RegExp(`^${TIME} #lobby #\\d+ \\* ben joined$`));
  await ann.row(new RegExp(`^${TIME} \\* ben is online$`));
  await ann.row(new RegExp(`^${TIME} #lobby \\* ben joined$`));

  await ann.enter("Hello Ben! Can you read this?");
  await shows([ann, ben], "ann", "Hello Ben! Can you read this?");
  // Typed once and said once: the line that was typed has given way to the acknowledged one.
  await ann.foot("ann #lobby>");
  equal((await ann.screen()).filter((row) => row.includes("Can you read this?")).length, 1);
  await ben.enter("Every word 你好 👋");
  await shows([ann, ben], "ben", "Every word 你好 👋");
  await ann.enter("And nobody in between can.");
  await shows([ann, ben], "ann", "And nobody in between can.");

  await ben.enter("exit");
  await ben.foot("$");
  await ann.row(new RegExp(`^${TIME} \\* ben is offline$`));
  await ann.press("C-d");
  await ann.foot("$");
  // For each: one to learn the host key, one to ask whether the name is free, one by password, one to talk.
  await server.until(
    "all gone",
    (rows) => rows.filter((row) => / gone: /.test(row)).length === 8,
    () => server.history(),
  );
  await server.press("C-c");
  await server.foot("^C$");

  for (const pane of [server, ann, ben]) await keepScreen(pane.name, await pane.history({ joined: true }));
  for (const pane of [server, ann, ben]) {
    await pane.enter("echo ended with $?");
    await pane.row(/^ended with 0$/);
    // The keyboard is the shell's again: what is typed is shown once.
    equal((await pane.screen()).filter((row) => row.endsWith("$ echo ended with $?")).length, 1);
  }
});

terminalTest("what is being typed stays whole while 200 messages arrive", async (stage) => {
  const announced = await startServer(stage);
  const ann = await openKnown(stage, "ann", announced);
  await ann.foot("ann #lobby>");
  const cleo = await startSpeaker(stage, announced, "cleo");
  await ann.row(/ \* cleo is online$/);

  const typed = "The quick brown fox jumps over the lazy dog, ".repeat(3).trim();
  const saying = (async () => {
    for (let at = 0; at < 200; at++) await cleo.write(`{"type":"send","text":"message ${at}"}`);
  })();
  for (const piece of typed.match(/.{1,9}/g) ?? []) await ann.type(piece);
  await saying;
  await shows([ann], "cleo", "message 199");
  const whole = () => ann.history({ joined: true });
  await ann.until("what was typed", (rows) => rows.at(-1) === `ann #lobby> ${typed}`, whole);

  // tmux keeps what is erased from the first row of a screen; ours is never at the first row again.
  const rows = (await whole()).filter((row, at) => at > 0 || row !== "ann #lobby>");
  const said = rows.filter((row) => row.includes("message"));
  equal(said.length, 200);
  said.forEach((row, at) => match(row, saidBy("cleo", `message ${at}`)));
  const prompts = rows.filter((row) => row.includes("ann #lobby>") || row.includes("fox"));
  deepEqual(prompts, [`ann #lobby> ${typed}`], rows.join("\n"));
  await ann.press("Enter");
  await ann.until("the line said", (seen) => lettersOf("ann", seen).includes(withoutSpaces(typed)));
  await ann.foot("ann #lobby>");
});

terminalTest("commands are done, listed, and put right where they are misspelt", async (stage) => {
  const announced = await startServer(stage);
  const ann = await openKnown(stage, "ann", announced);
  await ann.foot("ann #lobby>");
  await startSpeaker(stage, announced, "cleo");
  await ann.row(/ \* cleo is online$/);
  await ann.enter("/names");
  await ann.row(/^\* #lobby, 2 people:$/);
  await ann.row(/^ {4}online: ann \(owner\), cleo$/);
  await ann.enter("/help");
  // The list is longer than the screen.
  await ann.until(
    "the list of commands",
    (rows) => /\/names \[ROOM\], \/who, \/users\s+says who is in a room /.test(rows.join(" ")),
    () => ann.history(),
  );
  await ann.enter("/nams");
  const complaint = await ann.until(
    "a suggestion",
    (rows) => /Cannot do \/nams: .* did you mean\s+\/names\?/.exec(rows.join(" "))?.[0],
  );
  match(complaint, /there is no such command, and nothing was sent/);
  await ann.enter("//names is a command");
  await shows([ann], "ann", "/names is a command");
});

for (
  const { how, end } of [
    { how: "Ctrl-C", end: (pane: Pane) => pane.press("C-c") },
    { how: "Ctrl-D", end: (pane: Pane) => pane.press("C-d") },
    { how: "exit", end: (pane: Pane) => pane.enter("exit") },
    { how: "quit()", end: (pane: Pane) => pane.enter("quit()") },
    { how: "/quit", end: (pane: Pane) => pane.enter("/quit") },
  ]
) {
  terminalTest(`${how} at the prompt ends a client with a goodbye and 0`, async (stage) => {
    const announced = await startServer(stage);
    const ann = await openKnown(stage, "ann", announced);
    await ann.foot("ann #lobby>");
    await ann.enter("last words");
    await shows([ann], "ann", "last words");
    await end(ann);
    equal(await ann.exitCode(), 0);
    await announced.program.errors.until(
      "the goodbye",
      (line) => / gone: closed by the client \(done\)$/.test(line) ? line : undefined,
    );
    // Nothing of the prompt is left to be taken for the shell's.
    equal((await ann.screen()).filter((row) => row.startsWith("ann #lobby>")).length, 0);
  });
}

for (
  const { where, args, question } of [
    { where: "the first question", args: [], question: "Server's host [127.0.0.1]:" },
    { where: "the question for a name", args: ["127.0.0.1:1"], question: "Your name here:" },
  ]
) {
  terminalTest(`Ctrl-C at ${where} ends a client with a sentence`, async (stage) => {
    const ann = await openClient(stage, "ann", { args });
    await ann.foot(question);
    await ann.press("C-c");
    equal(await ann.exitCode(), 64);
    await ann.row(/^Cannot chat: a question was left unanswered; start again\.$/);
  });
}

for (
  const { how, answer } of [
    { how: "no", answer: (pane: Pane) => pane.enter("no") },
    { how: "Ctrl-C", answer: (pane: Pane) => pane.press("C-c") },
  ]
) {
  terminalTest(`a host key that is answered by ${how} is not trusted and not kept`, async (stage) => {
    const { address } = await startServer(stage);
    const ann = await openClient(stage, "ann", { args: [address, "--user=ann"] });
    await ann.foot("Is it the same (yes/no)?");
    await answer(ann);
    equal(await ann.exitCode(), 76);
    await ann.row(/^Cannot go on with 127\.0\.0\.1:\d+: its host key was not trusted; /);
    ok(!(await namesIn(stage.folder)).includes("ann"), "its folder for known hosts");
  });
}

terminalTest("a host key is trusted for a whole yes only, and asked for once", async (stage) => {
  const { address } = await startServer(stage);
  await settle(stage, "ann");
  const ann = await openClient(stage, "ann", { args: [address, "--user=ann"] });
  await ann.foot("Is it the same (yes/no)?");
  await ann.enter("y");
  await ann.foot('Please type "yes" or "no" in full:');
  await ann.enter("YES");
  await ann.foot("ann #lobby>");
  await ann.press("C-c");
  equal(await ann.exitCode(), 0);
  const again = await openClient(stage, "again", { args: [address, "--user=ann"], home: "ann" });
  await again.foot("ann #lobby>");
});

terminalTest("a question that is answered wrongly is asked again", async (stage) => {
  const { address } = await startServer(stage);
  const ann = await openClient(stage, "ann", { args: [] });
  await ann.foot("Server's host [127.0.0.1]:");
  await ann.enter("");
  await ann.foot("Server's port [8443]:");
  await ann.enter("99999");
  await ann.row(/^Cannot use "99999" as a port: /);
  await ann.foot("Server's port [8443]:");
  await ann.enter(address.replace(/.*:/, ""));
  await ann.foot("Your name here:");
  await ann.enter("Ann");
  await ann.row(/^Cannot use "Ann" as a name: "A" is a capital letter; /);
  await ann.foot("Your name here:");
  await ann.enter("ann");
  await ann.foot("Is it the same (yes/no)?");
});

terminalTest("a window of 20 columns shows and takes whole messages", async (stage) => {
  const announced = await startServer(stage);
  const ann = await openKnown(stage, "ann", announced, { columns: 20, rows: 24 });
  await ann.foot("#lobby>");
  const cleo = await startSpeaker(stage, announced, "cleo");
  const text = "a sentence that is longer than this window is wide";
  await cleo.write(JSON.stringify({ type: "send", text }));
  await ann.until("cleo's sentence", (rows) => lettersOf("cleo", rows).includes(withoutSpaces(text)));
  for (const row of await ann.screen()) {
    ok(row.length <= 20, row);
    // Only our own words stand at the edge: no peer can make a row that looks like another's message.
    match(row, /^(?:\d\d:\d\d:\d\d (?:#lobby|\*)| {4}\S|#lobby>|Connect)/);
  }

  const typed = "and an answer that goes on for three rows or more";
  await ann.type(typed.slice(0, 30));
  await cleo.write('{"type":"send","text":"meanwhile"}');
  await ann.until("cleo's word", (seen) => lettersOf("cleo", seen).includes("meanwhile"));
  await ann.enter(typed.slice(30));
  await cleo.output.until("ann's answer", (line) => line.includes(`"text":"${typed}"`) ? line : undefined);
  await ann.foot("#lobby>");
});

terminalTest("a window may change its size while a line is typed", async (stage) => {
  const announced = await startServer(stage);
  const ann = await openKnown(stage, "ann", announced);
  await ann.foot("ann #lobby>");
  const cleo = await startSpeaker(stage, announced, "cleo");
  const joined = () => ann.history({ joined: true });
  const typed = "0123456789 ".repeat(10).trim();
  await ann.type(typed);
  await ann.until("what was typed", (rows) => rows.at(-1) === `ann #lobby> ${typed}`, joined);
  // Whether a window that was made narrow still shows the name is not the question here.
  const whole = new RegExp(`^(?:ann )?#lobby> ${typed}$`);
  for (const [at, columns] of [40, 100, 23, 80].entries()) {
    await ann.resize({ ...USUAL, columns });
    await cleo.write(`{"type":"send","text":"size ${at}"}`);
    await ann.until(`message ${at}`, (rows) => lettersOf("cleo", rows).includes(`size${at}`));
    await ann.until("what was typed, whole", (rows) => whole.test(rows.at(-1) ?? ""), joined);
  }
  await ann.enter(" end");
  await cleo.output.until("the line", (line) => line.includes(`"text":"${typed} end"`) ? line : undefined);
});

terminalTest("wide characters and emoji are typed, edited and shown", async (stage) => {
  const announced = await startServer(stage);
  const ann = await openKnown(stage, "ann", announced);
  await ann.foot("ann #lobby>");
  const cleo = await startSpeaker(stage, announced, "cleo");
  await ann.type("你好吗 Grüße 👋x");
  await ann.foot("ann #lobby> 你好吗 Grüße 👋x");
  await ann.press("BSpace", "BSpace", "Left", "Left", "BSpace");
  await ann.type("ss");
  await ann.foot("ann #lobby> 你好吗 Grüsse");
  await cleo.write('{"type":"send","text":"漢字 and 🎉🎉"}');
  await shows([ann], "cleo", "漢字 and 🎉🎉");
  await ann.foot("ann #lobby> 你好吗 Grüsse");
  await ann.press("Home", "Delete", "Enter");
  await shows([ann], "ann", "好吗 Grüsse ");
  await cleo.output.until("it", (line) => line.includes('"text":"好吗 Grüsse "') ? line : undefined);
});

terminalTest("a server that is killed while a line is typed is told as a cut, with 75", async (stage) => {
  const announced = await startServer(stage);
  const { address, fingerprint } = announced;
  await settle(stage, "ann");
  const ann = await openClient(stage, "ann", {
    args: [address, `--host-key=${fingerprint}`, "--user=ann", "--reconnect=0"],
  });
  await ann.foot("ann #lobby>");
  await ann.type("half a sen");
  await ann.foot("ann #lobby> half a sen");
  announced.program.kill("SIGKILL");
  equal(await ann.exitCode(), 75);
  await ann.row(/^Connection cut: 127\.0\.0\.1:\d+ went away without a goodbye; try again\.$/);
  equal((await ann.screen()).filter((row) => row.startsWith("ann #lobby>")).length, 0);
});

terminalTest(
  "a server that is killed and comes back has its people again, and what they typed meanwhile",
  async (stage) => {
    const announced = await startServer(stage);
    const ann = await openKnown(stage, "ann", announced);
    await ann.foot("ann #lobby>");
    await ann.type("half a sen");
    await ann.foot("ann #lobby> half a sen");
    announced.program.kill("SIGKILL");
    await ann.row(/^Connection cut$/);
    await ann.row(/^Waiting to connect again: \d+ s$/);
    await ann.foot("ann #lobby> half a sen");
    await ann.enter("tence");
    await ann.row(/^Kept until there is a connection, for #lobby: half a sentence$/);
    const again = await startServer(stage, { port: Number(announced.address.replace(/.*:/, "")) });
    await ann.row(/^Connected$/);
    await shows([ann], "ann", "half a sentence");
    const cleo = await startSpeaker(stage, again, "cleo");
    await cleo.output.until("it", (line) => line.includes('"text":"half a sentence"') ? line : undefined);
    await cleo.write('{"type":"send","text":"welcome back"}');
    await shows([ann], "cleo", "welcome back");
    await ann.foot("ann #lobby>");
  },
);

terminalTest(
  "a person goes from room to room, is asked for a word in private, and sees what was missed",
  async (stage) => {
    const announced = await startServer(stage);
    const ann = await openKnown(stage, "ann", announced);
    await ann.foot("ann #lobby>");
    await ann.enter("/create #garden");
    await ann.row(/^\* you are in #garden \(owner\), 1 person$/);
    await ann.foot("ann #garden>");
    await ann.enter("What grows here?");
    await ann.row(new RegExp(`^${TIME} #garden <ann> What grows here\\? ☒$`));

    const cleo = await startSpeaker(stage, announced, "cleo");
    await cleo.write('{"type":"join","room":"#garden"}');
    await ann.row(new RegExp(`^${TIME} #garden \\* cleo joined$`));
    await cleo.write('{"type":"send","room":"@ann","text":"a word?"}');
    await ann.row(/^\* cleo asks to talk to you; \/allow @cleo takes that up, \/deny @cleo refuses it$/);
    await ann.enter("/allow @cleo");
    await ann.row(new RegExp(`^${TIME} @cleo #\\d+ <cleo> a word\\? ☒$`));
    await ann.enter("/query cleo");
    await ann.foot("ann @cleo>");
    await ann.enter("Gladly");
    await ann.row(new RegExp(`^${TIME} @cleo <ann> Gladly ☒$`));

    await cleo.write('{"type":"send","room":"#garden","text":"roses"}');
    await ann.row(new RegExp(`^${TIME} #garden <cleo> roses ☒$`));
    await ann.enter("/go #garden");
    await ann.enter("/reply ^ Red ones?");
    await ann.row(new RegExp(`^${TIME} #garden <ann> \\(re #\\d+ cleo: roses\\) Red ones\\? ☒$`));
    await ann.enter("/part");
    await ann.row(/^Cannot .* #garden: /);
    await ann.enter("/role cleo owner");
    await ann.row(new RegExp(`^${TIME} #garden \\* ann made cleo an owner$`));
    await ann.enter("/part");
    await ann.row(/^\* you have left #garden$/);
    await ann.enter("/check #lobby");
    await ann.row(/^\* #lobby is complete from #1 to #\d+: /);
  },
);
