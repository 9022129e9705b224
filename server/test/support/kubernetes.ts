/**
 * Manifests as the cluster would get them: rendered by kustomize (`kubectl`) and by Helm, where
 * this machine has them.
 */
import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parseAllDocuments, stringify } from 'yaml';

export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
  };
  // Whatever the kind has; looked into by tests.
  readonly spec: ReturnType<typeof JSON.parse>;
  readonly data: Readonly<Record<string, string>>;
}

const DEPLOY = join(import.meta.dirname, '../../../deploy');
const BYTES_MAX = 4_000_000;
const run = promisify(execFile);

export const CHART = join(DEPLOY, 'helm/esclusa');

/** Kustomize of this machine's kubectl; older ones do not know `labels`. */
const kustomize = spawnSync('kubectl', ['version', '--client']).stdout?.toString() ?? '';
export const withoutKustomize = /Kustomize Version: v[5-9]/.test(kustomize)
  ? false
  : 'no kubectl with kustomize 5';

const helm = spawnSync('helm', ['version', '--short']).stdout?.toString() ?? '';
export const withoutHelm = /^v[3-9]/.test(helm) ? false : 'no helm 3';

export async function kustomized(overlay: string): Promise<Manifest[]> {
  const folder = join(DEPLOY, 'k8s', overlay);
  const { stdout } = await run('kubectl', ['kustomize', folder], { maxBuffer: BYTES_MAX });
  return manifestsIn(stdout);
}

export async function charted(values: object = {}): Promise<Manifest[]> {
  const folder = mkdtempSync(join(tmpdir(), 'esclusa-values-'));
  try {
    const file = join(folder, 'values.yaml');
    writeFileSync(file, stringify(values));
    const words = ['template', 'esclusa', CHART, '--namespace', 'esclusa', '--values', file];
    const { stdout } = await run('helm', words, { maxBuffer: BYTES_MAX });
    return manifestsIn(stdout);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function manifestsIn(text: string): Manifest[] {
  return parseAllDocuments(text)
    .map((document) => document.toJS() as Manifest | null)
    .filter((manifest) => manifest !== null);
}

export function one(manifests: readonly Manifest[], kind: string): Manifest {
  const found = manifests.filter((each) => each.kind === kind);
  if (found.length !== 1) throw new Error(`${found.length} of ${kind}`);
  return found[0] as Manifest;
}
