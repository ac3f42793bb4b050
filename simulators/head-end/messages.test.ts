/** What people see over the picture: texts, letters, fingerprints, another programme by force. */
import { tearDown } from './head-end-harness.ts';
import { openHomes, revised, right } from './homes.fixture.ts';

afterEach(tearDown);

const all = { target: { kind: 'all', id: '*' } };
const osd = (more: object = {}) => ({ text: 'Bonjour', durationSeconds: 30, ...more });

describe('a message', () => {
  it('goes to one card, one decoder, an area, or all', async () => {
    const { order, view } = await openHomes();
    const textOf = (card: string) => {
      const { screen } = view(card);
      return screen.kind === 'off' ? null : (screen.osd?.text ?? null);
    };
    const texts = () => ['1', '2', '3'].map(textOf);
    await order('REGION', '2', { args: { area: 'coast' } });
    const stb = { target: { kind: 'stb', id: 'STB-1' } };
    expect(await order('OSD', '', { ...stb, args: osd() })).toBe('DONE');
    expect(texts()).toEqual(['Bonjour', null, null]);
    const coast = { target: { kind: 'region', id: 'coast' } };
    expect(await order('OSD', '', { ...coast, args: osd({ text: 'Mer' }) })).toBe('DONE');
    expect(texts()).toEqual(['Bonjour', 'Mer', null]);
    expect(await order('OSD', '', { ...all, args: osd() })).toBe('SECOND_PERSON_REQUIRED');
    const approved = { ...all, actor: 'ann', approvedBy: 'bob', args: osd({ text: 'Tous' }) };
    expect(await order('OSD', '', approved)).toBe('DONE');
    expect(texts()).toEqual(['Tous', 'Tous', 'Tous']);
  });

  it('comes back as often as it says, at its interval, and no more', async () => {
    const { order, view, time, house } = await openHomes();
    await order('OSD', '1', { args: osd({ times: 2, intervalSeconds: 60, position: 'top' }) });
    const shown: boolean[] = [];
    for (let second = 0; second <= 150; second += 15) {
      const { screen } = view('1');
      shown.push(screen.kind !== 'off' && screen.osd !== null);
      time.advance(15_000);
      house.headEnd.air.advance(time.clock.now());
    }
    expect(shown.map(Number).join('')).toBe('11001100000');
  });
});

describe('a letter', () => {
  const letter = { subject: 'Tarif', body: 'Nouveau tarif' };

  it('lies in the mailbox once, if the decoder was off too, and stays without power', async () => {
    const { order, view, turn, pass } = await openHomes();
    turn('1', { power: false });
    expect(await order('MAIL', '1', { args: letter })).toBe('DONE');
    turn('1', { power: true });
    pass(30);
    turn('1', { power: false });
    expect(view('1').mailbox).toMatchObject([letter]);
  });

  it('is no longer than the head-end says at log-in', async () => {
    const { order, client } = await openHomes({ mailMax: 18 });
    expect(client().welcome).toMatchObject({ caps: { mailMax: 18 } });
    expect(await order('MAIL', '1', { args: letter })).toBe('DONE');
    const longer = { ...letter, body: `${letter.body}!` };
    expect(await order('MAIL', '1', { args: longer })).toBe('TEXT_TOO_LONG');
  });
});

describe('a fingerprint', () => {
  const fingerprint = { identity: 'stb', durationSeconds: 60 };
  const printed = (view: ReturnType<Awaited<ReturnType<typeof openHomes>>['view']>) =>
    view.screen.kind === 'off' ? undefined : view.screen.fingerprint;

  it('lies over a forced message, at another place in each decoder', async () => {
    const { order, view } = await openHomes();
    await order('OSD', '1', { args: osd({ forced: true }) });
    expect(await order('FINGERPRINT', '', { ...all, args: fingerprint })).toBe('DONE');
    expect(view('1').screen).toMatchObject({
      ...{ osd: { forced: true }, fingerprint: { text: 'STB-1', mode: 'overt' } },
    });
    const places = ['1', '2', '3'].map((card) => {
      const { xPercent = -1, yPercent = -1 } = printed(view(card)) ?? {};
      expect(Math.min(xPercent, yPercent)).toBeGreaterThanOrEqual(0);
      expect(Math.max(xPercent, yPercent)).toBeLessThanOrEqual(100);
      return `${xPercent}:${yPercent}`;
    });
    expect(new Set(places).size).toBe(3);
  });

  it('is where, of what and in which way it is told to be, and only on its programme', async () => {
    const { order, view, turn, pass } = await openHomes();
    const position = { xPercent: 10, yPercent: 90 };
    const more = { mode: 'covert', identity: 'vc', service: 'TELE1', position, colour: '#00ff00' };
    expect(await order('FINGERPRINT', '1', { args: { ...fingerprint, ...more } })).toBe('DONE');
    expect(printed(view('1'))).toBeUndefined();
    turn('1', { service: 'TELE1' });
    expect(printed(view('1'))).toMatchObject({
      ...{ text: '1', mode: 'covert', xPercent: 10, yPercent: 90, colour: '#00ff00' },
    });
    pass(1);
    expect(printed(view('1'))).toBeUndefined();
    const nowhere = { ...fingerprint, service: 'NONE' };
    expect(await order('FINGERPRINT', '1', { args: nowhere })).toBe('UNKNOWN_PRODUCT');
  });
});

describe('a forced programme', () => {
  it('holds the decoder for its time, then it is where it was', async () => {
    const { order, sees, view, pass } = await openHomes();
    await order('ENTITLE', '1', revised(1, { set: [right('ESS')] }));
    const tune = { service: 'TELE1', durationSeconds: 60 };
    expect(await order('FORCE_TUNE', '', { ...all, args: tune })).toBe('SECOND_PERSON_REQUIRED');
    expect(await order('FORCE_TUNE', '', { ...all, approvedBy: 'bob', args: tune })).toBe('DONE');
    expect([sees('1'), sees('2'), view('1').tuned]).toEqual(['TELE1', 'TELE1', 'TELE1']);
    pass(1);
    expect([sees('1'), view('1').tuned]).toEqual(['NOVA', null]);
  });
});
