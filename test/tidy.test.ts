import { allFiles, parse, readAll, type SyntaxNode, walk } from './source.ts';

/**
 * Goal: the rules of the house hold everywhere, without anybody having to remember them.
 * Method: walk the tree, look at each file's text and syntax, list what breaks a rule.
 */
const FILE_LIMIT_LINES = 400;
const FUNCTION_LIMIT_LINES = 70;
const LINE_LIMIT_COLUMNS = 100;
const README_LIMIT_LINES = 60;

const FUNCTIONS = /^(FunctionDeclaration|FunctionExpression|ArrowFunctionExpression|.*Method)$/;
/** Time, chance and the environment come through ports; only these places touch the real ones. */
const MAY_TOUCH =
  /^(src\/platform|simulators|stories|bench|torture|scripts|test)\/|^src\/[a-z]+\.ts$|\.test\./;
const IS_CODE = /\.(ts|tsx|mjs)$/;
const IS_TEXT = /\.(ts|tsx|mjs|md|json|ya?ml|sql|prisma|html|css|sh|example)$|Dockerfile$/;

/** Written in pieces, so that this file does not break the rules it checks. */
const BANNED_TEXT: [RegExp, string][] = [
  [/(?<![\w.*)}])\/(work|root|home|Users)\/\w/, 'names a path of one machine'],
  [/https?:\/\/[^\s"')]*(registry|artifactory|verdaccio|nexus)\b/i, 'names a package registry'],
  [new RegExp(`\\b(${['TO', 'DO'].join('')}|${['FIX', 'ME'].join('')})\\b`), 'puts work off'],
];

function lineCount(text: string): number {
  return text.trimEnd().split('\n').length;
}

function lengthViolations(path: string, text: string): string[] {
  const long = text
    .split('\n')
    .flatMap((line, i) =>
      [...line].length > LINE_LIMIT_COLUMNS ? [`${path}:${i + 1}: line`] : [],
    );
  if (IS_CODE.test(path) && lineCount(text) > FILE_LIMIT_LINES) long.push(`${path}: file`);
  if (IS_CODE.test(path)) long.push(...functionViolations(path, text));
  return long;
}

/** A `describe` is a chapter, not a function. */
function functionViolations(path: string, text: string): string[] {
  const bytes = Buffer.from(text);
  const chapters = new Set<unknown>();
  const found: string[] = [];
  walk(parse(path, text), (node) => {
    if (isDescribe(node)) {
      for (const { expression } of node.arguments as { expression: unknown }[]) {
        chapters.add(expression);
      }
    }
    if (!FUNCTIONS.test(node.type) || !node.span || chapters.has(node)) return;
    const { start, end } = node.span;
    const lines = lineCount(bytes.subarray(start - 1, end - 1).toString());
    const at = lineCount(bytes.subarray(0, start).toString());
    if (lines > FUNCTION_LIMIT_LINES) found.push(`${path}:${at}: function of ${lines} lines`);
  });
  return found;
}

function isDescribe(node: SyntaxNode): boolean {
  if (node.type !== 'CallExpression') return false;
  let callee = node.callee as SyntaxNode;
  while (callee.type === 'MemberExpression' || callee.type === 'CallExpression') {
    callee = (callee.object ?? callee.callee) as SyntaxNode;
  }
  return callee.value === 'describe';
}

function bannedCalls(path: string, text: string): string[] {
  const found: string[] = [];
  walk(parse(path, text), (node) => {
    const name = bannedName(node);
    if (name) found.push(`${path}: ${name}`);
  });
  return found;
}

function bannedName(node: SyntaxNode): string | undefined {
  const { object, property, callee } = node as Record<string, { value?: string } | undefined>;
  if (node.type === 'MemberExpression') {
    const name = `${object?.value}.${property?.value}`;
    return /^(Date\.now|Math\.random|process\.env)$/.test(name) ? name : undefined;
  }
  if (node.type === 'NewExpression' && callee?.value === 'Date') {
    return (node.arguments as unknown[] | null)?.length ? undefined : 'new Date()';
  }
  if (node.type === 'CallExpression' && /^set(Timeout|Interval)$/.test(callee?.value ?? '')) {
    return callee?.value;
  }
  return undefined;
}

describe('the tree', () => {
  const paths = allFiles();
  const code = readAll(paths.filter((path) => IS_CODE.test(path)));

  it('has short files, short functions and short lines', () => {
    const sql = readAll(paths.filter((path) => path.endsWith('.sql')));
    const long = [...code, ...sql].flatMap(([path, text]) => lengthViolations(path, text));
    expect(long).toEqual([]);
  });

  it('takes time, chance and settings from outside', () => {
    const inside = [...code].filter(([path]) => !MAY_TOUCH.test(path));
    expect(inside.flatMap(([path, text]) => bannedCalls(path, text))).toEqual([]);
  });

  it('explains each room on one page', () => {
    const pages = readAll(paths.filter((path) => /^src\/.*README\.md$/.test(path)));
    const long = [...pages].filter(([, text]) => lineCount(text) > README_LIMIT_LINES);
    expect(long.map(([path]) => path)).toEqual([]);
  });

  it('speaks of the product alone, and finishes what it starts', () => {
    const texts = readAll(
      paths.filter((path) => IS_TEXT.test(path) && path !== 'package-lock.json'),
    );
    const found = [...texts].flatMap(([path, text]) =>
      BANNED_TEXT.flatMap(([pattern, what]) => (pattern.test(text) ? [`${path} ${what}`] : [])),
    );
    expect(found).toEqual([]);
  });
});

describe('the check of the tree', () => {
  const path = 'src/billing/x.ts';

  it('catches what is too long', () => {
    const body = 'let x = 1;\n'.repeat(FUNCTION_LIMIT_LINES);
    expect(lengthViolations(path, `// é\nconst f = () => {\n${body}};\n`)).toEqual([
      `${path}:2: function of 72 lines`,
    ]);
    expect(lengthViolations(path, `describe('all', () => {\n${body}});\n`)).toEqual([]);
    expect(lengthViolations(path, `describe.each([1])('%s', () => {\n${body}});\n`)).toEqual([]);
    expect(lengthViolations(path, 'let y;\n'.repeat(401))).toEqual([`${path}: file`]);
    expect(lengthViolations(path, `let y;\n// ${'é'.repeat(98)}`)).toEqual([`${path}:2: line`]);
  });

  it('catches the real time, chance and environment, and nothing that only looks like them', () => {
    const bad = 'Date.now(); new Date(); new Date; Math.random(); process.env.X; setTimeout(f, 1)';
    expect(bannedCalls(path, bad)).toHaveLength(6);
    const good = "clock.now(); new Date(0); 'Date.now()'; /* Math.random() */ math.random();";
    expect(bannedCalls(path, good)).toEqual([]);
  });

  it('catches words that do not belong', () => {
    const slash = '/';
    const bad = [
      `see ${slash}root${slash}x`,
      `https:${slash}/registry.example`,
      `${'TO'}DO: later`,
    ];
    const good = ['https://x.example/home/page', './work/x', 'postgres://x', 'registry/service.ts'];
    const hits = (text: string) => BANNED_TEXT.filter(([pattern]) => pattern.test(text)).length;
    expect(bad.map(hits)).toEqual([1, 1, 1]);
    expect(good.map(hits)).toEqual([0, 0, 0, 0]);
  });
});
