/** The actions of a case, done on a house, and what they answer. */
import type { TermName } from '../../src/billing/catalogue/rules.ts';
import type { Command, CommandBase, Settled } from '../../src/billing/settlement/commands.ts';
import { formatMinor } from '../../src/platform/money/amount.ts';
import { field } from '../fields.ts';
import { BadCase } from '../result.ts';
import { type Action, text } from './file.ts';
import { channelOf, type KnownCard, type PrepaidHouse } from './house.ts';
import { minor, type Setup } from './setup.ts';

/** What an action came to: the code it was refused with, or its answer. */
export interface Answer {
  error: string | null;
  answer: unknown;
}

export interface Account {
  siteId: bigint;
  currency: string;
  msisdn: string;
}

/** A case while it is told. */
export interface Story {
  setup: Setup;
  house: PrepaidHouse;
  accounts: Map<string, Account>;
  /** First answers by key, and whether the product keeps them too. */
  keys: Map<string, { answer: Answer; isKept: boolean }>;
}

const NO_CARD: KnownCard = { id: 0n, account: 'main' };
const DONE: Answer = { error: null, answer: null };

/** Phones that no payer of a case has. */
const phoneOf = (index: number): string => `+99999${String(index).padStart(7, '0')}`;

/** Does an action; a key that was used before is answered as the first time. */
export async function perform(story: Story, action: Action): Promise<Answer> {
  const { key } = action;
  const before = key === undefined ? undefined : story.keys.get(key);
  const own = OPENINGS[action.action];
  // Opening something takes no key, and some acts have a receipt for theirs.
  const isKept = !own && !HAS_RECEIPT.has(action.action);
  if (before && !(before.isKept && isKept)) return before.answer;
  const answer = own ? await own(story, action) : await settle(story, action);
  if (key !== undefined && !before) story.keys.set(key, { answer, isKept });
  return answer;
}

/** Actions whose key in the product is their receipt. */
const HAS_RECEIPT: ReadonlySet<string> = new Set(['payment', 'buy_tvu', 'tvu_notice']);

/** The command that an action asks for; null for one that opens something. */
export async function commandOf(story: Story, action: Action): Promise<Command | null> {
  if (OPENINGS[action.action]) return null;
  const make = COMMANDS[action.action];
  if (!make) throw new BadCase(`there is no action ${action.action}`);
  return make(story, action);
}

async function settle(story: Story, action: Action): Promise<Answer> {
  const command = await commandOf(story, action);
  if (!command) throw new BadCase(`${action.action} is no act`);
  const { settled, differs } = await story.house.settle(command);
  if (differs && HAS_RECEIPT.has(action.action)) return { error: 'receipt_differs', answer: null };
  return answerOf(story, action, settled);
}

function answerOf(story: Story, action: Action, settled: Settled): Answer {
  if (settled.state === 'refused') return { error: settled.code, answer: null };
  const { result } = settled;
  if (settled.state === 'suspense') return { error: null, answer: 'suspense' };
  if (!result) return { error: null, answer: CREDITS.has(action.action) ? 'credited' : null };
  if (result.kind === 'units') return { error: null, answer: Number(result.units) };
  if (result.kind === 'converted') {
    const credit = formatMinor(BigInt(result.credit), accountOf(story, action).currency);
    return { error: null, answer: { credit, used: Number(result.used) } };
  }
  return { error: null, answer: result.kind };
}

const CREDITS: ReadonlySet<string> = new Set(['payment', 'claim', 'top_up', 'redeem']);

type Opening = (story: Story, action: Action) => Promise<Answer>;

const OPENINGS: Record<string, Opening> = {
  async create_account({ setup, house, accounts }, action) {
    const name = action.account ?? 'main';
    const site = setup.siteOf(text(action, 'tz'), text(action, 'currency'));
    const msisdn = phoneOf(accounts.size + 1);
    accounts.set(name, { siteId: site.id, currency: site.currency, msisdn });
    const at = new Date(action.instant);
    await house.openAccount({ name, siteId: site.id, msisdn, at });
    return DONE;
  },
  async create_subscription(story, action) {
    const { siteId } = accountOf(story, action);
    const optional = (name: string) => (action[name] === undefined ? null : String(action[name]));
    await story.house.openSubscription({
      ref: text(action, 'ref'),
      account: action.account ?? 'main',
      cardNumber: text(action, 'card'),
      bouquetId: bouquetOf(story, siteId, text(action, 'plan')),
      term: (action.term ?? 'month') as TermName,
      decoder: optional('decoder'),
      person: optional('person'),
      main: optional('main'),
      reseller: optional('reseller'),
      at: new Date(action.instant),
    });
    return DONE;
  },
};

function bouquetOf({ setup }: Story, siteId: bigint, plan: string): bigint {
  const id = setup.bouquetId(siteId, plan);
  if (id === null) throw new BadCase(`there is no plan ${plan} in the currency of the account`);
  return id;
}

function accountOf({ accounts }: Story, { account = 'main' }: Action): Account {
  const found = accounts.get(account);
  if (!found) throw new BadCase(`there is no account ${account}`);
  return found;
}

/** What all commands have; the key of the action, where it has one, is the command's. */
function base(action: Action, siteId: bigint): CommandBase {
  const { key, seq } = action;
  return {
    provider: key === undefined ? 'step' : 'key',
    receipt: key ?? String(seq),
    channelId: channelOf(siteId),
    siteId,
    at: new Date(action.instant),
    raw: Buffer.alloc(0),
  };
}

async function ofAccount(story: Story, action: Action) {
  const { siteId, currency } = accountOf(story, action);
  const subscriberId = (await story.house.subscriberId(action.account ?? 'main')) ?? 0n;
  return { ...base(action, siteId), subscriberId, currency };
}

async function ofRef(story: Story, action: Action) {
  const card = (await story.house.cardOf(text(action, 'ref'))) ?? NO_CARD;
  const owner = accountOf(story, { ...action, account: card.account });
  return { ...base(action, owner.siteId), cardId: card.id };
}

const originalOf = (action: Action) => ({
  provider: text(action, 'provider'),
  receipt: text(action, 'receipt'),
});

/** Acts on a payment are done at a site of its account; any will do to name one. */
const ofPayment = (story: Story, action: Action) => ({
  ...base(action, accountOf(story, action).siteId),
  original: originalOf(action),
});

async function unitAct(story: Story, action: Action) {
  const { currency: _currency, ...act } = await ofAccount(story, action);
  return { ...act, unitAsset: `TVU-${text(action, 'country')}` };
}

/** Null where the case names nobody: the payer is not known. */
const payerOf = (action: Action): string | null =>
  action.payer === undefined ? null : text(action, 'payer');
const termOf = (action: Action): TermName => text(action, 'term') as TermName;
const count = (action: Action, name: string): number => Number(field(action, name));

type Maker = (story: Story, action: Action) => Promise<Command>;

const COMMANDS: Record<string, Maker> = {
  async payment(story, action) {
    const currency = text(action, 'currency');
    const cardNumber = text(action, 'card');
    const card = await story.house.cardNumbered(cardNumber);
    const owner = card && story.accounts.get(card.account);
    const siteId = owner?.currency === currency ? owner.siteId : story.setup.siteIn(currency).id;
    return {
      ...base(action, siteId),
      ...originalOf(action),
      kind: 'payment',
      amount: minor(field(action, 'amount'), currency),
      asset: currency,
      accountRef: cardNumber,
      cardNumber,
      payerMsisdn: payerOf(action),
      payerHash: null,
      orderId: null,
      means: (action.means ?? null) as null,
    };
  },
  async top_up(story, action) {
    const { currency, ...act } = await ofAccount(story, action);
    return {
      ...act,
      kind: 'top_up',
      amount: minor(field(action, 'amount'), currency),
      credit: (action.kind ?? 'paid') as 'paid' | 'promo',
      expiresAt: action.expires === undefined ? null : new Date(String(action.expires)),
      priority: action.priority === undefined ? null : Number(action.priority),
    };
  },
  async refund(story, action) {
    const { currency, ...act } = await ofAccount(story, action);
    return { ...act, kind: 'refund', amount: minor(field(action, 'amount'), currency) };
  },
  async transfer_credit(story, action) {
    const { currency, ...act } = await ofAccount(story, action);
    const toSubscriberId = (await story.house.subscriberId(text(action, 'to'))) ?? 0n;
    const amount = minor(field(action, 'amount'), currency);
    return { ...act, kind: 'transfer_credit', toSubscriberId, amount };
  },
  async claim(story, action) {
    const [cardNumber, payerMsisdn] = [text(action, 'card'), payerOf(action)];
    return { ...ofPayment(story, action), kind: 'claim', cardNumber, payerMsisdn };
  },
  async move_payment(story, action) {
    const [toCardNumber, payerMsisdn] = [text(action, 'to_card'), text(action, 'payer')];
    return { ...ofPayment(story, action), kind: 'move_payment', toCardNumber, payerMsisdn };
  },
  object: async (story, action) => ({ ...ofPayment(story, action), kind: 'object_move' }),
  payment_reversed: async (story, action) => ({
    ...ofPayment(story, action),
    kind: 'reverse_payment',
  }),
  async buy_term(story, action) {
    const { cardId, ...act } = await ofRef(story, action);
    const card = (await story.house.cardOf(text(action, 'ref'))) ?? NO_CARD;
    const { msisdn } = accountOf(story, { ...action, account: card.account });
    const purpose = {
      kind: 'term' as const,
      cardId,
      term: termOf(action),
      ...(action.count === undefined ? {} : { count: count(action, 'count') }),
      ...(action.code === undefined ? {} : { code: text(action, 'code') }),
    };
    return { ...act, kind: 'buy', purpose, msisdn, means: 'credit' };
  },
  async sell_term(story, action) {
    const { cardId, ...act } = await ofRef(story, action);
    const purpose = { kind: 'term' as const, cardId, term: termOf(action) };
    return { ...act, kind: 'buy', purpose, msisdn: null, means: 'credit' };
  },
  async buy_event(story, action) {
    const card = (await story.house.cardNumbered(text(action, 'card'))) ?? NO_CARD;
    const { siteId, msisdn } = accountOf(story, { ...action, account: card.account });
    const eventId = story.setup.eventId(siteId, text(action, 'event')) ?? 0n;
    const purpose = { kind: 'event' as const, cardId: card.id, eventId };
    return { ...base(action, siteId), kind: 'buy', purpose, msisdn, means: 'credit' };
  },
  async on_air(story, action) {
    const [number, event] = [text(action, 'card'), text(action, 'event')];
    const purchaseId = (await story.house.purchaseId(number, event)) ?? 0n;
    const { siteId } = accountOf(story, action);
    return { ...base(action, siteId), kind: 'capture_event', purchaseId };
  },
  async redeem(story, action) {
    const cardNumber = text(action, 'card');
    const card = (await story.house.cardNumbered(cardNumber)) ?? NO_CARD;
    const { siteId } = accountOf(story, { ...action, account: card.account });
    const code = text(action, 'code');
    return { ...base(action, siteId), kind: 'redeem', code, cardNumber };
  },
  set_auto_renew: async (story, action) => ({
    ...(await ofRef(story, action)),
    kind: 'set_auto_renew',
    term: termOf(action),
  }),
  stop_auto_renew: async (story, action) => ({
    ...(await ofRef(story, action)),
    kind: 'stop_auto_renew',
  }),
  request_renewal: async (story, action) => ({
    ...(await ofRef(story, action)),
    kind: 'request_renewal',
    term: termOf(action),
  }),
  async change_plan(story, action) {
    const act = await ofRef(story, action);
    const bouquetId = bouquetOf(story, act.siteId, text(action, 'plan'));
    const policy = text(action, 'policy') as 'immediate' | 'end_of_term';
    return { ...act, kind: 'change_plan', bouquetId, policy };
  },
  async buy_addon(story, action) {
    const act = await ofRef(story, action);
    const bouquetId = bouquetOf(story, act.siteId, text(action, 'plan'));
    return { ...act, kind: 'buy_addon', bouquetId };
  },
  pause: async (story, action) => ({
    ...(await ofRef(story, action)),
    kind: 'pause',
    days: count(action, 'days'),
  }),
  resume: async (story, action) => ({ ...(await ofRef(story, action)), kind: 'resume' }),
  close: async (story, action) => ({ ...(await ofRef(story, action)), kind: 'close_subscription' }),
  grant_trial: async (story, action) => ({ ...(await ofRef(story, action)), kind: 'grant_trial' }),
  take_loan: async (story, action) => ({ ...(await ofRef(story, action)), kind: 'take_loan' }),
  async incident(story, action) {
    const cards = field(action, 'cards') as string[];
    const known = await Promise.all(cards.map((number) => story.house.cardNumbered(number)));
    const cardIds = known.flatMap((card) => (card ? [card.id] : []));
    const { siteId } = accountOf(story, action);
    const [incident, days] = [text(action, 'incident'), count(action, 'days')];
    return { ...base(action, siteId), kind: 'incident', incident, days, cardIds };
  },
  async buy_tvu(story, action) {
    const operator = text(action, 'operator');
    const { currency } = accountOf(story, action);
    const key = { provider: `tvu:${operator}`, receipt: text(action, 'receipt') };
    const amount = minor(field(action, 'amount'), currency);
    return { ...(await unitAct(story, action)), ...key, kind: 'buy_units', operator, amount };
  },
  async tvu_notice(story, action) {
    const operator = text(action, 'operator');
    const key = { provider: `tvu:${operator}`, receipt: text(action, 'receipt') };
    const units = BigInt(count(action, 'units'));
    return { ...(await unitAct(story, action)), ...key, kind: 'units_notice', operator, units };
  },
  async transfer_tvu(story, action) {
    const toSubscriberId = (await story.house.subscriberId(text(action, 'to'))) ?? 0n;
    const units = BigInt(count(action, 'units'));
    return { ...(await unitAct(story, action)), kind: 'send_units', toSubscriberId, units };
  },
  convert_tvu: async (story, action) => ({
    ...(await unitAct(story, action)),
    kind: 'convert_units',
    units: BigInt(count(action, 'units')),
  }),
};
