import { en } from './en.ts';
import { fr } from './fr.ts';
import {
  cardText,
  createSay,
  dateText,
  languageOf,
  spanText,
  timeText,
  timeZoneOf,
} from './words.ts';

describe('the words of the page', () => {
  it('fill in the same places in both languages', () => {
    const places = (text: string) => (text.match(/\{\w+\}/g) ?? []).toSorted();
    const different = Object.entries(en).filter(
      ([key, text]) => `${places(text)}` !== `${places(fr[key as keyof typeof en])}`,
    );
    expect(different).toEqual([]);
    expect(Object.keys(fr)).toEqual(Object.keys(en));
  });

  it('take values, and leave a place whose value is missing', () => {
    expect(createSay('en')('phone.speed', { code: '*384*100#' })).toBe('Dial *384*100#');
    expect(createSay('fr')('phone.speed')).toBe('Composer {code}');
  });

  it('are French for whoever prefers French, else English', () => {
    expect(['fr', 'fr-CI', 'FR', 'en-KE', 'sw', undefined].map(languageOf)).toEqual([
      ...['fr', 'fr', 'fr', 'en', 'en', 'en'],
    ]);
  });

  it('write a span with the unit that suits it', () => {
    const spans = [-5, 0, 84.4, 999.6, 1_240, 12_400, 59_000, 60_000, 3_599_000, 7_200_000, 3e9];
    expect(spans.map((span) => spanText(span, 'en'))).toEqual([
      ...['0 ms', '0 ms', '84 ms', '1.0 s', '1.2 s', '12 s', '59 s', '1 min', '59 min', '2 h'],
      '34 d',
    ]);
    expect(spanText(1_240, 'fr')).toBe('1,2 s');
    expect(spanText(3e9, 'fr')).toBe('34 j');
  });

  it('write the time where the phone is', () => {
    const noon = '2026-11-23T12:02:00.000Z';
    expect(timeText(noon, 'en', timeZoneOf('+254700000001'))).toBe('15:02');
    expect(timeText(noon, 'fr', timeZoneOf('+2250700000001'))).toBe('12:02');
    expect(timeText(noon, 'en', timeZoneOf('+33600000000'))).toBe('12:02');
    expect(dateText(noon, 'en', 'UTC')).toBe('Mon 23 Nov');
  });

  it('call a card by its last four digits', () => {
    expect(cardText('40210000019')).toBe('..0019');
  });
});
