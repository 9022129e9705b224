/**
 * `docs/metrics.md`: every metric, in the order of the table the program moves them by.
 */
import { METRICS } from '../../server/src/telemetry/metric-table.ts';
import { code, table } from './markdown.mjs';

/** @typedef {import('../../server/src/telemetry/metric-spec.ts').MetricSpec} MetricSpec */

const introduction = `# Metrics

<!-- Generated from its table by \`node scripts/docs.mjs metrics\`; a test keeps it so. -->

\`GET /metrics\` answers in Prometheus' text format, to whoever sends an API key. With
\`metrics.enabled: false\` it answers 404.

\`\`\`yaml
scrape_configs:
  - job_name: esclusa
    authorization: { credentials_file: /etc/prometheus/esclusa.key }
    static_configs: [{ targets: ['127.0.0.1:8000'] }]
\`\`\`

- No label holds a tenant, a key or a user: who spent what is asked of the ledger
  (\`esclusa usage\`, \`GET /api/v1/usage\`).
- Labels marked \\* take values from outside, such as the names of models. Once a metric has 500
  series, further values of these labels are counted together under \`other\`. A model that no
  route knows is \`other\` from the start, and \`none\` stands where no provider was called.
- Times are seconds. Amounts of money are whole nano-dollars: divide by 10⁹ for dollars.
- Counters begin at zero with each process. *Together* says how the figures of several processes
  become one.`;

const head = ['Metric', 'Type', 'Labels', 'Together', 'Meaning'];

/** Paths are below the root of the project. */
export async function metricsDocuments() {
  const specs = /** @type {readonly MetricSpec[]} */ (Object.values(METRICS));
  const parts = [
    introduction,
    '## All of them',
    table(head, specs.map(rowOf)),
    '## Buckets of the histograms',
    'Upper bounds; `+Inf` follows.',
    table(['Metric', 'Bounds'], specs.filter(isHistogram).map(bucketsOf)),
  ];
  return [{ path: 'docs/metrics.md', text: `${parts.join('\n\n')}\n` }];
}

/** @param {MetricSpec} spec */
function rowOf({ name, type, labels, open, aggregation, help }) {
  const shown = labels.map((label) => `${code(label)}${open.includes(label) ? '\\*' : ''}`);
  return [code(name), type, shown.join(', ') || '—', aggregation, help];
}

/** @param {MetricSpec} spec */
function isHistogram({ type }) {
  return type === 'histogram';
}

/** @param {MetricSpec} spec */
function bucketsOf({ name, buckets }) {
  return [code(name), buckets.join(', ')];
}
