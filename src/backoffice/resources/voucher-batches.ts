/** Batches of scratch cards: decided (above a limit by two), printed once, activated, blocked. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Site } from '../../billing/catalogue/rules.ts';
import {
  BATCH_CARDS_MAX,
  makeBatch,
  printBatch,
  setCards,
} from '../../billing/settlement/voucher-batches.ts';
import type { Clock, Ids } from '../../platform/ports.ts';
import {
  id,
  idText,
  instant,
  instantIn,
  money,
  moneyIn,
  moneyOf,
  pageOf,
  pageQuery,
  reason,
  siteCode,
  text,
} from '../api/fields.ts';
import { type Problem, problem } from '../api/problems.ts';
import { type Answer, type Call, created, ok, type Route, route } from '../api/route.ts';
import type { Act } from '../people/approvals.ts';
import { siteFilter } from '../people/principal.ts';
import type { Db } from '../people/staff-store.ts';
import { doOrAsk } from './act.ts';
import { approval } from './approval-view.ts';
import { codeOf, type Desk, siteByCode, sitesOf } from './desk.ts';
import { bouquetAt, UNKNOWN_BOUQUET } from './subscription-acts.ts';
import { type BatchRecord, batchById, findBatches } from './voucher-store.ts';
import { minorAt } from './wallet-acts.ts';

export const VOUCHER_BATCH = 'voucher.batch';

const tag = 'Scratch cards';
const params = z.strictObject({ batchId: id });
const digits = z.string().transform(BigInt);

const batch = z
  .strictObject({
    id: idText,
    name: z.string(),
    site: siteCode,
    /** Of one card. */
    value: money,
    days: z.int().nullable(),
    bouquet: z.string().nullable(),
    size: z.int(),
    expiresAt: instant,
    createdAt: instant,
    /** Cards by state; nothing before the codes were shown. */
    states: z.record(z.string(), z.int()),
  })
  .meta({ id: 'ScratchCardBatch' });

const batchInput = z.strictObject({
  ...{ name: z.string(), siteId: digits, asset: z.string(), value: digits, size: z.int() },
  ...{ kind: z.enum(['amount', 'days']), days: z.int().nullable(), by: z.string() },
  bouquetId: digits.nullable(),
  expiresAt: z.string().transform((said) => new Date(said)),
});

/** The act of deciding a batch: its cards are made when its codes are asked for. */
export const createVoucherBatch = ({
  pool,
  ids,
  clock,
}: {
  pool: Db;
  ids: Ids;
  clock: Clock;
}): Act => ({
  permission: 'voucher.approve',
  async execute(input, key) {
    const read = batchInput.parse(input);
    const batchId = await makeBatch(pool, ids, { ...read, at: clock.now() }, key);
    if (batchId === null) return { kind: 'refused', code: 'batch_taken' };
    return { kind: 'done', result: { batchId: batchId.toString() } };
  },
});

/** The routes of batches. */
export const voucherBatchRoutes = (desk: Desk): Route[] => [
  listRoute(desk),
  oneRoute(desk),
  makeRoute(desk),
  codesRoute(desk),
  ...stateRoutes,
];

const viewOf = (desk: Desk) => (record: BatchRecord) => ({
  id: record.id.toString(),
  name: record.name,
  site: codeOf(desk, record.siteId),
  value: moneyOf(record.value, record.asset),
  days: record.days,
  bouquet:
    record.bouquetId === null
      ? null
      : (desk.catalogue().bouquets.get(record.bouquetId)?.code ?? null),
  size: record.size,
  expiresAt: record.expiresAt.toISOString(),
  createdAt: record.createdAt.toISOString(),
  states: record.states,
});

const listRoute = (desk: Desk): Route =>
  route({
    ...{ method: 'get', path: '/voucher-batches', tag, access: 'voucher.read', paged: true },
    summary: 'Batches of scratch cards, the newest first',
    query: z.strictObject({ ...pageQuery, site: siteCode.optional() }),
    answers: { 200: pageOf(batch) },
    async handler({ db, principal, query, page, pageOf: answer }) {
      const sites = sitesOf(desk, principal, query.site);
      const rows = await findBatches(db, { sites, after: page.after, limit: page.fetch });
      const keyOf = ({ createdAt: at, id: rowId }: BatchRecord) => ({ at, id: rowId });
      return answer(rows, keyOf, viewOf(desk));
    },
  });

const oneRoute = (desk: Desk): Route =>
  route({
    ...{ method: 'get', path: '/voucher-batches/{batchId}', tag, access: 'voucher.read' },
    ...{ summary: 'A batch of scratch cards', params, answers: { 200: batch } },
    async handler({ db, principal, params: { batchId } }) {
      const found = await batchById(db, batchId, siteFilter(principal));
      return found ? ok(viewOf(desk)(found)) : problem('not_found');
    },
  });

const DAYS_MAX = 366;
const newBatch = z.strictObject({
  /** No two have the same: asked again, it is the same batch. */
  name: text(60, 3),
  value: moneyIn,
  /** Days of a plan; left out: credit. */
  days: z.int().min(1).max(DAYS_MAX).nullable().default(null),
  /** For days; left out: the plan of the card. */
  bouquet: text(40).nullable().default(null),
  size: z.int().min(1).max(BATCH_CARDS_MAX),
  expiresAt: instantIn,
  reason,
});

const makeRoute = (desk: Desk): Route =>
  route({
    ...{ method: 'post', path: '/sites/{site}/voucher-batches', tag, access: 'voucher.make' },
    summary: 'Decide a batch of scratch cards; above the limit of all its value two decide',
    ...{ params: z.strictObject({ site: siteCode }), body: newBatch },
    write: { object: 'voucher_batch', commits: 'itself' },
    example: {
      ...{ name: 'NBO-2026-12-A', value: { amount: '250.00', currency: 'KES' }, size: 100 },
      ...{ expiresAt: '2028-12-31T00:00:00Z', reason: 'for the shops in town' },
    },
    answers: { 201: z.strictObject({ batchId: idText }), 202: approval },
    problems: ['batch_taken', 'wrong_currency', 'unavailable'],
    async handler(call) {
      const { principal, body } = call;
      const site = siteByCode(desk, principal, call.params.site);
      if (!site) return problem('not_found');
      call.note({ siteId: site.id, objectId: body.name, after: body, reason: body.reason });
      const input = inputOf(desk, site, principal.key, body);
      if ('problem' in input) return input;
      const minor = BigInt(input.value) * BigInt(input.size);
      return doOrAsk(
        desk,
        { ...call, receipt: keyOf(input) },
        {
          ...{ act: VOUCHER_BATCH, input, siteId: site.id, reason: body.reason },
          subject: `${body.size} scratch cards: ${body.name}`,
          amount: { minor, asset: site.currency },
          needsSecond: desk.needsSecond(minor, site.currency),
        },
      );
    },
  });

/** The same batch asked for again is the same; another of its name is refused. */
const keyOf = (input: z.input<typeof batchInput>): string =>
  `voucher-batch:${createHash('sha256').update(JSON.stringify(input)).digest('base64url')}`;

/** What the batch is made with, as plain JSON, or what is wrong with it. */
function inputOf(
  desk: Desk,
  site: Site,
  by: string,
  said: z.output<typeof newBatch>,
): z.input<typeof batchInput> | Problem {
  const value = minorAt(site, said.value);
  if (typeof value !== 'bigint') return value;
  const bouquet = said.bouquet === null ? null : bouquetAt(desk, site, said.bouquet);
  if (bouquet === undefined || (bouquet && said.days === null)) return UNKNOWN_BOUQUET;
  return {
    ...{ name: said.name, siteId: site.id.toString(), asset: site.currency, by },
    ...{ kind: said.days === null ? 'amount' : 'days', days: said.days, size: said.size },
    ...{ value: value.toString(), bouquetId: bouquet?.id.toString() ?? null },
    expiresAt: said.expiresAt.toISOString(),
  };
}

const codesRoute = (desk: Desk): Route =>
  route({
    ...{ method: 'post', path: '/voucher-batches/{batchId}/codes', tag, access: 'voucher.make' },
    summary: 'Make the cards of a batch and show their codes: once, for ever, to be printed',
    ...{ params, write: { object: 'voucher_batch', commits: 'here' } },
    answers: {
      201: z.strictObject({
        cards: z.array(z.strictObject({ serial: z.string(), code: z.string() })),
      }),
    },
    problems: ['codes_shown', 'no_voucher_key'],
    async handler(call) {
      const { db, principal, params: given } = call;
      const found = await batchById(db, given.batchId, siteFilter(principal));
      if (!found) return problem('not_found');
      call.note({ siteId: found.siteId, after: { size: found.size } });
      const { ids, random, voucherHash: hashOf } = desk;
      if (!hashOf) return problem('no_voucher_key');
      const cards = await printOnce(() => printBatch(db, { ids, random, hashOf }, found.id));
      return cards ? created({ cards }) : problem('codes_shown');
    },
  });

/** Of two at once the unique serial lets one through. */
async function printOnce<T>(print: () => Promise<T | null>): Promise<T | null> {
  try {
    return await print();
  } catch (error) {
    if ((error as { constraint?: string }).constraint === 'voucher_serial_key') return null;
    throw error;
  }
}

const serial = z
  .string()
  .regex(/^[0-9]{12}$/)
  .nullable()
  .default(null);
/** Both ends are among them; left out: all of the batch. */
const range = z.strictObject({ fromSerial: serial, toSerial: serial, reason });
const changed = z.strictObject({ cards: z.int() });

const common = { tag, params, body: range, answers: { 200: changed } } as const;
const stateRoutes: Route[] = [
  route({
    ...{ ...common, method: 'post', path: '/voucher-batches/{batchId}/activations' },
    summary: 'Let the cards of a batch, or a range of them, be used from now on',
    ...{ access: 'voucher.make', write: { object: 'voucher_batch', commits: 'here' } },
    example: { reason: 'they have arrived at the shop' },
    handler: (call) => setStates(call, 'ACTIVATED'),
  }),
  route({
    ...{ ...common, method: 'post', path: '/voucher-batches/{batchId}/blocks' },
    summary: 'Block what is unused of a lost batch, or of a range of it, for ever',
    ...{ access: 'voucher.block', write: { object: 'voucher_batch', commits: 'here' } },
    example: { reason: 'the box was stolen' },
    handler: (call) => setStates(call, 'BLOCKED'),
  }),
];

async function setStates(
  call: Call<z.output<typeof params>, unknown, z.output<typeof range>>,
  state: 'ACTIVATED' | 'BLOCKED',
): Promise<Answer | Problem> {
  const { db, principal, params: given, body } = call;
  const found = await batchById(db, given.batchId, siteFilter(principal));
  if (!found) return problem('not_found');
  const { fromSerial: from, toSerial: to } = body;
  const cards = await setCards(db, found.id, state, { from, to });
  call.note({ siteId: found.siteId, after: { state, from, to, cards }, reason: body.reason });
  return ok({ cards });
}
