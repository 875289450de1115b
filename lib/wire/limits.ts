/**
 * The limits that both ends of a connection must know to understand each other. PROTOCOL §9 has the same
 * table, and a test compares the two.
 *
 * @module
 */

/** Octets of a frame's length field. */
export const FRAME_HEADER_BYTES = 2;

/** Longest handshake message, header included; ML-KEM's 1,184-octet key fits with room for a version 2. */
export const HANDSHAKE_MESSAGE_BYTES_MAX = 2_048;

/** All a client may send before it is let in; a stranger costs the server no more memory than this. */
export const BEFORE_LOGIN_BYTES_MAX = 16_384;

/** Sizes an inner plaintext is padded to: an eavesdropper sees one of five. */
export const PADDING_BUCKETS_BYTES = [64, 256, 1_024, 4_096, 16_384] as const;

/** The largest bucket; what a record carries fits in it. */
export const INNER_BYTES_MAX = 16_384;

/**
 * Longest body of a record: kind, room and key id of a shared one 33, IV 16, the largest bucket with a block of CBC padding,
 * tag 32.
 */
export const RECORD_BYTES_MAX = 16_481;

/** From accepted (or connected) to the end of the handshake; longer is a stranger that trickles. */
export const HANDSHAKE_MS_MAX = 10_000;

/** From accepted to let in, the handshake included; a person may be asked something meanwhile. */
export const LOGIN_MS_MAX = 30_000;

/** Silence after which an end sends a ping, so that middleboxes keep the connection. */
export const PING_MS = 30_000;

/** Silence after which the other end is taken for dead: three pings lost. */
export const DEAD_MS = 90_000;

/** How long an end that closes waits for the other's close, since it last wrote something. */
export const CLOSE_MS_MAX = 5_000;

/** Age at which the server closes with `reconnect`: keys are agreed on anew at least daily. */
export const CONNECTION_MS_MAX = 86_400_000;

/** Longest encoded application message: what is left of the largest bucket after both headers. */
export const MESSAGE_BYTES_MAX = 16_379;

/** Longest text of one message in UTF-8; four times Signal's before it makes an attachment. */
export const TEXT_BYTES_MAX = 8_192;

/** Most devices one account's list names, revoked ones included: a person's machines over years, in 2.5 KiB. */
export const DEVICES_MAX = 24;

/** Longest display name and longest name of a device, in UTF-8: it stays part of one line. */
export const DISPLAY_NAME_BYTES_MAX = 64;

/** Longest encoded device list: version, handle, display name and {@linkcode DEVICES_MAX} devices. */
export const DEVICE_LIST_BYTES_MAX = 4_096;

/** Most cards in one message; fewer where they would not fit in it. */
export const CARDS_MAX = 64;

/** New devices of one account that may wait for approval at once; the oldest gives way. */
export const APPROVALS_WAITING_MAX = 4;

/** Longest encoded body of an entry: the longest text with the map around it, and some room for the kinds to come. */
export const BODY_BYTES_MAX = 8_448;

/** Longest topic of a room, in UTF-8: a line or two. */
export const TOPIC_BYTES_MAX = 256;

/** Longest reason of a moderation, in UTF-8. */
export const REASON_BYTES_MAX = 256;

/** Longest reaction, in UTF-8: the longest emoji of Unicode 16 has 35 octets. */
export const REACTION_BYTES_MAX = 40;

/** Longest retention of a room: ten years. */
export const RETENTION_DAYS_MAX = 3_650;

/** Longest pause of slow mode: six hours. */
export const SLOW_SECONDS_MAX = 21_600;

/** Most entries that one `read` gives: a few screens. */
export const PAGE_ENTRIES_MAX = 100;

/** Most accounts in one room: what its snapshot may cost at every change, and what names a person reads. */
export const ROOM_MEMBERS_MAX = 4_096;

/** Most rooms that one account may be in, direct conversations included. */
export const ROOMS_PER_ACCOUNT_MAX = 1_000;

/** Most people in a `presence`, `members` or `askCards`: with the longest names they still fit in one record. */
export const PEOPLE_MAX = 100;

/** Longest word about oneself beside "away", in UTF-8. */
export const STATUS_BYTES_MAX = 128;

/** Largest file: what a quota rather than this is to bound. */
export const FILE_BYTES_MAX = 2 ** 40;

/** Longest name of a file, in UTF-8: what common file systems take. */
export const FILE_NAME_BYTES_MAX = 255;

/** Octets of a file in one message, the last excepted: sixteen blocks short of the largest message, for the fields around. */
export const FILE_CHUNK_BYTES = 15_360;

/** Chunks of a file that may be on their way: about a megabyte hides the way there and back. */
export const FILE_WINDOW_CHUNKS = 64;
