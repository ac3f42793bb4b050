import { IVORY_COAST, NOBODY, phone, RICH, world } from '../script.fixture.ts';

const NO_PROMPTS = { ...IVORY_COAST, defaultLanguage: 'en', mobileMoney: false } as const;

describe('where prompts cannot be pushed', () => {
  it('only what the wallet holds is offered', async () => {
    const on = world(RICH);
    const shown = await phone(on, { channel: NO_PROMPTS }).dial('1*1');
    expect(shown).toContain('2 Pay with TVU');
    expect(shown).not.toMatch(/mobile money/i);
  });

  it('a caller with nothing is told where units come from, and 1 does nothing', async () => {
    const on = world({ ...NOBODY, cards: RICH.cards });
    const caller = phone(on, { channel: NO_PROMPTS });
    expect(await caller.dial('1*1')).toContain('To pay, get TV units from a reseller.');
    await caller.send('1');
    expect(on.acts).toEqual([]);
  });

  it('units are not sold by mobile money', async () => {
    const on = world(RICH);
    expect(await phone(on, { channel: NO_PROMPTS }).dial('4')).not.toMatch(/mobile money/i);
  });
});
