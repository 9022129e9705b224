/**
 * Where traces go, and which. The names of the variables are OpenTelemetry's, and mean what they
 * mean there; without an address nothing is traced.
 */
import { choice, decimal, flag, group, optionalText, whole } from './setting.ts';

const restart = { apply: 'restart' } as const;

const ADDRESS = /^https?:\/\/[^\s@?#]+$/;
const PAIR = "\\s*[\\w.!#$%&'*+^`|~-]+\\s*=[\\x20-\\x2b\\x2d-\\x7e]*";
const PAIRS = new RegExp(`^${PAIR}(,${PAIR})*$`);
const pairs = '`name=value`, separated by commas';

export const tracingGroup = group(
  { apply: 'live', description: 'Traces, sent to a collector over OTLP/HTTP.' },
  {
    endpoint: optionalText(ADDRESS, {
      ...restart,
      env: ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'OTEL_EXPORTER_OTLP_ENDPOINT'],
      accepts: 'an http or https address without user, query or fragment',
      description: 'The address of the collector; `/v1/traces` is added. Without it: no traces.',
    }),
    protocol: choice('http/protobuf', ['http/protobuf', 'http/json'], {
      ...restart,
      env: ['OTEL_EXPORTER_OTLP_TRACES_PROTOCOL', 'OTEL_EXPORTER_OTLP_PROTOCOL'],
      description: 'How they are written.',
    }),
    headers: optionalText(PAIRS, {
      ...restart,
      env: ['OTEL_EXPORTER_OTLP_TRACES_HEADERS', 'OTEL_EXPORTER_OTLP_HEADERS'],
      ...{ secret: true, accepts: pairs },
      description: 'What the collector is told beside them, such as its key.',
    }),
    timeout_ms: whole(
      10_000,
      { min: 100, max: 60_000 },
      {
        ...restart,
        env: ['OTEL_EXPORTER_OTLP_TRACES_TIMEOUT', 'OTEL_EXPORTER_OTLP_TIMEOUT'],
        description: 'How long one batch may take.',
      },
    ),
    interval_ms: whole(
      5000,
      { min: 10, max: 60_000 },
      {
        ...restart,
        env: ['OTEL_BSP_SCHEDULE_DELAY'],
        description: 'How long spans wait for others to go with.',
      },
    ),
    max_spans: whole(
      2048,
      { min: 16, max: 100_000 },
      {
        ...restart,
        env: ['OTEL_BSP_MAX_QUEUE_SIZE'],
        description: 'Spans that may wait, those on their way included; more are dropped.',
      },
    ),
    resource_attributes: optionalText(PAIRS, {
      ...restart,
      env: ['OTEL_RESOURCE_ATTRIBUTES'],
      accepts: pairs,
      description: 'What else the traces say of this installation.',
    }),
    sample_ratio: decimal(
      1,
      { min: 0, max: 1 },
      {
        env: ['OTEL_TRACES_SAMPLER_ARG'],
        description: 'The share of traces begun here that is recorded.',
      },
    ),
    follow_parent: flag(true, {
      description: 'A caller that sends `traceparent` decides whether its trace is recorded.',
    }),
    pass_on: flag(true, {
      description: 'Tells providers where a call stands in its trace, by `traceparent`.',
    }),
  },
);
