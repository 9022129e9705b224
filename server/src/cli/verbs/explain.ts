/** `esclusa explain`: where a request would go, asked of a server or of the configuration. */
import { readFile } from 'node:fs/promises';
import { explainOffline, type RouteExplanation } from '../../app/explain-offline.ts';
import { badOption, numberOption, textOption, type VerbContext, writeJson } from '../context.ts';
import { showExplanation } from '../explanation.ts';
import { CliFailure } from '../failure.ts';

const TOKENS_MAX = 10_000_000;
const TIMEOUT_MS = 10_000;

export async function run(context: VerbContext): Promise<number> {
  const body = await bodyOf(context);
  const url = textOption(context, 'url');
  const headers = headersOf(context);
  const explanation =
    url === undefined
      ? await explainOffline(context.installation, body, headers.flat())
      : await ask(context, url, body, headers);
  if (context.isJson) writeJson(context, explanation);
  else showExplanation(context, explanation);
  return explanation.refusal === null ? 0 : 1;
}

async function bodyOf(context: VerbContext): Promise<Readonly<Record<string, unknown>>> {
  const maxTokens = numberOption(context, 'maxTokens', { min: 1, max: TOKENS_MAX });
  const prompt = textOption(context, 'prompt');
  const [tenant, key] = [textOption(context, 'tenant'), textOption(context, 'key')];
  return {
    ...(await requestOf(context)),
    model: context.args[0],
    ...(prompt !== undefined && { messages: [{ role: 'user', content: prompt }] }),
    ...(context.options.stream === true && { stream: true }),
    ...(maxTokens !== undefined && { max_tokens: maxTokens }),
    ...(tenant !== undefined && { tenant }),
    ...(key !== undefined && { key_id: key }),
  };
}

async function requestOf(context: VerbContext): Promise<object> {
  const file = textOption(context, 'request');
  if (file === undefined) return {};
  try {
    const value: unknown = JSON.parse(await readFile(file, 'utf8'));
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  } catch {
    // Said below, as for a file that holds something else.
  }
  throw badOption(context, 'request', context.say.explain.badRequest(file));
}

function headersOf(context: VerbContext): readonly (readonly [string, string])[] {
  const text = textOption(context, 'headers');
  if (text === undefined) return [];
  return text.split(',').map((part) => {
    const [, name, value] = /^\s*([A-Za-z0-9-]{1,64})\s*=\s*(.*?)\s*$/.exec(part) ?? [];
    if (name !== undefined && value !== undefined) return [name, value] as const;
    throw badOption(context, 'headers', context.say.explain.badHeaders);
  });
}

async function ask(
  context: VerbContext,
  url: string,
  body: unknown,
  headers: readonly (readonly [string, string])[],
): Promise<RouteExplanation> {
  const { explain: say } = context.say;
  const base = URL.parse(url);
  if (base === null || !/^https?:$/.test(base.protocol))
    throw badOption(context, 'url', say.badUrl);
  const { loaded } = await context.installation.configuration();
  const { key } = loaded.config.admin;
  if (key === null) throw new CliFailure(say.noKey);
  let answer: Response;
  try {
    answer = await fetch(new URL('/api/v1/route/explain', base), {
      method: 'POST',
      headers: [
        ...headers.map(([name, value]) => [name, value] as [string, string]),
        ['authorization', `Bearer ${key}`],
        ['content-type', 'application/json'],
      ],
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
  } catch {
    throw new CliFailure(say.unreachable(base.origin));
  }
  const text = await answer.text();
  if (answer.ok) return JSON.parse(text) as RouteExplanation;
  throw new CliFailure(say.refusedBy(base.origin, answer.status, messageIn(text)));
}

function messageIn(text: string): string {
  try {
    return String((JSON.parse(text) as { error?: { message?: string } }).error?.message ?? '');
  } catch {
    return '';
  }
}
