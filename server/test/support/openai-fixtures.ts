/**
 * The recorded bodies and streams of `test/fixtures/openai`, and ways to cut bytes up.
 */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';

export function openaiFixture(name: string): Buffer {
  return readFileSync(new URL(`../fixtures/openai/${name}`, import.meta.url));
}

/** Where to cut a stream: up to twenty places anywhere in its first `maxBytes`. */
export function cutPoints(maxBytes = 4_000): fc.Arbitrary<number[]> {
  return fc.array(fc.nat({ max: maxBytes }), { maxLength: 20 });
}

/** The bytes in pieces, cut at the given offsets; each piece has memory of its own. */
export function cutAt(bytes: Buffer, points: readonly number[]): Buffer[] {
  const starts = [0, ...points.map((at) => Math.min(at, bytes.length)).sort((a, b) => a - b)];
  return starts.map((start, i) => Buffer.from(bytes.subarray(start, starts[i + 1])));
}
