/**
 * What carries a conversation at the moment: a connection, where there is one, and whether its person was let in by it.
 * Whoever waits for something to change waits here.
 *
 * @module
 */

import type { ClientMessage } from "../wire/message.ts";
import type { DeviceConnection } from "./device_connection.ts";

/** One conversation's. */
export class Carriage {
  #connection: DeviceConnection | undefined;
  #isIn = false;
  #isOver = false;
  #waiting: (() => void)[] = [];

  /** The connection by which its person is in; `undefined` where they are not. */
  get connection(): DeviceConnection | undefined {
    return this.#isIn ? this.#connection : undefined;
  }

  /** Whether no connection will carry it any more. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** A connection carries it from now on, by which nobody is in yet. */
  begin(connection: DeviceConnection): void {
    this.#connection = connection;
  }

  /** Its person is in. False where they were before. */
  letIn(): boolean {
    const isNew = !this.#isIn;
    this.#isIn = true;
    return isNew;
  }

  /** No connection carries it. */
  lose(): void {
    this.#connection = undefined;
    this.#isIn = false;
  }

  /** None ever will. */
  end(): void {
    this.#isOver = true;
    this.changed();
  }

  /** Sends something; without a connection it goes nowhere. */
  tell(message: ClientMessage): void {
    this.#connection?.send(message);
  }

  /** Settles with the next change of whatever is waited for. */
  change(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Something has changed that somebody may wait for; time has passed, for one. */
  changed(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
