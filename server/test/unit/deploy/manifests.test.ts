/**
 * Goal: no cluster refuses what is deployed, and none ignores a part of it for its spelling.
 * Method: every document as kustomize and Helm render it, against the schemas of Kubernetes and
 * of the Prometheus operator: values by their validators, names of members by their types, since
 * a schema of Kubernetes lets unknown ones pass and a cluster drops them in silence.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseAllDocuments } from 'yaml';
import {
  charted,
  kustomized,
  type Manifest,
  withoutHelm,
  withoutKustomize,
} from '../../support/kubernetes.ts';

const ROOT = join(import.meta.dirname, '../../../..');
const TSC = join(ROOT, 'node_modules/.bin/tsc');
const FLAGS =
  '--ignoreConfig --noEmit --strict --skipLibCheck --target esnext --module nodenext --types node';
const CHECK_MS = 60_000;

/** The module that knows the kinds of an API. */
function moduleOf({ apiVersion }: Manifest): string {
  const isOperators = apiVersion.startsWith('monitoring.coreos.com/');
  const name = isOperators ? '@kubernetes-models/prometheus-operator' : 'kubernetes-models';
  return `${name}/${apiVersion}`;
}

/** Why a cluster would refuse it; null: it would not. */
async function faultOf(manifest: Manifest): Promise<string | null> {
  const kinds = await import(moduleOf(manifest));
  const Kind = kinds[manifest.kind];
  assert.ok(Kind !== undefined, `${manifest.apiVersion} has a ${manifest.kind}`);
  try {
    new Kind(manifest).validate();
    return null;
  } catch (error) {
    return `${manifest.kind}/${manifest.metadata.name}: ${(error as Error).message}`;
  }
}

/** What the types say of members that no schema knows; empty: nothing. */
function misspelt(manifests: readonly Manifest[]): string {
  const cache = join(ROOT, 'node_modules/.cache');
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, 'manifests-'));
  try {
    const lines = manifests.map((manifest, at) => {
      const type = `import('${moduleOf(manifest)}').I${manifest.kind}`;
      return `export const m${at}: ${type} = ${JSON.stringify(manifest, null, 1)};`;
    });
    const file = join(folder, 'manifests.mts');
    writeFileSync(file, `${lines.join('\n')}\n`);
    const done = spawnSync(process.execPath, [TSC, ...FLAGS.split(' '), file], {
      encoding: 'utf8',
      timeout: CHECK_MS,
    });
    assert.equal(done.error, undefined);
    return done.status === 0 ? '' : `${done.stdout}${done.stderr}`;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function check(manifests: readonly Manifest[]): Promise<void> {
  const faults = await Promise.all(manifests.map(faultOf));
  assert.deepEqual(
    faults.filter((fault) => fault !== null),
    [],
  );
  assert.equal(misspelt(manifests), '');
}

for (const overlay of ['base', 'overlays/staging', 'overlays/production']) {
  test(`${overlay}: every document is as its schema says`, {
    skip: withoutKustomize,
  }, async () => {
    const manifests = await kustomized(overlay);

    assert.ok(manifests.length >= 13, `${manifests.length} documents`);
    await check(manifests);
  });
}

test('the chart with everything on: every document is as its schema says', {
  skip: withoutHelm,
}, async () => {
  const manifests = await charted({
    image: { pullSecrets: ['mine'] },
    storage: { className: 'fast' },
    monitoring: { enabled: true },
    backup: { enabled: true, schedule: '5 4 * * *', keep: 7, size: '5Gi', className: 'slow' },
    overrides: { 'Service/esclusa': { spec: { type: 'LoadBalancer' } } },
  });

  assert.ok(manifests.length >= 16, `${manifests.length} documents`);
  await check(manifests);
});

test('the example of the secrets is as its schema says', async () => {
  const text = readFileSync(join(ROOT, 'deploy/k8s/secrets.example.yaml'), 'utf8');
  await check(parseAllDocuments(text).map((document) => document.toJS() as Manifest));
});

test('what is wrong is found: a value, a missing member, and one that is misspelt', async () => {
  const pod = (container: object): Manifest => ({
    ...{ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' }, data: {} },
    spec: { containers: [container] },
  });
  const plain = ({ data: _data, ...rest }: Manifest) => rest as Manifest;

  assert.equal(await faultOf(plain(pod({ name: 'c' }))), null);
  assert.match((await faultOf(plain(pod({ image: 'c' })))) ?? '', /name/);
  assert.match((await faultOf(plain(pod({ name: 'c', tty: 'yes' })))) ?? '', /tty/);
  const typo = plain(pod({ name: 'c', readinesProbe: { periodSeconds: 1 } }));
  assert.equal(await faultOf(typo), null, 'no schema minds');
  assert.match(misspelt([typo]), /readinesProbe/);
});
