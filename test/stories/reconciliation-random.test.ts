/** A head-end that strays at random, and one run that puts all of it right. */
import fc from 'fast-check';
import type { WireRight } from '../../src/entitlement/vip-control/operations.ts';
import { type Compared, createCompared, DAY_MS, MINUTE_MS } from './reconciliation.ts';

const CARDS = 200;
const CHANGES = ['none', 'more', 'nothing', 'off', 'longer', 'shorter', 'decoder'] as const;
type Change = (typeof CHANGES)[number];

describe('reconciliation', () => {
  let house: Compared;
  beforeAll(async () => {
    house = await createCompared();
  });
  afterAll(() => house.close());

  it('heals whatever differs in one run', async () => {
    const cards = await house.onAir(CARDS);
    const changes = fc.array(fc.constantFrom(...CHANGES), { minLength: CARDS, maxLength: CARDS });
    await fc.assert(
      fc.asyncProperty(changes, async (chosen) => {
        const expected = new Map<string, number>();
        for (const [n, change] of chosen.entries()) {
          const number = cards[n] ?? '';
          const [own] = house.air.headEnd().card(number)?.set ?? [];
          if (!own) throw new Error(`${number} shows nothing`);
          const written = changed(change, own);
          if (!written) continue;
          house.atConsole(number, written.at);
          expected.set(written.class, (expected.get(written.class) ?? 0) + 1);
        }
        house.later(MINUTE_MS);
        const { found } = await house.reconcile();
        const classes = Map.groupBy(found, (one) => String(one.class));
        expect(new Map([...classes].map(([kind, all]) => [kind, all.length]))).toEqual(expected);
        await house.send();
        house.later(5 * MINUTE_MS);
        expect((await house.reconcile()).found).toEqual([]);
        const [open] = await house.world.rows(`SELECT count(*)::integer AS n
          FROM reconciliation_difference d WHERE NOT EXISTS (
          SELECT FROM reconciliation_closing WHERE difference_id = d.id)`);
        expect(open).toEqual({ n: 0 });
      }),
      { numRuns: 1 },
    );
  });

  function changed(change: Change, own: WireRight): { class: string; at: object } | null {
    const end = (days: number) => new Date(Date.parse(own.to) + days * DAY_MS).toISOString();
    switch (change) {
      case 'none':
        return null;
      case 'more':
        return { class: 'A', at: { set: [own, house.right('PREM', 9)] } };
      case 'nothing':
        return { class: 'B', at: { set: [] } };
      case 'off':
        return { class: 'B', at: { suspended: 'console' } };
      case 'longer':
        return { class: 'C', at: { set: [{ ...own, to: end(40) }] } };
      case 'shorter':
        return { class: 'C', at: { set: [{ ...own, to: end(-2) }] } };
      case 'decoder':
        return { class: 'D', at: { stbs: ['STB-0777'] } };
    }
  }
});
