/**
 * What both ends of the bridge know of each other's texts. All else is for people.
 *
 * @module
 */

/** Texts by which a guest takes its leave. */
export const LEAVING_TEXTS: readonly string[] = ["exit", "quit()", "/quit"];

/**
 * The server's last text to a guest that took its leave: all that the guest had said before was dealt with. Nobody's
 * line is like it: those begin with a name.
 */
export const FAREWELL = "* goodbye";

/** How a text begins by which the server refuses what a guest said. */
export const REFUSAL = "* Cannot ";

/** Longest line from a guest: the token of a text of 8,192 octets takes 11,020. A stranger costs no more memory. */
export const GUEST_LINE_BYTES_MAX = 12_288;

/**
 * Longest line from the server: a text of 8,192 octets made safe for a terminal has at most six times as many, and the
 * token of these takes 65,700.
 */
export const SERVER_LINE_BYTES_MAX = 98_304;
