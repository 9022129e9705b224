/**
 * The log: one line per event, as JSON for machines or as text for a terminal.
 *
 * Shape of a line: `{ level, timestamp, logger, message, context: { service, worker?, request_id,
 * correlation_id, tenant, trace_id? }, …fields }`, and `exception: { type, message, traceback }`
 * where the field `error` holds an Error.
 *
 * Invariants: every line passes the redactor; a line never throws and never waits; lines
 * within an exchange carry its identifiers. The one line per exchange is written by
 * `exchange-line.ts` in the same shape, through the same sink.
 */
import { pino } from 'pino';
import type { Clock } from '../kernel/clock.ts';
import type { Log, LogFields } from '../kernel/log.ts';
import type { LogIds, LogScope } from './log-scope.ts';
import { createLogSink, type LogSink } from './log-sink.ts';
import { describeError, redactFields, redactText } from './redact.ts';
import { textLine } from './text-line.ts';
import { createTimestamps } from './timestamps.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

const LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

export interface LogOptions {
  readonly level: LogLevel;
  readonly format: 'json' | 'text';
  /** 1 standard output, 2 standard error, a file to append to, or a sink of one's own. */
  readonly destination: 1 | 2 | string | LogSink;
  /** Names the program in `context.service`. */
  readonly service: string;
  /** Which of several processes writes; null: there is one. */
  readonly worker?: number | null;
  readonly clock: Clock;
  readonly scope?: LogScope;
  /** Text only: paint levels. */
  readonly colour?: boolean;
}

/** What the exchange line needs of the log. */
export interface LineWriter {
  enabled(level: LogLevel): boolean;
  timestamp(): string;
  readonly service: string;
  readonly worker: number | null;
  /** One JSON object and a line feed, redacted by the caller. */
  write(jsonLine: string): void;
}

export interface LogHandle {
  readonly log: Log;
  /** The same log under another `logger` name, such as the part of the program that speaks. */
  named(logger: string): Log;
  readonly writer: LineWriter;
  /** Both from the next line on. */
  setFormat(format: 'json' | 'text'): void;
  setLevel(level: LogLevel): void;
  /** Lines written so far, those that were lost on their way out among them. */
  written(): Readonly<Record<LogLevel, number>>;
  /** Lines lost so far. */
  dropped(): number;
  /** For the last moment of a process; harmless at any time. */
  flushSync(): void;
  close(): Promise<void>;
}

export function createLog(options: LogOptions): LogHandle {
  const { clock, format, level, scope, service, destination, colour = false } = options;
  const { worker = null } = options;
  const sink =
    typeof destination === 'object'
      ? destination
      : createLogSink(destination, format === 'json', clock);
  let isJson = format === 'json';
  const written = { debug: 0, info: 0, warn: 0, error: 0 };
  const write = (line: string): void => {
    written[levelOf(line)] += 1;
    sink.write(isJson ? line : textLine(line, colour));
  };
  const timestamp = createTimestamps(clock);
  const logger = pino(
    {
      level,
      base: null,
      messageKey: 'message',
      timestamp: () => `,"timestamp":"${timestamp()}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    { write },
  );

  function named(name: string): Log {
    const at =
      (chosen: LogLevel) =>
      (message: string, fields: LogFields = {}): void => {
        if (!logger.isLevelEnabled(chosen)) return;
        const context = lineContext({ service, worker }, scope?.current(), fields);
        const line = { logger: name, context, ...lineFields(fields) };
        logger[chosen](line, redactText(message));
      };
    return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
  }

  let rank = LEVELS.indexOf(level);
  return {
    log: named(service),
    named,
    writer: {
      enabled: (wanted) => LEVELS.indexOf(wanted) >= rank,
      timestamp,
      service,
      worker,
      write,
    },
    setFormat(wanted) {
      isJson = wanted === 'json';
    },
    setLevel(wanted) {
      rank = LEVELS.indexOf(wanted);
      logger.level = wanted;
    },
    written: () => written,
    dropped: () => sink.dropped(),
    flushSync: () => sink.flushSync(),
    close: () => sink.close(),
  };
}

const LEVEL_AT = '{"level":"'.length;

/** By its first letter: every line begins with its level, and no two begin alike. */
function levelOf(line: string): LogLevel {
  switch (line[LEVEL_AT]) {
    case 'd':
      return 'debug';
    case 'w':
      return 'warn';
    case 'e':
      return 'error';
    default:
      return 'info';
  }
}

/** Identifiers belong into the context, also where a caller gives them as fields. */
const CONTEXT_FIELDS = ['request_id', 'correlation_id', 'tenant'];

function lineContext(
  { service, worker }: Pick<LineWriter, 'service' | 'worker'>,
  ids: LogIds | undefined,
  fields: LogFields,
): Record<string, unknown> {
  const context: Record<string, unknown> = worker === null ? { service } : { service, worker };
  if (ids !== undefined) {
    context.request_id = ids.requestId;
    context.correlation_id = ids.correlationId;
    context.tenant = ids.tenant;
    context.trace_id = ids.traceId;
  }
  for (const name of CONTEXT_FIELDS) {
    if (fields[name] !== undefined) context[name] = fields[name];
  }
  return redactFields(context);
}

const RESERVED = ['level', 'timestamp', 'logger', 'message', 'context', 'exception'];

function lineFields(fields: LogFields): Record<string, unknown> {
  const clean = redactFields(fields);
  for (const name of CONTEXT_FIELDS) delete clean[name];
  for (const name of RESERVED) {
    if (!(name in clean)) continue;
    clean[`${name}_`] = clean[name]; // two members of one name are not JSON to everyone
    delete clean[name];
  }
  if (fields.error instanceof Error) {
    delete clean.error;
    clean.exception = describeError(fields.error);
  }
  return clean;
}
