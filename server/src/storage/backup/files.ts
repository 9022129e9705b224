/**
 * Files that are there whole or not at all, and that nobody but their owner may read.
 */
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream, existsSync } from 'node:fs';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { pipeline } from 'node:stream/promises';

const OWNER_ONLY_FILE = 0o600;
const OWNER_ONLY_FOLDER = 0o700;

export interface Digest {
  readonly bytes: number;
  readonly sha256: string;
}

export async function makeFolder(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: OWNER_ONLY_FOLDER });
}

/** Reads the whole file from the disk. */
export async function digestOf(path: string, signal: AbortSignal): Promise<Digest> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of createReadStream(path, { signal })) {
    hash.update(chunk);
    bytes += (chunk as Buffer).length;
  }
  return { bytes, sha256: hash.digest('hex') };
}

/** Copies what the file has now, to a file that must not exist yet. */
export async function copyPrivately(from: string, to: string, signal: AbortSignal): Promise<void> {
  const source = await open(from, 'r');
  await makeFolder(dirname(to));
  const target = createWriteStream(to, { flags: 'wx', mode: OWNER_ONLY_FILE, flush: true });
  await pipeline(source.createReadStream(), target, { signal }); // closes both
}

export async function writePrivately(path: string, text: string): Promise<void> {
  const file = await open(path, 'wx', OWNER_ONLY_FILE);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Makes what was written to a file or folder outlive a power cut. */
export async function sync(path: string): Promise<void> {
  if (process.platform === 'win32') return; // a folder cannot be opened there
  const file = await open(path, 'r');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Gives something its name. Throws what the disk said. */
export async function moveTo(from: string, to: string): Promise<void> {
  await makeFolder(dirname(to));
  await rename(from, to);
  await sync(dirname(to));
}

export async function remove(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true });
}

export function isThere(path: string): boolean {
  return existsSync(path);
}
