/**
 * What subscribers, staff and the operator do: each act is asked for until it is answered, as a
 * dialogue or a desk would under one key, whatever dies meanwhile.
 */
import { priceAt, type TermName } from '../../src/billing/catalogue/rules.ts';
import type { Command, Outcome, Settled } from '../../src/billing/settlement/commands.ts';
import type { Random } from '../../src/platform/ports.ts';
import { below, oneOf } from '../random.ts';
import { type Base, FILM_UNITS, type Subscriber } from './base.ts';
import type { Operator } from './operator.ts';
import type { ProductProcess } from './product.ts';
import { answerWithin, pause } from './waiting.ts';

export interface ActsDeps {
  base: Base;
  operator: Operator;
  random: Random;
  now(): Date;
  anyProcess(): ProductProcess | null;
  /** Turns a decoder on or off. */
  turn(card: string, power: boolean): void;
  trace(line: string): void;
}

export interface Acts {
  /** Begins an act by chance; resolves with its name when it was answered. */
  doOne(): Promise<string>;
  /** What was answered to each key. */
  answers: Map<string, Settled>;
}

const ANSWER_MS_MAX = 8_000;
const AGAIN_MS_MAX = 4_000;
const ODD_SHILLINGS_MAX = 2_500;
const UNITS_MAX = 900;
const MINOR_PER_SHILLING = 100n;
const TERMS: readonly TermName[] = ['month', 'week', 'day'];

/** Without what is the same for all of them. */
type Act = Command extends infer C
  ? C extends Command
    ? Omit<C, 'provider' | 'receipt' | 'channelId' | 'siteId' | 'at' | 'raw'>
    : never
  : never;

type Doing = ActsDeps & { act(command: Act): Promise<Outcome>; one(): Subscriber };

/** Everything that anybody may do. */
export function createActs(deps: ActsDeps): Acts {
  const answers = new Map<string, Settled>();
  let serial = 0;
  const act = async (command: Act): Promise<Outcome> => {
    serial += 1;
    const receipt = `act-${serial}`;
    const outcome = await ask(deps, {
      ...{ provider: 'vip', receipt, channelId: 'ke-ussd' },
      ...{ siteId: deps.base.site.id, at: deps.now(), raw: Buffer.from('{}') },
      ...command,
    } as Command);
    if (outcome.kind === 'done') answers.set(receipt, outcome.settled);
    return outcome;
  };
  const doing: Doing = { ...deps, act, one: () => oneOf(deps.random, deps.base.subscribers) };
  const bag = Object.entries(ACTS).flatMap(([name, { weight, play }]) =>
    Array.from({ length: weight }, () => ({ name, play })),
  );
  return {
    answers,
    async doOne() {
      const { name, play } = oneOf(deps.random, bag);
      deps.trace(`act ${name}`);
      const what = await play(doing);
      deps.trace(`act ${name}: ${what}`);
      return name;
    },
  };
}

/** Until there is an answer that stands. */
async function ask(deps: ActsDeps, command: Command): Promise<Outcome> {
  for (;;) {
    const process = deps.anyProcess();
    if (process) {
      const { life, settlement } = process;
      const outcome = await answerWithin(life, ANSWER_MS_MAX, () => settlement.settle(command));
      if (outcome && outcome.kind !== 'unavailable') return outcome;
    }
    await pause(1 + below(deps.random, AGAIN_MS_MAX));
  }
}

/** How an act ended, in a word. */
function wordOf(outcome: Outcome): string {
  if (outcome.kind !== 'done') return outcome.kind;
  return outcome.settled.code ?? outcome.settled.state;
}

interface Play {
  /** How often, among all. */
  weight: number;
  play(doing: Doing): Promise<string>;
}

const told = async (act: Promise<Outcome>): Promise<string> => wordOf(await act);

const pay = (
  { operator }: Doing,
  to: { card: string | null; accountRef: string },
  { payer, amount }: { payer: string; amount: bigint },
): Promise<string> =>
  operator.move({ kind: 'payment', ...to, payer, amount }).then(() => `paid ${amount}`);

const cardOf = ({ card }: Subscriber) => ({ card, accountRef: card });

function termPrice({ base, random, now }: Doing, { bouquet }: Subscriber): bigint {
  const { bouquets } = base.catalogue.current();
  const found = [...bouquets.values()].find(
    ({ code, siteId }) => code === bouquet && siteId === base.site.id,
  );
  return (found && priceAt(found, oneOf(random, TERMS), now())) ?? MINOR_PER_SHILLING;
}

const oddAmount = ({ random }: Doing): bigint =>
  BigInt(1 + below(random, ODD_SHILLINGS_MAX)) * MINOR_PER_SHILLING;

/** A payment that was told of, by chance; null when there is none yet. */
function somePayment({ operator, random }: Doing, isKnown: boolean) {
  const lines = operator.lines.filter(
    (line) => line.kind === 'payment' && line.isTold && (line.card !== null) === isKnown,
  );
  return lines.length === 0 ? null : oneOf(random, lines);
}

const originalOf = ({ receipt }: { receipt: string }) => ({ provider: 'mpesa', receipt });

const ACTS: Record<string, Play> = {
  pay: {
    weight: 12,
    async play(doing) {
      const one = doing.one();
      return pay(doing, cardOf(one), { payer: one.msisdn, amount: termPrice(doing, one) });
    },
  },
  pay_for_another: {
    weight: 4,
    async play(doing) {
      const [payer, one] = [doing.one(), doing.one()];
      return pay(doing, cardOf(one), { payer: payer.msisdn, amount: termPrice(doing, one) });
    },
  },
  pay_odd_amount: {
    weight: 6,
    async play(doing) {
      const one = doing.one();
      return pay(doing, cardOf(one), { payer: one.msisdn, amount: oddAmount(doing) });
    },
  },
  pay_wrong_account: {
    weight: 3,
    async play(doing) {
      const { msisdn } = doing.one();
      const to = { card: null, accountRef: 'NOBODY' };
      return pay(doing, to, { payer: msisdn, amount: oddAmount(doing) });
    },
  },
  buy_units: {
    weight: 3,
    async play({ operator, one, random }) {
      const { card, msisdn } = one();
      const amount = BigInt(1 + below(random, UNITS_MAX));
      await operator.move({ kind: 'tvu', card, accountRef: card, payer: msisdn, amount });
      return `${amount} units`;
    },
  },
  convert_units: {
    weight: 2,
    play({ act, one, random }) {
      const units = BigInt(1 + below(random, UNITS_MAX));
      return told(act({ kind: 'convert_tvu', msisdn: one().msisdn, units }));
    },
  },
  buy_film: {
    weight: 5,
    async play({ act, one, operator, base, random }) {
      const { card, cardId, msisdn } = one();
      const units = { kind: 'tvu', card, accountRef: card, payer: msisdn } as const;
      await operator.move({ ...units, amount: FILM_UNITS });
      const purpose = { kind: 'event', cardId, eventId: oneOf(random, base.filmIds) } as const;
      return told(act({ kind: 'buy', purpose, msisdn, means: 'tvu' }));
    },
  },
  buy_term: {
    weight: 2,
    play({ act, one, random }) {
      const { cardId, msisdn } = one();
      const purpose = { kind: 'term', cardId, term: oneOf(random, TERMS) } as const;
      const means = oneOf(random, ['credit', 'tvu'] as const);
      return told(act({ kind: 'buy', purpose, msisdn, means }));
    },
  },
  scratch: {
    weight: 4,
    play({ act, one, base, random }) {
      const code = oneOf(random, base.codes);
      return told(act({ kind: 'redeem', code, cardNumber: one().card }));
    },
  },
  change_plan: {
    weight: 3,
    play({ act, one, base, random }) {
      const bouquets = [...base.catalogue.current().bouquets.values()].filter(
        ({ siteId, code }) => siteId === base.site.id && ['ESSENTIAL', 'PREMIUM'].includes(code),
      );
      const policy = oneOf(random, ['immediate', 'end_of_term'] as const);
      const { id: bouquetId } = oneOf(random, bouquets);
      return told(act({ kind: 'change_plan', cardId: one().cardId, bouquetId, policy }));
    },
  },
  renew_by_itself: {
    weight: 3,
    play: ({ act, one, random }) =>
      told(act({ kind: 'set_auto_renew', cardId: one().cardId, term: oneOf(random, TERMS) })),
  },
  pause: {
    weight: 1,
    play: ({ act, one, random }) =>
      told(act({ kind: 'pause', cardId: one().cardId, days: 1 + below(random, 5) })),
  },
  resume: {
    weight: 1,
    play: ({ act, one }) => told(act({ kind: 'resume', cardId: one().cardId })),
  },
  take_loan: {
    weight: 1,
    play: ({ act, one }) => told(act({ kind: 'take_loan', cardId: one().cardId })),
  },
  claim_wrong_payment: {
    weight: 2,
    async play(doing) {
      const line = somePayment(doing, false);
      if (!line) return 'none';
      const { payer: payerMsisdn } = line;
      const { card: cardNumber } = doing.one();
      const original = originalOf(line);
      const outcome = await doing.act({ kind: 'claim', original, cardNumber, payerMsisdn });
      return wordOf(outcome);
    },
  },
  move_payment: {
    weight: 3,
    async play(doing) {
      const line = somePayment(doing, true);
      if (!line) return 'none';
      const { card: toCardNumber } = doing.one();
      const { payer: payerMsisdn } = line;
      const original = originalOf(line);
      return told(doing.act({ kind: 'move_payment', original, toCardNumber, payerMsisdn }));
    },
  },
  object_to_move: {
    weight: 1,
    async play(doing) {
      const line = somePayment(doing, true);
      return line ? told(doing.act({ kind: 'object_move', original: originalOf(line) })) : 'none';
    },
  },
  take_back: {
    weight: 1,
    async play(doing) {
      const line = somePayment(doing, true);
      if (!line || line.isReversed) return 'none';
      const original = originalOf(line);
      const outcome = await doing.act({ kind: 'reverse_payment', original });
      // What cannot be taken back any more stays with the product, and the operator books nothing.
      line.isReversed ||= outcome.kind === 'done' && outcome.settled.state === 'settled';
      return wordOf(outcome);
    },
  },
  refresh: {
    weight: 3,
    async play({ anyProcess, one }) {
      const process = anyProcess();
      if (!process) return 'nobody there';
      const { cardId, msisdn } = one();
      const { life, picture } = process;
      const asking = { cardId, msisdn, source: 'ussd' } as const;
      const answer = await answerWithin(life, ANSWER_MS_MAX, () => picture.refresh(asking));
      return answer?.kind ?? 'no answer';
    },
  },
  suspend: { weight: 2, play: (doing) => suspension(doing, 'suspendCard') },
  give_back_picture: { weight: 2, play: (doing) => suspension(doing, 'resumeCard') },
  decoder_off: {
    weight: 3,
    async play({ turn, one }) {
      turn(one().card, false);
      return 'off';
    },
  },
  decoder_on: {
    weight: 3,
    async play({ turn, one }) {
      turn(one().card, true);
      return 'on';
    },
  },
};

async function suspension(
  { anyProcess, one }: Doing,
  what: 'suspendCard' | 'resumeCard',
): Promise<string> {
  const process = anyProcess();
  if (!process) return 'nobody there';
  const { life, entitlement } = process;
  const act = { cardId: one().cardId, reason: 'admin', by: 'staff' } as const;
  const answer = await answerWithin<{ ok: boolean }>(life, ANSWER_MS_MAX, () =>
    entitlement.suspensions[what](act),
  );
  return answer ? String(answer.ok) : 'no answer';
}
