/**
 * A random walk of calls by everybody of two tenants. First every operation is called by every
 * caller, with things of their own and with the other tenant's, in random order; then whatever
 * comes. After each stretch of one tenant the rows of the other are what they were.
 */
import { createSeededRandom } from '../seeded-random.ts';
import type { Operation } from './operations.ts';
import { judge, type WalkAnswer } from './oracle.ts';
import { makeRequest, type Whose } from './requests.ts';
import { CALLERS, type Caller, pick, type TenantSide } from './tenant-side.ts';

export interface WalkOptions {
  readonly url: string;
  readonly operations: readonly Operation[];
  readonly sides: readonly [TenantSide, TenantSide];
  readonly seed: number;
  /** Beyond the calls that everybody makes. */
  readonly steps: number;
  /** Every row that the database holds of a tenant, once nothing is on its way any more. */
  readonly rowsOf: (side: TenantSide) => Promise<string>;
}

export interface WalkReport {
  readonly violations: readonly string[];
  readonly calls: number;
  readonly successes: number;
  /** `METHOD path` of every operation that was called for both tenants. */
  readonly walked: ReadonlySet<string>;
}

interface Plan {
  readonly operation: Operation;
  readonly caller: Caller;
  readonly whose: Whose;
}

const STRETCH = 60;

export async function walk(options: WalkOptions): Promise<WalkReport> {
  const { operations, sides, seed, steps, rowsOf } = options;
  const random = createSeededRandom(seed);
  const violations: string[] = [];
  const walked = new Map<string, Set<string>>();
  let [calls, successes] = [0, 0];
  const queues = sides.map(() => [
    ...shuffled(plansOf(operations), random),
    ...Array.from({ length: steps }, () => anyPlan(operations, random)),
  ]);
  const turns = Math.max(...queues.map((queue) => Math.ceil(queue.length / STRETCH)));
  for (let turn = 0; turn < turns * sides.length; turn += 1) {
    const [own, other] = turn % 2 === 0 ? sides : ([sides[1], sides[0]] as const);
    const before = await rowsOf(other);
    for (const plan of queues[turn % 2]?.splice(0, STRETCH) ?? []) {
      const request = makeRequest(plan.operation, { ...plan, random, own, other });
      const answer = await send(options.url, own, plan.caller, request);
      violations.push(...judge({ ...plan, request, answer, own, other }));
      calls += 1;
      if (answer.status < 300) successes += 1;
      const name = `${plan.operation.method} ${plan.operation.path}`;
      walked.set(name, (walked.get(name) ?? new Set()).add(own.slug));
    }
    const after = await rowsOf(other);
    if (after !== before) {
      const from = [...after].findIndex((letter, at) => letter !== before[at]);
      const [was, is] = [before, after].map((text) => text.slice(from - 200, from + 300));
      violations.push(`${own.slug} changed rows of ${other.slug}: ${was} → ${is}`);
    }
  }
  const both = [...walked].filter(([, slugs]) => slugs.size === sides.length);
  return { violations, calls, successes, walked: new Set(both.map(([name]) => name)) };
}

function plansOf(operations: readonly Operation[]): readonly Plan[] {
  return operations.flatMap((operation) =>
    CALLERS.filter((caller) => mayWalk(operation, caller)).flatMap((caller) =>
      (['own', 'foreign'] as const).map((whose) => ({ operation, caller, whose })),
    ),
  );
}

function anyPlan(operations: readonly Operation[], random: { float(): number }): Plan {
  for (;;) {
    const operation = pick(random as never, operations);
    const caller = pick(random as never, CALLERS);
    if (operation === undefined || caller === undefined || !mayWalk(operation, caller)) continue;
    return { operation, caller, whose: random.float() < 0.5 ? 'own' : 'foreign' };
  }
}

/** Who sees all tenants by right walks where it can say which one it means. */
function mayWalk({ path, parameters, body }: Operation, caller: Caller): boolean {
  if (caller !== 'superadmin') return true;
  if (path.startsWith('/v1') || path.includes('{')) return false;
  const isNamed = parameters.some(({ name }) => name === 'tenant');
  return isNamed || body?.properties?.tenant !== undefined;
}

async function send(
  url: string,
  own: TenantSide,
  caller: Caller,
  { method, path, body }: ReturnType<typeof makeRequest>,
): Promise<WalkAnswer> {
  const ask = async (): Promise<WalkAnswer> => {
    const response = await fetch(`${url}${path}`, {
      method,
      redirect: 'manual',
      headers: {
        authorization: `Bearer ${own.credential(caller)}`,
        'x-correlation-id': own.mark,
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    return { status: response.status, text: await response.text(), headers: response.headers };
  };
  const answer = await ask();
  const isPerson = caller !== 'service' && caller !== 'superadmin';
  if (answer.status !== 401 || !isPerson || path.startsWith('/api/v1/auth/')) return answer;
  // Whoever is not let in any more is found by what was done to them.
  return (await own.renew(caller)) ? ask() : answer;
}

function shuffled<T>(list: readonly T[], random: { float(): number }): T[] {
  const result = [...list];
  for (let at = result.length - 1; at > 0; at -= 1) {
    const to = Math.floor(random.float() * (at + 1));
    [result[at], result[to]] = [result[to] as T, result[at] as T];
  }
  return result;
}
