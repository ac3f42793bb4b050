import { createHash, generateKeyPairSync } from 'node:crypto';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Pool } from 'pg';
import { createPool } from '../platform/database/pool.ts';
import { silentLogger } from '../platform/log.ts';
import { makeTestFolder } from '../platform/test-database.ts';
import { readAnchors, writeAnchor } from './anchors.ts';
import { type EvidenceHouse, openEvidence } from './evidence-harness.ts';
import { archiveMonth, makeMonths } from './months.ts';
import { verifyAll } from './verify.ts';

const OLD = new Date('2091-03-10T12:00:00.000Z');
const NOW = new Date('2093-06-20T12:00:00.000Z');
const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const PEM = publicKey.export({ type: 'spki', format: 'pem' }).toString();

describe('the months of the command log', () => {
  let house: EvidenceHouse;
  let owner: Pool;
  let folder: string;
  beforeEach(async () => {
    house = await openEvidence();
    owner = createPool({ url: house.ownerUrl, max: 4, name: 'owner', logger: silentLogger });
    folder = makeTestFolder();
  });
  afterEach(async () => {
    await owner.end();
    await house.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const make = (now: Date) => makeMonths({ pool: house.pool, clock: { now: () => now } });
  const rowsIn = async (table: string) =>
    (await house.pool.query('SELECT FROM command_log WHERE tableoid = $1::regclass', [table]))
      .rowCount;

  it('are made three ahead, once, and take what is written in them', async () => {
    const now = new Date('2091-11-30T23:59:59.000Z');
    expect(await make(now)).toEqual(['2091-11-01', '2091-12-01', '2092-01-01', '2092-02-01']);
    expect(await make(now)).toEqual([]);
    await house.log(2, now);
    await house.log(3, new Date('2091-12-01T00:00:00.000Z'));
    expect(await rowsIn('command_log_2091_11')).toBe(2);
    expect(await rowsIn('command_log_2091_12')).toBe(3);
  });

  it('that nobody made lie together, and are not made any more once rows lie there', async () => {
    await house.log(2, OLD);
    expect(await rowsIn('command_log_default')).toBe(2);
    expect(await make(OLD)).not.toContain('2091-03-01');
  });

  describe('that are old', () => {
    const clock = { now: () => NOW };
    const seal = () => house.seal();
    const archive = async (month = '2091-03', by = 'operator') => {
      const { anchors } = await readAnchors(join(folder, 'anchors'), PEM);
      const deps = { pool: owner, clock, folder, keepMonths: 24, by, anchors };
      return await archiveMonth(deps, month);
    };
    const anchor = () =>
      writeAnchor({ pool: house.pool, clock, folder: join(folder, 'anchors'), key: privateKey });
    beforeEach(async () => {
      await make(OLD);
      await make(NOW);
      await house.log(5, OLD);
      await house.log(2, NOW);
    });

    it('are taken out exported, proved and anchored, and the rest still proves', async () => {
      await seal();
      await anchor();
      const done = await archive();
      const file = join(folder, 'command_log_2091_03.copy');
      const content = readFileSync(file);
      const sha256 = createHash('sha256').update(content).digest('hex');
      expect(done).toEqual({ ok: true, file, rows: 5n, sha256 });
      expect(content.toString().match(/\n/g)).toHaveLength(5);
      expect((await house.pool.query('SELECT FROM command_log')).rowCount).toBe(2);
      const { anchors } = await readAnchors(join(folder, 'anchors'), PEM);
      const verify = () => verifyAll({ pool: house.pool, clock, anchors });
      expect(await verify()).toMatchObject({ rows: 7, findings: [] });
      await house.owner.query('DROP TABLE command_log_2091_03');
      expect(await verify()).toMatchObject({ rows: 2, findings: [] });
    });

    it('are named when they go in any other way', async () => {
      await seal();
      await house.owner.query('DROP TABLE command_log_2091_03');
      const { findings } = await verifyAll({ pool: house.pool, clock, anchors: [] });
      expect(findings).toMatchObject([{ chain: 'command_log_2091_03', kind: 'table' }]);
    });

    it('stay when they are young, unknown, not sealed, not anchored or not as sealed', async () => {
      await anchor();
      expect(await archive('2093-06')).toEqual({ ok: false, error: 'too_young' });
      expect(await archive('2020-01')).toEqual({ ok: false, error: 'unknown_month' });
      expect(await archive("x'; --")).toEqual({ ok: false, error: 'unknown_month' });
      expect(await archive()).toEqual({ ok: false, error: 'not_sealed' });
      await seal();
      expect(await archive()).toEqual({ ok: false, error: 'not_anchored' });
      const month = 'command_log_2091_03';
      await house.tamper(month, `UPDATE ${month} SET code = 'BUSY'`);
      expect(await archive()).toEqual({ ok: false, error: 'not_proved' });
      expect(await rowsIn(month)).toBe(5);
    });
  });
});
