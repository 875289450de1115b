/**
 * What a client's connection tells its front end, whichever that is. All texts are as the peer wrote them: a
 * front end shows them through `lib/text/visible.ts` and in no other way.
 *
 * @module
 */

import type { Handle } from "../text/handle.ts";
import type { EntryBody, RoomRole, Visibility } from "../wire/entry_body.ts";
import type { FaultCode, RoomSettings } from "../wire/message.ts";
import type { Flaw } from "./keepers.ts";

/** Where the connection stands, as a person is told it. */
export type ConnectionState =
  /** Reaching the server and agreeing on keys. */
  | "connecting"
  /** Let in: what is sent now is heard. */
  | "ready"
  /** Ended by an authenticated close. */
  | "closed"
  /** Ended without one. */
  | "cut"
  /** The connection is gone, and is tried again after a pause. */
  | "waiting";

/** What became of something one says. Each state follows on the one before it; none is claimed before it is so. */
export type DeliveryState =
  /** It is kept here, and is sent as soon as there is a connection. */
  | "queued"
  /** The server has stored it. */
  | "sent"
  /** A device of everybody else in the room has it. */
  | "delivered"
  /** Everybody else in the room has read it. */
  | "read";

/** What every entry of a room's log has, whatever it says. Times are in milliseconds since 1970, by the server's clock. */
export interface EntryFacts {
  /** `#name`, or `@handle` of the other in a direct conversation. */
  readonly room: string;
  /** Its number in the room's log. */
  readonly sequence: number;
  /** The entry's id, 32 hex digits. */
  readonly id: string;
  /** Who wrote it: an account's handle, `console` for the operator, `server`, or what the bridge calls its guest. */
  readonly from: string;
  /** The display name of the account, where it has one. */
  readonly display: string | undefined;
  /** How far its author is known; only where it is verified. */
  readonly trust: AuthorTrust | undefined;
  /** Where it comes from: an account's device, the operator, the bridge, or the server itself. */
  readonly source: "member" | "console" | "bridge" | "server";
  /** The name of the device that signed it, where that is known. */
  readonly device: string | undefined;
  /** Whether one has said it oneself. */
  readonly own: boolean;
  /** When the server took it, in milliseconds since 1970. */
  readonly time: number;
  /**
   * Whether it fits the log as known here and is signed by a device certified by the identity first seen (☒); where not,
   * `reason` says why (☐). What the host key signs carries no mark: it is neither verified nor has a reason.
   */
  readonly verified: boolean;
  /** Why it is not, where it carries a mark and is not. */
  readonly reason: string | undefined;
  /** Whether it was told before, and is shown again because somebody asked for history. */
  readonly history: boolean;
}

/** How far whoever signed a message is known. */
export type AuthorTrust =
  /** It is oneself, here or on another device of one's own. */
  | "own"
  /** The identity is the one first seen under that name. */
  | "seen"
  /** Its safety words were compared, too. */
  | "verified";

/** One thing that happened. Times are in milliseconds since 1970, by the server's clock. */
export type ClientEvent =
  | { readonly type: "state"; readonly state: ConnectionState; readonly detail: string | undefined }
  /** Something was said: a text, a reply, a file or a line that no account wrote. One's own, when it is stored. */
  | EntryFacts & {
    readonly type: "message";
    readonly kind: "text" | "reply" | "file" | "notice";
    readonly text: string;
    /** What a reply answers: its number, and what is known of it. */
    readonly about: {
      readonly sequence: number;
      readonly from: string | undefined;
      readonly text: string | undefined;
    } | undefined;
    /** Of a file. */
    readonly file: { readonly id: string; readonly name: string; readonly size: number } | undefined;
    /** Whether it was edited since: `text` is the newest. */
    readonly edited: boolean;
    /** Whether it was deleted, and by whom: the text is empty then. */
    readonly deletedBy: string | undefined;
    /** How often each reaction was given. */
    readonly reactions: readonly { readonly reaction: string; readonly by: readonly string[] }[];
  }
  /** Something was done in a room: whatever else stands in its log. */
  | EntryFacts & {
    readonly type: "log";
    /** What was done, as its author signed it; `undefined` where it was erased or cannot be read. */
    readonly what: EntryBody | undefined;
    /** The entry that it is about, where it is about one. */
    readonly about: {
      readonly sequence: number;
      readonly from: string | undefined;
      readonly text: string | undefined;
    } | undefined;
  }
  /** One's own entry is stored; comes right after its `message` or `log`. */
  | {
    readonly type: "ack";
    readonly room: string;
    readonly id: string;
    readonly sequence: number;
    readonly time: number;
  }
  /** One's own entry waits to be sent. */
  | {
    readonly type: "queued";
    readonly room: string;
    readonly id: string;
    readonly text: string;
    /** Milliseconds that slow mode has it wait; `undefined` where there is no connection. */
    readonly wait: number | undefined;
  }
  /** What became of one's own entries up to that number. */
  | {
    readonly type: "delivery";
    readonly room: string;
    readonly sequence: number;
    readonly state: "delivered" | "read";
  }
  /** Who is at hand, of all with whom one shares a room: all who are, once connected (`here`), and then every change. */
  | {
    readonly type: "presence";
    readonly change: "here" | "online" | "away" | "offline";
    readonly names: readonly Handle[];
    /** What they say of their being away. */
    readonly text: string | undefined;
    readonly time: number;
  }
  | { readonly type: "typing"; readonly room: string; readonly handle: Handle; readonly on: boolean }
  /** A room that one is in: at the beginning, when one comes in, and when something about it has changed. */
  | RoomFacts & { readonly type: "room"; readonly news: "here" | "joined" | "changed" }
  /** One is not in that room any more, or one's knock or invitation came to nothing. */
  | {
    readonly type: "gone";
    readonly room: string;
    /** `meanwhile`: it happened while there was no connection, and why is not known. */
    readonly why: "parted" | "kicked" | "banned" | "denied" | "uninvited" | "meanwhile";
  }
  /** Somebody asks: into a room of theirs (`invited`), for a direct conversation (`requested`), or into one's own (`knocking`). */
  | {
    readonly type: "request";
    readonly asks: "invited" | "requested" | "knocking";
    readonly room: string;
    /** Who asks, where that is known. */
    readonly handle: Handle | undefined;
    /** The safety words with whom asks for a direct conversation, where that person's keys are known. */
    readonly words: readonly string[];
  }
  /** The answer to `rooms`: the rooms one is in or was asked into. */
  | { readonly type: "rooms"; readonly rooms: readonly RoomFacts[] }
  /** The answer to `list`: rooms that anybody may join. */
  | {
    readonly type: "directory";
    readonly rooms: readonly { readonly room: string; readonly topic: string; readonly members: number }[];
  }
  /** The answer to `members`. */
  | {
    readonly type: "members";
    readonly room: string;
    readonly members: readonly {
      readonly handle: Handle;
      readonly role: RoomRole;
      readonly state: "online" | "away" | "offline";
    }[];
  }
  /** Where history that was asked for ends: `more` tells whether older entries are there. */
  | {
    readonly type: "page";
    readonly room: string;
    readonly first: number | undefined;
    readonly last: number | undefined;
    readonly more: boolean;
  }
  /** What is known of a room's log: whole up to `upTo`, but for the flaws. After `check`, and at every new flaw. */
  | {
    readonly type: "integrity";
    readonly room: string;
    /** The first entry from which on the log was verified. */
    readonly from: number;
    readonly upTo: number;
    readonly flaws: readonly Flaw[];
    /** Whether it was asked for. */
    readonly asked: boolean;
  }
  /** How far a file has come. */
  | {
    readonly type: "file";
    readonly way: "put" | "get";
    readonly room: string;
    /** The file's id, 32 hex digits. */
    readonly id: string;
    readonly name: string;
    readonly bytes: number;
    readonly size: number;
    readonly done: boolean;
    /** Where it was written to, once it is all there. */
    readonly path: string | undefined;
    /** Why it came to nothing here, in one sentence; what the server refuses is told as a `fault`. */
    readonly failure: string | undefined;
  }
  /** What has become known of a person's keys. */
  | {
    readonly type: "keys";
    readonly handle: Handle;
    readonly news: KeysNews;
    /** The device, or the display name, that the news is about, where it is about one. */
    readonly detail: string | undefined;
  }
  /** A new device of one's own asks to be approved: it shows the same words, or it is not yours. */
  | {
    readonly type: "approval";
    readonly name: string;
    readonly words: readonly string[];
  }
  /** The answer to `devices`: one's own devices, in the order in which they were added. */
  | { readonly type: "devices"; readonly devices: readonly DeviceLine[] }
  /** The answer to `whois`. */
  | {
    readonly type: "person";
    readonly handle: Handle;
    readonly display: string | undefined;
    /** The 12 safety words between that person and oneself, the same on both sides. */
    readonly words: readonly string[];
    readonly trust: "own" | "seen" | "verified" | "changed";
    readonly devices: readonly DeviceLine[];
  }
  /** Something asked for was done, which shows nowhere else: a sentence for people, without a full stop as all notices. */
  | { readonly type: "done"; readonly what: string }
  /** Something said or asked for was refused; `text` is what was said, where it was something. */
  | {
    readonly type: "fault";
    readonly code: FaultCode;
    readonly room: string | undefined;
    readonly about: string | undefined;
    readonly text: string | undefined;
    /** Milliseconds after which it may be tried again. */
    readonly wait: number | undefined;
  }
  /** At the end: one's own message that the server has not acknowledged. It is kept, and sent when the client runs again. */
  | { readonly type: "unacknowledged"; readonly room: string; readonly id: string; readonly text: string };

/** A room as its person sees it. */
export interface RoomFacts {
  /** `#name`, or `@handle` of the other in a direct conversation. */
  readonly room: string;
  /** Whether it has a name and any number of members, or is a conversation of two. */
  readonly kind: "open" | "direct";
  /** Whether one is in it, or who waits for whose word. */
  readonly standing: "member" | "invited" | "knocking" | "requested";
  /** What one may do in it; `undefined` where one is not in it. */
  readonly role: RoomRole | undefined;
  /** What was settled for it. */
  readonly settings: RoomSettings;
  /** How many are in it. */
  readonly members: number;
  /** Messages of others that came after what one has read. */
  readonly unread: number;
  /** The number of the last entry. */
  readonly last: number;
}

/** What can become known of a person's keys after the first sight of them. */
export type KeysNews =
  /** A device was added to the signed list. */
  | "deviceAdded"
  /** A device was revoked in it. */
  | "deviceRevoked"
  /** Another display name stands in it. */
  | "renamed"
  /** Another identity key: somebody else, or the same person without the old keys. Doubtful until accepted. */
  | "identityChanged"
  /** The server gave a list older than the one known, two lists of one number, or one that does not verify: refused. */
  | "listRefused";

/** A device as a person sees it. Times are in milliseconds since 1970. */
export interface DeviceLine {
  /** What its owner called it. */
  readonly name: string;
  /** When it was added. */
  readonly added: number;
  /** When it was revoked, where it was. */
  readonly revoked: number | undefined;
  /** Whether it is the one in use here. */
  readonly here: boolean;
}

/**
 * What a front end asks of the connection. Rooms are `#name`, or `@handle` for a direct conversation; entries are their
 * numbers in the room's log.
 */
export type ClientRequest =
  | { readonly type: "send"; readonly room: string; readonly text: string }
  | { readonly type: "reply"; readonly room: string; readonly sequence: number; readonly text: string }
  | { readonly type: "edit"; readonly room: string; readonly sequence: number; readonly text: string }
  | { readonly type: "delete"; readonly room: string; readonly sequence: number }
  | {
    readonly type: "react";
    readonly room: string;
    readonly sequence: number;
    readonly reaction: string;
    readonly on: boolean;
  }
  | { readonly type: "pin"; readonly room: string; readonly sequence: number; readonly on: boolean }
  /** Puts a file of this machine into a room. */
  | { readonly type: "put"; readonly room: string; readonly path: string }
  /** Fetches the file of an entry, into `path` or under its own name, made safe. */
  | {
    readonly type: "get";
    readonly room: string;
    readonly sequence: number;
    readonly path: string | undefined;
  }
  | { readonly type: "topic"; readonly room: string; readonly topic: string }
  | { readonly type: "create"; readonly room: string; readonly visibility: Visibility }
  /** Comes into a room, or takes up an invitation to it. */
  | { readonly type: "join"; readonly room: string }
  | { readonly type: "part"; readonly room: string }
  | { readonly type: "knock"; readonly room: string }
  | { readonly type: "invite" | "uninvite"; readonly room: string; readonly handle: string }
  /** Lets in who knocks at a room; with `@handle` as the room, takes up that person's request. */
  | { readonly type: "allow" | "deny"; readonly room: string; readonly handle: string }
  | { readonly type: "rename"; readonly room: string; readonly name: string }
  | { readonly type: "visibility"; readonly room: string; readonly visibility: Visibility }
  | { readonly type: "newcomers"; readonly room: string; readonly history: number | "all" }
  | { readonly type: "retention"; readonly room: string; readonly days: number }
  | { readonly type: "slow"; readonly room: string; readonly seconds: number }
  | { readonly type: "lockdown"; readonly room: string; readonly on: boolean }
  | { readonly type: "role"; readonly room: string; readonly handle: string; readonly role: RoomRole }
  | {
    readonly type: "kick";
    readonly room: string;
    readonly handle: string;
    readonly reason: string | undefined;
  }
  | {
    readonly type: "ban" | "mute";
    readonly room: string;
    readonly handle: string;
    /** For how long, in milliseconds; without it, until it is taken back. */
    readonly lasting: number | undefined;
    readonly reason: string | undefined;
  }
  | { readonly type: "unban" | "unmute"; readonly room: string; readonly handle: string }
  /** Tell one's rooms, with what is unread. */
  | { readonly type: "rooms" }
  /** Tell the rooms that anybody may join. */
  | { readonly type: "list" }
  | { readonly type: "members"; readonly room: string }
  /** Tell older entries: the newest before one, those around one, or those from a time on. */
  | {
    readonly type: "history";
    readonly room: string;
    readonly where:
      | { readonly from: "before"; readonly sequence: number | undefined }
      | { readonly from: "around"; readonly sequence: number }
      | { readonly from: "since"; readonly time: number };
    readonly limit: number;
  }
  /** Tell what is known of the log of a room. */
  | { readonly type: "check"; readonly room: string }
  /** One has read a room up to its end. */
  | { readonly type: "read"; readonly room: string }
  | { readonly type: "typing"; readonly room: string; readonly on: boolean }
  | { readonly type: "away"; readonly text: string | undefined }
  | { readonly type: "back" }
  /** The server takes no direct messages of that person for oneself. */
  | { readonly type: "block" | "unblock"; readonly handle: string }
  /** What that person says is not shown here. */
  | { readonly type: "ignore" | "unignore"; readonly handle: string }
  /** Whether others are told what one has read, and that one writes. */
  | { readonly type: "receipts" | "typingShown"; readonly on: boolean }
  /** Tell one's own devices. */
  | { readonly type: "devices" }
  /** Approve the new device of that name that asks for it. */
  | { readonly type: "approve"; readonly name: string }
  /** Revoke one's device of that name: it is out at once, and for ever. */
  | { readonly type: "revoke"; readonly name: string }
  /** Take another display name; the empty text takes it away. */
  | { readonly type: "nick"; readonly display: string }
  /** Tell what is known of a person, safety words included. */
  | { readonly type: "whois"; readonly handle: string }
  /** Note that the safety words were compared and are the same. */
  | { readonly type: "verify"; readonly handle: string }
  /** Take a person's changed identity for theirs. */
  | { readonly type: "accept"; readonly handle: string }
  /** Say what is queued, close, and end. */
  | { readonly type: "quit" };

/** What a front end is given to talk through. */
export interface Talk {
  /** Who is speaking. */
  readonly name: Handle;
  /** The next event; `undefined` when the last has been given. A front end that does not ask slows the server's sending. */
  nextEvent(): Promise<ClientEvent | undefined>;
  /**
   * Does what was asked; settles when more may be asked, which a full window of unacknowledged messages delays. `undefined`
   * when it was taken, else one sentence that says why not (text too long, no such room, connection gone).
   */
  request(request: ClientRequest): Promise<string | undefined>;
  /** Whether one is in a room of that label, as far as that is known at this moment. */
  isIn(room: string): boolean;
}
