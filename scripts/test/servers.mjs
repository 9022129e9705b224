/**
 * The programs that tests start: a real Redis, PostgreSQL and nginx, and the checker of alerts.
 * What is missing is installed where that is ours to do (as root on Debian), without starting
 * any service; elsewhere one line says what to install, and under `CI=true` that is a failure,
 * not a remark.
 */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/**
 * @typedef {object} Machine
 * @property {(name: string) => boolean} has whether a program can be started
 * @property {boolean} mayInstall
 * @property {boolean} isCi
 * @property {(packages: readonly string[]) => boolean} install whether that succeeded
 */

const servers = [
  { program: 'redis-server', package: 'redis-server' },
  { program: 'postgres', package: 'postgresql' },
  { program: 'nginx', package: 'nginx-light' },
  { program: 'promtool', package: 'prometheus' },
];
const debianPostgres = '/usr/lib/postgresql';
const policyFile = '/usr/sbin/policy-rc.d';
/** What Debian asks before it starts a service: never now. */
const policy = '#!/bin/sh\nexit 101\n';

/**
 * @param {(line: string) => void} say
 * @param {Machine} machine
 * @returns {boolean} false where the tests must not go on
 */
export function ensureServers(say, machine = thisMachine()) {
  const missing = () => servers.filter(({ program }) => !machine.has(program));
  const packages = missing().map((server) => server.package);
  if (packages.length === 0) return true;
  const command = `apt-get install -y ${packages.join(' ')}`;
  if (machine.mayInstall) {
    say(`Installing what the tests start: ${command}`);
    if (machine.install(packages) && missing().length === 0) return true;
  }
  const names = missing().map(({ program }) => program);
  say(`Tests that start ${names.join(' and ')} will fail: install them (on Debian: ${command})`);
  return !machine.isCi;
}

/** @returns {Machine} */
function thisMachine() {
  return {
    has: (name) => isOnPath(name) || (name === 'postgres' && isInDebiansFolder()),
    mayInstall: process.getuid?.() === 0 && existsSync('/etc/debian_version'),
    isCi: process.env['CI'] === 'true',
    install,
  };
}

/** @param {string} name */
function isOnPath(name) {
  // Debian keeps servers in /usr/sbin, which is not on everyone's path.
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin'];
  return folders.some((folder) => folder !== '' && isProgram(join(folder, name)));
}

/** Debian keeps the servers of all versions side by side, off the path. */
function isInDebiansFolder() {
  if (!existsSync(debianPostgres)) return false;
  const versions = readdirSync(debianPostgres);
  return versions.some((version) => isProgram(join(debianPostgres, version, 'bin', 'postgres')));
}

/** @param {string} file */
function isProgram(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** @param {readonly string[]} packages */
function install(packages) {
  const isOurs = !existsSync(policyFile);
  if (isOurs) writeFileSync(policyFile, policy, { mode: 0o755 });
  try {
    return aptGet('update') && aptGet('install', '-y', '--no-install-recommends', ...packages);
  } finally {
    if (isOurs) rmSync(policyFile, { force: true });
  }
}

/** @param {readonly string[]} words */
function aptGet(...words) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  return spawnSync('apt-get', ['-qq', ...words], { env, stdio: 'inherit' }).status === 0;
}
