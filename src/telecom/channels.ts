/**
 * The channels over which providers reach us: a USSD code, a paybill, a text sender, a feed of TV
 * units. Read once from the providers' file; secrets stand nowhere else.
 */
import { timingSafeEqual } from 'node:crypto';
import { z } from 'zod';

const base = {
  /** Also the name of the channel's clearing account: never change it. */
  id: z.string().regex(/^[a-z][a-z0-9-]{1,31}$/),
  /** Code of the site it serves. */
  site: z.string(),
  /** Stands in the address that the provider calls; nobody else knows it. */
  token: z.string().regex(/^[0-9a-f]{32,64}$/, 'must be 32 to 64 hex digits'),
  /** Addresses the provider calls from; left out = any (it is logged when another one calls). */
  allowedAddresses: z.array(z.string()).optional(),
};

/** Daraja refuses callback addresses with these words (RegisterURL page). */
const FORBIDDEN_WORDS = /mpesa|safaricom|exec?|cmd|sql|query/i;

const channelSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    ...base,
    kind: z.literal('ussd'),
    provider: z.enum(['africastalking', 'safaricom']),
    serviceCode: z.string().regex(/^\*[\d*]+#$/),
  }),
  z.strictObject({
    ...base,
    kind: z.literal('text'),
    provider: z.literal('africastalking'),
    username: z.string(),
    apiKey: z.string(),
    senderId: z.string().max(11).optional(),
    baseUrl: z.url().optional(),
  }),
  z.strictObject({
    ...base,
    kind: z.literal('money'),
    provider: z.literal('mpesa'),
    shortCode: z.string().regex(/^\d{5,7}$/),
    consumerKey: z.string(),
    consumerSecret: z.string(),
    passkey: z.string(),
    baseUrl: z.url(),
    /** How Safaricom reaches us, without a path. */
    publicUrl: z.url(),
  }),
  z.strictObject({
    ...base,
    kind: z.literal('tvu'),
    provider: z.literal('tvu-notice'),
    /** Standard Webhooks: `whsec_` and base64. */
    secret: z.string().regex(/^whsec_[A-Za-z0-9+/=]{32,}$/),
  }),
]);

const providersFile = z.strictObject({ channels: z.array(channelSchema) });

export type Channel = z.infer<typeof channelSchema>;
export type UssdChannel = Extract<Channel, { kind: 'ussd' }>;
export type TextChannel = Extract<Channel, { kind: 'text' }>;
export type MoneyChannel = Extract<Channel, { kind: 'money' }>;
export type TvuChannel = Extract<Channel, { kind: 'tvu' }>;

export interface Channels {
  all: readonly Channel[];
  find(id: string): Channel | null;
  ofKind<K extends Channel['kind']>(kind: K): Extract<Channel, { kind: K }>[];
}

/** Reads the content of a providers' file; every fault is named with its place. */
export function readChannels(
  data: unknown,
): { ok: true; channels: Channels } | { ok: false; faults: string[] } {
  const read = providersFile.safeParse(data);
  if (!read.success) {
    const faults = read.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
    return { ok: false, faults };
  }
  const all = read.data.channels;
  const byId = new Map(all.map((channel) => [channel.id, channel]));
  const faults: string[] = [];
  if (byId.size < all.length) faults.push('channels: two channels have the same id');
  for (const channel of all) {
    if (channel.kind === 'money' && FORBIDDEN_WORDS.test(callbackBase(channel))) {
      faults.push(`channels.${channel.id}: the callback address holds a word Daraja forbids`);
    }
  }
  if (faults.length > 0) return { ok: false, faults };
  return {
    ok: true,
    channels: {
      all,
      find: (id) => byId.get(id) ?? null,
      ofKind: <K extends Channel['kind']>(kind: K) =>
        all.filter((channel): channel is Extract<Channel, { kind: K }> => channel.kind === kind),
    },
  };
}

/** The address under which a provider reaches a channel, without what follows the token. */
export const hookPath = (channel: Channel): string => `/hooks/${channel.id}/${channel.token}`;

/** The same as an absolute address, for providers that are told where to call. */
export const callbackBase = (channel: MoneyChannel): string =>
  new URL(hookPath(channel), channel.publicUrl).href;

/** Compares a token in constant time. */
export function tokenMatches(channel: Channel, token: string): boolean {
  const known = Buffer.from(channel.token);
  const given = Buffer.from(token);
  return known.length === given.length && timingSafeEqual(known, given);
}
