import { importsOf, importViolations } from './import-rules.ts';
import { allFiles, readAll } from './source.ts';

/** What tests lean on (`testing.ts`, `…-harness.ts`) may know the simulators, as tests may. */
function isProduct(path: string): boolean {
  return /\.tsx?$/.test(path) && !/(\.test|\/testing|-harness)\.tsx?$/.test(path);
}

function planted(files: Record<string, string>): string[] {
  return importViolations(new Map(Object.entries(files)));
}

describe('the imports of the product', () => {
  it('go down from room to room, never up or in a circle, and pure code stays pure', () => {
    expect(importViolations(readAll(allFiles('src').filter(isProduct)))).toEqual([]);
  });
});

describe('the check of the imports', () => {
  it('sees every way to import', () => {
    const text = `
      import './a.ts';
      import b, { type C } from './b.ts';
      import type { D } from './d.ts';
      import { type E } from './e.ts';
      export * from '../f.ts';
      export { g } from './g.ts';
      const h = await import('./h.ts');
      import pg from 'pg';`;
    const seen = importsOf('src/x/y.ts', text).map(({ to, isTypeOnly }) => [to, isTypeOnly]);
    expect(Object.fromEntries(seen)).toEqual({
      'src/x/a.ts': false,
      'src/x/b.ts': false,
      'src/x/d.ts': true,
      'src/x/e.ts': true,
      'src/f.ts': false,
      'src/x/g.ts': false,
      'src/x/h.ts': false,
      pg: false,
    });
  });

  it.each([
    ['src/platform/log.ts', '../registry/service.ts'],
    ['src/registry/service.ts', '../billing/ledger/rules.ts'],
    ['src/billing/settlement/service.ts', '../../entitlement/rights/rules.ts'],
    ['src/telecom/ussd/service.ts', '../../backoffice/routes.ts'],
    ['src/backoffice/routes.ts', '../reporting/service.ts'],
    ['src/backoffice/routes.ts', '../main.ts'],
    ['src/platform/log.ts', '../../simulators/air.ts'],
    ['src/newroom/service.ts', '../platform/log.ts'],
  ])('catches a way up: %s to %s', (from, to) => {
    expect(planted({ [from]: `import { x } from '${to}';` })).toHaveLength(1);
    expect(planted({ [from]: `import type { x } from '${to}';` })).toHaveLength(1);
  });

  it('allows the way down, the composition root everything, and reporting all rooms', () => {
    const fine = {
      'src/main.ts': `import './backoffice/routes.ts'; import './platform/log.ts';`,
      'src/reporting/service.ts': `import '../telecom/ussd/service.ts';`,
      'src/telecom/ussd/service.ts': `import '../../platform/log.ts'; import 'express/lib/x.js'`,
      'src/billing/ledger/store.ts': `import '../../platform/database/pool.ts';`,
    };
    expect(planted(fine)).toEqual([]);
  });

  it('catches a circle between the folders of a room', () => {
    const circle = {
      'src/billing/ledger/service.ts': `import '../settlement/service.ts';`,
      'src/billing/settlement/facts.ts': `import type { X } from '../catalogue/rules.ts';`,
      'src/billing/catalogue/service.ts': `import '../ledger/rules.ts';`,
    };
    expect(planted(circle)).toEqual([
      'circle: src/billing/catalogue → src/billing/ledger → src/billing/settlement → ' +
        'src/billing/catalogue',
    ]);
  });

  it('catches I/O in pure code, also behind another file, but lets types pass', () => {
    const rules = 'src/billing/ledger/rules.ts';
    const of = (text: string) => planted({ [rules]: text });
    expect(of(`import { readFile } from 'node:fs/promises';`)).toHaveLength(1);
    expect(of(`import pg from 'pg';`)).toHaveLength(1);
    expect(of(`import { load } from './store.ts';`)).toHaveLength(1);
    expect(of(`import { sleep } from '../../platform/timers.ts';`)).toHaveLength(1);
    expect(of(`import type { Store } from './store.ts';`)).toEqual([]);
    expect(of(`import { createHash } from 'node:crypto';`)).toEqual([]);
    const hidden = {
      [rules]: `import './helper.ts';`,
      'src/billing/ledger/helper.ts': `import 'pg'`,
    };
    expect(planted(hidden)).toEqual([
      `${rules} is pure, but src/billing/ledger/helper.ts imports pg`,
    ]);
  });
});
