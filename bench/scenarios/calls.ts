/**
 * The calls that every scenario makes: one request of about 1 KB, plain or streamed, the same for
 * all subjects. Before a subject is measured its answer is read once and compared with what the
 * upstream says, so that a wrong answer can never be a fast one.
 */
import { request } from 'undici';
import type { Target } from '../actors/protocol.ts';
import type { Subject } from '../subjects/subject.ts';

const PATH = '/v1/chat/completions';
const MARKER = '0000000000';
const PROBE_NUMBER = '9999999999';
const PROMPT = 'You are an assistant that explains how canals, locks and gates work. ';
const QUESTION = 'Explain in a few sentences what a lock keeper does on a working day. ';

export type Mode = 'plain' | 'stream';

/**
 * Reads one answer (two where the subject is to answer from its cache), checks it, lets the
 * subject check its own claims, and returns the target of the measured calls.
 */
export async function prepareTarget(subject: Subject, mode: Mode): Promise<Target> {
  const template = bodyOf(mode);
  const { isCached, bodies } = subject;
  const body = isCached ? template : template.replace(MARKER, PROBE_NUMBER);
  if (isCached) await probe(subject, body, mode);
  const { headers, bytes } = await probe(subject, body, mode);
  await subject.verify(headers);
  return {
    origin: subject.origin,
    path: PATH,
    headers: { 'content-type': 'application/json', ...subject.headers },
    body: template,
    marker: isCached && bodies === undefined ? null : MARKER,
    ...(bodies === undefined ? {} : { bodies }),
    answerBytes: mode === 'plain' ? bytes : null,
  };
}

function bodyOf(mode: Mode): string {
  return JSON.stringify({
    model: 'bench',
    ...(mode === 'stream' ? { stream: true } : {}),
    temperature: 0,
    max_tokens: 256,
    messages: [
      { role: 'system', content: PROMPT.repeat(6).trim() },
      { role: 'user', content: `Question ${MARKER}. ${QUESTION.repeat(6).trim()}` },
    ],
  });
}

async function probe(subject: Subject, body: string, mode: Mode) {
  const {
    statusCode,
    headers,
    body: answer,
  } = await request(`${subject.origin}${PATH}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...subject.headers },
    body,
  });
  const text = await answer.text();
  const problem = statusCode === 200 ? problemOf(text, mode) : `status ${statusCode}`;
  if (problem !== null) throw new Error(`wrong answer: ${problem}: ${text.slice(0, 300)}`);
  return { headers, bytes: Buffer.byteLength(text) };
}

function problemOf(text: string, mode: Mode): string | null {
  if (mode === 'stream') {
    if (!text.includes('data: [DONE]')) return 'no end of the stream';
    return text.includes('lock raises a boat') ? null : 'no content';
  }
  const { choices } = JSON.parse(text) as { choices?: { message?: { content?: string } }[] };
  return choices?.[0]?.message?.content?.startsWith('A canal lock') === true ? null : 'no content';
}
