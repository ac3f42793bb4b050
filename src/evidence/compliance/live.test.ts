import { type EvidenceHouse, NOW, openEvidence } from '../evidence-harness.ts';
import type { Installation } from './ask.ts';
import { REQUIREMENTS } from './requirements.ts';
import { makeRow } from './service.ts';

const CAN = '["OSD","FINGERPRINT","LOG","DUMP"]';

/** Goal: what is judged by live data is met by it, in part or not, and says what is missing. */
describe('judged by what was done', () => {
  let house: EvidenceHouse;
  beforeEach(async () => {
    house = await openEvidence();
    await house.owner.query(
      `INSERT INTO cas_capabilities (cas_id, osd_max, fp_modes, supports, said_at)
       VALUES ('vip-control', 160, '["overt","covert"]', '${CAN}', now())`,
    );
  });
  afterEach(() => house.close());

  async function rowOf(number: string) {
    const found = REQUIREMENTS.find((one) => one.number === number);
    if (!found) throw new Error(`${number} is not in the pack`);
    // No setting is looked at here.
    const installation = {} as Installation;
    return await makeRow(found, { pool: house.pool, at: NOW, known: NOW, installation });
  }
  const judgedAs = async (number: string) => {
    const { status, reasons } = await rowOf(number);
    return [status, ...reasons];
  };
  const sent = (op: string, kind: string, args: object, result = 'done') =>
    house.pool.query(
      `INSERT INTO command_log (at, cas, cmd_id, op, target_kind, target_id, args, prio, sent_at,
                                result, code, attempt)
       VALUES ($1, 'vip-control', 'x', $2, $3, '40210000010', $4, 'MESSAGE', $1, $5, 'X', 1)`,
      [NOW, op, kind, JSON.stringify(args), result],
    );

  it('a fingerprint has said the card’s number and the decoder’s', async () => {
    expect(await judgedAs('D-4')).toEqual([
      'part',
      'vip-control has not shown a fingerprint with the number of the card yet.',
      'vip-control has not shown a fingerprint with the number of the decoder yet.',
    ]);
    await sent('FINGERPRINT', 'all', { identity: 'vc' });
    await sent('FINGERPRINT', 'all', { identity: 'stb' }, 'rejected');
    expect(await judgedAs('D-4')).toEqual([
      'not met',
      'vip-control has never shown a fingerprint with the number of the decoder; refused: 1.',
    ]);
    await sent('FINGERPRINT', 'all', { identity: 'stb' });
    expect(await judgedAs('D-4')).toEqual(['met']);
    await sent('FINGERPRINT', 'all', {});
    expect(await judgedAs('D-4')).toEqual([
      'not met',
      'Fingerprints that name neither card nor decoder: 1.',
    ]);
  });

  it('a fingerprint’s place and colours were set, and left to chance', async () => {
    expect((await judgedAs('D-5')).slice(1)).toHaveLength(4);
    await sent('FINGERPRINT', 'all', { colour: '#ffffff' });
    const place = { position: { xPercent: 5, yPercent: 5 } };
    await sent('FINGERPRINT', 'all', place, 'unknown');
    expect(await judgedAs('D-5')).toEqual([
      'part',
      'vip-control has not shown a fingerprint at a place set from here yet.',
      'vip-control has not shown a fingerprint on a background set from here yet.',
    ]);
    await sent('FINGERPRINT', 'all', { ...place, background: '#000000' }, 'rejected');
    expect((await judgedAs('D-5')).length).toBe(3);
    expect((await rowOf('D-5')).status).toBe('not met');
    await sent('FINGERPRINT', 'all', { ...place, background: '#000000' });
    expect(await judgedAs('D-5')).toEqual(['met']);
  });

  it('a fingerprint has gone to all and to one', async () => {
    await sent('FINGERPRINT', 'region', { identity: 'vc' });
    expect((await judgedAs('D-6')).slice(1)).toHaveLength(2);
    await sent('FINGERPRINT', 'all', { identity: 'vc' });
    await sent('FINGERPRINT', 'stb', { identity: 'vc' });
    expect(await judgedAs('D-6')).toEqual(['met']);
    await house.owner.query(`UPDATE cas_capabilities SET supports = '["OSD"]'`);
    expect(await judgedAs('D-6')).toEqual(['not met', 'vip-control does not do FINGERPRINT.']);
  });

  it('one decoder alone was addressed', async () => {
    await sent('OSD', 'all', { text: 'Hello' });
    expect(await judgedAs('E-1')).toEqual([
      'part',
      'vip-control has not shown anything for one card or decoder alone yet.',
    ]);
    await sent('OSD', 'card', { text: 'Hello' }, 'rejected');
    expect((await rowOf('E-1')).status).toBe('not met');
    await sent('OSD', 'card', { text: 'Hello' });
    expect(await judgedAs('E-1')).toEqual(['met']);
  });

  it('the record of each subscriber has all that it needs', async () => {
    expect(await judgedAs('C-11')).toEqual(['part', 'There are no subscribers.']);
    await house.owner.query(
      `INSERT INTO subscriber (id, site_id, full_name, language, wallet_id, tvu_wallet_id, held_id,
                               created_at)
       SELECT n, 1, 'Amina', 'en', 1, 1, 1, $1 FROM generate_series(1, 2) n`,
      [NOW],
    );
    const [status, ...reasons] = await judgedAs('C-11');
    expect(status).toBe('not met');
    expect(reasons).toEqual(
      [
        ...['billing address', 'installation address', 'place of the installation', 'landline'],
        ...['mobile', 'e-mail', 'subscription or account'],
      ].map((what) => `2 of 2 subscribers have no ${what}.`),
    );
    await house.owner.query(
      `UPDATE subscriber SET billing_address = 'a', installation_address = 'b', latitude = -1.2,
              longitude = 36.8, landline = '+254200000001', email = 'a@b'`,
    );
    await house.owner.query(
      `INSERT INTO phone (msisdn, subscriber_id, msisdn_hash)
       SELECT '+25470000000' || id, id, repeat(id::text, 64) FROM subscriber`,
    );
    await house.owner.query(
      `INSERT INTO postpaid_account (id, subscriber_id, opened_on, time_zone, currency, auto_pay,
                                     auto_invoice, payment_method, parked, worked_through,
                                     category)
       SELECT id, id, $1, 'Africa/Nairobi', 'KES', false, false, false, false, $1,
              'residential' FROM subscriber`,
      [NOW],
    );
    expect(await judgedAs('C-11')).toEqual(['met']);
    await house.owner.query('UPDATE subscriber SET email = NULL WHERE id = 2');
    const { evidence } = await rowOf('C-11');
    expect(await judgedAs('C-11')).toEqual(['part', '1 of 2 subscribers have no e-mail.']);
    expect(evidence[0]?.found).toMatchObject([{ subscribers: 2, whole: 1, no_email: 1 }]);
    expect(evidence[2]).toMatchObject({ found: 50 });
    await house.owner.query(
      `INSERT INTO card (id, number, site_id, subscriber_id, created_at, cas_id)
       VALUES (1, '40210000010', 1, 2, $1, 'vip-control')`,
      [NOW],
    );
    expect(await judgedAs('C-11')).toEqual([
      'part',
      '1 of 2 subscribers have no e-mail.',
      '1 of 2 subscribers have no known decoder for each card.',
      '1 cards have no subscription.',
    ]);
  });

  it('each act has the role in which it was done', async () => {
    expect(await judgedAs('IX-2')).toEqual(['part', 'Nobody has done anything yet.']);
    await house.audit(1, 'system');
    expect((await rowOf('IX-2')).status).toBe('part');
    await house.audit(2, 'cashier');
    expect(await judgedAs('IX-2')).toEqual(['met']);
    await house.audit(1, 'not recorded');
    expect(await judgedAs('IX-2')).toEqual([
      'part',
      'Lines from before roles were written down: 1.',
    ]);
    await house.owner.query('ALTER TABLE audit ALTER role DROP NOT NULL');
    expect(await judgedAs('IX-2')).toContain('audit may have lines without role.');
    await house.owner.query('ALTER TABLE audit DROP role CASCADE');
    expect((await rowOf('IX-2')).status).toBe('not met');
  });
});
