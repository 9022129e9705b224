/** A request with any header, that of the host too, which `fetch` lets nobody choose. */
import { request } from 'node:http';

export interface PlainAnswer {
  readonly status: number;
  readonly text: string;
}

/** A POST where there is a body, a GET else. */
export function plainRequest(
  url: string,
  headers: Readonly<Record<string, string>> = {},
  body?: string,
): Promise<PlainAnswer> {
  return new Promise((resolve, reject) => {
    const method = body === undefined ? 'GET' : 'POST';
    const sent = request(url, { method, headers }, (answer) => {
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

/** The same under a host name of one's own choice. */
export function askAt(
  url: string,
  host: string,
  path: string,
  headers: Readonly<Record<string, string>>,
  body?: string,
): Promise<PlainAnswer> {
  return plainRequest(`${url}${path}`, { ...headers, host }, body);
}
