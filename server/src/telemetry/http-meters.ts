/**
 * Counts requests at the edge by the template of their route and the status they really got.
 * Templates stand in our own code; methods are those of the list, everything else is `OTHER`.
 */
import type { Counter, Histogram } from '../kernel/meter.ts';
import type { Metrics } from './metrics.ts';

const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

interface RouteMeters {
  readonly duration: Histogram;
  readonly byStatus: Map<number, Counter>;
}

type RequestMeter = (method: string, endpoint: string, status: number, durationMs: number) => void;

/** Never throws. */
export function createRequestMeter(metrics: Metrics): RequestMeter {
  const routes = new Map<string, RouteMeters>();
  return (given, endpoint, status, durationMs) => {
    const method = METHODS.has(given) ? given : 'OTHER';
    const name = `${method} ${endpoint}`;
    let route = routes.get(name);
    if (route === undefined) {
      route = { duration: metrics.httpDuration.child({ method, endpoint }), byStatus: new Map() };
      routes.set(name, route);
    }
    route.duration.record(durationMs / 1000);
    let counter = route.byStatus.get(status);
    if (counter === undefined) {
      counter = metrics.httpRequests.child({ method, endpoint, status: String(status) });
      route.byStatus.set(status, counter);
    }
    counter.add(1);
  };
}
