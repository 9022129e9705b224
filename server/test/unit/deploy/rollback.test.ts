/**
 * Goal: a release that does not become well is taken back by itself, and the deployment says that
 * it failed. Method: the script of the workflow, with a `kubectl` that renders for real where it
 * can, and otherwise writes down what it was asked and fails where it is told to.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { test } from 'node:test';
import { withoutKustomize as skip } from '../../support/kubernetes.ts';

const SCRIPT = join(import.meta.dirname, '../../../../deploy/k8s/deploy.sh');
/** `FAIL` is a pattern of what fails, the first time it is asked for. */
const KUBECTL = `#!/bin/sh
if [ "$1" = kustomize ]; then PATH="$REAL_PATH" exec kubectl "$@"; fi
echo "$*" >> "$ASKED"
if [ "$1" = apply ]; then cat > "$APPLIED"; fi
if [ -n "$FAIL" ] && echo "$*" | grep -q "$FAIL" && [ ! -e "$ASKED.failed" ]; then
  touch "$ASKED.failed"
  exit 1
fi
`;

interface Deployed {
  readonly status: number | null;
  readonly asked: readonly string[];
  readonly applied: string;
  readonly said: string;
}

function deploy(fail: string, overlay = 'production'): Deployed {
  const folder = mkdtempSync(join(tmpdir(), 'esclusa-deploy-'));
  try {
    const [asked, applied] = [join(folder, 'asked'), join(folder, 'applied')];
    writeFileSync(join(folder, 'kubectl'), KUBECTL);
    chmodSync(join(folder, 'kubectl'), 0o755);
    const path = process.env.PATH ?? '';
    const env = {
      ...{ PATH: `${folder}${delimiter}${path}`, REAL_PATH: path, HOME: folder },
      ...{ ASKED: asked, APPLIED: applied, FAIL: fail, PATIENCE: '2m' },
      ...{ IMAGE: 'ghcr.io/example/esclusa', TAG: '1a2b3c' },
    };
    const done = spawnSync('sh', [SCRIPT, overlay], { env, encoding: 'utf8' });
    return {
      status: done.status,
      asked: readFileSync(asked, 'utf8').trim().split('\n'),
      applied: readFileSync(applied, 'utf8'),
      said: done.stderr,
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const STATUS = '-n esclusa rollout status statefulset/esclusa --timeout=2m';
const LOOK =
  '-n esclusa exec statefulset/esclusa -c esclusa -- node /app/bin/health.mjs /health/ready';
const UNDO = '-n esclusa rollout undo statefulset/esclusa';

test('a release that becomes well stays, with the images that were built', { skip }, () => {
  const { status, asked, applied } = deploy('');

  assert.equal(status, 0);
  assert.deepEqual(asked, ['apply -f -', STATUS, LOOK]);
  const images = [...applied.matchAll(/image: (\S+)/g)].map(([, image]) => image).sort();
  assert.deepEqual(images, [
    'ghcr.io/example/esclusa-backup:1a2b3c',
    ...['ghcr.io/example/esclusa:1a2b3c', 'ghcr.io/example/esclusa:1a2b3c'],
  ]);
});

for (const [what, fail, before] of [
  ['is not rolled out in time', 'rollout status', [STATUS]],
  ['is rolled out and not ready', 'health.mjs', [STATUS, LOOK]],
  ['is applied in part', '^apply', []],
] as const) {
  test(`a release that ${what} is taken back, and the deployment fails`, { skip }, () => {
    const { status, asked, said } = deploy(fail);

    assert.equal(status, 1);
    assert.deepEqual(asked, ['apply -f -', ...before, UNDO, STATUS]);
    assert.match(said, /1a2b3c is not well in esclusa: going back/);
  });
}

test('staging is deployed to its own namespace', { skip }, () => {
  const { status, asked } = deploy('', 'staging');

  assert.equal(status, 0);
  assert.ok(asked.includes(STATUS.replace('esclusa', 'esclusa-staging')), asked.join('\n'));
});
