/**
 * A bench's customers, written by SQL as the owner of the tables: the rows that opening a customer
 * writes, many at once. Customer `n` has one card, whose number everybody can work out.
 */
import type pg from 'pg';
import { withLuhnDigit } from '../src/platform/luhn.ts';

/** Far above what the product's own ids reach during a bench. */
const FIRST_ID = 1_000_000_000;
/** The subscriber of customer 0; those of the others follow. */
export const FIRST_SUBSCRIBER_ID = BigInt(FIRST_ID + 100_000_000);
const CARD_PREFIX = '4020';
const SERIAL_DIGITS = 6;
export const CUSTOMERS_MAX = 10 ** SERIAL_DIGITS;

/** The card of customer `n`, from 0. */
export const cardNumberOf = (n: number): string =>
  withLuhnDigit(CARD_PREFIX + String(n).padStart(SERIAL_DIGITS, '0'));

/** The phone of customer `n`. */
export const msisdnOf = (n: number): string => `+25470${String(n).padStart(7, '0')}`;

/** Even customers watch ESSENTIAL, odd ones PREMIUM; a month in minor units. */
export const monthPriceOf = (n: number): bigint => (n % 2 === 0 ? 65_000n : 165_000n);

/**
 * $1 card numbers, $2 phones, both in the order of the customers; $3 site, $4 currency, $5 TVU
 * asset, $6 and $7 bouquets, $8 first id. Ids: one hundred million a kind of row.
 */
const SEED = `
WITH person AS MATERIALIZED (
  SELECT k.n - 1 AS n, k.number, k.msisdn
    FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS k (number, msisdn, n)
), accounts AS (
  INSERT INTO account (id, owner, kind, asset, policy)
  SELECT $8 + 3 * p.n + a.line, 'subscriber:' || ($8 + 100000000 + p.n), a.kind,
         CASE a.kind WHEN 'tvu_wallet' THEN $5 ELSE $4 END, 'exact'
    FROM person p
    CROSS JOIN (VALUES (0, 'wallet_paid'), (1, 'tvu_wallet'), (2, 'held')) AS a (line, kind)
), balances AS (
  INSERT INTO balance (account_id)
  SELECT $8 + 3 * p.n + line FROM person p CROSS JOIN generate_series(0, 2) AS line
), subscribers AS (
  INSERT INTO subscriber (id, site_id, full_name, contact_msisdn, language, wallet_id,
                          tvu_wallet_id, held_id, created_at)
  SELECT $8 + 100000000 + p.n, $3, 'Customer Number' || p.n, p.msisdn, 'en', $8 + 3 * p.n,
         $8 + 3 * p.n + 1, $8 + 3 * p.n + 2, '2026-01-01T00:00:00Z'
    FROM person p
), phones AS (
  INSERT INTO phone (msisdn, subscriber_id, msisdn_hash)
  SELECT p.msisdn, $8 + 100000000 + p.n,
         encode(sha256(convert_to(substr(p.msisdn, 2), 'UTF8')), 'hex')
    FROM person p
), cards AS (
  INSERT INTO card (id, number, site_id, subscriber_id, created_at, cas_id)
  SELECT $8 + 200000000 + p.n, p.number, $3, $8 + 100000000 + p.n, '2026-01-01T00:00:00Z',
         'vip-control'
    FROM person p
), rights AS (
  INSERT INTO card_rights (card_id, cas_id)
  SELECT $8 + 200000000 + p.n, 'vip-control' FROM person p
)
INSERT INTO subscription (id, card_id, bouquet_id, term)
SELECT $8 + 300000000 + p.n, $8 + 200000000 + p.n,
       CASE p.n % 2 WHEN 0 THEN $6::bigint ELSE $7::bigint END, 'month'
  FROM person p`;

export interface SeedOptions {
  customers: number;
  site: { id: bigint; currency: string; tvuAsset: string };
  /** Bouquet of even and of odd customers. */
  bouquets: readonly [bigint, bigint];
}

/** Writes the customers 0 to `customers - 1`; the owner's connection is needed for the ids. */
export async function seedCustomers(owner: pg.Pool, options: SeedOptions): Promise<void> {
  const { customers, site, bouquets } = options;
  const numbers = Array.from({ length: customers }, (_, n) => cardNumberOf(n));
  const phones = Array.from({ length: customers }, (_, n) => msisdnOf(n));
  const values = [numbers, phones, site.id, site.currency, site.tvuAsset, ...bouquets, FIRST_ID];
  await owner.query(SEED, values);
}
