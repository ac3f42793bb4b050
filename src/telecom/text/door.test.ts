import type { Pool } from 'pg';
import { silentLogger } from '../../platform/log.ts';
import type { SmsIn } from '../canonical.ts';
import type { TextChannel } from '../channels.ts';
import { readerFor } from '../providers.ts';
import { createTextDoor } from './door.ts';

const CHANNEL: TextChannel = {
  ...{ id: 'ke-text', site: 'NBO', kind: 'text', provider: 'africastalking' },
  ...{ token: '0'.repeat(32), username: 'viptv', apiKey: 'key' },
};
const TEXT = { id: 'ATXid_1', from: '+254711000111', to: '21512', text: 'BAL', date: '' };

describe('the door of a text gateway', () => {
  let taken: SmsIn[];
  let failure: Error | null;
  let choices: { msisdn: string; wanted: boolean }[];
  beforeEach(() => {
    taken = [];
    choices = [];
    failure = null;
  });

  const knock = (rest: string, fields: Record<string, string>) => {
    const body = new URLSearchParams(fields).toString();
    const door = createTextDoor({
      pool: {} as Pool,
      logger: silentLogger,
      siteOf: () => ({ country: 'KE', currency: 'KES', timeZone: 'Africa/Nairobi' }),
      textReader: (provider) => readerFor(provider, 'sms.in'),
      reportReader: (provider) => readerFor(provider, 'sms.dlr'),
      optOutReader: (provider) => readerFor(provider, 'sms.optout'),
      clock: { now: () => new Date('2026-11-23T11:00:00Z') },
      async setReminders({ msisdn, wanted }) {
        choices.push({ msisdn, wanted });
      },
      inbound: {
        async take(message) {
          if (failure) throw failure;
          taken.push(message);
        },
      },
      channelOf: ({ id }) => ({
        ...{ id, siteId: 1n, country: 'KE', currency: 'KES', timeZone: 'Africa/Nairobi' },
        ...{ defaultLanguage: 'en', serviceCode: '*384*100#', mobileMoney: true },
      }),
    });
    const raw = { method: 'POST', path: '/', headers: {}, body, query: {} };
    const bytes = Buffer.from(body);
    return door({ channel: CHANNEL, rest, raw, bytes, remote: '127.0.0.1' });
  };

  it('answers a text after it was taken', async () => {
    expect(await knock('in', TEXT)).toMatchObject({ status: 200, body: 'OK' });
    expect(taken).toMatchObject([{ id: 'ATXid_1', from: '+254711000111', text: 'BAL' }]);
  });

  it('does not answer a text that could not be taken, so that it is repeated', async () => {
    failure = new Error('Connection terminated unexpectedly');
    await expect(knock('in', TEXT)).rejects.toBe(failure);
  });

  it('refuses what is no text', async () => {
    const { text: _, ...silent } = TEXT;
    for (const fields of [{}, silent, { ...TEXT, id: 'x'.repeat(129) }, { ...TEXT, id: 'a\0' }]) {
      expect(await knock('in', fields)).toMatchObject({ status: 400 });
    }
    expect(taken).toEqual([]);
  });

  it('takes an opt-out for the end of reminders, and nothing else for one', async () => {
    const note = { senderId: '21512', phoneNumber: '+254711000111' };
    expect(await knock('optout', note)).toMatchObject({ status: 200, body: 'OK' });
    expect(choices).toEqual([{ msisdn: '+254711000111', wanted: false }]);
    for (const fields of [{}, { ...note, phoneNumber: 'nobody' }]) {
      expect(await knock('optout', fields)).toMatchObject({ status: 400 });
    }
    expect(choices).toHaveLength(1);
  });

  it('refuses what is no delivery report, and knows no other way in', async () => {
    expect(await knock('report', TEXT)).toMatchObject({ status: 400 });
    expect(await knock('out', TEXT)).toMatchObject({ status: 404 });
  });
});
