/**
 * The messages between the benchmark and the processes it starts. Plain data: they cross a
 * process boundary as JSON. Times are milliseconds on the receiver's own clock.
 */

/** What the load generator calls. */
export interface Target {
  readonly origin: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Ten digits in the body that are different in every call; null where all are the same. */
  readonly marker: string | null;
  /** So many different bodies, by turns; absent: each is used once. */
  readonly bodies?: number;
  /** Length of a right answer; null where it varies (streams). Anything else is an error. */
  readonly answerBytes: number | null;
}

/** Processes whose CPU time and memory are read at the edges of the window, by role. */
export interface Watched {
  readonly subject: number | null;
  readonly upstream: number;
}

export interface ClosedLoop {
  readonly kind: 'closed';
  readonly target: Target;
  readonly watched: Watched;
  /** Calls kept in flight at any time. */
  readonly connections: number;
  readonly durationMs: number;
}

export interface OpenLoop {
  readonly kind: 'open';
  readonly target: Target;
  readonly watched: Watched;
  readonly ratePerSecond: number;
  readonly durationMs: number;
  /** The same seed gives the same arrival times. */
  readonly seed: number;
}

export interface StreamLoop {
  readonly kind: 'streams';
  readonly target: Target;
  readonly watched: Watched;
  /** Streams running at any time once the first ones end. */
  readonly concurrent: number;
  readonly chunks: number;
  readonly chunkIntervalMs: number;
  /** Measured after as long as one stream takes. */
  readonly durationMs: number;
}

export type LoadCommand = ClosedLoop | OpenLoop | StreamLoop;

export interface Latencies {
  readonly count: number;
  readonly p50: number | null;
  readonly p90: number | null;
  readonly p99: number | null;
  readonly max: number | null;
}

/** CPU time used in the window as a share of one core, and the subject's memory at its end. */
export interface Load {
  readonly windowMs: number;
  readonly subjectBusy: number | null;
  readonly upstreamBusy: number;
  readonly generatorBusy: number;
  readonly subjectCpuMs: number | null;
  readonly rssMb: number | null;
  readonly peakRssMb: number | null;
}

export interface CallCounts {
  /** Calls answered rightly, also those answered after the window's end. */
  readonly done: number;
  readonly errors: number;
  /** The first error, in words. */
  readonly firstError: string | null;
}

export interface ClosedResult extends CallCounts {
  readonly kind: 'closed';
  readonly perSecond: number;
  readonly load: Load;
}

export interface OpenResult extends CallCounts {
  readonly kind: 'open';
  /** From the moment the call was due, not from when it was sent. */
  readonly latencyMs: Latencies;
  /** How late calls were sent: the generator's own fault. */
  readonly lagMs: Latencies;
  readonly load: Load;
}

export interface StreamResult extends CallCounts {
  readonly kind: 'streams';
  /** From the moment the stream was due to its first chunk of content. */
  readonly firstChunkMs: Latencies;
  /** Distance of each gap between two chunks from the interval at which they are produced. */
  readonly jitterMs: Latencies;
  readonly concurrentMean: number;
  readonly chunksSeen: number;
  readonly load: Load;
}

export type LoadResult = ClosedResult | OpenResult | StreamResult;

export type UpstreamCommand =
  | { readonly kind: 'configure'; readonly chunks: number; readonly chunkIntervalMs: number }
  | { readonly kind: 'count' };

/** Calls that the upstream has answered since it began. */
export interface UpstreamCount {
  readonly plain: number;
  readonly streams: number;
}

/** The first message of a process that listens. */
export interface Listening {
  readonly port: number;
}
