import type { Pool } from 'pg';
import type { ToCollect } from '../../billing/postpaid/collections.ts';
import { HOUSE_RULES } from '../../billing/postpaid/markets.ts';
import { silentLogger } from '../../platform/log.ts';
import type { MoneyChannel } from '../channels.ts';
import { type CollectionDeps, createCollections } from './collections.ts';

const CHANNEL = { id: 'ke-paybill' } as MoneyChannel;
const attempt = (attemptId: bigint, msisdn: string): ToCollect => ({
  ...{ attemptId, accountId: attemptId, paymentId: attemptId, siteId: 1n },
  ...{ amount: 10_050n, currency: 'KES', msisdn },
});

/** What waits is given; nothing has ended, nothing is down. */
const waiting = (unsent: readonly ToCollect[]) =>
  ({
    query: async ({ name }: { name: string }) => ({
      rows: name === 'postpaid-unsent' ? unsent : [],
    }),
  }) as unknown as Pool;

describe('collecting', () => {
  it('asks one payer in whole shillings while another cannot be asked', async () => {
    const asked: unknown[] = [];
    const failed: unknown[] = [];
    const order = async ({ msisdn, amount }: { msisdn: string; amount: bigint }) => {
      if (msisdn === '+254700000001') throw new Error('The order cannot be written');
      asked.push([msisdn, amount]);
    };
    const collections = createCollections({
      pool: waiting([attempt(1n, '+254700000001'), attempt(2n, '+254700000002')]),
      clock: { now: () => new Date('2026-11-23T11:02:00Z') },
      logger: { ...silentLogger, error: (event, fields) => failed.push([event, fields]) },
      momo: { order: order as unknown as CollectionDeps['momo']['order'] },
      postpaid: { act: jest.fn(), repeatDown: jest.fn() },
      moneyChannelOf: () => CHANNEL,
      gatewayDown: HOUSE_RULES.gatewayDown,
    });
    expect(await collections.collect()).toBe(2);
    expect(asked).toEqual([['+254700000002', 10_100n]]);
    expect(failed).toEqual([
      ['collection.failed', expect.objectContaining({ accountId: 1n, attemptId: 1n })],
    ]);
  });
});
