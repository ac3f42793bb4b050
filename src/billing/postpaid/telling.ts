/** A store of postpaid accounts of whose commits somebody is told. */
import type { PostpaidStore } from './store.ts';

/** `onChanged`: called after each commit with the accounts that may have changed by it. */
export const telling = (
  store: PostpaidStore,
  onChanged: (accountIds: readonly bigint[]) => void,
): PostpaidStore => ({
  ...store,
  async change(accountIds, act) {
    const value = await store.change(accountIds, act);
    onChanged(accountIds);
    return value;
  },
  async changeOnce(accountIds, key, act) {
    const answer = await store.changeOnce(accountIds, key, act);
    onChanged(accountIds);
    return answer;
  },
  async changeDue(batch, work) {
    const result = await store.changeDue(batch, work);
    if (result.done.length > 0) onChanged(result.done);
    return result;
  },
});
