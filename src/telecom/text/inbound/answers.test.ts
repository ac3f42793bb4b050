import { createWorld, type World } from '../../../../test/stories/world.ts';
import { createSuspensions } from '../../../entitlement/picture/suspension.ts';
import { silentLogger } from '../../../platform/log.ts';
import { setPhoneLanguage } from '../../../registry/store.ts';
import { SCREEN_SEPTETS_MAX, septets } from '../../gsm7.ts';
import { PLACEHOLDERS } from '../../language.ts';
import { type Desk, openDesk } from './inbound-harness.ts';

const START = '2026-11-23T11:02:00Z';
const MONTH = 65_000n;
/** As long as they may be. */
const LONGEST = Object.fromEntries(
  Object.entries(PLACEHOLDERS).map(([name, { septetsMax }]) => [name, 'X'.repeat(septetsMax)]),
);
const STRANGER = '+254722000001';

describe('a text', () => {
  let world: World;
  let desk: Desk;
  let own: { number: string; msisdn: string };
  beforeEach(async () => {
    world = await createWorld(START);
    own = await world.customer();
    desk = await openDesk(world);
  });
  afterEach(() => world.close());

  const send = (body: string) => desk.text(own.msisdn, body);
  const paid = () => world.pay({ amount: MONTH, accountRef: own.number });
  const onAir = () =>
    world.pool.query(
      'UPDATE card_rights SET acked_rev = desired_rev, on_air_at = $1, next_at = NULL',
      [world.now()],
    );
  const later = (seconds: number) =>
    world.moveTo(new Date(world.now().getTime() + seconds * 1000).toISOString());
  const orders = () => world.rows('SELECT key, msisdn, amount, purpose FROM payment_order');
  const cardId = async (number: string) =>
    String((await world.rows('SELECT id FROM card WHERE number = $1', [number]))[0]?.id);

  describe('about the balance', () => {
    it('is answered with product, end, prices and credit', async () => {
      expect(await send('BAL')).toBe(
        'Card ..0010 ESSENTIAL: not paid yet. month KES 650, week KES 200, day KES 40. ' +
          'Credit KES 0. To pay, send PAY',
      );
      await paid();
      expect(await send(`due ${own.number}`)).toContain('..0010 ESSENTIAL: to 23/12/2026. month');
    });

    it('asks which of several cards is meant, and takes the last four digits for it', async () => {
      const { number } = await world.customer({ msisdn: '+254700900001' });
      await world.pool.query(
        'INSERT INTO saved_card (msisdn, card_id) SELECT $1, id FROM card WHERE number = $2',
        [own.msisdn, number],
      );
      expect(await send('BAL')).toBe(
        'Which card: ..0010 ..0028? Send BAL and the whole card number, 11 digits.',
      );
      expect(await send('BAL 0028')).toContain('Card ..0028 ESSENTIAL: not paid yet.');
    });

    it('of a stranger says no more than until when the card is paid', async () => {
      expect(await desk.text(STRANGER, own.number)).toBe(
        'Card ..0010: not paid yet. To pay for it, send PAY and the card number.',
      );
      expect(await desk.text(STRANGER, 'BAL')).toContain('We know no card of this phone. Send BAL');
    });

    it('names the nearest of the own cards for a slip, and those of nobody else', async () => {
      const slip = own.number.replace('4021', '4012');
      expect(await send(`BAL ${slip}`)).toContain('Card not found. Did you mean ..0010?');
      expect(await send(`BAL ${own.number.slice(0, -1)}`)).toContain('Did you mean ..0010?');
      expect(await desk.text(STRANGER, `BAL ${slip}`)).toContain('Card not found. Please check');
    });
  });

  describe('about a blocked screen', () => {
    it('says what is missing where the card is not paid', async () => {
      expect(await send('RESET')).toBe(
        'Card ..0010: not paid yet, credit KES 0. Missing KES 650 for a month. ' +
          'Missing KES 40 for a day. To pay, send PAY.',
      );
    });

    it('says where the money went when another card was paid', async () => {
      const other = await world.customer({ msisdn: '+254700900001' });
      await send(`PAY ${other.number}`);
      const [order] = await world.rows('SELECT id FROM payment_order');
      await world.pay({ amount: MONTH, orderId: BigInt(String(order?.id)) });
      expect(await send(`E16 ${own.number}`)).toContain(
        'Your last payment KES 650 14:02 went to card ..0028, not ..0010.',
      );
    });

    it('says that the rights are on their way where they are not broadcast yet', async () => {
      await paid();
      expect(await send('RESET')).toBe(
        'Card ..0010: paid to 23/12/2026. Rights are being sent since 14:02; keep decoder ON. ' +
          'Reply 1 if the picture is back, 2 if still black.',
      );
    });

    it('has the rights broadcast afresh, once a minute', async () => {
      await paid();
      await onAir();
      expect(await send('RESET')).toBe(
        'Card ..0010: paid to 23/12/2026. Rights re-sent 14:02. Keep decoder ON, channel 1. ' +
          'Reply 1 if the picture is back, 2 if still black.',
      );
      expect(await send(`E16 ${own.number}`)).toContain('Rights were re-sent 14:02 already.');
      expect(await world.rows('SELECT source, msisdn FROM card_refresh')).toEqual([
        { source: 'text', msisdn: own.msisdn },
      ]);
    });

    it('says why a card is suspended to its owner alone', async () => {
      await paid();
      const suspensions = createSuspensions({
        ...{ pool: world.pool, ids: world.ids, clock: { now: world.now }, logger: silentLogger },
        dispatcher: { wake: () => undefined },
      });
      const id = BigInt(await cardId(own.number));
      await suspensions.suspendCard({ cardId: id, reason: 'dispute', by: 'staff' });
      expect(await send('RESET')).toContain('a payment is in dispute');
      expect(await desk.text(STRANGER, `RESET ${own.number}`)).toContain('stopped by us since');
    });

    it('has room for the question what the viewer sees', () => {
      const { render } = desk.deps.languages;
      const keys = ['its_way', 'air.asked', 'air.already', 'air.limited'] as const;
      for (const language of ['en', 'fr'] as const) {
        const reply = render(language, 'text.answer.reply');
        for (const key of keys) {
          const said = render(language, `blocked.on_${key}`, LONGEST);
          expect(septets(`${said} ${reply}`)).toBeLessThanOrEqual(SCREEN_SEPTETS_MAX);
        }
      }
    });

    it('is followed by what the viewer sees, for the card of the last day', async () => {
      await paid();
      await onAir();
      expect(await send('2')).toContain('TV is blocked? Send RESET');
      await send('RESET');
      expect(await send('2 still black')).toContain('Please check: decoder ON');
      later(90);
      expect(await send('2')).toContain('We look into card ..0010');
      expect(await send('YES')).toContain('Thank you');
      expect(await world.rows('SELECT card_id, source, answer FROM picture_report')).toEqual(
        ['black', 'black', 'back'].map((answer) => ({
          ...{ card_id: expect.any(String), source: 'text', answer },
        })),
      );
      later(24 * 3600);
      expect(await send('1')).toContain('TV is blocked? Send RESET');
    });
  });

  describe('about paying', () => {
    it('brings a prompt for a term, an amount, or what is usually bought', async () => {
      expect(await send('PAY')).toBe(
        'A prompt for KES 650 comes to your phone, for card ..0010: enter your PIN to pay. ' +
          'The receipt comes by text.',
      );
      expect(await send('LIPA WEEK')).toContain('A prompt for KES 200 comes');
      expect(await send(`300 ${own.number} pay`)).toContain('A prompt for KES 300 comes');
      const card = await cardId(own.number);
      expect((await orders()).map(({ amount, purpose }) => [amount, purpose])).toEqual([
        ['65000', { kind: 'term', term: 'month', cardId: card }],
        ['20000', { kind: 'term', term: 'week', cardId: card }],
        ['30000', { kind: 'credit', cardId: card }],
      ]);
    });

    it('may be sent by anybody for any card', async () => {
      expect(await desk.text(STRANGER, `PAY DAY ${own.number}`)).toContain('KES 40 comes');
      expect(await orders()).toMatchObject([{ msisdn: STRANGER, amount: '4000' }]);
      expect(await desk.text(STRANGER, 'BAL')).toContain('Card ..0010');
    });

    it('orders a number of days, or a year, where that is sold', async () => {
      const longer = "10d: '250.00', year: '6500.00' }";
      await world.changeCatalogue(
        ['[KE]\n    terms: [month, week, day]', '[KE]\n    terms: [month, week, day, 10d, year]'],
        ["day: '40.00' }", `day: '40.00', ${longer}`],
        ["day: '90.00' }", `day: '90.00', ${longer}`],
      );
      desk = await openDesk(world);
      expect(await send('PAY 10D')).toContain('KES 250 comes');
      later(120);
      expect(await send('PAY YEAR')).toContain('KES 6500 comes');
      expect(await send('BAL')).toContain('1 year KES 6500');
    });

    it('orders nothing when card or amount are not clear', async () => {
      expect(await send('PAY 3 DAYS')).toContain('Send PAY and MONTH, WEEK, DAY');
      expect(await send('PAY 1.000')).toContain('Nothing was paid.');
      expect(await send('PAY 650 40210999999')).toContain('Card not found.');
      expect(await desk.text(STRANGER, 'PAY 650')).toContain('We know no card of this phone');
      expect(await orders()).toEqual([]);
    });

    it('says how to pay where there is no mobile money', async () => {
      const { msisdn } = await world.customer({ siteCode: 'ABJ' });
      const abidjan = await openDesk(world, 'ABJ');
      expect(await abidjan.text(msisdn, 'PAYER')).toBe(
        'Pas de mobile money ici. Pour payer 5000 F pour la carte ..0028, ' +
          'prenez des unites TV, puis composez *384*100#.',
      );
      expect(await orders()).toEqual([]);
    });

    it('buys a match by its code', async () => {
      await world.prisma.event.create({
        data: {
          ...{ id: await world.ids.take(), siteId: world.site('NBO').id, code: 'DERBY' },
          ...{ title: 'Derby', product: 'EVT:DERBY', price: 5_000n, taxPercent: '16' },
          startsAt: new Date('2026-11-23T19:00:00Z'),
          endsAt: new Date('2026-11-23T21:00:00Z'),
          saleFrom: new Date('2026-11-20T00:00:00Z'),
          saleUntil: new Date('2026-11-23T20:00:00Z'),
        },
      });
      desk = await openDesk(world);
      expect(await send('Buy the derby!')).toBe(
        'A prompt for KES 50 comes to your phone: Derby 23/11 22:00, card ..0010. ' +
          'Enter your PIN to pay. The receipt comes by text.',
      );
      expect(await orders()).toMatchObject([{ amount: '5000', purpose: { kind: 'event' } }]);
      expect(await send('BUY F1')).toContain('No film or match has this code.');
      world.moveTo('2026-11-23T20:00:00Z');
      expect(await send('BUY DERBY')).toContain('not on sale now');
    });
  });

  it('is answered in the language of the phone', async () => {
    await setPhoneLanguage(world.pool, own.msisdn, 'fr');
    expect(await send('BAL')).toContain('Carte ..0010 ESSENTIAL: pas encore paye. mois KES 650');
    expect(await desk.text('+2250700000009', 'BAL')).toContain('We know no card');
  });

  it('that is not understood is answered with what can be sent', async () => {
    expect(await send('Habari')).toContain('Sorry, not understood. Send BAL, RESET, PAY');
    expect(await send('?')).toContain('VIP TV. Send BAL: balance.');
  });

  it('with a scratch code is answered, and the code is not kept', async () => {
    expect(await send('1234 5678 1234 5678')).toContain('Scratch cards are not sold here yet');
    expect(await world.rows('SELECT body FROM text_in')).toEqual([{ body: '**** **** **** 5678' }]);
  });

  it('stops reminders and has them come again', async () => {
    const choice = () => world.rows('SELECT msisdn, wanted FROM reminder_choice');
    expect(await send('STOP')).toContain('Receipts and answers still come.');
    expect(await choice()).toEqual([{ msisdn: own.msisdn, wanted: false }]);
    expect(await send('START')).toContain('Reminders come again');
    expect(await choice()).toEqual([{ msisdn: own.msisdn, wanted: true }]);
  });
});
