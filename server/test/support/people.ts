/**
 * People who call the control plane over real sockets, as their programs do.
 */

export interface Answered {
  readonly status: number;
  /** Whatever the route answers; tests look into it. */
  readonly body: ReturnType<typeof JSON.parse>;
  readonly headers: Headers;
}

export interface SignedIn {
  readonly access_token: string;
  readonly refresh_token: string;
  readonly token_type: string;
  readonly expires_in: number;
}

export const PASSWORD = 'Correct-Horse-9';

/** Calls with a token, or with none. */
export async function call(
  url: string,
  method: string,
  path: string,
  options: {
    readonly body?: unknown;
    readonly token?: string;
    readonly headers?: Readonly<Record<string, string>>;
  } = {},
): Promise<Answered> {
  const { body, token, headers } = options;
  const response = await fetch(`${url}${path}`, {
    method,
    redirect: 'manual',
    headers: {
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.includes('json') === true;
  return {
    status: response.status,
    body: isJson ? JSON.parse(text) : text,
    headers: response.headers,
  };
}

export function register(url: string, username: string, more: object = {}): Promise<Answered> {
  const body = { email: `${username}@uni.example`, username, password: PASSWORD, ...more };
  return call(url, 'POST', '/api/v1/auth/register', { body });
}

export function login(url: string, username: string, password = PASSWORD): Promise<Answered> {
  return call(url, 'POST', '/api/v1/auth/login', { body: { username, password } });
}

/** Registers and signs in. */
export async function newcomer(url: string, username: string): Promise<SignedIn> {
  const registered = await register(url, username);
  if (registered.status !== 201) throw new Error(JSON.stringify(registered.body));
  const answer = await login(url, username);
  if (answer.status !== 200) throw new Error(JSON.stringify(answer.body));
  return answer.body as SignedIn;
}
