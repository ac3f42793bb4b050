/** One page of a showing at one system: who is reached, and the commands for them. */
import type { PoolClient } from 'pg';
import { type Catalogue, rulesOf, type Site } from '../../billing/catalogue/rules.ts';
import type { CasCommands } from '../commands/service.ts';
import type { NewCasCommand } from '../commands/store.ts';
import { cardTarget } from '../vip-control/command.ts';
import type { Target } from '../vip-control/operations.ts';
import type { Campaign } from './campaign-store.ts';
import { allCas } from './cas.ts';
import { ordersFor } from './orders.ts';
import { countRecipients, type Reach, recipients, type Wording } from './recipients.ts';
import { broadcastTo, misfitOf, operationFor, type ShownOperation, type Worded } from './rules.ts';
import { commandsOf, keepMessages, type LeftOut, type Showing } from './showing-store.ts';
import { templateById } from './template-store.ts';

export interface ShowDeps {
  catalogue(): Catalogue;
  wording: Wording;
  commands: Pick<CasCommands, 'enqueue'>;
}

export interface Page {
  campaign: Campaign;
  site: Site;
  now: Date;
  /** Cards at the most. */
  limit: number;
}

/** What is kept under in the list of who was reached by a broadcast. */
const EVERYBODY = '*';

/** The words of a campaign, and what else a command of it is made from. */
export async function wordedFor(
  tx: Parameters<typeof templateById>[0],
  { content }: Pick<Campaign, 'content'>,
  { language }: Pick<Site, 'language'>,
): Promise<Worded> {
  const template =
    'templateId' in content ? await templateById(tx, BigInt(content.templateId), null) : null;
  return { content, texts: template?.texts ?? null, siteLanguage: language };
}

/** Whom a campaign reaches card by card at one system (null: all); null: it is a broadcast. */
export function reachOf(
  { target }: Pick<Campaign, 'target'>,
  more: Omit<Reach, 'target'>,
): Reach | null {
  return target.kind === 'cards' || target.kind === 'filter' ? { ...more, target } : null;
}

/** Orders the next page; the showing as it is then, not yet kept. */
export async function showPage(
  deps: ShowDeps,
  tx: PoolClient,
  page: Page,
  showing: Showing,
): Promise<Showing> {
  const { campaign, site, now } = page;
  const worded = await wordedFor(tx, campaign, site);
  const catalogue = deps.catalogue();
  const reach = reachOf(campaign, { site, catalogue, at: now, casId: showing.casId });
  if (!reach) return broadcast(deps, tx, { ...page, worded }, showing);
  const limit = Math.min(page.limit, await roomAlone(tx, page, showing));
  if (limit <= 0) return ended(showing, now, 'above_limit', await left(tx, reach, showing));
  const after = showing.lastCard;
  const { found, last, isEnd } = await recipients(tx, reach, {
    after,
    limit,
    wording: deps.wording,
  });
  const { orders, left: leftOut } = ordersFor(worded, await allCas(tx), found);
  const commands = orders.map(({ recipient, operation }) =>
    commandOf(page, showing, operation, cardTarget(recipient.number)),
  );
  const ids = await deps.commands.enqueue(tx, commands);
  const messages = orders.map(({ recipient: { number } }, at) => ({
    ...{ reached: number, commandId: ids[at] ?? 0n },
  }));
  await keepMessages(tx, campaign.id, showing, messages);
  return {
    ...showing,
    lastCard: last,
    commands: showing.commands + orders.length,
    leftOut: leftOut.reduce((sum, { why }) => plus(sum, why, 1), showing.leftOut),
    endedAt: isEnd ? now : null,
  };
}

/** Its time is over: who is left is counted, and nothing is sent late. */
export async function passOver(
  { catalogue }: ShowDeps,
  tx: PoolClient,
  { campaign, site, now }: Page,
  showing: Showing,
): Promise<Showing> {
  const more = { site, catalogue: catalogue(), at: now, casId: showing.casId };
  const reach = reachOf(campaign, more);
  return ended(showing, now, 'late', reach ? await left(tx, reach, showing) : 1);
}

const left = (tx: PoolClient, reach: Reach, { lastCard }: Showing): Promise<number> =>
  countRecipients(tx, reach, lastCard);

const plus = (sum: LeftOut, why: string, cards: number): LeftOut =>
  cards === 0 ? sum : { ...sum, [why]: (sum[why] ?? 0) + cards };

const ended = (showing: Showing, now: Date, why: string, cards: number): Showing => ({
  ...{ ...showing, leftOut: plus(showing.leftOut, why, cards), endedAt: now },
});

/** What was started by one person reaches no more than one person may, however a group grows. */
async function roomAlone(tx: PoolClient, { campaign, site }: Page, { n }: Showing) {
  if (campaign.approvedBy !== null) return Number.POSITIVE_INFINITY;
  return rulesOf(site).messages.cardsAlone - (await commandsOf(tx, campaign.id, n));
}

/** To a region or to all: one command for each system. */
async function broadcast(
  { commands }: ShowDeps,
  tx: PoolClient,
  { worded, ...page }: Page & { worded: Worded },
  showing: Showing,
): Promise<Showing> {
  const { campaign, now } = page;
  const target = broadcastTo(campaign.target);
  const operation = operationFor(worded, { language: worded.siteLanguage, values: null });
  const cas = (await allCas(tx)).get(showing.casId);
  const why = operation && cas ? misfitOf(operation, cas) : 'no_value';
  if (why !== null || !target || !operation) return ended(showing, now, why ?? 'no_value', 1);
  const [commandId = 0n] = await commands.enqueue(tx, [
    commandOf(page, showing, operation, target),
  ]);
  await keepMessages(tx, campaign.id, showing, [{ reached: EVERYBODY, commandId }]);
  return { ...showing, commands: 1, endedAt: now };
}

function commandOf(
  { campaign, now }: Page,
  { casId, notAfter }: Showing,
  operation: ShownOperation,
  target: Target,
): NewCasCommand {
  const { id, startedBy, approvedBy } = campaign;
  return {
    ...{ ...operation, casId, target, prio: 'MESSAGE', createdAt: now, notAfter },
    ...{ actor: startedBy ?? campaign.createdBy, reason: `campaign:${id}`, campaignId: id },
    ...(approvedBy === null ? {} : { approvedBy }),
  };
}
