/**
 * What the tidy test knows about a source file: plain data that the rules read. Only `parse.ts`
 * and the collectors know how a file is parsed; no rule looks at text or at a syntax tree.
 *
 * Paths are relative to the repository and have forward slashes: `server/src/kernel/clock.ts`.
 */

export type ImportFact = {
  readonly specifier: string;
  /** `url` is a file that is loaded by address: `new URL('./worker.ts', import.meta.url)`. */
  readonly kind: 'static' | 'type' | 'dynamic' | 'url';
  readonly line: number;
};

/** Something that is allowed in some places only; `text` is how it stands in the source. */
export type Use = { readonly kind: UseKind; readonly text: string; readonly line: number };

export type UseKind =
  | 'any'
  | 'enum'
  | 'console'
  | 'environment'
  | 'clock'
  | 'randomness'
  | 'focused test'
  | 'sleep'
  | 'function born old'
  /** A text that becomes a program, a module, a statement or a pattern. */
  | 'text as code'
  | 'work on import'
  | 'module state'
  /** A string or a property name, wherever it stands: the rule on names decides. */
  | 'word';

export type FunctionFact = {
  readonly name: string;
  readonly line: number;
  readonly lines: number;
};

export type SourceFacts = {
  readonly path: string;
  readonly lines: number;
  /** Line numbers of the lines over the limit, with their width in code points. */
  readonly wideLines: readonly { readonly line: number; readonly columns: number }[];
  readonly imports: readonly ImportFact[];
  readonly functions: readonly FunctionFact[];
  readonly uses: readonly Use[];
};

export type Project = ReadonlyMap<string, SourceFacts>;

/** One thing that must change; `line` is 0 where it concerns the whole file. */
export type Breach = {
  readonly rule: string;
  readonly path: string;
  readonly line: number;
  readonly message: string;
};

export function isTestFile(path: string): boolean {
  return path.endsWith('.test.ts');
}

/** Everything below a `test` folder: test files and what supports them. */
export function isTestCode(path: string): boolean {
  return /^(server|contracts|console)\/test\//.test(path);
}

export function describeBreach({ rule, path, line, message }: Breach): string {
  return `${path}${line === 0 ? '' : `:${line}`}  ${message}  [${rule}]`;
}
