import { deepEqual, equal, match } from "node:assert/strict";
import { REGISTRATIONS as KNOWN_REGISTRATIONS } from "../../lib/chat/registration.ts";
import { REGISTRATIONS, runServerCommand, type ServerConfig } from "../../lib/config/server_command.ts";
import { type Suite, SUITES } from "../../lib/secure/suite.ts";
import { Failure } from "../../lib/text/failure.ts";
import { test } from "../sanitized.ts";
import { type Answer, environmentOf, Page } from "./answer.ts";

const DEFAULTS: ServerConfig<Suite> = {
  host: "127.0.0.1",
  port: 8_443,
  address: undefined,
  registration: "open",
  tls: undefined,
  console: false,
  bridge: undefined,
  dataDir: "/home/ann/.local/share/sotto-server",
  logs: { keyFile: undefined, retention: 0, fanout: "shared" },
  files: { quotaBytes: 4_294_967_296, days: 365 },
  suites: SUITES,
  pskText: undefined,
  trace: false,
};

test("sotto-server with nothing serves by its defaults, and so does serve", async () => {
  for (const line of ["", "serve"]) {
    deepEqual(await answer(line), { code: 0, stdout: "", stderr: "", configs: [DEFAULTS] });
  }
});

test("every flag of sotto-server is heard, in any order, with a blank or =", async () => {
  const line =
    "--trace 9000 --host ::1 --data-dir=/srv/sotto --cipher a256ctr-hs512 --psk-file psk --console " +
    "--registration closed --address=Chat.example.org --tls --tls-key k.pem --tls-cert c.pem " +
    "--fernet-listen 127.0.0.1:12345 --fernet-key-file=fernet --file-quota 20 --file-days=0 --key-file=/media/key --retention 30 " +
    "--fanout=individual";
  const config: ServerConfig<Suite> = {
    host: "::1",
    port: 9_000,
    address: { host: "chat.example.org", port: undefined },
    registration: "closed",
    tls: { kind: "files", certificate: "c.pem", key: "k.pem" },
    console: true,
    bridge: { endpoint: { host: "127.0.0.1", port: 12_345 }, keyText: "content of fernet\n" },
    dataDir: "/srv/sotto",
    logs: { keyFile: "/media/key", retention: 30, fanout: "individual" },
    files: { quotaBytes: 20_971_520, days: 0 },
    suites: ["a256ctr-hs512"],
    pskText: "content of psk\n",
    trace: true,
  };
  deepEqual((await answer(line)).configs, [config]);
  deepEqual((await answer(`serve ${line}`)).configs, [config]);
});

test("the port is PORT or --port, and 0 asks for a free one", async () => {
  deepEqual((await answer("0")).configs, [{ ...DEFAULTS, port: 0 }]);
  deepEqual((await answer("--port 0")).configs, [{ ...DEFAULTS, port: 0 }]);
  deepEqual((await answer("--port=65535")).configs, [{ ...DEFAULTS, port: 65_535 }]);
});

test("anybody may register on a loopback host, and elsewhere who is invited, unless it is said", async () => {
  const hosts = { "127.0.0.1": "open", "127.9.9.9": "open", "::1": "open", localhost: "open" } as const;
  const others = {
    "0.0.0.0": "invite",
    "::": "invite",
    "192.168.0.1": "invite",
    "example.org": "invite",
  } as const;
  for (const [host, registration] of Object.entries({ ...hosts, ...others })) {
    deepEqual((await answer(`--host ${host}`)).configs, [{ ...DEFAULTS, host, registration }]);
    const { configs } = await answer(`--host ${host} --registration closed`);
    deepEqual(configs, [{ ...DEFAULTS, host, registration: "closed" }]);
  }
});

test("registration is spoken of as the rules have it", () => {
  deepEqual(REGISTRATIONS, KNOWN_REGISTRATIONS);
});

test("TLS is by a certificate of the server's own, or by the one named, which asks for TLS, too", async () => {
  deepEqual((await answer("--tls")).configs, [{ ...DEFAULTS, tls: { kind: "selfSigned" } }]);
  const files = { kind: "files", certificate: "c", key: "k" } as const;
  for (const line of ["--tls-cert c --tls-key k", "--tls --tls-cert c --tls-key k"]) {
    deepEqual((await answer(line)).configs, [{ ...DEFAULTS, tls: files }]);
  }
});

test("SOTTO_PSK and XDG_DATA_HOME are heard", async () => {
  const { configs } = await answer("", { SOTTO_PSK: "geheim", XDG_DATA_HOME: "/data" });
  deepEqual(configs, [{ ...DEFAULTS, pskText: "geheim", dataDir: "/data/sotto-server" }]);
});

test("a home is needed only where no data folder is given", async () => {
  const options = { environment: () => undefined };
  equal((await answer("", {}, options)).code, 78);
  deepEqual((await answer("--data-dir d", {}, options)).configs, [{ ...DEFAULTS, dataDir: "d" }]);
});

test("every wrong command line of sotto-server is one sentence, exit 64, and nothing is served", async () => {
  const port = "a port is a number from 0 to 65535; give one of these.";
  const cases = {
    "sreve": 'Cannot run "sreve": there is no such command; write "sotto-server serve".',
    "Serve": 'Cannot run "Serve": there is no such command; write "sotto-server serve".',
    "serv 9000 --trace": 'Cannot run "serv": there is no such command; write "sotto-server serve".',
    "help": 'Cannot run "help": there is no such command; write "sotto-server --help".',
    "--trace serve":
      'Cannot use "serve" here: a command comes before its flags; write "sotto-server serve …".',
    "lobby": `Cannot use "lobby" as a port: ${port}`,
    "65536": `Cannot use "65536" as a port: ${port}`,
    "--port -1": `Cannot use "-1" as a port: ${port}`,
    "--port 1 2": "Cannot use both PORT and --port: which one counts is unclear; drop one.",
    "1 2": 'Cannot use "2": there is an argument too many; see sotto-server --help.',
    "--prot 1": "Cannot use --prot: there is no such flag; did you mean --port?",
    "--datadir=x": "Cannot use --datadir: there is no such flag; did you mean --data-dir?",
    "--verison": "Cannot use --verison: there is no such flag; did you mean --version?",
    "--password geheim": "Cannot use --password: there is no such flag; see sotto-server --help.",
    "--password=geheim": "Cannot use --password: there is no such flag; see sotto-server --help.",
    "--no-trace": "Cannot use --no-trace: there is no such flag; see sotto-server --help.",
    "--constructor": "Cannot use --constructor: there is no such flag; see sotto-server --help.",
    "--toString=1": "Cannot use --toString: there is no such flag; see sotto-server --help.",
    "--__proto__": "Cannot use --__proto__: there is no such flag; see sotto-server --help.",
    "--": "Cannot use --: there is no such flag; see sotto-server --help.",
    "--x": "Cannot use --x: there is no such flag; see sotto-server --help.",
    "--\u001b[2J": "Cannot use --␛[2J: there is no such flag; see sotto-server --help.",
    "-port 1": "Cannot use -port: there is no such flag; did you mean --port?",
    "-p": "Cannot use -p: there is no such flag; see sotto-server --help.",
    "--port": "Cannot use --port: it needs a value; write --port PORT.",
    "--data-dir --trace": "Cannot use --data-dir: it needs a value; write --data-dir DIR.",
    "--port=": 'Cannot use --port: it has an empty value; write one after the "=".',
    "--port 1 --port 1": "Cannot use --port twice: which one counts is unclear; drop one.",
    "--trace --trace": "Cannot use --trace twice: which one counts is unclear; drop one.",
    "--trace=perhaps": 'Cannot give --trace the value "perhaps": it takes none; write --trace.',
    "--registration opn":
      'Cannot use "opn" for --registration: it is invite, open or closed; give one of these.',
    "--tls-cert c":
      "Cannot use --tls-cert alone: a certificate and its key go together; give --tls-key FILE, too.",
    "--tls --tls-key k":
      "Cannot use --tls-key alone: a certificate and its key go together; give --tls-cert FILE, too.",
    "--address 9000": 'Cannot use "9000" as an address: nobody can connect to it from elsewhere; ' +
      "write HOST or HOST:PORT, like chat.example.org:8443.",
    "--address 0.0.0.0:8443":
      'Cannot use "0.0.0.0:8443" as an address: nobody can connect to it from elsewhere; ' +
      "write HOST or HOST:PORT, like chat.example.org:8443.",
    "--host a/b": 'Cannot use "a/b" as a host: a host is a name or an IP address, without a port; ' +
      "write it like chat.example.org.",
    "--file-quota -1":
      'Cannot use "-1" for --file-quota: it is a number from 0 to 1048576; give one of these.',
    "--file-days 36501":
      'Cannot use "36501" for --file-days: it is a number from 0 to 36500; give one of these.',
    "--retention 3651":
      'Cannot use "3651" for --retention: it is a number from 0 to 3650; give one of these.',
    "--retention 1.5": 'Cannot use "1.5" for --retention: it is a number from 0 to 3650; give one of these.',
    "--key-file": "Cannot use --key-file: it needs a value; write --key-file FILE.",
    "--cipher none":
      'Cannot use the cipher "none": there is no such suite; use a256cbc-hs512 or a256ctr-hs512.',
    // Of several things that are wrong, one is told.
    "lobby --port x --host a/b --trace=perhaps": `Cannot use "lobby" as a port: ${port}`,
  };
  for (const [line, sentence] of Object.entries(cases)) {
    deepEqual(await answer(line), { code: 64, stdout: "", stderr: `${sentence}\n`, configs: [] }, line);
  }
});

test("a typed line break does not make a second line of a sentence", async () => {
  for (const typed of ["a\nb", "--a\nb", "--port=a\nb", "--cipher=a\nb"]) {
    const { stderr, code } = await answer([typed]);
    equal(code, 64);
    match(stderr, /^Cannot [^\n]*\n$/, typed);
  }
});

test("a failure of the server is its sentence and its exit code", async () => {
  const failure = new Failure(
    "cannotCreate",
    "Cannot write to the data folder /x: permission denied; choose another.",
  );
  const failed = await answer("", {}, { serve: () => Promise.reject(failure) });
  deepEqual(failed, { code: 73, stdout: "", stderr: `${failure.message}\n`, configs: [] });
  const unread = await answer("--psk-file x", {}, {
    readSecret: () => Promise.reject(new Failure("noInput", "Cannot read x: y; z.")),
  });
  deepEqual(unread, { code: 66, stdout: "", stderr: "Cannot read x: y; z.\n", configs: [] });
});

test("a fault of the program itself is told as that, exit 70", async () => {
  const { code, stderr } = await answer("", {}, {
    serve: () => Promise.reject(new TypeError("odd\n\u001b[2J")),
  });
  equal(code, 70);
  equal(
    stderr,
    "Cannot go on: a fault of sotto-server itself (TypeError: odd␊␛[2J); " +
      "please report it with what you typed, without secrets.\n",
  );
});

test("--help tells all that works and nothing else, wherever it stands", async () => {
  const { code, stdout, stderr } = await answer("--help");
  equal(code, 0);
  equal(stderr, "");
  const flags = new Set(stdout.match(/--[a-z\-]+/g));
  deepEqual(
    [...flags].sort(),
    [
      "--address",
      "--cipher",
      "--console",
      "--data-dir",
      "--expires",
      "--fanout",
      "--fernet-key-file",
      "--fernet-listen",
      "--file-days",
      "--file-quota",
      "--help",
      "--host",
      "--key-file",
      "--port",
      "--psk-file",
      "--qr",
      "--reason",
      "--registration",
      "--retention",
      "--tls",
      "--tls-cert",
      "--tls-key",
      "--trace",
      "--uses",
      "--version",
    ],
  );
  for (const name of ["SOTTO_PSK", "XDG_DATA_HOME", "64 wrong command line", "78 configuration"]) {
    equal(stdout.includes(name), true, name);
  }
  for (const line of stdout.split("\n")) equal(line.length <= 100, true, line);
  for (const line of ["-h", "serve --help", "serve -h", "9000 --trace --help", "--help nonsense"]) {
    deepEqual(await answer(line), { code: 0, stdout, stderr: "", configs: [] }, line);
  }
});

test("--version tells name and release", async () => {
  for (const line of ["--version", "serve --version"]) {
    deepEqual(await answer(line), { code: 0, stdout: "sotto-server 1.2.3\n", stderr: "", configs: [] });
  }
});

async function answer(
  line: string | readonly string[],
  names: Readonly<Record<string, string>> = {},
  others: Partial<Parameters<typeof runServerCommand<Suite>>[1]> = {},
): Promise<Answer<ServerConfig<Suite>>> {
  const stdout = new Page();
  const stderr = new Page();
  const configs: ServerConfig<Suite>[] = [];
  const args = typeof line === "string" ? line.split(" ").filter((word) => word !== "") : line;
  const code = await runServerCommand<Suite>(args, {
    version: "1.2.3",
    suites: SUITES,
    environment: environmentOf(names),
    readSecret: (path) => Promise.resolve(`content of ${path}\n`),
    serve: (config) => {
      configs.push(config);
      return Promise.resolve();
    },
    administer: () => Promise.reject(new RangeError("nothing was to be administered")),
    seeTo: () => Promise.reject(new RangeError("no data folder was to be seen to")),
    stdout,
    stderr,
    ...others,
  });
  return { code, stdout: stdout.text, stderr: stderr.text, configs };
}
