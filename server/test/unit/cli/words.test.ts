/**
 * What the command line says before it does anything: help of every verb in both languages,
 * mistakes in one line with exit code 2, and that nothing is said in one language only.
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { languageOf, MESSAGES } from '../../../src/cli/messages/index.ts';
import { VERBS } from '../../../src/cli/verbs.ts';
import { type CommandLine, createCommandLine } from './fixture.ts';

let line: CommandLine;
before(async () => {
  line = await createCommandLine();
});
after(() => line.remove());

describe('help', () => {
  for (const [name, verb] of Object.entries(VERBS)) {
    for (const [lang, word] of [
      ['en', 'Examples:'],
      ['es', 'Ejemplos:'],
    ] as const) {
      it(`of ${name} shows what it is for and an example, in ${lang}`, async () => {
        const { exitCode, out, err } = await line.run(...name.split(' '), '--help', '--lang', lang);

        assert.equal(exitCode, 0);
        assert.equal(err, '');
        assert.equal(out.includes(MESSAGES[lang].verbs[name as keyof typeof VERBS]), true, out);
        assert.equal(out.includes(`${word}\n  ${verb.examples[0]}`), true, out);
        assert.match(out, /--json/);
        assert.match(out, /--data-dir <path>/);
      });
    }
  }

  it('of an example names verbs and options that exist', async () => {
    for (const [name, verb] of Object.entries(VERBS)) {
      const { out } = await line.run(...name.split(' '), '--help');
      for (const example of verb.examples) {
        assert.equal(example.startsWith(`esclusa ${name}`), true, example);
        for (const [option] of example.matchAll(/ (--[a-z-]+)/g)) {
          assert.equal(out.includes(option.trim()), true, `${example}: ${option}`);
        }
      }
    }
  });

  it('of a verb reads as people expect it', async () => {
    const { out } = await line.run('keys', 'revoke', '--help', '--lang', 'es');

    assert.equal(out, HELP_OF_REVOKE);
  });

  it('is what is shown when nothing is asked for, with every verb in it', async () => {
    const { exitCode, out } = await line.run();
    const spanish = await line.run('--lang', 'es');

    assert.equal(exitCode, 0);
    for (const name of Object.keys(VERBS)) {
      const [first, second = ''] = name.split(' ');
      assert.match(out, new RegExp(`^  ${first} .*(\\n {4,}.*)?${second}`, 'm'));
    }
    assert.equal(spanish.exitCode, 0);
    assert.match(spanish.out, /^Uso: esclusa/);
  });
});

describe('a mistake', () => {
  for (const [argv, message] of [
    [['kyes'], 'Error: There is no command kyes. Did you mean keys? See: esclusa --help\n'],
    [
      ['keys', 'crate'],
      'Error: There is no command crate. Did you mean create? See: esclusa keys --help\n',
    ],
    [
      ['backup', 'verfy'],
      'Error: There is no command verfy. Did you mean verify? For a folder of this name: ' +
        './verfy. See: esclusa backup --help\n',
    ],
    [
      ['--lang', 'en', 'backup', '--lang=en', 'nightly', '--keep', '3'],
      'Error: There is no command nightly. For a folder of this name: ./nightly. ' +
        'See: esclusa backup --help\n',
    ],
    [['backup'], 'Error: The argument <folder> is missing. See: esclusa backup --help\n'],
    [['keys', 'list', '--al'], 'Error: There is no option --al. See: esclusa keys list --help\n'],
    [
      ['keys', 'create'],
      'Error: The argument <name> is missing. See: esclusa keys create --help\n',
    ],
    [['usage', 'x'], 'Error: There are too many arguments. See: esclusa usage --help\n'],
    [
      ['usage', '--by', 'cost'],
      'Error: --by: expected one of model, provider, key, tenant, day.\n',
    ],
    [['keys', 'list', '--limit', '0'], 'Error: --limit: expected a whole number from 1 to 1000.\n'],
    [['usage', '--since', '2026-02-30'], `Error: --since: ${MESSAGES.en.usage.badInstant}\n`],
    [
      ['requests', 'list', '--outcome', 'ok'],
      'Error: --outcome: expected one of completed, failed, aborted, rejected.\n',
    ],
    [
      ['keys', 'create', 'x', '--role', 'superadmin'],
      'Error: --role: expected service or admin.\n',
    ],
    [['keys', 'create', 'x', '--budget', '5'], `Error: --budget: ${MESSAGES.en.refusals.budget}\n`],
    [
      ['keys', 'create', 'x', '--budget', '0/day'],
      `Error: --budget: ${MESSAGES.en.refusals.budget}\n`,
    ],
    [
      ['keys', 'create', 'x', '--concurrency', '1.5'],
      'Error: --concurrency: expected a whole number above zero.\n',
    ],
    [
      ['keys', 'create', 'x', '--expires', '2026-11-20'],
      'Error: --expires: expected a point in the future.\n',
    ],
    [
      ['keys', 'create', 'x', '--tenant', 'nowhere'],
      'Error: --tenant: expected the short name of a tenant that exists.\n',
    ],
    [
      ['keys', 'create', 'a\nb'],
      'Error: <name>: expected 1 to 100 characters, none of them a control character.\n',
    ],
    [['tenants', 'create', 'A b', 'x'], `Error: <slug>: ${MESSAGES.en.refusals.slug}\n`],
  ] as const) {
    it(`in \`${argv.join(' ').replace('\n', '⏎')}\` is told in one line, exit code 2`, async () => {
      const { exitCode, out, err } = await line.run(...argv);

      assert.equal(err, message);
      assert.equal(exitCode, 2);
      assert.equal(out, '');
    });
  }

  it('is told as JSON where JSON is asked for, and in the language asked for', async () => {
    const json = await line.run('keys', 'list', '--al', '--json');
    const spanish = await line.run('keys', 'list', '--al', '--lang=es');

    assert.deepEqual(JSON.parse(json.err), {
      error: { code: 'usage', message: 'There is no option --al. See: esclusa keys list --help' },
    });
    assert.match(spanish.err, /No hay ninguna opción --al\. Véase: esclusa keys list --help/);
  });

  it('of naming a group without a verb shows the group’s verbs', async () => {
    const { exitCode, err } = await line.run('keys');

    const spanish = await line.run('keys', '--lang=es');

    assert.equal(exitCode, 2);
    assert.match(err, /revoke/);
    assert.match(spanish.err, /^Uso: esclusa keys/);
  });
});

describe('the languages', () => {
  it('say the same things, each in its own words', () => {
    const english = textsOf(MESSAGES.en);
    const spanish = textsOf(MESSAGES.es);

    assert.deepEqual([...spanish.keys()], [...english.keys()]);
    const alike = [...english].filter(([path, text]) => spanish.get(path) === text);
    assert.deepEqual(
      alike.map(([path]) => path),
      ALIKE,
    );
  });

  it('are chosen by the option, else by the machine', () => {
    assert.equal(languageOf(undefined, 'es-CL'), 'es');
    assert.equal(languageOf(undefined, 'en-US'), 'en');
    assert.equal(languageOf(undefined, 'de-DE'), 'en');
    assert.equal(languageOf('es', 'en-US'), 'es');
    assert.equal(languageOf('en', 'es-CL'), 'en');
  });

  it('follow the machine’s language', async () => {
    line.locale = 'es-ES';

    const { out } = await line.run('usage', '--help');
    line.locale = 'en-GB';

    assert.match(out, /^Uso: esclusa usage \[opciones\]/);
  });
});

it('one finding is not told as several, in either language', () => {
  for (const { doctor } of [MESSAGES.en, MESSAGES.es]) {
    assert.doesNotMatch(doctor.bad(1), /1|things|cosas/);
    assert.doesNotMatch(doctor.warned(1), /1|remarks|observaciones/);
    assert.match(doctor.bad(2), /2/);
    assert.match(doctor.warned(2), /2/);
  }
});

/** Every text by its path; functions are called with recognisable arguments. */
function textsOf(value: unknown, path = ''): Map<string, string> {
  if (typeof value === 'string') return new Map([[path, value]]);
  if (typeof value === 'function') return new Map([[path, String(value('§1', '§2'))]]);
  const members = Object.entries(value as Record<string, unknown>);
  return new Map(members.flatMap(([name, member]) => [...textsOf(member, `${path}.${name}`)]));
}

/** Words that both languages share. */
const ALIKE = ['.columns.id', '.columns.duration', '.usage.badValue', '.failed'];

const HELP_OF_REVOKE = `Uso: esclusa keys revoke [opciones] <id>

revoca una clave de API

Argumentos:
  id                 identificador de la clave, key_…

Opciones:
  --yes              no pide confirmación
  --data-dir <path>  carpeta de los datos (si falta: ESCLUSA_DATA_DIR, o ./data)
  --config <file>    archivo de configuración (si falta: ESCLUSA_CONFIG, o
                     ./esclusa.yaml)
  --json             responde en JSON
  --lang <language>  idioma de los textos: en o es
  -h, --help         muestra esta ayuda

Ejemplos:
  esclusa keys revoke key_01JD0000000000000000000000 --yes
`;
