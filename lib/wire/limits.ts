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

/** Longest body of a record: IV 16, the largest bucket with a block of CBC padding, tag 32. */
export const RECORD_BYTES_MAX = 16_448;

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

/** Most names in one presence message: with the longest names it still fits in the 4,096-octet bucket. */
export const PRESENCE_NAMES_MAX = 100;

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
