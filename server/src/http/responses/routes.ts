/**
 * Kept responses as their clients read and delete them: `GET` and `DELETE /v1/responses/{id}`,
 * and the items that were sent for one. Another tenant's response, a deleted one and one that
 * never was are told alike.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import {
  asGatewayError,
  GatewayError,
  type KeptResponse,
  type ResponseStore,
} from '../../gateway/index.ts';
import { expected } from '../../wire/request-problem.ts';
import { listItems } from '../../wire/responses/list-items.ts';
import { callerOf } from '../admin/access.ts';
import { retryHeaders } from '../answer-headers.ts';
import { responsesWriter } from './writer.ts';

type Store = Pick<ResponseStore, 'get' | 'delete'>;
type Query = Readonly<Record<string, unknown>>;

const ITEM_PATH = '/v1/responses/:id';

export function responseRoutes(store: Store): (app: FastifyInstance) => void {
  return (app) => {
    const options = (access: 'responses.read' | 'responses.delete') => ({
      config: { access },
      schema: { hide: true }, // the reference describes them by hand
      errorHandler: sendError,
    });
    const read = options('responses.read');
    const remove = options('responses.delete');
    app.get(ITEM_PATH, read, async (request, reply) => {
      refuseStream(request.query as Query);
      const { response } = await find(store, request);
      return send(reply, Buffer.from(response));
    });
    app.get(`${ITEM_PATH}/input_items`, read, async (request, reply) => {
      const { input } = await find(store, request);
      const listed = listItems(Buffer.from(input).toString('utf8'), request.query as Query);
      if (listed.kind === 'listed') return send(reply, Buffer.from(JSON.stringify(listed.list)));
      throw new GatewayError('invalid_request', listed.problem);
    });
    app.delete(ITEM_PATH, remove, async (request, reply) => {
      const id = idOf(request);
      const { tenant } = callerOf(request);
      if (!(await store.delete(tenant, id))) throw notFound(id);
      return send(reply, Buffer.from(JSON.stringify({ id, object: 'response', deleted: true })));
    });
  };
}

async function find(store: Store, request: FastifyRequest): Promise<KeptResponse> {
  const id = idOf(request);
  const found = await store.get(callerOf(request).tenant, id);
  if (found === null) throw notFound(id);
  return found;
}

function idOf(request: FastifyRequest): string {
  return (request.params as { readonly id: string }).id;
}

function notFound(id: string): GatewayError {
  const message = `Response with id ${JSON.stringify(id)} not found.`;
  return new GatewayError('not_found', { message });
}

/** Only responses that are still being made could be streamed again. */
function refuseStream({ stream }: Query): void {
  if (stream === undefined || stream === 'false') return;
  throw new GatewayError('invalid_request', expected('stream', 'left out: it is complete'));
}

function send(reply: FastifyReply, body: Buffer): FastifyReply {
  return reply.header('content-type', 'application/json').send(body);
}

function sendError(thrown: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const error = asGatewayError(thrown);
  const headers = retryHeaders(error);
  for (let at = 0; at < headers.length; at += 2) {
    reply.header(headers[at] as string, headers[at + 1]);
  }
  const body = responsesWriter.error(error, request.id);
  reply.code(error.status).header('content-type', 'application/json').send(body);
}
