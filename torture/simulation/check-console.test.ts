/** The account of the console would notice: each thing that may be wrong, falsified once. */
import type { Pool } from 'pg';
import type { LogLine } from '../../src/entitlement/vip-control/queries.ts';
import { consoleFaults } from './check-console.ts';

const CARD = '4031';
const line = (n: number, more: object) =>
  ({
    n,
    op: 'ENTITLE',
    code: 'DONE',
    target: { kind: 'card', id: CARD },
    args: {},
    ...more,
  }) as unknown as LogLine;
const written = line(1, { op: 'CONSOLE', args: { why: 'activation 0' } });
const activations = [{ card: CARD, mark: 'activation 0' }];
const found = { card: CARD, amount: 9n, writtenBy: 'console' };
const faultsOf = async (log: LogLine[], rows: object[], onAir = {}): Promise<string[]> => {
  const pool = { query: async () => ({ rows }) } as unknown as Pool;
  return (await consoleFaults({ pool, activations, headEnd: { card: () => onAir }, log })).faults;
};

describe('the account of what was done at the console', () => {
  it('is content with what was healed or replaced, and what the head-end never kept', async () => {
    expect(await faultsOf([written, line(2, {})], [found])).toEqual([]);
    expect(await faultsOf([written, line(2, {})], [])).toEqual([]);
    expect(await faultsOf([], [])).toEqual([]);
    expect(await faultsOf([written], [], { suspended: 'dispute' })).toEqual([]);
  });

  it.each<[string, LogLine[], object[]]>([
    ['neither found nor replaced', [written], []],
    ['neither found nor replaced', [written, line(2, { code: 'STALE_REV' })], []],
    ['neither found nor replaced', [line(0, {}), written], []],
    ['a leak without worth', [written, line(2, {})], [{ ...found, amount: null }]],
  ])('finds: %s', async (fault, log, rows) => {
    expect((await faultsOf(log, rows)).join()).toContain(fault);
  });
});
