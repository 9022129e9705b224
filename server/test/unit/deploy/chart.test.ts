/**
 * Goal: the chart sends what the Kubernetes base says, and its values change what they name and
 * nothing else. Method: Helm's own rendering compared with kustomize's, where both are there; the
 * values against their schema and against what the templates ask for, everywhere.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Ajv } from 'ajv';
import { parse } from 'yaml';
import {
  CHART,
  charted,
  kustomized,
  type Manifest,
  one,
  withoutHelm,
  withoutKustomize,
} from '../../support/kubernetes.ts';

const skip = withoutHelm || withoutKustomize;
const values = parse(read('values.yaml'));
const accepts = new Ajv({ allowUnionTypes: true }).compile(JSON.parse(read('values.schema.json')));
const templates = readdirSync(join(CHART, 'templates')).map((name) => ({
  name,
  text: read(`templates/${name}`),
}));

function read(path: string): string {
  return readFileSync(join(CHART, path), 'utf8');
}

/** What only one of the two writes: labels of the release, hashes of names and of contents. */
function bare(manifests: readonly Manifest[]): Map<string, unknown> {
  const plain = (text: string) => text.replaceAll(/(esclusa-(?:config|env))-[a-z0-9]{10}/g, '$1');
  const entries = manifests
    .filter(({ kind }) => kind !== 'Namespace')
    .map((manifest) => {
      const copy = JSON.parse(plain(JSON.stringify(manifest)));
      const { labels = {} } = copy.metadata;
      delete labels['helm.sh/chart'];
      delete labels['app.kubernetes.io/instance'];
      delete labels['app.kubernetes.io/managed-by'];
      const pod = copy.kind === 'StatefulSet' ? copy.spec.template : null;
      if (pod !== null) delete pod.metadata.annotations;
      for (const container of containersOf(copy)) delete container.imagePullPolicy;
      return [`${copy.kind}/${copy.metadata.name}`, copy] as const;
    });
  return new Map(entries.toSorted(([a], [b]) => a.localeCompare(b)));
}

interface Container {
  imagePullPolicy?: string;
  readonly image: string;
  readonly args: readonly string[];
  readonly envFrom: readonly { readonly secretRef?: { readonly name: string } }[];
}

function containersOf({ kind, spec }: Manifest): readonly Container[] {
  const template = kind === 'CronJob' ? spec.jobTemplate.spec.template : spec?.template;
  return [...(template?.spec.initContainers ?? []), ...(template?.spec.containers ?? [])];
}

test('without values the chart sends what the base says', { skip }, async () => {
  assert.deepEqual(bare(await charted()), bare(await kustomized('base')));
});

test('with backup and metrics it sends what the production overlay says', { skip }, async () => {
  const made = await charted({
    monitoring: { enabled: true },
    backup: { enabled: true },
    autoscaling: { max: 20 },
  });

  assert.deepEqual(bare(made), bare(await kustomized('overlays/production')));
});

test('values change what they name, and nothing else', { skip }, async () => {
  const manifests = await charted({
    image: { repository: 'registry.example/esclusa', tag: '9.9.9', pullSecrets: ['mine'] },
    secrets: { gateway: 'own' },
    replicas: 5,
    autoscaling: { enabled: false },
    resources: { limits: { memory: '2Gi' } },
    storage: { size: '20Gi', className: 'fast' },
    config: { drain_seconds: 30 },
    env: { LOG_LEVEL: 'debug', DB_POOL_SIZE: 7 },
    ingress: { host: 'llm.example.org', annotations: { 'example.org/a': 'b' } },
    networkPolicy: { enabled: false },
    overrides: {
      'StatefulSet/esclusa': { spec: { template: { spec: { nodeSelector: { disk: 'ssd' } } } } },
    },
  });
  const set = one(manifests, 'StatefulSet');
  const [claim] = set.spec.volumeClaimTemplates;
  const maps = manifests.filter(({ kind }) => kind === 'ConfigMap');
  const file = parse(maps.find(({ data }) => 'esclusa.yaml' in data)?.data['esclusa.yaml'] ?? '');
  const env = maps.find(({ data }) => 'LOG_LEVEL' in data)?.data ?? {};
  const ingress = one(manifests, 'Ingress');

  assert.equal(set.spec.replicas, 5);
  for (const container of containersOf(set)) {
    assert.equal(container.image, 'registry.example/esclusa:9.9.9');
    assert.ok(container.envFrom.some(({ secretRef }) => secretRef?.name === 'own'));
  }
  const pod = set.spec.template.spec;
  assert.deepEqual(pod.imagePullSecrets, [{ name: 'mine' }]);
  assert.deepEqual(pod.nodeSelector, { disk: 'ssd' });
  assert.equal(pod.terminationGracePeriodSeconds, 85);
  const { limits, requests } = pod.containers[0].resources;
  assert.deepEqual([limits.memory, `${limits.cpu}`, requests.memory], ['2Gi', '2', '256Mi']);
  assert.equal(claim.spec.storageClassName, 'fast');
  assert.equal(claim.spec.resources.requests.storage, '20Gi');
  assert.deepEqual([file.drain_seconds, file.drain_delay_seconds], [30, 10]);
  assert.deepEqual(
    [env.LOG_LEVEL, env.DB_POOL_SIZE, env.ENVIRONMENT],
    ['debug', '7', 'production'],
  );
  assert.equal(ingress.spec.rules[0].host, 'llm.example.org');
  assert.deepEqual(ingress.spec.tls[0].hosts, ['llm.example.org']);
  const kinds = manifests.map(({ kind }) => kind);
  assert.ok(!kinds.includes('NetworkPolicy') && !kinds.includes('HorizontalPodAutoscaler'));
});

test('the most processes there can be are what the connections are counted for', {
  skip,
}, async () => {
  const manifests = await charted({ autoscaling: { min: 2, max: 6 } });

  const { spec } = one(manifests, 'HorizontalPodAutoscaler');
  const env = manifests.find(({ data }) => data !== undefined && 'DB_PROCESSES' in data)?.data;
  assert.deepEqual([spec.minReplicas, spec.maxReplicas, env?.DB_PROCESSES], [2, 6, '6']);
});

test('pods are started anew where the configuration changes', { skip }, async () => {
  const checksum = async (changes: object) =>
    one(await charted(changes), 'StatefulSet').spec.template.metadata.annotations[
      'checksum/config'
    ];

  const base = await checksum({});
  assert.match(base, /^[0-9a-f]{64}$/);
  assert.equal(await checksum({ replicas: 4 }), base);
  assert.notEqual(await checksum({ config: { drain_seconds: 30 } }), base);
  assert.notEqual(await checksum({ env: { LOG_LEVEL: 'debug' } }), base);
});

test('the values are what their schema accepts, and no other names are', () => {
  assert.ok(accepts(values), JSON.stringify(accepts.errors));
  for (const wrong of [
    { image: { tags: 'x' } },
    { replicas: 0 },
    { autoscaling: { enabled: 'yes' } },
    { env: { log_level: 'debug' } },
    { storage: { size: '10' } },
    { overrides: { esclusa: {} } },
    { ingres: {} },
  ]) {
    assert.equal(accepts(wrong), false, JSON.stringify(wrong));
  }
});

test('templates ask for values there are, and every value is asked for', () => {
  const asked = new Set<string>();
  for (const { name, text } of templates) {
    for (const [, path = ''] of text.matchAll(/(?:\$values|\.Values)\.([A-Za-z.]+)/g)) {
      let found = values;
      for (const part of path.split('.')) {
        assert.ok(part in (found ?? {}), `${name}: .Values.${path}`);
        found = found[part];
      }
      asked.add(path);
    }
    for (const [, group = '', member = ''] of text.matchAll(/\$(ingress|backup)\.([A-Za-z]+)/g)) {
      assert.ok(member in values[group], `${name}: $${group}.${member}`);
      asked.add(`${group}.${member}`);
    }
  }
  const leaves = Object.entries<object | null>(values).flatMap(([group, members]) =>
    members !== null && typeof members === 'object' && Object.keys(members).length > 0
      ? Object.keys(members).map((member) => `${group}.${member}`)
      : [group],
  );
  for (const leaf of leaves) assert.ok(asked.has(leaf), `${leaf} is asked for`);
});

test('what templates open they close, and what they include is defined', () => {
  const all = templates.map(({ text }) => text).join('\n');
  const defined = new Set([...all.matchAll(/\{\{-? define "([^"]+)"/g)].map(([, name]) => name));
  for (const { name, text } of templates) {
    const words = [...text.matchAll(/\{\{-?\s*(if|range|with|define|end)\b/g)].map(([, w]) => w);
    const ends = words.filter((word) => word === 'end').length;
    assert.equal(words.length - ends, ends, name);
    assert.equal(text.split('{{').length, text.split('}}').length, name);
    for (const [, included] of text.matchAll(/include "([^"]+)"/g)) {
      assert.ok(defined.has(included), `${name}: ${included}`);
    }
  }
  const list = /has \$document\.kind \(list ([^)]*)\)/.exec(all)?.[1] ?? '';
  const kinds = [...list.matchAll(/"(\w+)"/g)].map(([, kind]) => kind);
  assert.ok(kinds.length >= 6);
  for (const kind of kinds) assert.ok(defined.has(`esclusa.${kind}`), kind);
});
