/**
 * One tenant of a walk: who calls for it, what is known of its things, and the two words that
 * give them away. The mark stands in every text of its things and is said by nobody else; the
 * slug and the identifiers may be guessed, and so be said by others.
 */
import type { Random } from '../../../src/kernel/random.ts';
import type { TestGateway } from '../gateway.ts';
import { login, PASSWORD } from '../people.ts';

export type Caller = 'student' | 'instructor' | 'admin' | 'service' | 'superadmin';
export const CALLERS: readonly Caller[] = [
  'student',
  'instructor',
  'admin',
  'service',
  'superadmin',
];

export interface TenantSide {
  readonly slug: string;
  readonly mark: string;
  /** Identifiers of its things by the collection they were seen in. */
  readonly ids: Map<string, Set<string>>;
  /** Every identifier that was shown to it. */
  readonly seen: Set<string>;
  /** What its callers said themselves: identifiers and slugs of others. */
  readonly said: Set<string>;
  /** Its callers: nothing of the walk may take them away. */
  readonly callers: Set<string>;
  readonly cursors: string[];
  credential(caller: Caller): string;
  /** A new token, where the last one was given back; false: nobody of that name is let in. */
  renew(caller: Caller): Promise<boolean>;
}

export async function createTenantSide(
  gateway: TestGateway,
  slug: string,
  mark: string,
  adminKey: string,
): Promise<TenantSide> {
  const credentials = new Map<Caller, string>([['superadmin', adminKey]]);
  const callers = new Set<string>();
  const made = async (path: string, body: object): Promise<{ id: string; key?: string }> => {
    const answer = await gateway.api('POST', path, body);
    if (answer.status !== 201) throw new Error(JSON.stringify(answer.body));
    return answer.body as { id: string; key?: string };
  };
  await made('/api/v1/tenants', { slug, name: `Tenant ${mark}` });
  const nameOf = (role: string): string => `${role}-${mark}`;
  async function renew(caller: Caller): Promise<boolean> {
    const answer = await login(gateway.url, nameOf(caller));
    if (answer.status === 200) credentials.set(caller, answer.body.access_token as string);
    return answer.status === 200;
  }
  const users: string[] = [];
  for (const role of ['student', 'instructor', 'admin'] as const) {
    const username = nameOf(role);
    const account = { email: `${role}@${mark}.example`, username, password: PASSWORD };
    users.push((await made('/api/v1/users', { ...account, roles: [role], tenant: slug })).id);
    await renew(role);
  }
  const budget = { limit_usd: '100', period: 'month' };
  const key = await made('/api/v1/keys', { name: `key ${mark}`, tenant: slug, budget });
  credentials.set('service', key.key ?? '');
  for (const id of [...users, key.id]) callers.add(id);
  return {
    ...{ slug, mark, callers, renew },
    ids: new Map([
      ['/api/v1/users', new Set(users)],
      ['/api/v1/keys', new Set([key.id])],
    ]),
    seen: new Set(callers),
    said: new Set(),
    cursors: [],
    credential: (caller) => credentials.get(caller) ?? '',
  };
}

export function pick<T>(random: Random, from: readonly T[]): T | undefined {
  return from[Math.floor(random.float() * from.length)];
}
