import { createOperator, PHONE } from './operator-harness.ts';
import { channelOf, type Paper } from './paper-harness.ts';

/** Goal: money for invoices lies where their accounts take it, and is taken back only there. */
const AT = new Date('2026-11-23T11:02:00Z');

/** Writes the number of an invoice over the first site; it is of an account at `siteId`. */
function pay(paper: Paper, siteId: bigint) {
  paper.invoices.set('1|INV2026000001', { id: 7n, accountId: 5n, siteId, asset: 'KES' });
  return paper.settle([
    {
      ...{
        kind: 'payment',
        provider: 'paper',
        receipt: 'R1',
        channelId: channelOf(1n),
        siteId: 1n,
      },
      ...{ at: AT, raw: Buffer.alloc(0), asset: 'KES', amount: 9_900n, means: 'mobile_money' },
      ...{ accountRef: 'inv 2026-000001', payerMsisdn: PHONE.nobody ?? '', payerHash: null },
      orderId: null,
    },
  ]);
}

const clearing = (paper: Paper, siteId: bigint): bigint =>
  paper.booked({ owner: `site:${siteId}`, kind: 'external_clearing', asset: 'KES' });

describe('money for an invoice', () => {
  it('lies at the site of its account, where another site of its issuer was paid', () => {
    const [nairobi] = createOperator().catalogue.sites.values();
    if (!nairobi) throw new Error('No site');
    const paper = createOperator({ sites: [{ ...nairobi, id: 3n, code: 'MBA' }] });
    pay(paper, 3n);
    expect([clearing(paper, 1n), clearing(paper, 3n)]).toEqual([0n, 9_900n]);
  });

  it('is not taken back behind the back of the account that has it', () => {
    const paper = createOperator();
    pay(paper, 1n);
    const original = { provider: 'paper', receipt: 'R1' };
    const place = { provider: 'paper', channelId: channelOf(1n), siteId: 1n, at: AT };
    const [answer] = paper.settle([
      { ...place, kind: 'reverse_payment', receipt: 'R2', original, raw: Buffer.alloc(0) },
    ]);
    expect(answer).toMatchObject({ state: 'refused', code: 'not_reversible' });
    expect(clearing(paper, 1n)).toBe(9_900n);
  });
});
