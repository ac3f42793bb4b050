import { createOffice, type Office } from './office.ts';
import { PLAIN_CAS } from './postpaid-office.ts';

/**
 * Goal: what no system of a hotel's cards carries is sold to it in no way, and nothing is billed.
 * CINEMA and FILMS hold a product that the system `plain` has not.
 */
let office: Office;
beforeAll(async () => {
  office = await createOffice({});
  await office.pool.query('INSERT INTO conditional_access (id) VALUES ($1)', [PLAIN_CAS]);
});
afterAll(() => office.close());

let serial = 0;
async function act(path: string, body: object) {
  const { token } = await office.staff(['sales'], ['NBO']);
  serial += 1;
  return office.call('post', path, { token, key: `postpaid-cas-${serial}`, body });
}

/** The account of a hotel whose only card is of a system; its path. */
async function hotel(casId: string): Promise<string> {
  const { subscriberId, cardId } = await office.customer('NBO');
  await office.pool.query('UPDATE card SET cas_id = $2 WHERE id = $1', [cardId, casId]);
  const made = await act(`/subscribers/${subscriberId}/postpaid-account`, { billingDay: 1 });
  return `/postpaid-accounts/${made.body.id}`;
}

const sell = (path: string, ref: string, plan: string) => act(`${path}/contracts`, { ref, plan });
const REFUSED = [422, 'product_not_on_cas'];
const said = ({ status, body }: { status: number; body: { code?: string } }) => [status, body.code];
const reason = 'asked for by the manager';

describe('a plan that the cards of a hotel cannot show', () => {
  it('is refused as contract, add-on and change of plan, and in their previews', async () => {
    const path = await hotel(PLAIN_CAS);
    expect(said(await sell(path, 'cinema', 'CINEMA'))).toEqual(REFUSED);
    const rooms = await sell(path, 'rooms', 'ROOMS');
    const contractId = rooms.body.contracts[0].id;
    const contract = `${path}/contracts/${contractId}`;
    const change = { plan: 'CINEMA', policy: 'immediate' };
    const addOn = { ref: 'films', plan: 'FILMS' };
    expect(said(await act(`${contract}/plan-changes`, { ...change, reason }))).toEqual(REFUSED);
    expect(said(await act(`${contract}/add-ons`, { ...addOn, reason }))).toEqual(REFUSED);
    for (const wish of [
      { act: 'sell', ref: 'cinema', plan: 'CINEMA' },
      { act: 'change_plan', contractId, ...change },
      { act: 'add_on', contractId, ...addOn },
    ]) {
      expect(said(await act(`${path}/previews`, wish))).toEqual(REFUSED);
    }
    const bundle = { ref: 'more', plan: 'ROOMS', addOns: [addOn] };
    expect(said(await act(`${path}/contracts`, bundle))).toEqual(REFUSED);
    const { token } = await office.staff(['auditor']);
    const { contracts, owed } = (await office.call('get', path, { token })).body;
    expect(contracts).toMatchObject([{ ref: 'rooms', plan: 'ROOMS' }]);
    expect(owed).toEqual({ amount: '8.00', currency: 'KES' });
  });

  it('is not moved there from a hotel that can be shown it', async () => {
    const path = await hotel('vip-control');
    const sold = await sell(path, 'cinema', 'CINEMA');
    expect(sold.status).toBe(201);
    const move = async (to: string) => {
      const toAccountId = to.split('/').at(-1);
      const moving = `${path}/contracts/${sold.body.contracts[0].id}/transfers`;
      return said(await act(moving, { toAccountId, cancel: 'immediate', reason }));
    };
    expect(await move(await hotel(PLAIN_CAS))).toEqual(REFUSED);
    expect(await move(await hotel('vip-control'))).toEqual([201, undefined]);
  });

  it('is sold where no card is yet, as long as a system that may get one carries it', async () => {
    const path = await hotel('vip-control');
    const id = path.split('/').at(-1);
    // The card went to somebody else.
    const other = await office.customer('NBO');
    await office.pool.query(
      `UPDATE card SET subscriber_id = $2
        WHERE subscriber_id = (SELECT subscriber_id FROM postpaid_account WHERE id = $1)`,
      [id, other.subscriberId],
    );
    expect((await sell(path, 'cinema', 'CINEMA')).status).toBe(201);
  });
});
