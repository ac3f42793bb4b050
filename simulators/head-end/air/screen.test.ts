/** What somebody in front of the television sees, state by state. */
import { createHome, DAY, HOUR, message, right } from './air.fixture.ts';
import type { Knobs } from './types.ts';

const MONTH = right('ESS', 0, 30 * DAY);

describe('the screen', () => {
  it('shows each code for its reason, worst first', () => {
    const home = createHome();
    expect(home.sees()).toBe('V07');
    home.grant([MONTH, right('ESS', 0, DAY)]);
    expect(home.sees()).toBe('FILM');
    home.turn({ service: 'SPORT' });
    expect(home.sees()).toBe('V03');
    home.grant([right('PLUS', 0, DAY)], { suspended: 'non-payment' });
    expect(home.sees()).toBe('V04');
    const worse: [Partial<Knobs>, string][] = [
      [{ service: 'LOCAL' }, 'V08'],
      [{ paired: false }, 'V02'],
      [{ blacklisted: true }, 'V05'],
      [{ cardIn: false }, 'V01'],
      [{ signal: false }, 'V06'],
      [{ power: false }, 'off'],
    ];
    for (const [knobs, code] of worse) {
      home.turn(knobs);
      expect(home.sees()).toBe(code);
    }
  });

  it('is free to air whatever is wrong with card, pairing and payment', () => {
    const home = createHome();
    home.turn({ service: 'NEWS' });
    expect(home.sees()).toBe('NEWS');
    home.grant([], { suspended: 'non-payment' });
    home.turn({ cardIn: false, paired: false, blacklisted: true, region: 'abroad' });
    expect(home.sees()).toBe('NEWS');
    home.turn({ signal: false });
    expect(home.sees()).toBe('V06');
  });

  it('has nothing on a number that is not in the line-up', () => {
    const home = createHome();
    home.turn({ service: 'NO-SUCH' });
    expect(home.sees()).toBe('V06');
  });

  it('shows a regional programme in its region alone', () => {
    const home = createHome();
    home.grant([MONTH]);
    home.turn({ service: 'LOCAL' });
    expect(home.sees()).toBe('V08');
    home.turn({ region: 'coast' });
    expect(home.sees()).toBe('LOCAL');
  });

  it('shows a pay-per-view event for as long as it was bought', () => {
    const home = createHome();
    home.turn({ service: 'FINAL' });
    home.grant([MONTH, right('EVT:FINAL', HOUR, 3 * HOUR)]);
    const seen = [0, HOUR, HOUR, HOUR].map((seconds) => {
      home.wait(seconds, 60);
      return home.sees();
    });
    expect(seen).toEqual(['V03', 'FINAL', 'FINAL', 'V03']);
  });

  it('goes dark by itself when rights end, and lights up when they begin', () => {
    const home = createHome({ cards: () => [] });
    home.grant([right('ESS', 0, 2 * HOUR), right('ESS', 3 * HOUR, 4 * HOUR)]);
    const broadcastsOver = HOUR + 6 * 60;
    home.wait(broadcastsOver, 60);
    home.events.length = 0;
    home.wait(4 * HOUR, 60);
    expect(home.events.map((event) => event.type)).toEqual(['screen', 'screen', 'screen']);
    expect(home.events).toMatchObject([
      { at: '2026-11-23T15:00:00.000Z', screen: { kind: 'blocked', code: 'V03' } },
      { at: '2026-11-23T16:00:00.000Z', screen: { kind: 'picture', service: 'FILM' } },
      { at: '2026-11-23T17:00:00.000Z', screen: { kind: 'blocked', code: 'V03' } },
    ]);
  });

  it('believes the clock of the decoder, right or wrong', () => {
    const home = createHome();
    home.grant([right('ESS', 0, HOUR)]);
    home.turn({ clockOffsetMs: 2 * HOUR * 1_000 });
    expect(home.sees()).toBe('V03');
    home.turn({ clockOffsetMs: -600_000 });
    expect(home.sees()).toBe('V03');
    home.wait(HOUR, 60);
    expect(home.sees()).toBe('FILM');
    home.events.length = 0;
    home.wait(600, 10);
    const screens = home.events.filter(({ type }) => type === 'screen');
    expect(screens).toMatchObject([{ at: '2026-11-23T14:10:00.000Z', screen: { code: 'V03' } }]);
  });
});

describe('a message on the screen', () => {
  it('lies over picture and block alike, once, for its duration', () => {
    const home = createHome();
    home.say(message('m1', { durationSeconds: 15 }));
    expect(home.osd()).toMatchObject({ id: 'm1' });
    expect(home.sees()).toBe('V07');
    home.grant([MONTH]);
    expect(home.sees()).toBe('FILM');
    expect(home.osd()).toMatchObject({ id: 'm1' });
    home.wait(14, 1);
    expect(home.osd()).toMatchObject({ id: 'm1' });
    home.wait(1);
    expect(home.osd()).toBeNull();
    home.wait(60, 1);
    const shown = home.events.flatMap((event) =>
      event.type === 'screen' && event.screen.kind !== 'off' ? [event.screen.osd?.id] : [],
    );
    expect(shown).toEqual(['m1', 'm1', undefined]);
    const heard = home.events.filter(
      (event) => event.type === 'received' && event.content === 'message',
    );
    expect(heard).toHaveLength(3);
  });

  it('that is forced stays above later ones', () => {
    const home = createHome();
    home.say(message('forced', { forced: true, durationSeconds: 20 }));
    home.say(message('later', { durationSeconds: 60 }));
    expect(home.osd()).toMatchObject({ id: 'forced', forced: true });
    home.wait(20);
    expect(home.osd()).toMatchObject({ id: 'later', forced: false });
  });

  it('is gone with the power, and missed without it', () => {
    const home = createHome();
    home.say(message('m1'));
    home.turn({ power: false });
    home.say(message('m2'));
    home.turn({ power: true });
    expect(home.osd()).toBeNull();
    home.wait(10);
    expect(home.osd()).toMatchObject({ id: 'm2' });
  });

  it('is on top for the latest, and the number of those remembered is bounded', () => {
    const home = createHome();
    for (let n = 0; n < 300; n += 1) home.say(message(`m${n}`, { durationSeconds: 600 }));
    expect(home.osd()).toMatchObject({ id: 'm299' });
  });
});
