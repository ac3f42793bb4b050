/**
 * From a decision of billing to the telephone and back: wording, the queue in Postgres, Africa's
 * Talking as the simulator plays it, and its delivery reports.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Pool, QueryConfig } from 'pg';
import { createTextSimulator, type TextSimulator } from '../../simulators/texts/server.ts';
import type { Message } from '../../src/billing/settlement/commands.ts';
import { claimOutbound } from '../../src/entitlement/osd/outbound-store.ts';
import { createPool } from '../../src/platform/database/pool.ts';
import { silentLogger } from '../../src/platform/log.ts';
import type { Clock } from '../../src/platform/ports.ts';
import { systemRandom } from '../../src/platform/system.ts';
import { createTestDatabase, type TestDatabase } from '../../src/platform/test-database.ts';
import { within } from '../../src/platform/timers.ts';
import { loadLanguages } from '../../src/telecom/language.ts';
import { isRefused } from '../../src/telecom/provider.ts';
import { readerFor } from '../../src/telecom/providers.ts';
import { createMessages } from '../../src/telecom/text/messages.ts';
import type { TextProvider } from '../../src/telecom/text/provider.ts';
import * as africastalking from '../../src/telecom/text/providers/africastalking-sender.ts';
import { applyDeliveryReport } from '../../src/telecom/text/reports.ts';
import { createTextSender, type TextSenderDeps } from '../../src/telecom/text/sender.ts';

const ACCOUNT = { username: 'viptv', apiKey: 'secret' };
const CONTEXT = { country: 'KE', currency: 'KES', timeZone: 'Africa/Nairobi' };
const START = new Date('2026-11-23T08:00:00Z');
const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
const NBO = 1n;
const SITE_WITHOUT_TEXTS = 2n;

let database: TestDatabase;
let pool: Pool;
let simulator: TextSimulator;
let provider: TextProvider;
let now = START;
const clock: Clock = { now: () => now };
const warnings: string[] = [];
const logger = { ...silentLogger, warn: (event: string) => void warnings.push(event) };
/** What a busy machine needs for an answer; a story that waits for none sets it lower. */
const ANSWER_LIMIT_MS = 10_000;
let answerLimitMs = ANSWER_LIMIT_MS;
/** Delivery reports go out when a story lets them. */
const reportsDue: (() => void)[] = [];

const { messagesFor } = createMessages({
  languages: loadLanguages(join(process.cwd(), 'config/language')),
  serviceCodeOf: () => '*384*123#',
  siteOf: () => CONTEXT,
});

/** The door for delivery reports, as a gateway would have it. */
const reportDoor = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', async () => {
    const body = Buffer.concat(chunks).toString();
    const raw = { method: 'POST', path: '/', headers: {}, query: {}, body };
    const report = readerFor('africastalking', 'sms.dlr')?.(raw, CONTEXT);
    if (!report || isRefused(report) || report.type !== 'sms.dlr') {
      response.writeHead(400).end();
      return;
    }
    const answer = await applyDeliveryReport({ pool, logger }, report);
    response.writeHead(answer.status, { 'content-type': answer.contentType }).end(answer.body);
  });
});

beforeAll(async () => {
  database = await createTestDatabase();
  pool = createPool({ url: database.appUrl, max: 4, name: 'texts', logger: silentLogger });
  await pool.query(
    `INSERT INTO site (id, code, name, country, currency, tvu_asset, time_zone, language)
     SELECT id, 'S' || id, 'Site', 'KE', 'KES', 'TVU-KE', 'Africa/Nairobi', 'en'
       FROM unnest($1::bigint[]) AS id`,
    [[NBO, SITE_WITHOUT_TEXTS]],
  );
  await new Promise<void>((resolve) => void reportDoor.listen(0, '127.0.0.1', resolve));
  simulator = await createTextSimulator({
    ...{ clock, random: systemRandom, ...ACCOUNT },
    deliveryReportUrl: `http://127.0.0.1:${(reportDoor.address() as AddressInfo).port}`,
    timers: {
      after(_ms, fn) {
        reportsDue.push(fn);
        return () => undefined;
      },
    },
  });
  provider = africastalking.createAfricastalkingTexts({
    ...{ ...ACCOUNT, baseUrl: simulator.url, context: CONTEXT, logger },
    within: (_ms, work) => within(answerLimitMs, work),
  });
});

afterAll(async () => {
  await simulator.stop();
  reportDoor.close();
  await pool.end();
  await database.drop();
});

beforeEach(() => {
  now = START;
  simulator.setFault('none');
  answerLimitMs = ANSWER_LIMIT_MS;
  simulator.setReportRules({ order: 'interim_first', finalStatus: 'Success', failureReason: null });
  warnings.length = 0;
});

let serial = 0;

/** Queues a receipt as settlement does. */
async function queueReceipt({ siteId = NBO }: { siteId?: bigint } = {}) {
  serial += 1;
  const id = BigInt(serial);
  const msisdn = `+2547110${String(10_000 + serial)}`;
  const message: Message = {
    name: 'term_paid',
    ...{ amount: 65_000n, asset: 'KES', bouquet: 'Essential', ref: `8K2Q${serial}`, days: null },
    ...{ cardNumber: '40210000017', until: new Date('2026-12-23T21:00:00Z') },
  };
  const to = { kind: 'text', msisdn } as const;
  const draft = messagesFor({ siteId, language: 'en', to, message }, now);
  await pool.query(
    `INSERT INTO outbound (id, kind, template, site_id, target, body, state, created_at, not_after,
                           next_at)
     VALUES ($1, 'text', $2, $3, $4, $5, 'queued', $6, $7, $6)`,
    [id, draft?.template, siteId, draft?.target, draft?.body, now, draft?.notAfter],
  );
  return { id, msisdn, body: draft?.body };
}

async function rowOf(id: bigint) {
  const { rows } = await pool.query('SELECT * FROM outbound WHERE id = $1', [id]);
  return rows[0];
}

const sender = (options: Partial<TextSenderDeps> = {}) =>
  createTextSender({
    ...{ pool, clock, logger, random: { ...systemRandom, fraction: () => 0.5 } },
    providerFor: (siteId) => (siteId === NBO ? provider : null),
    ...options,
  });
const sendAll = (options?: Partial<TextSenderDeps>) => sender(options).runUntilIdle();
const later = (ms: number) => {
  now = new Date(now.getTime() + ms);
};
const arrived = (msisdn: string) => simulator.inbox(msisdn).length;

async function deliverReports() {
  for (const report of reportsDue.splice(0)) report();
  await simulator.idle();
}

describe('a receipt', () => {
  it('is queued, sent and delivered', async () => {
    const { id, msisdn, body } = await queueReceipt();
    const sent: bigint[] = [];
    await sendAll({ onSent: (row) => void sent.push(row.id) });
    expect(simulator.inbox(msisdn)).toMatchObject([{ text: body }]);
    const providerId = simulator.inbox(msisdn)[0]?.id;
    expect(await rowOf(id)).toMatchObject({
      state: 'sent',
      provider_id: providerId,
      next_at: null,
    });
    expect(sent).toEqual([id]);

    await deliverReports();
    expect(await rowOf(id)).toMatchObject({ state: 'delivered', failure: null });
  });

  it('is sent once, however many senders there are', async () => {
    const queued = [];
    for (let count = 0; count < 30; count += 1) queued.push(await queueReceipt());
    await Promise.all([sendAll(), sendAll(), sendAll()]);
    expect(queued.map(({ msisdn }) => arrived(msisdn))).toEqual(Array(30).fill(1));
    await deliverReports();
  });

  it('of a site without a provider fails and says so', async () => {
    const { id } = await queueReceipt({ siteId: SITE_WITHOUT_TEXTS });
    await sendAll();
    const failure = expect.stringMatching(/^no_provider /);
    expect(await rowOf(id)).toMatchObject({ state: 'failed', failure, next_at: null });
    expect(warnings).toEqual(['text.failed']);
  });

  it('is not sent when its week is over', async () => {
    const { id, msisdn } = await queueReceipt();
    later(7 * DAY_MS);
    await sendAll();
    expect(await rowOf(id)).toMatchObject({ state: 'expired' });
    expect(arrived(msisdn)).toBe(0);
  });
});

describe('a gateway that fails', () => {
  it('is tried again after five seconds, then thirty, until it takes the text', async () => {
    const { id, msisdn } = await queueReceipt();
    simulator.setFault('status_500');
    await sendAll();
    expect(await rowOf(id)).toMatchObject({ state: 'queued', next_at: new Date(+START + 5_000) });
    later(5_000);
    await sendAll();
    expect(await rowOf(id)).toMatchObject({ next_at: new Date(+START + 35_000), attempts: 2 });
    simulator.setFault('none');
    later(30_000);
    await sendAll();
    expect(arrived(msisdn)).toBe(1);
    await deliverReports();
    expect(await rowOf(id)).toMatchObject({ state: 'delivered' });
  });

  it('is asked twice when it takes texts and never answers, then no more', async () => {
    const { id, msisdn } = await queueReceipt();
    simulator.setFault('deliver_then_hang');
    answerLimitMs = 500;
    for (let round = 0; round < 4; round += 1) {
      await sendAll();
      later(DAY_MS);
    }
    expect(arrived(msisdn)).toBe(2);
    const failure = 'timeout (attempt 2, 2 in the dark)';
    expect(await rowOf(id)).toMatchObject({ state: 'failed', failure });
    await deliverReports();
  });
});

describe('a sender that dies between sending and writing it down', () => {
  const sendAndDie = async () => {
    const claim = { kind: 'text', now, limit: 20, leaseMs: 2 * MINUTE_MS } as const;
    const rows = await claimOutbound(pool, claim);
    for (const row of rows) await provider.send({ to: row.target, body: row.body });
  };

  it('is followed by one that waits for the lease and sends once more', async () => {
    const { id, msisdn } = await queueReceipt();
    await sendAndDie();
    later(MINUTE_MS);
    await sendAll();
    expect(arrived(msisdn)).toBe(1);
    later(2 * MINUTE_MS);
    await sendAll();
    expect(arrived(msisdn)).toBe(2);
    await deliverReports();
    expect(await rowOf(id)).toMatchObject({ state: 'delivered' });
  });

  it('twice is followed by none', async () => {
    const { id, msisdn } = await queueReceipt();
    for (let round = 0; round < 2; round += 1) {
      await sendAndDie();
      later(3 * MINUTE_MS);
    }
    await sendAll();
    expect(arrived(msisdn)).toBe(2);
    const failure = 'given_up (attempt 3, 2 in the dark)';
    expect(await rowOf(id)).toMatchObject({ state: 'failed', failure });
    await deliverReports();
  });
});

describe('a delivery report', () => {
  it.each(['interim_first', 'final_first'] as const)('is right in the order %s', async (order) => {
    simulator.setReportRules({ order, finalStatus: 'Failed', failureReason: 'UserInBlackList' });
    const { id } = await queueReceipt();
    await sendAll();
    await deliverReports();
    expect(await rowOf(id)).toMatchObject({ state: 'failed', failure: 'UserInBlackList' });
  });

  it('that is final stands: another final one does not change it', async () => {
    simulator.setReportRules({ finalStatus: 'Expired' });
    const { id, msisdn } = await queueReceipt();
    await sendAll();
    await deliverReports();
    expect(await rowOf(id)).toMatchObject({ state: 'expired', failure: 'expired' });
    const providerId = simulator.inbox(msisdn)[0]?.id ?? '';
    const late = { type: 'sms.dlr', id: providerId, status: 'delivered', final: true } as const;
    await applyDeliveryReport({ pool, logger }, { ...late, reason: null });
    expect(await rowOf(id)).toMatchObject({ state: 'expired' });
    expect(warnings).toEqual([]);
  });

  it('about a text nobody knows, or with an unknown word, is taken and logged', async () => {
    const report = { type: 'sms.dlr', id: 'nobody', final: true, reason: null } as const;
    const door = { pool, logger };
    const taken = { status: 200, contentType: 'text/plain', body: '' };
    expect(await applyDeliveryReport(door, { ...report, status: 'delivered' })).toEqual(taken);
    const unread = { ...report, status: 'unknown', final: false } as const;
    expect(await applyDeliveryReport(door, unread)).toEqual(taken);
    expect(warnings).toEqual(['text.report_unknown_id', 'text.report_not_understood']);
  });
});

describe('the sender', () => {
  it('works when it is woken, and stops when it is told to', async () => {
    const { msisdn } = await queueReceipt();
    let took: () => void = () => undefined;
    const sent = new Promise<void>((resolve) => {
      took = resolve;
    });
    const working = sender({ onSent: () => took() });
    working.wake();
    await sent;
    await working.stop();
    expect(arrived(msisdn)).toBe(1);

    const { id } = await queueReceipt();
    working.wake();
    await working.runUntilIdle();
    expect(await rowOf(id)).toMatchObject({ state: 'queued', attempts: 0 });
    await sendAll();
  });

  it('gives back what it has not begun when it is stopped', async () => {
    const queued: bigint[] = [];
    for (let count = 0; count < 12; count += 1) queued.push((await queueReceipt()).id);
    const states = async () => {
      const rows = await Promise.all(queued.map(rowOf));
      return rows.map(({ state }) => state).sort();
    };
    const stopping: TextProvider = {
      name: 'stopping',
      async send() {
        void working.stop();
        return { ok: true, providerId: null };
      },
    };
    const working = sender({ providerFor: () => stopping });
    await working.runUntilIdle();
    expect(await states()).toEqual([...Array(11).fill('queued'), 'sent']);
    await sendAll();
    expect(await states()).toEqual(Array(12).fill('sent'));
    await deliverReports();
  });

  it('writes what it has sent in spite of a database that was away for a moment', async () => {
    const { id, msisdn } = await queueReceipt();
    let failures = 1;
    const shaky = Object.create(pool, {
      query: {
        value: (config: QueryConfig) => {
          const fails = config.name === 'outbound-finish' && failures-- > 0;
          return fails ? Promise.reject(new Error('away')) : pool.query(config);
        },
      },
    });
    await sendAll({ pool: shaky });
    expect(arrived(msisdn)).toBe(1);
    expect(await rowOf(id)).toMatchObject({ state: 'sent', attempts: 1 });
    await deliverReports();
  });

  it('is not stopped by a provider that throws', async () => {
    const { id } = await queueReceipt();
    const broken: TextProvider = { name: 'broken', send: () => Promise.reject(new Error('bug')) };
    await sendAll({ providerFor: () => broken });
    const failure = 'provider_threw (attempt 1, 1 in the dark)';
    expect(await rowOf(id)).toMatchObject({ state: 'queued', failure });
    later(7 * DAY_MS);
    await sendAll();
  });
});
