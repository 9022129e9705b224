/**
 * The verbs about copies of the installation.
 */
import type { backupEn } from '../messages/backup.ts';
import type { Verb } from '../verb.ts';
import { YES } from './options.ts';

export const BACKUP_VERBS: Readonly<Record<keyof (typeof backupEn)['verbs'], Verb>> = {
  'backup create': {
    args: [{ name: '<folder>', text: 'backupFolder' }],
    options: [{ flags: '--keep <count>', text: 'keep' }],
    examples: [
      'esclusa backup create /var/backups/esclusa',
      'esclusa backup create /var/backups/esclusa --keep 14 --json',
    ],
    isDefault: true,
    load: () => import('../verbs/backup-create.ts'),
  },
  'backup verify': {
    args: [{ name: '<backup>', text: 'backup' }],
    options: [],
    examples: ['esclusa backup verify /var/backups/esclusa/esclusa-20261120T183000Z'],
    load: () => import('../verbs/backup-verify.ts'),
  },
  restore: {
    args: [{ name: '<backup>', text: 'backup' }],
    options: [{ flags: '--replace', text: 'replace' }, YES],
    examples: [
      'esclusa restore /var/backups/esclusa/esclusa-20261120T183000Z',
      'esclusa restore ./esclusa-20261120T183000Z --replace --data-dir /var/lib/esclusa',
    ],
    load: () => import('../verbs/restore.ts'),
  },
};
