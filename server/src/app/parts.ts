/**
 * What every part of the program is made of, and the steps that undo it.
 */
import type { Member } from '../cluster/member.ts';
import type { Catalogue, ConfigKeeper, Loaded } from '../config/index.ts';
import type { Clock } from '../kernel/clock.ts';
import type { FaultPoints } from '../kernel/fault.ts';
import type { IdSource } from '../kernel/id.ts';
import type { Random } from '../kernel/random.ts';
import type { Storage } from '../storage/index.ts';
import type { Flags } from './flags.ts';
import type { Identity } from './identity.ts';
import type { Telemetry } from './telemetry.ts';

export interface Parts {
  readonly clock: Clock;
  readonly random: Random;
  readonly ids: IdSource;
  readonly faults: FaultPoints;
  readonly catalogue: Catalogue;
  readonly telemetry: Telemetry;
  readonly keeper: ConfigKeeper;
  readonly storage: Storage;
  readonly identity: Identity;
  readonly flags: Flags;
  readonly loaded: Loaded;
  /** null: this process is the whole program. */
  readonly member: Member | null;
}

/** Taken back in reverse order when the start fails or the program stops. */
export type Undo = (() => Promise<void> | void)[];
