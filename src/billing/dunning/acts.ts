/** What staff and subscribers do to the course of dunning. */
import type { Pool, PoolClient } from 'pg';
import type { Day } from '../../platform/day.ts';
import type { Clock, Ids } from '../../platform/ports.ts';
import {
  insertFlag,
  insertMessage,
  insertPromise,
  liftFlag,
  subscriberOfFlag,
} from './acts-store.ts';
import { type Case, startOf } from './decisions.ts';
import { type PromiseRefusal, promisable, promiseRefusal } from './rules.ts';
import type { DunningMessagesFor } from './sayings.ts';

export interface FlagAct {
  subscriberId: bigint;
  kind: 'do_not_cut' | 'block';
  /** Why: shown to staff, and with a block handed to those who take the picture away. */
  reason: string;
  from: Day;
  /** Exclusive; null: until it is lifted. */
  until: Day | null;
  by: string;
}

export interface PromiseAct {
  subscriberId: bigint;
  amount: bigint;
  /** The last day on which it may be paid. */
  dueOn: Day;
  by: string;
}

export interface Acts {
  flag(
    act: FlagAct,
  ): Promise<{ ok: true; id: bigint } | { ok: false; error: 'unknown_subscriber' | 'bad_dates' }>;
  liftFlag(act: {
    id: bigint;
    by: string;
  }): Promise<{ ok: true } | { ok: false; error: 'unknown_flag' | 'already_lifted' }>;
  promise(
    act: PromiseAct,
  ): Promise<
    { ok: true; id: bigint } | { ok: false; error: 'unknown_subscriber' | PromiseRefusal }
  >;
}

export interface ActsDeps {
  pool: Pool;
  ids: Ids;
  clock: Clock;
  ports: { messagesFor: DunningMessagesFor };
  reconsider(subscriberId: bigint): Promise<void>;
  withCase<T>(
    subscriberId: bigint,
    act: (client: PoolClient, one: Case | null) => Promise<T>,
  ): Promise<T>;
}

/** Each act is decided with the subscriber locked, and what follows from it is done at once. */
export function createActs(deps: ActsDeps): Acts {
  const { pool, ids, clock, withCase, reconsider } = deps;
  return {
    async flag(act) {
      const { subscriberId, from, until } = act;
      const id = await ids.take();
      const result = await withCase(subscriberId, async (client, one) => {
        if (one === null) return { ok: false, error: 'unknown_subscriber' } as const;
        if (from < one.today || (until !== null && until <= from)) {
          return { ok: false, error: 'bad_dates' } as const;
        }
        await insertFlag(client, { ...act, id, at: clock.now() });
        return { ok: true, id } as const;
      });
      if (result.ok) await reconsider(subscriberId);
      return result;
    },
    async liftFlag({ id, by }) {
      const subscriberId = await subscriberOfFlag(pool, id);
      if (subscriberId === null) return { ok: false, error: 'unknown_flag' };
      const isLifted = await withCase(subscriberId, async (client, one) =>
        one === null ? false : liftFlag(client, { id, by, on: one.today }),
      );
      if (!isLifted) return { ok: false, error: 'already_lifted' };
      await reconsider(subscriberId);
      return { ok: true };
    },
    async promise(act) {
      const id = await ids.take();
      return withCase(act.subscriberId, (client, one) =>
        one === null
          ? Promise.resolve({ ok: false, error: 'unknown_subscriber' })
          : takePromise(deps, client, { one, act, id }),
      );
    },
  };
}

/** How long the answer to a promise is worth sending. */
const ANSWER_LIFE_MS = 86_400_000;

async function takePromise(
  { ids, clock, ports }: ActsDeps,
  client: PoolClient,
  { one, act, id }: { one: Case; act: PromiseAct; id: bigint },
): ReturnType<Acts['promise']> {
  const { debtor, site, today } = one;
  const error = promiseRefusal({ ...one, flags: debtor.flags }, act);
  if (error !== null) return { ok: false, error };
  const now = clock.now();
  const { amount, dueOn } = act;
  const promised = { id, subscriberId: debtor.id, madeOn: today, dueOn, amount };
  await insertPromise(client, { ...promised, owed: promisable(one), by: act.by, at: now });
  if (debtor.phone === null) return { ok: true, id };
  const { msisdn, language } = debtor.phone;
  const notAfter = new Date(now.getTime() + ANSWER_LIFE_MS);
  const draft = ports.messagesFor({
    siteId: site.id,
    language,
    to: { kind: 'text', msisdn },
    message: {
      ...{ name: 'promise_noted', amount, asset: site.currency, notAfter },
      by: startOf(dueOn + 1, site),
    },
  });
  if (draft) await insertMessage(client, { ...draft, id: await ids.take(), siteId: site.id }, now);
  return { ok: true, id };
}
