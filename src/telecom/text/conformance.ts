/** The list every provider of outgoing texts must pass, over a gateway that can be made to fail. */

import type { TextProvider, TextResult } from './provider.ts';

export type Behaviour =
  | 'well'
  /** Takes the text and says so in an unusual way. */
  | 'oddly'
  | 'refuses_key'
  | 'refuses_sender'
  | 'refuses_number'
  | 'blocked_number'
  | 'no_balance'
  | 'fails'
  | 'hangs'
  | 'delivers_then_hangs'
  | 'away';

export interface TextBench {
  /** A provider before a gateway that behaves so; it waits for an answer a fraction of a second. */
  provider(behaviour: Behaviour): TextProvider | Promise<TextProvider>;
  /** What arrived at a telephone, newest first. */
  inbox(to: string): string[];
  /** Events that were logged as errors since the last call. */
  alarms(): string[];
  close(): Promise<void>;
}

const TO = '+254711000111';

/** What is promised for each failure: the kind, whether the text arrived, and the alarm. */
const FAILURES: readonly [Behaviour, string, { arrived?: number; alarm?: string }][] = [
  ['refuses_key', 'permanent', { alarm: 'text.provider_refused_key' }],
  ['refuses_sender', 'permanent', {}],
  ['refuses_number', 'permanent', {}],
  ['blocked_number', 'permanent', {}],
  ['no_balance', 'retry', { alarm: 'text.provider_balance_empty' }],
  ['fails', 'retry', {}],
  ['hangs', 'unknown', {}],
  ['delivers_then_hangs', 'unknown', { arrived: 1 }],
  ['away', 'retry', {}],
];

/** Declares the tests; `open` is called before the first and the bench closed after the last. */
export function describeTextProvider(name: string, open: () => Promise<TextBench>): void {
  describe(`${name}, as a provider of texts`, () => {
    let bench: TextBench;
    let serial = 0;
    beforeAll(async () => {
      bench = await open();
    });
    afterAll(() => bench.close());

    const send = async (behaviour: Behaviour): Promise<{ result: TextResult; body: string }> => {
      bench.alarms();
      serial += 1;
      const body = `Paid KES 650. Laissé à 100% {${serial}}`;
      const provider = await bench.provider(behaviour);
      return { result: await provider.send({ to: TO, body }), body };
    };
    const arrived = (body: string) => bench.inbox(TO).filter((text) => text === body).length;

    it.each(['well', 'oddly'] as const)(
      'hands a text over, once, to a gateway that does %s',
      async (how) => {
        const { result, body } = await send(how);
        expect(result).toEqual({ ok: true, providerId: expect.stringMatching(/./) });
        expect(arrived(body)).toBe(1);
        expect(bench.alarms()).toEqual([]);
      },
    );

    it.each(FAILURES)(
      'says of a gateway that %s: %s',
      async (how, kind, { arrived: count = 0, alarm }) => {
        const { result, body } = await send(how);
        expect(result).toEqual({ ok: false, kind, code: expect.stringMatching(/^[a-z_]+$/) });
        expect(arrived(body)).toBe(count);
        expect(bench.alarms()).toEqual(alarm === undefined ? [] : [alarm]);
      },
    );
  });
}
