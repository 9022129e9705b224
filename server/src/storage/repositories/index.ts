/**
 * The repositories over the shared database, made together, for whoever opens storage.
 * `settle` waits for the newest entries of the ledger before those that read it do so.
 */
import type { LedgerQueries } from '../../gateway/ports/ledger-query.ts';
import type { AuditRepository } from '../../identity/ports/audit-repository.ts';
import type { FamilyRepository } from '../../identity/ports/family-repository.ts';
import type { InvitationRepository } from '../../identity/ports/invitation-repository.ts';
import type { KeyRepository } from '../../identity/ports/key-repository.ts';
import type { UserRepository } from '../../identity/ports/user-repository.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { ArmFiguresReader } from '../../operations/ports/arm-figures.ts';
import type { FlagRepository } from '../../operations/ports/flag-repository.ts';
import type { JobBook } from '../../operations/ports/jobs.ts';
import type { TenantEraser } from '../../tenancy/ports/tenant-eraser.ts';
import type { TenantExporter } from '../../tenancy/ports/tenant-exporter.ts';
import type { TenantRepository } from '../../tenancy/ports/tenant-repository.ts';
import { createJobBook } from '../jobs/job-book.ts';
import type { LedgerEngine } from '../ledger-engine.ts';
import type { Places } from '../places/open-places.ts';
import { createArmFigures } from './arm-figures.ts';
import { createAuditRepository } from './audit-repository.ts';
import { createFamilyRepository } from './family-repository.ts';
import { createFlagRepository } from './flag-repository.ts';
import { createInstallationMarks, type InstallationMarks } from './installation-marks.ts';
import { createInvitationRepository } from './invitation-repository.ts';
import { createKeyRepository } from './key-repository.ts';
import { lazyLedgerQueries } from './lazy-ledger-queries.ts';
import { createPriceRepository, type PriceRepository } from './price-repository.ts';
import { createTenantEraser } from './tenant-eraser.ts';
import { createTenantExporter } from './tenant-exporter.ts';
import { createTenantRepository } from './tenant-repository.ts';
import { createUserRepository } from './user-repository.ts';

export interface Repositories {
  readonly keys: KeyRepository;
  readonly users: UserRepository;
  readonly families: FamilyRepository;
  readonly invitations: InvitationRepository;
  readonly audit: AuditRepository;
  readonly tenants: TenantRepository;
  readonly tenantEraser: TenantEraser;
  readonly tenantExport: TenantExporter;
  readonly ledgerQueries: LedgerQueries;
  readonly prices: PriceRepository;
  readonly flags: FlagRepository;
  readonly arms: ArmFiguresReader;
  readonly jobs: JobBook;
  readonly marks: InstallationMarks;
}

export function createRepositories(
  engine: LedgerEngine,
  places: Places,
  clock: Clock,
  settle: () => Promise<void>,
): Repositories {
  return {
    keys: createKeyRepository(engine),
    users: createUserRepository(engine, clock),
    families: createFamilyRepository(engine),
    invitations: createInvitationRepository(engine),
    audit: createAuditRepository(engine),
    tenants: createTenantRepository(engine),
    tenantEraser: createTenantEraser(engine, settle),
    tenantExport: createTenantExporter(engine, places, settle),
    ledgerQueries: lazyLedgerQueries(engine, settle),
    prices: createPriceRepository(engine),
    flags: createFlagRepository(engine),
    arms: createArmFigures(engine, settle),
    jobs: createJobBook(engine),
    marks: createInstallationMarks(engine),
  };
}
