/**
 * The entrance: from a name and a server to a chat, by whatever it takes. It asks and connects
 * through what it is given; what follows from what is decided in `login_choice.ts` and `enrolment_choice.ts`.
 *
 * @module
 */

import type { LinkEnd } from "../secure/link.ts";
import { Failure } from "../text/failure.ts";
import { type Handle, handleFault, parseHandle } from "../text/handle.ts";
import type { Bytes } from "../wire/bytes.ts";
import { Chat, type ChatParts } from "./chat.ts";
import type { Dial } from "./connection.ts";

import { brokenOff } from "./ending.ts";
import { enrol, type EnteredAccount } from "./enrolment.ts";
import type { OwnKeys } from "./keepers.ts";
import {
  afterAttempt,
  attemptFor,
  deviceRefused,
  loginKind,
  type Wanted,
  wantedAccount,
} from "./login_choice.ts";
import { PasswordConnection } from "./password_connection.ts";
import type { Person } from "./person.ts";

/** How often a person may type a password: the next one is more likely a guess than a slip. */
export const PASSWORD_TRIES_MAX = 3;

/** What is wished for. */
export interface Wish {
  /** The name to go by. */
  readonly name: Handle;
  /** The server's host key, 32 octets, which is trusted. */
  readonly hostKey: Bytes;
  /** The server's address, as the person knows it. */
  readonly server: string;
  /** Whether the server is this very machine. */
  readonly loopback: boolean;
  /** `--register`. */
  readonly register: boolean;
  /** The code of an invitation. */
  readonly code: Bytes | undefined;
  /** Whether a person can be asked. */
  readonly terminal: boolean;
  /** What this device is to be called. */
  readonly device: string;
}

/** What coming in uses. */
export interface Outside extends Omit<ChatParts, "hostKey" | "server"> {
  /** Whoever sits there. */
  readonly person: Person;
  /** Connects. */
  readonly dial: Dial;
  /** A recovery code that was given beforehand. */
  readonly recoveryCode: string | undefined;
}

/** Who has logged in by password, and over what. */
interface Entered extends EnteredAccount {
  readonly connection: PasswordConnection;
  readonly handle: Handle;
}

/**
 * Comes in: logs in by the device's key, or registers or logs in by password and enrols this device first. Settles with a
 * chat that is let in. Throws a {@linkcode Failure} that says why there is none.
 */
export async function comeIn(wish: Wish, outside: Outside): Promise<Chat> {
  const own = await outside.ownKeys.load(wish.name);
  if (own === undefined || loginKind(wish, own) === "password") return await comeInByPassword(wish, outside);
  const chat = await converse(wish.name, own, { wish, outside });
  if (chat !== "deviceRefused") return chat;
  const refusal = deviceRefused(wish.name, wish.server);
  const question =
    `${refusal.message}\nIf only the device was revoked: log in by password now, and make this a new device?`;
  if (!wish.terminal || !await outside.person.confirm(question)) throw refusal;
  return await comeInByPassword({ ...wish, register: false, code: undefined }, outside, "existing");
}

/** Changes the password of an account. Throws a {@linkcode Failure} that says why it is the old one still. */
export async function renewPassword(wish: Wish, outside: Outside): Promise<void> {
  const { connection, handle } = await logIn(wish, outside, "existing");
  const password = await outside.person.newPassword();
  if (password === undefined || password === "") {
    await connection.close();
    throw new Failure("usage", `Cannot change the password of ${handle}: no new one was given; start again.`);
  }
  const answer = await connection.changePassword(password);
  await connection.close();
  if (answer.kind === "answered") return;
  if (answer.kind === "ended") throw await endedEarly(answer.end, { wish, outside });
  throw new Failure(
    "temporary",
    `Cannot change the password of ${handle} at ${wish.server}: the server does not do it; try again.`,
  );
}

async function comeInByPassword(wish: Wish, outside: Outside, wanted?: Wanted): Promise<Chat> {
  const entered = await logIn(wish, outside, wanted ?? wantedAccount(wish));
  const own = await enrolled(entered, { wish, outside });
  const chat = await converse(entered.handle, own, { wish, outside });
  if (chat === "deviceRefused") throw deviceRefused(entered.handle, wish.server);
  return chat;
}

async function enrolled(
  { connection, handle, ...entered }: Entered,
  { wish, outside }: { readonly wish: Wish; readonly outside: Outside },
): Promise<OwnKeys> {
  try {
    return await enrol(connection, entered, { ...wish, ...outside, handle });
  } finally {
    await connection.close();
  }
}

/** A chat that is let in, or the server's refusal of the device. */
async function converse(
  handle: Handle,
  own: OwnKeys,
  { wish, outside }: { readonly wish: Wish; readonly outside: Outside },
): Promise<Chat | "deviceRefused"> {
  const parts: ChatParts = { ...outside, hostKey: wish.hostKey, server: wish.server };
  const chat = await Chat.prepare(handle, own, parts);
  const connection = await outside.dial((link) => chat.carry(link)).catch((failure) => {
    chat.abandon();
    throw failure;
  });
  const running = chat.run(connection, outside.dial);
  // A fault of ours is told where the end is waited for.
  running.catch(() => {});
  const admission = await chat.admission;
  if (admission === "admitted") return chat;
  await running;
  if (admission === "deviceRefused") return admission;
  throw await chat.outcome ?? await endedEarly(await connection.ended, { wish, outside });
}

/** Where a login by password stands between two connections. */
interface Progress {
  readonly handle: Handle;
  readonly password: string;
  readonly passwordAgain: boolean;
  readonly wanted: Exclude<Wanted, "ask">;
  readonly triesLeft: number;
}

/** Registers or logs in by password, over as many connections as it takes: none of them waits for a person. */
async function logIn(wish: Wish, outside: Outside, wanted: Wanted): Promise<Entered> {
  let progress: Progress = {
    handle: wish.name,
    wanted: wanted === "ask" ? await askWanted(wish, outside) : wanted,
    password: await askPassword(wish.name, undefined, outside),
    passwordAgain: false,
    triesLeft: PASSWORD_TRIES_MAX - 1,
  };
  for (;;) {
    const next = await attempt(progress, { wish, outside });
    if ("connection" in next) return next;
    progress = next;
  }
}

/** One connection: logged in, or what to try next. */
async function attempt(
  progress: Progress,
  { wish, outside }: { readonly wish: Wish; readonly outside: Outside },
): Promise<Entered | Progress> {
  const { handle, password, wanted, passwordAgain, triesLeft } = progress;
  const { terminal, server, code } = wish;
  const credentials = { handle, password, attempt: attemptFor(wanted, { code, terminal, passwordAgain }) };
  const connection = await outside.dial((link) => new PasswordConnection(link, credentials, outside));
  const outcome = await connection.outcome;
  if (outcome.kind === "entered") {
    const { account, registered } = outcome;
    return { connection, handle, account, registered };
  }
  const end = await connection.close();
  if (outcome.kind === "ended") throw await endedEarly(end, { wish, outside });
  const after = afterAttempt(outcome, { handle, server, terminal, triesLeft });
  switch (after.kind) {
    case "fail":
      throw after.failure;
    case "passwordAgain":
      return { ...progress, ...await askPasswordAgain(progress, outside) };
    case "anotherPassword":
      return {
        ...progress,
        password: await askPassword(handle, after.sentence, outside),
        // Whoever logs in to an account that is there does not make one by a slip.
        wanted: "existing",
        triesLeft: triesLeft - 1,
      };
    case "anotherName":
      return { ...progress, ...await askName(progress, after.sentence, outside) };
  }
}

async function askWanted({ name, server }: Wish, { person }: Outside): Promise<"new" | "existing"> {
  const question = `This device has no keys of ${name} at ${server}. Make a new account of that name there?`;
  return await person.confirm(question) ? "new" : "existing";
}

async function askPassword(
  handle: Handle,
  sentence: string | undefined,
  { person }: Outside,
): Promise<string> {
  const password = await person.password(sentence);
  if (password !== undefined && password !== "") return password;
  throw new Failure(
    "usage",
    `Cannot log in as ${handle}: there is no password; give one in SOTTO_PASSWORD or --password-file.`,
  );
}

async function askPasswordAgain(
  { handle, password, triesLeft }: Progress,
  outside: Outside,
): Promise<Pick<Progress, "password" | "passwordAgain" | "triesLeft">> {
  let first = password;
  for (let tries = triesLeft;; tries--) {
    const again = await outside.person.passwordAgain(first);
    if (again === first) return { password: first, passwordAgain: true, triesLeft: tries };
    if (again === undefined) {
      throw new Failure("usage", `Cannot register ${handle}: a question was left unanswered; start again.`);
    }
    if (tries === 0) {
      throw new Failure(
        "usage",
        `Cannot register ${handle}: the passwords were never the same; start again.`,
      );
    }
    first = await askPassword(handle, "The passwords are not the same; type a new one", outside);
  }
}

/** Another name is to be registered; the same one again is somebody's who has an account. */
async function askName(
  { handle, password }: Progress,
  sentence: string,
  outside: Outside,
): Promise<Pick<Progress, "handle" | "wanted" | "password">> {
  for (let told = sentence;;) {
    const text = await outside.person.anotherName(told);
    if (text === undefined) {
      throw new Failure(
        "usage",
        `Cannot register ${handle}: the name is taken, and no other was given; start again.`,
      );
    }
    const name = parseHandle(text);
    if (name === handle) return { handle, wanted: "existing", password };
    if (name !== undefined) return { handle: name, wanted: "new", password };
    told = handleFault(text) ?? sentence;
  }
}

async function endedEarly(
  end: LinkEnd,
  { wish, outside }: { readonly wish: Wish; readonly outside: Outside },
): Promise<Failure> {
  return end.kind === "hostKeyRefused"
    ? await outside.hostKeyChanged(end.hostKey)
    : brokenOff(end, wish.server);
}
