/**
 * Goal: a product that is killed under load loses nothing and does nothing twice; and the command
 * that says so would notice if it did.
 * Method: two short rounds on the real processes, then books that are falsified on purpose, one
 * way at a time, inside a transaction that is rolled back.
 */
import { rmSync } from 'node:fs';
import type { Pool } from 'pg';
import { createPool } from '../src/platform/database/pool.ts';
import { silentLogger } from '../src/platform/log.ts';
import { makeTestFolder } from '../src/platform/test-database.ts';
import { type Evidence, inspect } from './check.ts';
import { type Kill, planRound } from './plan.ts';
import { evidenceOf, runRound, type World } from './round.ts';
import { closeWorld, openWorld } from './run.ts';

const ROUND_MS_MAX = 170_000;
const SEED = 7;
const CARDS = 60;
const folder = makeTestFolder();
let world: World;

beforeAll(async () => {
  world = await openWorld(folder, SEED, CARDS);
}, ROUND_MS_MAX);
afterAll(async () => {
  const stoppedWell = await closeWorld(world);
  rmSync(folder, { recursive: true, force: true });
  expect(stoppedWell).toBe(true);
}, ROUND_MS_MAX);

describe('a product killed under load', () => {
  const shortRound = (seed: number, kill: Kill) =>
    runRound(
      world,
      planRound(seed, {
        ratePerSecond: 150,
        seconds: 3,
        shortCode: world.house.demo().paybill.shortCode,
        customers: world.customers,
        kills: [kill],
        now: new Date(),
      }),
    );

  it.each(['postgres', 'node'] as const)(
    'agrees with the operator to the unit when the victim is: %s',
    async (kill) => {
      const result = await shortRound(kill === 'node' ? SEED : SEED + 1, kill);
      expect(result.faults).toEqual([]);
      expect(result.measured?.played.unanswered).toBeGreaterThan(0);
      expect(result.measured?.counts.credited).toBeGreaterThan(CARDS);
    },
    ROUND_MS_MAX,
  );
});

describe('the comparison of books', () => {
  type Falsify = (pool: Pool, evidence: Evidence) => Promise<Evidence | undefined>;

  /** What is found when something is falsified; afterwards it is as if nothing had been. */
  async function faultsAfter(falsify: Falsify): Promise<string[]> {
    // One connection, so that all statements fall into the one transaction.
    const pool = createPool({
      url: world.house.databaseUrl('superuser'),
      max: 1,
      name: 'torture-test',
      logger: silentLogger,
    });
    try {
      await pool.query('BEGIN');
      // The database's own guards are switched off, or it would refuse most of this.
      await pool.query('SET LOCAL session_replication_role = replica');
      const honest = evidenceOf(world);
      const falsified = (await falsify(pool, honest)) ?? honest;
      const { faults } = await inspect(pool, falsified);
      await pool.query('ROLLBACK');
      return faults;
    } finally {
      await pool.end();
    }
  }

  const paidLine = (evidence: Evidence) => {
    const line = [...evidence.lines.values()].find(
      ({ kind, card, texts }) => kind === 'payment' && card && texts === 1,
    );
    if (!line?.card) throw new Error('nobody paid');
    return { ...line, card: line.card };
  };

  it('finds nothing where nothing was falsified', async () => {
    expect(await faultsAfter(async () => undefined)).toEqual([]);
  });

  it('names a receipt that the operator has and we lost', async () => {
    const faults = await faultsAfter(async (_pool, evidence) => {
      const lost = { ...paidLine(evidence), receipt: 'UKN0000LOST' };
      return { ...evidence, lines: new Map([...evidence.lines, [lost.receipt, lost]]) };
    });
    expect(faults).toContain('receipt UKN0000LOST: moved at the operator, lost by us');
    expect(faults).toContainEqual(expect.stringMatching(/^clearing of ke-paybill: /));
  });

  it('names a receipt that the operator never had', async () => {
    let dropped = '';
    const faults = await faultsAfter(async (_pool, evidence) => {
      dropped = paidLine(evidence).receipt;
      const lines = new Map(evidence.lines);
      lines.delete(dropped);
      return { ...evidence, lines };
    });
    expect(faults).toContain(`receipt ${dropped}: in our books, not in the operator's`);
  });

  it('names a receipt credited twice, though our own books stay balanced', async () => {
    let receipt = '';
    const faults = await faultsAfter(async (pool, evidence) => {
      receipt = paidLine(evidence).receipt;
      await pool.query(CREDIT_TWICE, [receipt]);
      return undefined;
    });
    expect(faults).toContain(`receipt ${receipt}: credited so many times: 2, expected 1`);
    expect(faults).toContainEqual(expect.stringMatching(/^clearing of ke-paybill: /));
    expect(faults.filter((fault) => fault.startsWith('books:'))).toEqual([]);
  });

  it('names a journal that does not sum to zero', async () => {
    const faults = await faultsAfter(async (pool) => {
      await pool.query(
        `UPDATE entry SET amount = amount + 1
          WHERE journal_id = (SELECT max(id) FROM journal WHERE kind = 'payment') AND line = 1`,
      );
      return undefined;
    });
    expect(faults).toContain('books: unbalancedJournals 1');
  });

  it('names a paid card whose rights are missing', async () => {
    let card = '';
    const faults = await faultsAfter(async (pool, evidence) => {
      const { rows } = await pool.query(
        `UPDATE card_rights r SET desired = '[]'
           FROM card c JOIN subscription s ON s.card_id = c.id
          WHERE r.card_id = c.id AND c.id = (
                SELECT max(card_id) FROM subscription WHERE paid_until > now() AND
                       card_id IN (SELECT id FROM card WHERE number = ANY($1)))
        RETURNING c.number`,
        [evidence.customers.map((customer) => customer.card)],
      );
      card = rows[0].number;
      return undefined;
    });
    expect(faults).toContain(`card ${card}: other rights on air than ours`);
    expect(faults).toContainEqual(expect.stringMatching(`^card ${card}: ESS is not asked for`));
  });

  it('names a payment of which nobody was told', async () => {
    let receipt = '';
    const faults = await faultsAfter(async (pool, evidence) => {
      receipt = paidLine(evidence).receipt;
      await pool.query(
        `UPDATE outbound SET inbox_id = NULL WHERE kind = 'text'
            AND inbox_id = (SELECT id FROM inbox WHERE receipt = $1)`,
        [receipt],
      );
      return undefined;
    });
    expect(faults).toEqual([`receipt ${receipt}: texts 0, expected 1`]);
  });
});

/** The payment of a receipt once more, with wallet and lot, so that every sum holds. */
const CREDIT_TWICE = `
WITH first AS (
  SELECT j.*, (SELECT max(id) FROM journal) + 1 AS new_id
    FROM journal j JOIN inbox i ON i.id = j.inbox_id
   WHERE i.receipt = $1 AND j.kind = 'payment'
), booked AS (
  INSERT INTO journal (id, kind, site_id, inbox_id, effective_at)
  SELECT new_id, kind, site_id, inbox_id, effective_at FROM first
), entered AS (
  INSERT INTO entry (journal_id, line, account_id, asset, amount)
  SELECT f.new_id, e.line, e.account_id, e.asset, e.amount
    FROM first f JOIN entry e ON e.journal_id = f.id
  RETURNING account_id, amount
), raised AS (
  UPDATE balance b SET amount = b.amount + e.amount
    FROM entered e WHERE e.account_id = b.account_id
  RETURNING b.account_id, e.amount
)
INSERT INTO lot (id, account_id, journal_id, kind, priority, amount, remaining)
SELECT (SELECT max(id) FROM lot) + 1, account_id, (SELECT new_id FROM first), 'paid', 1,
       amount, amount
  FROM raised`;
