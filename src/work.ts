/** What works in the background by the calendar, and what is read when somebody looks. */
import type { Pool } from 'pg';
import type { DunningService } from './billing/dunning/service.ts';
import { foldAccounts } from './billing/ledger/store.ts';
import { recogniseRevenue } from './billing/postpaid/recognition.ts';
import type { PostpaidService } from './billing/postpaid/service.ts';
import type { Billing } from './billing/service.ts';
import { doDue } from './billing/settlement/due-list.ts';
import { earnTerms } from './billing/settlement/earned.ts';
import type { Campaigns } from './entitlement/campaigns/service.ts';
import type { Reconciliation } from './entitlement/reconciliation/service.ts';
import type { Entitlement } from './entitlement/service.ts';
import { countWorkItems } from './entitlement/work-items/store.ts';
import { oldestOpenSeconds } from './evidence/seal.ts';
import { type AnchorPlace, evidenceJobs } from './open-evidence.ts';
import { postpaidJobs } from './open-postpaid.ts';
import { reconciliationJobs, watchReconciliation } from './open-reconciliation.ts';
import { createJobs, type Jobs, type JobsOptions } from './platform/jobs.ts';
import type { Metrics } from './platform/metrics.ts';
import type { Clock, Ids, Logger } from './platform/ports.ts';
import type { Telecom } from './telecom/service.ts';

export interface Working {
  pool: Pool;
  jobPool: Pool;
  metrics: Metrics;
  billing: Billing;
  telecom: Pick<Telecom, 'momo' | 'collections' | 'sweep'>;
  entitlement: Entitlement | null;
  /** Null where this process does not dispatch. */
  reconciliation: Reconciliation | null;
  remind(): Promise<number>;
  postpaid: PostpaidService;
  ids: Ids;
  dunning: DunningService;
  campaigns: Pick<Campaigns, 'feed'>;
  /** Null: none are written. */
  anchors: AnchorPlace | null;
  logger: Logger;
  clock: Clock;
  /** What wakes the jobs, where that is not the machine's clock. */
  schedule: JobsOptions['schedule'];
}

/** What wakes by the calendar; each runs in one process, wherever several wake. */
export function startJobs(working: Working): Jobs {
  const { pool, jobPool, metrics, billing, telecom, entitlement, logger, clock } = working;
  const jobs = createJobs({
    pool: jobPool,
    logger,
    onResult: (job, result) => metrics.count('vip_job_runs_total', { job, result }),
    schedule: working.schedule,
  });
  const add = (name: string, cron: string, run: () => Promise<unknown>) =>
    jobs.add({ name, cron, run: async () => void (await run()) });
  add('poll-orders', '*/5 * * * * *', () => telecom.momo.pollDue());
  add('sweep-payments', '45 */10 * * * *', () => telecom.sweep());
  add('due', '*/10 * * * * *', () => doDue({ pool, settlement: billing.settlement, clock }));
  add('remind', '5 * * * * *', working.remind);
  add('dunning', '50 * * * * *', () => working.dunning.run());
  add('campaigns', '25 * * * * *', () => working.campaigns.feed());
  add('fold', '30 * * * * *', () => foldAccounts(pool));
  add('reload-catalogue', '15 * * * * *', () => billing.catalogue.reload());
  for (const job of postpaidJobs(working, { ...working, collections: telecom.collections })) {
    add(...job);
  }
  add('recognise', '30 20 * * * *', async () => {
    await recogniseRevenue(working);
    await earnTerms(working, billing.catalogue.current().sites.values());
  });
  for (const job of reconciliationJobs(working.reconciliation)) jobs.add(job);
  for (const job of evidenceJobs({ ...working, logger })) jobs.add(job);
  if (entitlement) {
    const { dispatcher } = entitlement;
    add('capture-events', '20 * * * * *', () => dispatcher.captureDue());
    add('release-events', '40 * * * * *', () => dispatcher.releaseDue());
    add('alarm-dark', '*/15 * * * * *', () => dispatcher.alarmDark());
  }
  for (const job of jobs.names()) metrics.expect('vip_job_runs_total', { job, result: 'failed' });
  return jobs;
}

/** Queue depths, read when somebody looks at the metrics. */
export function watch({ pool, metrics, billing, entitlement, clock }: Working): void {
  const count = async (sql: string, values: unknown[] = []): Promise<number> => {
    const { rows } = await pool.query(sql, values);
    return Number(rows[0].count);
  };
  const due = (kind: string) =>
    count(`SELECT count(*) FROM outbound WHERE kind = '${kind}' AND next_at IS NOT NULL`);
  metrics.gauge('vip_settlement_waiting', () => billing.settlement.waiting());
  metrics.gauge('vip_campaign_commands_waiting', () =>
    count("SELECT count(*) FROM cas_command WHERE state = 'waiting' AND campaign_id IS NOT NULL"),
  );
  metrics.gauge('vip_texts_waiting', () => due('text'));
  metrics.gauge('vip_osd_waiting', () => due('osd'));
  metrics.gauge('vip_commands_waiting', () =>
    count("SELECT count(*) FROM cas_command WHERE state = 'waiting'"),
  );
  metrics.gauge('vip_parked_notices', () =>
    count("SELECT count(*) FROM inbox WHERE state = 'parked'"),
  );
  metrics.gauge('vip_unsealed_seconds', () => oldestOpenSeconds({ pool, clock }));
  metrics.gauge('vip_accounts_to_bill', () =>
    count('SELECT count(*) FROM postpaid_account WHERE due_at <= $1', [clock.now()]),
  );
  metrics.gauge('vip_postpaid_receipts_waiting', () =>
    count('SELECT count(*) FROM postpaid_receipt WHERE applied_at IS NULL'),
  );
  metrics.gauge('vip_collections_open', () =>
    count("SELECT count(*) FROM payment_attempt WHERE outcome IN ('pending', 'unknown')"),
  );
  metrics.gauge('vip_work_items_open', () => countWorkItems(pool));
  watchReconciliation({ pool, metrics, clock });
  if (!entitlement) return;
  const { systems } = entitlement;
  metrics.gauge('vip_cards_waiting', async () => {
    const backlogs = await Promise.all(systems.map(({ dispatcher }) => dispatcher.backlog()));
    return new Map(systems.map(({ id }, i) => [id, backlogs[i]?.waiting ?? 0]));
  });
  metrics.gauge(
    'vip_cas_connected',
    () => new Map(systems.map(({ id, driver }) => [id, driver.state() === 'connected' ? 1 : 0])),
  );
  metrics.gauge(
    'vip_cas_emm_waiting',
    () => new Map(systems.map(({ id, emmWaiting }) => [id, emmWaiting()])),
  );
  const height = { closed: 0, half_open: 0.5, open: 1 };
  metrics.gauge(
    'vip_cas_breaker',
    () => new Map(systems.map(({ id, breaker }) => [id, height[breaker()]])),
  );
  metrics.gauge('vip_cards_paid_but_dark', () => entitlement.countDark());
}
