/**
 * A Lua script: sent by its hash, and in full where the server does not know it yet (after a
 * restart, a `SCRIPT FLUSH`, on another node).
 *
 * Every key must be in `keys`, and in a cluster all of them in one slot: share a hash tag.
 */
import { createHash } from 'node:crypto';
import type { RedisCommander } from 'ioredis';

export interface RedisScript {
  readonly lua: string;
  readonly sha: string;
}

export type ScriptValue = string | number | Buffer;

export function defineScript(lua: string): RedisScript {
  return { lua, sha: createHash('sha1').update(lua).digest('hex') };
}

/**
 * `EVALSHA` by another name, under which the library does not put it off to gather others; the
 * server takes capitals for the same.
 */
export const AT_ONCE = 'EVALSHA';

/** Runs a script; whole numbers arrive as numbers, text as strings. */
export function runScript(
  client: RedisCommander,
  script: RedisScript,
  keys: readonly string[],
  values: readonly ScriptValue[],
): Promise<unknown> {
  const rest = [keys.length, ...keys, ...values] as const;
  return client
    .call('evalsha', script.sha, ...rest)
    .catch((error) => orInFull(error, () => client.call('eval', script.lua, ...rest)));
}

/**
 * The same, for what was gathered from many: not gathered once more by the library. Answers
 * the words of the one text that the script returns.
 */
export async function runGathered(
  client: RedisCommander,
  script: RedisScript,
  keys: readonly string[],
  values: readonly ScriptValue[],
): Promise<readonly string[]> {
  const rest = [keys.length, ...keys, ...values] as const;
  const text = await client
    .call(AT_ONCE, script.sha, ...rest)
    .catch((error) => orInFull(error, () => client.call('eval', script.lua, ...rest)));
  return String(text).split(' ');
}

/** Methods that the library has and its types leave out. */
interface BufferEvaluator {
  evalshaBuffer(sha: string, keys: number, ...rest: ScriptValue[]): Promise<unknown>;
  evalBuffer(lua: string, keys: number, ...rest: ScriptValue[]): Promise<unknown>;
}

/**
 * The same; text arrives as buffers. Not by `callBuffer`, which loses its first word where
 * commands are pipelined by themselves.
 */
export function runScriptBuffer(
  client: RedisCommander,
  script: RedisScript,
  keys: readonly string[],
  values: readonly ScriptValue[],
): Promise<unknown> {
  const rest = [...keys, ...values];
  const evaluator = client as RedisCommander & BufferEvaluator;
  return evaluator
    .evalshaBuffer(script.sha, keys.length, ...rest)
    .catch((error: unknown) =>
      orInFull(error, () => evaluator.evalBuffer(script.lua, keys.length, ...rest)),
    );
}

function orInFull(error: unknown, send: () => Promise<unknown>): Promise<unknown> {
  const unknown = error instanceof Error && error.message.startsWith('NOSCRIPT');
  return unknown ? send() : Promise.reject(error);
}
