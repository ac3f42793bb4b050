/**
 * TV units that a mobile operator sold: our own webhook, signed as Standard Webhooks say
 * (github.com/standard-webhooks/standard-webhooks, spec/standard-webhooks.md).
 */
import { z } from 'zod';
import type { Outcome } from '../../billing/settlement/commands.ts';
import type { Settlement } from '../../billing/settlement/service.ts';
import type { Clock } from '../../platform/ports.ts';
import type { TvuChannel } from '../channels.ts';
import type { Knock } from '../door.ts';
import type { ProviderAnswer } from '../provider.ts';
import type { RefusedNotices } from '../refused.ts';
import { verifyWebhook } from './standard-webhooks.ts';

const UNITS_MAX = 1_000_000_000;

const notice = z.object({
  type: z.literal('tvu.credited'),
  data: z.object({
    receipt: z.string().regex(/^[A-Za-z0-9_-]{4,64}$/),
    msisdn: z.string().regex(/^\+[1-9]\d{6,14}$/),
    units: z.int().min(1).max(UNITS_MAX),
    occurredAt: z.iso.datetime({ offset: true }).optional(),
  }),
});

const json = (status: number, body: object): ProviderAnswer => ({
  status,
  contentType: 'application/json',
  body: JSON.stringify(body),
});

/** Handles notices of TV units. A repeat is answered as the first time. */
export function createTvuDoor(deps: {
  settlement: Pick<Settlement, 'settle'>;
  refused: RefusedNotices;
  clock: Clock;
  siteIdOf(code: string): bigint;
}) {
  return async (knock: Knock): Promise<ProviderAnswer> => {
    const channel = knock.channel as TvuChannel;
    const { bytes, remote, raw } = knock;
    const keep = (reason: 'wrong_signature' | 'unreadable' | 'receipt_differs') =>
      deps.refused.keep({ channelId: channel.id, reason, remote, bytes });
    const now = deps.clock.now();
    const verified = verifyWebhook({ secret: channel.secret, headers: raw.headers, bytes, now });
    if (!verified.ok) {
      await keep('wrong_signature');
      return json(401, { error: verified.error });
    }
    const read = readNotice(raw.body);
    if (!read.ok) {
      await keep('unreadable');
      return json(400, { error: 'invalid_notice', details: read.faults });
    }
    const { receipt, msisdn, units } = read.data;
    const outcome = await deps.settlement.settle({
      kind: 'tvu_notice',
      provider: channel.id,
      receipt: receipt.toUpperCase(),
      channelId: channel.id,
      siteId: deps.siteIdOf(channel.site),
      at: now,
      raw: bytes,
      msisdn,
      units: BigInt(units),
    });
    if (outcome.kind === 'receipt_differs') await keep('receipt_differs');
    return answerTo(outcome);
  };
}

function answerTo(outcome: Outcome): ProviderAnswer {
  if (outcome.kind === 'unavailable') return json(503, { error: 'try_later' });
  if (outcome.kind === 'parked') return json(202, { status: 'kept' });
  const { state, ref, code } = outcome.settled;
  if (outcome.kind === 'receipt_differs') return json(409, { error: 'receipt_differs', ref });
  if (state === 'refused') return json(422, { error: code, ref });
  if (!outcome.first) return json(200, { status: 'duplicate', ref });
  return json(200, { status: state === 'suspense' ? 'suspense' : 'accepted', ref });
}

function readNotice(
  body: string,
): { ok: true; data: z.infer<typeof notice>['data'] } | { ok: false; faults: string[] } {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    return { ok: false, faults: ['the body is not JSON'] };
  }
  const read = notice.safeParse(parsed);
  if (read.success) return { ok: true, data: read.data.data };
  const faults = read.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
  return { ok: false, faults };
}
