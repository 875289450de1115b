/**
 * A program that does nothing but say so: what a start takes at the least, to be set beside a server's.
 *
 * @module
 */

if (import.meta.main) console.log("here");
