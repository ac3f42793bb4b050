/** The accounts of what people did at the head-end would notice: each falsified on purpose. */
import { sentenceOf } from '../src/entitlement/work-items/rules.ts';
import { account, type LogLine, type Read } from './account.ts';
import type { Meddled } from './meddling.ts';

const [PAYER, IDLER, UNKNOWN] = ['4031', '4032', '4033'] as const;
const AT = new Date('2026-11-23T12:00:00Z');
const HALF_MONTH_MS = 15 * 86_400_000;
const line = (n: number, id: string, more: Partial<LogLine>): LogLine => ({
  ...{ n, at: AT.toISOString(), cmdId: `vip-control.1.${id}.${n}`, op: 'ENTITLE', code: 'DONE' },
  ...{ target: { kind: 'card', id }, args: {}, ...more },
});
const written = (n: number, id: string, why: string) =>
  line(n, id, { op: 'CONSOLE', cmdId: null, args: { why } });
const found: Read['differences'][number] = {
  ...{ card: IDLER, class: 'A', product: 'PREM', amount: 50_000n, currency: 'KES', since: AT },
  ...{ foundAt: new Date(AT.getTime() + HALF_MONTH_MS), writtenBy: 'console', isClosed: true },
};
const refusal = line(4, UNKNOWN, { code: 'UNKNOWN_CARD' });
const item: Read['workItems'][number] = {
  ...{ card: UNKNOWN, code: 'UNKNOWN_CARD', sentence: sentenceOf('UNKNOWN_CARD'), isClosed: true },
};
const meddled: Meddled = {
  activations: [
    { whose: 'payer', card: PAYER, product: 'PREM', mark: 'one' },
    { whose: 'idler', card: IDLER, product: 'PREM', mark: 'two' },
  ],
  disagreements: new Map([[UNKNOWN, 'unknown_card']]),
};
const honest: Read = {
  log: [written(1, PAYER, 'one'), line(2, PAYER, {}), written(3, IDLER, 'two'), refusal],
  ...{ differences: [found], workItems: [item], monthPrice: 100_000n },
  heard: new Set([refusal.cmdId ?? '']),
};

describe('the accounts of what was done at the head-end', () => {
  it('tell what was found, what was overwritten, and what was refused', () => {
    const { faults, counts } = account(meddled, honest);
    expect(faults).toEqual([]);
    expect(counts).toEqual({
      ...{ activations: 2, found: 1, worth: '50000', overwritten: 1, disagreements: 1 },
      ...{ refused: { UNKNOWN_CARD: 1 }, workItems: 1, differences: 1 },
    });
  });

  it.each<[string, Partial<Read>]>([
    ['neither found nor overwritten', { log: [honest.log[0] as LogLine, ...honest.log.slice(2)] }],
    ["not in the head-end's log", { log: honest.log.slice(0, 2) }],
    ['worth 49999, expected 50000', { differences: [{ ...found, amount: 49_999n }] }],
    ['worth null', { differences: [{ ...found, amount: null }] }],
    ['currency XOF', { differences: [{ ...found, currency: 'XOF' }] }],
    ['written by null', { differences: [{ ...found, writtenBy: null }] }],
    ['not healed', { differences: [{ ...found, isClosed: false }] }],
    ['neither found', { differences: [{ ...found, class: 'C' }] }],
    ['nobody had touched it', { differences: [found, { ...found, card: '9' }] }],
    ['nobody was told', { workItems: [] }],
    ['told «Hm.»', { workItems: [{ ...item, sentence: 'Hm.' }] }],
    ['still open', { workItems: [{ ...item, isClosed: false }] }],
    ['never refused', { workItems: [item, { ...item, card: PAYER }] }],
  ])('find: %s', (fault, falsified) => {
    expect(account(meddled, { ...honest, ...falsified }).faults.join('\n')).toContain(fault);
  });

  it('take no set of ours that came late for work of people', () => {
    const late = line(5, PAYER, { code: 'STALE_REV' });
    const heard = new Set([...honest.heard, late.cmdId ?? '']);
    expect(account(meddled, { ...honest, log: [...honest.log, late], heard }).faults).toEqual([]);
  });
});
