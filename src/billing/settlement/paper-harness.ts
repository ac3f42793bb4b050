/**
 * An operator on paper, for tests: literal facts, the pure decision, and the rows it writes put
 * back into the facts, as the database would. Two sites, four people, no input or output.
 */
import { rightsFor } from '../../entitlement/rights/rules.ts';
import { withLuhnDigit } from '../../platform/luhn.ts';
import type {
  Bouquet,
  Catalogue,
  PaymentPolicy,
  PayPerViewEvent,
  Site,
  TermName,
  TvuTariff,
} from '../catalogue/rules.ts';
import { systemAccounts } from '../catalogue/rules-harness.ts';
import { type AccountKind, type AccountName, accountKey } from '../ledger/chart.ts';
import type { Lot } from '../ledger/rules.ts';
import type { Command, Purpose, Saying, Settled } from './commands.ts';
import type {
  BookedPayment,
  CardFacts,
  EventPurchaseFacts,
  Facts,
  OrderFacts,
  ResellerFacts,
  SubscriberFacts,
} from './facts.ts';
import { type BatchDecision, decideBatch } from './rules.ts';
import type { Writes } from './workspace.ts';
