/**
 * Every function with a body and its length in lines. In test code a function that registers
 * tests (the callback of a `describe`, a suite that runs against every adapter) is a chapter and
 * not counted: what counts there are the tests in it.
 */

import type { Node } from 'typescript/unstable/ast';
import {
  isBlock,
  isCallExpression,
  isExpressionStatement,
  isFunctionLikeDeclaration,
  isIdentifier,
  isPropertyAccessExpression,
  isPropertyAssignment,
  isVariableDeclaration,
  isVoidExpression,
} from 'typescript/unstable/ast/is';
import { type FunctionFact, isTestCode } from './facts.ts';
import { lineAt, lineOf, type ParsedFile, textOf, walk } from './syntax.ts';

export function collectFunctions(file: ParsedFile): FunctionFact[] {
  const found: FunctionFact[] = [];
  walk(file.tree, (node) => {
    if (!isFunctionLikeDeclaration(node) || node.body === undefined) return true;
    if (isTestCode(file.path) && isChapter(node.body)) return true;
    const line = lineOf(file, node);
    found.push({ name: nameOf(node), line, lines: lineAt(file, node.end) - line + 1 });
    return true;
  });
  return found;
}

function isChapter(body: Node): boolean {
  return isBlock(body) && body.statements.some(registersTests);
}

function registersTests(statement: Node): boolean {
  let call: Node = isExpressionStatement(statement) ? statement.expression : statement;
  if (isVoidExpression(call)) call = call.expression;
  if (!isCallExpression(call)) return false;
  const callee = isPropertyAccessExpression(call.expression)
    ? call.expression.expression
    : call.expression;
  return isIdentifier(callee) && /^(describe|suite|test|it)$/.test(callee.text);
}

function nameOf(node: Node): string {
  const owner = isNamedBy(node.parent) ? node.parent : node;
  const name = 'name' in owner ? (owner.name as Node | undefined) : undefined;
  if (name !== undefined) return isIdentifier(name) ? name.text : name.getText();
  const argument = isCallExpression(node.parent) ? textOf(node.parent.arguments[0]) : undefined;
  return argument === undefined ? 'a function without a name' : `'${argument}'`;
}

function isNamedBy(parent: Node): boolean {
  return isVariableDeclaration(parent) || isPropertyAssignment(parent);
}
