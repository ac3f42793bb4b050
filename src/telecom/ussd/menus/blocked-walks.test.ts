/** Walks through the screens of a blocked picture: codes, cards, cut sessions. */

import {
  ASK_CODE,
  CALLER,
  CHECK,
  MAIN,
  NOBODY,
  onAir,
  PICK,
  phone,
  pictured,
  play,
  RESENT,
  STRANGER,
  TERMS,
  TWO_CARDS,
  world,
} from '../script.fixture.ts';

describe('a code on the screen', () => {
  const advice = async (typed: string, language: 'en' | 'fr' = 'en') => {
    const caller = phone(onAir({ ...CALLER, language }));
    await caller.dial('2*3');
    return caller.send(typed);
  };

  it.each(['V01', 'V02', 'V03', 'V04', 'V05', 'V06', 'V07', 'V08'])(
    '%s has its own advice in both languages',
    async (code) => {
      expect(await advice(code)).toMatch(new RegExp(`^${code}[:,] .*\\|0 Back 00 Home$`));
      expect(await advice(code, 'fr')).toMatch(
        new RegExp(`^${code}[:,] .*\\|0 Retour 00 Accueil$`),
      );
      expect(await advice(code, 'fr')).not.toBe(await advice(code));
    },
  );

  it('is understood as people type it', async () => {
    for (const typed of ['V03', 'v3', '3', '03', 'v 03', 'E16', 'e16', ' E 16 ']) {
      expect(await advice(typed)).toMatch(/^V03, E16: /);
    }
  });

  it('that does not exist is asked for again', async () => {
    for (const typed of ['9', 'V09', 'V10', 'E17', 'black', '']) {
      const seen = await advice(typed);
      if (typed === '') expect(seen).toBe(ASK_CODE);
      else expect(seen).toBe(`V01 to V08 or E16, please.|${ASK_CODE}`);
    }
  });

  it('about rights leads back to the decision, any other one does not', async () => {
    for (const code of ['V03', 'V07', 'E16']) {
      const caller = phone(onAir());
      await caller.dial('2*3');
      expect(await caller.send(code)).toMatch(/\|1 Look again\|0 Back 00 Home$/);
      expect(await caller.send('1')).toBe(RESENT);
    }
    const caller = phone(onAir());
    await caller.dial('2*3');
    const cable = await caller.send('V06');
    expect(await caller.send('1')).toBe(`Choose from the list.|${cable}`);
    expect(await caller.send('0')).toBe(ASK_CODE);
  });
});

describe('which card is blocked', () => {
  const STRANGERS = 'Card ..7001: not paid yet, credit KES 0. Missing KES 650 for a month.';
  const never = { diagnosis: { kind: 'not_paid', paidUntil: null } } as const;

  it('is picked from several, and back leads to the list', async () => {
    const on = onAir(TWO_CARDS);
    const other = RESENT.replace('4417', '9032');
    await play(phone(on), [
      ['dial 2', PICK],
      ['3', `Choose from the list.|${PICK}`],
      ['2', other],
      ['0', PICK],
      ['1', RESENT],
      ['2', CHECK],
      ['0', RESENT],
      ['0', PICK],
      ['0', MAIN],
    ]);
    await play(phone(on), [['dial 2*2', other]]);
  });

  it('is typed by anybody; an unknown one is asked for again', async () => {
    const ask = 'Card number (11 digits, under the decoder)|0 Back';
    await play(phone(pictured(never, NOBODY)), [
      ['dial 2', ask],
      ['12345037002', `Check the number.|${ask}`],
      ['12345000009', `Card not found.|${ask}`],
      [STRANGER.number, `${STRANGERS}|1 Pay now|0 Back`],
      ['0', ask],
    ]);
  });

  it('leads to paying for that card, and from there back to its decision', async () => {
    const caller = phone(pictured(never, TWO_CARDS));
    await caller.dial(`2*${STRANGER.number}`);
    expect(await caller.send('1')).toMatch(/^Card \.\.7001 JOHN O\.\|ESSENTIAL, not paid yet/);
    expect(await caller.send('0')).toBe(`${STRANGERS}|1 Pay now|0 Back`);
    expect(await caller.send('0')).toBe(PICK);
  });
});

describe('a session about a blocked picture that was cut', () => {
  it('is not offered as a payment to go on with, unless paying had begun', async () => {
    const on = world();
    const caller = phone(on);
    await caller.dial('2');
    expect(await caller.dial()).toBe(MAIN);
    await caller.dial('2*1');
    expect(await caller.dial()).toMatch(/^Continue paying card \.\.4417\?/);
    expect(await caller.send('1')).toBe(TERMS);
  });

  it('whose store was lost shows the decision again and reports nothing twice', async () => {
    const on = onAir();
    const caller = phone(on);
    await caller.dial();
    await caller.send('2');
    expect(await caller.send('2')).toBe(CHECK);
    caller.store.records.clear();
    expect(await caller.send('1')).toBe(RESENT);
    expect(on.acts.filter(({ what }) => what === 'picture black')).toHaveLength(1);
  });
});
