/** Reconciliation as it is answered, and as a file. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import type {
  DifferenceRecord,
  ForeignRecord,
  RunRecord,
  Total,
} from '../../entitlement/reconciliation/report.ts';
import { CLASSES } from '../../entitlement/reconciliation/rules.ts';
import { VARIANCE_PPM_MAX } from '../../entitlement/reconciliation/service.ts';
import { idText, instant, money, moneyOf, siteCode } from '../api/fields.ts';
import { codeOf, type Desk } from './desk.ts';

/** A: shown there, not wanted. B: wanted, not there. C: dates. D: pairing. E: blacklisted here. */
export const differenceClass = z.enum(CLASSES);

const counted = z.strictObject({ active: z.int(), differing: z.int() });
const total = z.strictObject({
  class: differenceClass,
  /** Empty where it is no product that differs. */
  product: z.string(),
  cards: z.int(),
  /** Not verified to be gone yet. */
  open: z.int(),
  seconds: z.string(),
  /** At list price; null: no price. */
  value: money.nullable(),
});

export const run = z
  .strictObject({
    id: idText,
    cas: z.string(),
    askedAt: instant,
    askedBy: z.string(),
    heal: z.boolean(),
    state: z.enum(['waiting', 'done', 'failed']),
    startedAt: instant.nullable(),
    endedAt: instant.nullable(),
    error: z.string().nullable(),
    cards: z.int().nullable(),
    /** Cards that differ of those active, in millionths, and whether that is too many. */
    variancePpm: z.int().nullable(),
    isAboveLimit: z.boolean().nullable(),
    /** By product; `*`: cards, whatever the product. */
    products: z.record(z.string(), counted).nullable(),
    /** The system's own log: lines compared with ours, those that are not ours, and any fault. */
    log: z
      .strictObject({ lines: z.int(), foreign: z.int(), error: z.string().nullable() })
      .nullable(),
  })
  .meta({ id: 'Reconciliation' });
export const oneRun = run
  .extend({ totals: z.array(total) })
  .meta({ id: 'ReconciliationWithTotals' });

const runView = ({ id, casId, askedAt, askedBy, heal, end }: RunRecord) => ({
  ...{ id: id.toString(), cas: casId, askedAt: askedAt.toISOString(), askedBy, heal },
  state: end === null ? 'waiting' : end.error === null ? 'done' : 'failed',
  startedAt: end?.startedAt.toISOString() ?? null,
  endedAt: end?.endedAt.toISOString() ?? null,
  ...{ error: end?.error ?? null, cards: end?.cards ?? null },
  variancePpm: end?.variancePpm ?? null,
  isAboveLimit: end && end.variancePpm > VARIANCE_PPM_MAX,
  products: end?.products ?? null,
  log: end && { lines: end.logLines, foreign: end.logForeign, error: end.logError },
});

const totalView = ({ seconds, amount, currency, ...rest }: Total) => ({
  ...rest,
  seconds: seconds.toString(),
  value: worthView(amount, currency),
});

const worthView = (amount: bigint | null, currency: string | null) =>
  amount === null || currency === null ? null : moneyOf(amount, currency);

/** A run, alone and with what it found. */
export const runViews = {
  run: runView,
  withTotals: (record: RunRecord, totals: readonly Total[]) => ({
    ...runView(record),
    totals: totals.map(totalView),
  }),
};

export const difference = z
  .strictObject({
    id: idText,
    runId: idText,
    cas: z.string(),
    foundAt: instant,
    card: z.string(),
    cardId: idText.nullable(),
    site: siteCode.nullable(),
    class: differenceClass,
    product: z.string(),
    wanted: z.unknown(),
    found: z.unknown(),
    /** The first instant it can have been so; `seconds` of it, and their value, till the run. */
    since: instant,
    seconds: z.string(),
    value: money.nullable(),
    /** Who wrote it there last: `console` was no command. */
    writtenBy: z.string().nullable(),
    writtenAt: instant.nullable(),
    isHealed: z.boolean(),
    /** When the system was seen to be right again. */
    closedAt: instant.nullable(),
  })
  .meta({ id: 'ReconciliationDifference' });

export const differenceView = (desk: Pick<Desk, 'catalogue'>) => (one: DifferenceRecord) => ({
  ...{ id: one.id.toString(), runId: one.runId.toString(), cas: one.casId, card: one.card },
  ...{ foundAt: one.foundAt.toISOString(), cardId: one.cardId?.toString() ?? null },
  site: one.siteId === null ? null : codeOf(desk, one.siteId),
  ...{ class: one.class, product: one.product, wanted: one.wanted, found: one.found },
  ...{ since: one.since.toISOString(), seconds: one.seconds.toString() },
  value: worthView(one.amount, one.currency),
  ...{ writtenBy: one.writtenBy, writtenAt: one.writtenAt?.toISOString() ?? null },
  ...{ isHealed: one.isHealed, closedAt: one.closedAt?.toISOString() ?? null },
});

export const foreign = z
  .strictObject({
    id: idText,
    n: z.string(),
    at: instant,
    op: z.string(),
    target: z.strictObject({ kind: z.string(), id: z.string() }),
    /** Null: it came by no command at all. */
    cmdId: z.string().nullable(),
    by: z.string(),
    args: z.unknown(),
    code: z.string(),
  })
  .meta({ id: 'ForeignCommand' });

export const foreignView = (one: ForeignRecord) => ({
  ...{ id: one.id.toString(), n: one.n.toString(), at: one.at.toISOString(), op: one.op },
  target: { kind: one.targetKind, id: one.targetId },
  ...{ cmdId: one.cmdId, by: one.by, args: one.args, code: one.code },
});

export const file = z
  .strictObject({ csv: z.string(), sha256: z.string(), rows: z.int(), isWhole: z.boolean() })
  .meta({ id: 'ReconciliationFile' });

const HEADING = [
  ...['id', 'class', 'card', 'site', 'product', 'since', 'seconds', 'amount', 'currency'],
  ...['written_by', 'written_at', 'is_healed', 'wanted', 'found'],
];

/**
 * What a run found as separated values (RFC 4180), and the SHA-256 of that text. Nothing in it
 * changes once the run has ended, so that it is the same text whenever it is made.
 */
export function fileOf(
  desk: Pick<Desk, 'catalogue'>,
  differences: readonly DifferenceRecord[],
  rowsMax: number,
) {
  const lines = differences
    .slice(0, rowsMax)
    .map(differenceView(desk))
    .map((one) => [
      ...[one.id, one.class, one.card, one.site, one.product, one.since, one.seconds],
      ...[one.value?.amount, one.value?.currency, one.writtenBy, one.writtenAt, one.isHealed],
      ...[JSON.stringify(one.wanted), JSON.stringify(one.found)],
    ]);
  const csv = [HEADING, ...lines].map((cells) => `${cells.map(cellOf).join(',')}\r\n`).join('');
  const sha256 = createHash('sha256').update(csv).digest('hex');
  return { csv, sha256, rows: lines.length, isWhole: differences.length <= rowsMax };
}

/** Quoted where it must be; what a spreadsheet would take for a formula is text. */
function cellOf(value: unknown): string {
  const text = String(value ?? '').replace(/^[=+@-]/, "'$&");
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
