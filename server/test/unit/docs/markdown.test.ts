/**
 * Goal: the checks of documents see what is wrong with a document.
 * Method: small pages that are right, and the same with one fault.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { brokenLinks, headingsOf, rowsOf, spansOf } from '../../support/docs/markdown.ts';

const page = (text: string, path = 'docs/a.md') => ({ path, text });
const there = (path: string) =>
  ['docs/a.md', 'docs/b.md', 'README.md', 'server/src'].includes(path);

describe('links', () => {
  it('to files, folders, headings and anchors of their own lead somewhere', () => {
    const pages = [
      page('[b](b.md#the-end) [up](../README.md) [src](../server/src) [x](#own) [y](#code_1)'),
      page('# The end\n', 'docs/b.md'),
      page('', 'README.md'),
    ];
    const text = `${pages[0]?.text}\n\n## Own\n<a id="code_1"></a>`;

    assert.deepEqual(brokenLinks([page(text), ...pages.slice(1)], there), []);
  });

  it('to a missing file, a missing heading, or out of the project lead nowhere', () => {
    const text = '[a](c.md) [b](b.md#begin) [c](../../etc/passwd) [d](#nothing)';
    const pages = [page(text), page('# The end', 'docs/b.md')];

    assert.deepEqual(brokenLinks(pages, there), [
      'docs/a.md: c.md',
      'docs/a.md: b.md#begin',
      'docs/a.md: ../../etc/passwd',
      'docs/a.md: #nothing',
    ]);
  });

  it('to other hosts, and what only looks like one in code, are not followed', () => {
    const text = '[a](https://example.com/x) `[b](c.md)`\n\n```js\nf[0](d.md)\n```\n';

    assert.deepEqual(brokenLinks([page(text)], there), []);
  });
});

describe('reading a page', () => {
  it('gives headings with their level, in order, and not those of code', () => {
    const text = '# One\n\n```sh\n# not one\n```\n\n### Three\n';

    assert.deepEqual(headingsOf(text), [
      { level: 1, title: 'One' },
      { level: 3, title: 'Three' },
    ]);
  });

  it('gives the rows of tables without heads, with escaped pipes', () => {
    const text = '| A | B |\n|---|:-:|\n| 1 | x \\| y |\n| 2 | |\n\ntext | with a pipe\n';

    assert.deepEqual(rowsOf(text), [
      ['1', 'x | y'],
      ['2', ''],
    ]);
  });

  it('gives code in the running text, and none of the blocks', () => {
    assert.deepEqual(spansOf('a `b` c\n\n```\n`d`\n```\n\n`e`'), ['b', 'e']);
  });
});
