import { join } from 'node:path';
import { createWorld, type World } from '../../../test/stories/world.ts';
import { claimOutbound, finishOutbound } from '../../entitlement/osd/outbound-store.ts';
import { loadLanguages } from '../../telecom/language.ts';
import { createMessages } from '../../telecom/text/messages.ts';
import type { Catalogue } from '../catalogue/rules.ts';
import { type CatalogueService, createCatalogue } from '../catalogue/service.ts';
import { remindDue, setReminderChoice } from './service.ts';

/**
 * Goal: each reminder goes out once, on its day, to who wants it, and none after the money is in.
 * Method: a month paid on Monday 23 November to the end of 23 December in Nairobi (UTC+3), and the
 * clock moved through December.
 */
const BOUGHT = '2026-11-23T11:02:00Z';
const D3 = '2026-12-20T06:00:00Z'; // 09:00 in Nairobi
const D1 = '2026-12-22T06:00:00Z';
const D0 = '2026-12-23T06:00:00Z';

let world: World;
let catalogue: CatalogueService;
beforeEach(async () => {
  world = await createWorld(BOUGHT);
  catalogue = await createCatalogue(world.prisma, world);
});
afterEach(() => world.close());

const languages = loadLanguages(join(process.cwd(), 'config/language'));
const remind = () =>
  remindDue({
    ...world,
    clock: { now: world.now },
    catalogue: () => catalogue.current(),
    messagesFor: createMessages({
      languages,
      serviceCodeOf: () => '*384*123#',
      siteOf: () => ({ timeZone: 'Africa/Nairobi' }),
    }).messagesFor,
  });

const MONTH = 65_000n;
const WEEK = 20_000n;

/** A card with a month paid by its owner's phone. */
async function paid(options: Parameters<World['customer']>[0] & { amount?: bigint } = {}) {
  const { amount = MONTH, ...customer } = options;
  const made = await world.customer(customer);
  await world.pay({ amount, accountRef: made.number });
  return made;
}

/** Cards of one subscriber, each with a month paid. */
async function family(count: number) {
  const first = await world.customer();
  const others = await Promise.all(Array.from({ length: count - 1 }, () => world.customer()));
  const all = [first, ...others];
  await world.pool.query('UPDATE card SET subscriber_id = $1 WHERE number = ANY($2)', [
    first.id,
    all.map(({ number }) => number),
  ]);
  for (const { number } of all) await world.pay({ amount: MONTH, accountRef: number });
  return { ...first, numbers: all.map(({ number }) => number) };
}

/** Sends what is due, as the senders of texts and on-screen messages do. */
async function send(): Promise<string[]> {
  const sent: string[] = [];
  for (const kind of ['text', 'osd'] as const) {
    const casId = kind === 'osd' ? 'vip-control' : '';
    const claim = { kind, casId, now: world.now(), limit: 20, leaseMs: 60_000 };
    const rows = await claimOutbound(world.pool, claim);
    const result = { state: 'sent', providerId: null } as const;
    await finishOutbound(
      world.pool,
      rows.map(({ id, attempts }) => ({ id, attempts, result })),
    );
    sent.push(
      ...rows
        .filter(({ template }) => template.includes('.reminder.'))
        .map(({ template, target }) => `${template} ${target}`),
    );
  }
  return sent.sort();
}

const decisions = async () =>
  (await world.rows('SELECT step, decision FROM reminder ORDER BY decided_at, card_id')).map(
    ({ step, decision }) => `${step} ${decision}`,
  );
const outbound = () =>
  world.rows('SELECT * FROM outbound WHERE while_paid_until IS NOT NULL ORDER BY id');

describe('the reminders of a month', () => {
  it('go out three days before, the day before and on the last day, and never again', async () => {
    const { number, msisdn } = await paid();
    const sentAt = async (iso: string) => {
      world.moveTo(iso);
      await remind();
      return send();
    };
    for (const [iso, step] of [
      [D3, 'd3'],
      [D1, 'd1'],
      [D0, 'd0'],
    ] as const) {
      expect(await sentAt(new Date(Date.parse(iso) - 1).toISOString())).toEqual([]);
      expect(await sentAt(iso)).toEqual([
        `osd.reminder.${step} ${number}`,
        `text.reminder.${step} ${msisdn}`,
      ]);
      expect(await sentAt(new Date(Date.parse(iso) + 60_000).toISOString())).toEqual([]);
    }
    expect(await sentAt('2026-12-24T06:00:00Z')).toEqual([]);
    expect(await decisions()).toEqual(['d3 sent', 'd1 sent', 'd0 sent']);
  });

  it('say what to pay and are void in the evening', async () => {
    const { number, msisdn } = await paid();
    world.moveTo(D1);
    expect(await remind()).toBe(2);
    const [screen, text] = await outbound();
    expect(text).toMatchObject({
      target: msisdn,
      body:
        `ESSENTIAL card ..${number.slice(-4)}: the last day is tomorrow, 23/12/2026. ` +
        'To go on: KES 650 for a month, dial *384*123#.',
      not_after: '2026-12-22T17:00:00.000Z',
      while_paid_until: '2026-12-23T21:00:00.000Z',
    });
    expect(screen).toMatchObject({ target: number, not_after: '2026-12-22T17:00:00.000Z' });
    world.moveTo('2026-12-22T17:00:00Z');
    expect(await send()).toEqual([]);
    expect((await outbound()).map(({ state }) => state)).toEqual(['expired', 'expired']);
  });

  it('name the price of the category of the subscriber', async () => {
    const { id } = await paid();
    await world.pool.query("UPDATE subscriber SET category = 'hotel' WHERE id = $1", [id]);
    const known = catalogue.current();
    const hotel = { month: [{ from: new Date('2026-01-01T00:00:00Z'), amount: 250_000n }] };
    const priced = [...known.bouquets].map(
      ([key, one]) => [key, { ...one, categoryPrices: new Map([['hotel', hotel]]) }] as const,
    );
    const bouquets = new Map(priced) as Catalogue['bouquets'];
    catalogue = { ...catalogue, current: () => ({ ...known, bouquets }) };
    world.moveTo(D1);
    await remind();
    expect((await outbound())[1]?.body).toContain('To go on: KES 2500 for a month');
  });

  it('come in the language the phone has chosen', async () => {
    const { msisdn } = await paid();
    await world.pool.query("UPDATE phone SET language = 'fr' WHERE msisdn = $1", [msisdn]);
    world.moveTo(D3);
    await remind();
    const [screen, text] = await outbound();
    expect(text?.body).toMatch(/STOP: aucun rappel$/);
    expect(screen?.body).toBe('Paid to 23/12/2026. To go on, dial *384*123#.');
  });

  it('come later in the day when the morning was missed, but not in the night', async () => {
    await paid();
    world.moveTo('2026-12-20T17:00:00Z'); // 20:00: three days before was missed altogether.
    expect(await remind()).toBe(0);
    world.moveTo('2026-12-22T16:59:00Z');
    expect(await remind()).toBe(2);
    expect(await send()).toHaveLength(2);
    expect(await decisions()).toEqual(['d1 sent']);
  });

  it('are written once by two processes at once', async () => {
    await paid();
    await paid();
    world.moveTo(D3);
    const queued = await Promise.all([remind(), remind(), remind()]);
    expect(queued.reduce((sum, count) => sum + count)).toBe(4);
    expect(await outbound()).toHaveLength(4);
    expect(await decisions()).toEqual(['d3 sent', 'd3 sent']);
  });

  it('are found page after page', async () => {
    const { number } = await paid();
    await world.pool.query(
      `WITH c AS (
         INSERT INTO card (id, number, site_id, subscriber_id, created_at)
         SELECT n, lpad(n::text, 11, '0'), c.site_id, c.subscriber_id, c.created_at
           FROM card c, generate_series(1, 600) n WHERE c.number = $1 RETURNING id
       ), r AS (INSERT INTO card_rights (card_id) SELECT id FROM c
       ), s AS (
         INSERT INTO subscription (id, card_id, bouquet_id, term, run_from, paid_until, base_date)
         SELECT c.id, c.id, s.bouquet_id, s.term, s.run_from, s.paid_until, s.base_date
           FROM c, subscription s JOIN card k ON k.id = s.card_id AND k.number = $1 RETURNING id)
       INSERT INTO term SELECT s.id, s.id, t.bouquet_id, t.kind, t.days, t.from_at, t.to_at,
                               t.asset, t.price, t.tax, t.journal_id FROM s, term t`,
      [number],
    );
    world.moveTo(D3);
    // 601 cards of one phone: each on its screen, two by text; 500 in the first minute.
    expect(await remind()).toBe(502);
    expect(await remind()).toBe(101);
    expect(await remind()).toBe(0);
  });
});

describe('a payment', () => {
  it('overtakes what was queued before it, that second', async () => {
    const { number } = await paid();
    world.moveTo(D1);
    expect(await remind()).toBe(2);
    world.moveTo('2026-12-22T07:00:00Z');
    await world.pay({ amount: MONTH, accountRef: number });
    expect(await send()).toEqual([]);
    expect((await outbound()).map(({ state, next_at }) => [state, next_at])).toEqual([
      ['overtaken', null],
      ['overtaken', null],
    ]);
    world.moveTo(D0);
    expect(await remind()).toBe(0);
  });

  it('leaves receipts and the reminders of other cards alone', async () => {
    const [one, other] = [await paid(), await paid()];
    await send();
    world.moveTo(D1);
    await remind();
    await world.pay({ amount: MONTH, accountRef: one.number, payerMsisdn: one.msisdn });
    expect(await send()).toEqual([
      `osd.reminder.d1 ${other.number}`,
      `text.reminder.d1 ${other.msisdn}`,
    ]);
    expect(await world.rows("SELECT 1 FROM outbound WHERE state = 'queued'")).toEqual([]);
  });

  it('does not make a text unsent that had left before', async () => {
    const { number } = await paid();
    world.moveTo(D1);
    await remind();
    const claim = { kind: 'text', now: world.now(), limit: 20, leaseMs: 60_000 } as const;
    const rows = (await claimOutbound(world.pool, claim)).filter((row) =>
      row.template.startsWith('text.reminder'),
    );
    await world.pay({ amount: MONTH, accountRef: number });
    world.moveTo('2026-12-22T06:05:00Z');
    await claimOutbound(world.pool, { ...claim, now: world.now() });
    const [row] = rows;
    if (!row) throw new Error('Nothing was claimed');
    await finishOutbound(world.pool, [
      { id: row.id, attempts: row.attempts, result: { state: 'sent', providerId: 'ATX1' } },
    ]);
    const states = await world.rows('SELECT state FROM outbound WHERE id = $1', [row.id]);
    expect(states).toEqual([{ state: 'sent' }]);
  });
});

describe('short terms', () => {
  it('have fewer reminders, and none on the day of the payment', async () => {
    await paid({ term: 'week', amount: WEEK }); // to 30 November
    await paid({ term: 'day', amount: 4_000n }); // to 24 November
    await remind();
    expect((await decisions()).sort()).toEqual(['d1 too_short']);
    for (const day of ['24', '27', '29', '30']) {
      world.moveTo(`2026-11-${day}T06:00:00Z`);
      await remind();
    }
    expect((await decisions()).sort()).toEqual([
      'd0 sent',
      'd0 sent',
      'd1 sent',
      'd1 too_short',
      'd3 too_short',
    ]);
  });
});

describe('who is spared', () => {
  it('hears two texts a day on one phone; the other cards show it on their screens', async () => {
    const { numbers, msisdn } = await family(4);
    world.moveTo(D1);
    expect(await remind()).toBe(6);
    expect((await decisions()).sort()).toEqual(['d1 capped', 'd1 capped', 'd1 sent', 'd1 sent']);
    expect(await send()).toEqual([
      ...[...numbers].sort().map((number) => `osd.reminder.d1 ${number}`),
      ...[1, 2].map(() => `text.reminder.d1 ${msisdn}`),
    ]);
    world.moveTo(D0);
    await remind();
    expect(await send()).toHaveLength(6);
  });

  it('gets no text after STOP, even one that was queued, and texts again after START', async () => {
    const { number, msisdn } = await paid();
    world.moveTo(D3);
    await remind();
    await setReminderChoice(world.pool, { msisdn, wanted: false, at: new Date(D3) });
    expect(await send()).toEqual([`osd.reminder.d3 ${number}`]);
    world.moveTo(D1);
    await remind();
    expect(await send()).toEqual([`osd.reminder.d1 ${number}`]);
    expect(await decisions()).toEqual(['d3 sent', 'd1 stopped']);

    // A word that comes late does not undo a later one.
    await setReminderChoice(world.pool, { msisdn, wanted: true, at: new Date(D1) });
    await setReminderChoice(world.pool, { msisdn, wanted: false, at: new Date(D3) });
    world.moveTo(D0);
    await remind();
    expect(await send()).toEqual([`osd.reminder.d0 ${number}`, `text.reminder.d0 ${msisdn}`]);
  });

  it('is the wallet that renews by itself, as far as its credit goes', async () => {
    const { number } = await paid({ autoRenew: true, amount: 2n * MONTH });
    await paid({ autoRenew: true });
    world.moveTo(D1);
    await remind();
    expect(await decisions()).toEqual(['d1 renews', 'd1 sent']);
    expect(await send()).not.toContain(`osd.reminder.d1 ${number}`);
  });

  it('is not the second card of a wallet that can renew one', async () => {
    const first = await paid({ autoRenew: true, amount: 2n * MONTH });
    const second = await paid({ autoRenew: true });
    await world.pool.query('UPDATE card SET subscriber_id = $1 WHERE number = $2', [
      first.id,
      second.number,
    ]);
    world.moveTo(D1);
    await remind();
    expect(await decisions()).toEqual(['d1 renews', 'd1 sent']);
  });

  it('is a suspended card', async () => {
    const { number } = await paid();
    await world.pool.query(
      `UPDATE card_rights SET suspended = 'vacation'
        WHERE card_id = (SELECT id FROM card WHERE number = $1)`,
      [number],
    );
    world.moveTo(D1);
    expect(await remind()).toBe(0);
    expect(await decisions()).toEqual(['d1 suspended']);
  });

  it('sees it on the screen alone without a phone', async () => {
    const { number } = await paid();
    await world.pool.query('UPDATE subscriber SET contact_msisdn = NULL');
    world.moveTo(D1);
    expect(await remind()).toBe(1);
    expect(await send()).toEqual([`osd.reminder.d1 ${number}`]);
    expect(await decisions()).toEqual(['d1 no_phone']);
  });
});
