import type { Pool } from 'pg';
import { createPool } from '../platform/database/pool.ts';
import { silentLogger } from '../platform/log.ts';
import { createTestDatabase, type TestDatabase } from '../platform/test-database.ts';
import { checkPin, hashPin, PIN_LOCK_MS, type PinCheck, WRONG_PINS_MAX } from './resellers.ts';

const PHONE = '+254711000000';
const NOW = new Date('2026-11-23T11:02:00Z');
const inMs = (ms: number) => new Date(NOW.getTime() + ms);

let database: TestDatabase;
let pool: Pool;
let pinHash: string;
beforeAll(async () => {
  database = await createTestDatabase();
  pool = createPool({ url: database.appUrl, max: 8, name: 'resellers', logger: silentLogger });
  pinHash = await hashPin('4321');
  await pool.query(
    `INSERT INTO site (id, code, name, country, currency, tvu_asset, time_zone, language)
     VALUES (1, 'NBO', 'Nairobi', 'KE', 'KES', 'TVU-KE', 'Africa/Nairobi', 'en')`,
  );
  await pool.query(
    `INSERT INTO account (id, owner, kind, asset, policy)
     VALUES (1, 'reseller:1', 'tvu_wallet', 'TVU-KE', 'exact')`,
  );
});
beforeEach(async () => {
  await pool.query(
    `INSERT INTO reseller (id, site_id, name, msisdn, pin_hash, tvu_wallet_id)
     VALUES (1, 1, 'Mama', $1, $2, 1)
     ON CONFLICT (id) DO UPDATE SET failed_pins = 0, locked_until = NULL`,
    [PHONE, pinHash],
  );
});
afterAll(async () => {
  await pool.end();
  await database.drop();
});

const check = (pin: string, now = NOW, msisdn = PHONE): Promise<PinCheck> =>
  checkPin(pool, { msisdn, pin, now });

async function checks(pins: readonly string[]): Promise<PinCheck[]> {
  const answers: PinCheck[] = [];
  for (const pin of pins) answers.push(await check(pin));
  return answers;
}

describe('a reseller’s PIN', () => {
  it('is right or wrong; a phone that is no reseller’s has none', async () => {
    expect(await check('4321')).toBe('ok');
    expect(await check('4322')).toBe('wrong_pin');
    expect(await check('')).toBe('wrong_pin');
    expect(await check('4321', NOW, '+254711999999')).toBe('not_a_reseller');
  });

  it('is locked after three wrong tries, for the right one too', async () => {
    expect(await checks(['1', '2', '3', '4321', '5'])).toEqual([
      'wrong_pin',
      'wrong_pin',
      'wrong_pin',
      'pin_locked',
      'pin_locked',
    ]);
    expect(await check('4321', inMs(PIN_LOCK_MS - 1))).toBe('pin_locked');
  });

  it('may be tried again after the lock, as often as before', async () => {
    await checks(['1', '2', '3', '4', '5', '6']);
    const later = inMs(PIN_LOCK_MS);
    const pins = ['1', '2', '3', '4321'];
    const answers: PinCheck[] = [];
    for (const pin of pins) answers.push(await check(pin, later));
    expect(answers).toEqual(['wrong_pin', 'wrong_pin', 'wrong_pin', 'pin_locked']);
    expect(await check('4321', inMs(3 * PIN_LOCK_MS))).toBe('ok');
  });

  it('when right sets the count back, also at the last try', async () => {
    expect(await checks(['1', '2', '4321', '1', '2', '4321'])).toEqual([
      'wrong_pin',
      'wrong_pin',
      'ok',
      'wrong_pin',
      'wrong_pin',
      'ok',
    ]);
  });

  it('tried many times at once is tried three times only', async () => {
    const answers = await Promise.all(Array.from({ length: 12 }, (_, i) => check(String(i))));
    const tried = answers.filter((answer) => answer === 'wrong_pin');
    expect(tried).toHaveLength(WRONG_PINS_MAX);
    expect(await check('4321')).toBe('pin_locked');
  });

  it('is kept as a hash that is another one each time', async () => {
    const [one, other] = [await hashPin('4321'), await hashPin('4321')];
    expect(one).toMatch(/^scrypt\$[0-9a-f]{32}\$[0-9a-f]{64}$/);
    expect(one).not.toBe(other);
  });

  it('that was never set, or whose hash is broken, matches nothing', async () => {
    for (const broken of ['', 'x', 'scrypt$$', 'scrypt$00$']) {
      await pool.query('UPDATE reseller SET pin_hash = $1, failed_pins = 0', [broken]);
      expect([broken, await check('')]).toEqual([broken, 'wrong_pin']);
    }
  });
});
