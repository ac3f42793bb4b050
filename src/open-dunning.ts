/** Opens dunning on the rooms that are there: debts, contracts, pictures and words. */
import type { Pool } from 'pg';
import type { OperatorCatalogue } from './billing/catalogue/file/types.ts';
import type { Catalogue } from './billing/catalogue/rules.ts';
import { createContracts } from './billing/dunning/contracts.ts';
import { createDebts } from './billing/dunning/debts.ts';
import { createHearing, type Hearing } from './billing/dunning/hearing.ts';
import { policiesOf } from './billing/dunning/policies.ts';
import { createPrepaidEnds } from './billing/dunning/prepaid-ends.ts';
import type { DunningMessagesFor } from './billing/dunning/sayings.ts';
import {
  createDunning,
  type DunningPorts,
  type DunningRun,
  type DunningService,
} from './billing/dunning/service.ts';
import type { PostpaidService } from './billing/postpaid/service.ts';
import type { Settlement } from './billing/settlement/service.ts';
import { createDunnedPictures } from './entitlement/picture/dunned.ts';
import { createSuspensions } from './entitlement/picture/suspension.ts';
import type { Clock, Ids, Logger } from './platform/ports.ts';

export interface DunningDeps {
  /** What the catalogue file says of dunning and invoices; null: nobody is dunned. */
  operator(): Pick<OperatorCatalogue, 'dunning'> | null;
  postpaid: PostpaidService;
  pool: Pool;
  ids: Ids;
  clock: Clock;
  logger: Logger;
  settlement: Settlement;
  catalogue(): Catalogue;
  messagesFor: DunningMessagesFor;
  /** Sends what changed for pictures. */
  dispatcher: { wake(): void };
  /** Messages wait to be sent. */
  onMessages(): void;
}

export interface DunningHouse {
  service: DunningService;
  hearing: Hearing;
  /** What the subscriber of a card owes today. */
  owedFor(cardId: bigint): Promise<bigint>;
}

/** Nothing runs before it is called; `hearing.close()` waits for what it has begun. */
export function openDunning(deps: DunningDeps): DunningHouse {
  const { pool, catalogue, operator, onMessages } = deps;
  const service = createDunning({
    ...deps,
    policies: () => policiesOf(operator() ?? { dunning: [] }, catalogue().sites),
    ports: portsOf(deps),
  });
  const told = (ran: DunningRun): DunningRun => {
    if (ran.queued > 0) onMessages();
    return ran;
  };
  const telling: DunningService = {
    ...service,
    run: async () => told(await service.run()),
    reconsider: async (ids) => told(await service.reconsider(ids)),
  };
  return {
    service: telling,
    hearing: createHearing({ ...deps, dunning: telling }),
    async owedFor(cardId) {
      const { rows } = await pool.query<{ subscriber_id: bigint }>(
        'SELECT subscriber_id FROM card WHERE id = $1',
        [cardId],
      );
      const ids = rows.map(({ subscriber_id }) => subscriber_id);
      const [stands] = (await service.look(ids)).values();
      return stands?.owed ?? 0n;
    },
  };
}

/**
 * Contracts first: a day without a picture is not charged, even if the process ends between. What
 * was shown until a contract ended is taken by the next look.
 */
function portsOf(deps: DunningDeps): DunningPorts {
  const pictures = createDunnedPictures({ ...deps, suspensions: createSuspensions(deps) });
  const contracts = createContracts(deps);
  return {
    ...createDebts(deps),
    ...pictures,
    prepaidEndsOf: createPrepaidEnds(deps),
    messagesFor: deps.messagesFor,
    async suspend(act) {
      await contracts.stop(act.subscriberId, act.on);
      await pictures.suspend(act);
    },
    async unsuspend(act) {
      await pictures.unsuspend(act);
      await contracts.goOn(act.subscriberId, act.on);
    },
    terminate: ({ subscriberId }) => contracts.end(subscriberId),
  };
}
