/**
 * `docs/settings.md`: every setting and every variable, in tables by topic, read back from the
 * schema and the catalogue's vendors.
 */
import { environmentOnly } from '../../server/src/config/schema/environment.ts';
import { fileSchema } from '../../server/src/config/schema/file.ts';
import { listSettings } from '../../server/src/config/schema/list.ts';
import { acceptedBy, bare, showPath } from '../../server/src/config/schema/walk.ts';
import { INTRODUCTION } from './introduction.mjs';
import { code, table } from './markdown.mjs';

/**
 * @typedef {import('../../server/src/config/index.ts').Vendor} Vendor
 * @typedef {import('../../server/src/config/schema/list.ts').ListedSetting} ListedSetting
 * @typedef {import('../../server/src/config/schema/walk.ts').Path} Path
 */

const units = [
  ['_ms', 'milliseconds'],
  ['_seconds', 'seconds'],
  ['_days', 'days'],
  ['_bytes', 'bytes'],
  ['_tokens', 'tokens'],
];
const sizes = /** @type {const} */ ([
  [1024 ** 3, 'GiB'],
  [1024 ** 2, 'MiB'],
  [1024, 'KiB'],
]);
const settingHead = ['Setting', 'Variable', 'Default', 'Accepted', 'Change', 'Meaning'];
const variableHead = ['Variable', 'Default', 'Accepted', 'Meaning'];
const serviceText = 'Where the service listens, keeps its data, and how it stops.';

/** @param {readonly Vendor[]} vendors */
export function settingsPage(vendors) {
  const { settings, groups } = listSettings(fileSchema);
  const topics = [...new Set(settings.map(topicOf))];
  const sections = topics.flatMap((topic) => {
    const group = groups.find(({ path }) => path.length === 1 && path[0] === topic);
    const rows = settings.filter((setting) => topicOf(setting) === topic).map(settingRow);
    const title = topic === '' ? 'Service' : code(topic);
    const text = topic === '' ? serviceText : (group?.description ?? '');
    return [`## ${title}`, text, table(settingHead, rows)];
  });
  const parts = [INTRODUCTION, ...sections, ...variableSections(), ...vendorSection(vendors)];
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`;
}

/**
 * The section a setting belongs to: its outermost name, or none for a single value.
 *
 * @param {ListedSetting} setting
 */
function topicOf({ path, meta }) {
  const isMap = path.length === 1 && meta.key !== undefined;
  return path.length > 1 || isMap ? String(path[0]) : '';
}

/** @param {ListedSetting} setting */
function settingRow({ path, schema, meta, fallback, apply }) {
  return [
    code(showPath(path)),
    (meta.env ?? []).map(code).join(', ') || '—',
    defaultOf(path, fallback),
    withUnit(acceptedBy(schema), meta.unit ?? unitOf(path)),
    apply,
    `${meta.description ?? ''}${withoutEffect(meta.usedBy)}`,
  ];
}

/** @param {string | undefined} feature */
function withoutEffect(feature) {
  return feature === undefined ? '' : ` Without effect until ${feature} is switched on.`;
}

function variableSections() {
  const rows = Object.entries(environmentOnly).map(([name, schema]) => {
    const { meta, fallback } = bare(schema);
    const accepted = withUnit(acceptedBy(schema), meta.unit);
    const cells = [code(name), defaultOf([], fallback), accepted, meta.description ?? ''];
    return { usedBy: meta.usedBy, cells };
  });
  const now = rows.filter(({ usedBy }) => usedBy === undefined).map(({ cells }) => cells);
  const features = new Set(rows.flatMap(({ usedBy }) => usedBy ?? []));
  return [
    '## Variables without a setting in the file',
    table(variableHead, now),
    '## Variables of features that are not in this release',
    'They are accepted and checked, so that a deployment can carry them already. Setting one is ' +
      'answered with a warning at start; those that say so stop it.',
    ...[...features].flatMap((feature) => {
      const cells = rows.filter(({ usedBy }) => usedBy === feature).map((row) => row.cells);
      return [`### Used when ${feature} is switched on`, table(variableHead, cells)];
    }),
  ];
}

/** @param {readonly Vendor[]} vendors */
function vendorSection(vendors) {
  const rows = vendors.map(({ id, kind, baseUrl, apiKeyEnv }) => [
    code(id),
    kind === null ? 'not in this release' : code(kind),
    baseUrl === null ? '—' : code(baseUrl),
    apiKeyEnv === null ? '—' : code(apiKeyEnv),
  ]);
  return [
    '## Vendors of the catalogue',
    'Where the file lists no providers, every vendor whose key is set becomes a provider of the ' +
      'same name. Any other vendor that speaks the same wire needs only its `base_url`.',
    table(['Vendor', 'Kind', 'Address', 'Key'], rows),
  ];
}

/**
 * @param {Path} path
 * @param {unknown} fallback
 */
function defaultOf(path, fallback) {
  if (fallback === undefined) return '—';
  if (typeof fallback !== 'number' || unitOf(path) !== 'bytes') {
    return code(typeof fallback === 'string' ? fallback : JSON.stringify(fallback));
  }
  const [size, name] = sizes.find(([bytes]) => fallback >= bytes) ?? [1, 'bytes'];
  return `${code(String(fallback))} (${fallback / size} ${name})`;
}

/**
 * The unit that a setting's name ends in; undefined where it names none.
 *
 * @param {Path} path
 */
export function unitOf(path) {
  const name = String(path.at(-1) ?? '');
  return units.find(([suffix = '']) => name.endsWith(suffix))?.[1];
}

/**
 * @param {string} accepted
 * @param {string | undefined} unit
 */
function withUnit(accepted, unit) {
  return unit === undefined || !/number/.test(accepted) ? accepted : `${accepted}, ${unit}`;
}
