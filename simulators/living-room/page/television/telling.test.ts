import type { TvScreen, TvView } from '../../api.ts';
import { createSay } from '../words/words.ts';
import { blockedText, helpCode, programmeOf, tvSentence } from './telling.ts';

const say = createSay('en');
const services = [
  { code: 'NEWS1', name: 'Capital News', free: true },
  { code: 'FOOT1', name: 'Stadium One', free: false },
];
const HELP = '*384*100*2#';
const sentence = (screen: TvScreen) => tvSentence({ screen } as TvView, services, HELP, say);
const osd = { id: 'o', text: 'Pay by Friday', durationSeconds: 30, forced: false };

describe('what the television says in words', () => {
  it('names the programme and its number', () => {
    expect(sentence({ kind: 'picture', service: 'FOOT1', osd: null })).toBe(
      'The television shows Stadium One on channel 2.',
    );
    expect(programmeOf(services, 'RADIO')).toEqual({ name: 'RADIO', number: 0 });
  });

  it('names the code, what is wrong and what to do, and the message above it', () => {
    expect(sentence({ kind: 'blocked', code: 'V03', osd })).toBe(
      'The television shows V03: Not paid for. Dial *384*100*2# on your phone. ' +
        'Message on the screen: Pay by Friday',
    );
  });

  it('has a sentence for each code, and one for codes to come', () => {
    const codes = ['V01', 'V02', 'V03', 'V04', 'V05', 'V06', 'V07', 'V08', 'V99'];
    const told = codes.map((code) => blockedText({ code }, HELP, say));
    expect(new Set(told.map(({ what }) => what)).size).toBe(codes.length);
    expect(told.at(-1)).toMatchObject({ code: 'V99', what: 'No picture.' });
  });

  it('says of a card that is suspended for a debt that paying brings the picture back', () => {
    const screen = { kind: 'blocked', code: 'V04', osd: null } as const;
    expect(sentence({ ...screen, why: 'unpaid' })).toContain('as soon as it is paid');
    expect(sentence({ ...screen, why: 'fraud' })).toBe(sentence(screen));
  });

  it('tells a television that is off from none at all', () => {
    expect(sentence({ kind: 'off' })).toBe('The television is off.');
    expect(tvSentence('none', services, HELP, say)).toBe('This person has no decoder.');
  });

  it('sends the viewer to the second entry of the menu', () => {
    expect(helpCode('*384*100#')).toBe(HELP);
  });
});
