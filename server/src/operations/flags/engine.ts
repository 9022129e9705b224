/**
 * Evaluates flags: flagd's own evaluator behind OpenFeature. The libraries are loaded when a
 * flag first depends on who asks; what is the same for everybody needs none of them.
 *
 * Invariant: a set of flags replaces the one before whole, so that no evaluation sees half of
 * one. No code is made out of flags: the evaluator interprets them.
 */
import type { FlagdCore } from '@openfeature/flagd-core';
import type { Client, EvaluationContext, Provider } from '@openfeature/server-sdk';
import { assert } from '../../kernel/assert.ts';
import type { FlagDefinition } from '../ports/flag-repository.ts';
import { fixedValue, flagdJson } from './flagd.ts';

export interface FlagSubject {
  readonly tenant: string;
  /** The identifier of a key or a person. */
  readonly user: string;
}

export interface Evaluation {
  readonly value: boolean;
  readonly variant: string | null;
  readonly reason: string;
}

export interface FlagEngine {
  /** Takes a new set of flags; whoever asks meanwhile is answered out of the old one. */
  load(flags: ReadonlyMap<string, FlagDefinition>): Promise<void>;
  /** null: there is no such flag. Never waits, never throws. */
  isOn(name: string, subject: FlagSubject): boolean | null;
  /** The same through OpenFeature, with its reasons. */
  evaluate(name: string, subject: FlagSubject): Promise<Evaluation | null>;
  close(): Promise<void>;
}

export interface FlagEngineOptions {
  /** Names our provider among those of this program; unique in the process. */
  readonly domain: string;
  /** What a share of processes is counted by; the same over restarts. */
  readonly process: string;
}

interface Evaluator {
  readonly core: FlagdCore;
  readonly client: Client;
}

export function createFlagEngine({ domain, process }: FlagEngineOptions): FlagEngine {
  let flags: ReadonlyMap<string, FlagDefinition> = new Map();
  let evaluator: Evaluator | null = null;

  function contextOf({ by }: FlagDefinition, { tenant, user }: FlagSubject): EvaluationContext {
    const targetingKey = by === 'process' ? process : by === 'user' ? user : tenant;
    return { targetingKey, tenant, user };
  }

  return {
    async load(next) {
      const needed = [...next.values()].some((flag) => fixedValue(flag) === null);
      if (needed) evaluator ??= await createEvaluator(domain);
      evaluator?.core.setConfigurations(flagdJson(next));
      flags = next;
    },
    isOn(name, subject) {
      const flag = flags.get(name);
      if (flag === undefined) return null;
      const fixed = fixedValue(flag);
      if (fixed !== null) return fixed;
      assert(evaluator !== null, 'a flag that depends on who asks has an evaluator');
      return evaluator.core.resolveBooleanEvaluation(name, false, contextOf(flag, subject)).value;
    },
    async evaluate(name, subject) {
      const flag = flags.get(name);
      if (flag === undefined) return null;
      const fixed = fixedValue(flag);
      if (evaluator === null) {
        return { value: fixed === true, variant: fixed === true ? 'on' : 'off', reason: 'STATIC' };
      }
      const context = contextOf(flag, subject);
      const found = await evaluator.client.getBooleanDetails(name, false, context);
      const { value, variant = null, reason = 'UNKNOWN' } = found;
      return { value, variant, reason };
    },
    async close() {
      if (evaluator === null) return;
      const { NOOP_PROVIDER, OpenFeature } = await import('@openfeature/server-sdk');
      await OpenFeature.setProviderAndWait(domain, NOOP_PROVIDER);
      evaluator = null;
    },
  };
}

async function createEvaluator(domain: string): Promise<Evaluator> {
  const [{ FlagdCore: Core }, { OpenFeature }] = await Promise.all([
    import('@openfeature/flagd-core'),
    import('@openfeature/server-sdk'),
  ]);
  const core = new Core(undefined, undefined, { disableDynamicCodeGeneration: true });
  await OpenFeature.setProviderAndWait(domain, providerOver(core));
  return { core, client: OpenFeature.getClient(domain) };
}

/** Our flags as a provider of OpenFeature. */
function providerOver(core: FlagdCore): Provider {
  return {
    metadata: { name: 'esclusa' },
    runsOn: 'server',
    resolveBooleanEvaluation: async (name, fallback, context, logger) =>
      core.resolveBooleanEvaluation(name, fallback, context, logger),
    resolveStringEvaluation: async (name, fallback, context, logger) =>
      core.resolveStringEvaluation(name, fallback, context, logger),
    resolveNumberEvaluation: async (name, fallback, context, logger) =>
      core.resolveNumberEvaluation(name, fallback, context, logger),
    resolveObjectEvaluation: async (name, fallback, context, logger) =>
      core.resolveObjectEvaluation(name, fallback, context, logger),
  };
}
