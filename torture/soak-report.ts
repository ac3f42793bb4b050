/** A run in words and numbers. */
import { compared } from './report.ts';
import type { SoakOptions, SoakResult } from './soak.ts';

const FAULTS_SHOWN_MAX = 40;

/** Some lines about a run: what was done to the product, and what was compared after. */
export function describeSoak(
  { seed, minutes }: Pick<SoakOptions, 'seed' | 'minutes'>,
  { injected, measured, faults }: SoakResult,
): string {
  const done = Object.entries(injected).sort(([a], [b]) => a.localeCompare(b));
  const troubles = done.map(([name, count]) => `  ${String(count).padStart(4)} ${name}`);
  return [
    'broken:',
    ...troubles,
    ...(measured ? describeMeasured(measured) : []),
    ...faults.slice(0, FAULTS_SHOWN_MAX).map((fault) => `FAULT ${fault}`),
    ...(faults.length > FAULTS_SHOWN_MAX ? [`and so on, ${faults.length} in all`] : []),
    `${minutes} minutes with seed ${seed}: ${faults.length === 0 ? 'passed' : 'FAILED'}`,
  ].join('\n');
}

function describeMeasured(measured: NonNullable<SoakResult['measured']>): string[] {
  const { sent, late, lost, duplicates, played, quietMs, counts, homes } = measured;
  return [
    `sent: ${sent} messages, of these ${duplicates} twice, ${late} late, ${lost} at the very ` +
      `end; ${played.unanswered} not answered at first, ${played.resent} sent again`,
    `quiet after ${quietMs === null ? 'never' : `${(quietMs / 1_000).toFixed(1)} s`}`,
    `compared: ${compared(counts)}`,
    `homes: ${homes.alike} hold what their card has, ${homes.pictures} with a picture; ` +
      `${measured.messagesShown} messages came onto screens`,
    ...describeAccounts(measured.accounts),
    `evidence: ${measured.sealed.rows} rows in ${measured.sealed.blocks} blocks verified`,
  ];
}

function describeAccounts(accounts: NonNullable<SoakResult['measured']>['accounts']): string[] {
  const { activations, found, worth, overwritten, disagreements, workItems } = accounts;
  const refused = Object.entries(accounts.refused).map(([code, cards]) => `${cards} ${code}`);
  return [
    `foreign writes: ${activations} activations, ${found} found (worth KES ` +
      `${minor(worth)}), ${overwritten} overwritten by a newer set of ours; ` +
      `${accounts.differences} differences in all, each healed`,
    `data: ${disagreements} cards that the head-end saw otherwise; cards refused: ` +
      `${refused.join(', ') || 'none'}; ${workItems} work items, each with its sentence`,
  ];
}

const minor = (amount: string): string =>
  `${amount.padStart(3, '0').slice(0, -2)}.${amount.padStart(3, '0').slice(-2)}`;
