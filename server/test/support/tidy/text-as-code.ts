/**
 * Attack D5: where a text becomes something that runs: a program, a module, a statement, a
 * pattern. Each file that may is in the list, with what its texts are made of; none of it is
 * anything that somebody sent.
 */
import type { Node } from 'typescript/unstable/ast';
import { SyntaxKind } from 'typescript/unstable/ast';
import {
  isCallExpression,
  isIdentifier,
  isImportDeclaration,
  isNewExpression,
  isPropertyAccessExpression,
} from 'typescript/unstable/ast/is';
import { globalName, textOf } from './syntax.ts';

/** Which text becomes what, as the message of a breach begins; undefined: none does here. */
export function textAsCode(node: Node): string | undefined {
  if (isImportDeclaration(node)) {
    const name = textOf(node.moduleSpecifier)?.replace(/^node:/, '') ?? '';
    const isType = node.importClause?.phaseModifier === SyntaxKind.TypeKeyword;
    return !isType && PROGRAMS.has(name) ? name : undefined;
  }
  if (!isCallExpression(node) && !isNewExpression(node)) return undefined;
  const name = globalName(node.expression);
  if (name === 'eval' || name === 'Function' || name === 'createRequire') return name;
  const isWritten = textOf(node.arguments?.[0]) !== undefined;
  if (node.expression.kind === SyntaxKind.ImportKeyword && !isWritten) return 'import of a value';
  if (name === 'RegExp' && !isWritten) return 'RegExp of a value';
  if (!isPropertyAccessExpression(node.expression)) return undefined;
  const { expression, name: member } = node.expression;
  const isSql = isIdentifier(expression) && expression.text === 'sql';
  const isRaw = isSql && (member.text === 'raw' || member.text === 'lit');
  return isRaw && !isWritten ? `sql.${member.text} of a value` : undefined;
}

const PROGRAMS: ReadonlySet<string> = new Set(['child_process', 'vm', 'repl', 'inspector', 'wasi']);

/** Of constants of ours, or of what the operator put on the disk. */
const ALLOWED: readonly string[] = [
  // A list of passwords inside of a package, by a name that is written there.
  'identity/passwords/listed.ts',
  // PostgreSQL's own tools, by the paths of the operator.
  'storage/backup/postgres-tools.ts',
  // Constants beside them.
  'telemetry/redact.ts',
  'providers/mock/prose.ts',
  'config/schema/tracing.ts',
  'config/source/references.ts',
  'http/absent-endpoints.ts',
  'storage/engines/postgres/text.ts',
  'storage/engines/postgres/sqlstate.ts',
  'storage/engines/postgres/grants.ts',
  'storage/engines/sqlite/ledger-forgetting.ts',
  'storage/migrations/ledger-forgetting.ts',
  'storage/migrations/ledger-partitions.ts',
  // A column that stands in a table of constants, by a dimension out of a closed list.
  'storage/repositories/usage-query.ts',
  // The catalogue, which is part of the program.
  'config/price-list.ts',
  // The routes that were registered.
  'http/admin/not-found.ts',
];

export function mayBeCode(path: string): boolean {
  return ALLOWED.some((allowed) => path === `server/src/${allowed}`);
}
