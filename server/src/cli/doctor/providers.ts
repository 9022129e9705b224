/**
 * Whether each provider can be reached and takes its key: one `GET /models`, which costs
 * nothing, over the very connections that calls would use.
 */
import type { Installation } from '../../app/installation.ts';
import { createProviderPool } from '../../app/providers.ts';
import type { Config, ProviderConfig } from '../../config/index.ts';
import type { Messages } from '../messages/index.ts';
import { type Finding, fault, good, remark } from './finding.ts';

const TIMEOUT_MS = 4000;
const BODY_MAX_BYTES = 4_194_304;

type Pool = ReturnType<typeof createProviderPool>;
type Upstream = NonNullable<ReturnType<ReturnType<Pool['connect']>['get']>>['upstream'];
type Remote = Extract<ProviderConfig['connection'], { readonly baseUrl: string }>;

export async function checkProviders(
  { doctor: say }: Messages,
  config: Config,
  { clock, random }: Installation,
): Promise<readonly Finding[]> {
  const mute = (): void => undefined;
  const log = { debug: mute, info: mute, warn: mute, error: mute };
  const pool = createProviderPool({ clock, random, log });
  const connected = pool.connect(config);
  const check = async ({ name, connection }: ProviderConfig): Promise<Finding> => {
    const upstream = connected.get(name)?.upstream;
    if (!('baseUrl' in connection) || upstream === undefined) {
      return good(`provider ${name}`, say.provider.inside(name));
    }
    const startedMs = clock.monotonicMs();
    try {
      const status = await statusOf(upstream, connection);
      return judge(say, name, status, Math.round(clock.monotonicMs() - startedMs));
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      return fault(`provider ${name}`, say.provider.bad(name, why));
    }
  };
  try {
    return await Promise.all(Object.values(config.providers).map(check));
  } finally {
    await pool.destroy();
  }
}

function judge(say: Messages['doctor'], name: string, status: number, ms: number): Finding {
  const subject = `provider ${name}`;
  if (status === 401 || status === 403) return fault(subject, say.provider.refused(name));
  return status < 300
    ? good(subject, say.provider.good(name, ms))
    : remark(subject, say.provider.odd(name, status));
}

async function statusOf(upstream: Upstream, { apiKey }: Remote): Promise<number> {
  const headers = {
    accept: 'application/json',
    ...(apiKey !== null && { authorization: `Bearer ${apiKey}` }),
  };
  const answer = await upstream.send(
    { method: 'GET', path: '/models', headers, body: null },
    { firstByteMs: TIMEOUT_MS, idleMs: TIMEOUT_MS },
    AbortSignal.timeout(TIMEOUT_MS),
  );
  // Read to its end, so that the provider does not see a connection that breaks off.
  await answer.body.collect(BODY_MAX_BYTES).catch(() => undefined);
  return answer.status;
}
