/**
 * What the control plane looks at and turns, taken from where it lives.
 */
import type { Provider } from '@esclusa/contracts';
import type { ProviderConfig } from '../config/index.ts';
import type { AdminServices, ConfigControl, HealthReader } from '../http/index.ts';
import type { Clock } from '../kernel/clock.ts';
import type { IdSource } from '../kernel/id.ts';
import type { Log } from '../kernel/log.ts';
import type { Storage } from '../storage/index.ts';
import type { Flags } from './flags.ts';
import type { Gateway } from './gateway.ts';
import type { LiveGeneration } from './generations.ts';
import type { Identity } from './identity.ts';
import type { TenantData } from './tenant-data.ts';

export interface AdminDeps {
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly log: Log;
  readonly within: AdminServices['within'];
  readonly metrics: AdminServices['metrics'];
  readonly originOf: AdminServices['originOf'];
  readonly storage: Storage;
  readonly identity: Identity;
  readonly gateway: Gateway;
  readonly current: () => LiveGeneration;
  readonly health: HealthReader;
  readonly config: ConfigControl;
  readonly cache: AdminServices['cache'];
  readonly breakers: AdminServices['breakers'];
  readonly flags: Flags;
  readonly meter: AdminServices['meter'];
  /** No other process writes to this ledger. */
  readonly isAlone: boolean;
  readonly data: TenantData;
}

/** Longer than a journal gathers and a writer takes; an outage is not waited for. */
const LEDGER_LAG_MS = 1000;

export function createAdminServices(deps: AdminDeps): AdminServices {
  const { clock, ids, log, identity, gateway, storage, current, flags } = deps;
  const config = () => current().config;
  return {
    authenticator: identity.authenticator,
    originOf: deps.originOf,
    meter: deps.meter,
    signIn: identity.signIn,
    register: identity.register,
    users: identity.users,
    invite: identity.invite,
    singleSignOn: identity.singleSignOn,
    isSecure: identity.isSecure,
    audit: identity.audit,
    auditEntries: storage.audit,
    tokens: identity.tokens,
    keys: identity.keys,
    tenants: identity.tenants,
    places: deps.data.places,
    removal: deps.data.removal,
    ledger: storage.ledgerQueries,
    ledgerLagMs: deps.isAlone ? 0 : LEDGER_LAG_MS,
    bodies: storage.bodies,
    routes: () => current().routes,
    providers: () => Object.values(config().providers).map((each) => providerOf(deps, each)),
    budgets: gateway.budgets,
    terms: gateway.terms,
    explain: gateway.explain,
    experiments: () => experimentsOf(current()),
    arms: storage.arms,
    flags: {
      ...flags.useCases,
      isForcedOff: flags.isForcedOff,
      evaluate: (name, subject) => flags.snapshot.evaluate(name, subject),
    },
    breakers: deps.breakers,
    config: deps.config,
    jobs: storage.jobs,
    cache: deps.cache,
    metrics: deps.metrics,
    health: deps.health,
    cursorKey: identity.secrets.cursorKey,
    clock,
    ids,
    log,
    within: deps.within,
  };
}

function experimentsOf({
  config,
  routes,
}: LiveGeneration): ReturnType<AdminServices['experiments']> {
  return Object.keys(config.models).flatMap((model) => {
    const experiment = routes.resolve(model)?.experiment;
    return experiment === undefined ? [] : [{ model, experiment }];
  });
}

function providerOf({ current }: AdminDeps, provider: ProviderConfig): Provider {
  const { models } = current().config;
  const { connection } = provider;
  return {
    name: provider.name,
    kind: provider.kind,
    base_url: 'baseUrl' in connection ? connection.baseUrl : null,
    models: Object.values(models)
      .flatMap((model) => model.targets)
      .filter((target) => target.provider === provider.name)
      .map((target) => target.model),
  };
}
