import { type Due, dueCommand, dueOrder } from './due.ts';

/** Goal: what is due together is done in one order, and each thing under a key of its own. */
const at = new Date('2026-11-23T00:00:00Z');
const base = { siteId: 1n, at };
const DUE: readonly Due[] = [
  { ...base, id: 1n, kind: 'expire_credit', subscriberId: 1n },
  { ...base, id: 1n, kind: 'release_event', purchaseId: 1n },
  { ...base, id: 1n, kind: 'end_pause', cardId: 1n },
  { ...base, id: 1n, kind: 'complete_move', original: { provider: 'p', receipt: 'r' } },
  { ...base, id: 1n, kind: 'renew', cardId: 1n },
  { ...base, id: 2n, kind: 'renew', cardId: 2n },
  { ...base, id: 1n, kind: 'claw_back', commissionId: 1n },
];

describe('what is due', () => {
  it('at one instant is done by kind, then by id', () => {
    expect([...DUE].reverse().sort(dueOrder)).toEqual(DUE);
  });

  it('earlier is done before, whatever its kind', () => {
    const early: Due = { ...(DUE[6] as Due), at: new Date(at.getTime() - 1) };
    expect([...DUE, early].sort(dueOrder)[0]).toEqual(early);
  });

  it('has a key that no other has, and is done at the instant it was due or later', () => {
    const commands = DUE.map((due) => dueCommand(due));
    expect(new Set(commands.map((command) => command.receipt)).size).toBe(DUE.length);
    expect(commands.every((command) => command.at === at)).toBe(true);
    const later = new Date(at.getTime() + 1);
    expect(dueCommand(DUE[0] as Due, later)).toEqual({ ...commands[0], at: later });
  });
});
