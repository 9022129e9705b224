/**
 * Goal: what the two READMEs tell a newcomer to do works as it is written, and shows what they
 * say. Method: the whole program as it starts without configuration; programs and request
 * bodies are taken out of the pages, only the address and the key are those of the test.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { fencesOf } from '../support/docs/markdown.ts';
import { ADMIN_KEY, startGateway, type TestGateway } from '../support/gateway.ts';

const ROOT = join(import.meta.dirname, '../../..');
const WRITTEN_URL = 'http://127.0.0.1:8000';
/** One with OpenAI's client package, one with Anthropic's and Google's. */
const PROGRAMS = 2;
const run = promisify(execFile);

const pages = [
  { path: 'README.md', greeting: 'You wrote: “Hello”' },
  { path: 'README.es.md', greeting: 'Usted ha escrito: «Hola»' },
].map((page) => ({ ...page, text: readFileSync(join(ROOT, page.path), 'utf8') }));

let gateway: TestGateway;
before(async () => {
  gateway = await startGateway();
});
after(() => gateway.close());

/** The bodies of the curl commands, in order. */
function bodiesOf(text: string): readonly string[] {
  return fencesOf(text).flatMap(({ lines }) =>
    lines.flatMap((line) => /^ +-d '(\{.*\})'$/.exec(line)?.[1] ?? []),
  );
}

for (const { path, text, greeting } of pages) {
  test(`the programs of ${path} run as they are written`, async () => {
    const programs = fencesOf(text).filter(({ language }) => language === 'js');
    assert.equal(programs.length, PROGRAMS);
    for (const { lines } of programs) {
      assert.ok(lines.some((line) => line.includes(WRITTEN_URL)));
      const code = lines.join('\n').replaceAll(WRITTEN_URL, gateway.url);
      const prints = lines.filter((line) => line.startsWith('console.log(')).length;

      const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', code], {
        cwd: ROOT,
        env: { ...process.env, KEY: ADMIN_KEY },
      });

      assert.equal(stdout.split(greeting).length - 1, prints, stdout);
    }
  });

  test(`the requests of ${path} are answered as it shows`, async () => {
    const [plain = '', stream = '', ...others] = bodiesOf(text);
    assert.deepEqual(others, []);

    const first = await gateway.chat(plain);
    const again = await gateway.chat(plain);
    const streamed = await (await gateway.chat(stream)).text();

    assert.equal(first.headers.get('x-cache'), 'MISS');
    const cost = first.headers.get('x-esclusa-cost-usd') ?? '?';
    assert.ok(text.includes(`x-esclusa-cost-usd: ${cost}\n`), `it now costs ${cost}`);
    assert.equal(again.headers.get('x-cache'), 'HIT');
    assert.equal(again.headers.get('x-esclusa-cost-usd'), '0');
    const [, comment = ''] = /\n(: esclusa .*)\n\ndata: \[DONE\]\n\n$/.exec(streamed) ?? [];
    const stable = comment.replace(/,"duration_ms".*/, '');
    assert.ok(stable.length > 0 && text.includes(stable), `it now ends in ${comment}`);
  });
}
