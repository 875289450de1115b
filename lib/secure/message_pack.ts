/**
 * How a record of content `message` holds its messages: `u16 length | message`, one after the other (PROTOCOL §5.4).
 *
 * @module
 */

import { ByteReader, type Bytes, ByteWriter, concat } from "../wire/bytes.ts";
import { CONTENT_BYTES_MAX } from "./inner.ts";

/** Contents of as few records as hold `messages` in order, each message as `u16 length | message`. */
export function packMessages(messages: readonly Bytes[]): readonly Bytes[] {
  const contents: Bytes[] = [];
  let parts: Bytes[] = [];
  let used = 0;
  for (const message of messages) {
    const part = new ByteWriter(2 + message.length).integer(message.length, 2).put(message).bytes;
    if (used + part.length > CONTENT_BYTES_MAX) {
      contents.push(concat(...parts));
      parts = [];
      used = 0;
    }
    parts.push(part);
    used += part.length;
  }
  return parts.length === 0 ? contents : [...contents, concat(...parts)];
}

/** The messages in a record's content; `undefined` where there is none, one is empty or one is cut short. */
export function unpackMessages(content: Bytes): readonly Bytes[] | undefined {
  const reader = new ByteReader(content);
  const messages: Bytes[] = [];
  do messages.push(reader.take(reader.u16())); while (reader.whole && reader.remaining > 0);
  return reader.finished && messages.every((message) => message.length > 0) ? messages : undefined;
}
