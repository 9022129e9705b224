/**
 * An OpenID Connect issuer on a real socket: discovery, authorization, token and keys. It checks
 * PKCE and the client as an issuer must, and can be told to lie.
 */
import { createHash, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';

export const CLIENT_ID = 'esclusa-test';
export const CLIENT_SECRET = 'the-secret-of-the-client';

export interface OidcIssuer {
  readonly url: string;
  /** Claims of whoever signs in next; may override what the issuer says itself. */
  person: Record<string, unknown>;
  /** Signs with a key that it does not publish. */
  signsWrong: boolean;
  /** What went wrong in its own checks. */
  readonly complaints: string[];
  close(): Promise<void>;
}

interface Grant {
  readonly challenge: string;
  readonly nonce: string;
}

type SigningKey = Awaited<ReturnType<typeof generateKeyPair>>['privateKey'];

interface Context {
  readonly issuer: OidcIssuer;
  readonly jwk: object;
  readonly grants: Map<string, Grant>;
  readonly own: SigningKey;
  readonly other: SigningKey;
}

export async function startOidcIssuer(): Promise<OidcIssuer> {
  const own = await generateKeyPair('ES256');
  const other = await generateKeyPair('ES256');
  const jwk = { ...(await exportJWK(own.publicKey)), kid: 'k1', alg: 'ES256', use: 'sig' };
  const grants = new Map<string, Grant>();
  const server = createServer((request, response) => {
    serve(context, request, response).catch((error: unknown) => {
      issuer.complaints.push(String(error));
      response.writeHead(500).end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const issuer: OidcIssuer = {
    url,
    person: { sub: 'p-1', email: 'ana@uni.example', email_verified: true },
    signsWrong: false,
    complaints: [],
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };

  const context = { issuer, jwk, grants, own: own.privateKey, other: other.privateKey };
  return issuer;
}

async function serve(
  context: Context,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { issuer, jwk } = context;
  const { url } = issuer;
  const asked = new URL(request.url ?? '/', url);
  switch (asked.pathname) {
    case '/.well-known/openid-configuration':
      json(response, 200, {
        issuer: url,
        authorization_endpoint: `${url}/authorize`,
        token_endpoint: `${url}/token`,
        jwks_uri: `${url}/keys`,
        response_types_supported: ['code'],
        subject_types_supported: ['public'],
        id_token_signing_alg_values_supported: ['ES256'],
        code_challenge_methods_supported: ['S256'],
      });
      return;
    case '/keys':
      json(response, 200, { keys: [jwk] });
      return;
    case '/authorize':
      authorize(context, asked.searchParams, response);
      return;
    case '/token':
      await exchange(context, new URLSearchParams(await bodyOf(request)), response);
      return;
    default:
      json(response, 404, {});
  }
}

function authorize(
  { issuer, grants }: Context,
  query: URLSearchParams,
  response: ServerResponse,
): void {
  const code = randomUUID();
  if (query.get('code_challenge_method') !== 'S256') issuer.complaints.push('no PKCE');
  grants.set(code, {
    challenge: query.get('code_challenge') ?? '',
    nonce: query.get('nonce') ?? '',
  });
  const back = new URL(query.get('redirect_uri') ?? issuer.url);
  back.searchParams.set('code', code);
  back.searchParams.set('state', query.get('state') ?? '');
  response.writeHead(302, { location: back.href }).end();
}

async function exchange(
  { issuer, grants, own, other }: Context,
  form: URLSearchParams,
  response: ServerResponse,
): Promise<void> {
  const code = form.get('code') ?? '';
  const grant = grants.get(code);
  grants.delete(code);
  const verifier = form.get('code_verifier') ?? '';
  const challenge = createHash('sha256').update(verifier).digest('base64url');
  const isClient =
    form.get('client_id') === CLIENT_ID && form.get('client_secret') === CLIENT_SECRET;
  if (grant === undefined || grant.challenge !== challenge || !isClient) {
    json(response, 400, { error: 'invalid_grant' });
    return;
  }
  const now = Math.floor(Date.now() / 1000);
  const claims = {
    ...{ iss: issuer.url, aud: CLIENT_ID, iat: now, exp: now + 300, nonce: grant.nonce },
    ...issuer.person,
  };
  const idToken = await new SignJWT(claims)
    .setProtectedHeader({ alg: 'ES256', kid: 'k1' })
    .sign(issuer.signsWrong ? other : own);
  json(response, 200, { access_token: randomUUID(), token_type: 'Bearer', id_token: idToken });
}

function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}
