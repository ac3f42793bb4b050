import client from 'prom-client';

interface Declared {
  kind: 'counter' | 'histogram' | 'gauge';
  help: string;
  labels: readonly string[];
  buckets?: readonly number[];
}

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10] as const;

/** Every metric there is. A name or label that does not stand here does not compile. */
export const METRICS = {
  vip_http_request_seconds: {
    kind: 'histogram',
    help: 'Time from the first byte of a request to the end of its answer, by route',
    labels: ['route', 'method', 'status'],
    buckets: SECONDS,
  },
  vip_settlement_batch_size: {
    kind: 'histogram',
    help: 'Commands settled in one transaction',
    labels: [],
    buckets: [1, 2, 4, 8, 16, 32, 64],
  },
  vip_settlement_batch_seconds: {
    kind: 'histogram',
    help: 'Time of one settlement transaction, from its first statement to its commit',
    labels: [],
    buckets: SECONDS,
  },
  vip_payments_total: {
    kind: 'counter',
    help: 'Notices of money and TV units, by channel and by what became of them',
    labels: ['channel', 'outcome'],
  },
  vip_missed_payments_total: {
    kind: 'counter',
    help: "Payments found in an operator's own list that no notice had told of",
    labels: ['channel'],
  },
  vip_refused_notices_total: {
    kind: 'counter',
    help: 'Messages turned away at a door, by reason',
    labels: ['reason'],
  },
  vip_vouchers_refused_total: {
    kind: 'counter',
    help: 'Scratch cards that were not taken, by reason; wrong_codes: who tried must wait',
    labels: ['reason'],
  },
  vip_ussd_turns_total: {
    kind: 'counter',
    help: 'Screens answered on USSD, by provider and by how the turn ended',
    labels: ['provider', 'outcome'],
  },
  vip_dispatch_results_total: {
    kind: 'counter',
    help: 'Answers of each head-end to sets of rights',
    labels: ['cas', 'result'],
  },
  vip_time_to_picture_seconds: {
    kind: 'histogram',
    help: 'From what raised a set of rights (a payment) to the head-end having it, and to ON AIR',
    labels: ['cas', 'stage'],
    buckets: [0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 120, 600, 3600],
  },
  vip_rebroadcasts_total: {
    kind: 'counter',
    help: 'Rights broadcast afresh: by themselves or because somebody asked, by result',
    labels: ['cas', 'why', 'result'],
  },
  vip_osd_total: {
    kind: 'counter',
    help: 'On-screen messages handed to each head-end, by result',
    labels: ['cas', 'result'],
  },
  vip_dispatch_ended_total: {
    kind: 'counter',
    help: 'Sets of rights that failed for a day and are tried once a day from then on',
    labels: ['cas'],
  },
  vip_commands_total: {
    kind: 'counter',
    help: 'Answers of the head-end to all other commands that were ordered of it',
    labels: ['cas', 'result'],
  },
  vip_texts_in_total: {
    kind: 'counter',
    help: 'Texts from subscribers, by what they were understood as',
    labels: ['intent'],
  },
  vip_texts_total: {
    kind: 'counter',
    help: 'Texts handed to providers, by result',
    labels: ['provider', 'result'],
  },
  vip_job_runs_total: {
    kind: 'counter',
    help: 'Runs of scheduled jobs, by result',
    labels: ['job', 'result'],
  },
  vip_settlement_waiting: {
    kind: 'gauge',
    help: 'Commands waiting for a settlement transaction in this process',
    labels: [],
  },
  vip_cards_waiting: {
    kind: 'gauge',
    help: 'Cards of each head-end whose rights are not yet on air',
    labels: ['cas'],
  },
  vip_cas_connected: {
    kind: 'gauge',
    help: '1 while this process has a session with the head-end, else 0',
    labels: ['cas'],
  },
  vip_cas_breaker: {
    kind: 'gauge',
    help: '0: closed; 1: open, nothing is sent because everything failed; 0.5: being tried again',
    labels: ['cas'],
  },
  vip_cas_emm_waiting: {
    kind: 'gauge',
    help: 'EMMs waiting for their first broadcast, as the head-end told when they were many',
    labels: ['cas'],
  },
  vip_work_items_open: {
    kind: 'gauge',
    help: 'Refused cards and commands that a person must look at, by code',
    labels: ['code'],
  },
  vip_reconciliation_age_seconds: {
    kind: 'gauge',
    help: 'Since the last whole comparison with each head-end ended; without one, since 1970',
    labels: ['cas'],
  },
  vip_reconciliation_variance: {
    kind: 'gauge',
    help: 'Of the last whole comparison: cards that differ of those active, 0 to 1',
    labels: ['cas'],
  },
  vip_reconciliation_differences: {
    kind: 'gauge',
    help: 'Differences from the head-ends that are not verified to be gone, by class A to E',
    labels: ['class'],
  },
  vip_cards_paid_but_dark: {
    kind: 'gauge',
    help: 'Cards that are paid and not on air, or complained about',
    labels: [],
  },
  vip_texts_waiting: { kind: 'gauge', help: 'Texts not yet sent', labels: [] },
  vip_osd_waiting: { kind: 'gauge', help: 'On-screen messages not yet sent', labels: [] },
  vip_campaign_commands_waiting: {
    kind: 'gauge',
    help: 'Commands of campaigns on screen that wait for the head-end',
    labels: [],
  },
  vip_commands_waiting: {
    kind: 'gauge',
    help: 'Ordered commands that the head-end has not answered for good',
    labels: [],
  },
  vip_parked_notices: {
    kind: 'gauge',
    help: 'Notices received and kept, but not understood yet',
    labels: [],
  },
  vip_unsealed_seconds: {
    kind: 'gauge',
    help: 'Age of the oldest row that should be sealed and is not',
    labels: [],
  },
  vip_accounts_to_bill: {
    kind: 'gauge',
    help: 'Postpaid accounts whose work of a day is due',
    labels: [],
  },
  vip_postpaid_receipts_waiting: {
    kind: 'gauge',
    help: 'Money taken in for postpaid accounts that they do not have yet',
    labels: [],
  },
  vip_collections_open: {
    kind: 'gauge',
    help: 'Payments of postpaid accounts asked for, without an outcome yet',
    labels: [],
  },
} as const satisfies Record<string, Declared>;

type Table = typeof METRICS;
type NamesOf<K extends Declared['kind']> = {
  [N in keyof Table]: Table[N]['kind'] extends K ? N : never;
}[keyof Table];
export type LabelsOf<N extends keyof Table> = Record<Table[N]['labels'][number], string>;

/** A number, or one for each value of the gauge's only label. */
export type Gauged = number | ReadonlyMap<string, number>;

export interface Metrics {
  /** Adds one. */
  count<N extends NamesOf<'counter'>>(name: N, labels: LabelsOf<N>): void;
  /**
   * Shows a counter at 0 before it first counts. What an alert waits for must be shown so: from no
   * series to 1 is no increase (Prometheus, "Avoid missing metrics").
   */
  expect<N extends NamesOf<'counter'>>(name: N, labels: LabelsOf<N>): void;
  /** Notes one value, in the unit that ends the name. */
  observe<N extends NamesOf<'histogram'>>(name: N, labels: LabelsOf<N>, value: number): void;
  /**
   * Asks `fn` whenever the metrics are read; when it fails, the gauge is left out. A gauge with a
   * label is answered by its values, at most `SERIES_LIMIT` of them.
   */
  gauge(name: NamesOf<'gauge'>, fn: () => Gauged | Promise<Gauged>): void;
  /** Everything, in the text format of Prometheus. */
  text(): Promise<string>;
  contentType: string;
}

/** A label that varies without end would fill the memory: beyond this many it reads `other`. */
const SERIES_LIMIT = 300;

/** The metrics of this process, those of Node among them, in a registry of their own. */
export function createMetrics(): Metrics {
  const registry = new client.Registry();
  client.collectDefaultMetrics({ register: registry });
  const counters = new Map<string, client.Counter>();
  const histograms = new Map<string, client.Histogram>();
  const gauges = new Map<string, () => Gauged | Promise<Gauged>>();
  for (const [name, declared] of Object.entries<Declared>(METRICS)) {
    const { kind, help } = declared;
    const options = { name, help, labelNames: declared.labels, registers: [registry] };
    if (kind === 'counter') counters.set(name, new client.Counter(options));
    if (kind === 'histogram') {
      const buckets = [...(declared.buckets ?? SECONDS)];
      histograms.set(name, new client.Histogram({ ...options, buckets }));
    }
  }
  const bounded = createSeriesBound();
  return {
    count: (name, labels) => counters.get(name)?.inc(bounded(name, labels)),
    expect: (name, labels) => counters.get(name)?.inc(bounded(name, labels), 0),
    observe: (name, labels, value) => histograms.get(name)?.observe(bounded(name, labels), value),
    gauge: (name, fn) => void gauges.set(name, fn),
    text: async () => [await registry.metrics(), ...(await gaugeLines(gauges))].join('\n'),
    contentType: registry.contentType,
  };
}

async function gaugeLines(
  gauges: ReadonlyMap<string, () => Gauged | Promise<Gauged>>,
): Promise<string[]> {
  const lines = [...gauges].map(async ([name, fn]) => {
    try {
      const { help, labels }: Declared = METRICS[name as keyof Table];
      const head = `# HELP ${name} ${help}\n# TYPE ${name} gauge\n`;
      return head + series(name, labels[0], await fn());
    } catch {
      return '';
    }
  });
  return Promise.all(lines);
}

function series(name: string, label: string | undefined, gauged: Gauged): string {
  if (typeof gauged === 'number') return `${name} ${gauged}\n`;
  return [...gauged]
    .slice(0, SERIES_LIMIT)
    .map(([value, number]) => `${name}{${label}=${JSON.stringify(value)}} ${number}\n`)
    .join('');
}

function createSeriesBound() {
  const seen = new Map<string, Set<string>>();
  return (name: string, labels: Record<string, string>): Record<string, string> => {
    const series = seen.get(name) ?? new Set();
    seen.set(name, series);
    const key = Object.values(labels).join('\n');
    if (series.has(key)) return labels;
    if (series.size < SERIES_LIMIT) {
      series.add(key);
      return labels;
    }
    return Object.fromEntries(Object.keys(labels).map((label) => [label, 'other']));
  };
}
