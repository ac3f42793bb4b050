import type { CommandEnvelope } from '../../src/entitlement/vip-control/messages.ts';
import type { RefreshScope } from '../../src/entitlement/vip-control/operations.ts';
import { admit } from './admission.ts';
import { blankCard, type CardState, canonicalSet, judgeRevision } from './card-state.ts';
import { createMemory } from './memory.ts';
import { execute, isBoostAllowed, type World } from './rules.ts';

const now = new Date('2026-11-23T13:00:00Z');
const ESS = { product: 'ESS', from: '2026-11-23T00:00:00.000Z', to: '2026-12-23T00:00:00.000Z' };
const MAX = { ...ESS, product: 'MAX' };

function entitle(set: unknown, fields: Partial<CommandEnvelope> = {}): CommandEnvelope {
  return {
    t: 'CMD',
    seq: 1,
    cmdId: 'c1',
    op: 'ENTITLE',
    target: { kind: 'card', id: '4021' },
    epoch: 1,
    rev: 1,
    args: { set },
    prio: 'SALE',
    notAfter: '2026-11-23T13:10:00Z',
    issuedAt: '2026-11-23T13:00:00Z',
    ...fields,
  };
}

const cardWith = (more: Partial<CardState>): CardState => {
  return { ...blankCard('4021'), firstAirAt: '', ...more };
};

describe('a revision (epoch, rev) against the card’s (2, 5)', () => {
  it.each`
    epoch | rev  | set      | floor | verdict       | why
    ${2}  | ${6} | ${'MAX'} | ${2}  | ${'newer'}    | ${'higher rev'}
    ${2}  | ${6} | ${'ESS'} | ${2}  | ${'newer'}    | ${'higher rev, though the set is equal'}
    ${2}  | ${5} | ${'ESS'} | ${2}  | ${'same'}     | ${'the very same'}
    ${2}  | ${5} | ${'MAX'} | ${2}  | ${'conflict'} | ${'same revision, another set'}
    ${2}  | ${4} | ${'ESS'} | ${2}  | ${'stale'}    | ${'lower rev'}
    ${3}  | ${1} | ${'MAX'} | ${2}  | ${'newer'}    | ${'higher epoch wins over any rev'}
    ${3}  | ${5} | ${'ESS'} | ${2}  | ${'newer'}    | ${'higher epoch, though all else is equal'}
    ${1}  | ${9} | ${'MAX'} | ${1}  | ${'stale'}    | ${'lower epoch loses with any rev'}
    ${2}  | ${6} | ${'MAX'} | ${3}  | ${'stale'}    | ${'decided on a database since restored'}
  `('($epoch, $rev) is $verdict: $why', ({ epoch, rev, set, floor, verdict }) => {
    const card = cardWith({ epoch: 2, rev: 5, set: [ESS] });
    const next = { epoch, rev, set: set === 'ESS' ? [ESS] : [MAX] };
    expect(judgeRevision(card, next, floor)).toBe(verdict);
  });

  it('is newer on a card without rights, unless below the floor', () => {
    expect(judgeRevision(undefined, { epoch: 0, rev: 0, set: [] }, 0)).toBe('newer');
    expect(judgeRevision(undefined, { epoch: 0, rev: 9, set: [] }, 1)).toBe('stale');
  });
});

describe('sets of rights', () => {
  it('are equal in any order, spelling of an instant, and number of repeats', () => {
    const spelt = { product: 'ESS', from: '2026-11-23T00:00:00Z', to: '2026-12-23T00:00:00.0Z' };
    expect(canonicalSet([MAX, spelt, ESS])).toEqual([ESS, MAX]);
  });
});

describe('admission', () => {
  const admission = {
    now,
    osdMax: 10,
    mailMax: 10,
    services: [],
    isListed: false,
    world: createMemory(),
    knownProducts: new Set(['ESS']),
    knownCard: (card: string) => card === '4021',
  };
  const osd = (text: string) => ({ op: 'OSD', args: { text, durationSeconds: 20 } });
  const to = (end: unknown) => [{ ...ESS, to: end }];

  it.each<[string, CommandEnvelope]>([
    ['UNKNOWN_CARD', entitle([ESS], { target: { kind: 'card', id: '9999' } })],
    ['UNKNOWN_PRODUCT', entitle([MAX])],
    ['UNKNOWN_PRODUCT', entitle([{ ...ESS, product: 'EVT:' }])],
    ['BAD_DATES', entitle(to(ESS.from))],
    ['BAD_DATES', entitle(to('2027-02-30T00:00:00Z'))],
    ['BAD_DATES', entitle(to('2027-01-01T00:00:00+01:00'))],
    ['BAD_DATES', entitle(to('2027-13-01T00:00:00Z'))],
    ['BAD_DATES', entitle(to('tomorrow'))],
    ['PROTOCOL', entitle(to(undefined))],
    ['PROTOCOL', entitle('ESS')],
    ['PROTOCOL', entitle([ESS], { rev: undefined })],
    ['PROTOCOL', entitle([ESS], { op: 'DANCE' })],
    ['EXPIRED', entitle([ESS], { notAfter: '2026-11-23T13:00:00Z' })],
    ['TEXT_TOO_LONG', entitle([], osd('12345678901'))],
  ])('refuses with %s', (code, command) => {
    expect(admit(command, admission)).toEqual({ ok: false, code });
  });

  it('takes pay-per-view events that no product list knows, and empty sets', () => {
    expect(admit(entitle([{ ...ESS, product: 'EVT:FINAL26' }]), admission).ok).toBe(true);
    expect(admit(entitle([]), admission).ok).toBe(true);
  });

  it('counts the characters of a text as a viewer does', () => {
    expect(admit(entitle([], osd('🙂🙂🙂🙂🙂🙂🙂🙂🙂🙂')), admission).ok).toBe(true);
  });
});

const order = { cmdId: 'c1', target: { kind: 'card', id: '4021' }, mayBoost: true, now } as const;
const worldOf = (state?: CardState): World => {
  const world = createMemory();
  if (state) world.cards.set(state.card, state);
  return { ...world, epochFloor: 1 };
};

describe('a refresh', () => {
  const refresh = (scope: RefreshScope, boostSeconds = 300) =>
    ({ op: 'REFRESH', args: { scope, boostSeconds } }) as const;
  const state = cardWith({ epoch: 1, rev: 5, set: [ESS, MAX] });

  it.each(['rights', 'pairing', 'all'] as const)(
    'puts %s on air for as long as it says, and changes nothing',
    (kind) => {
      expect(execute(refresh(kind), order, worldOf(state))).toEqual({
        code: 'DONE',
        air: [{ card: '4021', content: { kind }, repeat: { boostSeconds: 300 } }],
      });
    },
  );

  it('of a card that never had rights has nothing but its pairing to say', () => {
    expect(execute(refresh('rights'), order, worldOf())).toEqual({ code: 'DONE_NOOP' });
    const content = { kind: 'pairing' };
    expect(execute(refresh('all'), order, worldOf())).toMatchObject({
      ...{ code: 'DONE', air: [{ content }] },
    });
  });

  it('that is boosted needs room in the limit of its card; a single one does not', () => {
    const limited = { ...order, mayBoost: false };
    expect(execute(refresh('rights'), limited, worldOf(state))).toEqual({ code: 'RATE_LIMITED' });
    expect(execute(refresh('rights', 0), limited, worldOf(state)).code).toBe('DONE');
  });
});

describe('the limit of refreshes', () => {
  const limit = { perHour: 3, perDay: 10 };
  const minutesAgo = (minutes: number) => now.getTime() - minutes * 60_000;

  it.each([
    ['none before', [], true],
    ['two within the hour', [1, 59], true],
    ['three within the hour', [1, 30, 59], false],
    ['three, the first an hour ago', [1, 30, 60], true],
    ['ten within the day', [1, ...Array(9).fill(61)], false],
    ['ten, the first a day ago', [1, ...Array(8).fill(61), 1_440], true],
  ])('%s', (_, minutes, isAllowed) => {
    expect(isBoostAllowed(minutes.map(minutesAgo), limit, now)).toBe(isAllowed);
  });
});

describe('rights', () => {
  const entitled = (suspended?: string, state?: CardState) => {
    const args = { set: [ESS], ...(suspended === undefined ? {} : { suspended }) };
    return execute({ op: 'ENTITLE', epoch: 1, rev: 5, args }, order, worldOf(state));
  };
  const onAir = (suspended?: string): CardState => {
    const [card] = entitled(suspended).cards ?? [];
    if (!card) throw new Error('no card');
    return { ...card, firstAirAt: now.toISOString() };
  };

  it('wait to be broadcast, by the profile', () => {
    const revised = { epoch: 1, rev: 5, set: [ESS], suspended: 'fraud', firstAirAt: null };
    expect(entitled('fraud')).toEqual({
      code: 'DONE',
      cards: [cardWith(revised)],
      air: [{ card: '4021', content: { kind: 'rights' }, repeat: 'profile' }],
    });
  });

  it('of the same revision and another suspension are in conflict', () => {
    expect(entitled('fraud', onAir('fraud')).code).toBe('DONE_NOOP');
    expect(entitled(undefined, onAir('fraud')).code).toBe('REV_CONFLICT');
    expect(entitled('admin', onAir('fraud')).code).toBe('REV_CONFLICT');
    expect(entitled('fraud', onAir()).code).toBe('REV_CONFLICT');
  });

  it('that were never broadcast are broadcast when they come again', () => {
    const waiting = { ...onAir(), firstAirAt: null };
    expect(entitled(undefined, waiting)).toMatchObject({ code: 'DONE', air: [{}] });
  });
});
