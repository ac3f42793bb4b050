/** The questions of a link, against a head-end that says only what the test tells it to. */
import { setUp, tearDown } from './link-harness.ts';
import type { Answer } from './queries.ts';
import { OPEN_QUESTIONS_MAX } from './questions.ts';
import { until } from './testing.ts';

afterEach(tearDown);

const askCard = { op: 'QUERY_CARD', args: { card: '4021' } } as const;
const noCard = { op: 'QUERY_CARD', card: null } as const;

describe('a question', () => {
  it('gets the answer that names it, whatever the order', async () => {
    const { headEnd, link, connected } = await setUp();
    await connected();
    const dump = link.ask({ op: 'DUMP', args: {} });
    const card = link.ask(askCard);
    const call = await headEnd.call(1);
    const second = await call.next('QUERY', 2);
    const first = await call.next('QUERY', 1);
    expect(first.query).toEqual({ op: 'DUMP', args: { since: 0, after: null, limit: 1_000 } });
    call.send({ t: 'ANSWER', qid: second.qid, answer: noCard });
    expect(await card).toEqual(noCard);
    const digest = '0'.repeat(64);
    const page: Answer = { op: 'DUMP', cards: [], next: null, change: 7, digest };
    call.send({ t: 'ANSWER', qid: first.qid, answer: page });
    expect(await dump).toEqual(page);
  });

  it('without a session is answered AWAY, and so is one whose session ends', async () => {
    const { headEnd, link, connected } = await setUp();
    const away = { op: 'REFUSED', code: 'AWAY' };
    expect(await link.ask(askCard)).toEqual(away);
    await connected();
    const open = link.ask(askCard);
    const call = await headEnd.call(1);
    await call.next('QUERY');
    call.cut();
    expect(await open).toEqual(away);
    await link.close();
    expect(await link.ask(askCard)).toEqual(away);
  });

  it('waits 30 s for its answer, and a later one is overlooked', async () => {
    const { headEnd, time, link, connected } = await setUp();
    await connected();
    const open = link.ask(askCard);
    const call = await headEnd.call(1);
    const { qid } = await call.next('QUERY');
    time.advance(30_000);
    expect(await open).toEqual({ op: 'REFUSED', code: 'TIMEOUT' });
    call.send({ t: 'ANSWER', qid, answer: noCard }, { t: 'PING' });
    await call.next('PONG');
    expect(link.state()).toBe('connected');
  });

  const emptyLog = { n: 0, hash: '0'.repeat(64), signature: '' };
  it.each<[string, Answer]>([
    ['BUSY', { op: 'REFUSED', code: 'BUSY' }],
    ['PROTOCOL', { op: 'LOG', lines: [], next: null, head: emptyLog }],
  ])('may be refused, or answered with what was not asked: %s', async (code, answer) => {
    const { headEnd, link, connected } = await setUp();
    await connected();
    const open = link.ask(askCard);
    const call = await headEnd.call(1);
    const { qid } = await call.next('QUERY');
    call.send({ t: 'ANSWER', qid, answer });
    expect(await open).toEqual({ op: 'REFUSED', code });
  });

  it('that cannot be read is not put, and no more than 16 are open', async () => {
    const { headEnd, link, connected } = await setUp();
    await connected();
    const unreadable = link.ask({ op: 'QUERY_CARD', args: { card: '' } });
    expect(await unreadable).toEqual({ op: 'REFUSED', code: 'PROTOCOL' });
    for (let n = 0; n < OPEN_QUESTIONS_MAX; n += 1) void link.ask(askCard);
    expect(await link.ask(askCard)).toEqual({ op: 'REFUSED', code: 'BUSY' });
    await (await headEnd.call(1)).next('QUERY', OPEN_QUESTIONS_MAX);
  });
});

describe('what a head-end tells unasked', () => {
  it('is handed on while somebody listens', async () => {
    const { headEnd, link, connected } = await setUp();
    const heard: unknown[] = [];
    const stopListening = link.onEvent((event) => void heard.push(event));
    const call = await headEnd.call(1);
    await connected();
    call.send({ t: 'EVT', kind: 'foreign_write', detail: { card: '4021' } });
    await until(() => heard.length === 1);
    stopListening();
    call.send({ t: 'EVT', kind: 'emm_backlog', detail: {} }, { t: 'PING' });
    await call.next('PONG');
    expect(heard).toEqual([{ t: 'EVT', kind: 'foreign_write', detail: { card: '4021' } }]);
  });
});
