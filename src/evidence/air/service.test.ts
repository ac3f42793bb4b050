import fc from 'fast-check';
import { type EvidenceHouse, openEvidence } from '../evidence-harness.ts';
import { runReport } from '../reports/service.ts';
import { AGES, agesOf, countShown } from '../reports/store.ts';
import { type AirCard, type Executed, execute, keyOf, type Span } from './rules.ts';
import { followLog } from './service.ts';

const START_MS = Date.parse('2026-03-01T00:00:00.000Z');
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const PRODUCTS = ['ESS', 'PREM', 'EVT:CUP'];

interface Logged extends Executed {
  card: string;
}

const instant = fc.integer({ min: 0, max: 60 * 24 }).map((hours) => START_MS + hours * HOUR_MS);
const right = fc
  .record({ product: fc.constantFrom(...PRODUCTS), from: instant, days: fc.nat(40) })
  .map(({ product, from, days }) => ({ product, from, to: from + days * DAY_MS }));
const logged: fc.Arbitrary<Logged> = fc.record({
  card: fc.constantFrom('1', '2', '3', '4', '5'),
  epoch: fc.constantFrom(1, 1, 2),
  rev: fc.integer({ min: 1, max: 20 }),
  at: instant,
  set: fc.array(right, { maxLength: 3 }),
  isSuspended: fc.constantFrom(false, false, false, true),
  marginMs: fc.constantFrom(0, 6 * HOUR_MS),
});

describe('what was on the air', () => {
  let house: EvidenceHouse;
  beforeAll(async () => {
    house = await openEvidence();
  });
  afterAll(() => house.close());

  const write = async (log: readonly Logged[]) => {
    const iso = (ms: number) => new Date(ms).toISOString();
    for (const { card, epoch, rev, at, set, isSuspended, marginMs } of log) {
      const args = {
        set: set.map(({ product, from, to }) => ({ product, from: iso(from), to: iso(to) })),
        ...(isSuspended ? { suspended: 'fraud' } : {}),
      };
      await house.pool.query(
        `INSERT INTO command_log (at, cas, cmd_id, op, target_kind, target_id, epoch, rev, args,
                                  margin_s, prio, sent_at, on_air_at, result, code, attempt)
         VALUES ($1, 'main', 'c', 'ENTITLE', 'card', $2, $3, $4, $5, $6, 'SALE', $1, $1, 'done',
                 'DONE', 1)`,
        [iso(at), card, epoch, rev, JSON.stringify(args), marginMs / 1000],
      );
    }
  };
  const follow = async () => {
    await house.untilPast();
    const clock = { now: () => new Date(START_MS + 365 * DAY_MS) };
    await Promise.all([
      followLog({ pool: house.pool, clock }),
      followLog({ pool: house.pool, clock }),
    ]);
  };
  const forget = () =>
    house.owner.query(
      `DELETE FROM air_day; DELETE FROM air_span; DELETE FROM air_card;
       UPDATE air_progress SET xid = 0, row = 0, at = '-infinity';
       ALTER TABLE command_log_default DISABLE TRIGGER USER;
       ALTER TABLE command_log DISABLE TRIGGER USER;
       DELETE FROM command_log`,
    );
  /** Told by the pure rules, whose own test replays the log in plainer words. */
  const spansOf = (log: readonly Logged[]) => {
    const cards = new Map<string, AirCard>();
    const spans = new Map<string, Span & { card: string }>();
    for (const set of log) {
      const done = execute(cards.get(set.card) ?? null, set);
      if (done) cards.set(set.card, done.card);
      for (const { before: _, ...span } of done?.changes ?? []) {
        spans.set(`${set.card} ${keyOf(span)}`, { ...span, card: set.card });
      }
    }
    return [...spans.values()];
  };

  it('is counted at any instant as a replay counts it, in whatever pieces it came', async () => {
    const two = fc.array(logged, { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(
        two,
        two,
        fc.array(fc.nat(120 * 24), { minLength: 4, maxLength: 4 }),
        async (first, second, hours) => {
          await forget();
          await write(first);
          await follow();
          await write(second);
          await follow();
          const spans = spansOf([...first, ...second]);
          for (const hour of hours) {
            const at = START_MS + hour * HOUR_MS;
            const now = spans.filter(({ from, to }) => from <= at && at < to);
            const counts = new Map<string, number>();
            for (const { products } of now) {
              const shown = products.join(' ');
              counts.set(shown, (counts.get(shown) ?? 0) + 1);
            }
            const counted = await countShown(house.pool, new Date(at));
            const sorted = counted.map(
              ({ products, cards }) => [products.join(' '), cards] as const,
            );
            expect(new Map(sorted)).toEqual(counts);
            const ages = await agesOf(house.pool, new Date(at));
            for (const product of PRODUCTS) {
              const had = now.flatMap(
                ({ products, since }) => since[products.indexOf(product)] ?? [],
              );
              const own = had.map((since) =>
                AGES.findLastIndex((days) => days <= Math.floor((at - since) / DAY_MS)),
              );
              const row = ages.find((one) => one.product === product);
              const none = AGES.map(() => 0);
              expect(row?.cards ?? none).toEqual(
                AGES.map((_, n) => own.filter((age) => age === n).length),
              );
            }
          }
        },
      ),
      { numRuns: 6 },
    );
  });

  it('is not told of an instant that is not known wholly yet', async () => {
    await forget();
    expect(await runReport(house.pool, { name: 'active', at: new Date(START_MS) })).toEqual({
      ok: false,
      error: 'too_late',
    });
    await write([]);
    await follow();
    const known = new Date(START_MS + 365 * DAY_MS - 60_000);
    expect(await runReport(house.pool, { name: 'active', at: known })).toMatchObject({ ok: true });
    const later = new Date(known.getTime() + 1);
    expect(await runReport(house.pool, { name: 'active', at: later })).toMatchObject({ ok: false });
  });
});
