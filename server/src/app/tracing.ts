/**
 * Traces, where a collector is configured. Nothing of them is loaded where none is.
 */
import { hostname } from 'node:os';
import type { Config } from '../config/index.ts';
import { silentLog } from '../kernel/log.ts';
import type { Tracing } from '../telemetry/tracing/tracing.ts';
import { createHttpUpstream } from '../transport/http-upstream.ts';
import { checkProviderUrl, operatorUrlPolicy } from '../transport/url-guard.ts';
import type { Parts, Undo } from './parts.ts';

/** By the convention of collectors, below their address. */
const TRACES_PATH = '/v1/traces';
/** For what waits when the process goes; a second signal does not wait longer than this. */
const LAST_EXPORT_MS = 2500;

/** null: there is no collector. Throws where its address is none that may be called. */
export async function openTracing(parts: Parts, undo: Undo): Promise<Tracing | null> {
  const { clock, random, keeper, telemetry, loaded } = parts;
  const { tracing, serviceName, environment } = loaded.config;
  if (tracing.endpoint === null) return null;
  const checked = checkProviderUrl(tracing.endpoint, operatorUrlPolicy);
  if (!checked.ok) throw new Error(`tracing.endpoint: ${checked.problem}`);
  const { timeoutMs } = tracing;
  const upstream = createHttpUpstream({
    ...{ name: 'the collector of traces', baseUrl: checked.url, connectMs: timeoutMs },
    ...{ connections: 1, clock, log: silentLog }, // the queue of spans tells what fails
  });
  const { createTracing } = await import('../telemetry/tracing/tracing.ts');
  const made = createTracing({
    ...{ clock, random, upstream, timeoutMs, environment, metrics: telemetry.metrics },
    log: telemetry.log.named('tracing'),
    path: checked.url.pathname.endsWith(TRACES_PATH) ? '' : TRACES_PATH,
    protocol: tracing.protocol,
    headers: pairs(tracing.headers),
    intervalMs: tracing.intervalMs,
    maxSpans: tracing.maxSpans,
    service: { name: serviceName, instance: `${hostname()}-${process.pid}` },
    attributes: pairs(tracing.resourceAttributes),
    sampling: () => keeper.current.config.tracing,
  });
  undo.push(async () => {
    await made.close(LAST_EXPORT_MS);
    await upstream.destroy();
  });
  return made;
}

/** `name=value,name=value`, as OpenTelemetry writes lists; values may be percent-encoded. */
function pairs(text: Config['tracing']['headers']): Readonly<Record<string, string>> {
  if (text === null) return {};
  return Object.fromEntries(
    text.split(',').map((pair) => {
      const at = pair.indexOf('=');
      return [pair.slice(0, at).trim(), decoded(pair.slice(at + 1).trim())];
    }),
  );
}

function decoded(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}
