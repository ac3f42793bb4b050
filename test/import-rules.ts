import { posix } from 'node:path';
import { parse, type SyntaxNode, walk } from './source.ts';

/** Who may be known by whom: a room imports only rooms named here, and itself. */
const KNOWN: Record<string, string[]> = {
  platform: [],
  registry: ['platform'],
  billing: ['platform', 'registry'],
  entitlement: ['platform', 'registry', 'billing'],
  operations: ['platform', 'registry', 'billing', 'entitlement'],
  telecom: ['platform', 'registry', 'billing', 'entitlement', 'operations'],
  // Reads what all of them wrote, and writes its seals.
  evidence: ['platform', 'registry', 'billing', 'entitlement', 'operations', 'telecom'],
  backoffice: ['platform', 'registry', 'billing', 'entitlement', 'operations', 'evidence'],
  reporting: [
    'platform',
    'registry',
    'billing',
    'entitlement',
    'operations',
    'telecom',
    'evidence',
    'backoffice',
  ],
};

/** Modules of node that only compute. */
const PURE_NODE = new Set(['node:assert', 'node:buffer', 'node:crypto', 'node:util']);
const IO_PACKAGES =
  /^(pg|express|ioredis|winston|node-cron|prom-client|africastalking|@prisma)(\/|$)/;
/** Our own doors to the outside: the real time, and whatever talks to a database or a network. */
const IO_FILES = /(^|\/)(store|service|routes)\.ts$|^src\/platform\/(timers|system|log)\.ts$/;

interface Import {
  from: string;
  /** A path from the root for our own files, else the name of the module. */
  to: string;
  isOurs: boolean;
  isTypeOnly: boolean;
}

/** Everything that is wrong with the imports of these sources (path to text), in sentences. */
export function importViolations(sources: ReadonlyMap<string, string>): string[] {
  const imports = [...sources].flatMap(([path, text]) => importsOf(path, text));
  return [
    ...imports.flatMap(roomViolation),
    ...circleViolations(imports),
    ...[...sources.keys()]
      .filter((path) => path.endsWith('/rules.ts'))
      .flatMap((path) => purityViolations(path, imports)),
  ];
}

export function importsOf(from: string, text: string): Import[] {
  const found: Import[] = [];
  const add = (name: string, isTypeOnly: boolean) => {
    const isOurs = name.startsWith('.');
    const to = isOurs ? posix.join(posix.dirname(from), name) : name;
    found.push({ from, to, isOurs, isTypeOnly });
  };
  walk(parse(from, text), (node) => {
    const source = (node.source as { value?: string } | null | undefined)?.value;
    if (/^(Import|Export(All|Named)?)Declaration$/.test(node.type) && source) {
      add(source, isTypeOnly(node));
    }
    const callee = node.callee as SyntaxNode | undefined;
    if (node.type === 'CallExpression' && callee?.type === 'Import') {
      const [first] = node.arguments as { expression: { value?: unknown } }[];
      if (typeof first?.expression.value === 'string') add(first.expression.value, false);
    }
  });
  return found;
}

function isTypeOnly(node: SyntaxNode): boolean {
  const specifiers = (node.specifiers ?? []) as { isTypeOnly?: boolean }[];
  const areAllTypes = specifiers.length > 0 && specifiers.every((one) => one.isTypeOnly);
  return Boolean(node.typeOnly) || areAllTypes;
}

/** `billing` of `src/billing/ledger/store.ts`; the file itself where it is in no room. */
function roomOf(path: string): string {
  return /^src\/([^/]+)\//.exec(path)?.[1] ?? path;
}

function roomViolation({ from, to, isOurs }: Import): string[] {
  // A file directly in src puts the rooms together: it knows them all.
  if (posix.dirname(from) === 'src' || !isOurs) return [];
  const [room, other] = [roomOf(from), roomOf(to)];
  if (room === other) return [];
  if (KNOWN[room]?.includes(other)) return [];
  return [`${from} imports ${to}, but ${room} must not know ${other}`];
}

/** A folder inside a room, or a file that lies directly in it: `src/billing/ledger`. */
function unitOf(path: string): string {
  return path.split('/').slice(0, 3).join('/');
}

/** Circles between the units of one room. Types count: they too tie the two together. */
function circleViolations(imports: Import[]): string[] {
  const edges = new Map<string, Set<string>>();
  for (const { from, to, isOurs } of imports) {
    if (!isOurs || roomOf(from) !== roomOf(to)) continue;
    if (unitOf(from) === unitOf(to)) continue;
    edges.set(unitOf(from), (edges.get(unitOf(from)) ?? new Set()).add(unitOf(to)));
  }
  const found: string[] = [];
  for (const unit of edges.keys()) {
    const path = pathTo(edges, unit, unit);
    // Each circle is told once, from its first member in the order of the alphabet.
    if (path && unit === [...path].sort()[0]) found.push(`circle: ${path.join(' → ')}`);
  }
  return found;
}

/** The shortest way along the edges from one unit to another (or back to itself). */
function pathTo(
  edges: ReadonlyMap<string, ReadonlySet<string>>,
  from: string,
  to: string,
): string[] | undefined {
  const queue = [[from]];
  const seen = new Set<string>();
  for (const path of queue) {
    for (const next of edges.get(path.at(-1) ?? '') ?? []) {
      if (next === to) return [...path, to];
      if (!seen.has(next)) queue.push([...path, next]);
      seen.add(next);
    }
  }
  return undefined;
}

/** Pure code reaches no I/O, through whatever files it imports. Types do no I/O. */
function purityViolations(rules: string, imports: Import[]): string[] {
  const queue = [rules];
  const seen = new Set(queue);
  const found: string[] = [];
  for (const file of queue) {
    for (const { to } of imports.filter((one) => one.from === file && !one.isTypeOnly)) {
      if (isIo(to)) found.push(`${rules} is pure, but ${file} imports ${to}`);
      else if (!seen.has(to)) queue.push(to);
      seen.add(to);
    }
  }
  return found;
}

function isIo(module: string): boolean {
  if (module.startsWith('node:')) return !PURE_NODE.has(module);
  return IO_PACKAGES.test(module) || IO_FILES.test(module);
}
