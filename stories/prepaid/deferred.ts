/** What of the lines of an operator on paper is not earned yet, line by line, by the calendar. */

import { halfUp } from '../../src/billing/catalogue/rules.ts';
import type { LineFacts } from '../../src/billing/settlement/facts.ts';
import { afterPause, daysOf } from '../../src/billing/settlement/lines.ts';
import type { Paper } from '../../src/billing/settlement/paper-harness.ts';
import { termRules } from '../../src/billing/settlement/purchases.ts';
import { sumOfTaxes } from '../../src/billing/settlement/taxes.ts';
import { localDate, midnight } from '../../src/platform/calendar.ts';

/** By asset, when all dates before that of `at` are over, by the calendar of each site. */
export function deferredOf(paper: Paper, at: Date): Map<string, bigint> {
  const sums = new Map<string, bigint>();
  for (const line of paper.terms.values()) {
    if (line.state === 'void') continue;
    sums.set(line.asset, (sums.get(line.asset) ?? 0n) + ofLine(paper, line, at));
  }
  return sums;
}

function ofLine({ catalogue, subscriptions }: Paper, line: LineFacts, at: Date): bigint {
  const site = catalogue.sites.get(catalogue.bouquets.get(line.bouquetId)?.siteId ?? 0n);
  if (!site) throw new Error(`Line ${line.id} is of no site`);
  const rules = termRules(site);
  const today = midnight(localDate(at, rules.timeZone), rules.timeZone);
  const pause = subscriptions.get(line.subscriptionId)?.pause;
  const until = pause && pause.until < today ? pause.until : today;
  // As if the pause ended now: what it has stopped until now lies behind.
  const resumed = pause ? afterPause([line], { from: pause.from, to: until }, rules) : [];
  const [now = line] = resumed;
  if (now.to.getTime() <= today.getTime()) return 0n;
  const net = line.price - sumOfTaxes(line.taxes);
  const { all, unused } = daysOf(now, today, rules);
  return all === 0 ? net : net - halfUp(net * BigInt(all - unused), BigInt(all));
}
