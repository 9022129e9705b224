/** Every file that a source names: imports, exports from elsewhere, import types, and addresses. */

import type { ImportClause, Node } from 'typescript/unstable/ast';
import { SyntaxKind } from 'typescript/unstable/ast';
import {
  isCallExpression,
  isExportDeclaration,
  isIdentifier,
  isImportDeclaration,
  isImportTypeNode,
  isLiteralTypeNode,
  isNamedExports,
  isNamedImports,
  isNewExpression,
  isPropertyAccessExpression,
  isTemplateExpression,
} from 'typescript/unstable/ast/is';
import type { ImportFact } from './facts.ts';
import { lineOf, type ParsedFile, textOf, walk } from './syntax.ts';

export function collectImports(file: ParsedFile): ImportFact[] {
  const found: ImportFact[] = [];
  walk(file.tree, (node) => {
    const fact = importOf(node);
    if (fact.specifier !== undefined) {
      found.push({ specifier: fact.specifier, kind: fact.kind, line: lineOf(file, node) });
    }
    return true;
  });
  return found;
}

type Found = { readonly specifier: string | undefined; readonly kind: ImportFact['kind'] };

function importOf(node: Node): Found {
  if (isImportDeclaration(node)) {
    const isType = isTypeOnlyImport(node.importClause);
    return { specifier: textOf(node.moduleSpecifier), kind: isType ? 'type' : 'static' };
  }
  if (isExportDeclaration(node)) {
    const isType = node.isTypeOnly || allTypeOnly(node.exportClause);
    return { specifier: textOf(node.moduleSpecifier), kind: isType ? 'type' : 'static' };
  }
  if (isImportTypeNode(node)) {
    const argument = isLiteralTypeNode(node.argument) ? node.argument.literal : undefined;
    return { specifier: textOf(argument), kind: 'type' };
  }
  if (isCallExpression(node) && node.expression.kind === SyntaxKind.ImportKeyword) {
    return { specifier: textOf(node.arguments[0]), kind: 'dynamic' };
  }
  return { specifier: addressOf(node), kind: 'url' };
}

function isTypeOnlyImport(clause: ImportClause | undefined): boolean {
  if (clause === undefined) return false;
  if (clause.phaseModifier === SyntaxKind.TypeKeyword) return true;
  return clause.name === undefined && allTypeOnly(clause.namedBindings);
}

/** True for `{ type A, type B }`, which leaves nothing to load. */
function allTypeOnly(bindings: Node | undefined): boolean {
  if (bindings === undefined) return false;
  if (!isNamedImports(bindings) && !isNamedExports(bindings)) return false;
  return bindings.elements.length > 0 && bindings.elements.every((element) => element.isTypeOnly);
}

/** `new URL('./worker.ts', import.meta.url)`, with `*` for what is computed in the name. */
function addressOf(node: Node): string | undefined {
  if (!isNewExpression(node) || !isIdentifier(node.expression)) return undefined;
  if (node.expression.text !== 'URL') return undefined;
  const [target, base] = node.arguments ?? [];
  const isHere = base !== undefined && isPropertyAccessExpression(base) && base.name.text === 'url';
  const address = isHere ? patternOf(target) : undefined;
  return address !== undefined && /^\.\.?\/.*\.[mc]?[jt]sx?$/.test(address) ? address : undefined;
}

function patternOf(node: Node | undefined): string | undefined {
  if (node === undefined || !isTemplateExpression(node)) return textOf(node);
  return node.head.text + node.templateSpans.map(({ literal }) => `*${literal.text}`).join('');
}
