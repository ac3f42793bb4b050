/** Every screen and walk through the screens, at the limits of what can be typed and shown. */

import fc from 'fast-check';
import { type RefreshAnswer, SUSPENSION_REASONS } from '../../entitlement/picture/desk.ts';
import { fits, SCREEN_SEPTETS_MAX } from '../gsm7.ts';
import { AMINA, DERBY, FOR_MAMA, NOW, ON_AIR, phone, RICH, world } from './script.fixture.ts';
import type { BlockedView } from './services.ts';

const REFRESHES: readonly RefreshAnswer[] = [
  { kind: 'asked', at: NOW },
  { kind: 'already', at: NOW },
  { kind: 'limited', again: new Date('2026-11-24T09:00:00Z') },
  { kind: 'not_on_air' },
];

/** What is done without a screen that confirms. */
const MOVES_NO_MONEY = /^(language|refresh|picture (back|black))$/;

const RICH_RESELLER = { ...RICH, isReseller: true };

const LONG = {
  ...AMINA,
  maskedName: 'NEBUCHADNEZZAR ÔNWÙ.',
  bouquetName: 'PREMIUM ÉTENDU FAMILLE [HD]',
  terms: AMINA.terms.map((term) => ({ ...term, priceMinor: 999_999_999n })),
};
const MOST = 999_999_999n;
const LONGEST = {
  ...RICH_RESELLER,
  cards: Array(9).fill(LONG),
  creditMinor: 999_999_999n,
  tvuUnits: 9_999_999_999n,
};
const LONG_EVENT = {
  ...DERBY,
  title: 'Championnat d’Afrique des nations – finale',
  priceMinor: 999_999_999n,
};

const YEAR_END = new Date('2026-12-31T12:00:00Z');
const PICTURES: readonly Pick<BlockedView, 'diagnosis' | 'wrongCard'>[] = [
  ...SUSPENSION_REASONS.map((reason) => ({
    diagnosis: { kind: 'suspended', reason, since: YEAR_END } as const,
    wrongCard: null,
  })),
  { diagnosis: { kind: 'not_paid', paidUntil: YEAR_END }, wrongCard: null },
  { diagnosis: { kind: 'not_paid', paidUntil: null }, wrongCard: null },
  {
    diagnosis: { kind: 'not_paid', paidUntil: null },
    wrongCard: { last4: '9032', amountMinor: 999_999_999n, at: YEAR_END },
  },
  { diagnosis: { kind: 'on_its_way', paidUntil: YEAR_END, since: YEAR_END }, wrongCard: null },
  { diagnosis: ON_AIR, wrongCard: null },
];

function longWorld(language: 'en' | 'fr', picture = PICTURES[0], refresh = REFRESHES[0]) {
  const on = world({ ...LONGEST, language }, [LONG]);
  const { blocked } = on.services;
  on.services.blocked = async (...asked) => {
    const view = await blocked(...asked);
    const missing = (['week', 'month'] as const).map((term) => ({ term, amountMinor: MOST }));
    return view && { ...view, missing, creditMinor: MOST, owedMinor: MOST, ...picture };
  };
  on.services.refresh = async () => refresh ?? { kind: 'not_on_air' };
  on.services.event = async () => LONG_EVENT;
  on.services.events = async () => Array(9).fill(LONG_EVENT);
  on.services.mobileMoneyFee = async () => 999_999_999n;
  const payment = { ...FOR_MAMA, maskedName: LONG.maskedName, amountMinor: MOST };
  on.services.movable = async () => ({ payments: Array(5).fill(payment), last: null });
  const at = new Date('2026-12-31T21:30:00Z');
  const quote = { amountMinor: MOST, at, paidUntil: null };
  on.services.quoteMove = async () => ({ ok: true, value: quote });
  on.services.tvuQuote = async () => ({ creditMinor: 999_999_999n, usedUnits: 9_999_999_999n });
  return on;
}

describe('every screen', () => {
  it('fits with names, prices and wallets at their limits', async () => {
    for (const language of ['en', 'fr'] as const) {
      for (const extras of [
        '',
        '1',
        '1*98',
        '1*1',
        '1*1*1',
        '1*1*2',
        '1*1*4',
        '1*1*4*99999999',
        '2',
        '2*98',
        '3',
        '3*98',
        '4',
        '4*1',
        '4*1*99999999',
        '4*2',
        '4*2*999999999',
        '4*3',
        '4*3*0712000111',
        '4*3*0712000111*999999999',
        '5',
        '5*98',
        '5*1',
        '5*1*1',
        '7',
        '7*1',
        '7*1*98',
        '7*1*1',
        '9',
      ]) {
        const caller = phone(longWorld(language));
        const shown = (await caller.dial(extras)).replaceAll('|', '\n');
        expect([extras, shown, fits(shown, SCREEN_SEPTETS_MAX)]).toEqual([extras, shown, true]);
        expect(caller.log).toEqual([]);
      }
    }
  });

  it.each(['en', 'fr'] as const)('fits about a blocked picture, in %s', async (language) => {
    for (const picture of PICTURES) {
      for (const refresh of REFRESHES) {
        const caller = phone(longWorld(language, picture, refresh));
        const walks = ['3', ...[1, 2, 3, 4, 5, 6, 7, 8].map((digit) => `3*V0${digit}`)];
        for (const extras of [`2*${LONG.number}`, ...walks.map((w) => `2*${LONG.number}*${w}`)]) {
          const shown = (await caller.dial(extras)).replaceAll('|', '\n');
          expect([extras, shown, fits(shown, SCREEN_SEPTETS_MAX)]).toEqual([extras, shown, true]);
        }
        expect(caller.log).toEqual([]);
      }
    }
  });

  const typed = fc.oneof(
    fc.constantFrom('0', '00', '1', '2', '3', '4', '5', '7', '98', '', '4321', '500', 'DERBY'),
    fc.constantFrom(AMINA.number, '0712000111', '150', 'V03'),
    fc.string({ maxLength: 12 }),
  );

  it('fits, says something, and acts only behind a confirm screen, whatever is typed', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('en' as const, 'fr' as const),
        fc.boolean(),
        fc.array(typed, { maxLength: 30 }),
        async (language, long, inputs) => {
          const on = long ? longWorld(language) : world({ ...RICH_RESELLER, language });
          const caller = phone(on);
          let before = await caller.dial();
          let money = 0;
          for (const input of inputs) {
            const shown = await caller.send(input);
            const text = shown.replace(/^END /, '').replaceAll('|', '\n');
            expect(text).not.toBe('');
            expect(fits(text, SCREEN_SEPTETS_MAX)).toBe(true);
            const acted = on.acts.filter(({ what }) => !MOVES_NO_MONEY.test(what)).length;
            if (acted > money) expect(before).toMatch(/\|0 (Cancel|Annuler)$/);
            if (acted > money) expect(shown).toMatch(/^END /);
            money = acted;
            before = shown;
          }
          expect(money).toBeLessThanOrEqual(1);
        },
      ),
      { numRuns: 300 },
    );
  });
});
