/**
 * Our link against our head-end, over a line that can be cut: whatever breaks on the way, each
 * command is executed once and comes to the right outcome. The link's silences and
 * the broken frames are tested beside the link.
 */
import { until } from '../../src/entitlement/vip-control/testing.ts';
import { ESS, entitle, MAX, NOW, osd, reconnect, setUp, tearDown } from './head-end-harness.ts';

afterEach(tearDown);

describe('rights', () => {
  it('are on air once done, and a card has exactly the last set', async () => {
    const { link, house } = await setUp();
    expect(await link.send(entitle('c1', 1, [MAX, ESS]))).toEqual({
      kind: 'done',
      code: 'DONE',
      dup: false,
      cardRev: { epoch: 1, rev: 1 },
      firstAirAt: NOW,
    });
    await link.send(entitle('c2', 2, [ESS]));
    expect(house.headEnd.card('4021')).toMatchObject({ rev: 2, set: [{ product: 'ESS' }] });
  });

  it('sent late are refused with the card’s revision', async () => {
    const { link, house } = await setUp();
    await link.send(entitle('c2', 2, [ESS]));
    const cardRev = { epoch: 1, rev: 2 };
    const rejected = { kind: 'rejected', class: 'state', cardRev };
    expect(await link.send(entitle('c1', 1, [MAX]))).toEqual({ ...rejected, code: 'STALE_REV' });
    expect(await link.send(entitle('c3', 2, [MAX]))).toEqual({ ...rejected, code: 'REV_CONFLICT' });
    expect(await link.send(entitle('c4', 2, [ESS]))).toMatchObject({ code: 'DONE_NOOP', cardRev });
    expect(house.headEnd.card('4021')?.set).toMatchObject([{ product: 'ESS' }]);
  });

  it('of a higher epoch win, and log-in alone makes the lower one stale', async () => {
    const { link, openLink, house } = await setUp();
    await link.send(entitle('c1', 57, [MAX]));
    await link.close();
    const restored = openLink(2);
    expect(await restored.send(entitle('c2', 3, [ESS]))).toMatchObject({
      kind: 'done',
      cardRev: { epoch: 2, rev: 3 },
    });
    await restored.close();
    const outdated = openLink(1);
    expect(await outdated.send(entitle('c3', 58, [MAX], '4022'))).toMatchObject({
      code: 'STALE_REV',
    });
    expect(house.headEnd.card('4022')).toBeUndefined();
  });

  it.each([
    ['UNKNOWN_CARD', entitle('c1', 1, [ESS], '9999')],
    ['UNKNOWN_PRODUCT', entitle('c1', 1, [MAX])],
    ['BAD_DATES', entitle('c1', 1, [{ ...ESS, to: NOW }])],
    ['TEXT_TOO_LONG', osd('c1', { text: 'x'.repeat(161) })],
  ])('that cannot be are not taken: %s', async (code, command) => {
    const { link, house } = await setUp({
      knownCard: (card) => card === '4021',
      knownProducts: ['ESS'],
    });
    expect(await link.send(command)).toEqual({ kind: 'rejected', code, class: 'data' });
    expect(house.headEnd.commands()).toEqual([]);
  });
});

describe('a command is executed once', () => {
  it('when the line is cut before its ACK', async () => {
    const { link, line, time, executions } = await setUp();
    line.cutBefore('ACK');
    const outcome = link.send(osd('c1'));
    await until(() => line.cuts() === 1);
    await reconnect(link, time);
    expect(await outcome).toMatchObject({ kind: 'done', dup: true });
    expect(await executions('c1')).toBe(1);
  });

  it('when the line is cut after its execution, before its result', async () => {
    const { link, line, time, executions } = await setUp();
    line.cutBefore('RES');
    const outcome = link.send(osd('c1'));
    await until(() => line.cuts() === 1);
    await reconnect(link, time);
    expect(await outcome).toMatchObject({ kind: 'done', dup: true });
    expect(await executions('c1')).toBe(1);
  });

  it('when the head-end cuts the line before its ACK, not having taken it', async () => {
    const { link, house, time, executions } = await setUp();
    await until(() => link.state() === 'connected');
    house.headEnd.faults.set({ kind: 'drop_before_ack', times: 1 });
    const outcome = link.send(osd('c1'));
    await until(() => link.state() === 'connecting');
    expect(house.headEnd.commands()).toEqual([]);
    time.advance(100);
    expect(await outcome).toMatchObject({ kind: 'done', code: 'DONE' });
    expect(await executions('c1')).toBe(1);
  });

  it('when the head-end cuts the line having executed it, and STATUS finds it done', async () => {
    const { link, house, time, executions } = await setUp();
    await until(() => link.state() === 'connected');
    house.headEnd.faults.set({ kind: 'drop_after_exec', times: 1 });
    const outcome = link.send(osd('c1'));
    await until(() => link.state() === 'connecting');
    expect(house.headEnd.commands()).toMatchObject([{ result: { code: 'DONE' } }]);
    time.advance(100);
    expect(await outcome).toMatchObject({ kind: 'done', dup: true });
    expect(await executions('c1')).toBe(1);
    expect(house.headEnd.air.carousel().broadcast).toBe(1);
  });

  it('when the head-end tells its result twice', async () => {
    const { link, house, executions } = await setUp();
    house.headEnd.faults.set({ kind: 'dup_res', times: 2 });
    expect(await link.send(osd('c1'))).toMatchObject({ kind: 'done', dup: false });
    expect(await link.send(osd('c2'))).toMatchObject({ kind: 'done', dup: false });
    expect(await executions('c1')).toBe(1);
  });

  it('when VIP Control is down for a while, and the air is not', async () => {
    const { link, house, time, executions } = await setUp({ latencyMs: 50 });
    await until(() => link.state() === 'connected');
    const outcome = link.send(osd('c1'));
    await until(() => house.headEnd.commands().length === 1);
    await house.headEnd.setLink(false);
    await until(() => link.state() === 'connecting');
    // A message is broadcast three times.
    await until(() => {
      time.advance(100);
      return house.headEnd.air.carousel().broadcast === 3;
    });
    expect(link.state()).toBe('connecting');
    await house.headEnd.setLink(true);
    await until(() => {
      time.advance(1);
      return link.state() === 'connected';
    });
    expect(await outcome).toMatchObject({ kind: 'done', dup: true });
    expect(await executions('c1')).toBe(1);
  });

  it('when its results come twice', async () => {
    const { link, line, executions } = await setUp();
    line.repeat('RES');
    expect(await link.send(osd('c1'))).toMatchObject({ kind: 'done', dup: false });
    expect(await link.send(osd('c2'))).toMatchObject({ kind: 'done', dup: false });
    expect(await executions('c1')).toBe(1);
  });

  it('when it is sent again after its outcome', async () => {
    const { link, house } = await setUp();
    const first = await link.send(entitle('c1', 1, [ESS]));
    await link.send(entitle('c2', 2, [MAX]));
    expect(await link.send(entitle('c1', 1, [ESS]))).toEqual({ ...first, dup: true });
    expect(house.headEnd.card('4021')?.rev).toBe(2);
  });

  it.each(['', '{"k":"cmd","atMs":17'])(
    'when the head-end restarts between ACK and RES (torn line: "%s")',
    async (torn) => {
      const { link, house, restart, time, executions } = await setUp({ latencyMs: 60_000 });
      const outcome = link.send(osd('c1'));
      // Taken, and by the time the head-end has stopped, on the disk.
      await until(() => house.headEnd.commands().length === 1);
      await restart({ latencyMs: 0 }, torn);
      await reconnect(link, time);
      expect(await outcome).toMatchObject({ kind: 'done' });
      expect(await executions('c1')).toBe(1);
    },
  );

  it('when the head-end lost it with its disk', async () => {
    const { link, house, line, time } = await setUp({ latencyMs: 60_000 });
    const outcome = link.send(osd('c1'));
    await until(() => house.headEnd.commands().length === 1);
    const other = await setUp();
    await house.headEnd.stop();
    house.headEnd = other.house.headEnd;
    await reconnect(link, time);
    expect(await outcome).toMatchObject({ kind: 'done', dup: false });
    expect(line.cuts()).toBe(0);
    expect(await other.executions('c1')).toBe(1);
  });

  it('or, when its time has passed before its turn, never', async () => {
    const { link, house, restart, time } = await setUp({ latencyMs: 60_000 });
    const outcome = link.send({ ...osd('c1'), notAfter: new Date('2026-11-23T13:00:30Z') });
    await until(() => house.headEnd.commands().length === 1);
    time.advance(31_000);
    expect(await outcome).toEqual({ kind: 'unknown', sent: true });
    await restart({ latencyMs: 0 });
    await until(() => house.headEnd.commands()[0]?.result !== undefined);
    expect(house.headEnd.commands()).toMatchObject([{ result: { code: 'EXPIRED' } }]);
  });
});

describe('sessions', () => {
  it('pass to a new process at once, and the old one gives way', async () => {
    const { link, openLink, time } = await setUp();
    await until(() => link.state() === 'connected');
    const next = openLink();
    expect(await next.send(osd('c1'))).toMatchObject({ kind: 'done' });
    await until(() => link.state() === 'connecting');
    time.advance(4_000);
    expect(await next.send(osd('c2'))).toMatchObject({ kind: 'done' });
    expect(link.state()).toBe('connecting');
    await next.close();
    const outcome = link.send(osd('c3'));
    time.advance(4_000);
    expect(await outcome).toMatchObject({ kind: 'done' });
  });

  it('keep within a window that shrinks, and lose nothing', async () => {
    const { link, house } = await setUp({ maxWindow: 8 });
    await until(() => link.state() === 'connected');
    house.headEnd.setFlow(1);
    const all = Array.from({ length: 100 }, (_, n) =>
      link.send(entitle(`c${n}`, 1, [ESS], `card-${n}`)),
    );
    house.headEnd.setFlow(3);
    for (const outcome of await Promise.all(all)) expect(outcome.kind).toBe('done');
    expect(house.headEnd.cards()).toHaveLength(100);
  });
});
