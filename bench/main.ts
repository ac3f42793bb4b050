/**
 * `npm run bench`: how fast the product is, against what somebody would otherwise use. See
 * README.md here for what each figure is.
 *
 *   npm run bench -- [--json FILE] [--only NAME[,NAME]] [--seconds N] [--rounds N]
 *                    [--size small|full]
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { benchDispatch } from './dispatch.ts';
import { benchEvidence } from './evidence.ts';
import { benchHistory } from './history.ts';
import { stopDatabases } from './house.ts';
import { type Plan, type Result, table } from './measure.ts';
import { benchMoney } from './money.ts';
import { benchPicture } from './picture.ts';
import { benchRenewals } from './renewals.ts';
import { missingTools } from './tools.ts';
import { benchUssd } from './ussd.ts';

type Bench = (wanted: ReadonlySet<string>, plan: Plan) => Promise<Result[]>;

const NIGHTS = ['renewals-prepaid', 'renewals-postpaid', 'renewals-payments', 'renewals-restart'];

/** Figures that share servers and rounds. */
const BENCHES: readonly { figures: readonly string[]; run: Bench }[] = [
  { figures: ['settlement', 'payments-http', 'payments-http-p99', 'queue'], run: benchMoney },
  { figures: ['ussd', 'ussd-plain'], run: benchUssd },
  { figures: ['time-to-picture', 'recovery'], run: benchPicture },
  { figures: ['dispatch-window', 'bulk-switch'], run: benchDispatch },
  { figures: ['history-blocks', 'history-wal'], run: benchHistory },
  { figures: NIGHTS, run: benchRenewals },
  { figures: ['verify', 'as-of'], run: benchEvidence },
];
/** Asked for by name alone: it answers a question of design, not how fast the product is. */
const ON_DEMAND = new Set(['queue']);
/** Names for several. */
const GROUPS: Record<string, readonly string[]> = {
  renewals: NIGHTS,
};
const FIGURES = BENCHES.flatMap(({ figures }) => figures);

interface Options extends Plan {
  wanted: ReadonlySet<string>;
  json: string | undefined;
}

function readOptions(): Options | string {
  const { values } = parseArgs({
    options: {
      json: { type: 'string' },
      only: { type: 'string' },
      seconds: { type: 'string', default: '5' },
      rounds: { type: 'string', default: '5' },
      size: { type: 'string', default: 'small' },
    },
  });
  const wanted =
    values.only?.split(',').flatMap((name) => GROUPS[name] ?? name) ??
    FIGURES.filter((figure) => !ON_DEMAND.has(figure));
  const unknown = wanted.filter((name) => !FIGURES.includes(name));
  if (unknown.length > 0) return `--only knows ${FIGURES.join(', ')}; not ${unknown.join(', ')}.`;
  const [seconds, rounds] = [Number(values.seconds), Number(values.rounds)];
  const whole = (n: number): boolean => Number.isInteger(n) && n > 0;
  if (!whole(seconds) || !whole(rounds)) return '--seconds and --rounds are whole numbers from 1.';
  const { size } = values;
  if (size !== 'small' && size !== 'full') return '--size is small or full.';
  return { wanted: new Set(wanted), json: values.json, seconds, rounds, size };
}

async function main(): Promise<void> {
  const options = readOptions();
  const refusal = typeof options === 'string' ? options : missingTools();
  if (typeof options === 'string' || refusal) {
    process.stderr.write(`${refusal}\n`);
    process.exitCode = 1;
    return;
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void stopDatabases().finally(() => process.exit(1)));
  }
  const results: Result[] = [];
  for (const { figures, run } of BENCHES) {
    if (!figures.some((figure) => options.wanted.has(figure))) continue;
    process.stderr.write(`${figures.filter((figure) => options.wanted.has(figure)).join(', ')}\n`);
    results.push(...(await run(options.wanted, options)));
  }
  process.stdout.write(`${table(results)}\n`);
  if (options.json) writeFileSync(options.json, `${JSON.stringify({ results }, null, 2)}\n`);
}

await main();
