/**
 * What this release cannot honour, and what production does not allow. A name that would change
 * where data lies or who shares it stops the start; one that merely has no effect yet warns.
 */
import { readOrigins } from '../../kernel/origins.ts';
import { environmentOnly } from '../schema/environment.ts';
import { fileSchema } from '../schema/file.ts';
import { listSettings } from '../schema/list.ts';
import { metaOf } from '../schema/setting.ts';
import { textOf } from '../source/environment.ts';
import {
  type CheckInput,
  type Report,
  refuse,
  refuseVariable,
  warn,
  warnVariable,
} from './report.ts';

/** How secrets of examples begin. */
const PLACEHOLDERS = ['change_this', 'changeme', 'change-me', 'your-secret', 'your_secret'];
const SECRET_LENGTH_MIN = 32;
const LOCAL_ORIGIN = /^(\*|(https?:\/\/)?(localhost|127\.|\[::1\]).*)$/;

export function checkRelease(input: CheckInput, report: Report): void {
  checkSingleSignOn(input, report);
  checkOrigins(input, report);
  checkCluster(input, report);
  checkMetricsKey(input, report);
  if (input.settings.environment === 'production') checkProduction(input, report);
  else if (input.settings.auth.mode === 'dev') {
    const what = 'is dev: whoever calls from this machine needs no credential';
    warn(report, input, ['auth', 'mode'], what);
  }
  checkLaterNames(input, report);
  checkVendorKeys(input, report);
  checkDefaultProvider(input, report);
}

/** Who collects metrics must not be able to do more because two secrets are one. */
function checkMetricsKey(input: CheckInput, report: Report): void {
  const { admin, metrics } = input.settings;
  if (metrics.key === undefined || metrics.key !== admin.key) return;
  refuse(report, input, ['metrics', 'key'], 'is the administrator’s; accepted: one of its own');
}

/** Whom browsers let in: exactly whom somebody meant, and in production nobody else's page. */
function checkOrigins(input: CheckInput, report: Report): void {
  const { environment, http } = input.settings;
  const path = ['http', 'allowed_origins'];
  const said = (origin: string): string => JSON.stringify(origin);
  const origins = readOrigins(http.allowed_origins ?? '*', (wrong) =>
    refuse(report, input, path, `${said(wrong)} is no origin; accepted: https://app.example.com`),
  );
  if (environment !== 'production' || http.allowed_origins === undefined) return;
  for (const origin of origins.filter((each) => LOCAL_ORIGIN.test(each))) {
    refuse(report, input, path, `${said(origin)} is not accepted in production`);
  }
}

/** Names of features that are not in this release. */
function checkLaterNames(input: CheckInput, report: Report): void {
  const wording = (usedBy: string): string =>
    `is accepted, but has no effect until ${usedBy} is switched on`;
  for (const [name] of input.environment.only) {
    const { usedBy } = metaOf(environmentOnly[name]);
    const refused = report.problems.some(
      ({ place }) => place.kind === 'environment' && place.name === name,
    );
    if (usedBy !== undefined && !refused) warnVariable(report, name, wording(usedBy));
  }
  for (const { path, meta } of listSettings(fileSchema).settings) {
    const { usedBy } = meta;
    if (usedBy !== undefined && input.origin.isWritten(path)) {
      warn(report, input, path, wording(usedBy));
    }
  }
}

/** What several workers need: counters, locks and answers in a place that all of them share. */
function checkCluster(input: CheckInput, report: Report): void {
  const { workers, redis, cache } = input.settings;
  if (workers === 1 || input.broken.some(([section]) => section === 'redis')) return;
  const several = `${workers} workers`;
  const { url, host, sentinels, cluster_nodes: nodes } = redis;
  if ([url, host, sentinels, nodes].every((place) => place === undefined)) {
    const advice = 'set redis.url (REDIS_URL); accepted without: 1';
    refuse(report, input, ['workers'], `${several} need a Redis that they share: ${advice}`);
  } else if (!cache.redis || cache.backend === 'memory') {
    const [path, value] = cache.redis ? ['backend', 'memory'] : ['redis', 'false'];
    const what = `is ${value} for ${several}: each has a cache of its own, and a purge reaches one`;
    warn(report, input, ['cache', path], what);
  }
}

function checkProduction(input: CheckInput, report: Report): void {
  const { settings, environment } = input;
  checkTokenSecrets(input, report);
  if (settings.auth.mode === 'dev') {
    refuse(report, input, ['auth', 'mode'], 'is dev in production; accepted: strict');
  }
  if (environment.only.get('DEBUG') === true) {
    refuseVariable(report, 'DEBUG', 'is on in production; accepted: false');
  }
  for (const group of ['admin', 'metrics'] as const) {
    const { key } = settings[group];
    if (key === undefined || key.length >= SECRET_LENGTH_MIN) continue;
    const accepted = `at least ${SECRET_LENGTH_MIN} characters`;
    refuse(report, input, [group, 'key'], `is too weak for production; accepted: ${accepted}`);
  }
  if (Object.keys(settings.providers).length === 0) {
    warn(report, input, ['providers'], 'is empty: no model can be served; set a vendor’s key');
  }
}

/** Part of a single sign-on would be none, or one that anybody can listen to. */
function checkSingleSignOn(input: CheckInput, report: Report): void {
  const { auth, environment } = input.settings;
  if (auth.oidc_issuer === undefined) return;
  for (const name of ['oidc_client_id', 'oidc_redirect_url'] as const) {
    if (auth[name] !== undefined) continue;
    refuse(report, input, ['auth', name], 'is missing; `auth.oidc_issuer` needs it');
  }
  const isRight = /^(student|instructor|admin|superadmin)$/;
  for (const pair of auth.oidc_role_map?.split(',') ?? []) {
    const role = pair.split('=')[1]?.trim() ?? '';
    if (isRight.test(role)) continue;
    const accepted = 'student, instructor, admin, superadmin';
    const message = `${JSON.stringify(role)} is no role; accepted: ${accepted}`;
    refuse(report, input, ['auth', 'oidc_role_map'], message);
  }
  if (environment === 'production' && auth.oidc_issuer.startsWith('http:')) {
    refuse(report, input, ['auth', 'oidc_issuer'], 'is not https; production needs that');
  }
}

function checkTokenSecrets(input: CheckInput, report: Report): void {
  const { auth } = input.settings;
  for (const name of ['secret_key', 'previous_secret_key'] as const) {
    const secret = auth[name];
    if (secret === undefined) continue;
    const isPlaceholder = PLACEHOLDERS.some((word) => secret.toLowerCase().startsWith(word));
    if (!isPlaceholder && Buffer.byteLength(secret) >= SECRET_LENGTH_MIN) continue;
    const accepted = `at least ${SECRET_LENGTH_MIN} characters that are not a placeholder`;
    refuse(report, input, ['auth', name], `is too weak for production; accepted: ${accepted}`);
  }
}

/** Keys of vendors that the catalogue knows, but for whom there is no adapter yet. */
function checkVendorKeys(input: CheckInput, report: Report): void {
  for (const { id, kind, apiKeyEnv } of input.catalogue.vendors) {
    if (kind !== null || apiKeyEnv === null || textOf(input.env, apiKeyEnv) === undefined) continue;
    warnVariable(report, apiKeyEnv, `is accepted, but this release cannot speak to ${id} yet`);
  }
}

/** A provider that applications are to use, and whose key nobody gave. */
function checkDefaultProvider(input: CheckInput, report: Report): void {
  const name = input.environment.only.get('LLM_PROVIDER');
  if (typeof name !== 'string' || input.providerNames.includes(name)) return;
  const vendor = input.catalogue.vendors.find(({ id }) => id === name);
  if (vendor?.apiKeyEnv == null || textOf(input.env, vendor.apiKeyEnv) !== undefined) return;
  refuseVariable(report, vendor.apiKeyEnv, `is missing, and LLM_PROVIDER names ${name}`);
}
