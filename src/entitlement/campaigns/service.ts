/** Messages on screen that somebody decides: looked at before, started, fed, stopped. */
import type { ClientBase, Pool } from 'pg';
import { transaction } from '../../platform/database/pool.ts';
import type { Clock, Logger, Random } from '../../platform/ports.ts';
import type { CasCommands } from '../commands/service.ts';
import {
  type Campaign,
  campaignById,
  lockStarted,
  startCampaign,
  stopCampaign,
} from './campaign-store.ts';
import { feedDue } from './feed.ts';
import { type Preview, previewCampaign } from './preview.ts';
import type { ShowDeps } from './show.ts';

export type { Wording } from './recipients.ts';

export interface Campaigns {
  /** What it would do if it were shown at an instant; null: too many cards to look at each. */
  preview(db: Pool | ClientBase, campaign: Campaign, at: Date): Promise<Preview | null>;
  /** Starts a draft, once for each `key`; false when it was started under another. */
  start(
    id: bigint,
    start: { key: string; by: string; approvedBy: string | null },
  ): Promise<boolean>;
  /**
   * Stops a campaign: what is not sent yet is withdrawn. Answers how many commands that were; null
   * when it does not run and nothing of it waits.
   */
  stop(id: bigint, by: string): Promise<number | null>;
  /** Orders what is due, as much as the systems have room for; answers how many commands. */
  feed(): Promise<number>;
}

export interface CampaignsDeps extends ShowDeps {
  pool: Pool;
  clock: Clock;
  random: Random;
  logger: Logger;
  commands: Pick<CasCommands, 'enqueue' | 'withdraw'>;
}

const SEED_BYTES = 16;

/** Campaigns over a pool and the queue of commands. */
export function createCampaigns(deps: CampaignsDeps): Campaigns {
  const { pool, clock, random, catalogue, commands, logger } = deps;
  return {
    async preview(db, campaign, at) {
      const site = catalogue().sites.get(campaign.siteId);
      if (!site) throw new Error(`No site ${campaign.siteId}`);
      return previewCampaign(deps, db, { campaign, site, at });
    },
    async start(id, { key, by, approvedBy }) {
      const seed = random.hex(SEED_BYTES);
      const isMine = await startCampaign(pool, id, { key, by, approvedBy, seed, at: clock.now() });
      const campaign = isMine ? await campaignById(pool, id, null) : null;
      const kind = campaign?.content.kind;
      if (isMine) logger.info('campaign.started', { campaignId: id, kind, actor: by, approvedBy });
      return isMine;
    },
    stop: (id, by) =>
      transaction(pool, async (tx) => {
        const state = await lockStarted(tx, id);
        if (state === null) return null;
        const withdrawn = await commands.withdraw(tx, { campaignId: id });
        if (state === 'finished' && withdrawn === 0) return null;
        await stopCampaign(tx, id, { by, at: clock.now() });
        logger.info('campaign.stopped', { campaignId: id, actor: by, withdrawn });
        return withdrawn;
      }),
    feed: () => feedDue(deps),
  };
}
