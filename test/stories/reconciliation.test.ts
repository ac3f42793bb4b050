/** What head-ends hold, compared with what is wanted: found, valued, healed, verified. */
import { acting, devicesOf } from '../../src/entitlement/devices/devices-harness.ts';
import { CAS_ID } from '../../src/entitlement/dispatch/dispatch-harness.ts';
import { askRun } from '../../src/entitlement/reconciliation/run-store.ts';
import type { VipControlLink } from '../../src/entitlement/vip-control/link.ts';
import { type Compared, createCompared, DAY_MS, MINUTE_MS } from './reconciliation.ts';

describe('reconciliation', () => {
  let house: Compared;
  beforeAll(async () => {
    house = await createCompared();
  });
  afterAll(() => house.close());

  const foreign = () =>
    house.world.rows('SELECT op, by, cmd_id FROM reconciliation_foreign ORDER BY run_id, n');

  it('finds nothing where all is as it was sold, margin of the air and all', async () => {
    await house.onAir(3);
    const { end, found } = await house.reconcile();
    expect(found).toEqual([]);
    expect(end).toMatchObject({ error: null, cards: 3, variance_ppm: 0 });
    expect(end?.products).toMatchObject({ '*': { active: 3, differing: 0 }, ESS: { active: 3 } });
  });

  it('finds a foreign write with its value and writer, and the screen is dark again', async () => {
    const [number = ''] = await house.onAir(1);
    await house.reconcile();
    house.later(MINUTE_MS);
    const own = house.air.headEnd().card(number)?.set ?? [];
    house.atConsole(number, { set: [...own, house.right('PREM', 90)] });
    house.later(10 * DAY_MS);
    const { end, found } = await house.reconcile();
    expect(found).toMatchObject([
      { card: number, class: 'A', product: 'PREM', written_by: 'console', is_healed: true },
    ]);
    // Ten days of the cheapest month that shows it.
    expect(found[0]).toMatchObject({ seconds: String(864_000), currency: 'KES' });
    expect(Number(found[0]?.amount)).toBeGreaterThan(0);
    expect(end).toMatchObject({ variance_ppm: 250_000 });
    await house.send();
    expect(
      house.air
        .headEnd()
        .card(number)
        ?.set.map(({ product }) => product),
    ).toEqual(['ESS']);
    expect(await house.openOf(number)).toHaveLength(1);
    await house.reconciliation.verify();
    expect(await house.openOf(number)).toEqual([]);
    house.later(5 * MINUTE_MS);
    expect((await house.reconcile()).found).toEqual([]);
  });

  it('knows the foreign write from the log of the head-end too, and no other', async () => {
    house.later(60 * MINUTE_MS);
    const { end } = await house.reconcile();
    expect(end).toMatchObject({ log_error: null });
    expect(await foreign()).toEqual([{ op: 'CONSOLE', by: 'night shift', cmd_id: null }]);
    const [read] = await house.world.rows(
      'SELECT sum(log_lines)::integer AS n FROM reconciliation_end',
    );
    expect(read?.n).toBeGreaterThan(4);
  });

  it('takes everything off a card that nobody here has ever heard of', async () => {
    const strange = ['-odd', '40219999999'];
    for (const card of strange) house.atConsole(card, { set: [house.right('ESS', 30)] });
    house.later(2 * DAY_MS);
    const { found } = await house.reconcile();
    expect(found.map(({ card }) => card).sort()).toEqual(strange);
    const unknown = { class: 'A', card_id: null, site_id: null };
    expect(found).toMatchObject([unknown, unknown]);
    await house.send();
    for (const card of strange) expect(house.air.headEnd().card(card)?.set).toEqual([]);
    await house.reconciliation.verify();
    for (const card of strange) expect(await house.openOf(card)).toEqual([]);
  });

  it('only reports where it is not to heal, and says again since when', async () => {
    const [number = ''] = await house.onAir(1);
    house.atConsole(number, { suspended: 'by hand' });
    house.later(DAY_MS);
    const first = await house.reconcile({ heal: false });
    await house.send();
    expect(first.found).toMatchObject([{ class: 'B', product: 'ESS', is_healed: false }]);
    expect(house.air.headEnd().card(number)?.suspended).toBe('by hand');
    house.later(DAY_MS);
    const second = await house.reconcile();
    expect(second.found).toMatchObject([{ class: 'B', since: first.found[0]?.since }]);
    await house.send();
    expect(house.air.headEnd().card(number)).not.toHaveProperty('suspended');
    house.later(5 * MINUTE_MS);
    expect((await house.reconcile()).found).toEqual([]);
    expect(await house.openOf(number)).toEqual([]);
  });

  it('leaves alone what is on its way', async () => {
    const number = await house.paid();
    expect((await house.reconcile()).found).toEqual([]);
    house.later(3 * MINUTE_MS);
    expect((await house.reconcile()).found).toMatchObject([{ card: number, class: 'B' }]);
    await house.send();
    house.later(3 * MINUTE_MS);
    expect((await house.reconcile()).found).toEqual([]);
  });

  it('finds cards of a head-end that came back with an old state, and heals them', async () => {
    const before = house.world.now();
    house.later(10 * MINUTE_MS);
    const numbers = await house.onAir(4);
    await house.air.restart({ lose: 'since', sinceMs: before.getTime() });
    const { found } = await house.reconcile();
    expect(found.map(({ card, class: kind }) => [card, kind])).toEqual(
      [...numbers].sort().map((card) => [card, 'B']),
    );
    await house.send();
    house.later(5 * MINUTE_MS);
    expect((await house.reconcile()).found).toEqual([]);
    for (const number of numbers) expect(await house.openOf(number)).toEqual([]);
  });

  it('bans once more a blacklisted card that shows something', async () => {
    const [number = ''] = await house.onAir(1);
    const before = house.world.now();
    house.later(MINUTE_MS);
    await devicesOf(house.world).blacklist(acting(), {
      kind: 'card',
      name: number,
      evidence: null,
      siteId: house.world.site('NBO').id,
    });
    await house.send();
    house.later(5 * MINUTE_MS);
    expect((await house.reconcile()).found).toEqual([]);
    house.atConsole(number, { set: [house.right('ESS', 30)] });
    expect(house.air.headEnd().card(number)?.state).toBe('blacklisted');
    await house.air.restart({ lose: 'since', sinceMs: before.getTime() });
    house.atConsole(number, { set: [house.right('ESS', 30)] });
    house.later(5 * MINUTE_MS);
    expect((await house.reconcile()).found).toMatchObject([{ card: number, class: 'E' }]);
    await house.send();
    expect(house.air.headEnd().card(number)).toMatchObject({ set: [] });
    await house.reconciliation.verify();
    expect(await house.openOf(number)).toEqual([]);
  });

  it('is put right when the database comes back older than the head-end', async () => {
    const [number = '', other = ''] = await house.onAir(2);
    const rightsOf = `FROM card c WHERE c.id = r.card_id AND c.number = ANY ($1)`;
    const before = await house.world.rows(
      `SELECT desired FROM card_rights r JOIN card c ON c.id = r.card_id WHERE c.number = $1`,
      [number],
    );
    // Later revisions go out, of one card with another content; then the database is an older one.
    await house.world.pool.query(
      `UPDATE card_rights r SET desired_rev = 7, next_at = $2, raised_at = $2,
              desired = CASE WHEN c.number = $3 THEN $4::jsonb ELSE desired END ${rightsOf}`,
      [[number, other], house.world.now(), number, JSON.stringify([house.right('ESS', 400)])],
    );
    await house.send();
    await house.world.pool.query(
      `UPDATE card_rights r SET desired_rev = 1, acked_rev = 1, desired = $2 ${rightsOf}`,
      [[number, other], JSON.stringify(before[0]?.desired)],
    );
    house.later(5 * MINUTE_MS);
    const { found } = await house.reconcile();
    expect(found).toMatchObject([{ card: number, class: 'C', product: 'ESS' }]);
    await house.send();
    // Also where the content is the same: what is sold next must count there.
    for (const card of [number, other])
      expect(house.air.headEnd().card(card)).toMatchObject({ rev: 8 });
    house.later(5 * MINUTE_MS);
    expect((await house.reconcile()).found).toEqual([]);
  });

  it('pairs a card anew with its own decoder, and with no other', async () => {
    const [number = ''] = await house.onAir(1);
    await devicesOf(house.world).pair(acting(), { card: number, stb: 'STB-0001', mode: 'strict' });
    await house.send();
    house.later(5 * MINUTE_MS);
    expect((await house.reconcile()).found).toEqual([]);
    house.atConsole(number, { stbs: ['STB-0001', 'STB-0666'] });
    const { found } = await house.reconcile();
    expect(found).toMatchObject([
      { card: number, class: 'D', amount: null, found: { stbs: ['STB-0001', 'STB-0666'] } },
    ]);
    await house.send();
    expect(house.air.headEnd().card(number)?.stbs).toEqual(['STB-0001']);
    house.later(5 * MINUTE_MS);
    expect((await house.reconcile()).found).toEqual([]);
  });

  it('is clean after an outage in which people paid', async () => {
    await house.air.goDown();
    const numbers = await Promise.all(Array.from({ length: 20 }, house.paid));
    house.later(30 * MINUTE_MS);
    const asked = await askRun(house.world.pool, {
      ...{ casId: CAS_ID, by: 'staff:7', heal: true, at: house.world.now() },
    });
    await house.reconciliation.runDue();
    await house.air.comeBack();
    await house.send();
    house.later(5 * MINUTE_MS);
    // It was asked for in the outage, and waited.
    await house.reconciliation.runDue();
    const [end] = await house.world.rows('SELECT * FROM reconciliation_end WHERE run_id = $1', [
      asked.ok ? asked.id : null,
    ]);
    expect(end).toMatchObject({ error: null, variance_ppm: 0 });
    for (const number of numbers) expect(await house.openOf(number)).toEqual([]);
  });

  it('gives a run up whose system does not answer for an hour', async () => {
    await house.reconciliation.askAll('night');
    await house.air.goDown();
    house.later(61 * MINUTE_MS);
    await house.reconciliation.runDue();
    const [last] = await house.world.rows(
      'SELECT error FROM reconciliation_end ORDER BY run_id DESC LIMIT 1',
    );
    expect(last).toEqual({ error: 'AWAY' });
    await house.air.comeBack();
  });

  it('begins a run again whose process died, and writes nothing twice', async () => {
    const [number = ''] = await house.onAir(1);
    house.atConsole(number, { set: [] });
    await house.reconciliation.askAll('night');
    let asked = 0;
    const dying = {
      ...house.link,
      ask: async (query: Parameters<typeof house.link.ask>[0]) => {
        asked += query.op === 'LOG' ? 1 : 0;
        if (query.op === 'LOG') throw new Error('died');
        return await house.link.ask(query);
      },
    } as VipControlLink;
    await expect(house.reconciling(dying).runDue()).rejects.toThrow('died');
    expect(asked).toBe(1);
    await house.reconciliation.runDue();
    expect(await house.openOf(number)).toMatchObject([{ class: 'B' }]);
    await house.send();
    await house.reconciliation.verify();
    expect(await house.openOf(number)).toEqual([]);
  });

  it('asks for no run of a system that has one waiting, nor of one that there is not', async () => {
    const asked = { by: 'staff:7', heal: true, at: house.world.now() };
    expect(await askRun(house.world.pool, { ...asked, casId: 'none' })).toMatchObject({
      ok: false,
    });
    expect(await house.reconciliation.askAll('night')).toBe(1);
    expect(await house.reconciliation.askAll('night')).toBe(0);
    await house.reconciliation.runDue();
  });
});
