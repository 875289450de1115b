/**
 * What each program may do, in one place, with how the engine treats its memory: the executables are compiled with these
 * flags, the tools start programs with them, and a test compares deno.json's tasks with them.
 *
 * @module
 */

/**
 * Has the engine look often for what nobody needs any more. Each of the small objects that it counts may stand for sixteen
 * kilobytes of a file that it does not: by its default a program that carries a file takes eighty MiB and more above what
 * it takes when it is idle, so thirty to forty.
 */
const YOUNG_MEMORY = "--v8-flags=--max-semi-space-size=2";

/** The composition roots, by the name of the executable that each becomes. */
export const PROGRAMS = [
  { executable: "sotto-server", root: "server.ts", permissions: serverPermissions() },
  { executable: "sotto", root: "client.ts", permissions: clientPermissions() },
] as const;

/**
 * The server: any address, file and folder may be named by a flag, so net, read and write cannot be narrowed
 * before the flags are known. It starts no program, loads no library and asks nothing of the system.
 */
export function serverPermissions(): readonly string[] {
  return [
    YOUNG_MEMORY,
    "--no-prompt",
    "--allow-net",
    "--allow-read",
    "--allow-write",
    "--allow-env=SOTTO_PSK,XDG_DATA_HOME,HOME,NO_COLOR",
  ];
}

/** The client: as the server, for the same reason, with its own variables. */
export function clientPermissions(): readonly string[] {
  return [
    YOUNG_MEMORY,
    "--no-prompt",
    "--allow-net",
    "--allow-read",
    "--allow-write",
    "--allow-env=SOTTO_PASSWORD,SOTTO_RECOVERY_CODE,SOTTO_PSK,SOTTO_FERNET_KEY,SOTTO_CONFIG_DIR,XDG_CONFIG_HOME,APPDATA,HOME,NO_COLOR",
  ];
}

/** The administration socket of a server in its data folder, as lib/admin has it: a test compares the two. */
export const ADMINISTRATION_SOCKET = "admin/socket";

/**
 * `permissions` confined to loopback and a server's own socket, and writing confined to `folder`: for programs that a
 * tool starts, the flags of which are known. Reading stays open, since a person may add a flag that names a file.
 */
export function confined(permissions: readonly string[], folder: string): readonly string[] {
  return permissions.map((flag) => {
    if (flag === "--allow-net") return `--allow-net=${["127.0.0.1", ...unixSockets(folder)].join(",")}`;
    return flag === "--allow-write" ? `--allow-write=${folder}` : flag;
  });
}

/** What lets a server in `folder` have its socket: Deno 2.9 wants a rule with its whole path, which 2.6 refuses. */
function unixSockets(folder: string): readonly string[] {
  const checkout = decodeURIComponent(new URL("..", import.meta.url).pathname);
  const rule = `unix:${folder.startsWith("/") ? folder : `${checkout}${folder}`}/${ADMINISTRATION_SOCKET}`;
  try {
    Deno.permissions.querySync({ name: "net", host: rule });
    return [rule];
  } catch (error) {
    if (error instanceof URIError) return [];
    throw error;
  }
}

/** The tests: loopback, the variables they read or hand to children, and the programs they start. */
export function testPermissions(deno: string): readonly string[] {
  return [
    "--no-prompt",
    "--allow-read",
    "--allow-write",
    "--allow-net=127.0.0.1,[::1],localhost,0.0.0.0",
    "--allow-env=SOTTO_TEST_SEED,SOTTO_TEST_FULL,SOTTO_WRITE_SCREENS,SOTTO_WRITE_SCENARIOS,SOTTO_OLD_DENO,SOTTO_DIST,SOTTO_PASSWORD,SOTTO_RECOVERY_CODE,SOTTO_PSK,SOTTO_CONFIG_DIR,XDG_DATA_HOME,XDG_CONFIG_HOME," +
    "HOME,PATH,TMPDIR,TERM,NO_COLOR,DENO_DIR,DENO_TLS_CA_STORE",
    `--allow-run=${deno},python3,openssl,tmux,cat,dist/sotto,dist/sotto-server`,
  ];
}

/**
 * The bench: loopback, a folder of its own, and the programs that it measures, the reader of /proc among them. `deno` is
 * the one that runs it, `compiler` the one that makes executables.
 */
export function benchPermissions(deno: string, compiler: string): readonly string[] {
  return [
    "--no-prompt",
    "--allow-read",
    "--allow-write=.sotto",
    "--allow-net=127.0.0.1",
    "--allow-env=DENO_COMPILE",
    `--allow-run=${deno},${compiler},cat,openssl,ngircd,nats-server,dist/sotto-server,${EMPTY_PROGRAM}`,
  ];
}

/** Where the bench has an executable of nothing: what a start takes at the least. */
export const EMPTY_PROGRAM = ".sotto/bench/empty";

/** The arguments of `deno` that run the tests in `paths`, with the packages that tests alone use. */
export function testArguments(deno: string, paths: readonly string[]): readonly string[] {
  return ["test", "--lock=tests/deno.lock", "--frozen", ...testPermissions(deno), ...paths];
}
