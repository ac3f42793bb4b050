/**
 * When all is quiet: do both sides' books agree, is on the air what was paid for, and is nothing
 * left to do? Every disagreement is one sentence. Nothing here changes anything.
 */
import type { VipControlServer } from '../../simulators/head-end/server.ts';
import { checkBooks, checkPrepaid } from '../../src/billing/ledger/check.ts';
import { balanceOf } from '../../src/billing/ledger/store.ts';
import type { Settled } from '../../src/billing/settlement/commands.ts';
import { DUE_ORDER } from '../../src/billing/settlement/due.ts';
import { listDue } from '../../src/billing/settlement/due-list.ts';
import { RELEASE_GRACE_MS } from '../../src/entitlement/dispatch/holds.ts';
import type { Base } from './base.ts';
import { airFaults } from './check-air.ts';
import { type ConsoleEvidence, consoleFaults } from './check-console.ts';
import type { HeadEndHouse } from './head-end.ts';
import type { BookLine } from './operator.ts';

export interface Evidence extends ConsoleEvidence {
  base: Base;
  lines: readonly BookLine[];
  /** What those who asked for something were told. */
  answers: ReadonlyMap<string, Settled>;
  headEnd: VipControlServer;
  /** How often the head-end executed each command. */
  executions: ReadonlyMap<string, number>;
  /** The messages that it was given. */
  messages: ReturnType<HeadEndHouse['messages']>;
  /** Names of messages that a restore made us forget. */
  forgotten: ReadonlySet<string>;
  now: Date;
}

export interface Findings {
  faults: string[];
  /** How many comparisons were made. */
  checks: number;
}

const UNIT_PRICE_MINOR = 100n;

/** Makes every comparison. */
export async function inspect(evidence: Evidence): Promise<Findings> {
  const parts = [
    await receiptFaults(evidence),
    await clearingFaults(evidence),
    await answerFaults(evidence),
    zeroFaults('books', await checkBooks(evidence.pool)),
    zeroFaults('prepaid', await checkPrepaid(evidence.pool)),
    await airFaults(evidence),
    await messageFaults(evidence),
    await consoleFaults(evidence),
    await dueFaults(evidence),
  ];
  return {
    faults: parts.flatMap(({ faults }) => faults),
    checks: parts.reduce((sum, { checks }) => sum + checks, 0),
  };
}

function zeroFaults(what: string, counts: object): Findings {
  const all = Object.entries(counts);
  const wrong = all.filter(([, count]) => count !== 0);
  return { checks: all.length, faults: wrong.map(([name, n]) => `${what}: ${name} ${n}`) };
}

interface Posting {
  receipt: string;
  state: string;
  credits: number;
  amount: bigint;
  owner: string | null;
}

/** Each receipt is in our inbox once, and credited once: to its card's owner, or in suspense. */
async function receiptFaults({ pool, lines, base }: Evidence): Promise<Findings> {
  const { rows } = await pool.query<Posting>(
    `SELECT i.receipt, i.state, count(e.amount)::int AS credits,
            coalesce(sum(e.amount), 0)::bigint AS amount, min(a.owner) AS owner
       FROM inbox i
       LEFT JOIN journal j ON j.inbox_id = i.id AND j.kind IN ('payment', 'tvu_notice')
       LEFT JOIN entry e ON e.journal_id = j.id AND EXISTS (
            SELECT FROM account a WHERE a.id = e.account_id
               AND a.kind IN ('wallet_paid', 'tvu_wallet', 'suspense'))
       LEFT JOIN account a ON a.id = e.account_id
      WHERE i.provider IN ('mpesa', 'ke-tvu')
      GROUP BY i.id`,
  );
  const ours = new Map(rows.map((row) => [row.receipt, row]));
  const theirs = new Set(lines.map(({ receipt }) => receipt));
  const owners = new Map(base.subscribers.map(({ card, id }) => [card, `subscriber:${id}`]));
  return {
    checks: rows.length + lines.length,
    faults: [
      ...rows
        .filter(({ receipt }) => !theirs.has(receipt))
        .map(({ receipt }) => `receipt ${receipt}: in our books, not in the operator's`),
      ...lines.flatMap((line) => postingFaults(line, ours.get(line.receipt), owners)),
    ],
  };
}

function postingFaults(
  { receipt, card, amount }: BookLine,
  ours: Posting | undefined,
  owners: ReadonlyMap<string, string>,
): string[] {
  if (!ours) return [`receipt ${receipt}: moved at the operator, lost by us`];
  const owner = card === null ? undefined : owners.get(card);
  const faults: string[] = [];
  const expect = (what: string, is: unknown, should: unknown) => {
    if (is !== should) faults.push(`receipt ${receipt}: ${what} ${is}, expected ${should}`);
  };
  expect('credited so many times:', ours.credits, 1);
  expect('amount', ours.amount, amount);
  if (owner) expect('owner', ours.owner, owner);
  if (ours.state === 'parked') faults.push(`receipt ${receipt}: parked`);
  return faults;
}

/** Money on both books, to the minor unit. */
async function clearingFaults({ pool, lines, base }: Evidence): Promise<Findings> {
  const faults: string[] = [];
  for (const [kind, channel, price] of [
    ['payment', base.channels.money, 1n],
    ['tvu', base.channels.tvu, UNIT_PRICE_MINOR],
  ] as const) {
    const { rows } = await pool.query(
      `SELECT id FROM account WHERE owner = $1 AND kind = 'provider_clearing'`,
      [`channel:${channel.id}`],
    );
    const ours = -(await balanceOf(pool, rows[0]?.id ?? 0n));
    const theirs = lines
      .filter((line) => line.kind === kind && !line.isReversed)
      .reduce((sum, { amount }) => sum + amount * price, 0n);
    if (ours !== theirs) {
      faults.push(`clearing of ${channel.id}: ours ${ours}, the operator's ${theirs} minor units`);
    }
  }
  return { checks: 2, faults };
}

/** What was answered is what is kept: nobody was told of something that then was not. */
async function answerFaults({ pool, answers }: Evidence): Promise<Findings> {
  const { rows } = await pool.query<{ receipt: string; state: string; ref: string }>(
    `SELECT receipt, state, outcome->'settled'->>'ref' AS ref FROM inbox
      WHERE provider = 'vip' AND receipt = ANY($1)`,
    [[...answers.keys()]],
  );
  const kept = new Map(rows.map(({ receipt, state, ref }) => [receipt, `${state} ${ref}`]));
  const faults = [...answers].flatMap(([receipt, { state, ref }]) => {
    const [told, is] = [`${state} ${ref}`, kept.get(receipt)];
    return told === is ? [] : [`${receipt}: told ${told}, kept ${is ?? 'nothing'}`];
  });
  return { checks: answers.size, faults };
}

/** Each message of one cause is written once, and shown once when it was sent. */
async function messageFaults(evidence: Evidence): Promise<Findings> {
  const { pool, executions, messages, forgotten } = evidence;
  const { rows } = await pool.query<{ id: bigint; state: string; target: string; body: string }>(
    `SELECT id, state, target, body FROM outbound WHERE kind = 'osd'`,
  );
  const twice = await pool.query(
    `SELECT inbox_id, template, target FROM outbound WHERE inbox_id IS NOT NULL
      GROUP BY inbox_id, template, target HAVING count(*) > 1`,
  );
  const shown = new Map([...executions].filter(([name]) => name.startsWith('osd.')));
  const faults = rows.flatMap(({ id, state, target, body }) => {
    const name = `osd.${id}`;
    const times = shown.get(name) ?? 0;
    shown.delete(name);
    const given = messages.get(name);
    if (given && (given.card !== target || given.text !== body)) {
      return [`message ${id}: the head-end has another one under its name`];
    }
    if (times > 1) return [`message ${id}: shown ${times} times`];
    return state === 'sent' && times === 0 ? [`message ${id}: sent, and never shown`] : [];
  });
  return {
    checks: rows.length + 1,
    faults: [
      ...faults,
      ...twice.rows.map(({ template, target }) => `message ${template} to ${target}: twice`),
      ...[...shown.keys()]
        .filter((name) => !forgotten.has(name))
        .map((name) => `${name}: shown, though we never sent it`),
    ],
  };
}

/** What should have been done by now, and was not. */
const LEFT: Readonly<Record<string, string>> = {
  'rights wait': 'SELECT 1 FROM card_rights WHERE next_at <= $1',
  'messages wait': 'SELECT 1 FROM outbound WHERE next_at <= $1',
  'differences with the head-end are open': `SELECT 1 FROM reconciliation_difference d
     WHERE found_at <= $1
       AND NOT EXISTS (SELECT FROM reconciliation_closing WHERE difference_id = d.id)`,
  'refreshes wait': 'SELECT 1 FROM card_refresh WHERE next_at <= $1',
  'notices are parked': `SELECT 1 FROM inbox WHERE state = 'parked' AND received_at <= $1`,
};

async function dueFaults({ pool, now }: Evidence): Promise<Findings> {
  const faults: string[] = [];
  for (const [what, sql] of Object.entries(LEFT)) {
    const { rowCount } = await pool.query(sql, [now]);
    if (rowCount) faults.push(`${rowCount} ${what}`);
  }
  const held = new Date(now.getTime() - RELEASE_GRACE_MS);
  for (const kind of DUE_ORDER) {
    const due = await listDue(pool, kind === 'release_event' ? held : now, [kind]);
    if (due.length > 0) faults.push(`due for ever: ${due.length} of ${kind}`);
  }
  return { checks: Object.keys(LEFT).length + DUE_ORDER.length, faults };
}
