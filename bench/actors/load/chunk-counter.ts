/**
 * Counts the JSON events of one SSE stream without parsing them: comments and `[DONE]` do not
 * count, and an event cut in two by the network counts once, where its beginning is complete.
 */

const START = 'data: {';

/** Returns a function that takes bytes as they arrive and says how many events began in them. */
export function createChunkCounter(): (bytes: Buffer) => number {
  let tail: Buffer | null = null;
  return (bytes) => {
    const text = tail === null ? bytes : Buffer.concat([tail, bytes]);
    let count = 0;
    let end = 0;
    for (let at = text.indexOf(START); at >= 0; at = text.indexOf(START, end)) {
      count += 1;
      end = at + START.length;
    }
    const keep = Math.min(START.length - 1, text.length - end);
    // A whole event ends in a newline: then nothing of the next one has arrived.
    tail = keep === 0 || text.at(-1) === 0x0a ? null : Buffer.from(text.subarray(-keep));
    return count;
  };
}
