/**
 * Orders the commands of running campaigns, a page at a time. All of a page is one transaction
 * under the lock of the campaign: what was ordered, for whom, and how far it has come. A process
 * may end anywhere, and two may work at once: each card is come to once in a showing.
 */
import type { ClientBase, Pool } from 'pg';
import { rulesOf, type Site } from '../../billing/catalogue/rules.ts';
import { transaction } from '../../platform/database/pool.ts';
import type { Clock, Logger } from '../../platform/ports.ts';
import { type Campaign, findDue, lockDue, moveOn } from './campaign-store.ts';
import { type Occurrence, occurrenceFrom, type Plan } from './schedule.ts';
import { passOver, type ShowDeps, showPage } from './show.ts';
import {
  beginShowing,
  keepShowing,
  openShowings,
  type Showing,
  waitingByCas,
} from './showing-store.ts';

export interface FeedDeps extends ShowDeps {
  pool: Pool;
  clock: Clock;
  logger: Logger;
}

/** Commands of one transaction. */
const PAGE_CARDS = 1_000;
/** Showings that came too late and are passed over in one transaction. */
const SKIPS_MAX = 2_000;
/** The others wait until these have come to their end. */
const CAMPAIGNS_AT_ONCE_MAX = 50;
/** How many more commands each system may be given now. */
type Rooms = Map<string, number>;

/**
 * Orders what is due of all campaigns, as much as the systems have room for; to be called each
 * minute. Answers how many commands were ordered. Throws only when the database is lost.
 */
export async function feedDue(deps: FeedDeps): Promise<number> {
  const now = deps.clock.now();
  let ordered = 0;
  for (const { id, siteId } of await findDue(deps.pool, now, CAMPAIGNS_AT_ONCE_MAX)) {
    const site = deps.catalogue().sites.get(siteId);
    if (!site) continue;
    const { perMinute } = rulesOf(site).messages;
    const waiting = await waitingByCas(deps.pool);
    const rooms: Rooms = new Map([...waiting].map(([casId, n]) => [casId, perMinute - n]));
    try {
      for (let more = true; more; ) {
        const fed = await feed(deps, { id, site, now, rooms });
        ordered += fed.commands;
        more = fed.more;
      }
    } catch (error) {
      // The others are not to wait for it.
      deps.logger.error('campaign.not_fed', { campaignId: id, error });
    }
  }
  return ordered;
}

interface Feeding {
  id: bigint;
  site: Site;
  now: Date;
  rooms: Rooms;
}

/** One page of one campaign; `more`: there is something else to do for it at once. */
function feed(deps: FeedDeps, feeding: Feeding): Promise<{ commands: number; more: boolean }> {
  const { id, site, now, rooms } = feeding;
  return transaction(deps.pool, async (tx) => {
    const campaign = await lockDue(tx, id, now);
    if (!campaign) return { commands: 0, more: false };
    const open = await openShowings(tx, id);
    if (open.length === 0) return { commands: 0, more: await begin(tx, campaign, feeding) };
    const roomAt = ({ casId }: Showing) => rooms.get(casId) ?? 0;
    const next = open.find((one) => isOver(one, now) || roomAt(one) > 0);
    if (!next) return { commands: 0, more: false };
    const page = { campaign, site, now, limit: Math.min(PAGE_CARDS, roomAt(next)) };
    const after = await (isOver(next, now) ? passOver : showPage)(deps, tx, page, next);
    await keepShowing(tx, id, after);
    const commands = after.commands - next.commands;
    rooms.set(next.casId, roomAt(next) - commands);
    if (after.endedAt !== null) {
      logShown(deps.logger, campaign, after);
      const isLast = open.length === 1;
      if (isLast) await goOn(tx, campaign, { from: after.n + 1, ended: 1, now, site });
    }
    return { commands, more: true };
  });
}

const isOver = ({ notAfter }: Occurrence, now: Date): boolean =>
  notAfter.getTime() <= now.getTime();

/** Begins the occurrence that is due; true when there is one, or more to pass over. */
async function begin(tx: ClientBase, campaign: Campaign, { now, site }: Feeding): Promise<boolean> {
  const due = await goOn(tx, campaign, { from: campaign.nextN, ended: 0, now, site });
  if (due === 'later') return false;
  // Where there is no system yet, it waits for one, until its time is over.
  return due === 'more' || (await beginShowing(tx, campaign.id, due)).length > 0;
}

interface Going {
  from: number;
  /** How many have just ended. */
  ended: number;
  now: Date;
  site: Site;
}

/** Passes over what is too late and keeps what is next: that itself when it is due. */
async function goOn(
  tx: ClientBase,
  campaign: Campaign,
  { from, ended, now, site }: Going,
): Promise<Occurrence | 'later' | 'more'> {
  const plan = planOf(campaign, site);
  const most = plan.schedule.kind === 'repeat' ? plan.schedule.times : null;
  let occurrences = campaign.occurrences + ended;
  let skipped = campaign.skipped;
  const nextFrom = (n: number) =>
    most !== null && occurrences >= most ? null : occurrenceFrom(plan, n);
  let next = nextFrom(from);
  for (let passed = 0; next && isOver(next, now) && passed < SKIPS_MAX; passed += 1) {
    occurrences += 1;
    skipped += 1;
    next = nextFrom(next.n + 1);
  }
  const nextAt = next?.dueAt ?? null;
  await moveOn(tx, campaign.id, { nextN: next?.n ?? from, nextAt, occurrences, skipped });
  if (!next || next.dueAt.getTime() > now.getTime()) return 'later';
  return isOver(next, now) ? 'more' : next;
}

const planOf = (campaign: Campaign, { timeZone }: Site): Plan => ({
  ...{ schedule: campaign.schedule, quiet: campaign.quiet, validSeconds: campaign.validSeconds },
  ...{ timeZone, startedAt: campaign.startedAt ?? campaign.createdAt, seed: campaign.seed ?? '' },
});

/** Always said of who puts what on a screen, and who approved it. */
function logShown(logger: Logger, campaign: Campaign, { n, casId, ...shown }: Showing): void {
  const { id, content, startedBy: actor, approvedBy } = campaign;
  logger.info('campaign.shown', {
    ...{ campaignId: id, kind: content.kind, n, casId, actor, approvedBy },
    ...{ commands: shown.commands, leftOut: shown.leftOut },
  });
}
