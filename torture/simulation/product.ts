/**
 * One process of the product, as `src/product.ts` puts it together, over simulated connections
 * and a simulated wire: settlement, the doors for money, dispatch and senders, and every job.
 */

import { HOUSE_RULES } from '../../src/billing/postpaid/markets.ts';
import { remindDue } from '../../src/billing/reminders/service.ts';
import type { Billing } from '../../src/billing/service.ts';
import { createSettlement, type Settlement } from '../../src/billing/settlement/service.ts';
import { ONLY_SYSTEM } from '../../src/entitlement/cas/systems.ts';
import type { PictureDesk } from '../../src/entitlement/picture/desk.ts';
import { createPictureDesk } from '../../src/entitlement/picture/service.ts';
import type { Reconciliation } from '../../src/entitlement/reconciliation/service.ts';
import { rightsFor } from '../../src/entitlement/rights/rules.ts';
import { type Entitlement, startEntitlement } from '../../src/entitlement/service.ts';
import { createVipControlLink } from '../../src/entitlement/vip-control/link.ts';
import { openDebts } from '../../src/open-debts.ts';
import { waker } from '../../src/open-entitlement.ts';
import { openReconciliation } from '../../src/open-reconciliation.ts';
import { createIds } from '../../src/platform/database/ids.ts';
import type { Job } from '../../src/platform/jobs.ts';
import type { ServiceLogger } from '../../src/platform/log.ts';
import type { Clock, Ids, Random } from '../../src/platform/ports.ts';
import type { DoorHandler } from '../../src/telecom/door.ts';
import { createCollections } from '../../src/telecom/momo/collections.ts';
import { createMoneyDoor } from '../../src/telecom/momo/door.ts';
import { createMobileMoney } from '../../src/telecom/momo/service.ts';
import { createTvuDoor } from '../../src/telecom/momo/tvu-door.ts';
import { createRefusedNotices } from '../../src/telecom/refused.ts';
import { createWording } from '../../src/telecom/service.ts';
import type { TextProvider } from '../../src/telecom/text/provider.ts';
import { createTextSender } from '../../src/telecom/text/sender.ts';
import { startJobs } from '../../src/work.ts';
import type { Base } from './base.ts';
import { simulatedPool } from './pool.ts';
import { hashCode } from './scratch-cards.ts';
import type { Statements } from './statements.ts';
import type { Life, VirtualTime } from './time.ts';
import type { Wire } from './wire.ts';

export interface ProductProcess {
  life: Life;
  settlement: Pick<Settlement, 'settle'>;
  picture: PictureDesk;
  entitlement: Entitlement;
  reconciliation: Reconciliation | null;
  /** Where the mobile operator knocks. */
  doors: { money: DoorHandler; tvu: DoorHandler };
}

export interface ProductDeps {
  base: Base;
  life: Life;
  time: VirtualTime;
  statements: Statements;
  wire: Wire;
  random: Random;
  logger: ServiceLogger;
  texts: TextProvider;
  /** What a harness breaks on purpose in settlement. */
  breakSettlement(settlement: Settlement): Settlement;
}

type Parts = ProductDeps & {
  pools: Record<'settlement' | 'general' | 'jobs', ReturnType<typeof simulatedPool>>;
  ids: Ids;
  clock: Clock;
  wording: ReturnType<typeof createWording>;
  billing: Billing;
};

const SETTLEMENT_CONNECTIONS = 4;
const GENERAL_CONNECTIONS = 6;
const JOB_CONNECTIONS = 3;

/** Starts it; resolves when it sends and wakes jobs. Must be called as a part of its life. */
export async function startProcess(deps: ProductDeps): Promise<ProductProcess> {
  const parts = partsOf(deps);
  const { base, life, random, logger, billing, ids, clock, pools, wording } = parts;
  const pool = pools.general;
  const catalogue = () => base.catalogue.current();
  const debts = openDebts({
    ...{ pool, ids, billing, wording, catalogue, logger },
    dispatcher: { wake: () => entitlement.dispatcher.wake() },
    onMessages: () => wake({ rights: false, messages: true }),
    onChanged: (accountIds) => dunning.hearing.accounts(accountIds),
  });
  const postpaid = debts.postpaidAt(clock);
  const dunning = debts.dunningAt(clock, postpaid);
  const { settlement } = billing;
  const common = { pool, ids, clock, random, settlement, logger };
  const entitlement = await startEntitlement({
    ...{ ...common, metrics: base.metrics, processId: random.hex(6) },
    systems: [{ ...ONLY_SYSTEM, address: { transport: 'tcp', host: '', port: 0 } }],
    openDriver: ({ id: casId }, driver) =>
      createVipControlLink({
        ...{ ...driver, ...{ clock, random, casId, clientId: `vip-billing-${life.name}` } },
        ...{ host: '', port: 0, connect: () => deps.wire.connect(life) },
      }),
  });
  const { momo, collections, texts, doors } = openTelecom(parts, postpaid);
  const wake = waker(entitlement, texts.wake);
  texts.wake();
  billing.listen({
    onCommitted: ({ cards, ...committed }) => {
      wake(committed);
      dunning.hearing.cards(cards);
    },
  });
  const remind = () =>
    remindDue({ ...common, catalogue, messagesFor: wording.messages.messagesFor });
  const reconciliation = openReconciliation({ pool, clock, entitlement, catalogue, logger });
  startJobs({
    ...{ ...common, jobPool: pools.jobs, metrics: base.metrics, billing, entitlement, postpaid },
    ...{ dunning: dunning.service, remind, anchors: null, reconciliation },
    // Nobody speaks to many here, and the operator tells of every payment in the end.
    ...{ campaigns: { feed: async () => 0 } },
    telecom: { momo, collections, sweep: async () => 0 },
    schedule: scheduleOf(deps),
  });
  const picture = createPictureDesk({ ...common, refresher: entitlement.refresher });
  return { life, settlement, picture, entitlement, reconciliation, doors };
}

function partsOf(deps: ProductDeps): Parts {
  const { base, life, statements } = deps;
  const open = (name: string, max: number) => simulatedPool(statements, life, { name, max });
  const pools = {
    settlement: open('s', SETTLEMENT_CONNECTIONS),
    general: open('g', GENERAL_CONNECTIONS),
    jobs: open('j', JOB_CONNECTIONS),
  };
  const ids = createIds(pools.general);
  const clock = deps.time.clockOf(life);
  const catalogue = () => base.catalogue.current();
  const wording = createWording({ channels: base.channels.all, catalogue });
  let onCommitted: Parameters<Billing['listen']>[0]['onCommitted'] = () => undefined;
  const settlement = createSettlement({
    ...{ pool: pools.settlement, ids, catalogue, logger: deps.logger },
    accounts: () => base.accounts,
    voucherHash: hashCode,
    ports: { rightsFor, messagesFor: wording.messages.messagesFor },
    onCommitted: (what) => onCommitted(what),
    monotonicMs: deps.time.elapsedMs,
  });
  const billing: Billing = {
    catalogue: base.catalogue,
    settlement: deps.breakSettlement(settlement),
    listen(listeners) {
      onCommitted = listeners.onCommitted;
    },
  };
  return { ...deps, pools, ids, clock, wording, billing };
}

function openTelecom(
  { base, pools, ids, clock, random, logger, billing, texts: provider }: Parts,
  postpaid: Parameters<typeof createCollections>[0]['postpaid'],
) {
  const { settlement } = billing;
  const { money } = base.channels;
  const common = { pool: pools.general, ids, clock, random, logger, settlement };
  const momo = createMobileMoney({
    ...common,
    // Nobody is prompted here: money comes in over the paybill.
    clientOf: () => null,
    channelOf: () => money,
    sayFailed: async () => undefined,
    pushDelayMs: 0,
    sleep: (ms) => new Promise((done) => setTimeout(done, ms)),
  });
  const refused = createRefusedNotices(common);
  const collections = createCollections({
    ...{ ...common, momo, postpaid, moneyChannelOf: () => money },
    gatewayDown: HOUSE_RULES.gatewayDown,
  });
  const doors = {
    money: createMoneyDoor({ ...common, momo, refused, siteOf: () => base.site }),
    tvu: createTvuDoor({ ...common, refused, siteIdOf: () => base.site.id }),
  };
  const texts = createTextSender({ ...common, providerFor: () => provider });
  return { momo, collections, doors, texts };
}

const SECOND_MS = 1_000;
/** Most of the time passes in leaps: what wakes by the minute wakes this often. */
export const RARELY_MS = 6 * SECOND_MS;
/** Nobody here has a contract or is prompted: these look, and find nothing. */
const IDLE_JOBS = ['poll-orders', 'collect', 'postpaid-receipts', 'bill', 'recognise'];
/** The nights of these lives, in which the head-end is compared. */
const NIGHT_JOB = 'reconcile-nightly';
const IDLE_MS = 5 * RARELY_MS;
/** They read by COPY, which is no statement that could be put in a line with others. */
const LEFT_OUT = new Set(['seal', 'follow-command-log', 'command-log-months', 'anchor']);

/** Each job in its own rhythm, from the beginning of time on. */
const scheduleOf =
  ({ time }: ProductDeps) =>
  (job: Job, wake: () => void): (() => void) => {
    if (LEFT_OUT.has(job.name)) return () => undefined;
    const { everyMs, offsetMs } = rhythmOf(job);
    const waitMs = (offsetMs + everyMs - (time.elapsedMs() % everyMs)) % everyMs;
    let timer = setTimeout(function tick() {
      timer = setTimeout(tick, everyMs);
      wake();
    }, waitMs);
    return () => clearTimeout(timer);
  };

/** How often a job wakes, and how long after the full round. */
function rhythmOf({ name, cron }: Job): { everyMs: number; offsetMs: number } {
  const [second = '0'] = cron.split(' ');
  const step = /^\*\/(\d+)$/.exec(second);
  if (IDLE_JOBS.includes(name) || name === NIGHT_JOB)
    return { everyMs: IDLE_MS, offsetMs: RARELY_MS };
  if (step) return { everyMs: Math.min(Number(step[1]) * SECOND_MS, RARELY_MS), offsetMs: 0 };
  return { everyMs: RARELY_MS, offsetMs: (Number(second) * SECOND_MS) % RARELY_MS };
}
