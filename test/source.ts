import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseSync } from '@swc/core';

/** A node of the syntax tree as these tests need it: swc's own, loosely typed. */
export interface SyntaxNode {
  type: string;
  span?: { start: number; end: number };
  [field: string]: unknown;
}

/** Not ours to tidy: installed, generated, or taken from elsewhere as it is. */
const SKIPPED = new Set([
  'node_modules',
  '.git',
  'data',
  'coverage',
  'dist',
  'src/platform/database/client',
  'test/samples',
]);

/** All files below the project, as paths from its root with `/`. */
export function allFiles(folder = '.'): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (SKIPPED.has(path)) return [];
    if (entry.isDirectory()) return allFiles(path);
    return entry.isFile() ? [path] : [];
  });
}

/** The text of each of these files, by path. */
export function readAll(paths: string[]): Map<string, string> {
  return new Map(paths.map((path) => [path, readFileSync(path, 'utf8')]));
}

/** The syntax tree of a TypeScript or JavaScript text. */
export function parse(path: string, text: string): SyntaxNode {
  const tsx = path.endsWith('x');
  const tree = parseSync(text, { syntax: 'typescript', tsx, target: 'es2024' });
  return tree as unknown as SyntaxNode;
}

/** Calls `visit` for a node and everything below it. */
export function walk(node: unknown, visit: (node: SyntaxNode) => void): void {
  if (Array.isArray(node)) {
    for (const item of node) walk(item, visit);
  } else if (typeof node === 'object' && node !== null) {
    if (typeof (node as SyntaxNode).type === 'string') visit(node as SyntaxNode);
    for (const child of Object.values(node)) walk(child, visit);
  }
}
