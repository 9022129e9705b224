/**
 * Goal: whoever is woken by an alert is woken for a reason, and finds what to do.
 * Method: promtool on the rules and their cases; every name of a metric in rules and dashboards
 * looked up in the table of metrics, or in the short list of what exporters call theirs.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { parse } from 'yaml';
import { METRICS } from '../../../src/telemetry/metric-table.ts';
import { temporaryFolder } from '../../support/afterwards.ts';

const ROOT = join(import.meta.dirname, '../../../..');
const PROMETHEUS = join(ROOT, 'deploy/prometheus');
const DASHBOARDS = join(ROOT, 'deploy/grafana/generated');
const RULES = join(PROMETHEUS, 'rules/esclusa.yml');
const CASES = join(PROMETHEUS, 'tests/esclusa.test.yml');

/** Of Prometheus itself, redis_exporter, node_exporter and kube-state-metrics. */
const OF_EXPORTERS = new Set([
  'up',
  'redis_memory_used_bytes',
  'redis_memory_max_bytes',
  'node_filesystem_avail_bytes',
  'node_filesystem_size_bytes',
  'kube_pod_container_status_restarts_total',
]);

/** What an expression has besides metrics and labels. */
const LANGUAGE = new Set(
  (
    'sum max min count rate increase histogram_quantile time by unless and or offset ' +
    'on ignoring group_left without'
  ).split(' '),
);

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly runbook: string };
}

interface Case {
  readonly alert_rule_test: readonly {
    readonly alertname: string;
    readonly exp_alerts: readonly unknown[];
  }[];
}

const run = promisify(execFile);
const rules: readonly Rule[] = parse(readFileSync(RULES, 'utf8')).groups.flatMap(
  (group: { readonly rules: readonly Rule[] }) => group.rules,
);
const cases: readonly Case[] = parse(readFileSync(CASES, 'utf8')).tests;

test('promtool accepts the rules and the configuration', async () => {
  const checked = await run('promtool', ['check', 'rules', RULES]);
  const config = join(PROMETHEUS, 'prometheus.yml');
  const accepted = await run('promtool', ['check', 'config', '--syntax-only', config]);

  assert.match(checked.stdout, new RegExp(`SUCCESS: ${rules.length} rules found`));
  assert.match(accepted.stdout, /SUCCESS/);
});

test('every alert fires in its one case and is quiet in its other', async () => {
  const { stdout } = await run('promtool', ['test', 'rules', CASES]);

  assert.match(stdout, /SUCCESS/);
  for (const { alert } of rules) {
    const own = cases.flatMap((each) =>
      each.alert_rule_test.filter(({ alertname }) => alertname === alert),
    );
    assert.ok(
      own.some(({ exp_alerts }) => exp_alerts.length > 0),
      `${alert} has a firing case`,
    );
    assert.ok(
      own.some(({ exp_alerts }) => exp_alerts.length === 0),
      `${alert} has a quiet case`,
    );
  }
});

test('an alert whose expression is broken is found by its cases', async (t) => {
  const folder = temporaryFolder(t);
  await mkdir(join(folder, 'rules'));
  await mkdir(join(folder, 'tests'));
  const right = 'max by (name) (circuit_breaker_state == 1)\n';
  const broken = readFileSync(RULES, 'utf8').replace(right, right.replace('== 1', '> 1'));
  await writeFile(join(folder, 'rules/esclusa.yml'), broken);
  await writeFile(join(folder, 'tests/esclusa.test.yml'), readFileSync(CASES, 'utf8'));

  const failed = run('promtool', ['test', 'rules', join(folder, 'tests/esclusa.test.yml')]);

  await assert.rejects(failed);
});

test('every alert has a severity, a sentence and a runbook, and every runbook an alert', () => {
  for (const { alert, labels, annotations } of rules) {
    assert.match(labels.severity, /^(info|warning|critical)$/, alert);
    assert.match(annotations.summary, /\.$/, alert);
    assert.ok(existsSync(join(ROOT, annotations.runbook)), annotations.runbook);
  }
  const linked = new Set(rules.map(({ annotations }) => annotations.runbook));
  for (const file of readdirSync(join(ROOT, 'docs/runbooks'))) {
    if (file !== 'README.md') assert.ok(linked.has(`docs/runbooks/${file}`), file);
  }
});

test('every metric in rules and dashboards is one there is', () => {
  const known = knownNames();
  const expressions = [...rules.map(({ expr }) => expr), ...dashboardExpressions()];
  assert.ok(expressions.length > 60, `${expressions.length} expressions`);

  for (const expression of expressions) {
    for (const name of metricsOf(expression)) {
      assert.ok(known.has(name), `${name} in ${expression}`);
    }
  }
});

test('a metric that does not exist is noticed', () => {
  assert.deepEqual(metricsOf('sum by (le) (rate(no_such_thing_total{a="b"}[5m])) > 1'), [
    'no_such_thing_total',
  ]);
});

function knownNames(): Set<string> {
  const names = new Set(OF_EXPORTERS);
  for (const { name, type } of Object.values(METRICS)) {
    names.add(name);
    if (type !== 'histogram') continue;
    for (const ending of ['_bucket', '_sum', '_count']) names.add(`${name}${ending}`);
  }
  return names;
}

function dashboardExpressions(): string[] {
  return readdirSync(DASHBOARDS).flatMap((file) => {
    const { panels } = JSON.parse(readFileSync(join(DASHBOARDS, file), 'utf8'));
    return panels.flatMap((panel: { readonly targets: readonly { readonly expr: string }[] }) =>
      panel.targets.map(({ expr }) => expr),
    );
  });
}

function metricsOf(expression: string): string[] {
  const bare = expression
    .replaceAll(/\{[^}]*\}/g, '')
    .replaceAll(/\[[^\]]*\]/g, '')
    .replaceAll(/\bby \([^)]*\)/g, '')
    .replaceAll(/\b\d[\w.]*/g, '');
  const words = bare.match(/[a-zA-Z_:][\w:]*/g) ?? [];
  return words.filter((word) => !LANGUAGE.has(word));
}
