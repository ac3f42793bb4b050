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
  /** `<siteId>|<letters and digits>`: what may be the number of an invoice. */
  documents: Set<string>;
  purchaseIds: Set<bigint>;
  /** Payers known only by the hash of their number. */
  payerHashes: Set<string>;
  originals: { provider: string; receipt: string }[];
  subscriberIds: Set<bigint>;
  /** Of those, subscribers whose cards may have a renewal waiting. */
  subscribersWithCards: Set<bigint>;
  /** Cards (by id, by number) whose subscription's lines are wanted, with the lots they name. */
  lineCardIds: Set<bigint>;
  /**
   * Of the originals: those whose places are wanted with subscribers, cards, and all lines that
   * their lots paid for, with their cards.
   */
  boughtBy: Set<string>;
  /** Payers whose requests for moves are counted. */
  movePayers: Set<string>;
  voucherCodes: Set<string>;
  /** `<siteId>|<code>` */
  promotionCodes: Set<string>;
  /** Cards whose decoder and person may have had a trial. */
  trialCardIds: Set<bigint>;
  commissionIds: Set<bigint>;
  /** Subscribers (and resellers' phones above) whose sendings of units are counted. */
  sendersOfUnits: Set<bigint>;
  /** Of the subscribers' accounts only the wallets of credit may move. */
  creditAlone: boolean;
  /** Which events the cards have bought is wanted. */
  eventsBought: boolean;
}

/** What moves no units and holds no money for events: the bulk of a night. */
const CREDIT_ALONE: ReadonlySet<Command['kind']> = new Set<Command['kind']>([
  'expire_credit',
  'renew',
]);

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
    documents: new Set(),
    purchaseIds: new Set(),
    payerHashes: new Set(),
    originals: [],
    subscriberIds: new Set(),
    subscribersWithCards: new Set(),
    lineCardIds: new Set(),
    boughtBy: new Set(),
    movePayers: new Set(),
    voucherCodes: new Set(),
    promotionCodes: new Set(),
    trialCardIds: new Set(),
    commissionIds: new Set(),
    sendersOfUnits: new Set(),
    creditAlone: commands.every(({ kind }) => CREDIT_ALONE.has(kind)),
    eventsBought: commands.some(isEventBought),
  };
  for (const command of commands) collect(needs, command, countryOf);
  return needs;
}

const isEventBought = (command: Command): boolean =>
  command.kind === 'buy' && command.purpose.kind === 'event';

function collect(needs: Needs, command: Command, countryOf: (siteId: bigint) => string): void {
  switch (command.kind) {
    case 'payment':
      collectPayment(needs, command, countryOf);
      return;
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
      if (command.msisdn !== null) needs.phones.add(command.msisdn);
      needs.cardIds.add(command.purpose.cardId);
      if (command.purpose.kind === 'term' && command.purpose.code !== undefined) {
        needs.promotionCodes.add(`${command.siteId}|${command.purpose.code}`);
      }
      return;
    case 'capture_event':
    case 'release_event':
      needs.purchaseIds.add(command.purchaseId);
      return;
    case 'claw_back':
      needs.commissionIds.add(command.commissionId);
      return;
    case 'incident':
      for (const id of command.cardIds) addLines(needs, id);
      return;
    case 'redeem':
      needs.cardNumbers.add(command.cardNumber);
      needs.voucherCodes.add(command.code);
      return;
    default:
      collectByParty(needs, command);
  }
}

type Rest = Exclude<
  Command,
  {
    kind:
      | 'payment'
      | 'tvu_notice'
      | 'transfer_tvu'
      | 'convert_tvu'
      | 'buy'
      | 'capture_event'
      | 'release_event'
      | 'claw_back'
      | 'incident'
      | 'redeem';
  }
>;

/** Commands that name a card, a payment or a subscriber. */
function collectByParty(needs: Needs, command: Rest): void {
  if ('cardId' in command) collectCard(needs, command);
  else if ('original' in command) collectOriginal(needs, command);
  else collectSubscriber(needs, command);
}

function collectSubscriber(needs: Needs, command: Extract<Rest, { subscriberId: bigint }>): void {
  needs.subscriberIds.add(command.subscriberId);
  if ('toSubscriberId' in command) needs.subscriberIds.add(command.toSubscriberId);
  if (command.kind === 'send_units') needs.sendersOfUnits.add(command.subscriberId);
  if (command.kind === 'top_up' || command.kind === 'convert_units') {
    needs.subscribersWithCards.add(command.subscriberId);
  }
}

function addLines(needs: Needs, cardId: bigint): void {
  needs.cardIds.add(cardId);
  needs.lineCardIds.add(cardId);
}

const WITHOUT_LINES: ReadonlySet<Command['kind']> = new Set<Command['kind']>([
  'renew',
  'request_renewal',
  'set_auto_renew',
  'stop_auto_renew',
  'close_subscription',
  'take_loan',
  'grant_trial',
]);

function collectCard(needs: Needs, command: Extract<Rest, { cardId: bigint }>): void {
  needs.cardIds.add(command.cardId);
  if (!WITHOUT_LINES.has(command.kind)) needs.lineCardIds.add(command.cardId);
  if (command.kind === 'grant_trial') needs.trialCardIds.add(command.cardId);
}

function collectOriginal(needs: Needs, command: Extract<Rest, { original: object }>): void {
  const { provider, receipt } = command.original;
  needs.originals.push(command.original);
  if (command.kind === 'claim') {
    needs.cardNumbers.add(command.cardNumber);
    return;
  }
  needs.boughtBy.add(`${provider}|${receipt}`);
  if (command.kind !== 'move_payment') return;
  needs.cardNumbers.add(command.toCardNumber);
  needs.movePayers.add(command.payerMsisdn);
  needs.resellerPhones.add(command.payerMsisdn);
}

function collectPayment(
  needs: Needs,
  command: Extract<Command, { kind: 'payment' }>,
  countryOf: (siteId: bigint) => string,
): void {
  if (command.orderId !== null) needs.orderIds.add(command.orderId);
  if (command.payerHash) needs.payerHashes.add(command.payerHash);
  if (command.cardNumber) {
    needs.cardNumbers.add(command.cardNumber);
    return;
  }
  const reference = readReference(command.accountRef, countryOf(command.siteId));
  if (reference.card) needs.cardNumbers.add(reference.card);
  if (reference.order) needs.orderRefs.add(reference.order);
  if (reference.document) needs.documents.add(`${command.siteId}|${reference.document}`);
  if (reference.msisdn) {
    needs.phones.add(reference.msisdn);
    needs.phonesWithCards.add(reference.msisdn);
  }
}
