/** The doors of a text gateway: delivery reports. */
import type { Pool } from 'pg';
import type { Logger } from '../../platform/ports.ts';
import type { ReadContext } from '../canonical.ts';
import type { TextChannel } from '../channels.ts';
import type { DoorHandler } from '../door.ts';
import type { Reader } from '../provider.ts';
import { applyDeliveryReport } from './reports.ts';

/** Handles what a text gateway posts to us. */
export function createTextDoor(deps: {
  pool: Pool;
  logger: Logger;
  siteOf(code: string): ReadContext;
  /** The reader of a provider's delivery reports. */
  reportReader(provider: string): Reader | undefined;
}): DoorHandler {
  return async ({ channel, rest, raw }) => {
    const { provider, site } = channel as TextChannel;
    if (rest !== 'report') return { status: 404, contentType: 'text/plain', body: 'Not found' };
    const report = deps.reportReader(provider)?.(raw, deps.siteOf(site));
    if (!report || !('type' in report) || report.type !== 'sms.dlr') {
      return { status: 400, contentType: 'text/plain', body: 'Not a delivery report' };
    }
    return applyDeliveryReport(deps, report);
  };
}
