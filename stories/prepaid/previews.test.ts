import fc from 'fast-check';
import type { LineFacts } from '../../src/billing/settlement/facts.ts';
import type { Preview, PreviewLine } from '../../src/billing/settlement/preview.ts';
import { sumOfTaxes } from '../../src/billing/settlement/taxes.ts';
import type { Mode } from '../result.ts';
import { commandOf, perform, type Story } from './actions.ts';
import type { Action, Case } from './file.ts';
import { histories, PLANS } from './histories.ts';
import type { Wallet } from './house.ts';
import { openHouse } from './houses.ts';
import { setupOf } from './setup.ts';

/**
 * Goal: what is shown before an act is what the act then does, and showing it changes nothing.
 * Method: histories made by chance over every action; before each act its preview, and what can be
 * read of lines and wallets before it, behind the preview, and behind the act.
 */
const ACTIONS_MAX = 20;
const PAPER_RUNS = 25;
const TABLE_RUNS = 3;
const REFS = ['s1', 's2', 's3'];
const ACCOUNTS = ['main', 'other'];

interface Seen {
  lines: readonly LineFacts[];
  wallets: readonly Wallet[];
}

async function look({ house }: Story): Promise<Seen> {
  const lines = await Promise.all(REFS.map((ref) => house.lines(ref)));
  const wallets = await Promise.all(ACCOUNTS.map((account) => house.wallet(account)));
  return { lines: lines.flat(), wallets };
}

const shown = (line: LineFacts, change: PreviewLine['change']): string =>
  written({ ...line, tax: sumOfTaxes(line.taxes), change });

const written = ({ change, tax, ...line }: PreviewLine): string => {
  const { subscriptionId, bouquetId, kind, from, to, asset, price } = line;
  const place = [change, subscriptionId, bouquetId, kind, from.toISOString(), to.toISOString()];
  return [...place, asset, price, tax].join(' ');
};

/** The lines that an act made and moved. */
function newLines(before: Seen, after: Seen): string[] {
  const was = new Map(before.lines.map((line) => [line.id, line]));
  return after.lines.flatMap((line) => {
    const known = was.get(line.id);
    if (!known) return [shown(line, 'new')];
    return shown(known, 'new') === shown(line, 'new') ? [] : [shown(line, 'changed')];
  });
}

/** What ended, by what stood there no more. */
function endedLines(before: Seen, after: Seen): number {
  const stands = new Set(after.lines.map(({ id }) => id));
  return before.lines.filter(({ id }) => !stands.has(id)).length;
}

const sums = (wallets: readonly { paid: bigint; promo: bigint }[]): [bigint, bigint] => [
  wallets.reduce((sum, { paid }) => sum + paid, 0n),
  wallets.reduce((sum, { promo }) => sum + promo, 0n),
];

function gained(before: Seen, after: Seen): [bigint, bigint] {
  const [a, b] = [sums(before.wallets), sums(after.wallets)];
  return [b[0] - a[0], b[1] - a[1]];
}

interface Tried {
  action: Action;
  preview: Preview;
  answer: unknown;
  before: Seen;
  between: Seen;
  after: Seen;
}

function check({ action, preview, answer, before, between, after }: Tried): void {
  expect([action, between]).toEqual([action, before]);
  const { state, code } = preview.settled;
  const refused = state === 'refused' ? code : null;
  expect([action, (answer as { error: string | null }).error]).toEqual([action, refused]);
  const lines = preview.lines.filter(({ change }) => change !== 'ended');
  const ended = preview.lines.length - lines.length;
  const wanted = lines.map(written).sort();
  expect([action, wanted]).toEqual([action, newLines(before, after).sort()]);
  expect([action, ended]).toEqual([action, endedLines(before, after)]);
  expect([action, sums(preview.wallets)]).toEqual([action, gained(before, after)]);
}

async function tell(one: Case, mode: Mode): Promise<number> {
  const setup = setupOf(
    { meta: { format: 'prepaid-cases/1', defaults: {} }, plans: PLANS, cases: [one] },
    one,
  );
  const house = await openHouse(setup, mode);
  const story: Story = { setup, house, accounts: new Map(), keys: new Map() };
  const done = new Set<string>();
  try {
    for (const action of one.timeline) {
      await house.due(new Date(action.instant));
      const command = await commandOf(story, action);
      const key = command && `${command.provider}|${command.receipt}`;
      if (!command || key === null || done.has(key)) {
        await perform(story, action);
        continue;
      }
      done.add(key);
      const before = await look(story);
      const preview = await house.preview(command);
      const between = await look(story);
      const answer = await perform(story, action);
      check({ action, preview, answer, before, between, after: await look(story) });
    }
    return done.size;
  } finally {
    await house.close();
  }
}

describe('a preview', () => {
  it.each([
    ['pure', PAPER_RUNS],
    ['postgres', TABLE_RUNS],
  ] as const)(
    'says what the act then does, and changes nothing (%s)',
    async (mode, numRuns) => {
      await fc.assert(
        fc.asyncProperty(histories(ACTIONS_MAX), async (one) => {
          expect(await tell(one, mode)).toBeGreaterThan(0);
        }),
        { numRuns },
      );
    },
    120_000,
  );
});
