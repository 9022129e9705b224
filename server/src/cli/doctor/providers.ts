/**
 * Whether each provider can be reached and takes its key: its list of models is asked for, which
 * costs nothing, over the very connections that calls would use.
 */
import type { Installation } from '../../app/installation.ts';
import { createProviderPool } from '../../app/providers.ts';
import type { Config, ProviderConfig } from '../../config/index.ts';
import type { Messages } from '../messages/index.ts';
import { type Finding, fault, good, remark } from './finding.ts';

const TIMEOUT_MS = 4000;
const BODY_MAX_BYTES = 4_194_304;

type Pool = ReturnType<typeof createProviderPool>;
type Provider = NonNullable<ReturnType<ReturnType<Pool['connect']>['get']>>;

export async function checkProviders(
  { doctor: say }: Messages,
  config: Config,
  { clock, random }: Installation,
): Promise<readonly Finding[]> {
  const mute = (): void => undefined;
  const log = { debug: mute, info: mute, warn: mute, error: mute };
  const pool = createProviderPool({ clock, random, log });
  const connected = pool.connect(config);
  const tryKey = async (name: string, provider: Provider): Promise<Finding> => {
    const startedMs = clock.monotonicMs();
    try {
      const answer = await ask(provider);
      return judge(say, name, answer, Math.round(clock.monotonicMs() - startedMs));
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      return fault(`provider ${name}`, say.provider.bad(name, why));
    }
  };
  const check = ({ name, connection }: ProviderConfig): readonly Promise<Finding>[] => {
    const provider = connected.get(name);
    if (!('baseUrl' in connection) || provider === undefined) {
      return [Promise.resolve(good(`provider ${name}`, say.provider.inside(name)))];
    }
    const { upstream, keys } = provider;
    if (keys === undefined) return [tryKey(name, provider)];
    return keys.map((key) => tryKey(`${name} [${key.name}]`, { adapter: key.adapter, upstream }));
  };
  try {
    return await Promise.all(Object.values(config.providers).flatMap(check));
  } finally {
    await pool.destroy();
  }
}

function judge(say: Messages['doctor'], name: string, answer: Answer, ms: number): Finding {
  const subject = `provider ${name}`;
  if (answer.code === null) return good(subject, say.provider.good(name, ms));
  return answer.code === 'upstream_credentials'
    ? fault(subject, say.provider.refused(name))
    : remark(subject, say.provider.odd(name, answer.status));
}

interface Answer {
  readonly status: number;
  /** What the adapter makes of a refusal; null for what is none. */
  readonly code: string | null;
}

async function ask({ adapter, upstream }: Provider): Promise<Answer> {
  const answer = await upstream.send(
    adapter.probe(),
    { firstByteMs: TIMEOUT_MS, idleMs: TIMEOUT_MS },
    AbortSignal.timeout(TIMEOUT_MS),
  );
  const { status, body } = answer;
  // Read to its end, so that the provider does not see a connection that breaks off.
  const bytes = await body.collect(BODY_MAX_BYTES).catch(() => Buffer.alloc(0));
  const isGood = status >= 200 && status < 300;
  return { status, code: isGood ? null : adapter.decodeError(answer, bytes).code };
}
