import type { RoleName } from '../../../src/backoffice/people/permissions.ts';
import { CARD_DAYS_ALONE_MAX } from '../../../src/backoffice/resources/incidents.ts';
import { type Customer, createOffice, type Office } from './office.ts';
import { newcomersOf } from './office-acts.ts';

/** Goal: an outage ends in free days for whom it cost something, once, within the limits. */
const LIMIT = 1_000_000n;
const MONTH = 65_000n;
const DAY_MS = 86_400_000;
const reason = 'no power at the mast';

let office: Office;
beforeAll(async () => {
  office = await createOffice({ approvalAbove: LIMIT });
});
afterAll(() => office.close());
// What a story sold is over when the next begins, early in a month, by the office's own rules.
const MONTHS_BETWEEN = 4;
afterEach(async () => {
  await office.changeCatalogue();
  const now = office.now();
  const nextMs = Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + MONTHS_BETWEEN, 5, 11);
  office.later(nextMs - now.getTime());
});

const { act } = newcomersOf(() => office);

async function look(path: string, role: RoleName = 'customer_care') {
  const { token } = await office.staff([role], ['NBO']);
  return (await office.call('get', path, { token })).body;
}

async function paying(): Promise<Customer> {
  const customer = await office.customer('NBO');
  await office.pay('NBO', { amount: MONTH, accountRef: customer.number });
  return customer;
}

const endOf = async ({ cardId }: Customer) =>
  new Date((await look(`/cards/${cardId}`)).subscription.paidUntil).getTime();

/** An outage of so many hours, which is over now. */
async function outage(hours: number, more: object = {}): Promise<string> {
  const from = office.now();
  const opened = await act('technician', '/sites/NBO/outages', {
    ...{ from: from.toISOString(), reason, region: 'Hill', ...more },
  });
  expect(opened.status).toBe(201);
  office.later(hours * 3_600_000);
  const path = `/outages/${opened.body.id}`;
  const closed = await act('technician', `${path}/closures`, {
    to: office.now().toISOString(),
    reason: 'it is back',
  });
  expect([closed.status, closed.body.state]).toEqual([200, 'closed']);
  return path;
}

const give = (path: string) => act('customer_care', `${path}/free-days`, { reason });

describe('an outage', () => {
  it('shows its cost, then gives days by the rule of the site, each card once', async () => {
    const [paid, poor] = [await paying(), await office.customer('NBO')];
    const path = await outage(30);
    const shown = await look(`${path}/free-days-cost`);
    expect(shown).toEqual({
      ...{ days: 2, cards: 1, cost: { amount: '43.33', currency: 'KES' }, needsSecond: false },
      leftOut: [{ why: 'not_running', cards: 1 }],
    });
    const before = await endOf(paid);
    const given = await give(path);
    expect([given.status, given.body]).toEqual([201, { days: 2, cards: 1, isDone: true }]);
    expect(await endOf(paid)).toBe(before + 2 * DAY_MS);
    const again = await give(path);
    expect([again.status, again.body.code]).toEqual([409, 'outage_not_closed']);
    const { state, days, cost } = await look(path);
    expect([state, days, cost]).toEqual(['given', 2, shown.cost]);
    expect((await look(`/cards/${poor.cardId}`)).subscription.paidUntil).toBeNull();
  });

  it('gives nothing to whom it took nothing: paid later, or without the product', async () => {
    await paying();
    const premium = await outage(3, { product: 'PREM' });
    expect((await look(`${premium}/free-days-cost`)).leftOut).toContainEqual({
      ...{ why: 'not_affected', cards: 1 },
    });
    expect((await give(premium)).body.code).toBe('nobody_to_give_to');
    const path = await outage(3);
    office.later(1_000);
    const late = await paying();
    expect((await look(`${path}/free-days-cost`)).cards).toBe(1);
    const before = await endOf(late);
    await give(path);
    expect(await endOf(late)).toBe(before);
  });

  it('too short for the rule of the site gives nothing, nor does one that lasts', async () => {
    await paying();
    const short = await outage(0.5);
    expect((await give(short)).body.code).toBe('outage_too_short');
    const open = await act('technician', '/sites/NBO/outages', {
      ...{ from: office.now().toISOString(), reason },
    });
    expect((await give(`/outages/${open.body.id}`)).body.code).toBe('outage_not_closed');
    const closing = { to: office.now().toISOString(), reason };
    const early = await act('technician', `/outages/${open.body.id}/closures`, closing);
    expect(early.body.code).toBe('outage_order');
    const unknown = { from: office.now().toISOString(), reason, product: 'NOTHING' };
    expect((await act('technician', '/sites/NBO/outages', unknown)).body.code).toBe('invalid_body');
  });

  it('above a limit of cards and days needs two, and goes on where a process ended', async () => {
    const first = await paying();
    await office.changeCatalogue([
      '    rules:',
      `    rules:
      incident:
        { daysPerIncident: null, daysPerCardAndMonth: null, daysPerSubscriberAndMonth: null,
          outage: { minutesMin: 60, daysPerStartedDay: 31 } }`,
    ]);
    const before = await endOf(first);
    const path = await outage(2);
    expect((await look(`${path}/free-days-cost`)).days).toBeGreaterThan(CARD_DAYS_ALONE_MAX);
    const asked = await give(path);
    expect([asked.status, asked.body.state]).toEqual([202, 'asked']);
    expect(await endOf(first)).toBe(before);
    office.fault.afterSettle = () => {
      throw new Error('killed');
    };
    const approve = `/approvals/${asked.body.id}/approval`;
    expect((await act('supervisor', approve, { reason })).status).toBe(500);
    expect((await look(path)).state).toBe('giving');
    office.fault.afterSettle = null;
    office.later(61_000);
    await office.finishDue();
    expect((await look(path)).state).toBe('given');
    expect(await endOf(first)).toBe(before + 31 * DAY_MS);
  });

  it('gives no card and no subscriber more days than the site gives in a month', async () => {
    const [one, other] = [await paying(), await paying()];
    await office.changeCatalogue([
      '    rules:',
      `    rules:
      incident:
        { daysPerIncident: 2, daysPerCardAndMonth: 3, daysPerSubscriberAndMonth: null,
          outage: { minutesMin: 60, daysPerStartedDay: 2 } }`,
    ]);
    const days = { days: 2, reason, subscriberId: String(one.subscriberId) };
    const given = await act('customer_care', '/sites/NBO/free-days', { incident: 'own', ...days });
    expect([given.status, given.body.cards]).toEqual([201, 1]);
    const path = await outage(50);
    const shown = await look(`${path}/free-days-cost`);
    expect(shown).toMatchObject({ days: 2, cards: 1 });
    expect(shown.leftOut).toContainEqual({ why: 'card_month_limit', cards: 1 });
    const before = [await endOf(one), await endOf(other)];
    expect((await give(path)).body.cards).toBe(1);
    expect([await endOf(one), await endOf(other)]).toEqual([
      before[0],
      (before[1] ?? 0) + 2 * DAY_MS,
    ]);
    const much = await act('customer_care', '/sites/NBO/free-days', {
      ...{ ...days, incident: 'more', days: 3 },
    });
    expect([much.status, much.body.code]).toEqual([422, 'days_limit']);
  });
});

describe('a trial', () => {
  it('is given once for each decoder and person', async () => {
    const [owner, other] = [await office.customer('NBO'), await office.customer('NBO')];
    const open = async ({ subscriberId }: Customer, number: string, more: object) =>
      (
        await act('sales', `/subscribers/${subscriberId}/cards`, {
          ...{ number, bouquet: 'ESSENTIAL', ...more },
        })
      ).body.cardId;
    const seen = { decoder: 'STB-1', person: 'ID 1' };
    const trial = async (cardId: string) => {
      const { status, body } = await act('sales', `/cards/${cardId}/trials`, { reason });
      return body.code ?? status;
    };
    expect(await trial(await open(owner, '40219999915', seen))).toBe(201);
    const sameBox = await open(other, '40219999923', { decoder: 'STB-1', person: 'ID 2' });
    expect(await trial(sameBox)).toBe('trial_used');
    const samePerson = await open(other, '40219999931', { decoder: 'STB-2', person: 'ID 1' });
    expect(await trial(samePerson)).toBe('trial_used');
    expect(await trial(String(owner.cardId))).toBe(201);
  });
});
