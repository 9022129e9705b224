/**
 * Asks the gateway under a host name of one's own choice.
 */
import { request } from 'node:http';

export interface AnsweredAt {
  readonly status: number;
  readonly text: string;
}

/** `fetch` lets nobody choose the host. */
export function askAt(
  url: string,
  host: string,
  path: string,
  headers: Readonly<Record<string, string>>,
  body?: string,
): Promise<AnsweredAt> {
  return new Promise((resolve, reject) => {
    const method = body === undefined ? 'GET' : 'POST';
    const sent = request(`${url}${path}`, { method, headers: { ...headers, host } }, (answer) => {
      let text = '';
      answer.setEncoding('utf8');
      answer.on('data', (piece: string) => {
        text += piece;
      });
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text }));
    });
    sent.on('error', reject);
    sent.end(body);
  });
}
