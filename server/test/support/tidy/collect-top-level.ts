/**
 * What happens when a module is imported: only names may be defined. Seen are statements that do
 * something, values made by something that acts on the world, and state that a module keeps.
 */

import type { Node, Statement, VariableStatement } from 'typescript/unstable/ast';
import { NodeFlags } from 'typescript/unstable/ast';
import {
  isAwaitExpression,
  isCallExpression,
  isClassDeclaration,
  isEmptyStatement,
  isEnumDeclaration,
  isExportAssignment,
  isExportDeclaration,
  isFunctionDeclaration,
  isFunctionLikeDeclaration,
  isIdentifier,
  isImportDeclaration,
  isInterfaceDeclaration,
  isModuleDeclaration,
  isNewExpression,
  isPropertyAccessExpression,
  isTypeAliasDeclaration,
  isVariableStatement,
} from 'typescript/unstable/ast/is';
import type { Use } from './facts.ts';
import { lineOf, type ParsedFile, walk } from './syntax.ts';

export function collectTopLevel(file: ParsedFile): Use[] {
  return file.tree.statements.flatMap((statement) => usesOf(file, statement));
}

function usesOf(file: ParsedFile, statement: Statement): Use[] {
  if (isVariableStatement(statement)) return usesOfVariables(file, statement);
  if (isDefinition(statement)) return [];
  const text = firstLineOf(file, statement);
  return [{ kind: 'work on import', text, line: lineOf(file, statement) }];
}

const DEFINITIONS = [
  isClassDeclaration,
  isEmptyStatement,
  isEnumDeclaration,
  isExportAssignment,
  isExportDeclaration,
  isFunctionDeclaration,
  isImportDeclaration,
  isInterfaceDeclaration,
  isModuleDeclaration,
  isTypeAliasDeclaration,
];

function isDefinition(statement: Statement): boolean {
  return DEFINITIONS.some((is) => is(statement));
}

function usesOfVariables(file: ParsedFile, statement: VariableStatement): Use[] {
  const found: Use[] = [];
  if ((statement.declarationList.flags & NodeFlags.Const) === 0) {
    const text = firstLineOf(file, statement);
    found.push({ kind: 'module state', text, line: lineOf(file, statement) });
  }
  walk(statement, (node) => {
    if (isFunctionLikeDeclaration(node)) return false;
    const line = lineOf(file, node);
    const text = firstLineOf(file, node);
    if (isEmptyContainer(node)) found.push({ kind: 'module state', text, line });
    if (isAct(node)) found.push({ kind: 'work on import', text, line });
    return true;
  });
  return found;
}

/** A container that starts empty is there to be filled: state. */
function isEmptyContainer(node: Node): boolean {
  if (!isNewExpression(node) || !isIdentifier(node.expression)) return false;
  const isContainer = /^(Map|Set|WeakMap|WeakSet)$/.test(node.expression.text);
  return isContainer && (node.arguments?.length ?? 0) === 0;
}

const ACTS =
  /^(setTimeout|setInterval|setImmediate|fetch|spawn|fork|exec|createServer|listen|on|once)$/;
const SYNCHRONOUS_INPUT_OUTPUT = /^(read|write|open|mkdir|stat|exists|rm|append)[A-Za-z]*Sync$/;

function isAct(node: Node): boolean {
  if (isAwaitExpression(node)) return true;
  if (isNewExpression(node)) {
    return isIdentifier(node.expression) && /^(Worker|Pool|Agent)$/.test(node.expression.text);
  }
  if (!isCallExpression(node)) return false;
  const callee = isPropertyAccessExpression(node.expression)
    ? node.expression.name
    : node.expression;
  if (!isIdentifier(callee)) return false;
  return ACTS.test(callee.text) || SYNCHRONOUS_INPUT_OUTPUT.test(callee.text);
}

function firstLineOf(file: ParsedFile, node: Node): string {
  const [line = ''] = node.getText(file.tree).split('\n');
  return line.length > 60 ? `${line.slice(0, 60)}…` : line;
}
