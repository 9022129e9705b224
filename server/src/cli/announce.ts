/**
 * What is said when the gateway is up: the banner for people, one object for scripts.
 */
import type { RunningServer } from '../app/start.ts';
import type { Config, Problem } from '../config/index.ts';
import type { FirstAdmin } from '../identity/index.ts';
import { type BannerFacts, banner } from './banner.ts';
import { type VerbContext, writeJson } from './context.ts';
import { startupFrame } from './startup-frame.ts';

export interface Announced extends Announcement {
  readonly config: Config;
  readonly warnings: readonly Problem[];
}

/** What only a process that serves can say of itself. */
export interface Announcement {
  readonly url: string;
  readonly startup: RunningServer['startup'];
  readonly firstKey: string | null;
  readonly firstAdmin: FirstAdmin | null;
}

/** Otherwise the log tells what a person would be told here. */
export function isForPeople({ isJson, terminal }: VerbContext): boolean {
  return !isJson && terminal.isInteractive;
}

export function announce(context: VerbContext, announced: Announced): void {
  const { url, firstKey, firstAdmin, config, startup } = announced;
  const { workers, models } = config;
  const model = Object.keys(models)[0] ?? null;
  const curl = firstKey === null || model === null ? null : curlLine(url, firstKey, model);
  if (context.isJson) {
    const source = config.admin.key === null ? null : 'ESCLUSA_ADMIN_KEY';
    const told = { key: firstKey, admin: firstAdmin, admin_key: source, try: curl, workers };
    writeJson(context, { url, ...told });
    return;
  }
  const warnings = isForPeople(context) ? announced.warnings : [];
  if (isForPeople(context) && startup.warnings > 0) {
    context.terminal.writeError(startupFrame(context, startup));
  }
  const administeredBy = administrationOf(config);
  const facts = { url, firstKey, firstAdmin, administeredBy, curl, warnings, workers };
  context.terminal.write(banner(context, facts));
}

function administrationOf({ admin }: Config): BannerFacts['administeredBy'] {
  if (admin.key === null) return null;
  return admin.email === null ? 'key' : 'key_and_sign_in';
}

function curlLine(url: string, key: string, model: string): string {
  const body = JSON.stringify({ model, messages: [{ role: 'user', content: 'Hola' }] });
  return (
    `curl ${url}/v1/chat/completions -H 'authorization: Bearer ${key}' ` +
    `-H 'content-type: application/json' -d '${body}'`
  );
}
