/**
 * The sessions of a link, against a head-end that says only what the test tells it to. Time is a
 * fake one; the sockets are real.
 */
import { silentLogger } from '../../platform/log.ts';
import { FRAME_BYTES_MAX } from './frame.ts';
import { done, setUp, tearDown } from './link-harness.ts';
import { until } from './testing.ts';

afterEach(tearDown);

describe('logging in', () => {
  it('says who and of which epoch we are, and takes over a session of our own', async () => {
    const { headEnd, link, connected } = await setUp({ caps: { osdMax: 129 } });
    const hello = await (await headEnd.call(1)).next('HELLO');
    expect(hello).toMatchObject({
      clientId: 'dispatcher-1',
      casId: 'main',
      epoch: 3,
      takeover: true,
    });
    await connected();
    expect(link.capabilities()?.osdMax).toBe(129);
  });

  it('says each time that it is connected', async () => {
    const states: string[] = [];
    const { headEnd, time, link, connected } = await setUp();
    const stopListening = link.onConnected(() => void states.push(link.state()));
    await connected();
    expect(states).toEqual(['connected']);
    (await headEnd.call(1)).cut();
    await until(() => link.state() === 'connecting');
    time.advance(100);
    await connected();
    expect(states).toEqual(['connected', 'connected']);
    stopListening();
    (await headEnd.call(2)).cut();
    await until(() => link.state() === 'connecting');
    time.advance(1_000);
    await connected();
    expect(states).toHaveLength(2);
  });

  it('says, and hears, how much of the session before was seen', async () => {
    const seen: unknown[] = [];
    const info = (_event: string, fields?: Record<string, unknown>) =>
      void seen.push([fields?.lastSeqSeen, fields?.lastCmdSeq]);
    const { headEnd, time, link, refresh, connected } = await setUp(
      { lastCmdSeq: 2 },
      { logger: { ...silentLogger, info } },
    );
    const call = await headEnd.call(1);
    expect((await call.next('HELLO')).lastSeqSeen).toBeUndefined();
    const pending = [link.send(refresh('c1')), link.send(refresh('c2'))];
    await call.next('CMD', 2);
    call.send({ t: 'ACK', seq: 1, cmdId: 'c1', status: 'ACCEPTED' }, { t: 'PING' });
    await call.next('PONG');
    call.cut();
    await until(() => link.state() === 'connecting');
    time.advance(100);
    const next = await headEnd.call(2);
    expect((await next.next('HELLO')).lastSeqSeen).toBe(1);
    await connected();
    expect(seen).toEqual([
      [undefined, 2],
      [1, 2],
    ]);
    next.send(done('c1'), done('c2'));
    await Promise.all(pending);
  });

  it('tries again when no WELCOME comes', async () => {
    const { headEnd, time, link } = await setUp({ welcomes: false });
    await headEnd.call(1);
    time.advance(5_000);
    expect(link.state()).toBe('connecting');
    time.advance(100);
    await headEnd.call(2);
  });

  it('backs off from 100 ms to 5 s while the head-end is away', async () => {
    const delays: unknown[] = [];
    const warn = (event: string, fields?: Record<string, unknown>) =>
      void (event === 'vipcontrol.disconnected' && delays.push(fields?.delayMs));
    const { headEnd, time } = await setUp({}, { logger: { ...silentLogger, warn } });
    await headEnd.call(1);
    await headEnd.stop();
    for (let attempt = 1; attempt <= 8; attempt += 1) {
      await until(() => delays.length === attempt);
      time.advance(5_000);
    }
    // The fake randomness draws a half: three quarters of 100, 200, 400 … 5,000 ms.
    expect(delays).toEqual([75, 150, 300, 600, 1_200, 2_400, 3_750, 3_750]);
  });

  it('gives way to a newer process and comes back only to a free place', async () => {
    const { headEnd, time } = await setUp();
    const first = await headEnd.call(1);
    first.send({ t: 'BYE', code: 'TAKEN_OVER' });
    await until(first.isClosed);
    time.advance(2_499);
    expect(headEnd.calls).toHaveLength(1);
    time.advance(2_501);
    const second = await headEnd.call(2);
    expect(await second.next('HELLO')).toMatchObject({ takeover: false });
  });

  it('sends nothing dated to a head-end whose clock is a minute and more away', async () => {
    const errors: unknown[] = [];
    const error = (...line: unknown[]) => void errors.push(line);
    const logger = { ...silentLogger, error };
    const { headEnd, link, refresh } = await setUp(
      { now: () => new Date('2026-11-23T13:01:01Z') },
      { logger },
    );
    const pending = link.send(refresh('c1'));
    const call = await headEnd.call(1);
    expect(await call.next('BYE')).toMatchObject({ code: 'CLOCK_SKEW' });
    expect(call.received.map(({ t }) => t)).not.toContain('CMD');
    expect(errors).toMatchObject([['vipcontrol.disconnected', { code: 'CLOCK_SKEW' }]]);
    await link.close();
    expect(await pending).toEqual({ kind: 'unknown', sent: false });
  });

  it('says so when the head-end has seen a later epoch', async () => {
    const events: string[] = [];
    const error = (event: string) => void events.push(event);
    const { connected } = await setUp({ epoch: 4 }, { logger: { ...silentLogger, error } });
    await connected();
    expect(events).toEqual(['vipcontrol.epoch_behind']);
  });
});

describe('a session', () => {
  it('is dead after 45 s without a byte, and commands go on over the next', async () => {
    const { headEnd, time, link, refresh } = await setUp();
    const call = await headEnd.call(1);
    const outcome = link.send(refresh('c1'));
    await call.next('CMD');
    call.send({ t: 'ACK', cmdId: 'c1', status: 'ACCEPTED' }, { t: 'PING' });
    await call.next('PONG');
    time.advance(15_000);
    await call.next('PING', 1);
    time.advance(15_000);
    await call.next('PING', 2);
    time.advance(14_500);
    expect(link.state()).toBe('connected');
    time.advance(500);
    expect(link.state()).toBe('connecting');
    time.advance(100);
    const next = await headEnd.call(2);
    expect(await next.next('STATUS')).toMatchObject({ cmdId: 'c1' });
    next.send(done('c1'));
    expect(await outcome).toMatchObject({ kind: 'done' });
  });

  it('lives on as long as PINGs are answered', async () => {
    const { headEnd, time, link, connected } = await setUp();
    const call = await headEnd.call(1);
    await connected();
    for (let beat = 1; beat <= 5; beat += 1) {
      time.advance(15_000);
      await call.next('PING', beat);
      call.send({ t: 'PONG' }, { t: 'PING' });
      await call.next('PONG', beat);
    }
    expect(link.state()).toBe('connected');
  });

  const oversize = Buffer.alloc(4);
  oversize.writeUInt32BE(FRAME_BYTES_MAX + 1);
  const frame = (text: string) =>
    Buffer.concat([Buffer.from([0, 0, 0, text.length]), Buffer.from(text)]);
  it.each([
    ['a frame over the limit', oversize],
    ['no JSON', frame('{"t"')],
    ['a list', frame('[]')],
    ['a message without its fields', frame('{"t":"ACK"}')],
    ['a second WELCOME', frame('{"t":"WELCOME"}')],
  ])('ends with BYE PROTOCOL on %s', async (_title, bytes) => {
    const { headEnd, connected } = await setUp();
    const call = await headEnd.call(1);
    await connected();
    call.sendBytes(bytes);
    expect(await call.next('BYE')).toMatchObject({ code: 'PROTOCOL' });
    await until(call.isClosed);
  });

  it('overlooks kinds of messages it does not know', async () => {
    const { headEnd, link, refresh } = await setUp();
    const call = await headEnd.call(1);
    call.sendBytes(frame('{"t":"NEWS","kind":"of_a_later_version"}'));
    const outcome = link.send(refresh('c1'));
    await call.next('CMD');
    call.send(done('c1'));
    expect(await outcome).toMatchObject({ kind: 'done' });
  });

  it('begins anew when the sequence is broken', async () => {
    const { headEnd, time, link, refresh } = await setUp();
    const call = await headEnd.call(1);
    const outcome = link.send(refresh('c1'));
    await call.next('CMD');
    call.send({ t: 'NAK', cmdId: 'c1', code: 'SEQ_GAP' });
    await until(call.isClosed);
    time.advance(100);
    const next = await headEnd.call(2);
    await next.next('STATUS');
    next.send({ t: 'NAK', cmdId: 'c1', code: 'UNKNOWN_COMMAND' });
    expect(await next.next('CMD')).toMatchObject({ cmdId: 'c1', seq: 1 });
    next.send(done('c1'));
    expect(await outcome).toMatchObject({ kind: 'done' });
  });
});

describe('closing', () => {
  it('says BYE, and what is pending is unknown', async () => {
    const { headEnd, link, refresh } = await setUp({ caps: { maxWindow: 1 } });
    const call = await headEnd.call(1);
    const inFlight = link.send(refresh('c1'));
    const waiting = link.send(refresh('c2'));
    await call.next('CMD');
    await link.close();
    expect(link.state()).toBe('closed');
    expect(await inFlight).toEqual({ kind: 'unknown', sent: true });
    expect(await waiting).toEqual({ kind: 'unknown', sent: false });
    expect(await call.next('BYE')).toMatchObject({ code: 'CLOSING' });
    expect(await link.send(refresh('c3'))).toEqual({ kind: 'unknown', sent: false });
  });

  it('while waiting to reconnect makes no further attempt', async () => {
    const { headEnd, link, time } = await setUp();
    const call = await headEnd.call(1);
    call.cut();
    await until(() => link.state() === 'connecting');
    await link.close();
    time.advance(60_000);
    expect(headEnd.calls).toHaveLength(1);
  });
});
