import fc from 'fast-check';
import { progressOf } from '../../src/entitlement/campaigns/showing-store.ts';
import { noteCapabilities } from '../../src/entitlement/cas/store.ts';
import { CAS_ID, createStudio, type Studio } from './campaigns.ts';

const START = '2026-11-23T11:02:00Z';
const MONTH = 65_000n;
const TEXTS = {
  en: { subject: 'Your card', body: 'Card {card}: pay {amount}.' },
  fr: { subject: 'Votre carte', body: 'Carte {card} : payez {amount}.' },
};
const CAPS = {
  ...{ osdMax: 129, mailMax: 141, maxWindow: 16 },
  supports: ['OSD', 'MAIL', 'FINGERPRINT', 'FORCE_TUNE'],
};

let studio: Studio;
let osd: { kind: 'osd'; templateId: string };
beforeAll(async () => {
  studio = await createStudio(START, '{ cardsAlone: 6, perMinute: 4 }');
  await noteCapabilities(studio.world.pool, CAS_ID, CAPS, new Date(START));
  osd = { kind: 'osd', templateId: await studio.template(TEXTS) };
});
afterAll(() => studio.world.close());
// What a story left running is over, and its cards are nobody's, when the next begins.
afterEach(async () => {
  const { world, campaigns } = studio;
  for (const { id } of await world.rows("SELECT id FROM campaign WHERE state = 'running'")) {
    await campaigns.stop(BigInt(String(id)), 'staff:9');
  }
  await drain();
});

const later = (seconds: number) =>
  studio.world.moveTo(new Date(studio.world.now().getTime() + seconds * 1_000).toISOString());
const cards = (count: number, siteCode = 'NBO') =>
  Promise.all(Array.from({ length: count }, () => studio.world.customer({ siteCode })));
const listed = (of: { number: string }[]) => ({
  target: { kind: 'cards', numbers: of.map(({ number }) => number) },
});
/** What was ordered, in the order in which it was. */
const ordered = (id: bigint) =>
  studio.world.rows(
    `SELECT m.n, m.reached, c.op, c.target_kind, c.target, c.prio, c.args, c.state, c.actor,
            c.approved_by, c.not_after
       FROM campaign_message m JOIN cas_command c ON c.id = m.command_id
      WHERE m.campaign_id = $1 ORDER BY c.id`,
    [id],
  );
/** The head-end takes all that waits. */
const drain = () =>
  studio.world.pool.query(
    `UPDATE cas_command SET state = 'done', code = 'DONE', next_at = NULL, done_at = $1
      WHERE state = 'waiting'`,
    [studio.world.now()],
  );

describe('a campaign', () => {
  it('sends to each card what its preview showed, below everything that is sold', async () => {
    const some = await cards(3);
    const draft = await studio.draft(osd, listed(some));
    const { pool, now } = studio.world;
    const shown = await studio.campaigns.preview(pool, draft, now());
    expect(shown).toMatchObject({
      ...{ cards: 3, commands: 3, byCas: [{ casId: CAS_ID, cards: 3 }], leftOut: [] },
      ...{ byLanguage: [{ language: 'en', cards: 3 }], misfits: [], needsSecond: false },
      seconds: 45,
    });
    await studio.campaigns.start(draft.id, { key: 'once', by: 'staff:1', approvedBy: null });
    await studio.campaigns.feed();
    const commands = await ordered(draft.id);
    const texts = commands.map(({ reached, args }) => ({
      ...{ card: reached, text: (args as { text: string }).text },
    }));
    expect(texts).toEqual(shown?.texts);
    expect(texts.map(({ text }) => text)).toContain(`Card ${some[0]?.number}: pay KES 650.`);
    expect(commands[0]).toMatchObject({
      ...{ op: 'OSD', prio: 'MESSAGE', actor: 'staff:1', approved_by: null, state: 'waiting' },
      ...{ target_kind: 'card', not_after: '2026-11-23T12:02:00.000Z' },
    });
    expect(await studio.look(draft.id)).toMatchObject({ state: 'finished', occurrences: 1 });
  });

  it('is started once, whoever asks again, and never after it was stopped', async () => {
    const draft = await studio.draft(osd, listed(await cards(1)));
    const start = (key: string) =>
      studio.campaigns.start(draft.id, { key, by: 'staff:1', approvedBy: null });
    expect([await start('a'), await start('a'), await start('b')]).toEqual([true, true, false]);
    await studio.campaigns.stop(draft.id, 'staff:2');
    await studio.campaigns.feed();
    expect(await ordered(draft.id)).toEqual([]);
    const revive = `UPDATE campaign SET state = 'running', next_at = now() WHERE id = $1`;
    await expect(studio.world.pool.query(revive, [draft.id])).rejects.toThrow('has ended');
  });

  it('feeds the queue only as it drains', async () => {
    const { id } = await studio.started(osd, listed(await cards(6)));
    expect(await studio.campaigns.feed()).toBe(4);
    expect(await studio.campaigns.feed()).toBe(0);
    await drain();
    expect(await studio.campaigns.feed()).toBe(2);
    expect(await studio.look(id)).toMatchObject({ state: 'finished' });
  });

  it('stopped withdraws what is not sent, and says what became of the rest', async () => {
    const { id } = await studio.started(osd, listed(await cards(6)));
    await studio.campaigns.feed();
    const one = 'SELECT id FROM cas_command WHERE campaign_id = $1 ORDER BY id LIMIT 1';
    await studio.world.pool.query(
      `UPDATE cas_command SET state = 'rejected', code = 'UNKNOWN_CARD', next_at = NULL,
              done_at = $2 WHERE id = (${one})`,
      [id, studio.world.now()],
    );
    expect(await studio.campaigns.stop(id, 'staff:2')).toBe(3);
    expect(await studio.campaigns.stop(id, 'staff:2')).toBeNull();
    expect(await progressOf(studio.world.pool, id)).toEqual({
      ...{ commands: 4, waiting: 0, onAir: 0, expired: 0, withdrawn: 3, leftOut: {} },
      refused: [{ code: 'UNKNOWN_CARD', commands: 1 }],
    });
    await studio.campaigns.feed();
    expect(await ordered(id)).toHaveLength(4);
    expect(await studio.look(id)).toMatchObject({ state: 'stopped', stoppedBy: 'staff:2' });
  });

  it('sends nothing late: who was not come to in time is counted', async () => {
    const { id } = await studio.started(osd, { ...listed(await cards(6)), validSeconds: 60 });
    await studio.campaigns.feed();
    await drain();
    later(60);
    await studio.campaigns.feed();
    expect(await progressOf(studio.world.pool, id)).toMatchObject({
      ...{ commands: 4, leftOut: { late: 2 } },
    });
  });

  it('passes over what nobody came to, and goes on with what is due', async () => {
    const until = new Date(studio.world.now().getTime() + 3 * 3_600_000).toISOString();
    const hourly = { kind: 'repeat', every: 30, unit: 'minute', until };
    const more = { ...listed(await cards(1)), schedule: hourly, validSeconds: 300 };
    const { id } = await studio.started(osd, more);
    await studio.campaigns.feed();
    later(92 * 60);
    await studio.campaigns.feed();
    expect((await ordered(id)).map(({ n }) => n)).toEqual([0, 3]);
    expect(await studio.look(id)).toMatchObject({ occurrences: 4, skipped: 2, nextN: 4 });
    later(10 * 3_600);
    await studio.campaigns.feed();
    const after = { state: 'finished', occurrences: 6, skipped: 4 };
    expect(await studio.look(id)).toMatchObject(after);
  });

  it('of one person reaches no more than one person may, however a group grows', async () => {
    await cards(8, 'NBO');
    const { id } = await studio.started(osd);
    for (let round = 0; round < 3; round += 1) {
      await studio.campaigns.feed();
      await drain();
    }
    const { commands, leftOut } = await progressOf(studio.world.pool, id);
    expect([commands, Number(leftOut.above_limit) > 0]).toEqual([6, true]);
    const two = await studio.started(osd, {}, 'staff:2');
    for (let round = 0; round < 20; round += 1) {
      await studio.campaigns.feed();
      await drain();
    }
    const all = await progressOf(studio.world.pool, two.id);
    expect(all).toMatchObject({ commands: commands + Number(leftOut.above_limit), leftOut: {} });
    expect((await ordered(two.id))[0]).toMatchObject({ approved_by: 'staff:2' });
  });

  it('to everybody is one command for each system, and for nobody by name', async () => {
    const all = { target: { kind: 'all' } };
    const named = await studio.draft(osd, all);
    const { pool, now } = studio.world;
    const shown = await studio.campaigns.preview(pool, named, now());
    expect(shown).toMatchObject({ commands: 0, texts: [], needsSecond: true });
    expect(shown?.leftOut).toMatchObject([{ why: 'no_value' }]);
    const tune = { kind: 'force_tune', service: 'NEWS', durationSeconds: 60 };
    const { id } = await studio.started(tune, all, 'staff:2');
    await studio.campaigns.feed();
    expect(await ordered(id)).toMatchObject([
      {
        ...{ op: 'FORCE_TUNE', target_kind: 'all', target: '*', reached: '*' },
        ...{ approved_by: 'staff:2', args: { service: 'NEWS', durationSeconds: 60 } },
      },
    ]);
  });

  it('goes on where it can be shown, and names the system before that cannot', async () => {
    const { pool, now } = studio.world;
    await pool.query("INSERT INTO conditional_access (id) VALUES ('west')");
    await noteCapabilities(pool, 'west', { ...CAPS, supports: ['OSD'] }, now());
    const tune = { kind: 'force_tune', service: 'NEWS', durationSeconds: 60 };
    const draft = await studio.draft(tune, { target: { kind: 'all' } });
    const shown = await studio.campaigns.preview(pool, draft, now());
    const misfits = [{ casId: 'west', why: 'not_supported', length: null }];
    expect(shown).toMatchObject({ commands: 1, misfits });
    await studio.campaigns.start(draft.id, { key: 'all', by: 'staff:1', approvedBy: 'staff:2' });
    await studio.campaigns.feed();
    expect(await ordered(draft.id)).toHaveLength(1);
    expect((await progressOf(pool, draft.id)).leftOut).toEqual({ not_supported: 1 });
  });

  it('that is too long for a system is named before, and left out at the showing', async () => {
    const long = { en: { subject: 'x', body: `{name} ${'x'.repeat(123)}` } };
    const some = await cards(1);
    const draft = await studio.draft(
      { kind: 'osd', templateId: await studio.template(long) },
      listed(some),
    );
    const { pool, now } = studio.world;
    const shown = await studio.campaigns.preview(pool, draft, now());
    expect(shown).toMatchObject({
      cards: 0,
      misfits: [{ casId: CAS_ID, language: 'en', why: 'too_long', cards: 1, length: { max: 129 } }],
    });
    await studio.campaigns.start(draft.id, { key: 'long', by: 'staff:1', approvedBy: null });
    await studio.campaigns.feed();
    expect(await progressOf(pool, draft.id)).toMatchObject({
      ...{ commands: 0, leftOut: { too_long: 1 } },
    });
  });
});

describe('a group', () => {
  const reached = async (filter: object) => {
    const draft = await studio.draft(osd, { target: { kind: 'filter', filter } });
    const { pool, now } = studio.world;
    const shown = await studio.campaigns.preview(pool, draft, now());
    return shown?.cards ?? 0;
  };

  it('is who has the bouquet on air now, not who has it no more or not shown', async () => {
    const before = await reached({ bouquet: 'ESSENTIAL' });
    const [paid, dark] = await cards(2);
    for (const one of [paid, dark]) {
      await studio.world.pay({ amount: MONTH, accountRef: String(one?.number) });
    }
    expect(await reached({ bouquet: 'ESSENTIAL' })).toBe(before + 2);
    await studio.world.pool.query(
      `UPDATE card_rights SET suspended = 'admin'
        WHERE card_id = (SELECT id FROM card WHERE number = $1)`,
      [dark?.number],
    );
    expect(await reached({ bouquet: 'ESSENTIAL' })).toBe(before + 1);
    expect(await reached({ bouquet: 'ESSENTIAL', language: 'fr' })).toBe(0);
  });

  it('is who has so many days left by the calendar of the site, or has not paid', async () => {
    studio.world.moveTo('2026-11-25T11:00:00Z');
    const inDays = (fromDays: number, toDays = fromDays) => ({ paidUntil: { fromDays, toDays } });
    const [unpaid, before] = [await reached({ unpaid: true }), await reached(inDays(30))];
    const [one] = await cards(1);
    await studio.world.pay({ amount: MONTH, accountRef: String(one?.number) });
    expect(await reached(inDays(30))).toBe(before + 1);
    expect(await reached({ ...inDays(30), unpaid: true })).toBe(0);
    await studio.world.pool.query('UPDATE subscriber SET owes = true WHERE id = $1', [one?.id]);
    expect(await reached({ unpaid: true })).toBe(unpaid + 1);
  });
});

describe('two processes that end anywhere', () => {
  it('order for each card of each showing exactly one command', async () => {
    const some = await cards(5);
    await fc.assert(
      fc.asyncProperty(fc.infiniteStream(fc.nat(3)), async (luck) => {
        const until = new Date(studio.world.now().getTime() + 600_000).toISOString();
        const twice = { kind: 'repeat', every: 5, unit: 'minute', until, times: 2 };
        const { id } = await studio.started(osd, { ...listed(some), schedule: twice });
        // By chance it ends before the queue is written, or after it; what it did is undone.
        const dying = () =>
          studio.worker(async (tx, commands) => {
            const when = luck.next().value;
            if (when === 0) throw new Error('ended');
            const made = await studio.commands.enqueue(tx, commands);
            if (when === 1) throw new Error('ended');
            return made;
          });
        for (let round = 0; (await studio.look(id)).state === 'running'; round += 1) {
          expect(round).toBeLessThan(200);
          await Promise.all([dying().feed(), dying().feed()]);
          if (luck.next().value === 0) await drain();
          if ((await studio.look(id)).nextN > 0) later(100);
        }
        await drain();
        const reached = (await ordered(id)).map((one) => `${one.n} ${one.reached}`);
        const wanted = [0, 1].flatMap((n) => some.map(({ number }) => `${n} ${number}`));
        expect(reached.sort()).toEqual(wanted.sort());
      }),
      { numRuns: 6 },
    );
  });
});
