/** Puts reconciliation to work: at night, on demand, and for whoever watches. */
import { createPublicKey, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Pool } from 'pg';
import type { Catalogue } from './billing/catalogue/rules.ts';
import { createCasCommands } from './entitlement/commands/service.ts';
import { readStanding } from './entitlement/reconciliation/report.ts';
import { createReconciliation, type Reconciliation } from './entitlement/reconciliation/service.ts';
import type { Entitlement } from './entitlement/service.ts';
import type { Job } from './platform/jobs.ts';
import type { ServiceLogger } from './platform/log.ts';
import type { Metrics } from './platform/metrics.ts';
import type { Clock } from './platform/ports.ts';
import { StartError } from './platform/start-error.ts';

interface Opening {
  pool: Pool;
  clock: Clock;
  /** Null where this process does not dispatch. */
  entitlement: Entitlement | null;
  catalogue(): Catalogue;
  logger: ServiceLogger;
}

/** Reconciliation over the systems of this process; a StartError for a key that is none. */
export function openReconciliation(opening: Opening): Reconciliation | null {
  const { entitlement, logger } = opening;
  if (!entitlement) return null;
  return createReconciliation({
    ...opening,
    logger: logger.child({ room: 'reconciliation' }),
    commands: createCasCommands(opening),
    systems: entitlement.systems.map(({ id, driver, epoch, declared }) => ({
      ...{ id, driver, epoch, products: declared.products },
      logKey: declared.logKeyFile === null ? null : readLogKey(declared.logKeyFile),
    })),
    wake() {
      entitlement.dispatcher.wake();
      entitlement.commands.wake();
    },
  });
}

function readLogKey(file: string): KeyObject {
  try {
    const key = createPublicKey(readFileSync(file));
    if (key.asymmetricKeyType === 'ed25519') return key;
  } catch {
    // Said below, without what stands in the file.
  }
  throw new StartError(`VIP_CAS_FILE: logKey ${file} is no public Ed25519 key as PEM.`);
}

/** What wakes by the calendar: the night asks, and what was asked for is done within seconds. */
export function reconciliationJobs(reconciliation: Reconciliation | null): Job[] {
  if (!reconciliation) return [];
  return [
    {
      name: 'reconcile-nightly',
      cron: '0 10 1 * * *',
      run: async () => void (await reconciliation.askAll('night')),
    },
    { name: 'reconcile', cron: '*/20 * * * * *', run: reconciliation.runDue },
    {
      name: 'verify-differences',
      cron: '55 * * * * *',
      run: async () => void (await reconciliation.verify()),
    },
  ];
}

const MILLION = 1_000_000;

/** How reconciliation stands, read when somebody looks at the metrics. */
export function watchReconciliation({
  pool,
  metrics,
  clock,
}: {
  pool: Pool;
  metrics: Metrics;
  clock: Clock;
}): void {
  const ofSystems = async (
    numberOf: (last: { endedAt: Date | null; variancePpm: number }) => number,
  ) => {
    const { systems } = await readStanding(pool);
    return new Map(systems.map((last) => [last.casId, numberOf(last)]));
  };
  metrics.gauge('vip_reconciliation_age_seconds', () =>
    ofSystems(({ endedAt }) =>
      Math.max(0, Math.round((clock.now().getTime() - (endedAt?.getTime() ?? 0)) / 1000)),
    ),
  );
  metrics.gauge('vip_reconciliation_variance', () =>
    ofSystems(({ variancePpm }) => variancePpm / MILLION),
  );
  metrics.gauge('vip_reconciliation_differences', async () => (await readStanding(pool)).open);
}
