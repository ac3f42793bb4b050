/** Postpaid as the office of the tests sells it: rooms, suites, and sports beside rooms. */

import type { Pool } from 'pg';
import { CONFIG } from '../../../src/billing/postpaid/config-harness.ts';
import { writeLegalEntity } from '../../../src/billing/postpaid/legal-entities.ts';
import type { MarketTerms } from '../../../src/billing/postpaid/markets.ts';
import type { Plan } from '../../../src/billing/postpaid/plans.ts';
import {
  createPostpaidService,
  type PostpaidService,
} from '../../../src/billing/postpaid/service.ts';
import { carriageOf } from '../../../src/open-postpaid.ts';
import type { Clock, Ids, Logger } from '../../../src/platform/ports.ts';
import type { Office } from './office.ts';

const monthly = (price: bigint): Plan['phases'] => [
  { type: 'evergreen', length: null, fixed: null, price, period: 'monthly' },
];

const ROOMS: Plan = {
  code: 'ROOMS',
  billing: 'in_advance',
  phases: monthly(3_000n),
  perUnit: true,
  phasesOnChange: 'subscription_start',
  priceVersions: [],
  addOn: null,
  taxCode: 'plan',
};
const SUITES: Plan = { ...ROOMS, code: 'SUITES', phases: monthly(6_000n) };
const SPORTS: Plan = {
  ...ROOMS,
  ...{ code: 'SPORTS', phases: monthly(1_000n) },
  addOn: {
    ...{ availableWith: ['ROOMS', 'SUITES'], phasesFrom: 'subscription_start' },
    maxPerBundle: 3,
  },
};
/** Not every conditional-access system carries its product. */
const CINEMA: Plan = {
  ...{ ...ROOMS, code: 'CINEMA' },
  contents: [{ from: 0, products: ['ESS', 'CINE'] }],
};
const FILMS: Plan = { ...SPORTS, code: 'FILMS', contents: CINEMA.contents ?? [] };
/** A system without films. */
export const PLAIN_CAS = 'plain';
const carries = (casId: string, product: string) => casId !== PLAIN_CAS || product !== 'CINE';
const PLANS = new Map([ROOMS, SUITES, SPORTS, CINEMA, FILMS].map((plan) => [plan.code, plan]));

/** A gateway that is down is given up soon. */
const IMPATIENT = {
  ...CONFIG,
  gatewayDown: { ...CONFIG.gatewayDown, attemptsMax: 3 },
};

/** Value added tax of 16 %, inside the price. */
const VAT = { code: 'VAT', ppm: 160_000n, on: ['net'] };
const TERMS: MarketTerms = {
  catalogue: PLANS,
  config: IMPATIENT,
  dueDays: 14,
  taxesOn: (taxCode) => (taxCode === 'plan' ? [VAT] : []),
};

interface Parts {
  pool: Pool;
  ids: Ids;
  clock: Clock;
  logger: Logger;
  siteIds: readonly bigint[];
  fault: Office['fault'];
}

/** The service, with a gateway that approves all, counted like what is settled. */
export async function openPostpaid({ siteIds, fault, ...parts }: Parts): Promise<PostpaidService> {
  await writeLegalEntity(parts.pool, parts.ids, {
    ...{ code: 'VIP', name: 'VIP TV Ltd', taxNumber: 'P051234567X', fiscalMonth: 1, siteIds },
    ...{ invoiceFormat: 'INV-{year}-{number:6}', creditNoteFormat: 'CN-{year}-{number:6}' },
  });
  const service = createPostpaidService({
    ...{ ...parts, termsOf: () => TERMS },
    gateway: { charge: () => ({ outcome: 'approved' }) },
    carriageOf: carriageOf(parts.pool, carries),
  });
  const counted = async <T>(act: Promise<T>): Promise<T> => {
    const answer = await act;
    fault.settles += 1;
    fault.afterSettle?.();
    return answer;
  };
  return {
    ...service,
    act: (...asked) => counted(service.act(...asked)),
    transfer: (...asked) => counted(service.transfer(...asked)),
  };
}
