/** Dumps and logs read from a system that may not be honest. */
import { generateKeyPairSync, sign } from 'node:crypto';
import fc from 'fast-check';
import {
  type Answer,
  type CardRecord,
  dumpDigest,
  LOG_START,
  type LogLine,
  logHash,
  logHeadBytes,
  type Query,
} from '../vip-control/queries.ts';
import type { CasDriver } from './driver.ts';
import { dumpAll } from './dump.ts';
import { LOG_BEGINNING, readLog } from './log.ts';

type Asked<Op extends Query['op']> = Extract<Query, { op: Op }>;

/** A driver that answers one kind of question. */
function answering<Op extends Query['op']>(answer: (query: Asked<Op>, n: number) => Answer) {
  let n = 0;
  const ask = async (query: unknown) => {
    n += 1;
    return answer(query as Asked<Op>, n);
  };
  return { ask } as Pick<CasDriver, 'ask'>;
}

const NOW = '2026-11-23T13:00:00Z';
const cards: CardRecord[] = ['4021', '4022', '4023', '4024', '4025'].map((card, n) => ({
  ...{ card, epoch: 1, rev: 7, set: [{ product: 'ESS', from: NOW, to: NOW }], state: 'live' },
  ...{
    stbs: [],
    region: null,
    change: n + 1,
    changedAt: NOW,
    writtenBy: 'console',
    lastAirAt: null,
  },
}));

/** Pages of two cards; `falsify` has the last word. */
const dumper = (falsify: (page: Extract<Answer, { op: 'DUMP' }>, n: number) => Answer) =>
  answering<'DUMP'>(({ args: { since = 0, after } }, n) => {
    const rest = cards.filter(({ card, change }) => change > since && card > (after ?? ''));
    const some = rest.slice(0, 2);
    const next = rest.length > 2 ? (some.at(-1)?.card ?? null) : null;
    const digest = dumpDigest(some);
    return falsify({ op: 'DUMP', cards: some, next, change: 4 + n, digest }, n);
  });

describe('a dump', () => {
  it.each([
    [0, ['4021', '4022', '4023', '4024', '4025']],
    [3, ['4024', '4025']],
    [5, []],
  ])('since %d hands on what changed after, and where to begin next time', async (since, want) => {
    const seen: string[] = [];
    const onPage = (page: readonly CardRecord[]) => void seen.push(...page.map(({ card }) => card));
    const read = await dumpAll(
      dumper((page) => page),
      { since },
      onPage,
    );
    // The count of the first page: what changed during the others is not skipped.
    expect(read).toEqual({ ok: true, cards: want.length, change: 5 });
    expect(seen).toEqual(want);
  });

  it('stops at a page that is not what was digested, and does not hand it on', async () => {
    const pages: number[] = [];
    const driver = dumper((page, n) =>
      n === 2 ? { ...page, cards: page.cards.map((card) => ({ ...card, rev: 8 })) } : page,
    );
    const read = await dumpAll(driver, {}, (page) => void pages.push(page.length));
    expect(read).toEqual({ ok: false, error: 'digest_mismatch' });
    expect(pages).toEqual([2]);
  });

  it('is refused as the system refuses it, and ends when its pages do not', async () => {
    const away = dumper(() => ({ op: 'REFUSED', code: 'AWAY' }));
    const refused = { ok: false, error: 'refused', code: 'AWAY' };
    expect(await dumpAll(away, {}, () => undefined)).toEqual(refused);
    const circling = dumper((page) => ({ ...page, next: '4022' }));
    expect(await dumpAll(circling, {}, () => undefined)).toEqual({ ok: false, error: 'no_end' });
  });
});

const { publicKey, privateKey } = generateKeyPairSync('ed25519');
const log = chain(['ENTITLE', 'OSD', 'CANCEL', 'ENTITLE', 'REFRESH']);

function chain(ops: string[]): LogLine[] {
  let hash = LOG_START;
  return ops.map((op, n) => {
    const target = { kind: 'card', id: '4021' } as const;
    const line = {
      n: n + 1,
      at: NOW,
      cmdId: `c${n}`,
      op,
      target,
      args: {},
      by: 'us',
      code: 'DONE',
    };
    hash = logHash(hash, line);
    return { ...line, hash };
  });
}

function headOf(lines: readonly LogLine[]) {
  const { n, hash } = lines.at(-1) ?? LOG_BEGINNING;
  return { n, hash, signature: sign(null, logHeadBytes(hash), privateKey).toString('base64') };
}

/** Pages of two lines of a log that ends as its head says. */
const logger = (lines: LogLine[], head = headOf(lines)) =>
  answering<'LOG'>(({ args: { after = 0 } }) => {
    const rest = lines.filter(({ n }) => n > after);
    const some = rest.slice(0, 2);
    const next = rest.length > 2 ? (some.at(-1)?.n ?? null) : null;
    return { op: 'LOG', lines: some, next, head };
  });

const read = (driver: Pick<CasDriver, 'ask'>, mark = LOG_BEGINNING) =>
  readLog(driver, { mark, publicKey }, () => undefined);

describe('a log', () => {
  it('is read from the beginning or from where we were, to its signed end', async () => {
    const end = { n: 5, hash: log[4]?.hash };
    expect(await read(logger(log))).toEqual({ ok: true, lines: 5, mark: end });
    const mark = { n: 3, hash: log[2]?.hash ?? '' };
    expect(await read(logger(log), mark)).toEqual({ ok: true, lines: 2, mark: end });
    expect(await read(logger([]))).toEqual({ ok: true, lines: 0, mark: LOG_BEGINNING });
  });

  it('of which any line was changed or taken out does not verify', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(4), fc.constantFrom('by', 'at', 'op', 'out'), async (at, field) => {
        const forged = log.flatMap((line, n) => {
          if (n !== at) return [line];
          return field === 'out' ? [] : [{ ...line, [field]: 'console' }];
        });
        const verdict = await read(logger(forged, headOf(log)));
        // The last line is missed at the head, any other by the line after it.
        const error = field === 'out' && at === 4 ? 'rewound' : 'chain_broken';
        expect(verdict).toMatchObject({ ok: false, error });
      }),
      { numRuns: 40 },
    );
  });

  it('that is shorter than, or another than, it was is a rewound one', async () => {
    const mark = { n: 5, hash: log[4]?.hash ?? '' };
    const rewound = { ok: false, error: 'rewound' };
    expect(await read(logger(log.slice(0, 4)), mark)).toEqual({ ...rewound, n: 4 });
    const other = chain(['OSD', 'OSD', 'OSD', 'OSD', 'OSD']);
    expect(await read(logger(other), mark)).toEqual({ ...rewound, n: 5 });
  });

  it('that another key signed is not believed', async () => {
    const strange = generateKeyPairSync('ed25519').privateKey;
    const { n, hash } = headOf(log);
    const signature = sign(null, logHeadBytes(hash), strange).toString('base64');
    const error = { ok: false, error: 'bad_signature', n: 5 };
    expect(await read(logger(log, { n, hash, signature }))).toEqual(error);
    expect(await read(logger(log, { n, hash, signature: 'AAAA' }))).toEqual(error);
  });

  it('that does not come is refused, and one without end is left', async () => {
    const busy = answering(() => ({ op: 'REFUSED', code: 'BUSY' }));
    expect(await read(busy)).toEqual({ ok: false, error: 'refused', code: 'BUSY' });
    const empty = answering(() => ({ op: 'LOG', lines: [], next: 1, head: headOf(log) }));
    expect(await read(empty)).toEqual({ ok: false, error: 'no_end', n: 0 });
  });
});
