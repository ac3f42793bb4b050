import type { WireRight } from '../../../src/entitlement/vip-control/operations.ts';
import { createHouse, type House } from './house.ts';
import { prolonged } from './looks.ts';
import type { Customer } from './town.ts';

const MINUTE_MS = 60_000;
const PAYMENTS = 500;
const DARK_LISTED_MAX = 200;
/** Payments that are under way at once. */
const LANES = 8;
const ALL_COMMANDS = 10_000;
const RECOVERY_MS_MAX = MINUTE_MS;
const LONG = { withinMs: 40_000 };
const LATE_SALES = 60;
/** How long one EMM takes at 100 kbit/s. */
const SLOT_MS = 15.04;
/** How often a change is repeated in its first minutes. */
const REPETITION_MS = 10_000;

/** One story, told in order: the air of its second half is full of what the first half sold. */
describe('VIP Control down for half an hour', () => {
  let house: House;
  let people: Customer[];
  beforeAll(async () => {
    house = await createHouse({ kbit: 100 });
    house.texts.setDeliveryReportUrl(null);
    people = await inLanes(PAYMENTS + LATE_SALES, () => house.customer());
  }, 60_000);
  afterAll(() => house.close());

  const payAll = async (payers: readonly Customer[]) => {
    await inLanes(payers.length, async (index) => {
      const payer = payers[index];
      if (payer) await house.pay(payer);
    });
    await house.money.idle();
  };
  const allOnAir = () =>
    house.until(async () => {
      const waiting =
        'SELECT count(*)::int AS cards FROM card_rights WHERE desired_rev > acked_rev';
      expect(await house.rows(waiting)).toEqual([{ cards: 0 }]);
    }, LONG);

  it('loses no payment of 500, and puts them all on air within a minute', async () => {
    const payers = people.slice(0, PAYMENTS);
    await house.headEnd.setLink(false);
    for (let from = 0; from < PAYMENTS; from += PAYMENTS / 10) {
      await payAll(payers.slice(from, from + PAYMENTS / 10));
      house.clock.advance(3 * MINUTE_MS);
    }
    await house.until(async () => {
      const books = await house.ourBooks();
      expect(books).toHaveLength(PAYMENTS);
      expect(books).toEqual(house.operatorBooks());
    }, LONG);
    await expectAlarm(house);
    await house.until(() => {
      const inboxes = payers.map(({ msisdn }) => house.inbox(msisdn));
      expect(inboxes.filter(([text]) => text?.startsWith('Paid KES 650.'))).toHaveLength(PAYMENTS);
      expect(inboxes.flat()).toHaveLength(PAYMENTS);
    }, LONG);
    expect(house.headEnd.cards()).toEqual([]);

    const upAt = house.clock.now();
    await house.headEnd.setLink(true);
    await allOnAir();
    const [last] = await house.rows('SELECT max(on_air_at) AS at FROM card_rights');
    expect(Date.parse(String(last?.at)) - upAt.getTime()).toBeLessThan(RECOVERY_MS_MAX);
    await expectOnceEach(house);
    await expectAsWanted(house, payers);
    expect(await house.entitlement.dark(0)).toEqual([]);
    expect(await house.metric('vip_cards_paid_but_dark')).toBe(0);
    await house.expectAgreement();
  }, 90_000);

  it('lets the first airing of a sale go before the repeats that are due', async () => {
    const payers = people.slice(PAYMENTS);
    await house.headEnd.setLink(false);
    await payAll(payers);
    await toTheNextRepeats(house);
    const cards = new Set(payers.map(({ card }) => card));
    const sales: number[] = [];
    const repeats: number[] = [];
    const leave = house.headEnd.onAirEvent((event) => {
      if (event.type !== 'broadcast' || event.content !== 'rights') return;
      if (event.first && cards.has(event.card)) sales.push(Date.parse(event.at));
      if (!event.first) repeats.push(Date.parse(event.at));
    });
    // The air is busy with what is due.
    await house.until(() => expect(repeats.length).toBeGreaterThan(50));
    await house.headEnd.setLink(true);
    await allOnAir();
    leave();
    const [firstMs = 0] = sales;
    const lastMs = sales.at(-1) ?? 0;
    const among = repeats.filter((atMs) => firstMs <= atMs && atMs < lastMs);
    expect(sales).toHaveLength(LATE_SALES);
    expect(among.length).toBeLessThan(LATE_SALES / 5);
    expect(lastMs - firstMs).toBeLessThan(1.5 * LATE_SALES * SLOT_MS);
    await house.expectAgreement();
  }, 60_000);
});

/** Moves on to where the cards that went on air first are repeated, and the others after them. */
async function toTheNextRepeats({ clock, rows }: House): Promise<void> {
  const [first] = await rows('SELECT min(on_air_at) AS at FROM card_rights');
  const sinceMs = clock.now().getTime() - Date.parse(String(first?.at));
  clock.advance(REPETITION_MS - (sinceMs % REPETITION_MS));
}

/** What staff are told while 500 paid cards wait. */
async function expectAlarm({ product, logbook, entitlement, metric, until }: House): Promise<void> {
  await until(async () => {
    await product.jobs?.runNow('alarm-dark');
    expect(logbook.of('dispatch.paid_not_on_air')).toHaveLength(PAYMENTS);
  });
  const listed = await entitlement.dark(120);
  expect(listed).toHaveLength(DARK_LISTED_MAX);
  expect(new Set(listed.flatMap(({ reasons }) => reasons))).toEqual(new Set(['not_on_air']));
  expect(await metric('vip_cards_paid_but_dark')).toBe(PAYMENTS);
}

/** Each revision of each card was executed, and once. */
async function expectOnceEach({ headEnd, rows }: House): Promise<void> {
  const told = headEnd
    .commands({ limit: ALL_COMMANDS })
    .filter(({ op }) => op === 'ENTITLE')
    .map(({ card, revision, result }) => `${card} ${revision?.rev} ${result?.code}`);
  const sql = `SELECT c.number || ' ' || r.desired_rev || ' DONE' AS told
                 FROM card_rights r JOIN card c ON c.id = r.card_id WHERE r.desired_rev > 0`;
  const wanted = (await rows(sql)).map((row) => row.told);
  expect(told.sort()).toEqual(wanted.sort());
}

async function expectAsWanted({ headEnd, rows }: House, payers: Customer[]): Promise<void> {
  const sql = `SELECT c.number, r.desired FROM card_rights r JOIN card c ON c.id = r.card_id
                WHERE c.number = ANY($1)`;
  const wanted = await rows(sql, [payers.map(({ card }) => card)]);
  expect(wanted).toHaveLength(PAYMENTS);
  for (const { number, desired } of wanted) {
    const set = desired as WireRight[];
    expect(set).toMatchObject([{ product: 'ESS' }]);
    expect(headEnd.card(String(number))?.set).toEqual(prolonged(set));
  }
}

/** Does so many things, a few at a time, and returns what came of them in order. */
async function inLanes<T>(count: number, act: (index: number) => Promise<T>): Promise<T[]> {
  const done: T[] = [];
  const waiting = Array.from({ length: count }, (_, index) => index).values();
  const lane = async () => {
    for (const index of waiting) done[index] = await act(index);
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  return done;
}
