/** The phone's line to the network: one session at a time, and an end to those left alone. */
import { createTelephone, type Hop, type Telephone } from '../../../telephone/telephone.ts';
import type { PhoneView } from '../../api.ts';
import type { EndReason } from './handset.ts';

/** Networks end a session in which no key is pressed. */
export const KEY_TIMEOUT_MS = 60_000;

export interface Heard {
  screen: string;
  /** Null while the session stays open. */
  reason: EndReason | null;
}

export interface Line {
  /** Begins a session; one that is still open is hung up first. */
  dial(code: string): Promise<Heard | null>;
  /** Answers the screen. */
  send(input: string): Promise<Heard | null>;
  hangUp(): void;
}

/**
 * The line of a phone, through the page's own server. An answer that comes after the person has
 * hung up or dialled again is null. Never rejects.
 */
export function createLine(phone: PhoneView): Line {
  let telephone: Telephone | null = null;

  const listen = async (asked: Telephone, hop: Promise<Hop>): Promise<Heard | null> => {
    const heard = heardOf(await hop);
    return asked === telephone ? heard : null;
  };
  const hangUp = () => {
    void telephone?.abort();
    telephone = null;
  };
  return {
    dial(code) {
      hangUp();
      const opened = telephoneOf(phone);
      telephone = opened;
      return listen(opened, opened.dial(code));
    },
    async send(input) {
      return telephone === null ? null : listen(telephone, telephone.send(input));
    },
    hangUp,
  };
}

function telephoneOf(phone: PhoneView): Telephone {
  const url = `/living-room/gateway/${encodeURIComponent(phone.channel)}`;
  const { msisdn, channel, serviceCode, networkCode } = phone;
  return createTelephone({
    msisdn,
    channel: {
      channel,
      provider: 'africastalking',
      country: '',
      serviceCode,
      networkCode,
      url,
      endUrl: `${url}/end`,
    },
    clock: { now: () => new Date() },
    random: { hex, fraction: Math.random },
  });
}

function hex(bytes: number): string {
  const values = crypto.getRandomValues(new Uint8Array(bytes));
  return [...values].map((value) => value.toString(16).padStart(2, '0')).join('');
}

/** What the person sees of a hop. */
export function heardOf(hop: Hop): Heard {
  if (hop.ok) return { screen: hop.screen, reason: hop.ended ? 'answered' : null };
  switch (hop.error) {
    case 'wrong_code':
      return { screen: hop.detail.split(' ')[0] ?? '', reason: 'wrong_code' };
    case 'no_answer':
      return { screen: '', reason: 'no_answer' };
    case 'session_expired':
    case 'no_session':
      return { screen: '', reason: 'timed_out' };
    case 'bad_answer':
    case 'too_long':
      return { screen: '', reason: 'bad_answer' };
  }
}
