/**
 * Asks each provider for its list of models, over the very connections that calls use: whether
 * it can be reached and takes its key costs nothing to know.
 */
import type { Config } from '../../config/index.ts';
import type { Provider, Providers } from '../../gateway/ports/provider.ts';
import type { Clock } from '../../kernel/clock.ts';

export type ProbeOutcome =
  /** Nothing stands behind it but this program. */
  | { readonly kind: 'inside' }
  | { readonly kind: 'good'; readonly latencyMs: number }
  | { readonly kind: 'refused' }
  | { readonly kind: 'odd'; readonly status: number }
  | { readonly kind: 'unreachable'; readonly reason: string };

export interface ProviderProbe {
  /** The provider, and the place of its key where it has several: `openai [2]`. */
  readonly subject: string;
  readonly provider: string;
  /** Never rejects. */
  ask(signal: AbortSignal): Promise<ProbeOutcome>;
}

export interface ProbeDeps {
  readonly clock: Clock;
  readonly timeoutMs: number;
}

const BODY_MAX_BYTES = 4_194_304;

/** One for each key of each provider, in the order of the configuration. */
export function providerProbes(
  config: Pick<Config, 'providers'>,
  providers: Providers,
  deps: ProbeDeps,
): readonly ProviderProbe[] {
  return Object.values(config.providers).flatMap(({ name, connection }) => {
    const provider = providers.get(name);
    if (!('baseUrl' in connection) || provider === undefined) {
      return [{ subject: name, provider: name, ask: async () => ({ kind: 'inside' }) }];
    }
    const { upstream, keys } = provider;
    const probe = (subject: string, asked: Provider): ProviderProbe => ({
      ...{ subject, provider: name },
      ask: (signal) => ask(asked, deps, signal),
    });
    if (keys === undefined) return [probe(name, provider)];
    return keys.map((key) => probe(`${name} [${key.name}]`, { adapter: key.adapter, upstream }));
  });
}

async function ask(
  { adapter, upstream }: Provider,
  { clock, timeoutMs }: ProbeDeps,
  signal: AbortSignal,
): Promise<ProbeOutcome> {
  const startedMs = clock.monotonicMs();
  try {
    const limits = { firstByteMs: timeoutMs, idleMs: timeoutMs };
    const answer = await upstream.send(adapter.probe(), limits, signal);
    const { status, body } = answer;
    // Read to its end, so that the provider does not see a connection that breaks off.
    const bytes = await body.collect(BODY_MAX_BYTES).catch(() => Buffer.alloc(0));
    if (status >= 200 && status < 300) {
      return { kind: 'good', latencyMs: Math.round(clock.monotonicMs() - startedMs) };
    }
    const { code } = adapter.decodeError(answer, bytes);
    return code === 'upstream_credentials' ? { kind: 'refused' } : { kind: 'odd', status };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { kind: 'unreachable', reason };
  }
}
