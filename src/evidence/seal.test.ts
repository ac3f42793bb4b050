import { generateKeyPairSync } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { transaction } from '../platform/database/pool.ts';
import { makeTestFolder } from '../platform/test-database.ts';
import { type Anchor, readAnchors, writeAnchor } from './anchors.ts';
import { readChains } from './chains.ts';
import { clock, type EvidenceHouse, NOW, openEvidence } from './evidence-harness.ts';
import { BLOCK_ROWS_MAX, sealAll, sealBlock } from './seal.ts';
import { verifyAll } from './verify.ts';

const MONTH = 'command_log_2026_11';
const ROLE_MIGRATION = 'prisma/migrations/20261202011000_audit_role/migration.sql';

describe('what is sealed', () => {
  let house: EvidenceHouse;
  beforeEach(async () => {
    house = await openEvidence();
    await house.pool.query("SELECT make_command_log_month('2026-11-01')");
  });
  afterEach(() => house.close());

  const seal = () => house.seal();
  const verify = (anchors: readonly Anchor[] = [], now = NOW) =>
    verifyAll({ pool: house.pool, clock: { now: () => now }, anchors });
  const said = async (anchors?: readonly Anchor[]) =>
    (await verify(anchors)).findings.map(({ text }) => text);

  it('is all there was, once, and is found as it was', async () => {
    await house.log(5);
    await house.audit(3);
    await house.journal(4);
    // A line of the audit is in two chains.
    expect(await seal()).toBe(15);
    expect(await seal()).toBe(0);
    await house.log(2);
    expect(await seal()).toBe(2);
    expect(await verify()).toEqual({ rows: 17, blocks: 5, findings: [] });
  });

  it('is cut into blocks of a bounded size', async () => {
    await house.log(BLOCK_ROWS_MAX + 10);
    expect(await seal()).toBe(BLOCK_ROWS_MAX + 10);
    expect(await verify()).toEqual({ rows: BLOCK_ROWS_MAX + 10, blocks: 2, findings: [] });
  });

  it('is sealed once by sealers that begin together', async () => {
    await house.log(20);
    const counts = await Promise.all([seal(), seal(), seal()]);
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(20);
    expect((await verify()).findings).toEqual([]);
  });

  it('holds rows that commit late with an id below those already there', async () => {
    await transaction(house.pool, async (client) => {
      await client.query(
        `INSERT INTO audit (id, at, request_id, actor, actor_name, role, remote, route, outcome,
                            object)
         SELECT nextval('id_block') * 10000, now(), 'late', 'a', 'a', 'r', '-', '-', 'done', 'x'`,
      );
      await house.audit(2);
      // The later rows have to wait too: what is below them is not known yet.
      expect(await sealAll({ pool: house.pool, clock })).toBe(0);
    });
    expect(await seal()).toBe(6);
    expect(await verify()).toEqual({ rows: 6, blocks: 2, findings: [] });
  });

  it('names a row that was changed, in each table', async () => {
    const [, logged] = await house.log(3);
    const [, audited] = await house.audit(3);
    const [, booked] = await house.journal(3);
    await seal();
    const { tamper } = house;
    await tamper(MONTH, `UPDATE ${MONTH} SET code = 'BUSY' WHERE id = $1`, [logged]);
    await tamper('audit', "UPDATE audit SET actor = 'staff:2' WHERE id = $1", [audited]);
    await tamper('entry', 'UPDATE entry SET amount = 2 * amount WHERE journal_id = $1', [booked]);
    const was = 'was changed after it was sealed';
    expect((await said()).sort()).toEqual([
      `audit ${audited} ${was}`,
      `${MONTH} ${logged} ${was}`,
      `journal ${booked} ${was}`,
    ]);
  });

  it('names a row that was deleted, and one put among the sealed', async () => {
    const [first, gone] = await house.audit(3);
    await seal();
    await house.tamper('audit', 'DELETE FROM audit WHERE id = $1', [gone]);
    await house.tamper(
      'audit',
      `INSERT INTO audit SELECT 7, at, request_id, actor, actor_name, remote, route, outcome,
              site_id, object, object_id, before, after, reason, xid, role
         FROM audit WHERE id = $1`,
      [first],
    );
    // A place before the chain's end, which the forged row has by its transaction.
    const both = (await said()).sort();
    expect(both).toEqual([
      `audit ${gone} was sealed and is gone`,
      'audit 7 stands among sealed rows and was not sealed with them',
      `audit_role ${gone} was sealed and is gone`,
      'audit_role 7 stands among sealed rows and was not sealed with them',
    ]);
  });

  it('holds the role of each line, but of those from before roles were written', async () => {
    const { tamper } = house;
    const [before] = await house.audit(1, 'not recorded');
    const [first, second] = await house.audit(2, 'supervisor');
    expect(await seal()).toBe(3 + 2);
    expect(await verify()).toEqual({ rows: 5, blocks: 2, findings: [] });
    const become = (role: string, id: bigint | undefined) =>
      tamper('audit', 'UPDATE audit SET role = $1 WHERE id = $2', [role, id]);
    await become('cashier', first);
    await become('not recorded', second);
    await become('cashier', before);
    expect((await said()).sort()).toEqual(
      [
        `audit_role ${before} stands among sealed rows and was not sealed with them`,
        `audit_role ${first} was changed after it was sealed`,
        `audit_role ${second} was sealed and is gone`,
      ].sort(),
    );
  });

  it('of lines from before there were roles is good when the column has come', async () => {
    const { pool, owner } = house;
    await owner.query('ALTER TABLE audit DROP role');
    await owner.query(
      `INSERT INTO audit (id, at, request_id, actor, actor_name, remote, route, outcome, object)
       SELECT n, $1, 'r', 'staff:1', 'A', '-', 'POST /x', 'done', 'card'
         FROM generate_series(1, 3) n`,
      [NOW],
    );
    await house.untilPast();
    const chains = await transaction(pool, readChains);
    const audit = chains.find(({ name }) => name === 'audit');
    if (!audit) throw new Error('The audit is not sealed');
    expect(await sealBlock({ pool, clock }, audit)).toBe(3);
    await owner.query(readFileSync(ROLE_MIGRATION, 'utf8'));
    expect(await verify()).toEqual({ rows: 3, blocks: 1, findings: [] });
    await house.audit(2);
    expect(await seal()).toBe(2 + 2);
    expect(await verify()).toEqual({ rows: 7, blocks: 3, findings: [] });
  });

  it.each([
    "sealed_at = sealed_at - interval '1 day'",
    "ids = decode(repeat('00', 8), 'hex')",
    'to_id = to_id + 1',
    'head = sha256(head)',
  ])('names a seal that was changed: %s', async (change) => {
    await house.audit(1);
    await seal();
    await house.audit(1);
    await seal();
    await house.tamper('seal_block', `UPDATE seal_block SET ${change} WHERE no = 1`);
    expect(await said()).toContain(
      'seal_block audit 1 was changed, or does not follow on the one before',
    );
  });

  it('names a seal that was deleted', async () => {
    for (let n = 0; n < 3; n++) {
      await house.audit(1);
      await seal();
    }
    await house.tamper('seal_block', "DELETE FROM seal_block WHERE no = 2 AND chain = 'audit'");
    expect(await said()).toContain('seal_block audit 2 is gone');
  });

  it('names rows that nobody sealed for ten minutes', async () => {
    const [id] = await house.audit(1);
    expect(await said()).toEqual([]);
    const later = new Date(NOW.getTime() + 601_000);
    expect((await verify([], later)).findings).toMatchObject([
      { chain: 'audit', kind: 'unsealed', id },
      { chain: 'audit_role', kind: 'unsealed', id },
    ]);
  });

  it('cannot be changed by the role of the product', async () => {
    await house.log(1);
    await seal();
    for (const table of ['command_log', 'command_log_default', 'seal_block', MONTH]) {
      const may = `has_table_privilege('${table}', 'UPDATE, DELETE, TRUNCATE')`;
      expect((await house.pool.query(`SELECT ${may} AS may`)).rows).toEqual([{ may: false }]);
    }
    await expect(house.owner.query('DELETE FROM command_log')).rejects.toThrow('append-only');
    await expect(house.owner.query(`TRUNCATE ${MONTH}`)).rejects.toThrow('append-only');
    await expect(house.owner.query('DELETE FROM seal_block')).rejects.toThrow('append-only');
  });

  describe('and anchored', () => {
    let folder: string;
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
    beforeEach(() => {
      folder = makeTestFolder();
    });
    afterEach(() => rmSync(folder, { recursive: true, force: true }));

    const anchor = (now = NOW) =>
      writeAnchor({ pool: house.pool, clock: { now: () => now }, folder, key: privateKey });
    const read = () => readAnchors(folder, pem);

    it('is the same as in the anchors, of which each follows on the one before', async () => {
      await house.audit(2);
      await seal();
      expect(await anchor()).toMatch(/^[0-9a-f]{64}$/);
      expect(await anchor()).toBeNull();
      await house.audit(1);
      await seal();
      await anchor(new Date(NOW.getTime() + 86_400_000));
      const { anchors, faults } = await read();
      expect(faults).toEqual([]);
      expect(anchors.map(({ file, chains }) => [file, chains.length])).toEqual([
        ['2026-11-23.json', 2],
        ['2026-11-24.json', 2],
      ]);
      expect(await said(anchors)).toEqual([]);
    });

    it('betrays a chain that was made anew, or cut short', async () => {
      await house.audit(2);
      await seal();
      await anchor();
      const { anchors } = await read();
      await house.tamper('audit', "UPDATE audit SET actor = 'nobody'");
      await house.tamper('seal_block', 'DELETE FROM seal_block');
      expect(await said(anchors)).toEqual([
        '2026-11-23.json knows block 1 of audit, which is not there',
        '2026-11-23.json knows block 1 of audit_role, which is not there',
      ]);
      await seal();
      expect(await said([])).toEqual([]);
      expect(await said(anchors)).toEqual([
        'the head of block 1 of audit is another than in 2026-11-23.json',
      ]);
    });

    it('tells an anchor that was changed, taken away or signed by somebody else', async () => {
      await house.audit(1);
      await seal();
      for (const days of [0, 1, 2]) await anchor(new Date(NOW.getTime() + days * 86_400_000));
      rmSync(join(folder, '2026-11-24.json'));
      expect((await read()).faults).toEqual([
        '2026-11-25.json does not follow on the file before it',
      ]);
      writeFileSync(join(folder, '2026-11-23.json'), '{}');
      expect((await read()).faults).toContain('2026-11-23.json is not signed with this key');
    });
  });
});
