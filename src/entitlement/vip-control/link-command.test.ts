/**
 * The commands of a link, against a head-end that says only what the test tells it to. Time is a
 * fake one; the sockets are real.
 */
import { silentLogger } from '../../platform/log.ts';
import { type Command, cardTarget } from './command.ts';
import { FRAME_BYTES_MAX } from './frame.ts';
import { done, setUp, tearDown } from './link-harness.ts';
import { WAITING_COMMANDS_MAX } from './traffic.ts';

afterEach(tearDown);

const payFirst = { text: 'Payez', durationSeconds: 20 };

describe('a command', () => {
  it('carries epoch and rev only when it sets rights', async () => {
    const { headEnd, link, refresh, minutes } = await setUp();
    const from = new Date('2026-11-23T13:00:00Z');
    const set = [{ product: 'ESS', from, to: minutes(60) }];
    const pending = Promise.all([
      link.send({ ...refresh('c1'), op: 'ENTITLE', rev: 57, set } as Command),
      link.send(refresh('c2')),
      link.send({ ...refresh('c3'), op: 'OSD', args: payFirst } as Command),
    ]);
    const call = await headEnd.call(1);
    await call.next('CMD', 3);
    const commands = call.received.filter((message) => message.t === 'CMD');
    expect(commands).toMatchObject([
      {
        seq: 1,
        op: 'ENTITLE',
        target: { kind: 'card', id: '4021' },
        epoch: 3,
        rev: 57,
        args: { set: [{ product: 'ESS', from: '2026-11-23T13:00:00.000Z' }] },
      },
      { seq: 2, op: 'REFRESH', args: {} },
      { seq: 3, op: 'OSD', args: { text: 'Payez', durationSeconds: 20 } },
    ]);
    expect(commands.map(({ rev }) => rev)).toEqual([57, undefined, undefined]);
    call.send(done('c3'), done('c1'), done('c2'));
    expect(await pending).toMatchObject([{ kind: 'done' }, { kind: 'done' }, { kind: 'done' }]);
  });

  it('under way is not sent twice when asked for twice', async () => {
    const { headEnd, link, refresh } = await setUp();
    const both = Promise.all([link.send(refresh('c1')), link.send(refresh('c1'))]);
    const call = await headEnd.call(1);
    await call.next('CMD');
    call.send(done('c1'));
    expect(await both).toMatchObject([{ kind: 'done' }, { kind: 'done' }]);
    expect(call.received.filter(({ t }) => t === 'CMD')).toHaveLength(1);
  });

  it('without ACK is asked about after 5 s and sent again, the same, after 10 s', async () => {
    const { headEnd, time, link, refresh } = await setUp();
    const call = await headEnd.call(1);
    const outcome = link.send(refresh('c1'));
    await call.next('CMD');
    time.advance(5_000);
    expect(await call.next('STATUS')).toMatchObject({ cmdId: 'c1' });
    time.advance(5_000);
    expect(await call.next('CMD', 2)).toMatchObject({ cmdId: 'c1', seq: 2 });
    call.send({ t: 'ACK', cmdId: 'c1', status: 'DUPLICATE' }, { ...done('c1'), dup: true });
    expect(await outcome).toEqual({ kind: 'done', code: 'DONE', dup: true });
  });

  it('is sent again at once when STATUS says that it was never taken', async () => {
    const { headEnd, time, link, refresh } = await setUp();
    const call = await headEnd.call(1);
    const outcome = link.send(refresh('c1'));
    await call.next('CMD');
    time.advance(5_000);
    await call.next('STATUS');
    call.send({ t: 'NAK', cmdId: 'c1', code: 'UNKNOWN_COMMAND' });
    await call.next('CMD', 2);
    call.send(done('c1'));
    expect(await outcome).toMatchObject({ kind: 'done' });
  });

  it('accepted but slow is asked about at 30 s and each 60 s; its late result counts', async () => {
    const warnings: string[] = [];
    const warn = (event: string) => void warnings.push(event);
    const { headEnd, time, link, refresh } = await setUp({}, { logger: { ...silentLogger, warn } });
    const call = await headEnd.call(1);
    const outcome = link.send(refresh('c1'));
    await call.next('CMD');
    const ack = { t: 'ACK', cmdId: 'c1', status: 'ACCEPTED' } as const;
    // PONG tells that what was sent before it has been read.
    call.send(ack, { t: 'PING' });
    await call.next('PONG');
    time.advance(30_000);
    await call.next('STATUS', 1);
    call.send(ack, { t: 'PING' });
    await call.next('PONG', 2);
    for (const second of [15, 30, 45, 60]) {
      time.advance(15_000);
      call.send({ t: 'PING' });
      await call.next('PONG', 2 + second / 15);
    }
    await call.next('STATUS', 2);
    call.send(ack, { t: 'PING' });
    await call.next('PONG', 7);
    time.advance(30_500);
    expect(warnings).toContain('vipcontrol.command_slow');
    call.send(done('c1'), done('c1'));
    expect(await outcome).toMatchObject({ kind: 'done' });
    expect(call.received.filter(({ t }) => t === 'CMD')).toHaveLength(1);
  });

  it('is unknown once its deadline has passed, and its later result is overlooked', async () => {
    const { headEnd, time, link, refresh, minutes } = await setUp();
    const call = await headEnd.call(1);
    const outcome = link.send(refresh('c1', { notAfter: minutes(0.5) }));
    await call.next('CMD');
    time.advance(30_000);
    expect(await outcome).toEqual({ kind: 'unknown', sent: true });
    call.send(done('c1'), { t: 'PING' });
    await call.next('PONG');
    expect(link.state()).toBe('connected');
  });

  it('that never left the house by its deadline is unknown, but not sent', async () => {
    const { time, link, refresh, minutes } = await setUp({ welcomes: false });
    const outcome = link.send(refresh('c1', { notAfter: minutes(1) }));
    time.advance(60_000);
    expect(await outcome).toEqual({ kind: 'unknown', sent: false });
  });

  it('that the head-end could not read is refused without being sent', async () => {
    const { link, refresh } = await setUp();
    const text = 'x'.repeat(FRAME_BYTES_MAX);
    const tooLong = { ...refresh('c1'), op: 'OSD', args: { ...payFirst, text } } as Command;
    for (const command of [tooLong, refresh('c2', { target: cardTarget('') })]) {
      const refused = { kind: 'rejected', code: 'PROTOCOL', class: 'fatal' };
      expect(await link.send(command)).toEqual(refused);
    }
  });

  it.each`
    code                        | outcome
    ${'UNKNOWN_CARD'}           | ${{ kind: 'rejected', class: 'data' }}
    ${'NOT_PAIRED'}             | ${{ kind: 'rejected', class: 'state' }}
    ${'SECOND_PERSON_REQUIRED'} | ${{ kind: 'rejected', class: 'authority' }}
    ${'PROTOCOL'}               | ${{ kind: 'rejected', class: 'fatal' }}
    ${'NEVER_HEARD_OF'}         | ${{ kind: 'rejected', class: 'fatal' }}
    ${'DONE'}                   | ${{ kind: 'rejected', class: 'fatal' }}
    ${'BUSY'}                   | ${{ kind: 'retry', retryAfterMs: 700 }}
  `('not taken with $code comes to $outcome', async ({ code, outcome }) => {
    const { headEnd, link, refresh } = await setUp();
    const call = await headEnd.call(1);
    const sent = link.send(refresh('c1'));
    await call.next('CMD');
    call.send({ t: 'NAK', cmdId: 'c1', code, retryAfterMs: 700 });
    expect(await sent).toEqual({ code, ...outcome });
  });
});

describe('the window', () => {
  it('is never exceeded, and sales go before bulk', async () => {
    const { headEnd, link, refresh } = await setUp({ caps: { maxWindow: 2 } });
    const call = await headEnd.call(1);
    const all = [
      link.send(refresh('c1')),
      link.send(refresh('c2')),
      link.send(refresh('bulk', { prio: 'BULK' })),
      link.send(refresh('sale')),
    ];
    await call.next('CMD', 2);
    call.send({ t: 'PING' });
    await call.next('PONG');
    const cmdIds = () => call.received.flatMap((m) => (m.t === 'CMD' ? [m.cmdId] : []));
    expect(cmdIds()).toEqual(['c1', 'c2']);
    call.send(done('c2'));
    await call.next('CMD', 3);
    call.send(done('sale'), done('c1'));
    await call.next('CMD', 4);
    expect(cmdIds()).toEqual(['c1', 'c2', 'sale', 'bulk']);
    call.send(done('bulk'));
    await Promise.all(all);
  });

  it('shrinks by FLOW, pauses as told, and opens again', async () => {
    const { headEnd, link, refresh, time, connected } = await setUp({ caps: { maxWindow: 4 } });
    const call = await headEnd.call(1);
    await connected();
    call.send({ t: 'FLOW', window: 1, retryAfterMs: 2_000 }, { t: 'PING' });
    await call.next('PONG');
    const all = ['c1', 'c2', 'c3'].map((cmdId) => link.send(refresh(cmdId)));
    time.advance(1_500);
    call.send({ t: 'PING' });
    await call.next('PONG', 2);
    const count = () => call.received.filter(({ t }) => t === 'CMD').length;
    expect(count()).toBe(0);
    time.advance(500);
    await call.next('CMD', 1);
    call.send({ t: 'PING' });
    await call.next('PONG', 3);
    expect(count()).toBe(1);
    call.send({ t: 'FLOW', window: 100 });
    await call.next('CMD', 3);
    call.send(done('c1'), done('c2'), done('c3'));
    await Promise.all(all);
  });

  it('over the head-end’s own count only delays the command', async () => {
    const { headEnd, link, refresh, time } = await setUp();
    const call = await headEnd.call(1);
    const outcome = link.send(refresh('c1'));
    await call.next('CMD');
    call.send({ t: 'NAK', cmdId: 'c1', code: 'WINDOW_FULL' }, { t: 'PING' });
    await call.next('PONG');
    time.advance(1_000);
    await call.next('CMD', 2);
    call.send(done('c1'));
    expect(await outcome).toMatchObject({ kind: 'done' });
  });

  it('has a bounded queue before it', async () => {
    const { link, refresh } = await setUp({ welcomes: false });
    const waiting = Array.from({ length: WAITING_COMMANDS_MAX }, (_, n) =>
      link.send(refresh(`c${n}`)),
    );
    expect(await link.send(refresh('over'))).toEqual({ kind: 'retry', code: 'WINDOW_FULL' });
    await link.close();
    expect(await Promise.race(waiting)).toEqual({ kind: 'unknown', sent: false });
  });
});
