/**
 * One call to a provider: the handler that the connection pool drives, the one timer that
 * bounds its waits, and the way it ends.
 *
 * Invariants:
 * 1. It ends once: by the end of the answer, by a failure, by the caller's signal, or because
 *    nobody reads. At that moment the timer is cancelled and the signal's listener removed.
 * 2. Giving it up destroys the socket at once. A call that still waits for a socket is never
 *    written when its turn comes, and costs no other call its connection.
 * 3. An answer that ended early fails; it is never delivered as complete.
 * It does not retry and does not follow redirects.
 */
import type { Dispatcher } from 'undici';
import { GatewayError } from '../gateway/model/errors.ts';
import type { UpstreamResponse, UpstreamTimeouts } from '../gateway/ports/upstream.ts';
import type { Clock, Timer } from '../kernel/clock.ts';
import { AnswerBody, type BodySource } from './answer-body.ts';
import {
  answerTooLong,
  type CallPhase,
  classifyFailure,
  connectTimeout,
  encodedAnswer,
  firstByteTimeout,
  idleTimeout,
  truncated,
} from './failure.ts';

type Headers = Readonly<Record<string, string | string[] | undefined>>;

/** What calls share: one per upstream. */
export interface CallContext {
  readonly provider: string;
  readonly clock: Clock;
  /** True while a socket reports an error: what ends now was cut, whatever it looks like. */
  cutting(): boolean;
  /** The pool has let go of the call; told exactly once. */
  released(phase: CallPhase, failure: GatewayError | null): void;
}

/** A timer that is later than this was held up by more than its own coarseness. */
const LATE_MS = 20;

export class HttpCall implements Dispatcher.DispatchHandler, BodySource {
  readonly head: Promise<UpstreamResponse>;
  readonly #context: CallContext;
  readonly #options: Dispatcher.DispatchOptions;
  readonly #timeouts: UpstreamTimeouts;
  readonly #signal: AbortSignal;
  readonly #body: AnswerBody;
  #resolve: (response: UpstreamResponse) => void = () => undefined;
  #reject: (reason: unknown) => void = () => undefined;
  #controller: Dispatcher.DispatchController | null = null;
  #timer: Timer;
  #phase: CallPhase = 'waiting';
  #bodyBegun = false;
  #discarding = false;
  #endsByClose = false;
  #over = false;
  /** Why the provider was not reached, where this call found out by itself. */
  #unreached: GatewayError | null = null;
  /** A function: of an object, Node makes one that is born old, and all of the call with it. */
  readonly #leave = (): void => this.#giveUp(this.#signal.reason);
  /** On the monotonic clock: when what we wait for began. */
  #sinceMs: number;
  /** When the timer is to fire; later means that this process stood still. */
  #dueMs = 0;

  /** `options` are those dispatched; their body is let go of when the call is given up. */
  constructor(
    context: CallContext,
    options: Dispatcher.DispatchOptions,
    timeouts: UpstreamTimeouts,
    signal: AbortSignal,
  ) {
    this.#context = context;
    this.#options = options;
    this.#timeouts = timeouts;
    this.#signal = signal;
    this.#body = new AnswerBody(this);
    this.head = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#sinceMs = context.clock.monotonicMs();
    this.#timer = this.#arm(Math.min(this.#limitMs(), timeouts.idleMs));
    signal.addEventListener('abort', this.#leave);
  }

  // The caller

  giveUp(): void {
    this.#giveUp(new GatewayError('client_closed', { message: 'The call was given up.' }));
  }

  exceed(maxBytes: number): GatewayError {
    const reason = answerTooLong(this.#context.provider, maxBytes);
    this.#giveUp(reason);
    return reason;
  }

  pause(): void {
    this.#controller?.pause();
  }

  resume(): void {
    this.#sinceMs = this.#context.clock.monotonicMs();
    this.#controller?.resume();
  }

  // The pool

  onRequestStart(controller: Dispatcher.DispatchController): void {
    // Throwing makes the pool drop the request unwritten and keep the connection.
    if (this.#over) throw new GatewayError('client_closed');
    this.#controller = controller;
    this.#phase = 'sent';
    this.#sinceMs = this.#context.clock.monotonicMs();
  }

  onResponseStart(_: Dispatcher.DispatchController, status: number, headers: Headers): void {
    if (status < 200 || this.#over) return;
    this.#phase = 'answering';
    if (isEncoded(headers)) {
      if (status < 400) {
        this.#giveUp(encodedAnswer(this.#context.provider));
        return;
      }
      this.#discarding = true; // the status alone tells what failed
    }
    this.#endsByClose =
      headers['content-length'] === undefined && headers['transfer-encoding'] === undefined;
    this.#body.declaredBytes = Number(headers['content-length'] ?? 0);
    this.#resolve({ status, headers: joined(headers), body: this.#body });
  }

  onResponseData(_: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#bodyBegun = true;
    this.#sinceMs = this.#context.clock.monotonicMs();
    if (!this.#discarding) this.#body.push(chunk);
  }

  onResponseEnd(): void {
    if (this.#endsByClose && this.#bodyBegun && this.#context.cutting()) {
      this.onResponseError(null, truncated(this.#context.provider));
      return;
    }
    if (!this.#over) {
      this.#close();
      this.#body.end();
    }
    this.#context.released(this.#phase, null);
  }

  onResponseError(_: Dispatcher.DispatchController | null, cause: Error): void {
    const { provider } = this.#context;
    const failure =
      cause instanceof GatewayError ? cause : classifyFailure(provider, this.#phase, cause);
    const ours = this.#over;
    if (!ours) this.#fail(failure, false);
    this.#context.released(this.#phase, ours ? this.#unreached : failure);
  }

  #giveUp(reason: unknown): void {
    if (this.#over) return;
    this.#fail(reason, true);
    this.#options.body = null;
    this.#controller?.abort(new Error('given up'));
  }

  #fail(reason: unknown, discard: boolean): void {
    this.#close();
    this.#reject(reason);
    this.#body.fail(reason, discard);
  }

  #close(): void {
    this.#over = true;
    this.#timer.cancel();
    this.#signal.removeEventListener('abort', this.#leave);
  }

  /** Leaves at least `restMs` of the limit, counted from now. */
  #allow(restMs: number, limitMs: number, nowMs: number): void {
    this.#sinceMs = Math.max(this.#sinceMs, nowMs - limitMs + restMs);
  }

  #arm(delayMs: number): Timer {
    this.#dueMs = this.#context.clock.monotonicMs() + delayMs;
    return this.#context.clock.setTimer(delayMs, () => this.#check());
  }

  /**
   * Bytes only note their time; whether the silence is too long is decided here. Time in which
   * this process could not have noticed any bytes is not the provider's silence.
   */
  #check(): void {
    const { clock, provider } = this.#context;
    const nowMs = clock.monotonicMs();
    const lateMs = nowMs - this.#dueMs;
    const limitMs = this.#limitMs();
    if (this.#body.paused) this.#sinceMs = nowMs;
    else if (lateMs > LATE_MS) this.#allow(Math.min(lateMs, limitMs), limitMs, nowMs);
    const leftMs = this.#sinceMs + limitMs - nowMs;
    if (leftMs > 0) {
      this.#timer = this.#arm(Math.min(leftMs, this.#timeouts.idleMs));
    } else {
      if (this.#isConnecting()) this.#unreached = connectTimeout(provider, limitMs);
      const timeout = this.#bodyBegun ? idleTimeout : firstByteTimeout;
      this.#giveUp(this.#unreached ?? timeout(provider, limitMs));
    }
  }

  /** A call that waits for a socket in use is not connecting: its limit is the first byte's. */
  #isConnecting(): boolean {
    return this.#phase === 'waiting' && this.#timeouts.connectMs !== undefined;
  }

  /** Of what we wait for now. */
  #limitMs(): number {
    const { connectMs, firstByteMs, idleMs } = this.#timeouts;
    if (this.#isConnecting()) return Math.min(connectMs ?? firstByteMs, firstByteMs);
    return this.#bodyBegun ? idleMs : firstByteMs;
  }
}

function isEncoded(headers: Headers): boolean {
  const encoding = headers['content-encoding'];
  return encoding !== undefined && encoding !== 'identity' && encoding !== '';
}

function joined(headers: Headers): Record<string, string> {
  const result: Record<string, string> = {};
  for (const name in headers) {
    const value = headers[name];
    if (typeof value === 'string') result[name] = value;
    else if (value !== undefined) result[name] = value.join(', ');
  }
  return result;
}
