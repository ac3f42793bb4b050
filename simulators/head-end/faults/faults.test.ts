/** How faults are counted, timed and left to chance; and what is told again or late. */
import { createFakeTime } from '../../../src/entitlement/vip-control/testing.ts';
import { seededRandom } from '../../../torture/random.ts';
import type { Peer } from '../peer.ts';
import { createFaults } from './faults.ts';
import { type Fault, faultForm } from './kinds.ts';
import { createTelling } from './telling.ts';

const result = { t: 'RES', cmdId: 'c1', status: 'DONE', code: 'DONE', dup: false } as const;

function setUp(seed = 1) {
  const time = createFakeTime();
  const random = seededRandom(seed);
  const faults = createFaults({ random, timers: time.timers });
  const hits = (kind: Fault['kind'], tries: number) =>
    Array.from({ length: tries }, () => faults.strikes(kind)).map((hit) => hit !== undefined);
  return { time, random, faults, hits };
}

function fakePeer(clientId: string): Peer & { heard: unknown[] } {
  const heard: unknown[] = [];
  const nothing = () => undefined;
  return {
    ...{ clientId, lastSeq: 0, inFlight: 0, asking: 0, isSequenced: true, heard },
    isOpen: () => true,
    send: (message) => void heard.push(message),
    end: nothing,
    cut: nothing,
  };
}

describe('a fault', () => {
  it('meets as many as it was set for, and one when nobody said', () => {
    const { faults, hits } = setUp();
    faults.set({ kind: 'drop_before_ack', times: 2 });
    faults.set({ kind: 'dup_res' });
    expect(hits('drop_before_ack', 3)).toEqual([true, true, false]);
    expect(hits('dup_res', 2)).toEqual([true, false]);
    expect(hits('late', 1)).toEqual([false]);
    expect(faults.list()).toEqual([]);
  });

  it('ends after its time, or when it is healed, and says so', () => {
    const { faults, hits, time } = setUp();
    let changes = 0;
    faults.onChange(() => {
      changes += 1;
    });
    faults.set({ kind: 'garbage', forSeconds: 5 });
    faults.set({ kind: 'maintenance' });
    expect(hits('garbage', 3)).toEqual([true, true, true]);
    time.advance(5_000);
    expect(faults.list()).toMatchObject([{ kind: 'maintenance', left: null, met: 0 }]);
    faults.heal('maintenance');
    faults.heal();
    expect(changes).toBe(4);
  });

  it('set again begins anew, with its own end', () => {
    const { faults, time } = setUp();
    faults.set({ kind: 'rate', value: 2, forSeconds: 5 });
    time.advance(4_000);
    faults.set({ kind: 'rate', value: 3, forSeconds: 5 });
    time.advance(4_000);
    expect(faults.inForce('rate')).toMatchObject({ value: 3 });
    time.advance(1_000);
    expect(faults.inForce('rate')).toBeUndefined();
  });

  it('meets a share by chance, the same with the same seed', () => {
    const meet = (seed: number) => {
      const { faults, hits } = setUp(seed);
      faults.set({ kind: 'frag', percent: 30 });
      return hits('frag', 1_000);
    };
    const met = meet(5);
    expect(meet(5)).toEqual(met);
    expect(meet(6)).not.toEqual(met);
    const share = met.filter(Boolean).length;
    expect(share).toBeGreaterThan(240);
    expect(share).toBeLessThan(360);
  });

  it.each<[string, unknown]>([
    ['an unknown kind', { kind: 'flood' }],
    ['a number where none is taken', { kind: 'garbage', value: 3 }],
    ['a number out of range', { kind: 'shuffle', value: 1 }],
    ['no times at all', { kind: 'late', times: 0 }],
    ['more than all', { kind: 'late', percent: 101 }],
  ])('cannot be asked for with %s', (_, fault) => {
    expect(faultForm.safeParse(fault).success).toBe(false);
  });
});

describe('a result', () => {
  function setUpTelling() {
    const { time, random, faults } = setUp();
    const sessions = new Map<string, Peer>();
    const sessionOf = (clientId: string) => sessions.get(clientId);
    const telling = createTelling({ faults, random, timers: time.timers, sessionOf });
    return { time, faults, sessions, telling };
  }

  it('with dup_res is told twice, and in the next session of that client once', () => {
    const { faults, telling } = setUpTelling();
    const [first, other, next] = [fakePeer('d1'), fakePeer('d2'), fakePeer('d1')];
    faults.set({ kind: 'dup_res' });
    telling.tell(first, result);
    expect(first.heard).toEqual([result, result]);
    for (const peer of [other, next, next]) telling.greet(peer);
    expect(other.heard).toEqual([]);
    expect(next.heard).toEqual([result]);
  });

  it('with late is told in whatever session there is by then', () => {
    const { faults, telling, sessions, time } = setUpTelling();
    const [first, next] = [fakePeer('d1'), fakePeer('d1')];
    faults.set({ kind: 'late', value: 40_000 });
    telling.tell(first, result);
    sessions.set('d1', next);
    time.advance(40_000);
    expect(first.heard).toEqual([]);
    expect(next.heard).toEqual([result]);
  });

  it('held back for a shuffle comes after a second, if no others do', () => {
    const { faults, telling, time } = setUpTelling();
    const peer = fakePeer('d1');
    faults.set({ kind: 'shuffle', value: 20 });
    telling.tell(peer, result);
    expect(peer.heard).toEqual([]);
    time.advance(1_000);
    expect(peer.heard).toEqual([result]);
  });
});
