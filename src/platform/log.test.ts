import { Writable } from 'node:stream';
import { createLogger } from './log.ts';

function capture(level: 'info' | 'error' = 'info') {
  const lines: Record<string, unknown>[] = [];
  const stream = new Writable({
    write(chunk, _encoding, done) {
      for (const line of String(chunk).trim().split('\n')) lines.push(JSON.parse(line));
      done();
    },
  });
  return { lines, stream, logger: createLogger({ level, service: 'test', stream }) };
}

function logged(fields: Record<string, unknown>): Record<string, unknown> {
  const { lines, logger } = capture();
  logger.info('test.event', fields);
  return lines[0] ?? {};
}

describe('the log', () => {
  it('writes one JSON object a line, with its own names first', () => {
    const { lines, logger } = capture();
    logger.child({ room: 'ledger' }).warn('ledger.slow', { tookMs: 12, event: 'dropped' });
    expect(lines).toEqual([
      {
        time: expect.stringMatching(/^\d{4}-.*Z$/),
        level: 'warn',
        service: 'test',
        event: 'ledger.slow',
        room: 'ledger',
        tookMs: 12,
      },
    ]);
  });

  it('keeps quiet below its level', () => {
    const { lines, logger } = capture('error');
    logger.info('a.b');
    logger.warn('a.b');
    logger.error('a.b');
    expect(lines.map((line) => line.level)).toEqual(['error']);
  });

  it('survives a stream whose reader went away', () => {
    const { logger, stream } = capture();
    stream.emit('error', new Error('EPIPE'));
    expect(() => logger.info('a.b')).not.toThrow();
  });

  it.each([
    'secret',
    'webhookSecret',
    'TOKEN',
    'access_token',
    'pin',
    'newPin',
    'PIN',
    'password',
    'passkey',
    'apiKey',
    'api_key',
    'x-api-key',
    'APIKEY',
    'authorization',
    'consumerSecret',
    'Cookie',
    'securityCredential',
  ])('hides a field called %s, nested and in arrays', (key) => {
    const line = JSON.stringify(logged({ [key]: 'abc123', in: { list: [{ [key]: ['abc123'] }] } }));
    expect(line).not.toContain('abc123');
    expect(line).toContain('[redacted]');
  });

  it.each(['shipping', 'mapping', 'spin', 'opinion'])('shows a field called %s', (key) => {
    expect(logged({ [key]: 'abc123' })[key]).toBe('abc123');
  });

  it.each([
    ['POST /hooks/momo-ke/s3cr3tpath?x=1', 'POST /hooks/momo-ke/[redacted]?x=1'],
    ['postgres://app:hun:ter2@127.0.0.1/vip', 'postgres://app:[redacted]@127.0.0.1/vip'],
    ['redis://:hunter2@cache:6379', 'redis://:[redacted]@cache:6379'],
    ['Authorization: Bearer abc.def-1', 'Authorization: Bearer [redacted]'],
    ['/ussd?api_key=hunter2&x=1', '/ussd?api_key=[redacted]&x=1'],
    ['from 254712345678 to +237 677 12 34 56', 'from …678 to …456'],
    ['Key (msisdn)=(254712345678) exists', 'Key (msisdn)=(…678) exists'],
    ['0712345678', '…678'],
    ['a1b2c3d4-e29b-41d4-a716-446655440000', 'a1b2c3d4-e29b-41d4-a716-446655440000'],
    ['2026-11-23T06:09:19.194Z', '2026-11-23T06:09:19.194Z'],
    ['QGH7SK61SU', 'QGH7SK61SU'],
  ])('writes the text %s as %s', (given, expected) => {
    expect(logged({ text: given }).text).toBe(expected);
  });

  it('masks a phone number given as a number, and leaves our own long numbers readable', () => {
    const line = logged({ msisdn: 254712345678, PartyA: 254712345678, partyId: '254712345678' });
    expect(line).toMatchObject({ msisdn: '…678', PartyA: '…678', partyId: '…678' });
    const own = { card: '01234567890', journalId: 7123456789012n, amountMinor: 150000000000n };
    expect(logged(own)).toMatchObject({
      card: '01234567890',
      journalId: '7123456789012',
      amountMinor: '150000000000',
    });
  });

  it('never throws, whatever it is given', () => {
    const circle: Record<string, unknown> = { name: 'circle' };
    circle.self = circle;
    const getter = Object.defineProperty({}, 'bad', {
      enumerable: true,
      get: () => {
        throw new Error('no');
      },
    });
    const proxy = new Proxy({}, { ownKeys: () => ['a', 'a'] });
    const error = new Error('token=hunter2', { cause: new Error('deep') });
    const line = logged({
      circle,
      getter,
      error: Object.assign(error, { code: '23505', error }),
      none: undefined,
      nan: Number.NaN,
      badDate: new Date(Number.NaN),
      bytes: Buffer.from('abc'),
      map: new Map([['pin', '1234']]),
      set: new Set([1n]),
      fn: () => 1,
      sym: Symbol('s'),
    });
    expect(line).toMatchObject({
      circle: { name: 'circle', self: '[circular]' },
      getter: { bad: '[unreadable]' },
      error: { name: 'Error', message: 'token=[redacted]', code: '23505', error: '[circular]' },
      nan: 'NaN',
      badDate: 'invalid date',
      bytes: '[3 bytes]',
      map: { pin: '[redacted]' },
      set: ['1'],
    });
    expect(logged({ proxy })).toHaveProperty('unloggable');
    const deep = JSON.parse(`${'{"a":'.repeat(50)}1${'}'.repeat(50)}`);
    expect(JSON.stringify(logged(deep))).toContain('[deep]');
    expect(JSON.stringify(logged({ long: 'x'.repeat(9000) })).length).toBeLessThan(4300);
  });
});
