/** Texts over a small world: real database, settlement, services and desk; prompts go nowhere. */
import { join } from 'node:path';
import type { World } from '../../../../test/stories/world.ts';
import { createCatalogue } from '../../../billing/catalogue/service.ts';
import { setReminderChoice } from '../../../billing/reminders/service.ts';
import { createPictureDesk } from '../../../entitlement/picture/service.ts';
import { openWorkItems } from '../../../entitlement/work-items/store.ts';
import { silentLogger } from '../../../platform/log.ts';
import { systemRandom } from '../../../platform/system.ts';
import type { SmsIn } from '../../canonical.ts';
import type { MoneyChannel } from '../../channels.ts';
import { loadLanguages } from '../../language.ts';
import { createMobileMoney } from '../../momo/service.ts';
import { createDialogueServices } from '../../ussd/dialogue-services.ts';
import type { DialogueChannel } from '../../ussd/services.ts';
import { createDialogueStore } from '../../ussd/store.ts';
import { createTextInbound, type TextInbound, type TextInboundDeps } from './service.ts';

export interface Desk {
  inbound: TextInbound;
  /** The parts, for a desk in which one of them breaks. */
  deps: TextInboundDeps;
  channel: DialogueChannel;
  /** Sends a text, under a name of its own unless one is given; what is answered to it. */
  text(msisdn: string, body: string, id?: string): Promise<string | null>;
}

const PAYBILL: MoneyChannel = {
  id: 'ke-paybill',
  site: 'NBO',
  kind: 'money',
  provider: 'mpesa',
  token: '0'.repeat(32),
  shortCode: '600100',
  consumerKey: 'key',
  consumerSecret: 'secret',
  passkey: 'pass',
  baseUrl: 'http://127.0.0.1:9',
  publicUrl: 'http://127.0.0.1:9',
};

/** The text channel of a site, `NBO` with mobile money or `ABJ` without. */
export async function openDesk(world: World, siteCode: 'NBO' | 'ABJ' = 'NBO'): Promise<Desk> {
  const { pool, ids, settlement } = world;
  const clock = { now: world.now };
  const catalogue = (await createCatalogue(world.prisma, world)).current();
  const momo = createMobileMoney({
    ...{ pool, ids, clock, settlement, random: systemRandom, logger: silentLogger },
    clientOf: () => null,
    channelOf: () => PAYBILL,
    sayFailed: async () => undefined,
    pushDelayMs: 0,
    sleep: async () => undefined,
  });
  const refresher = { wake: () => undefined };
  const picture = createPictureDesk({ pool, ids, clock, logger: silentLogger, refresher });
  const services = createDialogueServices({
    carries: () => true,
    raiseWork: ({ casId, ...item }) => openWorkItems(pool, [item], { casId, at: world.now() }),
    ...{ pool, settlement, momo, picture, clock },
    store: createDialogueStore(pool),
    catalogue: () => catalogue,
    owedFor: async () => 65_000n,
    moneyChannelOf: (siteId) => (siteId === world.site('NBO').id ? PAYBILL : null),
  });
  const site = world.site(siteCode);
  const channel: DialogueChannel = {
    id: `${siteCode.toLowerCase()}-text`,
    siteId: site.id,
    country: site.country,
    currency: site.currency,
    timeZone: site.timeZone,
    defaultLanguage: site.language,
    serviceCode: '*384*100#',
    mobileMoney: siteCode === 'NBO',
  };
  const deps: TextInboundDeps = {
    ...{ pool, ids, clock, services, picture },
    languages: loadLanguages(join(process.cwd(), 'config/language')),
    setReminders: (choice) => setReminderChoice(pool, choice),
    onAnswer: () => undefined,
  };
  const inbound = createTextInbound(deps);
  let serial = 0;
  return {
    ...{ inbound, deps, channel },
    async text(msisdn, body, id) {
      serial += 1;
      const known = await lastAnswer(world, msisdn);
      await inbound.take(textOf(msisdn, body, id ?? `ATXid_${serial}`), channel);
      const answer = await lastAnswer(world, msisdn);
      return answer && answer.id !== known?.id ? answer.body : null;
    },
  };
}

/** A text as a provider's reader hands it over. */
export const textOf = (from: string, text: string, id: string): SmsIn => ({
  type: 'sms.in',
  id,
  from,
  text,
  to: '21512',
  receivedAt: null,
  ignore: !from.startsWith('+'),
});

async function lastAnswer(world: World, msisdn: string) {
  const [row] = await world.rows(
    `SELECT id, body FROM outbound WHERE target = $1 AND template LIKE 'text.answer.%'
      ORDER BY id DESC LIMIT 1`,
    [msisdn],
  );
  return row ? { id: String(row.id), body: String(row.body) } : null;
}
