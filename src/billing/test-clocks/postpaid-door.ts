/** Postpaid billing, where what concerns accounts with a test clock happens by their time. */
import type { Clock } from '../../platform/ports.ts';
import type { PostpaidService } from '../postpaid/service.ts';
import type { TestClocks } from './service.ts';

/** `at`: the same service by another clock. What runs by itself is left to the house. */
export function postpaidByClocks(
  house: PostpaidService,
  clocks: Pick<TestClocks, 'timeOf'>,
  at: (clock: Clock) => PostpaidService,
): PostpaidService {
  const by = async (party: Parameters<TestClocks['timeOf']>[0]): Promise<PostpaidService> => {
    const time = await clocks.timeOf(party);
    return time === null ? house : at({ now: () => time });
  };
  const of = (accountId: bigint) => by({ accountId });
  return {
    ...house,
    open: async (subscriberId, opening) => (await by({ subscriberId })).open(subscriberId, opening),
    openFirst: async (subscriberId, opening) =>
      (await by({ subscriberId })).openFirst(subscriberId, opening),
    act: async (id, key, action, refuse) => (await of(id)).act(id, key, action, refuse),
    look: async (id) => (await of(id)).look(id),
    preview: async (id, action) => (await of(id)).preview(id, action),
    transfer: async (accounts, key, transfer) =>
      (await of(accounts.from)).transfer(accounts, key, transfer),
    repeatDown: async (id) => (await of(id)).repeatDown(id),
    bringUpToDate: async (id) => (await of(id)).bringUpToDate(id),
  };
}
