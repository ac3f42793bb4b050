/** Credits TV units on a customer's number and tells the pay-TV operator by a signed notice. */

import type { Clock, Random } from '../../src/platform/ports.ts';
import type { Books } from './books.ts';
import { sendTvuNotice } from './sign-tvu.ts';

export interface TvuChannel {
  channel: string;
  url: string;
  /** `whsec_` and base64. */
  secret: string;
}

export interface TvuOrder {
  channel: string;
  msisdn: string;
  units: number;
}

export interface TvuSent {
  receipt: string;
  /** Null when there was no answer. */
  status: number | null;
  answer: string;
}

export interface TvuSender {
  send(order: TvuOrder): Promise<TvuSent | null>;
  setChannels(channels: TvuChannel[]): void;
  stop(): void;
}

export interface TvuSenderDeps {
  books: Books;
  clock: Clock;
  random: Random;
  channels: TvuChannel[];
}

/** Sends each notice once; the books hold it before it is sent. */
export function createTvuSender(deps: TvuSenderDeps): TvuSender {
  const { books, clock, random } = deps;
  const stopped = new AbortController();
  let channels = deps.channels;
  return {
    async send(order) {
      const channel = channels.find(({ channel }) => channel === order.channel);
      if (channel === undefined) return null;
      const now = clock.now();
      const receipt = books.newReceipt(now);
      const msisdn = `+${order.msisdn.replace(/\D/g, '')}`;
      const at = now.toISOString();
      books.record({ event: 'tvu', notice: { ...order, msisdn, receipt, at, confirmed: false } });
      const answer = await sendTvuNotice({
        url: channel.url,
        secret: channel.secret,
        id: `msg_${random.hex(12)}`,
        timestamp: Math.floor(now.getTime() / 1000),
        notice: { receipt, msisdn, units: order.units, occurredAt: at },
        stop: stopped.signal,
      });
      const heard = answer?.status === 200 && !stopped.signal.aborted;
      if (heard) books.record({ event: 'tvu_heard', receipt });
      return { receipt, status: answer?.status ?? null, answer: answer?.body ?? '' };
    },
    setChannels(changed) {
      channels = changed;
    },
    stop: () => stopped.abort(),
  };
}
