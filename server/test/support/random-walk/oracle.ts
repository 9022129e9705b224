/**
 * What an answer must not hold: anything of the other tenant. A mark gives a thing of a tenant
 * away whatever it is; an identifier belongs to whom it was shown first; a slug, and an
 * identifier that the caller said itself, may come back in a message.
 */
import { collectionOf, type Operation } from './operations.ts';
import type { WalkRequest } from './requests.ts';
import type { Caller, TenantSide } from './tenant-side.ts';

export interface WalkAnswer {
  readonly status: number;
  readonly text: string;
  readonly headers: Headers;
}

export interface Step {
  readonly operation: Operation;
  readonly request: WalkRequest;
  readonly answer: WalkAnswer;
  readonly caller: Caller;
  readonly own: TenantSide;
  readonly other: TenantSide;
}

/** Not those with a row of zeros: they are examples. */
const ID = /\b[a-z]{2,8}_(?!\w*0{10})[0-9A-Z]{26}\b/g;
const SHOWING_HEADERS = ['x-request-id', 'location', 'content-location', 'link'];
/** Logs of what the tenant's own callers did tell what they tried. */
const TELLS_OF_ATTEMPTS = /\/audit$|\/export$/;

/** In words what is wrong with an answer; learns from it what belongs to whom. */
export function judge(step: Step): readonly string[] {
  const { operation, request, answer, caller, own, other } = step;
  for (const word of request.said) own.said.add(word);
  const shown = SHOWING_HEADERS.map((name) => answer.headers.get(name) ?? '').join('\n');
  const text = `${answer.text}\n${shown}`;
  const mayTell = TELLS_OF_ATTEMPTS.test(operation.path) ? own.said : new Set(request.said);
  const wrong: string[] = [];
  if (text.includes(other.mark)) wrong.push('shows the mark of the other tenant');
  if (text.includes(other.slug) && !mayTell.has(other.slug)) wrong.push('names the other tenant');
  for (const [id] of text.matchAll(ID)) {
    if (other.seen.has(id) && !mayTell.has(id)) wrong.push(`shows ${id} of the other tenant`);
  }
  if (request.reachesOut && caller !== 'superadmin' && answer.status < 400) {
    wrong.push('does what was asked with a thing of the other tenant');
  }
  if (answer.status === 500) wrong.push('fails');
  learn(step, text, mayTell);
  return wrong.map((what) => `${describe(step)}: ${what}`);
}

function learn({ operation, request, answer, own, other }: Step, text: string, told: Set<string>) {
  for (const [id] of text.matchAll(ID)) {
    if (!told.has(id) && !other.seen.has(id)) own.seen.add(id);
  }
  if (answer.status >= 300) return;
  const requestId = answer.headers.get('x-request-id');
  if (operation.method === 'POST' && operation.path.startsWith('/v1') && requestId !== null) {
    note(own, '/api/v1/requests', requestId);
  }
  if (answer.headers.get('content-type')?.startsWith('application/json') !== true) return;
  const body = JSON.parse(answer.text) as { id?: unknown; next?: unknown } | null;
  if (operation.method === 'POST' && typeof body?.id === 'string' && request.said.length === 0) {
    note(own, collectionOf(operation), body.id);
  }
  if (typeof body?.next === 'string') own.cursors.push(body.next);
}

function note(side: TenantSide, collection: string, id: string): void {
  const known = side.ids.get(collection) ?? new Set<string>();
  side.ids.set(collection, known.add(id));
}

function describe({ operation, request, answer, caller, own }: Step): string {
  const said = request.body === undefined ? '' : ` ${JSON.stringify(request.body)}`;
  const asked = `${operation.method} ${request.path}${said}`;
  return `${caller} of ${own.slug}: ${asked} → ${answer.status} ${answer.text.slice(0, 300)}`;
}
