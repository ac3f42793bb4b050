import { CANCELLED, MAIN, PROMPT, phone, play, RESELLER, RICH, world } from '../script.fixture.ts';

describe('TV units', () => {
  const menu = 'TV units: you have 2100|1 Buy with mobile money|2 Convert to credit';

  it('are bought with mobile money', async () => {
    const on = world(RICH);
    const ask = 'TV units: amount to pay, in KES:|0 Back';
    const confirm = 'Buy TV units for KES 500|1 Yes, pay with mobile money|0 Cancel';
    await play(phone(on), [
      ['dial', MAIN],
      ['4', `${menu}|0 Back`],
      ['1', ask],
      ['0', `${menu}|0 Back`],
      ['1', ask],
      ['x', `Whole amount, please.|${ask}`],
      ['500', confirm],
      ['1', PROMPT],
    ]);
    expect(on.acts).toMatchObject([{ what: 'mobile money', kind: 'tvu', amountMinor: 50_000n }]);
  });

  it('turn into credit once, and the unused ones stay', async () => {
    const on = world(RICH);
    const ask = 'You have 2100 TV units.|How many to convert to credit?|0 Back';
    const confirm =
      'Convert TV units: KES 75 credit for 150 units. 1950 units stay.|1 Yes|0 Cancel';
    await play(phone(on), [
      ['dial 4', `${menu}|0 Back`],
      ['2', ask],
      ['0', `${menu}|0 Back`],
      ['2', ask],
      ['many', `Number of units, please.|${ask}`],
      ['2101', `You do not have so many.|${ask}`],
      ['9', `Too few for credit.|${ask}`],
      ['155', confirm],
      ['1', 'END Done: 150 TV units gave KES 75 credit. Ref C1'],
    ]);
    expect(on.acts).toMatchObject([{ what: 'convert', units: 155n }]);
    await play(phone(on), [
      ['dial 4*2*155', confirm],
      ['0', CANCELLED],
    ]);
    on.services.tvuQuote = async () => null;
    await play(phone(on), [['dial 4*2*155', `No tariff now.|${menu}|0 Back`]]);
    expect(on.acts).toHaveLength(1);
  });

  it('are sent by resellers alone', async () => {
    await play(phone(world(RICH)), [
      ['dial 4', `${menu}|0 Back`],
      ['3', `For resellers only.|${menu}|0 Back`],
    ]);
  });

  const askPhone = 'Send TV units.|Phone number:|0 Back';
  const askUnits = 'Send TV units to +254712000111.|You have 2100. How many?|0 Back';
  const askPin = 'Send 500 TV units to +254712000111.|Your PIN to confirm:|0 Cancel';

  it('reach a phone with the PIN of the reseller', async () => {
    const on = world(RESELLER);
    await play(phone(on), [
      ['dial', MAIN],
      ['4', `${menu}|3 Send to a phone|0 Back`],
      ['3', askPhone],
      ['0', `${menu}|3 Send to a phone|0 Back`],
      ['3', askPhone],
      ['12', `Phone number, please.|${askPhone}`],
      ['0712 000 111', askUnits],
      ['0', askPhone],
      ['0712000111', askUnits],
      ['all', `Number of units, please.|${askUnits}`],
      ['2101', `You do not have so many.|${askUnits}`],
      ['500', askPin],
      ['00', MAIN],
    ]);
    expect(on.acts).toEqual([]);
    await play(phone(on), [
      ['dial 4*3*0712000111*500', askPin],
      ['4321', 'END Sent 500 TV units to +254712000111. You have 1600. Ref S1'],
    ]);
    expect(on.acts).toMatchObject([{ what: 'send', to: '+254712000111', units: 500n }]);
  });

  it('stay where they are with a wrong PIN, and the session ends', async () => {
    const on = world(RESELLER);
    await play(phone(on), [
      ['dial 4*3*0712000111*500', askPin],
      ['9999', 'END Wrong PIN. Nothing was sent. Please dial again.'],
      ['4321', 'END Wrong PIN. Nothing was sent. Please dial again.'],
    ]);
    expect(on.acts).toHaveLength(1);
  });

  it('need a PIN of four to eight digits; another is not even tried', async () => {
    const on = world(RESELLER);
    await play(phone(on), [
      ['dial 4*3*0712000111*500', askPin],
      ['432', 'END A PIN has 4 to 8 digits. Nothing was sent. Please dial again.'],
    ]);
    await play(phone(on), [
      ['dial 4*3*0712000111*500', askPin],
      ['0', CANCELLED],
    ]);
    expect(on.acts).toEqual([]);
  });

  it('never leave the PIN in the store or the log', async () => {
    const on = world(RESELLER);
    const pinned = ['4321', '9999', '7777x', '31415926'];
    for (const pin of pinned) {
      const caller = phone(on);
      await caller.dial('4*3*0712000111*500');
      await caller.send(pin);
      await caller.dial(`4*3*0712000111*500*${pin}`);
      await caller.dial(`9*4*3*0712000111*500*${pin}*1`);
      const kept = JSON.stringify([...caller.store.records, caller.log]);
      expect(kept).not.toContain(pin);
    }
  });

  it('are not sent by a PIN dialled behind the code', async () => {
    const on = world(RESELLER);
    await play(phone(on), [
      [
        'dial 4*3*0712000111*500*4321',
        'END Never dial your PIN behind the code. Nothing was sent. Please dial again.',
      ],
    ]);
    expect(on.acts).toEqual([]);
  });
});
