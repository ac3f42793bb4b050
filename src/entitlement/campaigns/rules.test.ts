import { content } from './content.ts';
import { ordersFor } from './orders.ts';
import type { Recipient } from './recipients.ts';
import { type CasLimits, misfitOf, needsSecond, operationFor, type Worded } from './rules.ts';
import { charsOf, fill, templateFaults, type Values } from './templates.ts';

const VALUES: Values = {
  ...{ name: 'Amina', card: '40210044171', last4: '4171', bouquet: 'Essential' },
  ...{ until: '23/12/2026', amount: 'KES 650' },
};
const worded = (kind: unknown, body = 'Paid until {until}.', subject: string | null = null) =>
  ({
    content: content.parse(kind),
    texts: { en: { subject, body }, fr: { subject, body: 'Payé jusqu’au {until}.' } },
    siteLanguage: 'en',
  }) satisfies Worded;
const OSD = { kind: 'osd', templateId: '7' };
const said = (more: Partial<NonNullable<CasLimits['said']>> = {}): CasLimits => ({
  casId: 'north',
  said: { osdMax: 20, supports: ['OSD', 'MAIL', 'FINGERPRINT'], ...more },
});
const reader = { language: 'en', values: VALUES } as const;

describe('a template', () => {
  it('names every placeholder that there is not, and every stray brace', () => {
    const texts = { en: { subject: '{nme}', body: 'For {name} {until' }, fr: undefined };
    expect(templateFaults({ en: texts.en })).toEqual([
      { path: 'en.subject', message: 'There is no placeholder {nme}' },
      { path: 'en.body', message: 'A brace without its other half' },
    ]);
    expect(templateFaults({ fr: { subject: null, body: 'Pour {name} : {amount}' } })).toEqual([]);
  });

  it('is filled as a whole or not at all', () => {
    expect(fill('{name}, {amount}: {name}', VALUES)).toBe('Amina, KES 650: Amina');
    expect(fill('{name}, {until}', { ...VALUES, until: null })).toBeNull();
    expect(fill('{name}', null)).toBeNull();
    expect(fill('No name', null)).toBe('No name');
  });

  it('is counted in characters, not in halves of them', () => {
    expect(charsOf('📺é')).toBe(2);
  });
});

describe('what is sent', () => {
  it('speaks the language of its reader, or else that of the site', () => {
    const french = operationFor(worded(OSD), { language: 'fr', values: VALUES });
    expect(french).toMatchObject({ args: { text: 'Payé jusqu’au 23/12/2026.', lang: 'fr' } });
    const { texts, ...rest } = worded(OSD);
    const english = operationFor(
      { ...rest, texts: { en: texts.en } },
      { ...reader, language: 'fr' },
    );
    expect(english).toMatchObject({ args: { text: 'Paid until 23/12/2026.', lang: 'en' } });
  });

  it('covers the picture only when it is forced', () => {
    expect(operationFor(worded(OSD), reader)).toEqual({
      op: 'OSD',
      args: {
        ...{ text: 'Paid until 23/12/2026.', durationSeconds: 30, times: 1, intervalSeconds: 0 },
        ...{ lang: 'en', forced: false, position: 'bottom' },
      },
    });
    const forced = operationFor(worded({ kind: 'forced', templateId: '7' }), reader);
    expect(forced).toMatchObject({ args: { forced: true, durationSeconds: 60 } });
  });

  it('has no words where none are needed', () => {
    const print = { kind: 'fingerprint', identity: 'vc', mode: 'covert' };
    expect(operationFor({ ...worded(print), texts: null }, reader)).toEqual({
      op: 'FINGERPRINT',
      args: { identity: 'vc', mode: 'covert', durationSeconds: 10 },
    });
  });
});

describe('a conditional-access system', () => {
  const fits = (kind: unknown, cas: CasLimits, body = 'x'.repeat(20), subject = 'y') => {
    const operation = operationFor(worded(kind, body, subject), reader);
    return operation && misfitOf(operation, cas);
  };

  it('takes what is as long as it says, and nothing longer', () => {
    expect(fits(OSD, said())).toBeNull();
    expect(fits(OSD, said(), 'x'.repeat(21))).toBe('too_long');
    const mail = { kind: 'mail', templateId: '7' };
    expect(fits(mail, said({ mailMax: 21 }))).toBeNull();
    expect(fits(mail, said({ mailMax: 20 }))).toBe('too_long');
  });

  it('takes 120 characters when it was never heard of', () => {
    expect(fits(OSD, { casId: 'new', said: null }, 'x'.repeat(120))).toBeNull();
    expect(fits(OSD, { casId: 'new', said: null }, 'x'.repeat(121))).toBe('too_long');
  });

  it('is asked for nothing that it has not', () => {
    expect(fits({ kind: 'mail', templateId: '7' }, said())).toBe('not_supported');
    expect(fits({ kind: 'force_tune', service: 'N', durationSeconds: 9 }, said())).toBe(
      'not_supported',
    );
    const print = (mode: string) => ({ kind: 'fingerprint', identity: 'stb', mode });
    expect(fits(print('covert'), said({ fpModes: ['overt'] }))).toBe('not_supported');
    expect(fits(print('overt'), said({ fpModes: ['overt'] }))).toBeNull();
  });

  it('that cannot show it to a card leaves that card out, with the reason', () => {
    const recipient = (number: string, more: Partial<Recipient> = {}): Recipient => ({
      ...{ cardId: BigInt(number), number, casId: 'north', language: 'en', values: VALUES },
      ...more,
    });
    const page = [
      recipient('1'),
      recipient('2', { values: { ...VALUES, name: null } }),
      recipient('3', { values: { ...VALUES, name: 'A name that is far too long' } }),
      recipient('4', { casId: 'gone' }),
    ];
    const { orders, left } = ordersFor(worded(OSD, '{name}'), new Map([['north', said()]]), page);
    expect(orders.map(({ recipient: { number } }) => number)).toEqual(['1']);
    expect(left.map(({ recipient: { number }, why }) => [number, why])).toEqual([
      ['2', 'no_value'],
      ['3', 'too_long'],
      ['4', 'no_cas'],
    ]);
    expect(left[1]?.length).toEqual({ chars: 27, max: 20 });
  });
});

describe('a second person', () => {
  const few = { cards: 5, alone: 5 };
  it.each([
    ['osd', { kind: 'cards', numbers: ['40210044171'] }, few, false],
    ['osd', { kind: 'filter', filter: {} }, { cards: 6, alone: 5 }, true],
    ['fingerprint', { kind: 'region', area: 'NBO' }, few, false],
    ['fingerprint', { kind: 'all' }, few, true],
    ['force_tune', { kind: 'cards', numbers: ['40210044171'] }, few, true],
  ] as const)('for %s to %j, %j: %s', (kind, target, cards, is) => {
    const to = target.kind === 'cards' ? { ...target, numbers: [...target.numbers] } : target;
    expect(needsSecond(kind, to, cards)).toBe(is);
  });
});
