/** Campaigns in a world of their own: cards that are paid or not, a queue, and who feeds it. */
import { createCatalogue } from '../../src/billing/catalogue/service.ts';
import {
  addCampaign,
  type Campaign,
  campaignById,
} from '../../src/entitlement/campaigns/campaign-store.ts';
import { content, schedule, type Texts, target } from '../../src/entitlement/campaigns/content.ts';
import { type Campaigns, createCampaigns } from '../../src/entitlement/campaigns/service.ts';
import { addTemplate } from '../../src/entitlement/campaigns/template-store.ts';
import { type CasCommands, createCasCommands } from '../../src/entitlement/commands/service.ts';
import { createFakeRandom } from '../../src/entitlement/vip-control/testing.ts';
import { silentLogger } from '../../src/platform/log.ts';
import { amountText, createDates } from '../../src/telecom/language.ts';
import { createWorld, type World } from './world.ts';

export const CAS_ID = 'vip-control';

export interface Studio {
  world: World;
  commands: CasCommands;
  campaigns: Campaigns;
  /** Another process that feeds the same campaigns. */
  worker(enqueue?: CasCommands['enqueue']): Campaigns;
  template(texts: Texts): Promise<string>;
  /** Of the site in Nairobi; for an hour, to all its cards, unless said otherwise. */
  draft(kind: unknown, more?: Record<string, unknown>): Promise<Campaign>;
  /** Drafts and starts it, as one person with or without a second. */
  started(
    kind: unknown,
    more?: Record<string, unknown>,
    approvedBy?: string | null,
  ): Promise<Campaign>;
  look(id: bigint): Promise<Campaign>;
}

/** Opens the studio; `rules`: what the site says of messages. Its world is to be closed. */
export async function createStudio(startIso: string, rules: string): Promise<Studio> {
  const world = await createWorld(startIso);
  const { pool, ids } = world;
  const clock = { now: world.now };
  const catalogue = await createCatalogue(world.prisma, clock);
  const commands = createCasCommands({ pool, clock });
  const dates = createDates();
  await world.changeCatalogue(['language: en', `language: en\n    rules: { messages: ${rules} }`]);
  await catalogue.reload();
  const worker: Studio['worker'] = (enqueue = commands.enqueue) =>
    createCampaigns({
      ...{ pool, clock, random: createFakeRandom(), logger: silentLogger },
      catalogue: () => catalogue.current(),
      wording: {
        amount: (minor, currency) => amountText(minor, currency, 2),
        lastDay: dates.lastDay,
      },
      commands: { ...commands, enqueue },
    });
  const campaigns = worker();
  const site = world.site('NBO');
  const by = { by: 'staff:1', at: world.now() };
  const draft: Studio['draft'] = (kind, more = {}) =>
    addCampaign(pool, ids, {
      ...{ ...by, siteId: site.id, name: 'A campaign', content: content.parse(kind) },
      target: target.parse(more.target ?? { kind: 'filter', filter: {} }),
      schedule: schedule.parse(more.schedule ?? { kind: 'once' }),
      ...{ quiet: null, validSeconds: Number(more.validSeconds ?? 3_600) },
    });
  const look = async (id: bigint): Promise<Campaign> => {
    const found = await campaignById(pool, id, null);
    if (!found) throw new Error(`No campaign ${id}`);
    return found;
  };
  return {
    ...{ world, commands, campaigns, worker, draft, look },
    async template(texts) {
      const name = `Template ${await ids.take()}`;
      const wanted = { ...by, siteId: site.id, name, texts, isRetired: false };
      return String((await addTemplate(pool, ids, wanted))?.id);
    },
    async started(kind, more = {}, approvedBy = null) {
      const { id } = await draft(kind, more);
      await campaigns.start(id, { key: `start-${id}`, by: 'staff:1', approvedBy });
      return look(id);
    },
  };
}
