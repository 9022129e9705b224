/**
 * Whether each provider can be reached and takes its key, in words for people.
 */
import type { Installation } from '../../app/installation.ts';
import { createProviderPool } from '../../app/providers.ts';
import { type ProbeOutcome, providerProbes } from '../../app/startup/provider-probe.ts';
import type { Config } from '../../config/index.ts';
import type { Messages } from '../messages/index.ts';
import { type Finding, fault, good, remark } from './finding.ts';

const TIMEOUT_MS = 4000;

export async function checkProviders(
  { doctor: say }: Messages,
  config: Config,
  { clock, random }: Installation,
): Promise<readonly Finding[]> {
  const mute = (): void => undefined;
  const log = { debug: mute, info: mute, warn: mute, error: mute };
  const pool = createProviderPool({ clock, random, log });
  const probes = providerProbes(config, pool.connect(config), { clock, timeoutMs: TIMEOUT_MS });
  try {
    return await Promise.all(
      probes.map(async ({ subject, ask }) =>
        judge(say, subject, await ask(AbortSignal.timeout(TIMEOUT_MS))),
      ),
    );
  } finally {
    await pool.destroy();
  }
}

function judge(
  { provider: say }: Messages['doctor'],
  name: string,
  outcome: ProbeOutcome,
): Finding {
  const subject = `provider ${name}`;
  switch (outcome.kind) {
    case 'inside':
      return good(subject, say.inside(name));
    case 'good':
      return good(subject, say.good(name, outcome.latencyMs));
    case 'refused':
      return fault(subject, say.refused(name));
    case 'odd':
      return remark(subject, say.odd(name, outcome.status));
    case 'unreachable':
      return fault(subject, say.bad(name, outcome.reason));
  }
}
