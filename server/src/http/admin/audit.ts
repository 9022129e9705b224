/**
 * Writes down who changed what: a route that changes something states in `config.audit` what
 * the log calls it. An answer leaves after its event is in the chain, or waits for the database.
 * What was refused for want of a right is written down too.
 */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { AdminServices } from './services.ts';

/** `own`: the use case behind the route writes it down, because it knows more. */
export type Audited = 'own' | `${string}.${string}`;

declare module 'fastify' {
  interface FastifyContextConfig {
    audit?: Audited;
  }
  interface FastifyRequest {
    audited: AuditSubject | null;
  }
}

/** To whom or what something was done, where the path does not say it. */
export interface AuditSubject {
  readonly id: string;
  /** The tenant whose log it belongs to; the caller's own where left out. */
  readonly tenant?: string | undefined;
}

const FORBIDDEN = 403;
const FIELDS_MAX = 30;

/** Register it behind the guard and before any route. */
export function auditRoutes(
  app: FastifyInstance,
  { audit, originOf }: Pick<AdminServices, 'audit' | 'originOf'>,
): void {
  app.decorateRequest('audited', null);
  app.addHook('onSend', async (request, reply) => {
    const action = request.is404 ? undefined : request.routeOptions.config.audit;
    const { principal, audited } = request;
    if (action === undefined || action === 'own' || principal === null) return;
    const isDone = reply.statusCode < 400;
    if (!isDone && reply.statusCode !== FORBIDDEN) return;
    await audit.record({
      tenant: audited?.tenant ?? principal.tenant,
      actor: principal.keyId,
      action,
      subject: audited?.id ?? inPath(request),
      outcome: isDone ? 'success' : 'failure',
      address: originOf(request.raw).address(),
      requestId: request.id,
      details: detailsOf(request.body),
    });
  });
}

/** Says what a route did something to. */
export function audited(request: FastifyRequest, subject: AuditSubject): void {
  request.audited = subject;
}

function inPath({ params }: FastifyRequest): string | null {
  const [first] = Object.values((params ?? {}) as Readonly<Record<string, unknown>>);
  return typeof first === 'string' ? first : null;
}

/** Names of what was sent, and roles; never values that could be secret. */
function detailsOf(body: unknown) {
  if (typeof body !== 'object' || body === null) return {};
  const fields = Object.keys(body).slice(0, FIELDS_MAX).sort();
  const roles = 'roles' in body && Array.isArray(body.roles) ? body.roles.map(String) : null;
  return { fields, ...(roles !== null && { roles }) };
}
