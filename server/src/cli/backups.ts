/**
 * What the verbs about backups share: how one is told in JSON and in a line.
 */
import type { Backup } from '../app/backups.ts';
import type { VerbContext } from './context.ts';

const MEGABYTE = 1_000_000;

export function backupToJson({ path, manifest }: Backup) {
  const { createdAt, version, engine, schema, parts } = manifest;
  return {
    path,
    created_at: createdAt,
    ...{ version, engine },
    migrations: schema.migrations.length,
    bytes: bytesOf(manifest),
    parts: parts.map(({ kind, path: name, tenant, bytes, sha256 }) => {
      return { kind, path: name, tenant, bytes, sha256 };
    }),
  };
}

/** `12.3 MB`, in Spanish with a comma. */
export function toldSize({ language }: VerbContext, { manifest }: Backup): string {
  const text = (bytesOf(manifest) / MEGABYTE).toFixed(1);
  return `${language === 'es' ? text.replace('.', ',') : text} MB`;
}

function bytesOf({ parts }: Backup['manifest']): number {
  return parts.reduce((sum, { bytes }) => sum + bytes, 0);
}
