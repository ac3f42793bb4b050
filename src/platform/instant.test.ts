import * as fc from 'fast-check';
import { DateTime } from 'luxon';
import { toInstant } from './instant.ts';

const NAIROBI = 'Africa/Nairobi';

describe('times of providers', () => {
  it('reads every form that providers write', () => {
    for (const [text, utc] of [
      ['20231121121325', '2023-11-21T09:13:25.000Z'],
      ['2020-08-05T10:13:00Z', '2020-08-05T10:13:00.000Z'],
      ['2018-03-19T08:34:18.445999999Z', '2018-03-19T08:34:18.445Z'],
      ['2016-07-10T15:12:05+03', '2016-07-10T12:12:05.000Z'],
      ['2016-07-10T15:12:05+0300', '2016-07-10T12:12:05.000Z'],
      ['2016-07-10T15:12:05.5-03:30', '2016-07-10T18:42:05.500Z'],
      ['2016-07-10 15:12:05 +03:00', '2016-07-10T12:12:05.000Z'],
      ['2017-05-03 06:04:45', '2017-05-03T03:04:45.000Z'],
      ['2017-05-03T06:04:45', '2017-05-03T03:04:45.000Z'],
      ['22-09-2026 23:59:59', '2026-09-22T20:59:59.000Z'],
      ['06.07.2024 22:48:52', '2024-07-06T19:48:52.000Z'],
      ['22/09/2026 23:59:59', '2026-09-22T20:59:59.000Z'],
      ['2021-09-15', '2021-09-14T21:00:00.000Z'],
    ] as const) {
      expect(toInstant(text, NAIROBI)).toBe(utc);
    }
  });

  it('gives null for what cannot be read', () => {
    for (const text of [
      null,
      undefined,
      '',
      'yesterday',
      '2017-05-03T06:04',
      '2017-05-0',
      '202311211213',
      '20230230121325',
      '20231121251325',
      '20231121126025',
      '00000000000000',
      '2016-07-10T15:12:05+99',
      '2016-02-30',
      '9'.repeat(64_000),
    ]) {
      expect(toInstant(text, NAIROBI)).toBeNull();
    }
    expect(toInstant('20231121121325', 'Nowhere/Land')).toBeNull();
  });

  it('agrees with the zone data at any time, also where clocks change', () => {
    const zones = fc.constantFrom('Africa/Cairo', 'Africa/Casablanca', 'Europe/Zagreb', NAIROBI);
    const from = new Date('2000-01-01T00:00:00Z');
    const to = new Date('2030-01-01T00:00:00Z');
    fc.assert(
      fc.property(fc.date({ min: from, max: to, noInvalidDate: true }), zones, (date, zone) => {
        const local = DateTime.fromJSDate(date, { zone }).startOf('second');
        const read = toInstant(local.toFormat('yyyyMMddHHmmss'), zone) ?? '';
        const back = DateTime.fromISO(read, { zone });
        expect(back.toFormat('yyyyMMddHHmmss')).toBe(local.toFormat('yyyyMMddHHmmss'));
      }),
    );
  });
});
