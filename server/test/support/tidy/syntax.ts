/** Small questions to a syntax tree that more than one collector asks. */

import type { Node, SourceFile } from 'typescript/unstable/ast';
import {
  isIdentifier,
  isNoSubstitutionTemplateLiteral,
  isPropertyAccessExpression,
  isStringLiteral,
} from 'typescript/unstable/ast/is';

export type ParsedFile = {
  readonly path: string;
  readonly text: string;
  readonly tree: SourceFile;
};

/** Calls `visit` with every node below `node`, parents first; `false` leaves out the children. */
export function walk(node: Node, visit: (node: Node) => boolean | undefined): void {
  node.forEachChild((child) => {
    if (visit(child) !== false) walk(child, visit);
    return undefined;
  });
}

/** The line of a node's first character, counted from 1; comments before it do not count. */
export function lineOf(file: ParsedFile, node: Node): number {
  return lineAt(file, node.getStart(file.tree));
}

export function lineAt(file: ParsedFile, position: number): number {
  return file.tree.getLineAndCharacterOfPosition(position).line + 1;
}

export function textOf(node: Node | undefined): string | undefined {
  if (node === undefined) return undefined;
  if (isStringLiteral(node) || isNoSubstitutionTemplateLiteral(node)) return node.text;
  return undefined;
}

/** `a` for the identifier `a` and for `globalThis.a`, else undefined. */
export function globalName(node: Node): string | undefined {
  if (isIdentifier(node)) return node.text;
  if (!isPropertyAccessExpression(node) || !isIdentifier(node.expression)) return undefined;
  return node.expression.text === 'globalThis' ? node.name.text : undefined;
}
