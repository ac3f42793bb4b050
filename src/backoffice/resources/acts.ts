/** Every act that may wait for a second person, by the name it is kept under. */
import type { Pool } from 'pg';
import type { Acts } from '../people/approvals.ts';
import type { ActDeps } from './act.ts';
import { createFreeDays, FREE_DAYS } from './incidents.ts';
import { CLAIM, createClaim } from './payment-acts.ts';
import { createReversal, REVERSAL } from './reversal.ts';
import { walletActs } from './wallet-acts.ts';

export const allActs = (deps: ActDeps & { pool: Pool }): Acts => ({
  [REVERSAL]: createReversal(deps),
  [CLAIM]: createClaim(deps),
  [FREE_DAYS]: createFreeDays(deps),
  ...walletActs(deps),
});
