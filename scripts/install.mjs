/**
 * Brings `node_modules` in line with the lockfile, only when it is not. Plain JavaScript that
 * Node 18 can read and without dependencies: it runs before there are any.
 *
 * 1. A stamp (hash of the lockfile and the platform) is written last, inside `node_modules`:
 *    npm empties that folder first, so an installation that failed or was cut leaves no stamp.
 * 2. One installation at a time: the lock lies outside of `node_modules`, and a lock whose owner
 *    is gone is taken over.
 * 3. A tree that npm itself completed for this very lockfile is adopted, not installed again.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { root } from '../bin/runtime.mjs';

const lockWaitLimitMs = 10 * 60_000;
const lockPollMs = 250;
const takeOverSettleMs = 500;
const keptOutputChars = 64_000;

const stampFile = join(root, 'node_modules', '.esclusa-install');
const lockFolder = join(root, '.cache');
const lockFile = join(lockFolder, 'install.lock');

/**
 * Installs the dependencies where needed.
 *
 * @returns {Promise<number>} 0 when they are in place, else an exit code, already explained
 */
export async function ensureInstalled() {
  const wanted = wantedStamp();
  if (isInstalled(wanted)) return 0;
  if (!(await acquireLock())) return 1;
  try {
    // Whoever held the lock before may have done the work.
    return isInstalled(wanted) ? 0 : await install(wanted);
  } finally {
    if (lockOwner() === process.pid) rmSync(lockFile, { force: true });
  }
}

function wantedStamp() {
  const hash = createHash('sha256').update(readFileSync(join(root, 'package-lock.json')));
  return `${hash.digest('hex')} ${process.platform}-${process.arch}\n`;
}

/** @param {string} wanted */
function isInstalled(wanted) {
  if (readOrEmpty(stampFile) === wanted) return true;
  if (!treeMatchesLockfile()) return false;
  try {
    writeFileSync(stampFile, wanted);
  } catch {
    // A read-only tree is compared again at the next start.
  }
  return true;
}

/** True where npm finished a tree (its own record is written last) with the lockfile's packages. */
function treeMatchesLockfile() {
  const record = readOrEmpty(join(root, 'node_modules', '.package-lock.json'));
  if (record === '') return false;
  const actual = JSON.parse(record).packages;
  const expected = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages;
  return Object.entries(expected).every(([path, entry]) => {
    if (!path.includes('node_modules/')) return true;
    const found = actual[path];
    // Optional packages are absent where they are for another platform.
    return found === undefined ? entry.optional === true : found.version === entry.version;
  });
}

/** @param {string} file */
function readOrEmpty(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

/** Resolves true with the lock held, or false (explained) when it stays with another too long. */
async function acquireLock() {
  mkdirSync(lockFolder, { recursive: true });
  const startedAtMs = Date.now();
  let isAnnounced = false;
  while (Date.now() - startedAtMs < lockWaitLimitMs) {
    if (takeFreeLock() || (await takeAbandonedLock())) return true;
    if (!isAnnounced) say('Another start is installing dependencies; waiting for it…\n');
    isAnnounced = true;
    await delay(lockPollMs);
  }
  say(`Process ${lockOwner()} still holds .cache/install.lock.\n`);
  say('If it is not an installation of Esclusa, delete that file and start again.\n');
  return false;
}

function takeFreeLock() {
  try {
    writeFileSync(lockFile, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

/** The last writer keeps an abandoned lock: everyone writes, lets it settle and reads again. */
async function takeAbandonedLock() {
  const owner = lockOwner();
  if (owner === undefined || isAlive(owner)) return false;
  const claim = `${lockFile}.${process.pid}`;
  writeFileSync(claim, String(process.pid));
  renameSync(claim, lockFile);
  await delay(takeOverSettleMs);
  return lockOwner() === process.pid;
}

/** Returns the owner's process id, 0 for an unreadable lock, undefined where there is none. */
function lockOwner() {
  const text = readOrEmpty(lockFile);
  return text === '' ? undefined : Number.parseInt(text, 10) || 0;
}

/** @param {number} pid */
function isAlive(pid) {
  if (pid === 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** @param {string} wanted */
async function install(wanted) {
  const startedAtMs = Date.now();
  const seconds = () => `${Math.round((Date.now() - startedAtMs) / 1000)} s`;
  const line = 'Installing dependencies (first start only)…';
  say(line);
  const ticker = process.stderr.isTTY
    ? setInterval(() => say(`\r${line} ${seconds()}`), 1000)
    : undefined;
  const { code, interrupted, output } = await runNpmCi();
  clearInterval(ticker);
  say(process.stderr.isTTY ? `\r${line} ${seconds()}\n` : ` ${seconds()}\n`);
  if (interrupted) {
    say('Interrupted. The same command starts the installation again.\n');
    return code;
  }
  if (code !== 0) {
    say(`\n${output.trim()}\n\n${adviceFor(output)}\n`);
    return code;
  }
  writeFileSync(stampFile, wanted);
  return 0;
}

/** @returns {Promise<{ code: number, interrupted: boolean, output: string }>} */
function runNpmCi() {
  const child = spawnNpmCi();
  let output = '';
  const keep = (/** @type {Buffer} */ chunk) => {
    output = (output + chunk.toString()).slice(-keptOutputChars);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  /** @type {NodeJS.Signals | undefined} */
  let received;
  const stop = (/** @type {NodeJS.Signals} */ signal) => {
    received ??= signal;
    child.kill(signal);
  };
  const signals = /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']);
  for (const signal of signals) process.on(signal, stop);
  return new Promise((resolve) => {
    const finish = (/** @type {number | null} */ code) => {
      for (const signal of signals) process.off(signal, stop);
      const signalled = received === undefined ? undefined : 128 + constants.signals[received];
      resolve({ code: signalled ?? code ?? 1, interrupted: signalled !== undefined, output });
    };
    child.once('error', (error) => {
      output += error.message;
      finish(1);
    });
    child.once('close', finish);
  });
}

function spawnNpmCi() {
  const flags = ['ci', '--ignore-scripts', '--loglevel=error', '--no-audit', '--no-fund'];
  /** @type {{ cwd: string, stdio: ['ignore', 'pipe', 'pipe'] }} */
  const options = { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] };
  const script = process.env.npm_execpath;
  if (!script?.endsWith('.js')) {
    return spawn('npm', flags, { ...options, shell: process.platform === 'win32' });
  }
  // npm's own Node, not the pinned one: npm is about to replace the pinned one's file.
  return spawn(process.env.npm_node_execpath ?? process.execPath, [script, ...flags], options);
}

/** @param {string} output */
function adviceFor(output) {
  const rows = /** @type {const} */ ([
    [/ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|network/i, networkAdvice],
    [/ENOSPC/, 'The disk is full: free about 600 MB.'],
    [/EACCES|EPERM|EROFS/, 'This folder is not writable for the current user.'],
    [/EUSAGE/, 'package.json and package-lock.json disagree: run `npm install` and commit both.'],
    [/EINTEGRITY/, 'A downloaded file was damaged: run `npm cache verify`.'],
  ]);
  const known = rows.find(([pattern]) => pattern.test(output));
  const advice = known?.[1] ?? 'npm could not install the dependencies; its message is above.';
  return `${advice}\nThen run the same command again: nothing else is left to clean up.`;
}

const networkAdvice =
  'The npm registry could not be reached: check the network, and the address that ' +
  '`npm config get registry` prints.';

/** @param {string} text */
function say(text) {
  process.stderr.write(text);
}
