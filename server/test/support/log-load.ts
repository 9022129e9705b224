/**
 * Many calls to a gateway that runs as a process of its own, and what it wrote of them: every
 * line of its standard output is kept and read when the calls are over, so that reading does not
 * slow the writing down.
 */
import { Agent, request } from 'node:http';
import { ADMIN_KEY } from './gateway.ts';
import type { GatewayProcess } from './gateway-process.ts';

export interface Written {
  text(): string;
}

/** Collects what the process writes from now on. */
export function collectOutput({ child }: GatewayProcess): Written {
  const chunks: Buffer[] = [];
  child.stdout?.on('data', (chunk: Buffer) => chunks.push(chunk));
  return { text: () => Buffer.concat(chunks).toString('utf8') };
}

/** Calls over and over, so many at once, for as long as `goesOn`. Answers the ids of the calls. */
export async function callWhile(
  url: string,
  atOnce: number,
  goesOn: (begun: number) => boolean,
): Promise<string[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: atOnce });
  const ids: string[] = [];
  let begun = 0;
  const client = async (): Promise<void> => {
    while (goesOn(begun)) {
      begun += 1;
      ids.push(await call(url, agent));
    }
  };
  await Promise.all(Array.from({ length: atOnce }, client));
  agent.destroy();
  return ids;
}

const BODY = JSON.stringify({
  ...{ model: 'mock', temperature: 0 },
  messages: [{ role: 'user', content: 'Say hello.' }],
});

function call(url: string, agent: Agent): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${ADMIN_KEY}`, 'content-type': 'application/json' };
    const options = { method: 'POST', agent, headers };
    const sent = request(`${url}/v1/chat/completions`, options, (answer) => {
      answer.resume();
      answer.on('error', reject);
      answer.on('end', () => {
        if (answer.statusCode === 200) resolve(String(answer.headers['x-request-id']));
        else reject(new Error(`answered ${answer.statusCode}`));
      });
    });
    sent.on('error', reject);
    sent.end(BODY);
  });
}
