import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { type EvidenceHouse, openEvidence } from '../src/evidence/evidence-harness.ts';

/** Goal: an auditor sees by the exit code, and is told by table and id, that a row was changed. */
const run = promisify(execFile);

describe('npm run verify', () => {
  let house: EvidenceHouse;
  beforeAll(async () => {
    house = await openEvidence();
  });
  afterAll(() => house.close());

  const verify = async () => {
    const env = { ...process.env, DATABASE_URL: house.appUrl };
    try {
      const { stdout } = await run(process.execPath, ['src/verify.ts'], { env });
      return { code: 0, stdout };
    } catch (error) {
      const { code, stdout } = error as { code: number; stdout: string };
      return { code, stdout };
    }
  };

  it('ends with 0 while all is as it was sealed, else with 1 and the row', async () => {
    const [id] = await house.audit(3);
    await house.seal();
    const whole = await verify();
    expect(whole.stdout).toMatch(/^6 rows in 2 blocks, 0 anchors: 0 faults; \d+ rows\/s\n$/);
    expect(whole.code).toBe(0);
    await house.tamper('audit', "UPDATE audit SET actor = 'nobody' WHERE id = $1", [id]);
    const changed = await verify();
    expect(changed.stdout).toContain(`audit ${id} was changed after it was sealed\n`);
    expect(changed.code).toBe(1);
  });
});
