import { hash } from 'node:crypto';
import { type EvidenceHouse, NOW, openEvidence } from '../evidence-harness.ts';
import type { Installation } from './ask.ts';
import { REQUIREMENTS } from './requirements.ts';
import { canonicalPack, makePack, makeRow, packText, statusOf } from './service.ts';

const INSTALLATION: Installation = {
  ...{ keepMonths: 24, anchors: { read: { anchors: [], faults: [] } }, listedSites: ['all'] },
  ...{ links: [{ cas: 'vip-control', transport: 'tls' }], requireTotp: true },
  people: {
    ...{ roles: [], conflicts: 0, passwordCharsMin: 12, freeTries: 5, sessionIdleMinutes: 30 },
  },
};

/** Goal: every requirement is told, and none is said to be met when it is broken. */
describe('the compliance pack', () => {
  let house: EvidenceHouse;
  beforeAll(async () => {
    house = await openEvidence();
    await house.log(3);
    await house.audit(2);
    await house.journal(2);
    await house.seal();
    await house.pool.query("UPDATE conditional_access SET declaration = 'file', vendor = 'V'");
    await house.owner.query('UPDATE air_progress SET at = $1', [NOW]);
  });
  afterAll(() => house.close());

  const make = () =>
    makePack({ pool: house.pool, clock: { now: () => NOW }, installation: INSTALLATION });
  const rowOf = async (number: string, installation: Partial<Installation> = {}) => {
    const found = REQUIREMENTS.find((one) => one.number === number);
    if (!found) throw new Error(`${number} is not in the pack`);
    const { pool } = house;
    const all = { ...INSTALLATION, ...installation };
    return await makeRow(found, { pool, at: NOW, known: NOW, installation: all });
  };
  const statusesOf = async (number: string, breaks: string, heals: string) => {
    const before = (await rowOf(number)).status;
    await house.owner.query(breaks);
    const during = await rowOf(number);
    await house.owner.query(heals);
    return [before, during.status, (await rowOf(number)).status];
  };

  it('tells every requirement, with its evidence, and proves its own text', async () => {
    const pack = await make();
    const numbers = (prefix: string, count: number) =>
      Array.from({ length: count }, (_, n) => `${prefix}-${n + 1}`);
    expect(pack.rows.map(({ number }) => number)).toEqual([
      ...[...numbers('C', 21), ...numbers('D', 9), ...numbers('E', 6), ...numbers('IX', 11)],
      ...numbers('X', 6),
    ]);
    expect(REQUIREMENTS).toHaveLength(53);
    for (const { status, reasons, evidence } of pack.rows) {
      expect(status === 'met').toBe(reasons.length === 0);
      expect(status === 'not applicable').toBe(evidence.length === 0);
      for (const { source } of evidence) expect(source).not.toBe('');
    }
    const failed = pack.rows.flatMap(({ number, reasons }) =>
      reasons.filter((one) => one.startsWith('It could not')).map((one) => `${number} ${one}`),
    );
    expect(failed).toEqual([]);
    expect(hash('sha256', canonicalPack(pack))).toBe(pack.sha256);
    expect((await make()).rows.find(({ number }) => number === 'C-2')).toEqual(
      pack.rows.find(({ number }) => number === 'C-2'),
    );
    expect(packText(pack, { queries: true })).toContain('FROM command_log');
  });

  it('is met as a whole where nothing is wrong with the logs', async () => {
    expect((await rowOf('C-2')).reasons).toEqual([]);
    expect((await rowOf('C-3')).reasons).toEqual([]);
    expect((await rowOf('C-21')).status).toBe('met');
    expect((await rowOf('IX-1')).reasons).toEqual([]);
    expect((await rowOf('IX-3')).reasons).toEqual([]);
    expect((await rowOf('IX-9')).status).toBe('met');
  });

  it('sees a trigger that is gone', async () => {
    const flips = await statusesOf(
      'C-3',
      'ALTER TABLE audit DISABLE TRIGGER append_only',
      'ALTER TABLE audit ENABLE TRIGGER append_only',
    );
    expect(flips).toEqual(['met', 'not met', 'met']);
  });

  it('sees that the product’s role may change or remove what is kept', async () => {
    const { rows } = await house.pool.query('SELECT quote_ident(current_user) AS name');
    const role = rows[0].name;
    expect(
      await statusesOf(
        'C-3',
        `GRANT UPDATE (code) ON command_log TO ${role}`,
        `REVOKE UPDATE (code) ON command_log FROM ${role}`,
      ),
    ).toEqual(['met', 'not met', 'met']);
    expect(
      await statusesOf(
        'IX-3',
        `GRANT DELETE ON audit TO ${role}`,
        `REVOKE DELETE ON audit FROM ${role}`,
      ),
    ).toEqual(['met', 'not met', 'met']);
  });

  it('sees a row that was changed after it was sealed', async () => {
    await house.tamper('audit', "UPDATE audit SET actor_name = 'B'");
    const { status, reasons } = await rowOf('C-3');
    expect(status).toBe('not met');
    expect(reasons[0]).toMatch(/^audit \d+ was changed after it was sealed$/);
    await house.tamper('audit', "UPDATE audit SET actor_name = 'A'");
    expect((await rowOf('C-3')).status).toBe('met');
  });

  it('sees anchors that are not there, a log kept too short, a link in the clear', async () => {
    expect((await rowOf('C-3', { anchors: null })).status).toBe('part');
    expect((await rowOf('C-2', { keepMonths: 12 })).status).toBe('not met');
    expect((await rowOf('C-21', { keepMonths: 12 })).status).toBe('not met');
    const links = [{ cas: 'vip-control', transport: 'tcp' }];
    expect((await rowOf('IX-9', { links })).status).toBe('not met');
    expect((await rowOf('IX-9', { links: null })).status).toBe('part');
    expect((await rowOf('IX-4', { listedSites: [] })).status).toBe('not met');
    expect((await rowOf('IX-6', { requireTotp: false })).status).toBe('not met');
  });

  it('sees a declaration that is not on file or has run out', async () => {
    const declare = (more: string) => `UPDATE conditional_access SET ${more}`;
    const good = declare("declaration = 'file', declared_until = NULL");
    expect(await statusesOf('C-1', declare('declaration = NULL'), good)).toEqual([
      ...['met', 'not met', 'met'],
    ]);
    expect(await statusesOf('C-1', declare("declared_until = '2026-01-01'"), good)).toEqual([
      ...['met', 'not met', 'met'],
    ]);
  });

  it('sees a system that can do too little', async () => {
    const say = (osdMax: number, modes: string) =>
      `INSERT INTO cas_capabilities (cas_id, osd_max, fp_modes, supports, said_at)
       VALUES ('vip-control', ${osdMax}, '${modes}', '["OSD","FINGERPRINT","LOG","DUMP"]', now())
       ON CONFLICT (cas_id) DO UPDATE SET osd_max = EXCLUDED.osd_max, fp_modes = EXCLUDED.fp_modes`;
    expect((await rowOf('E-2')).status).toBe('part');
    const good = say(160, '["overt","covert"]');
    await house.owner.query(good);
    expect(await statusesOf('E-2', say(119, '["overt","covert"]'), good)).toEqual([
      ...['met', 'not met', 'met'],
    ]);
    expect(await statusesOf('D-2', say(160, '["overt"]'), good)).toEqual([
      ...['met', 'not met', 'met'],
    ]);
  });

  it('sees what was written at the system by others, and differences that are open', async () => {
    await house.owner.query(
      `INSERT INTO reconciliation_run (cas_id, asked_at, asked_by, heal)
       VALUES ('vip-control', $1, 'night', true)`,
      [NOW],
    );
    await house.owner.query(
      `INSERT INTO reconciliation_end (run_id, started_at, ended_at, cards, products, variance_ppm,
                                       log_lines, log_foreign, log_n, log_hash)
       SELECT id, $1, $1, 1, '{}', 0, 5, 0, 5, 'ab' FROM reconciliation_run`,
      [NOW],
    );
    expect((await rowOf('C-4')).status).toBe('met');
    expect((await rowOf('C-14')).status).toBe('met');
    await house.owner.query(
      `INSERT INTO reconciliation_foreign (run_id, n, at, op, target_kind, target_id, by, args,
                                           code)
       SELECT id, 5, $1, 'ENTITLE', 'card', '40210000010', 'console', '{}', 'DONE'
         FROM reconciliation_run`,
      [NOW],
    );
    await house.owner.query(
      `INSERT INTO reconciliation_difference (run_id, cas_id, found_at, card, class, product,
              wanted, found, since, seconds, is_active, is_healed)
       SELECT id, cas_id, $1, '40210000010', 'A', 'ESS', '{}', '{}', $1, 0, true, false
         FROM reconciliation_run`,
      [NOW],
    );
    expect((await rowOf('C-4')).status).toBe('not met');
    expect((await rowOf('C-5')).reasons).toContain('Differences between the two sides are open.');
  });

  it('counts what is broken above what cannot be shown', () => {
    expect(statusOf({ wrong: ['a'], missing: ['b'] })).toBe('not met');
    expect(statusOf({ wrong: [], missing: ['b'] })).toBe('part');
    expect(statusOf({ wrong: [], missing: [] })).toBe('met');
    expect(statusOf({ wrong: [], missing: [], outside: 'c' })).toBe('not applicable');
  });
});
