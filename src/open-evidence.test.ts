import { generateKeyPairSync } from 'node:crypto';
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { clock, type EvidenceHouse, NOW, openEvidence } from './evidence/evidence-harness.ts';
import { evidenceJobs, openAnchors } from './open-evidence.ts';
import { createJobs } from './platform/jobs.ts';
import { silentLogger as logger } from './platform/log.ts';
import { makeTestFolder } from './platform/test-database.ts';

describe('the work of the evidence room', () => {
  let house: EvidenceHouse;
  const folder = makeTestFolder();
  const keyFile = join(folder, 'key.pem');
  const anchorsOf = () =>
    openAnchors({ evidence: { anchors: { folder: join(folder, 'a'), keyFile }, keepMonths: 24 } });
  beforeAll(async () => {
    house = await openEvidence();
  });
  afterAll(async () => {
    await house.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('refuses to start with a key that signs nothing', () => {
    writeFileSync(keyFile, 'no key');
    expect(anchorsOf).toThrow('is no private Ed25519 key');
    expect(openAnchors({})).toBeNull();
  });

  it('seals, makes months and follows the log by the calendar, and anchors the day', async () => {
    const { privateKey } = generateKeyPairSync('ed25519');
    writeFileSync(keyFile, privateKey.export({ type: 'pkcs8', format: 'pem' }));
    const { pool } = house;
    await house.log(1, NOW);
    await house.untilPast();
    const jobs = createJobs({ pool, logger });
    for (const job of evidenceJobs({ pool, clock, logger, anchors: anchorsOf() })) jobs.add(job);
    const results = await Promise.all(jobs.names().map((name) => jobs.runNow(name)));
    await jobs.stop();
    expect(results).toEqual(['done', 'done', 'done', 'done']);
    expect(readdirSync(join(folder, 'a'))).toEqual(['2026-11-23.json', '2026-11-23.json.sig']);
    const { rows } = await pool.query('SELECT sum(rows)::integer AS rows FROM seal_block');
    expect(rows).toEqual([{ rows: 1 }]);
  });
});
