/** Every act that may wait for a second person, by the name it is kept under. */
import type { Pool } from 'pg';
import type { PostpaidService } from '../../billing/postpaid/service.ts';
import type { Ids } from '../../platform/ports.ts';
import type { Acts } from '../people/approvals.ts';
import type { ActDeps } from './act.ts';
import { CAMPAIGN_START, createCampaignStart } from './campaigns.ts';
import { createPublication, PUBLICATION, type PublishDeps } from './catalogue-versions.ts';
import type { Desk } from './desk.ts';
import { deviceActs } from './device-acts.ts';
import { createFreeDays, FREE_DAYS } from './incidents.ts';
import { createOutageDays, OUTAGE_DAYS, type OutageDeps } from './outages.ts';
import { CLAIM, createClaim } from './payment-acts.ts';
import { postpaidActs } from './postpaid-act.ts';
import { createReversal, REVERSAL } from './reversal.ts';
import { createVoucherBatch, VOUCHER_BATCH } from './voucher-batches.ts';
import { walletActs } from './wallet-acts.ts';

export const allActs = (
  deps: ActDeps &
    PublishDeps &
    OutageDeps &
    Pick<Desk, 'campaigns' | 'devices'> & { pool: Pool; ids: Ids; postpaid: PostpaidService },
): Acts => ({
  [REVERSAL]: createReversal(deps),
  [CLAIM]: createClaim(deps),
  [FREE_DAYS]: createFreeDays(deps),
  [OUTAGE_DAYS]: createOutageDays(deps),
  [VOUCHER_BATCH]: createVoucherBatch(deps),
  [PUBLICATION]: createPublication(deps),
  [CAMPAIGN_START]: createCampaignStart(deps),
  ...deviceActs(deps),
  ...walletActs(deps),
  ...postpaidActs(deps.postpaid),
});
