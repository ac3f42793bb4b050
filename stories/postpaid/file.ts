/** What a file of postpaid cases may say (`billing-cases/2`), as far as it is executed. */
export interface Action {
  seq: number;
  on: string;
  action: string;
  at?: 'open';
  /** RFC 3339 in UTC, so that texts compare like times. */
  instant?: string;
  account?: string;
  [field: string]: unknown;
}

export type Step = { before: number } | { after: number };

export interface Item {
  type: string;
  from: string;
  to: string | null;
  amount: string;
  ref?: string;
}

export interface InvoiceExpectation {
  on: string;
  invoice: Item[];
  total: string;
  account?: string;
  nth?: number;
  payment?: string;
  as_of?: { on: string; step?: Step };
  alternative?: { under: Record<string, unknown>; invoice: Item[]; total: string };
}

export interface Check {
  on: string;
  check: string;
  value: unknown;
  account?: string;
  step?: Step;
  instant?: string;
  [field: string]: unknown;
}

export type Expectation = InvoiceExpectation | Check;

export const isCheck = (one: Expectation): one is Check => 'check' in one;

export type Config = Record<string, unknown>;

export interface Case {
  id: string;
  catalog?: string[];
  config: Config;
  timeline: Action[];
  expected: Expectation[];
}

export interface BillingFile {
  meta: { format: string; defaults: Config };
  plans: Record<string, Record<string, unknown>>;
  cases: Case[];
}
