/** What a system says of the EMMs that wait for room on its air. */
import type { Logger } from '../../platform/ports.ts';
import type { CasDriver } from './driver.ts';

/** How many EMMs wait, as the system says when they are many and when they no longer are. */
export function hearBacklog(
  driver: Pick<CasDriver, 'onConnected' | 'onEvent' | 'state'>,
  logger: Logger,
): () => number {
  let waiting = 0;
  // It tells anew in each session what stands.
  driver.onConnected(() => {
    waiting = 0;
  });
  driver.onEvent(({ kind, detail }) => {
    if (kind !== 'emm_backlog' || !Number.isSafeInteger(detail.waiting)) return;
    waiting = Math.max(0, Number(detail.waiting));
    logger.warn('cas.emm_backlog', { waiting, seconds: detail.seconds });
  });
  return () => (driver.state() === 'connected' ? waiting : 0);
}
