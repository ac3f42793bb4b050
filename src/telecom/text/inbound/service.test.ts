import { createWorld, type World } from '../../../../test/stories/world.ts';
import { type Desk, openDesk, textOf } from './inbound-harness.ts';
import { createTextInbound } from './service.ts';

const START = '2026-11-23T11:02:00Z';

describe('texts from subscribers', () => {
  let world: World;
  let desk: Desk;
  let phone: string;
  beforeEach(async () => {
    world = await createWorld(START);
    phone = (await world.customer()).msisdn;
    desk = await openDesk(world);
  });
  afterEach(() => world.close());

  const take = (body: string, id: string, from = phone) =>
    desk.inbound.take(textOf(from, body, id), desk.channel);
  const kept = () =>
    world.rows(
      `SELECT t.provider_id AS id, t.intent, o.provider_id AS repeats
         FROM text_in t LEFT JOIN text_in o ON o.id = t.repeats_id ORDER BY t.id`,
    );
  const answers = () =>
    world.rows("SELECT target, template FROM outbound WHERE kind = 'text' ORDER BY id");
  const orders = () => world.rows('SELECT key FROM payment_order');
  const later = (seconds: number) =>
    world.moveTo(new Date(world.now().getTime() + seconds * 1000).toISOString());

  it('are answered once, however often the gateway repeats them', async () => {
    for (const _ of [1, 2, 3]) await take('PAY', 'a');
    expect(await kept()).toEqual([{ id: 'a', intent: 'pay', repeats: null }]);
    expect(await answers()).toEqual([{ target: phone, template: 'text.answer.prompt' }]);
    expect(await orders()).toEqual([{ key: 'text:nbo-text:a' }]);
  });

  it('that say the same within a minute are one wish, and another one after that', async () => {
    await take('PAY', 'a');
    later(59);
    await take(' pay! ', 'b');
    expect(await kept()).toContainEqual({ id: 'b', intent: null, repeats: 'a' });
    await take('pay week', 'c');
    later(1);
    await take('PAY', 'd');
    expect(await orders()).toHaveLength(3);
    expect(await answers()).toHaveLength(3);
    // The repeat of a repeat is no wish either.
    await take(' pay! ', 'b');
    expect(await orders()).toHaveLength(3);
  });

  it('that come at once over two connections are one wish', async () => {
    await Promise.all([...'abcdef'].map((id) => take('PAY', id)));
    expect(await orders()).toHaveLength(1);
    expect(await answers()).toHaveLength(1);
    expect((await kept()).filter(({ repeats }) => repeats === null)).toHaveLength(1);
    await Promise.all([...'aaa'].map((id) => take('PAY WEEK', `same-${id}`)));
    expect(await orders()).toHaveLength(2);
    expect(await answers()).toHaveLength(2);
  });

  it('go on where they were left when something broke in the middle', async () => {
    const lost = new Error('Connection terminated unexpectedly');
    const breaks = createTextInbound({
      ...desk.deps,
      services: {
        ...desk.deps.services,
        async payByMobileMoney(act, purchase) {
          await desk.deps.services.payByMobileMoney(act, purchase);
          throw lost;
        },
      },
    });
    await expect(breaks.take(textOf(phone, 'PAY', 'a'), desk.channel)).rejects.toBe(lost);
    expect(await kept()).toEqual([{ id: 'a', intent: null, repeats: null }]);
    expect(await answers()).toEqual([]);
    await take('PAY', 'a');
    expect(await kept()).toEqual([{ id: 'a', intent: 'pay', repeats: null }]);
    expect(await orders()).toEqual([{ key: 'text:nbo-text:a' }]);
    expect(await answers()).toHaveLength(1);
  });

  it('left in the middle are brought to their end by a repeat under another name', async () => {
    const breaks = createTextInbound({
      ...desk.deps,
      services: { ...desk.deps.services, caller: () => Promise.reject(new Error('lost')) },
    });
    await expect(breaks.take(textOf(phone, 'PAY', 'a'), desk.channel)).rejects.toThrow('lost');
    await take('pay', 'b');
    expect(await kept()).toEqual([
      { id: 'a', intent: 'pay', repeats: null },
      { id: 'b', intent: null, repeats: 'a' },
    ]);
    expect(await orders()).toEqual([{ key: 'text:nbo-text:a' }]);
  });

  it('are answered twenty times an hour, then kept in silence', async () => {
    for (let i = 0; i < 22; i += 1) await take(`hello ${i}`, `t${i}`);
    expect(await answers()).toHaveLength(20);
    expect((await kept()).slice(-2).map(({ intent }) => intent)).toEqual(['silenced', 'silenced']);
    await take('STOP', 'stop');
    expect(await answers()).toHaveLength(20);
    expect(await world.rows('SELECT wanted FROM reminder_choice')).toEqual([{ wanted: false }]);
    await take('BAL', 'other', '+254722000001');
    expect(await answers()).toHaveLength(21);
    later(3600);
    await take('hello again', 'later');
    expect(await answers()).toHaveLength(22);
  });

  it('of senders that are no phone are kept and never answered', async () => {
    await take('You have won', 'a', 'MTN');
    await take('You have won', 'a', 'MTN');
    expect(await kept()).toEqual([{ id: 'a', intent: 'ignored', repeats: null }]);
    expect(await answers()).toEqual([]);
  });

  it('are kept whatever they hold, and their answers go stale after an hour', async () => {
    await take(`BAL\0\ud800${'x'.repeat(5_000)}`, 'a');
    expect(await kept()).toMatchObject([{ id: 'a', intent: 'balance' }]);
    const [row] = await world.rows('SELECT created_at, not_after, state FROM outbound');
    expect(row).toEqual({
      created_at: '2026-11-23T11:02:00.000Z',
      not_after: '2026-11-23T12:02:00.000Z',
      state: 'queued',
    });
  });
});
