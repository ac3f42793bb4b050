/** What may be asked: a card, all cards page by page, the log with its signature. */
import { verify } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import {
  answerMessage,
  type DumpPage,
  dumpDigest,
  LOG_START,
  type LogLine,
  type LogPage,
  logHash,
  logHeadBytes,
} from '../../src/entitlement/vip-control/queries.ts';
import { until } from '../../src/entitlement/vip-control/testing.ts';
import type { VipControlServerDeps } from './head-end.ts';
import { setUp, tearDown } from './head-end-harness.ts';
import { dial, logInTo } from './raw-client.ts';

afterEach(tearDown);

const right = (product: string) => ({
  ...{ product, from: '2026-11-23T00:00:00.000Z', to: '2026-12-23T00:00:00.000Z' },
});
const entitle = (rev: number, ...products: string[]) => ({
  ...{ epoch: 1, rev, args: { set: products.map(right) } },
});

async function world(options: Partial<VipControlServerDeps> = {}) {
  const made = await setUp({ latencyMs: 0, ...options });
  await made.link.close();
  const client = await logInTo(made.house.headEnd.port);
  const dump = async (args: object = {}) => (await client.ask('DUMP', args)) as DumpPage;
  const log = async (args: object = {}) => (await client.ask('LOG', args)) as LogPage;
  return { ...made, client, dump, log };
}

describe('a dump', () => {
  it('has every card once, in order, page by page, each page with its digest', async () => {
    const { client, dump } = await world();
    for (const card of ['7', '10', '9', '8']) await client.order(card, 'ENTITLE', card, entitle(1));
    const pages: DumpPage[] = [];
    for (let after: string | null = null; pages.length === 0 || after !== null; ) {
      const page: DumpPage = await dump({ after, limit: 3 });
      pages.push(page);
      after = page.next;
    }
    expect(pages.map(({ cards }) => cards.map(({ card }) => card))).toEqual([
      ['10', '7', '8'],
      ['9'],
    ]);
    for (const { cards, digest } of pages) expect(digest).toBe(dumpDigest(cards));
  });

  it('since a change has only what changed after it', async () => {
    const { client, dump } = await world();
    for (const card of ['1', '2', '3']) await client.order(card, 'ENTITLE', card, entitle(1));
    const { change } = await dump();
    expect((await dump({ since: change })).cards).toEqual([]);
    await client.order('more', 'ENTITLE', '2', entitle(2, 'ESS'));
    const delta = await dump({ since: change });
    expect(delta.cards).toMatchObject([{ card: '2', rev: 2, set: [{ product: 'ESS' }] }]);
    expect(delta.change).toBeGreaterThan(change);
  });

  it('since a change that never was is whole: the head-end has lost its memory', async () => {
    const { client, dump } = await world();
    await client.order('c1', 'ENTITLE', '1', entitle(1));
    expect((await dump({ since: 1_000 })).cards).toHaveLength(1);
  });

  it('fits a frame however much the cards have', async () => {
    const { client, dump } = await world();
    const products = Array.from({ length: 120 }, (_, n) => `${n}`.padEnd(200, 'é'));
    for (const card of ['1', '2', '3']) {
      await client.order(card, 'ENTITLE', card, entitle(1, ...products.slice(0, 60)));
    }
    const tooMuch = await client.order('big', 'ENTITLE', '4', entitle(1, ...products));
    expect(tooMuch).toMatchObject({ t: 'NAK', code: 'NOT_ALLOWED' });
    const many = { args: { products: products.map((product) => `${product}é`.slice(1)) } };
    const cancel = await client.order('many', 'CANCEL', '4', { epoch: 1, rev: 1, ...many });
    expect(cancel).toMatchObject({ t: 'NAK', code: 'NOT_ALLOWED' });
    const first = await dump();
    expect(first.cards.length).toBeLessThan(3);
    const rest = await dump({ after: first.next });
    expect([...first.cards, ...rest.cards]).toHaveLength(3);
  });

  it('says of a card all that the head-end knows, as a question for one card does', async () => {
    const { client, dump, restart } = await world();
    await client.order('c1', 'ENTITLE', '4021', entitle(3, 'ESS'));
    const { cards } = await dump();
    expect(cards).toEqual([
      {
        ...{ card: '4021', epoch: 1, rev: 3, set: [right('ESS')], state: 'live', stbs: [] },
        ...{ region: null, change: 1, changedAt: '2026-11-23T13:00:00.000Z' },
        ...{ writtenBy: 'dispatcher-1', lastAirAt: '2026-11-23T13:00:00.000Z' },
      },
    ]);
    expect(await client.ask('QUERY_CARD', { card: '4021' })).toEqual({
      ...{ op: 'QUERY_CARD', card: cards[0] },
    });
    expect(await client.ask('QUERY_CARD', { card: '9' })).toEqual({ op: 'QUERY_CARD', card: null });
    await restart();
    const { answer } = answerMessage.shape;
    expect(answer.parse({ op: 'QUERY_CARD', card: cards[0] })).toBeDefined();
  });

  it('is for who has logged in', async () => {
    const { house } = await world();
    const stranger = dial(house.headEnd.port);
    stranger.say({ t: 'QUERY', qid: 'q1', query: { op: 'DUMP', args: {} } });
    expect(await stranger.answer(1)).toEqual({
      ...{ t: 'ANSWER', qid: 'q1', answer: { op: 'REFUSED', code: 'NOT_LOGGED_IN' } },
    });
  });
});

/** Throws unless each line follows from the one before. */
function checkChain(lines: readonly LogLine[], before = LOG_START): void {
  let last = before;
  for (const { hash, ...line } of lines) {
    if (logHash(last, line) !== hash) throw new Error(`line ${line.n} does not follow`);
    last = hash;
  }
}

describe('the log', () => {
  it('has what was done and what was refused, chained and signed', async () => {
    const { client, log, house } = await world();
    await client.order('c1', 'ENTITLE', '4021', entitle(2, 'ESS'));
    await client.order('c2', 'ENTITLE', '4021', entitle(1));
    await client.order('c3', 'DANCE', '4021');
    const { lines, head, next } = await log();
    expect(lines).toMatchObject([
      { n: 1, cmdId: 'c1', op: 'ENTITLE', code: 'DONE', by: 'dispatcher-1', args: { set: [{}] } },
      { n: 2, cmdId: 'c2', op: 'ENTITLE', code: 'STALE_REV' },
      { n: 3, cmdId: 'c3', op: 'DANCE', code: 'PROTOCOL', args: {} },
    ]);
    checkChain(lines);
    expect(next).toBeNull();
    expect(head).toMatchObject({ n: 3, hash: lines[2]?.hash });
    const signature = Buffer.from(head.signature, 'base64');
    const key = house.headEnd.logKey;
    expect(verify(null, logHeadBytes(head.hash), key, signature)).toBe(true);
    expect(verify(null, logHeadBytes(LOG_START), key, signature)).toBe(false);
  });

  it('does not tell a PIN', async () => {
    const { client, log } = await world();
    await client.order('c1', 'PIN_RESET', '4021', { args: { pin: '4711' } });
    expect(JSON.stringify((await log()).lines)).not.toContain('4711');
  });

  it('goes on in a new file when one is long, and over a restart, in one chain', async () => {
    const { client, log, restart, house } = await world({ logFileBytesMax: 1_000 });
    for (let rev = 1; rev <= 10; rev += 1)
      await client.order(`c${rev}`, 'ENTITLE', '1', entitle(rev));
    await until(() => client.answers.some(({ t, kind }) => t === 'EVT' && kind === 'log_rotated'));
    const before = await log();
    await restart();
    const again = await logInTo(house.headEnd.port);
    await again.order('c11', 'ENTITLE', '1', entitle(11));
    const pages: LogLine[] = [];
    for (let after: number | null = 0; after !== null; ) {
      const page = (await again.ask('LOG', { after, limit: 4 })) as LogPage;
      pages.push(...page.lines);
      after = page.next;
    }
    expect(pages.slice(0, 10)).toEqual(before.lines);
    expect(pages).toHaveLength(11);
    checkChain(pages);
  });

  it('gets back from the journal what it lost, and its torn end is cut off', async () => {
    const { client, house, folder, restart } = await world();
    for (const cmdId of ['c1', 'c2', 'c3'])
      await client.order(cmdId, 'OSD', '1', {
        args: { text: 'Bonjour', durationSeconds: 20 },
      });
    // A machine that loses power after the journal, and before the log, is on the disk.
    const journal = await readFile(`${folder}/journal.jsonl`);
    await house.headEnd.stop();
    const [name = ''] = (await readdir(folder)).filter((file) => file.includes('.log.'));
    const [first = ''] = (await readFile(`${folder}/${name}`, 'utf8')).split('\n');
    await writeFile(`${folder}/${name}`, `${first}\n{"n":2,"at`);
    await writeFile(`${folder}/journal.jsonl`, journal);
    await restart();
    const again = await logInTo(house.headEnd.port);
    const { lines } = (await again.ask('LOG', {})) as LogPage;
    expect(lines.map(({ cmdId }) => cmdId)).toEqual(['c1', 'c2', 'c3']);
    checkChain(lines);
  });
});
