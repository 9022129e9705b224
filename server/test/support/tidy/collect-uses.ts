/** What is allowed in some places only, wherever in a file it stands. */

import type { Node } from 'typescript/unstable/ast';
import { SyntaxKind } from 'typescript/unstable/ast';
import {
  isArrowFunction,
  isBinaryExpression,
  isBlock,
  isCallExpression,
  isElementAccessExpression,
  isEnumDeclaration,
  isExportDeclaration,
  isExpressionStatement,
  isFunctionExpression,
  isIdentifier,
  isImportDeclaration,
  isImportSpecifier,
  isImportTypeNode,
  isNewExpression,
  isPropertyAccessExpression,
  isPropertyAssignment,
  isPropertySignatureDeclaration,
} from 'typescript/unstable/ast/is';
import type { Use, UseKind } from './facts.ts';
import { globalName, lineOf, type ParsedFile, textOf, walk } from './syntax.ts';
import { textAsCode } from './text-as-code.ts';

type Found = { readonly kind: UseKind; readonly text: string };

export function collectUses(file: ParsedFile): Use[] {
  const found: Use[] = [];
  walk(file.tree, (node) => {
    const use = memberUse(node) ?? callUse(node) ?? nodeUse(node) ?? wordUse(node);
    if (use !== undefined) found.push({ ...use, line: lineOf(file, node) });
    // The name of a module is not a word of the program.
    return !isImportTypeNode(node) || use !== undefined;
  });
  return found;
}

const MEMBERS = new Map<string, UseKind>([
  ['Date.now', 'clock'],
  ['performance.now', 'clock'],
  ['process.hrtime', 'clock'],
  ['process.env', 'environment'],
  ['Math.random', 'randomness'],
]);

const TEST_FUNCTIONS = /^(test|it|describe|suite)$/;

function memberUse(node: Node): Found | undefined {
  const member = memberOf(node);
  if (member === undefined) return undefined;
  const text = `${member.owner}.${member.name}`;
  const kind = MEMBERS.get(text);
  if (kind !== undefined) return { kind, text };
  if (member.owner === 'console') return { kind: 'console', text };
  const isFocus = member.name === 'only' && TEST_FUNCTIONS.test(member.owner);
  return isFocus ? { kind: 'focused test', text } : undefined;
}

/** The parts of `a.b`, `a['b']`, `globalThis.a.b`, and of `b` imported from `node:a`. */
function memberOf(node: Node): { readonly owner: string; readonly name: string } | undefined {
  if (isPropertyAccessExpression(node)) {
    const owner = globalName(node.expression);
    return owner === undefined ? undefined : { owner, name: node.name.text };
  }
  if (isElementAccessExpression(node)) {
    const owner = globalName(node.expression);
    const name = textOf(node.argumentExpression);
    return owner === undefined || name === undefined ? undefined : { owner, name };
  }
  if (!isImportSpecifier(node)) return undefined;
  const name = (node.propertyName ?? node.name).text;
  return { owner: moduleOf(node)?.replace(/^node:/, '') ?? '', name };
}

function moduleOf(node: Node): string | undefined {
  let declaration: Node = node;
  while (!isImportDeclaration(declaration)) {
    if (declaration.parent === undefined) return undefined;
    declaration = declaration.parent;
  }
  return textOf(declaration.moduleSpecifier);
}

const RANDOM_SOURCES =
  /^(randomUUID|randomBytes|randomInt|randomFill|randomFillSync|getRandomValues)$/;

function callUse(node: Node): Found | undefined {
  if (isNewExpression(node)) {
    const name = globalName(node.expression);
    const isBare = (node.arguments?.length ?? 0) === 0;
    if (name === 'Date' && isBare) return { kind: 'clock', text: 'new Date()' };
    if (name === 'Promise' && isSleep(node.arguments?.[0])) {
      return { kind: 'sleep', text: 'a promise of setTimeout' };
    }
  }
  if (isCallExpression(node) && globalName(node.expression) === 'Date') {
    return { kind: 'clock', text: 'Date()' };
  }
  if (isIdentifier(node) && RANDOM_SOURCES.test(node.text)) {
    return { kind: 'randomness', text: node.text };
  }
  if (isImportSpecifier(node) && moduleOf(node) === 'node:timers/promises') {
    const name = (node.propertyName ?? node.name).text;
    if (name !== 'setImmediate') return { kind: 'sleep', text: `${name} of node:timers/promises` };
  }
  return undefined;
}

/** An executor that does nothing but set a timer: `(resolve) => setTimeout(resolve, 50)`. */
function isSleep(executor: Node | undefined): boolean {
  if (executor === undefined) return false;
  if (!isArrowFunction(executor) && !isFunctionExpression(executor)) return false;
  let body: Node | undefined = executor.body;
  if (isBlock(body)) body = body.statements.length === 1 ? body.statements[0] : undefined;
  if (body !== undefined && isExpressionStatement(body)) body = body.expression;
  if (body === undefined || !isCallExpression(body)) return false;
  return globalName(body.expression) === 'setTimeout';
}

function nodeUse(node: Node): Found | undefined {
  if (node.kind === SyntaxKind.AnyKeyword) return { kind: 'any', text: 'any' };
  if (isEnumDeclaration(node)) return { kind: 'enum', text: `enum ${node.name.text}` };
  if (isPropertyAssignment(node) && isIdentifier(node.name) && node.name.text === 'only') {
    const isOn = node.initializer.kind === SyntaxKind.TrueKeyword;
    return isOn ? { kind: 'focused test', text: 'only: true' } : undefined;
  }
  const code = textAsCode(node);
  if (code !== undefined) return { kind: 'text as code', text: code };
  if (isBornOld(node)) return { kind: 'function born old', text: 'a function made as a member' };
  return undefined;
}

const ASSIGNMENTS: readonly SyntaxKind[] = [
  SyntaxKind.EqualsToken,
  SyntaxKind.QuestionQuestionEqualsToken,
  SyntaxKind.BarBarEqualsToken,
];

/** `a.b = () => …`: V8 takes it for a method that stays, and makes it in the old generation. */
function isBornOld(node: Node): boolean {
  if (!isBinaryExpression(node) || !ASSIGNMENTS.includes(node.operatorToken.kind)) return false;
  const isMember = isPropertyAccessExpression(node.left) || isElementAccessExpression(node.left);
  return isMember && (isArrowFunction(node.right) || isFunctionExpression(node.right));
}

function wordUse(node: Node): Found | undefined {
  const text = textOf(node);
  if (text !== undefined) return isModuleName(node) ? undefined : { kind: 'word', text };
  const isNamed = isPropertyAssignment(node) || isPropertySignatureDeclaration(node);
  if (!isNamed || !isIdentifier(node.name)) return undefined;
  return { kind: 'word', text: node.name.text };
}

function isModuleName(node: Node): boolean {
  return isImportDeclaration(node.parent) || isExportDeclaration(node.parent);
}
