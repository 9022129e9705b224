/**
 * The primary of several workers: it holds the port and the configuration, starts the members,
 * replaces those that die, and stops them all. It answers no request itself, so that nothing a
 * request can do reaches it.
 *
 * 1. The first member starts alone: it makes tables, secrets and the first key, and a port or
 *    a database that cannot be had is told once. Only then do the others start.
 * 2. One configuration and one generation number for all, also for those that start later.
 * 3. A crash loop that leaves nobody serving ends the program; while others serve, the lost one
 *    is tried again and again.
 */
import {
  type ConfigKeeper,
  createConfigKeeper,
  type FileAccess,
  handOver,
  type Loaded,
  stateOf,
} from '../config/index.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Log } from '../kernel/log.ts';
import { type Crew, type CrewEnd, createCrew } from './crew.ts';
import { createGathering } from './gathering.ts';
import type { Announcement, FromMember, StopHow } from './messages.ts';
import { createPolls } from './polls.ts';

export interface PrimaryOptions {
  readonly loaded: Loaded;
  /** Loads the configuration again. */
  readonly read: () => Promise<Loaded>;
  readonly files: FileAccess;
  readonly clock: Clock;
  readonly log: Log;
}

export interface Primary {
  /** What the first member said, when all of them serve; null: the program ended before. */
  readonly ready: Promise<Announcement | null>;
  /** Resolves when every member is gone. */
  readonly ended: Promise<CrewEnd>;
  /** Harmless the second time; `now` hurries. */
  stop(how: StopHow): void;
  reload(): Promise<void>;
}

const MS_PER_SECOND = 1000;
/** For a member to close what it has open, once its requests have ended. */
const CLOSING_MS = 15_000;

export function startPrimary(options: PrimaryOptions): Primary {
  const { loaded, read, files, clock, log } = options;
  const keeper = createConfigKeeper({
    ...{ initial: loaded, load: read, vendors: loaded.catalogue.vendors, files, clock, log },
    attempted(outcome) {
      const changes = outcome.kind === 'applied' ? outcome.changes : [];
      crew.tell({ kind: 'config', state: stateOf(keeper, changes) });
    },
  });
  const crew: Crew = createCrew({
    ...{ clock, log, size: loaded.config.workers },
    patienceMs: () => patienceMs(keeper),
    hears: (member, message) => hear(member, message),
    ended(member) {
      gathering.end(member);
      polls.end(member);
    },
  });
  const gathering = createGathering(crew, clock);
  const polls = createPolls(crew, clock);

  function hear(member: number, message: FromMember): void {
    switch (message.kind) {
      case 'hello': {
        const isReplacement = crew.isReplacement(member);
        crew.welcome(member, {
          kind: 'welcome',
          handover: handOver(loaded, keeper),
          isReplacement,
        });
        return;
      }
      case 'ready':
        crew.ready(member, message.announcement);
        return;
      case 'figures':
        gathering.take(member, message.round, message.reports);
        return;
      case 'gather':
        void gathering.gather().then((reports) => {
          crew.send(member, { kind: 'gathered', number: message.number, reports });
        });
        return;
      case 'poll':
        void polls.ask(message.question).then((answers) => {
          crew.send(member, { kind: 'polled', number: message.number, answers });
        });
        return;
      case 'answer':
        polls.take(member, message.round, message.answer);
        return;
      case 'reload':
        void keeper.reload().then(({ kind: outcome }) => {
          crew.send(member, { kind: 'reloaded', number: message.number, outcome });
        });
    }
  }

  keeper.watch();
  void crew.ended.then(() => keeper.stop());
  return {
    ready: crew.started,
    ended: crew.ended,
    stop: (how) => crew.stop(how),
    async reload() {
      await keeper.reload();
    },
  };
}

function patienceMs({ current }: ConfigKeeper): number {
  const { drainDelaySeconds, drainSeconds } = current.config;
  return (drainDelaySeconds + drainSeconds) * MS_PER_SECOND + CLOSING_MS;
}
