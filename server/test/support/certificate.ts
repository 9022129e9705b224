/**
 * A certificate for this machine and the authority that signed it, valid for a day, made by
 * `openssl` in a folder of the test.
 */
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

export interface Certificate {
  readonly certFile: string;
  readonly keyFile: string;
  readonly caFile: string;
  /** PEM. */
  readonly ca: string;
}

const run = promisify(execFile);
const CURVE = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

export async function makeCertificate(folder: string): Promise<Certificate> {
  const file = (name: string): string => join(folder, name);
  const openssl = (...words: readonly string[]) => run('openssl', words);
  await openssl(
    ...['req', '-x509', '-days', '1', ...CURVE, '-subj', '/CN=Esclusa test authority'],
    ...['-keyout', file('ca.key'), '-out', file('ca.pem')],
  );
  await openssl(
    ...['req', ...CURVE, '-subj', '/CN=localhost'],
    ...['-keyout', file('server.key'), '-out', file('server.csr')],
  );
  await writeFile(file('names'), 'subjectAltName=DNS:localhost,IP:127.0.0.1\n');
  await openssl(
    ...['x509', '-req', '-days', '1', '-in', file('server.csr'), '-extfile', file('names')],
    ...['-CA', file('ca.pem'), '-CAkey', file('ca.key'), '-CAcreateserial'],
    ...['-out', file('server.pem')],
  );
  const caFile = file('ca.pem');
  const ca = await readFile(caFile, 'utf8');
  return { certFile: file('server.pem'), keyFile: file('server.key'), caFile, ca };
}
