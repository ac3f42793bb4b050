import { join } from 'node:path';
import { STEP_ACTS } from '../../billing/catalogue/dunning-policy.ts';
import { type DunningMessage, isForced } from '../../billing/dunning/sayings.ts';
import { loadLanguages } from '../language.ts';
import { createDunningMessages } from './dunning-messages.ts';

const messagesFor = createDunningMessages({
  languages: loadLanguages(join(process.cwd(), 'config/language')),
  serviceCodeOf: () => '*384*123#',
  siteOf: () => ({ timeZone: 'Africa/Nairobi' }),
});
const NOT_AFTER = new Date('2026-12-11T17:00:00Z');
const step = (more: Partial<Extract<DunningMessage, { name: 'dunning' }>>): DunningMessage => ({
  ...{ name: 'dunning', does: 'remind', kind: 'postpaid', isSkipped: false, asset: 'KES' },
  ...{ amount: 65_000n, notAfter: NOT_AFTER },
  since: new Date('2026-11-30T21:00:00Z'),
  dueOn: new Date('2026-12-10T21:00:00Z'),
  ...more,
});
const draft = (message: DunningMessage, kind: 'text' | 'osd', language: 'en' | 'fr' = 'en') =>
  messagesFor({
    ...{ siteId: 1n, language, message },
    to: kind === 'text' ? { kind, msisdn: '+254711000111' } : { kind, cardNumber: '40210000017' },
  });

describe('the words of dunning', () => {
  it('exist for every step in both languages, and by text for all of them', () => {
    for (const kind of ['postpaid', 'prepaid'] as const) {
      for (const isSkipped of [false, true]) {
        for (const does of STEP_ACTS) {
          const message = step({ kind, isSkipped, does });
          for (const language of ['en', 'fr'] as const) {
            expect(draft(message, 'text', language)?.body).toMatch(/01\/12\/2026.*\*384\*123#/);
            const isShown = !isSkipped && does !== 'terminate';
            expect(draft(message, 'osd', language) !== null).toBe(isShown);
          }
        }
      }
    }
  });

  it('say days of the site, and of a late notice when it was due', () => {
    const late = step({ does: 'wall', isSkipped: true });
    expect(draft(late, 'text')).toEqual({
      ...{ kind: 'text', template: 'text.dunning.late', target: '+254711000111' },
      body:
        'This notice of 11/12/2026 comes late: KES 650 unpaid since 01/12/2026. ' +
        'To pay, dial *384*123#.',
      notAfter: NOT_AFTER,
    });
    const by = new Date('2026-12-15T21:00:00Z');
    const noted = { name: 'promise_noted', amount: 1n, asset: 'XOF', by, notAfter: by } as const;
    expect(draft(noted, 'text', 'fr')?.body).toMatch(/^Note: vous payez 1 F au plus tard le 15\//);
    expect(draft(noted, 'osd')).toBeNull();
  });

  it('name no figure on the screen, and force what stands over the picture', () => {
    const templates = STEP_ACTS.flatMap((does) =>
      (['postpaid', 'prepaid'] as const).flatMap((kind) => {
        const shown = draft(step({ does, kind }), 'osd');
        expect(shown?.body ?? '').not.toMatch(/650/);
        return shown ? [shown.template] : [];
      }),
    );
    expect(templates.filter(isForced)).toEqual(['osd.dunning.wall', 'osd.dunning.wall.ended']);
  });

  it('are refused in a currency that does not exist', () => {
    expect(() => draft(step({ asset: 'XXQ' }), 'text')).toThrow('XXQ');
  });
});
