import { silentLogger } from '../../platform/log.ts';
import { type Command, type CommandOutcome, cardTarget } from '../vip-control/command.ts';
import type { Priority } from '../vip-control/messages.ts';
import { FAILURES_TO_OPEN, REST_MS_MIN } from './breaker.ts';
import { createOutlet, type Outlet } from './outlet.ts';

const START_MS = Date.parse('2026-11-23T13:00:00Z');
const DONE: CommandOutcome = { kind: 'done', code: 'DONE', dup: false };
const BUSY: CommandOutcome = { kind: 'retry', code: 'BUSY' };

interface Taken {
  command: Command;
  answer(outcome?: CommandOutcome): Promise<void>;
}

/** An outlet over a system that answers when the test says so, at the test's own time. */
function setUp(maxWindow = 64, productName?: (product: string) => string) {
  const taken: Taken[] = [];
  const time = { ms: START_MS };
  const outlet = createOutlet({
    driver: {
      state: () => 'connected',
      capabilities: () => ({ osdMax: 160, maxWindow, supports: [] }),
      send(command) {
        const { promise, resolve } = Promise.withResolvers<CommandOutcome>();
        const answer = async (outcome = DONE) => {
          resolve(outcome);
          await promise;
          // What hears the outcome stands behind this promise in the queue.
          await Promise.resolve();
        };
        taken.push({ command, answer });
        return promise;
      },
    },
    clock: { now: () => new Date(time.ms) },
    logger: silentLogger,
    casId: 'main',
    ...(productName ? { productName } : {}),
  });
  let serial = 0;
  const send = (prio: Priority) => {
    serial += 1;
    return outlet.send({
      ...({ op: 'ENTITLE', rev: 1, cmdId: `${prio}.${serial}`, prio } as const),
      target: cardTarget('40210000017'),
      set: [{ product: 'ESS', from: new Date(time.ms), to: new Date(time.ms) }],
      notAfter: new Date(time.ms + 900_000),
    });
  };
  const shut = async () => {
    for (let n = 0; n < FAILURES_TO_OPEN; n += 1) {
      void send('SALE');
      await taken.pop()?.answer(BUSY);
    }
  };
  return { outlet, taken, time, send, shut };
}

const rooms = (outlet: Outlet) =>
  (['SALE', 'REFRESH', 'MESSAGE', 'BULK'] as const).map((prio) => outlet.room(prio));

describe('the outlet of a system', () => {
  it('keeps the room of what is more important from what is less', async () => {
    const { outlet, send } = setUp(8);
    expect(rooms(outlet)).toEqual([16, 2, 2, 2]);
    void send('BULK');
    void send('BULK');
    expect(rooms(outlet)).toEqual([16, 2, 2, 0]);
    void send('REFRESH');
    expect(rooms(outlet)).toEqual([16, 1, 1, 0]);
    void send('SALE');
    expect(rooms(outlet)).toEqual([15, 1, 1, 0]);
  });

  it('rests while everything fails, then lets one sale try, and goes on after it', async () => {
    const { outlet, taken, time, send, shut } = setUp();
    await shut();
    expect([outlet.state(), outlet.breaker(), ...rooms(outlet)]).toEqual([
      ...['resting', 'open'],
      ...[0, 0, 0, 0],
    ]);
    expect(await send('SALE')).toEqual({ kind: 'retry', code: 'RESTING' });
    time.ms += REST_MS_MIN;
    expect(rooms(outlet)).toEqual([1, 0, 0, 0]);
    void send('SALE');
    expect(rooms(outlet)).toEqual([0, 0, 0, 0]);
    await taken[0]?.answer();
    expect(outlet.breaker()).toBe('closed');
    expect(outlet.room('SALE')).toBe(128);
  });

  it('tries with anything where no sale comes', async () => {
    const { outlet, time, shut } = setUp();
    await shut();
    time.ms += 2 * REST_MS_MIN;
    expect(rooms(outlet)).toEqual([1, 1, 1, 1]);
  });

  it('does not take a refusal for an illness', async () => {
    const { outlet, taken, send } = setUp();
    for (let n = 0; n < 2 * FAILURES_TO_OPEN; n += 1) {
      void send('SALE');
      await taken.pop()?.answer({ kind: 'rejected', code: 'UNKNOWN_CARD', class: 'data' });
    }
    expect(outlet.breaker()).toBe('closed');
  });

  it('names products as the system does', () => {
    const { taken, send } = setUp(8, (product) => ({ ESS: '0101' })[product] ?? product);
    void send('SALE');
    expect(taken[0]?.command).toMatchObject({ set: [{ product: '0101' }] });
  });
});

describe('a system that does one command a second', () => {
  /** 5 % of a million cards. */
  const BULK = 50_000;
  const SALE_EVERY_S = 97;

  it('switches 50,000 cards in 14 hours; a sale among them is on air in 3 seconds', async () => {
    const { outlet, taken, time, send } = setUp(256);
    let bulkLeft = BULK;
    let seconds = 0;
    const waits: number[] = [];
    for (; bulkLeft > 0 || taken.length > 0; seconds += 1) {
      // It takes what comes in turn, whatever its priority: the worst that can be behind a wire.
      const free = Math.min(outlet.room('BULK'), bulkLeft);
      for (let n = 0; n < free; n += 1) void send('BULK');
      bulkLeft -= free;
      if (seconds % SALE_EVERY_S === 0 && outlet.room('SALE') > 0) {
        const paidMs = time.ms;
        void send('SALE').then(() => waits.push(time.ms - paidMs));
      }
      time.ms += 1000;
      await taken.shift()?.answer();
    }
    expect(seconds / 3600).toBeGreaterThan(13.9);
    expect(seconds / 3600).toBeLessThan(14.1);
    expect(waits.length).toBeGreaterThan(500);
    expect(Math.max(...waits)).toBeLessThanOrEqual(3000);
  });
});
