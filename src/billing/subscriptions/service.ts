/** Opening a customer: a subscriber with a wallet, a card with its subscription. */
import type { Pool } from 'pg';
import { transaction } from '../../platform/database/pool.ts';
import type { Ids } from '../../platform/ports.ts';
import { insertCard, insertSubscriber } from '../../registry/store.ts';
import type { Site, TermName } from '../catalogue/rules.ts';
import { type AccountName, accountKey } from '../ledger/chart.ts';
import { ensureAccounts } from '../ledger/store.ts';

export interface NewCard {
  number: string;
  bouquetId: bigint;
  /** The term that a payment buys when it says nothing else. */
  term: TermName;
  autoRenew: boolean;
}

export interface NewCustomer {
  site: Site;
  fullName: string;
  msisdn: string | null;
  language: 'en' | 'fr';
  cards: readonly NewCard[];
  at: Date;
}

/** Writes the subscriber, their accounts, phone, cards and subscriptions in one transaction. */
export async function openCustomer(pool: Pool, ids: Ids, customer: NewCustomer): Promise<bigint> {
  const subscriberId = await ids.take();
  const { site } = customer;
  const owner = `subscriber:${subscriberId}`;
  const wallet: AccountName = { owner, kind: 'wallet_paid', asset: site.currency };
  const tvu: AccountName = { owner, kind: 'tvu_wallet', asset: site.tvuAsset };
  const held: AccountName = { owner, kind: 'held', asset: site.currency };
  await transaction(pool, async (client) => {
    const accounts = await ensureAccounts(client, ids, [wallet, tvu, held]);
    const idOf = (name: AccountName): bigint => accounts.get(accountKey(name)) ?? 0n;
    await insertSubscriber(client, {
      id: subscriberId,
      siteId: site.id,
      fullName: customer.fullName,
      contactMsisdn: customer.msisdn,
      language: customer.language,
      walletId: idOf(wallet),
      tvuWalletId: idOf(tvu),
      heldId: idOf(held),
      createdAt: customer.at,
    });
    for (const card of customer.cards) {
      const cardId = await ids.take();
      const number = card.number;
      const createdAt = customer.at;
      await insertCard(client, { id: cardId, number, siteId: site.id, subscriberId, createdAt });
      await client.query(
        `INSERT INTO subscription (id, card_id, bouquet_id, term, auto_renew)
         VALUES ($1, $2, $3, $4, $5)`,
        [await ids.take(), cardId, card.bouquetId, card.term, card.autoRenew],
      );
    }
  });
  return subscriberId;
}
