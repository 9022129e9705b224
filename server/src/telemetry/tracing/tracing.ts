/**
 * Traces: identifiers for exchanges when they begin, spans when they have ended, exported in the
 * background. This folder, and the library behind it, is loaded only where a collector is
 * configured (`app/tracing.ts`).
 *
 * Invariant: nothing here makes an exchange wait or fail.
 */
import { resourceFromAttributes } from '@opentelemetry/resources';
import type { ExchangeObserver } from '../../gateway/ports/observer.ts';
import type { Upstream } from '../../gateway/ports/upstream.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { Log } from '../../kernel/log.ts';
import type { Random } from '../../kernel/random.ts';
import { type Metrics, single } from '../metrics.ts';
import { spansOf } from './exchange-spans.ts';
import { ENVIRONMENT, SERVICE_INSTANCE, SERVICE_NAME } from './names.ts';
import { createOtlpSender, type OtlpProtocol } from './otlp-sender.ts';
import { createSpanQueue, type DropReason } from './span-queue.ts';
import { createTracer, type Sampling, type Tracer } from './tracer.ts';

export interface TracingOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly metrics: Metrics;
  /** To the collector. */
  readonly upstream: Upstream;
  readonly path: string;
  readonly protocol: OtlpProtocol;
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly intervalMs: number;
  readonly maxSpans: number;
  readonly service: { readonly name: string; readonly instance: string };
  readonly environment: string;
  /** What else the operator says of this installation. */
  readonly attributes: Readonly<Record<string, string>>;
  /** Of the configuration in force. */
  readonly sampling: () => Sampling;
}

export interface Tracing {
  readonly open: Tracer['open'];
  /** Tells `observer` as before, and exports what was told of. */
  watching(observer: ExchangeObserver): ExchangeObserver;
  /** Sends what waits, for so long at most. */
  close(withinMs: number): Promise<void>;
}

export function createTracing(options: TracingOptions): Tracing {
  const { log, metrics } = options;
  const resource = resourceFromAttributes({
    ...options.attributes,
    [SERVICE_NAME]: options.service.name,
    [SERVICE_INSTANCE]: options.service.instance,
    [ENVIRONMENT]: options.environment,
  });
  const sent = metrics.spansExported.child({});
  const dropped = (reason: DropReason) => metrics.spansDropped.child({ reason });
  const queue = createSpanQueue({
    ...{ clock: options.clock, log, maxSpans: options.maxSpans, intervalMs: options.intervalMs },
    send: createOtlpSender(options),
    sent: (count) => sent.add(count),
    dropped: (reason, count) => dropped(reason).add(count),
  });
  metrics.spansWaiting.sample(single(() => queue.size()));
  return {
    open: createTracer(options.random, options.sampling).open,
    watching: (observer) => ({
      started: (exchange) => observer.started(exchange),
      ended(exchange, end) {
        observer.ended(exchange, end);
        if (exchange.trace?.sampled !== true) return;
        try {
          queue.add(spansOf(exchange, exchange.trace, end, resource));
        } catch (error) {
          log.error('an exchange could not be traced', { error, id: exchange.id });
        }
      },
    }),
    close: (withinMs) => queue.close(withinMs),
  };
}
