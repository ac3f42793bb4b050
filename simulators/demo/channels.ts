/** The demo's channels, and the secrets it made up at its first start. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemRandom } from '../../src/platform/system.ts';

const TOKEN_BYTES = 16;
const SECRET_BYTES = 32;
const OWNER_ONLY = 0o600;
const CHANNEL_IDS = [
  'ke-ussd',
  'ke-direct',
  'ci-ussd',
  'ke-text',
  'ci-text',
  'ke-paybill',
  'ke-tvu',
  'ci-tvu',
] as const;
type ChannelId = (typeof CHANNEL_IDS)[number];

/** Where texts to the operator go, by site. */
export const TEXT_CODES: Readonly<Record<string, string>> = { NBO: '40210', ABJ: '40220' };

export interface DemoPlan {
  tokens: Record<ChannelId, string>;
  tvuSecrets: Record<'ke-tvu' | 'ci-tvu', string>;
  daraja: { shortCode: string; passkey: string; consumerKey: string; consumerSecret: string };
  africastalking: { username: string; apiKey: string };
}

/** Reads what an earlier start made up, or makes it up now. */
export function demoPlan(dataDir: string): DemoPlan {
  const file = join(dataDir, 'demo-secrets.json');
  if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8'));
  const { hex } = systemRandom;
  const secret = () => `whsec_${Buffer.from(hex(SECRET_BYTES), 'hex').toString('base64')}`;
  const tokens = Object.fromEntries(CHANNEL_IDS.map((id) => [id, hex(TOKEN_BYTES)]));
  const plan: DemoPlan = {
    tokens: tokens as DemoPlan['tokens'],
    tvuSecrets: { 'ke-tvu': secret(), 'ci-tvu': secret() },
    daraja: {
      shortCode: '600100',
      passkey: hex(SECRET_BYTES),
      consumerKey: hex(TOKEN_BYTES),
      consumerSecret: hex(TOKEN_BYTES),
    },
    africastalking: { username: 'viptv', apiKey: hex(SECRET_BYTES) },
  };
  writeFileSync(file, JSON.stringify(plan, null, 2), { mode: OWNER_ONLY });
  return plan;
}

/** The channels as a providers' file would list them. */
export function demoChannels(
  plan: DemoPlan,
  urls: { gateway: string; money: string; texts: string },
): object[] {
  const loopback = ['127.0.0.1', '::1'];
  const channel = (id: ChannelId, site: string, rest: object) => ({
    id,
    site,
    token: plan.tokens[id],
    allowedAddresses: loopback,
    ...rest,
  });
  const ussd = { kind: 'ussd', provider: 'africastalking' };
  const text = {
    kind: 'text',
    provider: 'africastalking',
    ...plan.africastalking,
    baseUrl: urls.texts,
  };
  const tvu = { kind: 'tvu', provider: 'tvu-notice' };
  return [
    channel('ke-ussd', 'NBO', { ...ussd, serviceCode: '*384*100#' }),
    channel('ke-direct', 'NBO', { ...ussd, provider: 'safaricom', serviceCode: '*483*100#' }),
    channel('ci-ussd', 'ABJ', { ...ussd, serviceCode: '*384*225#' }),
    channel('ke-text', 'NBO', text),
    channel('ci-text', 'ABJ', text),
    channel('ke-paybill', 'NBO', {
      kind: 'money',
      provider: 'mpesa',
      ...plan.daraja,
      baseUrl: urls.money,
      publicUrl: urls.gateway,
    }),
    channel('ke-tvu', 'NBO', { ...tvu, secret: plan.tvuSecrets['ke-tvu'] }),
    channel('ci-tvu', 'ABJ', { ...tvu, secret: plan.tvuSecrets['ci-tvu'] }),
  ];
}
