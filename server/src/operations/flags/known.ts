/**
 * The flags that the product itself looks at. All of them are protections, so all are on unless
 * somebody changes them; any other flag is off until it is made.
 */
import type { FlagBy, FlagDefinition } from '../ports/flag-repository.ts';

export interface KnownFlag {
  /** The environment variable that forces it off. */
  readonly env: string;
  readonly by: FlagBy;
  readonly description: string;
}

export const KNOWN_FLAGS = {
  circuit_breaker: {
    env: 'ENABLE_CIRCUIT_BREAKER',
    by: 'process',
    description: 'Leaves alone a target that keeps failing.',
  },
  llm_cache: {
    env: 'LLM_CACHE_ENABLED',
    by: 'tenant',
    description: 'Keeps complete answers of repeatable requests.',
  },
  prometheus_metrics: {
    env: 'ENABLE_PROMETHEUS_METRICS',
    by: 'process',
    description: 'Serves `GET /metrics`.',
  },
  structured_logging: {
    env: 'ENABLE_STRUCTURED_LOGGING',
    by: 'process',
    description: 'JSON lines in the log; off, plain text: time - name - level - message.',
  },
  startup_validation: {
    env: 'ENABLE_STARTUP_VALIDATION',
    by: 'process',
    description: 'Checks what the service depends on. Looked at when a process starts.',
  },
} as const satisfies Readonly<Record<string, KnownFlag>>;

export type KnownFlagName = keyof typeof KNOWN_FLAGS;

export function knownFlag(name: string): KnownFlag | null {
  return Object.hasOwn(KNOWN_FLAGS, name) ? KNOWN_FLAGS[name as KnownFlagName] : null;
}

/** What a flag is where nobody changed it. */
export function defaultOf(name: string): FlagDefinition {
  const known = knownFlag(name);
  const isOn = known !== null;
  return { enabled: isOn, percentage: isOn ? 100 : 0, by: known?.by ?? 'tenant', tenants: [] };
}
