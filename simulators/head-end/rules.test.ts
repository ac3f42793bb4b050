import type { CommandEnvelope } from '../../src/entitlement/vip-control/messages.ts';
import { admit, type CardState, canonicalSet, execute, judgeRevision } from './rules.ts';

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
    const card: CardState = { card: '4021', epoch: 2, rev: 5, set: [ESS], firstAirAt: '' };
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

describe('a refresh', () => {
  const refresh = { op: 'REFRESH', args: { scope: 'rights', boostSeconds: 300 } } as const;

  it('puts the present rights on air again without changing them', () => {
    const state = { card: '4021', epoch: 1, rev: 5, set: [ESS, MAX], firstAirAt: 'before' };
    const card = { ...state, firstAirAt: now.toISOString() };
    expect(execute(refresh, { card: '4021', state, epochFloor: 1 }, now)).toEqual({
      code: 'DONE',
      card,
      emmCount: 2,
    });
  });

  it('of a card that never had any is nothing to do', () => {
    const result = execute(refresh, { card: '4021', state: undefined, epochFloor: 1 }, now);
    expect(result).toEqual({ code: 'DONE_NOOP', emmCount: 0 });
  });
});
