/** Opens campaigns on screen: their words are written as those of texts are. */
import type { Pool } from 'pg';
import type { Catalogue } from './billing/catalogue/rules.ts';
import { type Campaigns, createCampaigns } from './entitlement/campaigns/service.ts';
import { createCasCommands } from './entitlement/commands/service.ts';
import { currencyExponent } from './platform/money/amount.ts';
import type { Clock, Logger } from './platform/ports.ts';
import { systemRandom } from './platform/system.ts';
import { amountText, createDates } from './telecom/language.ts';

interface Opening {
  pool: Pool;
  clock: Clock;
  catalogue(): Catalogue;
  logger: Logger;
}

/** Campaigns over the queue of commands, which whoever dispatches sends. */
export function openCampaigns(opening: Opening): Campaigns {
  const { lastDay } = createDates();
  return createCampaigns({
    ...{ ...opening, random: systemRandom, commands: createCasCommands(opening) },
    wording: { amount: amountOf, lastDay },
  });
}

function amountOf(minor: bigint, currency: string): string {
  const known = currencyExponent(currency);
  if (!known.ok) throw new Error(`A site with the unknown currency ${currency}`);
  return amountText(minor, currency, known.exponent);
}
