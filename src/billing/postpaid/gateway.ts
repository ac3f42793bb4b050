/** The port to whoever moves money: a card processor, a bank debit, a mobile-money mandate. */

export interface ChargeRequest {
  accountId: bigint;
  paymentId: bigint;
  attemptId: bigint;
  amount: bigint;
  currency: string;
}

export type ChargeOutcome =
  /** Settled; another amount or currency than asked for is possible. */
  | { outcome: 'approved'; settledAmount?: bigint; settledCurrency?: string }
  | { outcome: 'declined' }
  /** Accepted, outcome comes later. */
  | { outcome: 'pending' }
  /** Nobody knows; a status query must tell. */
  | { outcome: 'unknown' }
  /** Not reached: nothing happened. */
  | { outcome: 'down' };

/**
 * `charge` answers at once. A gateway over a network answers `pending` here, keeps the request in
 * the same transaction and settles it later (`complete_payment`), so that no lock waits for it.
 */
export interface PaymentGateway {
  charge(request: ChargeRequest): ChargeOutcome;
}

/** The gateway of whoever sends requests later: they are found among the pending attempts. */
export const pendingGateway: PaymentGateway = { charge: () => ({ outcome: 'pending' }) };
