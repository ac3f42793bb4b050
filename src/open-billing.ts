/** The billing core in a product: what it is told by the other rooms, and what it tells them. */
import type { Catalogue } from './billing/catalogue/rules.ts';
import { type Billing, type BillingDeps, createBilling } from './billing/service.ts';
import type { Outcome } from './billing/settlement/commands.ts';
import { rightsFor } from './entitlement/rights/rules.ts';
import { tills } from './open-backoffice.ts';
import type { Cas } from './open-cas.ts';
import type { Config } from './platform/config.ts';
import type { ServiceLogger } from './platform/log.ts';
import type { Metrics } from './platform/metrics.ts';
import { StartError } from './platform/start-error.ts';
import type { DemoHouse } from './product.ts';
import { noteSettled } from './road.ts';
import type { Channels } from './telecom/channels.ts';
import { createWording, siteIndex } from './telecom/service.ts';

type House = Pick<BillingDeps, 'settlementPool' | 'pool' | 'prisma' | 'ids'> & {
  metrics: Metrics;
};

interface Opening {
  config: Pick<Config, 'voucherKey'>;
  channels: Channels;
  clock: BillingDeps['clock'];
  onRoad: DemoHouse['onRoad'];
  cas: Pick<Cas, 'carries'>;
  logger: ServiceLogger;
}

/** Opens billing for the channels; throws a StartError for one of a site that is not there. */
export async function openBilling(
  house: House,
  { config, channels, clock, onRoad, cas, logger }: Opening,
): Promise<Billing> {
  const { metrics } = house;
  let opened: Billing | undefined;
  const catalogue = (): Catalogue => {
    if (!opened) throw new Error('Billing is not open yet');
    return opened.catalogue.current();
  };
  const { messages } = createWording({ channels, catalogue });
  const money = channels.all.filter(({ kind }) => kind === 'money' || kind === 'tvu');
  for (const { id: channel } of money) {
    metrics.expect('vip_payments_total', { channel, outcome: 'settled' });
    metrics.expect('vip_payments_total', { channel, outcome: 'unavailable' });
  }
  opened = await createBilling({
    ...house,
    clock,
    logger: logger.child({ room: 'billing' }),
    voucherKey: config.voucherKey,
    ports: {
      rightsFor,
      carries: cas.carries,
      messagesFor: (saying, at) => messages.messagesFor(saying, at),
    },
    moneyChannels: (next) => {
      const sites = siteIndex(() => next);
      return [
        ...money.map((channel) => ({ id: channel.id, siteId: siteIdOf(sites, channel) })),
        ...tills(next),
      ];
    },
    onBatch: (size, seconds) => {
      metrics.observe('vip_settlement_batch_size', {}, size);
      metrics.observe('vip_settlement_batch_seconds', {}, seconds);
    },
    onSettled: (command, outcome) => {
      if (onRoad) noteSettled(onRoad, command, outcome, clock.now());
      const { kind, channelId } = command;
      if (kind !== 'payment' && kind !== 'tvu_notice') return;
      metrics.count('vip_payments_total', { channel: channelId, outcome: outcomeName(outcome) });
    },
  });
  return opened;
}

/** `settled`, `suspense`, `duplicate`, … */
function outcomeName(outcome: Outcome): string {
  if (outcome.kind !== 'done') return outcome.kind;
  return outcome.first ? outcome.settled.state : 'duplicate';
}

function siteIdOf(sites: ReturnType<typeof siteIndex>, channel: { id: string; site: string }) {
  try {
    return sites.byCode(channel.site).id;
  } catch {
    throw new StartError(
      `Channel ${channel.id} is for site ${channel.site}, which is not in the database: ` +
        'publish a catalogue with it first (npm run catalogue -- publish FILE).',
    );
  }
}
