import { join } from 'node:path';
import fc from 'fast-check';
import type { Message, Saying } from '../../billing/settlement/commands.ts';
import { fits, SCREEN_SEPTETS_MAX } from '../gsm7.ts';
import { loadLanguages, OSD_SEPTETS_MAX } from '../language.ts';
import { createMessages } from './messages.ts';

const AT = new Date('2026-11-23T08:00:00Z');
const CARD = '40210000017';
const { messagesFor } = createMessages({
  languages: loadLanguages(join(process.cwd(), 'config/language')),
  serviceCodeOf: () => '*384*12345*6789#',
  siteOf: () => ({ timeZone: 'Africa/Nairobi' }),
});

const say = (
  message: Message,
  { language = 'en', osd = false }: { language?: 'en' | 'fr'; osd?: boolean } = {},
) => {
  const screen = { kind: 'osd', cardNumber: CARD } as const;
  const to: Saying['to'] = osd ? screen : { kind: 'text', msisdn: '+254711000111' };
  return messagesFor({ siteId: 1n, language, to, message }, AT);
};

interface Free {
  name: string;
  title: string;
}

/** Every message there is, in each of its forms; the compiler refuses a missing one. */
function everyMessage({ name, title }: Free): { [N in Message['name']]: Message[] } {
  const ref = '8K2Q7MXQ0Z8K2Q7MXQ0Z';
  const money = { amount: 123_456_750n, asset: 'KES', ref };
  const until = new Date('2026-12-23T21:00:00Z');
  const card = { cardNumber: CARD, bouquet: name, until };
  const moved = { amount: 123_456_750n, asset: 'KES', cardNumber: CARD };
  const units = { units: 1_234_567_890n, have: 1_234_567_890n, ref };
  const missing = { amount: 123_456_750n, term: 'week' } as const;
  const credit = { name: 'credit_kept', ...money, credit: 123_456_750n } as const;
  const other = { name: 'paid_for_other', ...money, ...card, maskedName: name } as const;
  const reasons = ['insufficient_funds', 'payer_account_blocked', 'unknown', 'not in the list'];
  return {
    term_paid: [null, 4, 1_234].map((days) => ({ name: 'term_paid', ...money, ...card, days })),
    paid_for_other: [
      { ...other, reader: 'payer' },
      { ...other, reader: 'owner' },
    ],
    credit_kept: [
      { ...credit, cardNumber: CARD, missing },
      { ...credit, cardNumber: CARD, missing: null },
      { ...credit, cardNumber: null, missing: null },
    ],
    move_asked: [{ name: 'move_asked', ...moved, dueAt: until }],
    payment_moved: [null, until].map((end) => ({
      ...{ name: 'payment_moved', ...moved, until: end, ref },
    })),
    move_stopped: (['objected', 'nothing_left'] as const).map((why) => ({
      ...{ name: 'move_stopped', why, ...moved },
    })),
    tvu_bought: [{ name: 'tvu_bought', ...money, ...units }],
    tvu_received: [{ name: 'tvu_received', ...units, from: name }],
    tvu_sent: [{ name: 'tvu_sent', ...units, phone: '+254711000111222' }],
    tvu_converted: [
      {
        ...{ name: 'tvu_converted', ref, asset: 'KES', used: 1_234_567_890n },
        ...{ left: 1_234_567_890n, credit: 123_456_750n, total: 123_456_750n },
      },
    ],
    event_bought: [{ name: 'event_bought', ...money, title, cardNumber: CARD, start: until }],
    event_refunded: [{ name: 'event_refunded', ...money, title }],
    in_suspense: [{ name: 'in_suspense', ...money, reference: name }],
    renewal_failed: [
      {
        ...{ name: 'renewal_failed', cardNumber: CARD, asset: 'KES' },
        ...{ missing: 123_456_750n, term: 'week' },
      },
    ],
    payment_failed: reasons.map((reason) => ({ name: 'payment_failed', ...money, reason })),
    reminder: (['d3', 'd1', 'd0'] as const).map((step) => ({
      ...{ name: 'reminder', step, ...card, asset: 'KES', price: 123_456_750n, term: 'week' },
      notAfter: new Date('2026-12-20T17:00:00Z'),
    })),
  };
}

const LONGEST = everyMessage({ name: 'N'.repeat(60), title: 'T'.repeat(60) });
const ALL = Object.values(LONGEST).flat();

describe('every message', () => {
  it('is one text of one part in both languages, whatever names are in it', () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 40 });
    fc.assert(
      fc.property(text, text, fc.constantFrom('en', 'fr'), (name, title, language) => {
        for (const message of Object.values(everyMessage({ name, title })).flat()) {
          const draft = say(message, { language });
          expect([draft?.body, fits(draft?.body ?? '€'.repeat(99), SCREEN_SEPTETS_MAX)]).toEqual([
            expect.stringMatching(/./),
            true,
          ]);
        }
      }),
    );
  });

  it.each(['en', 'fr'] as const)('fits at its longest, in %s', (language) => {
    for (const message of ALL) {
      const { body, kind } = say(message, { language }) ?? { body: '' };
      expect([kind, body, fits(body, SCREEN_SEPTETS_MAX)]).toEqual(['text', body, true]);
      expect(body).not.toMatch(/[{}]|undefined/);
      const screen = say(message, { language, osd: true });
      expect(fits(screen?.body ?? '', OSD_SEPTETS_MAX)).toBe(true);
    }
  });

  it('goes to the screen only when it is about what the screen will show', () => {
    const shown = ALL.filter((message) => say(message, { osd: true }) !== null);
    expect(new Set(shown.map(({ name }) => name))).toEqual(
      new Set(['term_paid', 'credit_kept', 'event_bought', 'reminder']),
    );
    expect(say(ALL[0] as Message, { osd: true })).toMatchObject({ kind: 'osd', target: CARD });
  });

  it('has a template of its own wherever it says something of its own', () => {
    const templates = ALL.map((message) => say(message)?.template);
    expect(new Set(templates).size).toBe(ALL.length - 2); // Days twice; two unknown reasons.
  });
});

describe('a receipt', () => {
  const paid = {
    name: 'term_paid',
    ...{ amount: 65_000n, asset: 'KES', bouquet: 'Essential', ref: '8K2Q7' },
    ...{ cardNumber: CARD, until: new Date('2026-12-23T21:00:00Z'), days: null },
  } as const;

  it('says the last day that is paid, where the subscriber lives', () => {
    expect(say(paid)).toEqual({
      kind: 'text',
      template: 'text.receipt.term',
      target: '+254711000111',
      body:
        'Paid KES 650. Essential card ..0017 to 23/12/2026. ' +
        'Keep the decoder ON 5 min. Ref 8K2Q7',
      notAfter: new Date('2026-11-30T08:00:00Z'),
    });
    expect(say({ ...paid, days: 4 }, { language: 'fr' })?.body).toBe(
      'Paye KES 650: 4 jour(s). Essential carte ..0017 au 23/12/2026. ' +
        'Laissez le decodeur ALLUME 5 min. Ref 8K2Q7',
    );
  });

  it('stands on the screen for the ten minutes after paying', () => {
    expect(say(paid, { osd: true })).toMatchObject({
      body: 'Paid KES 650. Essential to 23/12/2026. Thank you. Ref 8K2Q7',
      notAfter: new Date('2026-11-23T08:10:00Z'),
    });
  });

  it('for an account names no card', () => {
    const [, , account] = everyMessage({ name: 'x', title: 'x' }).credit_kept;
    expect(account && say(account)?.body).toMatch(/^Received KES 1234567.50. Your credit: /);
  });
});

describe('advice', () => {
  it('to pay is void after a day', () => {
    for (const message of [...LONGEST.renewal_failed, ...LONGEST.payment_failed]) {
      expect(say(message)?.notAfter).toEqual(new Date('2026-11-24T08:00:00Z'));
    }
  });

  it('says what is missing and what to dial', () => {
    const [message] = LONGEST.renewal_failed;
    expect(message && say(message, { language: 'fr' })?.body).toBe(
      'Carte ..0017 non renouvelee: il manque KES 1234567.50 pour une semaine. ' +
        'Pour payer, composez *384*12345*6789#.',
    );
  });
});

describe('a reminder', () => {
  const until = new Date('2026-12-23T21:00:00Z');
  const notAfter = new Date('2026-12-20T17:00:00Z');
  const step = (name: 'd3' | 'd1' | 'd0', options: { language?: 'en' | 'fr'; osd?: boolean }) =>
    say(
      {
        ...{ name: 'reminder', step: name, until, notAfter, cardNumber: CARD },
        ...{ bouquet: 'Essential', price: 65_000n, asset: 'KES', term: 'month' },
      },
      options,
    );

  it('says which card, the last day, the price of the next term and what to dial', () => {
    expect(step('d3', {})?.body).toBe(
      'Essential card ..0017 is paid to 23/12/2026. Next: KES 650 for a month, ' +
        'dial *384*12345*6789#. STOP: no more reminders',
    );
    expect(step('d1', {})?.body).toBe(
      'Essential card ..0017: the last day is tomorrow, 23/12/2026. ' +
        'To go on: KES 650 for a month, dial *384*12345*6789#.',
    );
    expect(step('d0', { language: 'fr' })?.body).toBe(
      "Essential carte ..0017: dernier jour aujourd'hui, 23/12/2026. " +
        'Pour continuer: KES 650 pour un mois, composez *384*12345*6789#.',
    );
  });

  it('tells neither card nor price to the whole room', () => {
    const screen = step('d0', { osd: true });
    expect(screen).toMatchObject({ kind: 'osd', target: CARD, template: 'osd.reminder.d0' });
    expect(screen?.body).toBe('Last day: today, 23/12/2026. To go on, dial *384*12345*6789#.');
  });

  it('is void when its day is over, on the phone and on the screen', () => {
    for (const osd of [false, true]) expect(step('d1', { osd })?.notAfter).toEqual(notAfter);
  });
});

describe('an amount', () => {
  it('of an unknown currency is a mistake of ours, never a wrong figure', () => {
    const [message] = LONGEST.event_refunded;
    expect(() => say({ ...message, asset: 'TVU-KE' } as Message)).toThrow('TVU-KE');
  });
});
