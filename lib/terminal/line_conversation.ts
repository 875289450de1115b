/**
 * What both variants of the line mode do alike: a line's meaning, an event's words, and the room one is in.
 *
 * @module
 */

import { type Command, type CommandRow, parseLine } from "../client/commands.ts";
import type { ClientEvent, ClientRequest, ConnectionState, Talk } from "../client/event.ts";
import { notThere } from "../client/room_sentences.ts";
import { visible } from "../text/visible.ts";
import type { Front } from "./exchange.ts";
import { refusalSentence } from "./fault_sentence.ts";
import { helpLines, rowHelpLines } from "./help.ts";
import type { Line } from "./layout.ts";
import { LineScene, restoredBy } from "./line_scene.ts";
import { inputFaultSentence, type InputLine, type LineSource } from "./lines.ts";
import { type Loss, lossOfEvent, lossOfRequest, saidText } from "./loss.ts";
import { quotedName } from "./names.ts";
import type { ModeOutcome } from "./output.ts";
import { type Clock, type Phrase, phraseOf } from "./phrase.ts";

/** What the two variants do differently. */
export interface Face {
  /** What is typed or piped in. */
  readonly input: LineSource;
  /** Whether a person sees what is shown as soon as it is, and types what comes in. */
  readonly attended: boolean;
  /** Columns of the screen at this moment. */
  columns(): number;
  /** Part of the conversation. */
  say(lines: readonly Line[]): Promise<void>;
  /** Safe sentences about it. */
  notify(sentences: readonly string[]): Promise<void>;
  /** What is typed from now on is said in `room`. */
  enter(room: string): Promise<void>;
}

/** What a conversation by lines is told. */
export interface LineConversationIo {
  /** Gives times of day. */
  readonly clock: Clock;
  /** Gives days; the empty text where there is none. */
  readonly day: Clock;
  /** The present time, in milliseconds since 1970. */
  readonly now: () => number;
  /** The fingerprint of the server's host key. */
  readonly fingerprint: string;
  /** The room that one is in at the beginning. */
  readonly room: string;
}

/** Entries that `/more` asks for: about two screens. */
const MORE_ENTRIES = 50;

/** Parts of a file's way that are told of, each once; of a small file none but the last. */
const FILE_PARTS = 10;

/** Octets from which on a file is not small. */
const FILE_PARTS_BYTES_MIN = 1_000_000;

/** States that come again with each try to connect, and are told of the first one alone. */
const TRYING: readonly ConnectionState[] = ["connecting", "waiting"];

/** A conversation by lines. */
export class LineConversation implements Front {
  readonly #talk: Talk;
  readonly #io: LineConversationIo;
  readonly #face: Face;
  readonly #scene: LineScene;
  readonly #fileParts = new Map<string, number>();
  /** Names of the files that are on their way. */
  readonly #files = new Map<string, string>();
  #numbers = false;
  #day: string;
  /** Where a text is being written at this moment. */
  #writing: string | undefined;
  #toldWriting: string | undefined;
  /** What came of a connection that was lost: whether it is on its way back, and how often that was told. */
  #outage: { readonly waits: number } | undefined;
  /** Entries that were kept for want of a connection, which has not come back since. */
  readonly #unsent = new Set<string>();
  #badInput = false;
  #undelivered = 0;

  /** Talks through `talk` and `face`. */
  constructor(talk: Talk, io: LineConversationIo, face: Face) {
    this.#talk = talk;
    this.#io = io;
    this.#face = face;
    this.#scene = new LineScene(io.room);
    this.#day = io.day(io.now());
  }

  /** What is typed or piped in. */
  get input(): LineSource {
    return this.#face.input;
  }

  /** How it went. */
  outcome(end: ModeOutcome["end"]): ModeOutcome {
    return { end, badInput: this.#badInput, undelivered: this.#undelivered };
  }

  /** Does what a line asks. */
  async take(line: InputLine): Promise<"quit" | "goOn"> {
    if (this.#face.attended && this.#scene.takeUnread()) {
      // Whoever types has seen what is above; that it was shown alone proves nothing.
      await this.#talk.request({ type: "read", room: this.#scene.room });
    }
    const command: Command = line.kind === "line"
      ? parseLine(line.text, this.#scene.at(this.#io.now()))
      : { kind: "refused", sentence: inputFaultSentence(line.fault) };
    if (command.kind === "quit" || command.kind === "ask" && command.request.type === "quit") return "quit";
    await this.#do(command);
    return "goOn";
  }

  /** Shows an event. */
  async show(event: ClientEvent): Promise<void> {
    const loss = lossOfEvent(event);
    if (loss !== undefined) this.#lost(loss);
    const phrase = this.#isShown(event)
      ? phraseOf(event, this.#io.clock, {
        numbers: this.#numbers,
        isPrivate: "room" in event && event.room !== undefined && this.#scene.isPrivate(event.room),
        restoredFrom: event.type === "integrity" ? this.#scene.restoredFrom(event.room) : undefined,
        isUnsent: event.type === "unacknowledged" && this.#unsent.has(event.id),
      })
      : undefined;
    await this.#note(event);
    if (phrase !== undefined) await this.#put(event, phrase);
  }

  /** Notes what the line being typed has come to. */
  edited(line: string): void {
    const isText = line.trim() !== "" && (!line.startsWith("/") || line.startsWith("//"));
    const room = isText ? this.#scene.room : undefined;
    if (room === this.#writing) return;
    this.#writing = room;
    // Later, so that of a paste, which is many lines at once, only the end counts.
    void Promise.resolve().then(() => this.#tellWriting());
  }

  /** Its person ends it while files are on their way, which the end waits for. */
  async leave(): Promise<void> {
    if (this.#files.size === 0) return;
    const names = Array.from(this.#files.values(), quotedName).join(", ");
    await this.#face.notify([`Waiting for ${names}; Ctrl-C again ends at once`]);
  }

  /** `count` messages that were typed and never had their turn. */
  async lose(count: number): Promise<void> {
    this.#undelivered += count;
    const what = count === 1 ? "the last line" : `the last ${count} lines`;
    await this.#face.notify([`Cannot send ${what}: the end came before their turn; send them again`]);
  }

  async #do(command: Exclude<Command, { kind: "quit" }>): Promise<void> {
    switch (command.kind) {
      case "nothing":
        return;
      case "refused":
        return await this.#refuse(command.sentence, "badInput");
      case "ask":
        return await this.#askAndGo(command.request, command.goTo);
      case "go":
        return await this.#go(command.room);
      case "more":
        if (this.#scene.isFirst) return await this.#face.say([dimmed(this.#beginning())]);
        return await this.#ask({
          type: "history",
          room: this.#scene.room,
          where: { from: "before", sequence: this.#scene.firstOfPage },
          limit: MORE_ENTRIES,
        });
      case "numbers":
        this.#numbers = command.on;
        return;
      case "topic":
        return await this.#face.say([dimmed(this.#topic())]);
      case "help":
        return await this.#help(command.row);
      case "fingerprint":
        return await this.#face.say([dimmed(`fingerprint ${this.#io.fingerprint}`)]);
    }
  }

  /**
   * A person sees where the next line will be heard, and stays where they are if nothing comes of it. What is piped in was
   * written before: it must not be heard in the room that one wanted to leave.
   */
  async #askAndGo(request: ClientRequest, room: string | undefined): Promise<void> {
    if (room !== undefined && !this.#face.attended) await this.#goTo(room);
    await this.#ask(request);
    if (room !== undefined && this.#face.attended && this.#talk.isIn(room)) await this.#goTo(room);
  }

  /** A conversation of two begins with what is said in it; a room has to be come into first. */
  async #go(room: string): Promise<void> {
    const isThere = room.startsWith("@") || this.#talk.isIn(room);
    if (isThere || !this.#face.attended) await this.#goTo(room);
    if (!isThere) await this.#refuse(visible(notThere(room)), "badInput");
  }

  /** What comes of it is an event. */
  async #ask(request: ClientRequest): Promise<void> {
    const sentence = await this.#talk.request(request);
    if (sentence === undefined) return;
    const remedy = request.type === "accept" ? this.#otherRemedy(request.handle) : "";
    await this.#refuse(
      refusalSentence(`${sentence}${remedy}`, saidText(request)),
      lossOfRequest(request, this.#talk),
    );
  }

  /** Two things are called accepting. */
  #otherRemedy(handle: string): string {
    const room = this.#scene.askedAt(handle);
    return room === undefined ? "" : `; what was asked in ${room} is granted by /allow ${handle}`;
  }

  async #refuse(sentence: string, loss: Loss): Promise<void> {
    this.#lost(loss);
    await this.#face.notify([sentence]);
  }

  #lost(loss: Loss): void {
    if (loss === "undelivered") this.#undelivered++;
    else this.#badInput = true;
  }

  async #goTo(room: string): Promise<void> {
    this.#scene.goTo(room);
    await this.#face.enter(room);
  }

  async #help(row: CommandRow | undefined): Promise<void> {
    const columns = this.#face.columns();
    const lines = row === undefined ? helpLines(columns) : rowHelpLines(row, columns);
    // Each by itself, since none belongs to the one above it as the lines of a message do.
    for (const line of lines) await this.#face.say([dimmed(line)]);
  }

  #beginning(): string {
    return `${visible(this.#scene.room)}: nothing comes before #${this.#scene.firstOfPage}`;
  }

  #topic(): string {
    const room = visible(this.#scene.room);
    const topic = this.#scene.facts?.settings.topic ?? "";
    return topic === "" ? `${room} has no topic` : `${room}: ${visible(topic)}`;
  }

  #tellWriting(): void {
    const [before, now] = [this.#toldWriting, this.#writing];
    if (before === now) return;
    this.#toldWriting = now;
    // Nobody depends on it, so its failure is told by what is asked next.
    const tell = (room: string, on: boolean) =>
      void this.#talk.request({ type: "typing", room, on }).catch(() => {});
    if (before !== undefined) tell(before, false);
    if (now !== undefined) tell(now, true);
  }

  async #note(event: ClientEvent): Promise<void> {
    const { room } = this.#scene;
    this.#scene.note(event);
    if (event.type === "state") this.#noteState(event.state);
    if (event.type === "queued" && event.wait === undefined) this.#unsent.add(event.id);
    if (event.type !== "log" || event.room !== room || event.what?.kind !== "room") return;
    if (event.what.body.act === "rename") await this.#goTo(event.what.body.name);
  }

  #noteState(state: ConnectionState): void {
    if (state === "cut") this.#outage = { waits: 0 };
    if (state === "waiting" && this.#outage !== undefined) this.#outage = { waits: this.#outage.waits + 1 };
    if (state !== "ready") return;
    this.#outage = undefined;
    this.#unsent.clear();
  }

  /** What is for programs, or would be too much. */
  #isShown(event: ClientEvent): boolean {
    switch (event.type) {
      case "typing":
        return this.#face.attended && event.room === this.#scene.room && event.room.startsWith("@");
      case "delivery":
        return this.#face.attended && event.room.startsWith("@") && event.state === "read";
      case "file":
        return this.#isNewPart(event);
      case "state":
        return this.#outage === undefined || event.state !== "connecting" && this.#outage.waits === 0 ||
          !TRYING.includes(event.state);
      case "room":
        return this.#outage === undefined || event.unread > 0;
      default:
        return true;
    }
  }

  #isNewPart({ way, id, name, bytes, size, done, failure }: Extract<ClientEvent, { type: "file" }>): boolean {
    const key = `${way} ${id}`;
    if (done || failure !== undefined) {
      this.#fileParts.delete(key);
      this.#files.delete(key);
      return true;
    }
    this.#files.set(key, name);
    const part = Math.floor(bytes / size * FILE_PARTS);
    if (size < FILE_PARTS_BYTES_MIN || part === this.#fileParts.get(key)) return false;
    this.#fileParts.set(key, part);
    return true;
  }

  async #put(event: ClientEvent, phrase: Phrase): Promise<void> {
    if (phrase.kind === "notice") return await this.#face.notify([phrase.sentence]);
    if (event.type === "message" || event.type === "log") await this.#tellDay(event.time);
    await this.#face.say(phrase.lines);
    const restored = event.type === "message" ? restoredBy(event) : undefined;
    if (restored === undefined) return;
    const what = `what came after #${restored} is lost`;
    await this.#face.say([dimmed(`* a backup was restored, the server says: ${what}; ask its operator`)]);
  }

  async #tellDay(time: number): Promise<void> {
    const day = this.#io.day(time);
    if (day === "" || day === this.#day) return;
    this.#day = day;
    await this.#face.say([dimmed(`* ${day}`)]);
  }
}

function dimmed(text: string): Line {
  return [{ text, style: "dim" }];
}
