import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import type { RawMessage, ReadContext } from './canonical.ts';
import { readerFor, ussdProviders } from './providers.ts';

/** Readers face the open network: whatever comes, they answer with a shape or a refusal. */

const KINDS: readonly (readonly [string, readonly string[]])[] = [
  [
    'africastalking',
    [
      ...['ussd.turn', 'ussd.end', 'sms.in', 'sms.dlr', 'sms.response', 'sms.optout'],
      ...['sms.subscription', 'money.notice', 'money.validate', 'airtime.notice'],
      'airtime.validate',
    ],
  ],
  ['safaricom', ['ussd.turn']],
  [
    'mpesa',
    [
      ...['money.notice', 'money.validate', 'money.status', 'money.payout', 'money.reversal'],
      'money.statement',
    ],
  ],
  ['mpesa-soap', ['money.lookup', 'money.validate', 'money.notice']],
  ['telebirr', ['money.lookup', 'money.validate', 'money.notice']],
  ['xml', ['hostile.xml']],
];

const contexts: readonly ReadContext[] = [
  { country: 'KE', currency: 'KES', timeZone: 'Africa/Nairobi', previous: '1' },
  { country: '', currency: '', timeZone: 'Nowhere' },
  {
    ...{ country: 'SN', currency: 'XOF', timeZone: 'Africa/Dakar', minorUnitFactor: 100 },
    order: { requestId: 'r', amountMinor: '5000', currency: 'XOF' },
  },
];

const samples = readdirSync(join('test', 'samples'))
  .filter((name) => name.endsWith('.json'))
  .map((name) => JSON.parse(readFileSync(join('test', 'samples', name), 'utf8')).body as unknown);

function readByAll(body: string, query: Record<string, string> = {}): void {
  for (const [provider, messages] of KINDS) {
    for (const message of messages) {
      const reader = readerFor(provider, message);
      const method = Object.keys(query).length > 0 ? 'GET' : 'POST';
      const raw: RawMessage = { method, path: '/', headers: {}, body, query, status: 200 };
      for (const context of contexts) {
        const result = reader?.(raw, context);
        expect(typeof result).toBe('object');
        expect(() => JSON.stringify(result)).not.toThrow();
      }
    }
  }
}

/** A sample's body with one of its values replaced by anything. */
function mutated(body: unknown, at: number, value: unknown): string {
  let seen = 0;
  return JSON.stringify(body, (_key, found) => (seen++ === at ? value : found)) ?? '';
}

describe('readers of providers', () => {
  it('are there for every kind of message', () => {
    for (const [provider, messages] of KINDS) {
      for (const message of messages) expect(readerFor(provider, message)).toBeDefined();
    }
    expect(readerFor('mpesa', 'ussd.turn')).toBeUndefined();
    expect([...ussdProviders.keys()]).toEqual(['africastalking', 'safaricom']);
  });

  it('never throw, whatever type of value stands in a message', () => {
    const anything = fc.oneof(
      fc.constantFrom(null, '', ' ', '\0', 0, -1, 1e300, true, [], {}, [[]], '[[]]', '{'),
      fc.jsonValue({ maxDepth: 4 }),
    );
    const body = fc.constantFrom(...samples.filter((item) => typeof item === 'object'));
    fc.assert(
      fc.property(body, fc.nat({ max: 40 }), anything, (item, at, value) => {
        readByAll(mutated(item, at, value));
      }),
      { numRuns: 150 },
    );
  });

  it('never throw on broken text', () => {
    const texts = samples.map((item) => (typeof item === 'string' ? item : JSON.stringify(item)));
    const text = fc.constantFrom(...texts);
    fc.assert(
      fc.property(text, fc.nat(), fc.string({ maxLength: 5 }), (whole, at, junk) => {
        const cut = at % (whole.length + 1);
        readByAll(whole.slice(0, cut));
        readByAll(whole.slice(0, cut) + junk + whole.slice(cut));
      }),
      { numRuns: 100 },
    );
    fc.assert(
      fc.property(fc.string(), (junk) => readByAll(junk)),
      { numRuns: 50 },
    );
  });

  it('never throw on form and query fields of any content', () => {
    const name = fc.constantFrom('sessionId', 'text', 'from', 'id', 'status', '__proto__', 'date');
    fc.assert(
      fc.property(fc.dictionary(name, fc.string({ unit: 'binary' })), (fields) => {
        readByAll(new URLSearchParams(fields).toString());
        readByAll('', fields);
      }),
      { numRuns: 50 },
    );
  });

  it('bear 64 kB of one thing', () => {
    const SIZE = 64 * 1024;
    for (const char of [
      '[',
      '{"a":',
      '<a>',
      '"',
      'a=&',
      ',',
      '\0',
      '%',
      '*',
      '9',
      '\n',
      '<![CDATA[',
    ]) {
      readByAll(char.repeat(SIZE / char.length));
    }
    readByAll(`Receipt No.,Paid In,Withdrawn\n${'"'.repeat(SIZE)}`);
    readByAll(
      JSON.stringify({ TransID: 'A1', BillRefNumber: 'x'.repeat(SIZE), MSISDN: '2'.repeat(SIZE) }),
    );
  });
});
