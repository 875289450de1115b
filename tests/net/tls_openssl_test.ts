import assert from "node:assert/strict";
import { connectTls } from "../../lib/net/tls.ts";
import { utf8, utf8Text } from "../../lib/wire/bytes.ts";
import { skipped, test, type TestBody } from "../sanitized.ts";
import { HOST, identity, listenHere, trustIn, writeAll } from "./tls_ends.ts";

/** No older TLS, and an end where the certificate is not the right one. */
const CLIENT = ["s_client", "-tls1_3", "-quiet", "-verify_return_error", "-verify_hostname", "sotto.invalid"];

const hasOpenssl = mayRunOpenssl();

opensslTest("openssl, given the server's certificate, talks TLS 1.3 with our server", async () => {
  const { listening, next } = listenHere();
  const folder = await Deno.makeTempDir();
  await Deno.writeTextFile(`${folder}/ca.pem`, identity.certificate);
  const child = openssl([
    ...CLIENT,
    "-CAfile",
    `${folder}/ca.pem`,
    "-connect",
    `${HOST}:${listening.at.port}`,
  ]);
  const input = child.stdin.getWriter();
  await input.write(utf8("ping\n"));
  const { socket } = await next();
  const buffer = new Uint8Array(100);
  const count = await socket.read(buffer);
  assert.equal(utf8Text(buffer.slice(0, count ?? 0)), "ping\n");
  await writeAll(socket, utf8("pong\n"));
  socket.close();
  const [{ code }, said, complaints] = await Promise.all([
    child.status,
    textOf(child.stdout),
    textOf(child.stderr),
  ]);
  assert.equal(said, "pong\n");
  assert.equal(code, 0, complaints);
  await input.close().catch(() => {});
  listening.close();
  await Deno.remove(folder, { recursive: true });
});

opensslTest("openssl without the server's certificate refuses our server", async () => {
  const { listening, next } = listenHere();
  const child = openssl([...CLIENT, "-connect", `${HOST}:${listening.at.port}`]);
  const { socket } = await next();
  await assert.rejects(socket.read(new Uint8Array(9)));
  socket.close();
  const [{ code }, , complaints] = await Promise.all([
    child.status,
    textOf(child.stdout),
    textOf(child.stderr),
  ]);
  assert.notEqual(code, 0);
  assert.match(complaints, /self.signed certificate/);
  await child.stdin.close();
  listening.close();
});

opensslTest("our client talks TLS with a server of openssl", async () => {
  const folder = await Deno.makeTempDir();
  await Deno.writeTextFile(`${folder}/cert.pem`, identity.certificate);
  await Deno.writeTextFile(`${folder}/key.pem`, identity.key);
  const files = ["-cert", `${folder}/cert.pem`, "-key", `${folder}/key.pem`];
  const child = openssl(["s_server", "-tls1_3", "-accept", `${HOST}:0`, "-naccept", "1", ...files]);
  const output = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const port = await until(output, /^ACCEPT [^\n]*:(\d+)$/m);
  const socket = await connectTls({ host: HOST, port: Number(port) }, trustIn(identity));
  await writeAll(socket, utf8("hello from sotto\n"));
  await until(output, /^(hello from sotto)$/m);
  socket.close();
  // Whose connections are all over ends by itself.
  while (!(await output.read()).done);
  await Promise.all([child.status, textOf(child.stderr), child.stdin.close()]);
  await Deno.remove(folder, { recursive: true });
});

function opensslTest(name: string, body: TestBody): void {
  if (hasOpenssl) test(name, body);
  else skipped(name, "openssl is missing or may not be run");
}

function mayRunOpenssl(): boolean {
  if (Deno.permissions.querySync({ name: "run", command: "openssl" }).state !== "granted") return false;
  try {
    return new Deno.Command("openssl", { args: ["version"], stdout: "null", stderr: "null" }).outputSync()
      .success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

function openssl(args: readonly string[]): Deno.ChildProcess {
  return new Deno.Command("openssl", { args: [...args], stdin: "piped", stdout: "piped", stderr: "piped" })
    .spawn();
}

async function textOf(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<string> {
  return await new Response(stream).text();
}

/** What the pattern's group holds, once the output has it. */
async function until(output: ReadableStreamDefaultReader<string>, pattern: RegExp): Promise<string> {
  let text = "";
  for (;;) {
    const found = pattern.exec(text)?.[1];
    if (found !== undefined) return found;
    const { done, value } = await output.read();
    if (done) assert.fail(`openssl ended; it had said: ${text}`);
    text += value;
  }
}
