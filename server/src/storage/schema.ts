/**
 * The tables as the query builder sees them, equal on every engine: 64-bit integers, texts,
 * bytes and nothing else. Points in time are milliseconds since the epoch, amounts
 * nano-dollars, prices pico-dollars per token, truth values 0 and 1.
 *
 * `migrations/` makes these tables; nothing here describes how.
 */

export interface TenantsTable {
  readonly id: string;
  readonly slug: string;
  readonly name: string;
  readonly created_at_ms: number;
  /** null: it is at work. */
  readonly suspended_at_ms: number | null;
  /** A JSON object; null means no limits. */
  readonly limits: string | null;
  readonly budget_limit_nanousd: number | null;
  readonly budget_period: string | null;
  readonly budget_soft: number;
  /** A JSON object of limits and budgets by model. */
  readonly models: string;
  /** A JSON object; null: the shared database. */
  readonly place: string | null;
  /** A JSON object: what is being, or was last, done with its data. */
  readonly job: string | null;
  /** The row is what is left of it. */
  readonly erased_at_ms: number | null;
  /** The value `change_versions` had when this row was last written. */
  readonly version: number;
}

/** Whose rows a database takes. */
export interface DataHomesTable {
  /** The tenant's slug. */
  readonly tenant: string;
  readonly state: 'open' | 'closed';
}

export interface TenantHostsTable {
  readonly host: string;
  /** The tenant's slug. */
  readonly tenant: string;
}

export interface ApiKeysTable {
  readonly id: string;
  /** The tenant's slug. */
  readonly tenant: string;
  readonly name: string;
  readonly hint: string;
  readonly secret_hash: string;
  /** Of the secret before, good until then. */
  readonly previous_hash: string | null;
  readonly previous_until_ms: number | null;
  readonly role: string;
  /** A JSON list of names; null means all of them. */
  readonly models: string | null;
  /** A JSON object. */
  readonly limits: string;
  readonly budget_limit_nanousd: number | null;
  readonly budget_period: string | null;
  readonly budget_soft: number;
  readonly created_at_ms: number;
  readonly expires_at_ms: number | null;
  readonly revoked_at_ms: number | null;
  /** A JSON list; null means everything the role may. */
  readonly scopes: string | null;
  /** A JSON list of networks; null means from anywhere. */
  readonly addresses: string | null;
  readonly cache_use: string;
  /** The value `change_versions` had when this row was last written. */
  readonly version: number;
}

export interface UsersTable {
  readonly id: string;
  /** The tenant's slug. */
  readonly tenant: string;
  readonly email: string;
  readonly username: string;
  /** Lower-case, by which it is unique. */
  readonly username_key: string;
  readonly password_hash: string | null;
  readonly subject: string | null;
  /** A JSON list. */
  readonly roles: string;
  readonly is_active: number;
  readonly is_verified: number;
  /** A JSON list; null means all of them. */
  readonly models: string | null;
  /** A JSON object. */
  readonly limits: string;
  readonly budget_limit_nanousd: number | null;
  readonly budget_period: string | null;
  readonly budget_soft: number;
  readonly created_at_ms: number;
  readonly last_login_at_ms: number | null;
  /** A removed user is a row without anything personal, so that others hear of it. */
  readonly removed_at_ms: number | null;
  readonly version: number;
}

export interface RefreshFamiliesTable {
  readonly id: string;
  readonly user_id: string;
  readonly generation: number;
  readonly client: string;
  readonly source: string;
  readonly created_at_ms: number;
  readonly rotated_at_ms: number;
  readonly expires_at_ms: number;
  readonly ended_at_ms: number | null;
  readonly end_reason: string | null;
  /** Zero until it ends. */
  readonly version: number;
}

export interface InvitationsTable {
  readonly id: string;
  readonly tenant: string;
  readonly email: string | null;
  /** A JSON list. */
  readonly roles: string;
  readonly token_hash: string;
  readonly created_at_ms: number;
  readonly expires_at_ms: number;
  readonly used_at_ms: number | null;
}

/** One row: where the chain of the audit log ends. */
export interface AuditHeadTable {
  readonly id: number;
  readonly sequence: number;
  readonly hash: string;
}

export interface AuditLogTable {
  readonly sequence: number;
  readonly at_ms: number;
  readonly tenant: string;
  readonly actor: string;
  readonly action: string;
  readonly subject: string | null;
  readonly outcome: string;
  readonly address: string | null;
  readonly request_id: string | null;
  /** A JSON object. */
  readonly details: string;
  readonly hash: string;
}

/** One rising number per subject; whoever writes a row of the subject takes the next one. */
export interface ChangeVersionsTable {
  readonly subject: string;
  readonly version: number;
}

export interface PricesTable {
  readonly id: string;
  readonly provider: string;
  readonly model: string;
  readonly input_picousd: number;
  readonly cached_input_picousd: number;
  /** null: as input. */
  readonly cache_write_picousd: number | null;
  readonly output_picousd: number;
  readonly effective_from_ms: number;
}

/** The dictionary that keeps ledger rows narrow: tenants, keys, models, prices, error codes. */
export interface NamesTable {
  readonly id: number;
  readonly text: string;
}

/** The ledger. Columns ending in `_id` point into `names`; small codes are those of `codes.ts`. */
export interface RequestsTable {
  readonly id: string;
  readonly created_at_ms: number;
  readonly tenant_id: number;
  readonly key_id: number;
  /** null where it is the row's own id. */
  readonly correlation_id: string | null;
  readonly dialect: number;
  readonly operation: number;
  readonly model_id: number;
  readonly provider_id: number | null;
  readonly provider_model_id: number | null;
  readonly stream: number;
  readonly status: number;
  readonly outcome: number;
  readonly error_id: number | null;
  readonly cache: number;
  readonly attempts: number;
  readonly input_tokens: number;
  readonly cached_input_tokens: number;
  readonly cache_write_tokens: number;
  readonly output_tokens: number;
  readonly reasoning_tokens: number;
  readonly usage_source: number;
  readonly cost_nanousd: number | null;
  readonly price_id: number | null;
  readonly duration_us: number;
  readonly first_token_us: number | null;
  readonly config_generation: number;
  /** Of an experiment: `flag/candidate` or `flag/control`; null: there was none. */
  readonly arm_id: number | null;
  /** Of the operator's; null: there was none. */
  readonly prompt_id: number | null;
}

/** What is left of forgotten ledger rows: the sums of a day (UTC, days since the epoch). */
export interface UsageDaysTable {
  readonly day: number;
  readonly tenant_id: number;
  readonly key_id: number;
  readonly model_id: number;
  /** Zero: there was none. */
  readonly provider_id: number;
  readonly outcome: number;
  readonly requests: number;
  readonly cache_hits: number;
  readonly input_tokens: number;
  readonly cached_input_tokens: number;
  readonly output_tokens: number;
  readonly cost_nanousd: number;
  readonly unpriced: number;
}

/** How far a journal is in the ledger; moves in the transaction that inserts the rows. */
export interface JournalPositionsTable {
  readonly instance: string;
  readonly segment: number;
  readonly byte_offset: number;
}

/** What was asked and answered, as bytes: a text column would refuse some of what comes. */
export interface BodiesTable {
  readonly request_id: string;
  /** The tenant's slug. */
  readonly tenant: string;
  readonly created_at_ms: number;
  readonly request: Uint8Array | null;
  readonly request_truncated: number;
  readonly response: Uint8Array | null;
  readonly response_truncated: number;
}

/** Responses that clients go on from. */
export interface ResponsesTable {
  readonly id: string;
  /** The tenant's slug. */
  readonly tenant: string;
  readonly key_id: string;
  readonly created_at_ms: number;
  readonly previous_id: string | null;
  /** A JSON list of items. */
  readonly input: Uint8Array;
  /** A JSON object. */
  readonly response: Uint8Array;
}

/** What all processes of an installation must have in common. */
export interface InstallationTable {
  readonly name: string;
  readonly value: string;
}

/** Background jobs, of the whole installation. */
export interface JobsTable {
  readonly id: string;
  readonly kind: string;
  /** Unique among those that are not dead. */
  readonly unique_key: string | null;
  /** A JSON object. */
  readonly payload: string;
  readonly state: 'waiting' | 'running' | 'dead';
  readonly run_at_ms: number;
  readonly attempts: number;
  readonly attempts_max: number;
  readonly owner: string | null;
  readonly lease_until_ms: number | null;
  readonly last_error: string | null;
  readonly ended_at_ms: number | null;
  readonly created_at_ms: number;
}

/** Flags that somebody changed. */
export interface FeatureFlagsTable {
  readonly name: string;
  /** A JSON object. */
  readonly definition: string;
  /** A JSON object: the plan that raises it, and where it stands. */
  readonly rollout: string | null;
  readonly version: number;
  readonly updated_at_ms: number;
  readonly updated_by: string;
}

export interface Schema {
  readonly installation: InstallationTable;
  readonly jobs: JobsTable;
  readonly feature_flags: FeatureFlagsTable;
  readonly tenants: TenantsTable;
  readonly tenant_hosts: TenantHostsTable;
  readonly data_homes: DataHomesTable;
  readonly api_keys: ApiKeysTable;
  readonly users: UsersTable;
  readonly refresh_families: RefreshFamiliesTable;
  readonly invitations: InvitationsTable;
  readonly audit_head: AuditHeadTable;
  readonly audit_log: AuditLogTable;
  readonly change_versions: ChangeVersionsTable;
  readonly prices: PricesTable;
  readonly names: NamesTable;
  readonly requests: RequestsTable;
  readonly usage_days: UsageDaysTable;
  readonly journal_positions: JournalPositionsTable;
  readonly bodies: BodiesTable;
  readonly responses: ResponsesTable;
}
