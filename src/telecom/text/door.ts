/**
 * The doors of a text gateway: texts from subscribers (`in`), delivery reports (`report`), and
 * phones that told the gateway itself to stop (`optout`).
 */
import type { Pool } from 'pg';
import type { Clock, Logger } from '../../platform/ports.ts';
import type { ReadContext } from '../canonical.ts';
import type { TextChannel } from '../channels.ts';
import type { DoorHandler, Knock } from '../door.ts';
import type { ProviderAnswer, Reader } from '../provider.ts';
import type { DialogueChannel } from '../ussd/services.ts';
import type { TextInbound } from './inbound/service.ts';
import { applyDeliveryReport } from './reports.ts';

export interface TextDoorDeps {
  pool: Pool;
  logger: Logger;
  siteOf(code: string): ReadContext;
  /** The reader of a provider's texts from subscribers. */
  textReader(provider: string): Reader | undefined;
  /** The reader of a provider's delivery reports. */
  reportReader(provider: string): Reader | undefined;
  /** The reader of a provider's notes that a phone wants no more texts. */
  optOutReader(provider: string): Reader | undefined;
  clock: Clock;
  /** Reminders are wanted, or no longer; receipts come in any case. */
  setReminders(choice: { msisdn: string; wanted: boolean; at: Date }): Promise<void>;
  inbound: TextInbound;
  /** What a text of the channel may ask for. */
  channelOf(channel: TextChannel): DialogueChannel;
}

/** Longer names of a text are none; they stand in an index. */
const ID_CHARS_MAX = 128;
const PLAIN = 'text/plain';

/**
 * Handles what a text gateway posts to us. Rejects when the database is lost; the caller then
 * answers 503, and the gateway repeats.
 */
export function createTextDoor(deps: TextDoorDeps): DoorHandler {
  return async (knock) => {
    if (knock.rest === 'in') return takeText(deps, knock);
    if (knock.rest === 'report') return takeReport(deps, knock);
    if (knock.rest === 'optout') return takeOptOut(deps, knock);
    return { status: 404, contentType: PLAIN, body: 'Not found' };
  };
}

async function takeText(deps: TextDoorDeps, { channel, raw }: Knock): Promise<ProviderAnswer> {
  const { provider, site } = channel as TextChannel;
  const message = deps.textReader(provider)?.(raw, deps.siteOf(site));
  const isText = message && 'type' in message && message.type === 'sms.in' && 'id' in message;
  if (!isText || message.id.length > ID_CHARS_MAX || message.id.includes('\0')) {
    return { status: 400, contentType: PLAIN, body: 'Not a text' };
  }
  await deps.inbound.take(message, deps.channelOf(channel as TextChannel));
  return { status: 200, contentType: PLAIN, body: 'OK' };
}

async function takeReport(deps: TextDoorDeps, { channel, raw }: Knock): Promise<ProviderAnswer> {
  const { provider, site } = channel as TextChannel;
  const report = deps.reportReader(provider)?.(raw, deps.siteOf(site));
  if (!report || !('type' in report) || report.type !== 'sms.dlr') {
    return { status: 400, contentType: PLAIN, body: 'Not a delivery report' };
  }
  return applyDeliveryReport(deps, report);
}

/** The same as STOP in a text. */
async function takeOptOut(deps: TextDoorDeps, { channel, raw }: Knock): Promise<ProviderAnswer> {
  const { provider, site } = channel as TextChannel;
  const note = deps.optOutReader(provider)?.(raw, deps.siteOf(site));
  if (!note || !('type' in note) || note.type !== 'sms.optout' || note.msisdn === null) {
    return { status: 400, contentType: PLAIN, body: 'Not an opt-out' };
  }
  await deps.setReminders({ msisdn: note.msisdn, wanted: false, at: deps.clock.now() });
  return { status: 200, contentType: PLAIN, body: 'OK' };
}
