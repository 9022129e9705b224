/**
 * What the control plane needs from the rest of the program. The composition root provides it;
 * nothing here knows how. State that is only passed on is asked for in the shape of the wire.
 */
import type {
  Breaker,
  CacheHealth,
  CacheStats,
  ConfigReload,
  ConfigState,
  DatabaseHealth,
  FlagAnswer,
  Health,
  Provider,
  Ready,
  Startup,
} from '@esclusa/contracts';
import type {
  Authenticator,
  BodyStore,
  Budget,
  CacheSelection,
  Experiment,
  Explain,
  LedgerQueries,
  Routes,
  Terms,
} from '../../gateway/index.ts';
import type {
  AccessTokens,
  AuditLog,
  AuditRepository,
  Invite,
  KeyUseCases,
  Register,
  SignInUseCases,
  SingleSignOn,
  UserUseCases,
} from '../../identity/index.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { IdSource } from '../../kernel/id.ts';
import type { Log } from '../../kernel/log.ts';
import type { Nanousd } from '../../kernel/money.ts';
import type {
  ArmFiguresReader,
  FlagSubject,
  FlagUseCases,
  JobBook,
} from '../../operations/index.ts';
import type { TenantPlaces, TenantRemoval, TenantUseCases } from '../../tenancy/index.ts';
import type { RequestMeter } from '../edge.ts';
import type { RequestIds } from '../refusal.ts';
import type { OriginReader } from '../request-origin.ts';

export interface AdminServices {
  readonly authenticator: Authenticator;
  readonly originOf: OriginReader;
  readonly signIn: SignInUseCases;
  readonly register: Register;
  readonly users: UserUseCases;
  readonly invite: Invite;
  /** null: not configured. */
  readonly singleSignOn: SingleSignOn | null;
  /** People reach it by https: cookies say so. */
  readonly isSecure: boolean;
  readonly audit: Pick<AuditLog, 'record'>;
  readonly auditEntries: Pick<AuditRepository, 'list'>;
  readonly tokens: Pick<AccessTokens, 'publicKeys'>;
  readonly keys: KeyUseCases;
  readonly tenants: TenantUseCases;
  readonly places: TenantPlaces;
  readonly removal: TenantRemoval;
  readonly ledger: LedgerQueries;
  /** How long a row of another process may be on its way; 0 where this is the only one. */
  readonly ledgerLagMs: number;
  readonly bodies: Pick<BodyStore, 'get'>;
  readonly routes: () => Pick<Routes, 'list'>;
  readonly providers: () => readonly Provider[];
  readonly budgets: BudgetReader;
  /** What a tenant may use as it stands. */
  readonly terms: (tenant: string) => Terms;
  readonly breakers: BreakerControl;
  readonly flags: FlagControl;
  /** Of the configuration in force, by alias. */
  readonly experiments: () => readonly RunningExperiment[];
  readonly arms: ArmFiguresReader;
  readonly explain: Explain;
  readonly config: ConfigControl;
  readonly jobs: JobBook;
  readonly cache: CacheControlPlane;
  /** Resolves with null while metrics are switched off: `/metrics` answers 404 then. */
  metrics(): Promise<MetricsText | null>;
  /** Told of every request of the control plane when it has been answered. */
  readonly meter: RequestMeter;
  readonly health: HealthReader;
  /** Signs cursors. */
  readonly cursorKey: Buffer;
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly log: Log;
  /** Runs the work so that lines logged within it name the request. */
  readonly within: <T>(ids: RequestIds, work: () => T) => T;
}

export interface BudgetReader {
  /**
   * What a budget has spent and promised; null while its counter is being rebuilt. `id` is what
   * its counter is called, such as `key:key_01…`.
   */
  figures(
    scope: { readonly id: string; readonly budget: Budget },
    tenant: string,
  ): Promise<BudgetFigures | null>;
}

export interface BudgetFigures {
  readonly spentNanousd: Nanousd;
  readonly reservedNanousd: Nanousd;
  /** Milliseconds since the epoch; null for a budget that never renews. */
  readonly renewsAtMs: number | null;
}

export interface RunningExperiment {
  /** The alias that clients ask for. */
  readonly model: string;
  readonly experiment: Experiment;
}

export interface FlagControl extends FlagUseCases {
  isForcedOff(name: string): boolean;
  evaluate(name: string, subject: FlagSubject): Promise<Omit<FlagAnswer, 'name'>>;
}

/** Of all workers of the program together. */
export interface BreakerControl {
  /** Reading changes nothing. */
  list(): Promise<readonly Breaker[]>;
  /** Closes the breaker of this name, or with null every one; answers how they stand then. */
  reset(name: string | null): Promise<readonly Breaker[]>;
}

export interface ConfigControl {
  state(): ConfigState;
  /** Reads the file again; a bad one keeps the generation in force and says why. */
  reload(): Promise<ConfigReload>;
}

/** What the route adds is not asked for: the time, and the state once more. */
type CacheState = Omit<CacheHealth, 'timestamp' | 'cache_health'>;

export interface CacheControlPlane {
  purge(tenant: string): Promise<number | null>;
  /** Forgets some answers and says how many. */
  remove(tenant: string, selection: CacheSelection): Promise<number>;
  /** null: all tenants together. `timestamp` is added by the route. */
  stats(tenant: string | null): Promise<CacheStats['cache']>;
  resetStats(tenant: string | null): Promise<void>;
  health(): Promise<CacheState> | CacheState;
}

export interface MetricsText {
  readonly contentType: string;
  readonly text: string;
}

export interface HealthReader {
  /** What the checks at start found; `starting` until the start is complete. */
  startup(): Startup;
  /** From memory: what background checks found last. */
  ready(): Ready;
  /** Asks the dependencies; messages and errors are only shown to who has a credential. */
  report(): Promise<Omit<Health, 'timestamp'>>;
  /** Within two seconds, also while the pool is exhausted. */
  database(): Promise<Omit<DatabaseHealth, 'timestamp'>>;
}
