/** An operator on paper for prepaid stories: the pure rules, and records in memory. */
import { rulesOf } from '../../src/billing/catalogue/rules.ts';
import { type Due, dueCommand, dueOrder } from '../../src/billing/settlement/due.ts';
import type { SubscriberFacts, SubscriptionFacts } from '../../src/billing/settlement/facts.ts';
import { faultsOf } from '../../src/billing/settlement/faults-harness.ts';
import { lastRun, stateAt } from '../../src/billing/settlement/lines.ts';
import { createPaper, type Paper } from '../../src/billing/settlement/paper-harness.ts';
import { deferredOf } from './deferred.ts';
import type { HouseSetup, PrepaidHouse, Wallet } from './house.ts';

/** More than this due at one go is a rule that makes its own work. */
const DUE_MAX = 10_000;

/** The house, and the paper it stands on. */
export interface PaperHouse extends PrepaidHouse {
  paper: Paper;
}

/** Opens the operator of a case; nobody is known yet. */
export function createPaperHouse(setup: HouseSetup): PaperHouse {
  const paper = createPaper({ catalogue: setup.catalogue, people: [] });
  let lastId = 0n;
  for (const voucher of setup.vouchers) {
    lastId += 1n;
    paper.vouchers.set(voucher.code, { ...voucher, id: lastId, used: null });
  }
  for (const promotion of setup.promotions) {
    lastId += 1n;
    paper.promotions.set(`${promotion.siteId}|${promotion.code}`, { ...promotion, id: lastId });
  }
  const subscriptionIds = new Map<string, bigint>();
  const subscription = (ref: string): SubscriptionFacts | null =>
    paper.subscriptions.get(subscriptionIds.get(ref) ?? 0n) ?? null;
  return {
    paper,
    async openAccount({ name, siteId, msisdn }) {
      paper.openSubscriber({ name, siteId, msisdn });
    },
    async openSubscription({ ref, account, cardNumber, main, at: _at, ...given }) {
      const owner = subscriber(paper, account);
      const mainId = main === null ? null : subscription(main)?.id;
      const mainCard = [...paper.cards.values()].find((c) => c.subscription?.id === mainId);
      const card = { name: cardNumber, number: cardNumber, subscriberId: owner.id };
      const mainCardId = mainId === null ? null : (mainCard?.id ?? 0n);
      subscriptionIds.set(ref, paper.openSubscription(card, { ...given, mainCardId }));
    },
    async settle(command) {
      const { settled, differs } = paper.settleOnce(command);
      return { settled, differs };
    },
    preview: async (command) => paper.preview(command),
    async due(until) {
      const tried = new Set<string>();
      for (let done = 0; done < DUE_MAX; done++) {
        const next = dueBy(paper, until)
          .sort(dueOrder)
          .find((due) => !tried.has(dueCommand(due).receipt));
        if (!next) return;
        tried.add(dueCommand(next).receipt);
        paper.settleOnce(dueCommand(next));
      }
      throw new Error('What is due never ends');
    },
    ...lookups(paper, subscription),
    ...readings(paper, subscription),
    async close() {},
  };
}

function subscriber(paper: Paper, account: string): SubscriberFacts {
  const found = paper.subscribers.get(account);
  if (!found) throw new Error(`No account ${account}`);
  return found;
}

function lookups(paper: Paper, subscription: (ref: string) => SubscriptionFacts | null) {
  const accountOf = (subscriberId: bigint): string =>
    [...paper.subscribers].find(([, { id }]) => id === subscriberId)?.[0] ?? '';
  const known = (card: { id: bigint; subscriberId: bigint } | undefined) =>
    card ? { id: card.id, account: accountOf(card.subscriberId) } : null;
  return {
    async subscriberId(account: string) {
      return paper.subscribers.get(account)?.id ?? null;
    },
    async cardOf(ref: string) {
      const id = subscription(ref)?.id;
      return known([...paper.cards.values()].find((card) => card.subscription?.id === id));
    },
    async cardNumbered(number: string) {
      return known([...paper.cards.values()].find((card) => card.number === number));
    },
    async purchaseId(cardNumber: string, eventCode: string) {
      const card = [...paper.cards.values()].find((one) => one.number === cardNumber);
      const purchase = [...paper.purchases.values()].find(
        (one) =>
          one.cardId === card?.id && paper.catalogue.events.get(one.eventId)?.code === eventCode,
      );
      return purchase?.id ?? null;
    },
  };
}

function readings(paper: Paper, subscription: (ref: string) => SubscriptionFacts | null) {
  const linesOf = (ref: string) => {
    const id = subscription(ref)?.id;
    return [...paper.terms.values()].filter(
      (line) => line.subscriptionId === id && line.state === 'sold',
    );
  };
  return {
    lines: async (ref: string) => linesOf(ref),
    async term(ref: string) {
      return lastRun(linesOf(ref));
    },
    async state(ref: string, at: Date) {
      const facts = subscription(ref);
      const bouquet = facts && paper.catalogue.bouquets.get(facts.bouquetId);
      const site = paper.catalogue.sites.get(bouquet?.siteId ?? 0n);
      const graceHours = site ? rulesOf(site).grace.hours : 0;
      return stateAt({ lines: linesOf(ref), isPaused: Boolean(facts?.pause), graceHours }, at);
    },
    async rights(cardNumber: string, at: Date) {
      const card = [...paper.cards.values()].find((one) => one.number === cardNumber);
      return (card?.desired ?? []).filter((right) => right.to.getTime() > at.getTime());
    },
    async wallet(account: string): Promise<Wallet> {
      const { id, walletId, heldId, promoId } = subscriber(paper, account);
      const balance = (accountId: bigint) => paper.balances.get(accountId) ?? 0n;
      const debts = [...paper.debts.values()].filter((debt) => debt.subscriberId === id);
      return {
        paid: balance(walletId),
        promo: promoId ? balance(promoId) : 0n,
        held: balance(heldId),
        owed: debts.reduce((sum, debt) => sum + debt.remaining, 0n),
      };
    },
    async units(account: string) {
      const { siteId, tvuWalletId, otherUnits } = subscriber(paper, account);
      const home = paper.catalogue.sites.get(siteId)?.tvuAsset ?? '';
      const wallets = new Map([[home, tvuWalletId], ...(otherUnits ?? [])]);
      return new Map([...wallets].map(([asset, id]) => [asset, paper.balances.get(id) ?? 0n]));
    },
    async journal() {
      const assets = new Set(
        paper.journals.flatMap((journal) => journal.entries.map((entry) => entry.asset)),
      );
      return new Map([...assets].map((asset) => [asset, sumsOf(paper, asset)]));
    },
    deferred: async (at: Date) => deferredOf(paper, at),
    async faults() {
      return faultsOf(paper);
    },
    async suspense(currency: string) {
      return [...paper.suspense.values()]
        .filter((item) => item.state === 'open' && item.asset === currency)
        .reduce((sum, item) => sum + item.amount, 0n);
    },
    async promotionBudget(code: string) {
      const promotion = [...paper.promotions.values()].find((one) => one.code === code);
      if (!promotion) throw new Error(`No promotion ${code}`);
      return promotion.budgetLeft;
    },
    async said() {
      return paper.said.map(({ to, message }) => ({
        to: to.kind === 'osd' ? to.cardNumber : to.msisdn,
        message,
      }));
    },
  };
}

const sumsOf = (paper: Paper, asset: string): Map<string, bigint> =>
  new Map(Object.entries(paper.books(asset)));

/** What is due at or before an instant, in no order. */
function dueBy(paper: Paper, until: Date): Due[] {
  const isDue = ({ at }: Due): boolean => at.getTime() <= until.getTime();
  return [
    ...expiries(paper),
    ...releases(paper),
    ...pausesAndRenewals(paper),
    ...pendingMoves(paper),
    ...[...paper.commissions.values()]
      .filter((made) => made.state === 'open')
      .map(({ id, siteId, dueAt: at }): Due => {
        return { kind: 'claw_back', commissionId: id, id, siteId, at };
      }),
  ].filter(isDue);
}

function expiries(paper: Paper): Due[] {
  const owners = [...paper.subscribers.values()];
  return [...paper.lots.values()].flatMap(({ id, accountId, remaining, expiresAt: at }): Due[] => {
    const owner = owners.find((one) => one.walletId === accountId || one.promoId === accountId);
    if (!owner || at === null || remaining === 0n) return [];
    return [{ kind: 'expire_credit', subscriberId: owner.id, id, siteId: owner.siteId, at }];
  });
}

function releases(paper: Paper): Due[] {
  return [...paper.purchases.values()].flatMap(({ id, state, eventId }): Due[] => {
    const event = paper.catalogue.events.get(eventId);
    if (state !== 'held' || !event) return [];
    return [{ kind: 'release_event', purchaseId: id, id, siteId: event.siteId, at: event.endsAt }];
  });
}

function pausesAndRenewals(paper: Paper): Due[] {
  return [...paper.cards.values()].flatMap(({ id: cardId, siteId, subscription }): Due[] => {
    if (!subscription) return [];
    const { id, pause, paidUntil, autoRenew, waitingTerm, autoRenewSince } = subscription;
    if (pause) return [{ kind: 'end_pause', cardId, id, siteId, at: pause.until }];
    if (!autoRenew || waitingTerm || paidUntil === null) return [];
    if (autoRenewSince && paidUntil.getTime() <= autoRenewSince.getTime()) return [];
    return [{ kind: 'renew', cardId, id, siteId, at: paidUntil }];
  });
}

function pendingMoves(paper: Paper): Due[] {
  return [...paper.moves.values()].flatMap(({ id, state, paymentId, dueAt: at }): Due[] => {
    const payment = paper.payment(paymentId);
    if (state !== 'pending' || !payment) return [];
    const { provider, receipt, siteId } = payment;
    return [{ kind: 'complete_move', original: { provider, receipt }, id, siteId, at }];
  });
}
