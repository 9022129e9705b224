/**
 * The way out to one provider over HTTP/1.1: a bounded pool of kept-alive connections to its
 * origin, and one `HttpCall` for each request.
 *
 * Invariants: at most `connections` sockets and `maxQueued` waiting calls; redirects are
 * answers like any other; connections are closed when idle and replaced after a number of
 * calls. An outage is logged once when it begins and once when it ends, however many calls it
 * hits.
 */
import { isIP } from 'node:net';
import { buildConnector, type Dispatcher, Pool } from 'undici';
import { GatewayError } from '../gateway/model/errors.ts';
import type { Upstream, UpstreamRequest, UpstreamTimeouts } from '../gateway/ports/upstream.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Log } from '../kernel/log.ts';
import { type AddressPolicy, anyAddress } from './address-policy.ts';
import type { CallPhase } from './failure.ts';
import { HttpCall } from './http-call.ts';
import {
  addressRefused,
  createPinnedLookup,
  type Resolve,
  systemResolve,
} from './pinned-lookup.ts';

const KEEP_ALIVE_MS = 45_000;
const KEEP_ALIVE_MAX_MS = 60_000;

/**
 * Then a connection is replaced, so that a change of the provider's addresses is noticed. Not
 * the pool's `clientTtl`: with 500 busy connections that costs 38 µs of CPU per call.
 */
const CALLS_PER_CONNECTION = 2000;
const MAX_HEAD_BYTES = 32 * 1024;

/** Time for one of several addresses before the next is tried; Node's 250 ms is too little. */
const ADDRESS_ATTEMPT_MS = { min: 250, max: 1000 };

export interface HttpUpstreamOptions {
  /** The provider's name in the configuration: for messages and log lines. */
  readonly name: string;
  /** As accepted by `checkProviderUrl`. */
  readonly baseUrl: URL;
  /** The longest that any call may wait for a connection; calls may have a shorter limit. */
  readonly connectMs: number;
  /** Sockets open at once; each carries one call at a time. */
  readonly connections: number;
  /** Calls that may wait for a socket; one more is refused. Default: as many as connections. */
  readonly maxQueued?: number;
  /** Default: any address, right for what the operator configured. */
  readonly addresses?: AddressPolicy;
  readonly resolve?: Resolve;
  readonly clock: Clock;
  readonly log: Log;
}

export interface UpstreamFigures {
  readonly connected: number;
  /** Calls that hold a socket. */
  readonly running: number;
  /** Calls that wait for one. */
  readonly queued: number;
  /** Connections opened, or tried, since the start. */
  readonly connectsTotal: number;
}

export interface HttpUpstream extends Upstream {
  figures(): UpstreamFigures;
  /** Lets running calls end; later ones get `shutting_down`. */
  close(): Promise<void>;
  /** Cuts running calls, which get `shutting_down`. */
  destroy(): Promise<void>;
}

/**
 * Beyond the port's errors, `send` throws `overloaded` when connections and queue are full,
 * `upstream_invalid` for an answer that is not HTTP or is compressed, and `shutting_down`.
 */
export function createHttpUpstream(options: HttpUpstreamOptions): HttpUpstream {
  const { baseUrl, clock, connections, name: provider } = options;
  const maxHeld = connections + (options.maxQueued ?? connections);
  const prefix = baseUrl.pathname === '/' ? '' : baseUrl.pathname;
  const sockets = createConnector(options);
  const reachability = createReachability(options);
  const pool = new Pool(baseUrl.origin, {
    connections,
    pipelining: 1,
    keepAliveTimeout: KEEP_ALIVE_MS,
    keepAliveMaxTimeout: KEEP_ALIVE_MAX_MS,
    maxRequestsPerClient: CALLS_PER_CONNECTION,
    headersTimeout: 0, // each call has its own timer
    bodyTimeout: 0,
    maxHeaderSize: MAX_HEAD_BYTES,
    allowH2: false,
    connect: sockets.connect,
  });
  let held = 0; // calls the pool knows, those given up while they wait included
  const context = {
    provider,
    clock,
    cutting: sockets.cutting,
    released(phase: CallPhase, failure: GatewayError | null): void {
      held -= 1;
      reachability.note(phase, failure);
    },
  };

  return {
    send(request, timeouts, signal) {
      if (signal.aborted) return Promise.reject(signal.reason);
      if (held >= maxHeld) return Promise.reject(new GatewayError('overloaded'));
      const dispatched = dispatchOptions(prefix, request);
      const call = new HttpCall(
        context,
        dispatched,
        limitsOf(timeouts, held < connections),
        signal,
      );
      held += 1;
      pool.dispatch(dispatched, call);
      return call.head;
    },
    figures() {
      const { connected, running } = pool.stats;
      return { connected, running, queued: held - running, connectsTotal: sockets.total() };
    },
    close: () => pool.close(),
    destroy: () => pool.destroy(),
  };
}

/** A call beyond the connections waits for one of them, which is not connecting. */
function limitsOf(timeouts: UpstreamTimeouts, connects: boolean): UpstreamTimeouts {
  if (connects || timeouts.connectMs === undefined) return timeouts;
  const { firstByteMs, idleMs } = timeouts;
  return { firstByteMs, idleMs };
}

function dispatchOptions(prefix: string, request: UpstreamRequest): Dispatcher.DispatchOptions {
  const { method, headers, body } = request;
  return { path: prefix + request.path, method, headers, body };
}

interface Sockets {
  readonly connect: buildConnector.connector;
  cutting(): boolean;
  total(): number;
}

function createConnector(options: HttpUpstreamOptions): Sockets {
  const { clock, connectMs, addresses = anyAddress, resolve = systemResolve } = options;
  const { min, max } = ADDRESS_ATTEMPT_MS;
  const open = buildConnector({
    timeout: connectMs,
    allowH2: false,
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: Math.round(Math.min(max, Math.max(min, connectMs / 3))),
    lookup: createPinnedLookup(addresses, clock, resolve),
  });
  let total = 0;
  let cutting = false;
  return {
    cutting: () => cutting,
    total: () => total,
    connect(target, callback) {
      total += 1;
      const host = target.hostname.replace(/^\[|\]$/g, '');
      if (isIP(host) !== 0 && !addresses.allows(host)) {
        callback(addressRefused(), null); // a literal address is never looked up
        return;
      }
      open(target, (...result) => {
        // Registered before the pool's own listener, so it speaks while that one runs: an
        // answer that ends with its connection would else look complete after a reset.
        result[1]?.on('error', () => {
          cutting = true;
          process.nextTick(() => {
            cutting = false;
          });
        });
        callback(...result);
      });
    },
  };
}

/** One log line per change of state, not per call. */
function createReachability(options: HttpUpstreamOptions): {
  note(phase: CallPhase, failure: GatewayError | null): void;
} {
  const { log, name: provider } = options;
  let reachable = true;
  return {
    note(phase, failure) {
      const unreached = phase === 'waiting' && failure !== null;
      if (unreached && reachable && failure.code !== 'shutting_down') {
        reachable = false;
        log.warn('provider unreachable', { provider, reason: failure.message });
      } else if (phase === 'answering' && !reachable) {
        reachable = true;
        log.info('provider reachable again', { provider });
      }
    },
  };
}
