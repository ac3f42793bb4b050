import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { differs, replaySample } from '../src/telecom/replay-sample.ts';

const FOLDER = join('test', 'samples');
const files = readdirSync(FOLDER).filter((name) => name.endsWith('.json'));

const sample = (over: object) =>
  JSON.stringify({
    provider: 'africastalking',
    message: 'sms.optout',
    headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
    method: 'POST',
    body: { senderId: 'COMPANY', phoneNumber: '+254720123123' },
    context: { country: 'KE', currency: 'KES', timeZone: 'Africa/Nairobi' },
    ...over,
  });

describe('replay of provider samples', () => {
  it.each(files)('%s reads as expected', (name) => {
    const replay = replaySample(readFileSync(join(FOLDER, name), 'utf8'));
    expect(replay).not.toBeNull();
    expect(replay?.error).toBeUndefined();
    expect(replay?.outcome).not.toBe('contradiction');
  });

  it('tells a contradiction, an unexpected refusal and a refusal that was expected', () => {
    const wrong = replaySample(sample({ expectCanonical: { sender: 'OTHER' } }));
    expect(wrong).toMatchObject({ outcome: 'contradiction' });
    const body = { senderId: 'X' };
    const refused = replaySample(sample({ body, expectCanonical: { sender: 'X' } }));
    expect(refused).toMatchObject({ outcome: 'contradiction' });
    const expectCanonical = { refused: 'missing_field' };
    expect(replaySample(sample({ body, expectCanonical }))).toMatchObject({ outcome: 'refused' });
    expect(replaySample(sample({ expectCanonical }))).toMatchObject({ outcome: 'contradiction' });
  });

  it('knows what it has no reader for and what is no sample', () => {
    expect(replaySample(sample({ provider: 'nobody' }))?.outcome).toBe('unsupported');
    expect(replaySample(sample({}))?.outcome).toBe('ok');
    for (const text of ['', '[]', '{}', 'null', '{"provider": 1, "message": "x"}', '# Readme']) {
      expect(replaySample(text)).toBeNull();
    }
  });

  it('hands the body over with its own digits, nesting and repeated keys', () => {
    const text = (body: string) =>
      `{"message":"money.notice","provider":"mpesa","body":${body},"method":"POST",
        "context":{"country":"KE","currency":"KES","timeZone":"Africa/Nairobi"},
        "expectCanonical":{"amountMinor":"900719925474099310","txnId":"A1"}}`;
    const exact = replaySample(text('{"TransID":"a1" , "TransAmount": 9007199254740993.100}'));
    expect(exact?.error).toBeUndefined();
    expect(exact?.outcome).toBe('ok');
    const deep = replaySample(text(`${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}`));
    expect(deep?.canonical).toEqual({ refused: 'missing_field' });
  });

  it('compares listed fields only, null as absent, times as instants, lists one by one', () => {
    const found = { occurredAt: '2020-01-01T00:00:00.000Z', a: null, rows: [{ x: '1', y: '2' }] };
    expect(differs({ occurredAt: '2020-01-01T03:00:00+03:00', b: null }, found, '')).toBeNull();
    expect(differs({ rows: [{ y: '2' }] }, found, '')).toBeNull();
    expect(differs({ rows: [] }, found, '')).toMatch(/^rows:/);
    expect(differs({ rows: [{ y: '3' }] }, found, '')).toMatch(/^rows\.0\.y:/);
    expect(differs({ a: '1' }, found, '')).toMatch(/^a:/);
    expect(differs({ occurredAt: null }, found, '')).toMatch(/^occurredAt:/);
  });
});
