/**
 * What tells the connections of one run of a server apart.
 *
 * @module
 */

/** One connection, counted from the first of the run. */
export type PeerId = number;
