/**
 * The meters that are read at a scrape, or moved by what is no exchange.
 */
import type { BreakerListener } from '../gateway/resilience/breaker-registry.ts';
import type { KeyListener } from '../gateway/resilience/key-rotation.ts';
import type { BodyCapture } from '../http/index.ts';
import type { Log } from '../kernel/log.ts';
import type { FlagSnapshot } from '../operations/index.ts';
import type { QueryMeters, Storage } from '../storage/index.ts';
import { type Metrics, single } from '../telemetry/metrics.ts';
import type { Gateway } from './gateway.ts';
import type { LiveGeneration } from './generations.ts';
import type { ProviderPool } from './providers.ts';

const STATE_NUMBERS = { closed: 0, open: 1, half_open: 2 } as const;

/**
 * Moves the meters, and writes one line when a breaker opens and one when it closes again; what
 * it tries in between, however long the outage, is for who looks closer.
 */
export function breakerListener(metrics: Metrics, log: Log): BreakerListener {
  return {
    transition(name, from, to) {
      metrics.breakerTransitions.child({ name, from, to }).add(1);
      const level = to === 'closed' ? 'info' : from === 'closed' ? 'warn' : 'debug';
      log[level]('circuit breaker changed', { breaker: name, from, to });
    },
    failure: (name) => metrics.breakerFailures.child({ name }).add(1),
  };
}

/** Counts refusals of keys, and writes one line for each rest that a person could end. */
export function keyListener(metrics: Metrics, log: Log): KeyListener {
  return {
    refused(provider, place, reason, restMs, began) {
      metrics.keyRefusals.child({ provider, place, reason }).add(1);
      if (!began || reason === 'rate_limit') return;
      log.warn('provider refuses a key', { provider, place, reason, rest_ms: restMs });
    },
  };
}

/** Statements on the database. */
export function queryMeters(metrics: Metrics): QueryMeters {
  return {
    done(operation, table, durationMs) {
      metrics.dbQueries.child({ operation, table }).add(1);
      metrics.dbDuration.child({ operation, table }).record(durationMs / 1000);
    },
    failed(operation, table, errorType) {
      metrics.dbQueries.child({ operation, table }).add(1);
      metrics.dbErrors.child({ operation, error_type: errorType }).add(1);
    },
  };
}

export interface MeterSources {
  readonly storage: Pick<Storage, 'figures'>;
  readonly capture: Pick<BodyCapture, 'dropped'>;
  readonly gateway: Pick<Gateway, 'breakers' | 'budgets' | 'gate'>;
  readonly current: () => LiveGeneration;
  readonly pool: Pick<ProviderPool, 'figures'>;
  readonly flags: { readonly snapshot: Pick<FlagSnapshot, 'shares'> };
  /** Names of what works with less than it should have. */
  readonly degraded: () => readonly string[];
}

export function sampleMeters(metrics: Metrics, sources: MeterSources): void {
  const { storage, capture, gateway, current, pool, flags, degraded } = sources;
  metrics.journalBacklogBytes.sample(single(() => storage.figures().backlogBytes));
  metrics.journalBacklogAge.sample(single(() => storage.figures().oldestUnappliedMs / 1000));
  metrics.tenantRoutes.sample(() => {
    const { asked, read } = storage.figures().places.routes;
    return [
      { labels: { result: 'asked' }, value: asked },
      { labels: { result: 'read' }, value: read },
    ];
  });
  metrics.tenantDatabases.sample(() => {
    const { open, max } = storage.figures().places.pools;
    return [
      { labels: { state: 'open' }, value: open },
      { labels: { state: 'max' }, value: max },
    ];
  });
  metrics.databaseUp.sample(single(() => (storage.figures().outage === null ? 1 : 0)));
  metrics.journalFailing.sample(() => {
    const { lastError, writerError } = storage.figures();
    return [
      { labels: { stage: 'journal' }, value: lastError === null ? 0 : 1 },
      { labels: { stage: 'database' }, value: writerError === null ? 0 : 1 },
    ];
  });
  metrics.flagShare.sample(() =>
    flags.snapshot
      .shares()
      .map(({ flag, percentage }) => ({ labels: { flag }, value: percentage })),
  );
  metrics.degraded.sample(() => degraded().map((part) => ({ labels: { part }, value: 1 })));
  samplePools(metrics, storage);
  metrics.bodiesDropped.sample(single(() => capture.dropped() + storage.figures().droppedBodies));
  metrics.requestsQueued.sample(single(() => gateway.gate.waiting()));
  metrics.reservationsOpen.sample(single(() => gateway.budgets.open()));
  metrics.configGeneration.sample(single(() => current().number));
  metrics.upstreamConnections.sample(() =>
    pool.figures().flatMap(({ provider, connected, running, queued }) => [
      { labels: { provider, state: 'connected' }, value: connected },
      { labels: { provider, state: 'running' }, value: running },
      { labels: { provider, state: 'queued' }, value: queued },
    ]),
  );
  metrics.upstreamConnects.sample(() =>
    pool.figures().map(({ provider, connectsTotal }) => ({
      labels: { provider },
      value: connectsTotal,
    })),
  );
  metrics.breakerState.sample(() =>
    gateway.breakers.snapshot().map(({ name, state }) => ({
      labels: { name },
      value: STATE_NUMBERS[state],
    })),
  );
  metrics.breakerOpenSeconds.sample(() =>
    gateway.breakers.snapshot().map(({ name, totalOpenMs }) => ({
      labels: { name },
      value: totalOpenMs / 1000,
    })),
  );
}

function samplePools(metrics: Metrics, storage: MeterSources['storage']): void {
  metrics.databaseConnections.sample(() =>
    [...storage.figures().pools].flatMap(([pool, figures]) => [
      { labels: { pool, state: 'checked_out' }, value: figures.checkedOut },
      { labels: { pool, state: 'idle' }, value: figures.idle },
      { labels: { pool, state: 'available' }, value: figures.totalAvailable },
      { labels: { pool, state: 'waiting' }, value: figures.waiting },
    ]),
  );
  metrics.databasePoolExhausted.sample(() =>
    [...storage.figures().pools].map(([pool, { waiting, totalAvailable }]) => ({
      labels: { pool },
      value: waiting > 0 && totalAvailable === 0 ? 1 : 0,
    })),
  );
}
