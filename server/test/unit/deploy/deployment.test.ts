/**
 * Goal: a deployment does not fail for a name that does not exist, loses no request for a time
 * that is too short, and gives nobody more than needed. Method: the files as Compose, Kustomize
 * and Docker read them, compared with the settings and with each other.
 */
import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { parse, parseAllDocuments } from 'yaml';
import { temporaryFolder } from '../../support/afterwards.ts';
import { kustomized, one, withoutKustomize as skip } from '../../support/kubernetes.ts';

const ROOT = join(import.meta.dirname, '../../../..');
const DOCKER = join(ROOT, 'deploy/docker');
const COMPOSE = ['compose.yml', 'compose.redis.yml', 'compose.full.yml'];
const OVERLAYS = ['base', 'overlays/staging', 'overlays/production'];

interface Service {
  readonly image: string;
  readonly command?: string | readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly volumes?: readonly string[];
  readonly depends_on?: Readonly<Record<string, unknown>>;
  readonly secrets?: readonly string[];
  readonly networks?: readonly string[];
  readonly restart?: string;
  readonly profiles?: readonly string[];
  readonly read_only?: boolean;
  readonly stop_grace_period?: string;
  readonly security_opt?: readonly string[];
  readonly mem_limit?: string;
  readonly cpus?: number;
  readonly pids_limit?: number;
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly logging?: { readonly driver: string; readonly options: Record<string, string> };
}

interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes?: Readonly<Record<string, unknown>>;
  readonly networks?: Readonly<Record<string, unknown>>;
  readonly secrets?: Readonly<Record<string, unknown>>;
}

const run = promisify(execFile);
/** `.env.example` is generated from the settings, and has them all. */
const known = new Set(
  [...read('.env.example').matchAll(/^#? ?([A-Z][A-Z0-9_]+)=/gm)].map(([, name]) => name),
);

function read(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

function compose(file: string): Compose {
  return parse(readFileSync(join(DOCKER, file), 'utf8'), { merge: true });
}

for (const file of COMPOSE) {
  test(`${file}: what a service names is there, and logs are rotated`, () => {
    const { services, volumes = {}, networks = {}, secrets = {} } = compose(file);

    for (const [name, service] of Object.entries(services)) {
      const say = (what: string) => `${file}: ${name}: ${what}`;
      for (const other of Object.keys(service.depends_on ?? {})) {
        assert.ok(other in services, say(other));
      }
      for (const volume of service.volumes ?? []) {
        const [source = ''] = volume.split(':');
        if (source.startsWith('.')) assert.ok(existsSync(join(DOCKER, source)), say(source));
        else if (!source.startsWith('/')) assert.ok(source in volumes, say(source));
      }
      for (const secret of service.secrets ?? []) assert.ok(secret in secrets, say(secret));
      for (const network of service.networks ?? []) assert.ok(network in networks, say(network));
      const { driver, options } = service.logging ?? { driver: '', options: {} };
      assert.deepEqual(
        { driver, ...options },
        { driver: 'json-file', 'max-size': '10m', 'max-file': '3', compress: 'true' },
        say('logging'),
      );
      const isOnce = service.profiles?.includes('backup') === true;
      assert.equal(service.restart, isOnce ? 'no' : 'unless-stopped', say('restart'));
    }
  });
}

for (const file of COMPOSE) {
  test(`${file}: no service takes the whole machine, gains rights, or is well unasked`, () => {
    for (const [name, service] of Object.entries(compose(file).services)) {
      const say = (what: string) => `${file}: ${name}: ${what}`;
      assert.match(service.mem_limit ?? '', /^\d+[mg]$/, say('mem_limit'));
      assert.ok((service.cpus ?? 0) > 0, say('cpus'));
      assert.ok((service.pids_limit ?? 0) > 0, say('pids_limit'));
      assert.deepEqual(service.security_opt, ['no-new-privileges:true'], say('security_opt'));
      // The image of the gateway asks by itself; a page to look into the cache is nobody's need.
      const isAsked = service.healthcheck !== undefined || service.image.startsWith('esclusa');
      assert.ok(isAsked || service.profiles !== undefined, say('healthcheck'));
      if (file === 'compose.full.yml' && !service.image.startsWith('esclusa')) {
        assert.match(service.image, /:v?\d[\w.-]*$/, say('a version'));
      }
    }
  });
}

test('gateways read who calls from nginx, which stands in a network of Docker', () => {
  const { http } = parse(readFileSync(join(DOCKER, 'esclusa.yaml'), 'utf8'));

  for (const name of ['gateway-1', 'gateway-2', 'backup']) {
    const { environment, volumes } = compose('compose.full.yml').services[name] as Service;
    const [, path = ''] = /^\.\/esclusa\.yaml:(.+):ro$/.exec(volumes?.at(-1) ?? '') ?? [];
    assert.equal(environment?.ESCLUSA_CONFIG, path, name);
  }
  assert.match(http.trusted_proxies, /172\.16\.0\.0\/12/);
});

test('gateways get variables they know, a tree they cannot write, and time to end', () => {
  const gateways = COMPOSE.flatMap((file) => Object.values(compose(file).services)).filter(
    ({ image }) => image.startsWith('esclusa'),
  );

  assert.equal(gateways.length, 4);
  for (const { environment = {}, read_only, stop_grace_period } of gateways) {
    for (const name of Object.keys(environment)) assert.ok(known.has(name), name);
    assert.equal(read_only, true);
    assert.ok(Number.parseInt(stop_grace_period ?? '0', 10) >= 5 + 30 + 5);
  }
});

test('the cache may forget and the state may not', () => {
  for (const [file, cache, state] of [
    ['compose.full.yml', 'redis-cache', 'redis-state'],
    ['compose.redis.yml', 'redis', 'redis-state'],
  ] as const) {
    const { services } = compose(file);
    const words = (name: string) => JSON.stringify(services[name]?.command);
    assert.match(words(cache), /appendonly yes.*maxmemory 512mb.*allkeys-lru/);
    assert.match(words(state), /appendonly yes.*noeviction/);
  }
});

test('no password stands in a file, and every secret of the full stack is generated', async (t) => {
  const text = readFileSync(join(DOCKER, 'compose.full.yml'), 'utf8');
  const needed = new Set([...text.matchAll(/\$\{([A-Z_]+):\?\}/g)].map(([, name]) => name));
  const folder = temporaryFolder(t);
  const script = join(DOCKER, 'make-secrets.mjs');
  await run(process.execPath, [script, folder]);
  const made = readFileSync(join(folder, '.env'), 'utf8');
  const again = spawnSync(process.execPath, [script, folder]);

  const values = new Map(
    made
      .trim()
      .split('\n')
      .map((line) => line.split(/=(.*)/s) as [string, string]),
  );
  for (const name of needed) assert.ok((values.get(name ?? '') ?? '').length >= 43, name);
  assert.equal(new Set(values.values()).size, values.size, 'each has its own');
  assert.equal(statSync(join(folder, '.env')).mode & 0o777, 0o600);
  const scrape = readFileSync(join(folder, 'secrets/metrics_key'), 'utf8');
  assert.equal(scrape, values.get('ESCLUSA_METRICS_KEY'), 'it may read metrics alone');
  assert.equal(again.status, 1, 'what is there is kept');
  assert.equal(readFileSync(join(folder, '.env'), 'utf8'), made);
});

test('the image copies what exists, runs as nobody special and asks for its health itself', () => {
  const dockerfile = read('deploy/docker/Dockerfile');
  const copied = [...dockerfile.matchAll(/^COPY (?!--)(.+) \S+$/gm)].flatMap(([, from = '']) =>
    from.split(' '),
  );

  assert.ok(copied.length >= 8);
  for (const path of copied) assert.ok(existsSync(join(ROOT, path)), path);
  const last = dockerfile.slice(dockerfile.lastIndexOf('\nFROM '));
  assert.match(last, /^USER node$/m);
  assert.match(last, /HEALTHCHECK[\s\S]*health\.mjs/);
  assert.doesNotMatch(last, /npm (ci|install)|apt-get|curl/);
  assert.match(dockerfile, /rm -rf node_modules\/node-\*/);
  for (const [, name = ''] of last.matchAll(/^\s*(?:ENV )?([A-Z_]+)=\S+/gm)) {
    const isOfNode = ['NODE_ENV', 'NODE_COMPILE_CACHE'].includes(name);
    assert.ok(isOfNode || known.has(name), name);
  }
  const ignored = read('.dockerignore').split('\n');
  for (const path of copied) {
    const isLetIn = ignored.some((line) => line === `!${path}` || path.startsWith(line.slice(1)));
    assert.ok(isLetIn, `${path} is let into the build`);
  }
});

test('a health check says no where nobody answers', () => {
  const check = join(DOCKER, 'health.mjs');
  const env = { ...process.env, PORT: '1' };
  assert.equal(spawnSync(process.execPath, [check], { env }).status, 1);
});

for (const overlay of OVERLAYS) {
  test(`${overlay}: pods are confined, drained in time and told what they know`, {
    skip,
  }, async () => {
    const manifests = await kustomized(overlay);
    const { spec } = one(manifests, 'StatefulSet');
    const pod = spec.template.spec;
    const [container] = pod.containers;
    const maps = manifests.filter(({ kind }) => kind === 'ConfigMap');
    const file = maps.find(({ data }) => 'esclusa.yaml' in data)?.data['esclusa.yaml'] ?? '';
    const variables = maps.find(({ data }) => 'ENVIRONMENT' in data)?.data ?? {};
    const times = parse(file);
    const readiness = container.readinessProbe;

    const drain = times.drain_delay_seconds + times.drain_seconds;
    assert.ok(pod.terminationGracePeriodSeconds >= drain + 10, 'time to drain');
    const noticed = readiness.periodSeconds * readiness.failureThreshold;
    assert.ok(times.drain_delay_seconds > noticed, 'balancers notice within the delay');
    assert.equal(pod.securityContext.runAsNonRoot, true);
    for (const each of [...pod.containers, ...pod.initContainers]) {
      assert.equal(each.securityContext.readOnlyRootFilesystem, true);
      assert.equal(each.securityContext.allowPrivilegeEscalation, false);
      assert.deepEqual(each.securityContext.capabilities.drop, ['ALL']);
      assert.ok(each.resources.limits.memory, 'memory is limited');
    }
    for (const name of Object.keys(variables)) assert.ok(known.has(name), name);
    const most = one(manifests, 'HorizontalPodAutoscaler').spec.maxReplicas;
    assert.ok(Number(variables.DB_PROCESSES) >= most, 'connections for all there can be');
  });

  test(`${overlay}: what manifests name is there`, { skip }, async () => {
    const manifests = await kustomized(overlay);
    const { spec } = one(manifests, 'StatefulSet');
    const has = (kind: string, name: string) =>
      manifests.some((each) => each.kind === kind && each.metadata.name === name);
    const labels = spec.template.metadata.labels;

    assert.ok(has('Service', spec.serviceName));
    assert.ok(has('ServiceAccount', spec.template.spec.serviceAccountName));
    const scaled = one(manifests, 'HorizontalPodAutoscaler').spec.scaleTargetRef;
    assert.ok(has(scaled.kind, scaled.name));
    for (const { spec: service } of manifests.filter(({ kind }) => kind === 'Service')) {
      for (const [label, value] of Object.entries(service.selector)) {
        assert.equal(labels[label], value, label);
      }
    }
    const volumes = spec.template.spec.volumes.map(
      (volume: { readonly configMap: { readonly name: string } }) => volume.configMap.name,
    );
    for (const name of volumes) assert.ok(has('ConfigMap', name), name);
    const namespaces = new Set(
      manifests
        .filter(({ kind }) => kind !== 'Namespace')
        .map(({ metadata }) => metadata.namespace),
    );
    assert.deepEqual([...namespaces], [one(manifests, 'Namespace').metadata.name]);
  });
}

test('the secret of the example has members that the program knows', () => {
  const [secrets] = parseAllDocuments(read('deploy/k8s/secrets.example.yaml'));
  const names = Object.keys(secrets?.toJS().stringData);

  assert.ok(names.length >= 7);
  for (const name of names) assert.ok(known.has(name), name);
});

test('delivery tests before it builds, scans before it pushes, and goes back if it fails', () => {
  const path = '.github/workflows/delivery.yml';
  const { jobs } = parse(read(path));
  const text = read(path);
  const placeOf = (job: string, word: string) => {
    const steps: readonly { readonly run?: string }[] = jobs[job].steps;
    const place = steps.findIndex((step) => step.run?.includes(word));
    assert.ok(place >= 0, `${job}: ${word}`);
    return place;
  };

  assert.ok(placeOf('check', 'helm lint') > placeOf('check', 'npm run check'));
  assert.deepEqual(jobs.image.needs, ['check', 'test']);
  assert.deepEqual(jobs.deploy.needs, ['image']);
  assert.ok(placeOf('image', '--load') > placeOf('image', 'image:check'));
  assert.ok(placeOf('image', 'trivy') > placeOf('image', '--load'));
  assert.ok(placeOf('image', '--push') > placeOf('image', 'trivy'));
  assert.match(text, /--sbom=true --provenance=mode=max/);
  const [, script = ''] = /sh (deploy\/\S+\.sh)/.exec(text) ?? [];
  assert.ok(existsSync(join(ROOT, script)), script);
  assert.ok(placeOf('deploy', script) > placeOf('deploy', 'kubeconfig'));
  for (const [, reference = ''] of text.matchAll(/uses: (\S+)/g)) {
    assert.match(reference, /@[0-9a-f]{40}$/, reference);
  }
  for (const [, name = ''] of text.matchAll(/npm run ([\w:]+)/g)) {
    assert.ok(name in JSON.parse(read('package.json')).scripts, name);
  }
});

test('log lines of the pods go where an index a day is deleted after 30 days', () => {
  const policy = JSON.parse(read('deploy/logging/ilm-policy.json')).policy.phases;
  const template = JSON.parse(read('deploy/logging/index-template.json'));
  const { config } = parse(read('deploy/logging/fluent-bit.yml'));
  const loki = parse(read('deploy/logging/loki.yml'));
  const [, prefix] = /Logstash_Prefix (\S+)/.exec(config.outputs) ?? [];

  assert.equal(policy.delete.min_age, '30d');
  assert.equal(policy.hot.actions.rollover, undefined, 'an index with a date is not rolled over');
  assert.match(config.outputs, /Logstash_Format On/);
  assert.deepEqual(template.index_patterns, [`${prefix}-*`]);
  assert.equal(template.template.settings['index.lifecycle.name'], prefix);
  assert.equal(loki.loki.limits_config.retention_period, `${30 * 24}h`);
  for (const file of ['elasticsearch.yml', 'kibana.yml']) {
    assert.ok(parse(read(`deploy/logging/${file}`)).resources.limits.memory, file);
  }
});
