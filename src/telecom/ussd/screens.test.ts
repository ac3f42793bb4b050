/** Every screen and walk through the screens, at the limits of what can be typed and shown. */

import fc from 'fast-check';
import { fits, SCREEN_SEPTETS_MAX } from '../gsm7.ts';
import { AMINA, DERBY, phone, RICH, world } from './script.fixture.ts';

const RICH_RESELLER = { ...RICH, isReseller: true };

const LONG = {
  ...AMINA,
  maskedName: 'NEBUCHADNEZZAR ÔNWÙ.',
  bouquetName: 'PREMIUM ÉTENDU FAMILLE [HD]',
  terms: AMINA.terms.map((term) => ({ ...term, priceMinor: 999_999_999n })),
};
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

function longWorld(language: 'en' | 'fr') {
  const on = world({ ...LONGEST, language }, [LONG]);
  on.services.event = async () => LONG_EVENT;
  on.services.events = async () => Array(9).fill(LONG_EVENT);
  on.services.mobileMoneyFee = async () => 999_999_999n;
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
        '3*1',
        '3*1*99999999',
        '3*2',
        '3*2*999999999',
        '3*3',
        '3*3*0712000111',
        '3*3*0712000111*999999999',
        '4',
        '4*98',
        '4*1',
        '4*1*1',
        '9',
      ]) {
        const caller = phone(longWorld(language));
        const shown = (await caller.dial(extras)).replaceAll('|', '\n');
        expect([extras, shown, fits(shown, SCREEN_SEPTETS_MAX)]).toEqual([extras, shown, true]);
        expect(caller.log).toEqual([]);
      }
    }
  });

  const typed = fc.oneof(
    fc.constantFrom('0', '00', '1', '2', '3', '4', '5', '98', '', '4321', '500', 'DERBY'),
    fc.constantFrom(AMINA.number, '0712000111', '150'),
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
            const acted = on.acts.filter(({ what }) => what !== 'language').length;
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
