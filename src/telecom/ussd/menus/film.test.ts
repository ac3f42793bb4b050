import { CANCELLED, DERBY, MAIN, phone, play, RICH, world } from '../script.fixture.ts';

describe('film and match', () => {
  const list = 'Film / match: pick or type its code|1 GOR v AFC 24/11 16:00 KES 100|0 Back';
  const pick =
    'GOR v AFC 24/11 16:00 KES 100|Card number (11 digits) or pick:|1 ..4417 AMINA D.|0 Back';
  const confirm =
    'Pay KES 100 for|GOR v AFC 24/11 16:00|card ..4417 AMINA D.' +
    '|1 Yes, pay with mobile money|3 Pay with credit (have KES 700)|0 Cancel';

  it('is picked from the list', async () => {
    const on = world({ ...RICH, tvuUnits: 0n });
    await play(phone(on), [
      ['dial', MAIN],
      ['5', list],
      ['0', MAIN],
      ['5', list],
      ['1', pick],
      ['0', list],
      ['1', pick],
      ['1', confirm],
      ['3', 'END Paid for card ..4417. Keep the decoder ON 5 min. Ref 8K2Q7'],
    ]);
    expect(on.acts).toMatchObject([
      { what: 'wallet credit', kind: 'event', cardId: 11n, eventId: 5n },
    ]);
  });

  it('is named by its code, for any card', async () => {
    const on = world({ ...RICH, tvuUnits: 0n });
    await play(phone(on), [
      ['dial 5', list],
      ['nope', `Code not found.|${list}`],
      ['?', `Code not found.|${list}`],
      ['derby', pick],
      ['12345037001', confirm.replace('..4417 AMINA D.', '..7001 JOHN O.')],
      ['0', CANCELLED],
    ]);
    expect(on.acts).toEqual([]);
  });

  it('says when nothing is on sale, and when it is over', async () => {
    const on = world();
    on.services.events = async () => [];
    const none = 'Nothing is on sale now. Type a code or 0 Back';
    await play(phone(on), [
      ['dial 5', none],
      ['0', MAIN],
    ]);
    on.services.event = async () => ({ ...DERBY, onSale: false });
    await play(phone(on), [['dial 5*DERBY', `Not on sale now.|${none}`]]);
  });
});
