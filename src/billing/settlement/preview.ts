/**
 * What a command would do, without doing it: the same facts, the same locks, the same decision as
 * the act, and then a rollback. So the answer is what the act does when nothing moves in between.
 */
import type { Pool, PoolClient } from 'pg';
import { isConnectionLost, isRetryable } from '../../platform/database/pool.ts';
import type { Catalogue } from '../catalogue/rules.ts';
import type { Command, Settled } from './commands.ts';
import type { Facts, LineFacts, SettlementPorts, SubscriberFacts } from './facts.ts';
import { FactsMoved, type LoadTools, loadFacts } from './load.ts';
import { needsOf } from './needs.ts';
import { type BatchDecision, decideBatch } from './rules.ts';
import { sumOfTaxes } from './taxes.ts';
import type { Writes } from './workspace.ts';

/** A line that is sold, changed or ended by the act, as it stands after it. */
export interface PreviewLine
  extends Pick<
    LineFacts,
    'subscriptionId' | 'bouquetId' | 'kind' | 'days' | 'from' | 'to' | 'asset' | 'price'
  > {
  change: 'new' | 'changed' | 'ended';
  /** All taxes together. */
  tax: bigint;
}

/** What a wallet gains (or loses, below zero) by the act, in minor units. */
export interface PreviewWallet {
  subscriberId: bigint;
  asset: string;
  paid: bigint;
  promo: bigint;
}

export interface Preview {
  /** As the act answers it; a short reference is given with the act alone. */
  settled: Omit<Settled, 'ref'>;
  lines: readonly PreviewLine[];
  wallets: readonly PreviewWallet[];
}

export type PreviewOutcome = { kind: 'decided'; preview: Preview } | { kind: 'unavailable' };

export interface PreviewDeps {
  pool: Pool;
  catalogue(): Catalogue;
  accounts(): ReadonlyMap<string, bigint>;
  ports: SettlementPorts;
}

const ATTEMPTS_MAX = 5;
/** Rows of a preview are never written; their ids come after all others, as new ones do. */
const FIRST_ID = 2n ** 62n;

/** Ids for a decision that is not kept. */
export function previewIds(): { next(): bigint } {
  let id = FIRST_ID;
  return { next: () => id++ };
}

/**
 * Decides one command and forgets it. Locks what the act would lock, for as long as it decides.
 * Throws only on a bug, where the act would be parked.
 */
export async function previewIn(
  deps: PreviewDeps,
  tools: LoadTools,
  command: Command,
): Promise<PreviewOutcome> {
  for (let attempt = 1; ; attempt++) {
    try {
      return { kind: 'decided', preview: await decideOnce(deps, tools, command) };
    } catch (error) {
      if (isConnectionLost(error)) return { kind: 'unavailable' };
      const mayTryAgain = error instanceof FactsMoved || isRetryable(error);
      if (!mayTryAgain || attempt === ATTEMPTS_MAX) throw error;
    }
  }
}

async function decideOnce(deps: PreviewDeps, tools: LoadTools, command: Command): Promise<Preview> {
  const client: PoolClient = await deps.pool.connect();
  let broken: Error | undefined;
  try {
    await client.query('BEGIN');
    const catalogue = deps.catalogue();
    const countryOf = (siteId: bigint) => catalogue.sites.get(siteId)?.country ?? '';
    const facts = await loadFacts(client, needsOf([command], countryOf), tools);
    const { ports } = deps;
    const own = { ids: previewIds(), catalogue, accounts: deps.accounts(), ports };
    return previewOf(decideBatch([command], facts, { ...own, parkedIds: new Map() }), facts);
  } finally {
    await client.query('ROLLBACK').catch((lost: Error) => {
      broken = lost;
    });
    client.release(broken);
  }
}

/** What a decision of one command comes to. Pure. */
export function previewOf({ inbox, writes }: BatchDecision, facts: Facts): Preview {
  const [draft] = inbox;
  if (!draft) throw new Error('Nothing was decided');
  const { ref: _ref, ...settled } = draft.settled;
  return { settled, lines: linesOf(writes, facts), wallets: walletsOf(writes, facts) };
}

function linesOf({ terms, rare }: Writes, facts: Facts): PreviewLine[] {
  const before = new Map(
    [...(facts.rare?.lines?.values() ?? [])].flat().map((line) => [line.id, line]),
  );
  const made = terms.filter((line) => line.state === 'sold').map((line) => lineOf(line, 'new'));
  const changed = [...rare.changedTerms.values()].flatMap((line): PreviewLine[] => {
    const was = before.get(line.id);
    if (line.state === 'void') return [lineOf(line, 'ended')];
    return was && isSame(was, line) ? [] : [lineOf(line, 'changed')];
  });
  return [...changed, ...made];
}

const isSame = (a: LineFacts, b: LineFacts): boolean =>
  a.from.getTime() === b.from.getTime() &&
  a.to.getTime() === b.to.getTime() &&
  a.price === b.price &&
  sumOfTaxes(a.taxes) === sumOfTaxes(b.taxes);

const lineOf = (line: LineFacts, change: PreviewLine['change']): PreviewLine => {
  const { subscriptionId, bouquetId, kind, days, from, to, asset, price } = line;
  const tax = sumOfTaxes(line.taxes);
  return { change, subscriptionId, bouquetId, kind, days, from, to, asset, price, tax };
};

function walletsOf(writes: Writes, facts: Facts): PreviewWallet[] {
  const gain = (accountId: bigint | null | undefined): bigint => {
    const after = accountId ? writes.balances.get(accountId) : undefined;
    return after === undefined ? 0n : after - (facts.balances.get(accountId ?? 0n) ?? 0n);
  };
  return [...facts.subscribers.values()].flatMap((before): PreviewWallet[] => {
    const { id: subscriberId, walletId } = before;
    const after: SubscriberFacts = writes.rare.subscribers.get(subscriberId) ?? before;
    const [paid, promo] = [gain(walletId), gain(after.promoId)];
    const asset = assetOf(writes, [walletId, after.promoId ?? 0n]);
    return paid === 0n && promo === 0n ? [] : [{ subscriberId, asset, paid, promo }];
  });
}

/** The currency in which an account moved. */
const assetOf = ({ journals }: Writes, accountIds: readonly bigint[]): string =>
  journals.flatMap(({ entries }) => entries).find(({ accountId }) => accountIds.includes(accountId))
    ?.asset ?? '';
