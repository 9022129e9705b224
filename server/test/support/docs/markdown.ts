/**
 * Reading Markdown as far as documents are checked: links, anchors, code, tables.
 */
import { globSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';

export interface Page {
  /** Below the root of the project, with forward slashes. */
  readonly path: string;
  readonly text: string;
}

export interface Fence {
  readonly language: string;
  readonly lines: readonly string[];
}

const FENCE = /^```(\w*)[^\n]*\n([\s\S]*?)^```$/gm;
const SPAN = /`([^`\n]+)`/g;
const LINK = /\[[^\]]*\]\(\s*<?([^)\s>]+)>?[^)]*\)/g;

/** Every Markdown page of the project. */
export function readPages(root: string): readonly Page[] {
  const paths = globSync('**/*.md', {
    cwd: root,
    exclude: (path) => /(^|[\\/])(node_modules|data)$/.test(path),
  });
  return paths
    .map((path) => path.replaceAll('\\', '/'))
    .sort()
    .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));
}

export function fencesOf(text: string): readonly Fence[] {
  return [...text.matchAll(FENCE)].map(([, language = '', body = '']) => ({
    language,
    lines: body.replace(/\n$/, '').split('\n'),
  }));
}

/** What stands in backticks within the running text. */
export function spansOf(text: string): readonly string[] {
  return [...text.replaceAll(FENCE, '').matchAll(SPAN)].map(([, span = '']) => span);
}

/** Headings, outermost first: `## Title` is `{ level: 2, title: 'Title' }`. */
export function headingsOf(text: string): readonly { level: number; title: string }[] {
  return [...text.replaceAll(FENCE, '').matchAll(/^(#{1,6}) +(.+)$/gm)].map(
    ([, marks = '', title = '']) => ({ level: marks.length, title: title.trim() }),
  );
}

/** Cells of every table row but the heads and rules, in order; escaped pipes stay in a cell. */
export function rowsOf(text: string): readonly (readonly string[])[] {
  const lines = text.split('\n');
  const isRule = (line: string | undefined) => /^\|[\s:|-]+\|$/.test(line ?? '');
  return lines
    .filter((line, i) => line.startsWith('|') && !isRule(line) && !isRule(lines[i + 1]))
    .map((line) =>
      line
        .slice(1, line.lastIndexOf('|'))
        .split(/(?<!\\)\|/)
        .map((cell) => cell.trim().replaceAll('\\|', '|')),
    );
}

/** Links that lead nowhere, as `page: target`; addresses of other hosts are not followed. */
export function brokenLinks(
  pages: readonly Page[],
  exists: (path: string) => boolean,
): readonly string[] {
  const anchors = new Map(pages.map(({ path, text }) => [path, anchorsOf(text)]));
  return pages.flatMap(({ path, text }) =>
    linksOf(text)
      .filter((link) => !/^[a-z][a-z+.-]*:/i.test(link))
      .filter((link) => !leadsSomewhere(path, link, anchors, exists))
      .map((link) => `${path}: ${link}`),
  );
}

function leadsSomewhere(
  page: string,
  link: string,
  anchors: ReadonlyMap<string, ReadonlySet<string>>,
  exists: (path: string) => boolean,
): boolean {
  const [file = '', anchor] = link.split('#');
  const target = file === '' ? page : posix.join(posix.dirname(page), decodeURI(file));
  if (target.startsWith('..') || !exists(target)) return false;
  return anchor === undefined || (anchors.get(target)?.has(anchor) ?? false);
}

function linksOf(text: string): readonly string[] {
  const prose = text.replaceAll(FENCE, '').replaceAll(SPAN, '``');
  return [...prose.matchAll(LINK)].map(([, target = '']) => target);
}

/** The names a link to this page may end in: those of its headings, and those it sets itself. */
function anchorsOf(text: string): ReadonlySet<string> {
  const own = [...text.matchAll(/<a id="([^"]+)">/g)].map(([, id = '']) => id);
  return new Set([...headingsOf(text).map(({ title }) => slugOf(title)), ...own]);
}

function slugOf(title: string): string {
  return title
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
    .replaceAll(/\s/g, '-');
}
