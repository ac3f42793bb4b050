/** What the commands of a batch refer to: the names that must be looked up before deciding. */
import type { Command } from './commands.ts';
import { readReference } from './reference.ts';

export interface Needs {
  cardNumbers: Set<string>;
  cardIds: Set<bigint>;
  /** Phones whose subscriber is wanted. */
  phones: Set<string>;
  /** Of those, phones whose cards may have a renewal waiting. */
  phonesWithCards: Set<string>;
  resellerPhones: Set<string>;
  orderIds: Set<bigint>;
  orderRefs: Set<string>;
  purchaseIds: Set<bigint>;
  /** Payers known only by the hash of their number. */
  payerHashes: Set<string>;
  originals: { provider: string; receipt: string }[];
}

/** Collects the references; `countryOf` tells how a phone without country code is meant. */
export function needsOf(
  commands: readonly Command[],
  countryOf: (siteId: bigint) => string,
): Needs {
  const needs: Needs = {
    cardNumbers: new Set(),
    cardIds: new Set(),
    phones: new Set(),
    phonesWithCards: new Set(),
    resellerPhones: new Set(),
    orderIds: new Set(),
    orderRefs: new Set(),
    purchaseIds: new Set(),
    payerHashes: new Set(),
    originals: [],
  };
  for (const command of commands) collect(needs, command, countryOf);
  return needs;
}

function collect(needs: Needs, command: Command, countryOf: (siteId: bigint) => string): void {
  switch (command.kind) {
    case 'payment': {
      if (command.orderId !== null) needs.orderIds.add(command.orderId);
      const reference = readReference(command.accountRef, countryOf(command.siteId));
      if (command.payerHash) needs.payerHashes.add(command.payerHash);
      if (reference.card) needs.cardNumbers.add(reference.card);
      if (reference.order) needs.orderRefs.add(reference.order);
      if (reference.msisdn) {
        needs.phones.add(reference.msisdn);
        needs.phonesWithCards.add(reference.msisdn);
      }
      return;
    }
    case 'tvu_notice':
      needs.phones.add(command.msisdn);
      needs.resellerPhones.add(command.msisdn);
      return;
    case 'transfer_tvu':
      needs.phones.add(command.toMsisdn);
      needs.resellerPhones.add(command.fromMsisdn);
      return;
    case 'convert_tvu':
      needs.phones.add(command.msisdn);
      needs.phonesWithCards.add(command.msisdn);
      return;
    case 'buy':
      needs.phones.add(command.msisdn);
      needs.cardIds.add(command.purpose.cardId);
      return;
    case 'renew':
      needs.cardIds.add(command.cardId);
      return;
    case 'capture_event':
    case 'release_event':
      needs.purchaseIds.add(command.purchaseId);
      return;
    case 'reverse_payment':
      needs.originals.push(command.original);
  }
}
