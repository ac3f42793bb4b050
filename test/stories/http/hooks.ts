/** Knocking at the product's doors by hand, as a gateway or a forger would. */
import { signTvuNotice } from '../../../simulators/mobile-money/sign-tvu.ts';
import type { Clock } from '../../../src/platform/ports.ts';
import type { Product } from '../../../src/product.ts';
import { hookPath, type TvuChannel } from '../../../src/telecom/channels.ts';
import { type Answer, send } from './paybill.ts';

/** What is wrong with a notice of TV units; nothing by default. */
export interface Forgery {
  channel?: string;
  secret?: string;
  ageS?: number;
  timestamp?: string;
  /** One digit is changed after the signing. */
  tamper?: boolean;
  /** Without any of the headers. */
  bare?: boolean;
}

export interface Hooks {
  /** The address at which a provider reaches a channel, with what stands behind the token. */
  hook(channelId: string, rest?: string): string;
  /** One form post of Africa's Talking. */
  hop(channelId: string, form: Record<string, string>, rest?: string): Promise<Answer>;
  tvuChannel(channelId: string): TvuChannel;
  /** A notice of TV units, signed as it should be unless told otherwise. */
  tvuNotice(data: object, forgery?: Forgery): Promise<Answer>;
}

export function knockOn({ channels, url }: Product, clock: Clock): Hooks {
  const find = (id: string) => {
    const channel = channels.find(id);
    if (!channel) throw new Error(`No channel ${id}`);
    return channel;
  };
  const hooks: Hooks = {
    hook: (id, rest = '') => `${url}${hookPath(find(id))}${rest}`,
    hop: (id, form, rest = '') =>
      send(hooks.hook(id, rest), new URLSearchParams(form).toString(), {
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
      }),
    tvuChannel(id) {
      const channel = find(id);
      if (channel.kind !== 'tvu') throw new Error(`${id} has no TV units`);
      return channel;
    },
    tvuNotice(data, { channel = 'ke-tvu', ageS = 0, ...forgery } = {}) {
      const timestamp = Math.floor(clock.now().getTime() / 1000) - ageS;
      const secret = forgery.secret ?? hooks.tvuChannel(channel).secret;
      const body = JSON.stringify({ type: 'tvu.credited', data });
      const id = 'msg_written_by_hand';
      const headers = {
        'webhook-id': id,
        'webhook-timestamp': forgery.timestamp ?? String(timestamp),
        'webhook-signature': signTvuNotice({ secret, id, timestamp, body }),
      };
      const sent = forgery.tamper ? body.replace('2100', '9100') : body;
      return send(hooks.hook(channel), sent, forgery.bare ? {} : { headers });
    },
  };
  return hooks;
}
