/**
 * The bytes of the upstream: a chat completion of about 1 KB, and the parts of a stream, each
 * already framed as HTTP. Built once, so that an answer costs the upstream one write.
 */

const WORDS =
  'A canal lock raises a boat from one level of water to the next, chamber by chamber. ';
const ID = 'chatcmpl-bench000000000000000000';
const CREATED = 1_700_000_000;
const USAGE = { prompt_tokens: 180, completion_tokens: 160, total_tokens: 340 };

export interface StreamParts {
  readonly head: Buffer;
  readonly first: Buffer;
  readonly next: Buffer;
  readonly end: Buffer;
  readonly endWithUsage: Buffer;
}

export function plainAnswer(): Buffer {
  const body = JSON.stringify({
    id: ID,
    object: 'chat.completion',
    created: CREATED,
    model: 'm',
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content: WORDS.repeat(8).trim(), refusal: null },
        logprobs: null,
        finish_reason: 'stop',
      },
    ],
    usage: USAGE,
    system_fingerprint: 'fp_bench',
  });
  return Buffer.from(
    'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n' +
      `content-length: ${body.length}\r\n\r\n${body}`,
  );
}

export function streamParts(): StreamParts {
  const done = frame('data: [DONE]\n\n');
  const finish = frame(event(choice({}, 'stop')));
  const usage = frame(event({ choices: [], usage: USAGE }));
  const last = Buffer.from('0\r\n\r\n');
  return {
    head: Buffer.from(
      'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncache-control: no-cache\r\n' +
        'transfer-encoding: chunked\r\n\r\n',
    ),
    first: frame(event(choice({ role: 'assistant', content: 'A canal' }, null))),
    next: frame(event(choice({ content: ' lock raises a boat' }, null))),
    end: Buffer.concat([finish, done, last]),
    endWithUsage: Buffer.concat([finish, usage, done, last]),
  };
}

function choice(delta: object, finishReason: string | null): object {
  return { choices: [{ index: 0, delta, logprobs: null, finish_reason: finishReason }] };
}

function event(part: object): string {
  const chunk = { id: ID, object: 'chat.completion.chunk', created: CREATED, model: 'm' };
  return `data: ${JSON.stringify({ ...chunk, ...part })}\n\n`;
}

function frame(text: string): Buffer {
  return Buffer.from(`${text.length.toString(16)}\r\n${text}\r\n`);
}
