/**
 * The mobile operator: it keeps its own books of what was moved, tells the product of each
 * movement until it is answered, and does so as operators do: late, twice, in any order.
 */
import { c2bBody, receiptOf } from '../../simulators/mobile-money/daraja.ts';
import { signTvuNotice } from '../../simulators/mobile-money/sign-tvu.ts';
import type { Random } from '../../src/platform/ports.ts';
import type { DoorHandler, Knock } from '../../src/telecom/door.ts';
import { below } from '../random.ts';
import type { Base } from './base.ts';
import type { ProductProcess } from './product.ts';
import { answerWithin, pause } from './waiting.ts';

/** One line of the operator's own books. */
export interface BookLine {
  receipt: string;
  kind: 'payment' | 'tvu';
  /** Whose card it was paid for; null: an account that nobody has. */
  card: string | null;
  /** As the payer typed it. */
  accountRef: string;
  payer: string;
  /** Minor units of KES, or TV units. */
  amount: bigint;
  at: Date;
  /** The product has said that it has it. */
  isTold: boolean;
  /** The operator has taken it back. */
  isReversed: boolean;
}

export interface Operator {
  lines: readonly BookLine[];
  /** Moves money and tells of it, sooner or later; resolves when the product has answered. */
  move(line: Pick<BookLine, 'kind' | 'card' | 'accountRef' | 'payer' | 'amount'>): Promise<void>;
  /** Tells once more of all but what was told, as when it is asked for its statement. */
  tellAgain(known: KnownLines): Promise<void>;
  /** Somebody else says that a known receipt was for more, or that units were sold. */
  forge(): Promise<void>;
}

export interface OperatorDeps {
  base: Base;
  random: Random;
  now(): Date;
  /** A process that lives, by chance; null: none does. */
  anyProcess(): ProductProcess | null;
  onFault(kind: string): void;
  trace(line: string): void;
}

const ANSWER_MS_MAX = 8_000;
const RESEND_MS_MAX = 6_000;
const LATE_MS_MAX = 40_000;
const SOON_MS_MAX = 1_500;
/** Of a hundred notices. */
const LATE = 12;
const LOST = 12;
const REPEATED = 25;

/** What the product knew of at some instant. */
export interface KnownLines {
  told: ReadonlySet<BookLine>;
  reversed: ReadonlySet<BookLine>;
}

/** An operator with empty books. */
export function createOperator(deps: OperatorDeps): Operator {
  const { random, now } = deps;
  const lines: BookLine[] = [];
  const chance = (percent: number): boolean => below(random, 100) < percent;
  const tell = async (line: BookLine): Promise<void> => {
    const status = await knock(deps, line, line.amount);
    deps.trace(`operator ${line.receipt}: ${status ?? 'no answer'}`);
    if (status !== null && status >= 200 && status < 300) line.isTold = true;
    else if (status !== null && status < 500) throw new Error(`${line.receipt}: ${status}`);
  };
  const tellUntilTold = async (line: BookLine): Promise<void> => {
    if (chance(LOST)) deps.onFault('notice_lost');
    else await tell(line);
    while (!line.isTold) {
      await pause(below(random, RESEND_MS_MAX));
      await tell(line);
    }
  };
  return {
    lines,
    async move(moved) {
      const at = now();
      const line = { ...moved, receipt: '', at, isTold: false, isReversed: false };
      lines.push(line);
      line.receipt = receiptOf(at, lines.length);
      const isLate = chance(LATE);
      if (isLate) deps.onFault('notice_late');
      await pause(below(random, isLate ? LATE_MS_MAX : SOON_MS_MAX));
      const told = tellUntilTold(line);
      if (chance(REPEATED)) {
        deps.onFault('notice_repeated');
        await pause(below(random, SOON_MS_MAX));
        await tell(line);
      }
      await told;
    },
    async tellAgain({ told, reversed }) {
      const lost = lines.filter((line) => line.isTold && !told.has(line));
      for (const line of lost) line.isTold = false;
      // What was taken back since then has not been taken back any more.
      for (const line of lines) line.isReversed &&= reversed.has(line);
      await Promise.all(lost.map(tellUntilTold));
    },
    async forge() {
      const told = lines.filter(({ isTold, kind }) => isTold && kind === 'payment');
      const line = told[below(random, told.length)];
      if (!line) return;
      deps.onFault('notice_forged');
      if (chance(50)) await knock(deps, line, line.amount + 100n);
      else await knock(deps, { ...line, kind: 'tvu', receipt: `${line.receipt}F` }, 50n, 'forged');
    },
  };
}

/** Says it at the door of some process; the status of its answer, null when there was none. */
async function knock(
  deps: OperatorDeps,
  line: BookLine,
  amount: bigint,
  secret?: string,
): Promise<number | null> {
  const process = deps.anyProcess();
  if (!process) return null;
  const { money, tvu } = deps.base.channels;
  const isMoney = line.kind === 'payment';
  const body = isMoney ? moneyBody(deps.base, line, amount) : tvuBody(line, amount);
  const headers = isMoney ? {} : signature(secret ?? tvu.secret, line, body, deps.now());
  const channel = isMoney ? money : tvu;
  const handler: DoorHandler = isMoney ? process.doors.money : process.doors.tvu;
  const said: Knock = {
    ...{ channel, rest: isMoney ? 'confirm' : '', bytes: Buffer.from(body), remote: '127.0.0.1' },
    raw: { method: 'POST', path: '/', headers, body, query: {} },
  };
  const answer = await answerWithin(process.life, ANSWER_MS_MAX, () => handler(said));
  return answer?.status ?? null;
}

function moneyBody({ channels }: Base, line: BookLine, amountMinor: bigint): string {
  const { receipt, payer, accountRef, at } = line;
  return c2bBody(
    { receipt, msisdn: payer.slice(1), accountReference: accountRef, at: at.toISOString() },
    {
      ...{ shortCode: channels.money.shortCode, form: 'plain', name: 'A PAYER' },
      ...{ organisationBalance: '', thirdPartyTransId: '', amountMinor },
    },
  );
}

const tvuBody = ({ receipt, payer, at }: BookLine, units: bigint): string =>
  JSON.stringify({
    type: 'tvu.credited',
    data: { receipt, msisdn: payer, units: Number(units), occurredAt: at.toISOString() },
  });

function signature(secret: string, { receipt }: BookLine, body: string, now: Date) {
  const id = `msg_${receipt}`;
  const timestamp = Math.floor(now.getTime() / 1_000);
  return {
    'webhook-id': id,
    'webhook-timestamp': String(timestamp),
    'webhook-signature': signTvuNotice({ secret, id, timestamp, body }),
  };
}
