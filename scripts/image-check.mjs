/**
 * `npm run image:check`: carries out the steps of the Dockerfile without Docker. The files it
 * copies, its installation, its environment and its command are read from it; the result is
 * started as an unprivileged user with a tree that cannot be written, and asked for its health
 * and for an answer. Needs root, as Docker does, and a network for `npm ci`.
 */
import { spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { root } from '../bin/runtime.mjs';

const NOBODY = 65534;
const START_MS = 30_000;
const KEY = 'esk_image_check_0123456789abcdefghijklmnopqrstuv';

/** @typedef {{ word: string, rest: string }} Step */

function check() {
  if (process.getuid?.() !== 0) {
    say('This needs root: the image is started as another user.');
    return 1;
  }
  const folder = mkdtempSync(join(tmpdir(), 'esclusa-image-'));
  chmodSync(folder, 0o755);
  return inside(folder).finally(() => rmSync(folder, { recursive: true, force: true }));
}

/** @param {string} folder */
async function inside(folder) {
  const app = join(folder, 'app');
  const data = join(folder, 'data');
  mkdirSync(app);
  mkdirSync(data, { mode: 0o700 });
  chownSync(data, NOBODY, NOBODY);
  const stages = stagesOf(readFileSync(join(root, 'deploy/docker/Dockerfile'), 'utf8'));
  if (stages.length !== 2) throw new Error('the Dockerfile has two stages');
  const [dependencies, gateway] = /** @type {[Step[], Step[]]} */ (stages);
  copyAll(dependencies, app);
  const install = dependencies.find(({ word }) => word === 'RUN')?.rest ?? '';
  say(`RUN ${install}`);
  if (spawnSync('sh', ['-c', install], { cwd: app, stdio: 'inherit' }).status !== 0) return 1;
  copyAll(gateway, app);
  const problems = problemsOf(app);
  spawnSync('chmod', ['-R', 'a-w,a+rX', app]);
  const env = { ...environmentOf(gateway), ...readable(data) };
  problems.push(...(await startAndAsk(app, env)));
  const bytes = spawnSync('du', ['-sb', app]).stdout.toString().split('\t')[0];
  say(`${Math.round(Number(bytes) / 1e6)} MB without the base`);
  for (const problem of problems) say(`✖ ${problem}`);
  if (problems.length === 0) say('✔ the image starts, is healthy and answers');
  return problems.length === 0 ? 0 : 1;
}

/**
 * @param {string} text
 * @returns {Step[][]} the steps of each stage, lines that go on put together
 */
function stagesOf(text) {
  const lines = text
    .replaceAll(/^#.*\n/gm, '')
    .replaceAll(/\\\n\s*/g, '')
    .split('\n')
    .filter((line) => line.trim() !== '');
  /** @type {Step[][]} */
  const stages = [];
  for (const line of lines) {
    const [word = '', ...rest] = line.split(/\s+/);
    if (word === 'FROM') stages.push([]);
    else stages.at(-1)?.push({ word, rest: rest.join(' ') });
  }
  return stages;
}

/**
 * @param {readonly Step[]} steps
 * @param {string} app
 */
function copyAll(steps, app) {
  for (const { word, rest } of steps) {
    if (word !== 'COPY' || rest.startsWith('--from')) continue;
    const words = rest.split(' ');
    const to = /** @type {string} */ (words.pop());
    for (const from of words)
      copy(from, to.endsWith('/') ? join(app, to, basename(from)) : join(app, to));
  }
}

/**
 * @param {string} from
 * @param {string} to
 */
function copy(from, to) {
  // As .dockerignore: no tests, no dependencies of the machine.
  const filter = (/** @type {string} */ path) => !/\/(node_modules|test)$/.test(path);
  cpSync(join(root, from), to, { recursive: true, filter });
}

/** @param {readonly Step[]} steps */
function environmentOf(steps) {
  const words = steps.filter(({ word }) => word === 'ENV').flatMap(({ rest }) => rest.split(' '));
  return Object.fromEntries(words.filter(Boolean).map((word) => word.split('=', 2)));
}

/** @param {string} data */
function readable(data) {
  return {
    ...{ HOST: '127.0.0.1', PORT: '18099', ESCLUSA_DATA_DIR: data, ESCLUSA_ADMIN_KEY: KEY },
    ...{ NODE_COMPILE_CACHE: join(data, '.compile-cache'), PATH: process.env.PATH ?? '' },
  };
}

/**
 * What must not be in an image, and what must.
 *
 * @param {string} app
 */
function problemsOf(app) {
  const modules = readdirSync(join(app, 'node_modules'));
  const tools = ['typescript', 'knip', 'fast-check', '.cache', '@biomejs'];
  const there = modules.filter((name) => tools.includes(name) || /^node-(linux|win)/.test(name));
  const problems = there.map((name) => `node_modules/${name} is in the image`);
  const rust = readdirSync(join(app, 'node_modules/@node-rs'));
  if (!rust.some((name) => /^argon2-linux/.test(name))) problems.push('argon2 has no binary');
  if (existsSync(join(app, 'server/test'))) problems.push('the tests are in the image');
  return problems;
}

/**
 * @param {string} app
 * @param {Record<string, string>} env
 */
async function startAndAsk(app, env) {
  const as = { cwd: '/', env, uid: NOBODY, gid: NOBODY };
  const child = spawn(process.execPath, [join(app, 'bin/esclusa.mjs'), 'start'], as);
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      said = `${said}${chunk}`.slice(-4000);
    });
  }
  const problems = [];
  const startedMs = performance.now();
  const healthy = () => spawnSync(process.execPath, [join(app, 'bin/health.mjs')], as).status === 0;
  while (!healthy() && child.exitCode === null && performance.now() - startedMs < START_MS) {
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  say(`healthy after ${Math.round(performance.now() - startedMs)} ms`);
  if (!healthy()) problems.push(`it is not healthy:\n${said}`);
  else problems.push(...(await ask(env)));
  child.kill('SIGINT');
  const code = await new Promise((resolve) => child.once('exit', resolve));
  if (code !== 0) problems.push(`it ended with ${code}:\n${said}`);
  return problems;
}

/** @param {Record<string, string>} env */
async function ask({ PORT }) {
  const answer = await fetch(`http://127.0.0.1:${PORT}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'mock', messages: [{ role: 'user', content: 'hi' }] }),
  });
  return answer.status === 200 ? [] : [`a chat is answered with ${answer.status}`];
}

/** @param {string} line */
function say(line) {
  process.stdout.write(`${line}\n`);
}

process.exitCode = await check();
