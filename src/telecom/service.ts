/** The telecom room, put together: doors, dialogue, mobile money and texts over the channels. */
import { join } from 'node:path';
import type { Pool } from 'pg';
import type { Catalogue, Site } from '../billing/catalogue/rules.ts';
import type { DunningMessagesFor } from '../billing/dunning/sayings.ts';
import { HOUSE_RULES } from '../billing/postpaid/markets.ts';
import type { PostpaidService } from '../billing/postpaid/service.ts';
import { setReminderChoice } from '../billing/reminders/service.ts';
import type { Settlement } from '../billing/settlement/service.ts';
import type { PictureDesk } from '../entitlement/picture/desk.ts';
import { openWorkItems } from '../entitlement/work-items/store.ts';
import type { KeyValue } from '../platform/kv.ts';
import type { Metrics } from '../platform/metrics.ts';
import type { Clock, Ids, Logger, Random } from '../platform/ports.ts';
import { sleep, within } from '../platform/timers.ts';
import type { Channel, Channels, TextChannel, UssdChannel } from './channels.ts';
import { createDoor, type DoorHandler } from './door.ts';
import { type Languages, loadLanguages } from './language.ts';
import { type Collections, createCollections } from './momo/collections.ts';
import { createDarajaClient, type DarajaClient } from './momo/daraja-client.ts';
import { createMoneyDoor } from './momo/door.ts';
import { sayPaymentFailed } from './momo/say-failed.ts';
import { createMobileMoney, type MobileMoney } from './momo/service.ts';
import { sweepMissed } from './momo/sweep.ts';
import { createTvuDoor } from './momo/tvu-door.ts';
import { readerFor, ussdProviders } from './providers.ts';
import { createRefusedNotices, type RefusalReason } from './refused.ts';
import { createTextDoor } from './text/door.ts';
import { createDunningMessages } from './text/dunning-messages.ts';
import { createTextInbound, type TextInbound } from './text/inbound/service.ts';
import { createMessages, type Messages } from './text/messages.ts';
import { createAfricastalkingTexts } from './text/providers/africastalking-sender.ts';
import { createTextSender, type TextSender } from './text/sender.ts';
import { decodeTurn } from './ussd/decode.ts';
import { createDialogueServices } from './ussd/dialogue-services.ts';
import { createUssdDoor } from './ussd/door.ts';
import { createDialogue } from './ussd/engine.ts';
import type { DialogueChannel, DialogueServices } from './ussd/services.ts';
import { createSessions } from './ussd/sessions.ts';
import { createDialogueStore } from './ussd/store.ts';

export interface Telecom {
  /** Answers everything below `/hooks`. */
  door: ReturnType<typeof createDoor>;
  momo: MobileMoney;
  /** Settles payments that nobody told us of; see `sweepMissed`. */
  sweep(): Promise<number>;
  texts: TextSender;
  /** Asks for the payments of postpaid accounts; null where there are none. */
  collections: Collections;
}

export interface TelecomDeps {
  pool: Pool;
  ids: Ids;
  kv: KeyValue;
  clock: Clock;
  random: Random;
  logger: Logger;
  metrics: Metrics;
  channels: Channels;
  catalogue(): Catalogue;
  settlement: Settlement;
  postpaid: PostpaidService;
  picture: PictureDesk;
  /** Whether the conditional-access system of a card can show a product. */
  carries(casId: string, product: string): boolean;
  /** What the subscriber of a card owes today. */
  owedFor(cardId: bigint): Promise<bigint>;
  languages: Languages;
  messages: Messages;
  /** A text waits to be sent. */
  onMessage(): void;
  trustedHops: number;
  pushDelayMs: number;
}

/** Wording, which settlement needs before the rest of the room can stand. */
export function createWording(deps: { channels: Channels; catalogue(): Catalogue }): {
  languages: Languages;
  messages: Messages;
  dunningMessagesFor: DunningMessagesFor;
} {
  const languages = loadLanguages(join(import.meta.dirname, '../../config/language'));
  const siteOf = (id: bigint): Site => {
    const site = deps.catalogue().sites.get(id);
    if (!site) throw new Error(`No such site: ${id}`);
    return site;
  };
  const codes = deps.channels.ofKind('ussd');
  const common = {
    languages,
    serviceCodeOf: (siteId: bigint) => {
      const { code } = siteOf(siteId);
      return codes.find((channel) => channel.site === code)?.serviceCode ?? '';
    },
    siteOf,
  };
  return {
    languages,
    messages: createMessages(common),
    dunningMessagesFor: createDunningMessages(common),
  };
}

/** Puts the room together; nothing runs before the first request or `texts.wake()`. */
export function createTelecom(deps: TelecomDeps): Telecom {
  const sites = siteIndex(deps.catalogue);
  const clientOf = darajaClients(deps);
  const momo = createMomo(deps, clientOf);
  const refused = createRefusedNotices({
    ...deps,
    onRefused: (reason: RefusalReason) =>
      deps.metrics.count('vip_refused_notices_total', { reason }),
  });
  const siteContext = (code: string) => sites.byCode(code);
  const services = createServices(deps, momo);
  const channelOf = dialogueChannels(deps);
  const handlers: Record<Channel['kind'], DoorHandler> = {
    ussd: createUssd(deps, services, channelOf),
    text: createTextDoor({
      ...deps,
      siteOf: siteContext,
      textReader: (provider) => readerFor(provider, 'sms.in'),
      reportReader: (provider) => readerFor(provider, 'sms.dlr'),
      optOutReader: (provider) => readerFor(provider, 'sms.optout'),
      setReminders: (choice) => setReminderChoice(deps.pool, choice),
      inbound: createInbound(deps, services),
      channelOf,
    }),
    money: createMoneyDoor({ pool: deps.pool, momo, refused, siteOf: siteContext }),
    tvu: createTvuDoor({ ...deps, refused, siteIdOf: (code) => sites.byCode(code).id }),
  };
  const door = createDoor({
    channels: deps.channels,
    handlers,
    refused,
    logger: deps.logger,
    trustedHops: deps.trustedHops,
    onAnswered: (kind, status, seconds) => {
      const labels = { route: `/hooks/${kind}`, method: 'POST', status: String(status) };
      deps.metrics.observe('vip_http_request_seconds', labels, seconds);
    },
    monotonicMs: () => performance.now(),
  });
  const collections = createCollector(deps, momo);
  for (const { id: channel } of deps.channels.ofKind('money')) {
    deps.metrics.expect('vip_missed_payments_total', { channel });
  }
  const sweep = () =>
    sweepMissed({
      ...deps,
      ...{ momo, clientOf },
      channels: deps.channels.ofKind('money'),
      siteIdOf: (code) => sites.byCode(code).id,
      onFound: (channel) => deps.metrics.count('vip_missed_payments_total', { channel }),
    });
  return { door, momo, sweep, texts: createTexts(deps, sites.codeOf), collections };
}

/** The money channel of each site. */
function moneyChannels({ channels, catalogue }: TelecomDeps) {
  const money = channels.ofKind('money');
  const { codeOf } = siteIndex(catalogue);
  return (siteId: bigint) => money.find((channel) => channel.site === codeOf(siteId)) ?? null;
}

function createCollector(deps: TelecomDeps, momo: MobileMoney): Collections {
  const { gatewayDown } = HOUSE_RULES;
  const moneyChannelOf = moneyChannels(deps);
  return createCollections({ ...deps, momo, moneyChannelOf, gatewayDown });
}

/** Sites by the code that channels name them with. */
export function siteIndex(catalogue: () => Catalogue) {
  const byCode = (code: string): Site => {
    for (const site of catalogue().sites.values()) if (site.code === code) return site;
    throw new Error(`No such site: ${code}`);
  };
  return { byCode, codeOf: (id: bigint): string => catalogue().sites.get(id)?.code ?? '' };
}

type ClientOf = (channelId: string) => DarajaClient | null;

function darajaClients(deps: TelecomDeps): ClientOf {
  const clients = new Map<string, DarajaClient>();
  for (const channel of deps.channels.ofKind('money')) {
    clients.set(channel.id, createDarajaClient(channel, deps));
  }
  return (id) => clients.get(id) ?? null;
}

function createMomo(deps: TelecomDeps, clientOf: ClientOf): MobileMoney {
  return createMobileMoney({
    ...deps,
    clientOf,
    channelOf: (id) => deps.channels.ofKind('money').find((channel) => channel.id === id) ?? null,
    sayFailed: (order, reason) => sayPaymentFailed(deps, order, reason),
    sleep: (ms) => sleep(ms),
  });
}

/** What a subscriber can ask and do, by whatever channel. */
function createServices(deps: TelecomDeps, momo: MobileMoney): DialogueServices {
  return createDialogueServices({
    ...deps,
    momo,
    store: createDialogueStore(deps.pool),
    raiseWork: ({ casId, ...item }) =>
      openWorkItems(deps.pool, [item], { casId, at: deps.clock.now() }),
    moneyChannelOf: moneyChannels(deps),
  });
}

function createInbound(deps: TelecomDeps, services: DialogueServices): TextInbound {
  return createTextInbound({
    ...deps,
    services,
    setReminders: (choice) => setReminderChoice(deps.pool, choice),
    onAnswer: deps.onMessage,
    onTaken: (intent) => deps.metrics.count('vip_texts_in_total', { intent }),
  });
}

function createUssd(
  deps: TelecomDeps,
  services: DialogueServices,
  channelOf: ReturnType<typeof dialogueChannels>,
): DoorHandler {
  const dialogue = createDialogue({
    services,
    sessions: createSessions(deps.kv),
    clock: deps.clock,
    logger: deps.logger,
    languages: deps.languages,
    within,
    decodeTurn,
  });
  return createUssdDoor({
    dialogue,
    providers: ussdProviders,
    logger: deps.logger,
    channelOf,
    onTurn: (provider, outcome) =>
      deps.metrics.count('vip_ussd_turns_total', { provider, outcome }),
  });
}

function dialogueChannels({ channels, catalogue }: TelecomDeps) {
  const { byCode } = siteIndex(catalogue);
  const money = new Set(channels.ofKind('money').map((channel) => channel.site));
  const codeFor = (channel: UssdChannel | TextChannel): string =>
    channel.kind === 'ussd'
      ? channel.serviceCode
      : (channels.ofKind('ussd').find(({ site }) => site === channel.site)?.serviceCode ?? '');
  const known = new Map<string, DialogueChannel>();
  return (channel: UssdChannel | TextChannel): DialogueChannel => {
    const before = known.get(channel.id);
    if (before) return before;
    const site = byCode(channel.site);
    const made: DialogueChannel = {
      id: channel.id,
      siteId: site.id,
      country: site.country,
      currency: site.currency,
      timeZone: site.timeZone,
      defaultLanguage: site.language,
      // Who writes is told what to dial.
      serviceCode: codeFor(channel),
      mobileMoney: money.has(channel.site),
    };
    known.set(channel.id, made);
    return made;
  };
}

function createTexts(deps: TelecomDeps, codeOf: (id: bigint) => string): TextSender {
  const { byCode } = siteIndex(deps.catalogue);
  const providers = new Map(
    deps.channels.ofKind('text').map((channel) => [
      channel.site,
      createAfricastalkingTexts({
        username: channel.username,
        apiKey: channel.apiKey,
        ...(channel.senderId === undefined ? {} : { senderId: channel.senderId }),
        ...(channel.baseUrl === undefined ? {} : { baseUrl: channel.baseUrl }),
        context: byCode(channel.site),
        logger: deps.logger,
      }),
    ]),
  );
  return createTextSender({
    ...deps,
    providerFor: (siteId) => providers.get(codeOf(siteId)) ?? null,
    onSent: () =>
      deps.metrics.count('vip_texts_total', { provider: 'africastalking', result: 'sent' }),
  });
}
