/**
 * Dunning in the small operator of `world.ts`: invoices and what happens to pictures in memory, all
 * else in Postgres, with the words that are really said. The site is in Nairobi (UTC+3).
 */
import { join } from 'node:path';
import { dunningPolicy, type PolicyVersion } from '../../src/billing/catalogue/dunning-policy.ts';
import { type CatalogueService, createCatalogue } from '../../src/billing/catalogue/service.ts';
import { createPrepaidEnds } from '../../src/billing/dunning/prepaid-ends.ts';
import type { OpenInvoice } from '../../src/billing/dunning/rules.ts';
import {
  createDunning,
  type DunningPorts,
  type DunningRun,
  type DunningService,
  type HeldAct,
  type Pictures,
} from '../../src/billing/dunning/service.ts';
import { formatDay, parseDay } from '../../src/platform/day.ts';
import { silentLogger } from '../../src/platform/log.ts';
import { loadLanguages } from '../../src/telecom/language.ts';
import { createDunningMessages } from '../../src/telecom/text/dunning-messages.ts';
import { createWorld, type World } from './world.ts';

export const ZONE = 'Africa/Nairobi';
const DUE = '2026-12-01';
const POLICY = {
  steps: [
    { name: 'first', when: { daysOverdue: 3 }, does: 'remind', say: ['text'] },
    { name: 'notice', when: { daysOverdue: 7 }, does: 'wall', say: ['osd'], repeatDays: 1 },
    { name: 'cut', when: { daysOverdue: 10 }, does: 'suspend', say: ['text', 'osd'] },
    { name: 'close', when: { daysOverdue: 90 }, does: 'terminate', say: ['text'] },
  ],
};

export interface DunningWorld {
  world: World;
  /** What was done to pictures: `suspend overdue 2026-12-11`. */
  calls: string[];
  /** Called before each such call; what it throws is the failure of the call. */
  fault: { before: () => void };
  /** What is to be seen of cards, where a story says so. */
  pictures: Map<bigint, Pictures>;
  policy(input?: object, category?: string | null, from?: string): void;
  owe(id: bigint, dueOn?: string, open?: bigint): void;
  pay(id: bigint): void;
  /** As a process that has just started. */
  started(): DunningService;
  runAt(iso: string): Promise<DunningRun>;
  steps(): Promise<string[]>;
  said(): Promise<string[]>;
  holds(): Promise<string[]>;
  close(): Promise<void>;
}

/** Noon in Nairobi of a day. */
export const noon = (date: string): string => `${date}T09:00:00Z`;

/** Opens the world on 23 November 2026. Close it after the story. */
export async function createDunningWorld(): Promise<DunningWorld> {
  const world = await createWorld('2026-11-23T07:00:00Z');
  const catalogue = await createCatalogue(world.prisma, world);
  /** Postpaid subscribers are in it, with open invoices or without. */
  const books = new Map<bigint, OpenInvoice[]>();
  const calls: string[] = [];
  const fault = { before: () => {} };
  const policies: PolicyVersion[] = [];
  const pictures = new Map<bigint, Pictures>();
  const started = () =>
    createDunning({
      ...world,
      clock: { now: world.now },
      logger: silentLogger,
      catalogue: () => catalogue.current(),
      policies: () => policies,
      ports: portsOf(world, { catalogue, books, calls, fault, pictures }),
    });
  return {
    ...{ world, calls, fault, pictures, started },
    policy(input = POLICY, category = null, from = '2026-01-01') {
      const policy = dunningPolicy.parse(input);
      policies.push({ siteId: world.site('NBO').id, category, from: parseDay(from), policy });
    },
    owe(id, dueOn = DUE, open = 65_000n) {
      const due = parseDay(dueOn);
      books.set(id, [...(books.get(id) ?? []), { id, issuedOn: due - 14, dueOn: due, open }]);
    },
    pay: (id) => void books.set(id, []),
    async runAt(iso) {
      world.moveTo(iso);
      return started().run();
    },
    ...looksOf(world),
    close: () => world.close(),
  };
}

function portsOf(
  world: World,
  held: Pick<DunningWorld, 'calls' | 'fault' | 'pictures'> & {
    catalogue: CatalogueService;
    books: ReadonlyMap<bigint, OpenInvoice[]>;
  },
): DunningPorts {
  const { catalogue, books, calls, fault, pictures } = held;
  const call =
    (name: string, after: (why: HeldAct['why']) => Pictures | null): DunningPorts['suspend'] =>
    async ({ subscriberId, why, because, on }) => {
      fault.before();
      calls.push(`${name} ${because} ${formatDay(on)}`);
      const seen = after(why);
      if (seen && pictures.has(subscriberId)) pictures.set(subscriberId, seen);
    };
  return {
    debtors: async ({ after, limit }) =>
      [...books.keys()]
        .filter((id) => id > after)
        .sort((a, b) => (a < b ? -1 : 1))
        .slice(0, limit),
    openInvoicesOf: async (ids) =>
      new Map(ids.flatMap((id) => (books.has(id) ? [[id, books.get(id) ?? []]] : []))),
    prepaidEndsOf: createPrepaidEnds({
      ...{ pool: world.pool, clock: { now: world.now }, catalogue: () => catalogue.current() },
    }),
    suspend: call('suspend', (why) => ({ isShown: false, takenFor: [why] })),
    unsuspend: call('unsuspend', () => ({ isShown: true, takenFor: [] })),
    terminate: call('terminate', () => null),
    picturesOf: async () => pictures,
    strays: async ({ after }) => [...pictures.keys()].filter((id) => id > after),
    messagesFor: createDunningMessages({
      languages: loadLanguages(join(process.cwd(), 'config/language')),
      serviceCodeOf: () => '*384*123#',
      siteOf: () => ({ timeZone: ZONE }),
    }),
  };
}

const looksOf = (world: World): Pick<DunningWorld, 'steps' | 'said' | 'holds'> => ({
  async steps() {
    const rows = await world.rows(
      `SELECT step, round, due_on::text, is_skipped FROM dunning_step
        ORDER BY taken_at, due_on, step`,
    );
    return rows.map(
      ({ step, round, due_on, is_skipped }) =>
        `${step}${round ? `#${round}` : ''} ${due_on}${is_skipped ? ' skipped' : ''}`,
    );
  },
  async said() {
    const rows = await world.rows(
      `SELECT o.template, o.state FROM outbound o JOIN dunning_message m ON m.outbound_id = o.id
        ORDER BY o.created_at, o.id`,
    );
    return rows.map(({ template, state }) =>
      state === 'queued' ? String(template) : `${template} ${state}`,
    );
  },
  async holds() {
    const rows = await world.rows(
      'SELECT level, because, from_on::text, to_on::text FROM dunning_hold ORDER BY from_at, id',
    );
    return rows.map(
      ({ level, because, from_on, to_on }) => `${level} ${because} ${from_on}..${to_on ?? ''}`,
    );
  },
});
