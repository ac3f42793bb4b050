/** The pages of docs/reference, from the catalogues that the product itself works with. */
import { readFileSync } from 'node:fs';
import { OWN_PROBLEMS } from '../../src/backoffice/api/problems.ts';
import {
  CONFLICTS,
  PARTNER_PERMISSIONS,
  PERMISSIONS,
  permissionsOf,
  ROLES,
  type RoleName,
} from '../../src/backoffice/people/permissions.ts';
import { REFUSALS, SUSPENSE_REASONS } from '../../src/billing/errors.ts';
import { METRICS } from '../../src/platform/metrics.ts';
import { SETTINGS } from '../../src/platform/settings.ts';
import { REFUSED } from '../../src/telecom/refused.ts';
import { table } from './table.ts';

/** Path to text of every page that is made as a whole. */
export function referencePages(): Record<string, string> {
  return {
    'docs/reference/errors.md': page('Errors', errors()),
    'docs/reference/roles.md': page('Roles', roles()),
    'docs/reference/metrics.md': page('Metrics', metrics()),
    'docs/reference/settings.md': page('Settings', settings()),
  };
}

const NOTICE = 'Made from the code by `npm run reference`; do not edit.';

const page = (title: string, parts: readonly string[]): string =>
  `${[`# ${title}`, NOTICE, ...parts].join('\n\n')}\n`;

const code = (text: string): string => `\`${text}\``;

/** Keys of a language file that say why something was refused, by their code. */
export function spokenRefusals(language: 'en' | 'fr'): Map<string, string> {
  const texts: Record<string, string> = JSON.parse(
    readFileSync(`config/language/${language}.json`, 'utf8'),
  );
  const prefix = 'refusal.';
  return new Map(
    Object.entries(texts)
      .filter(([key]) => key.startsWith(prefix))
      .map(([key, text]) => [key.slice(prefix.length), text]),
  );
}

function errors(): string[] {
  const refusals = Object.entries(REFUSALS).map(([name, { sentence, httpStatus }]) => [
    code(name),
    httpStatus,
    sentence,
  ]);
  const french = spokenRefusals('fr');
  const spoken = [...spokenRefusals('en')].map(([name, text]) => [
    code(name),
    text,
    french.get(name) ?? '',
  ]);
  const problems = Object.entries(OWN_PROBLEMS).map(([name, { status, title }]) => [
    code(name),
    status,
    title,
  ]);
  const reasons = (of: Readonly<Record<string, string>>) =>
    Object.entries(of).map(([name, sentence]) => [code(name), sentence]);
  return [
    '## Refusals',
    'Why a command was refused. Nothing has moved, and a repeat of the same command gets the\n' +
      'same answer.',
    table(['code', 'HTTP', 'what it means'], refusals),
    '## What a subscriber reads',
    'The words of a refusal on the screen of a phone. A code without words of its own is said\n' +
      'as `try_later`.',
    table(['code', 'English', 'French'], spoken),
    '## Reasons of suspense',
    'Money that has moved is never refused. When its owner is not known it is booked as\n' +
      'suspense, until somebody says whose it is.',
    table(['reason', 'what it means'], reasons(SUSPENSE_REASONS)),
    '## Problems of the API',
    'What the [API](../guides/api.md) answers beside the refusals above, as\n' +
      '`application/problem+json` with this code.',
    table(['code', 'HTTP', 'what it means'], problems),
    '## Refused at the door',
    'Requests under `/hooks` that moved nothing. They are kept in the table `refused_notice`,\n' +
      'and logged as `notice.refused`.',
    table(['reason', 'what it means'], reasons(REFUSED)),
  ];
}

function roles(): string[] {
  const made = Object.entries(ROLES).map(([name, { about }]) => [
    code(name),
    about,
    permissionsOf([name as RoleName])
      .map(code)
      .join(', '),
  ]);
  const permissions = Object.entries(PERMISSIONS).map(([name, about]) => [code(name), about]);
  const apart = CONFLICTS.map(([one, other, why]) => [code(one), code(other), why]);
  return [
    'What members of staff may do through the [API](../guides/api.md), at the sites they are\n' +
      'given.',
    table(['role', 'who', 'permissions'], made),
    '## Permissions',
    table(['permission', 'what it lets its holder do'], permissions),
    `A partner's key carries at most ${PARTNER_PERMISSIONS.map(code).join(', ')}.`,
    '## Duties kept apart',
    'Roles that bring two of these together are refused, and so is an auditor who would act.',
    table(['permission', 'not with', 'because'], apart),
  ];
}

function metrics(): string[] {
  const rows = Object.entries(METRICS).map(([name, { kind, help, labels }]) => [
    code(name),
    kind,
    labels.map(code).join(', '),
    help,
  ]);
  return [
    '`GET /metrics` answers in the text format of Prometheus, with those of Node\n' +
      '(`process_…`, `nodejs_…`) beside these.',
    table(['metric', 'kind', 'labels', 'what it counts'], rows),
  ];
}

interface Setting {
  about: string;
  must: string;
  default?: string;
  example?: string;
}

function settings(): string[] {
  const rows = Object.entries<Setting>(SETTINGS).map(([name, setting]) => [
    code(name),
    setting.default === undefined ? '' : code(setting.default),
    setting.about,
    `must ${setting.must}${setting.example ? `, as ${code(setting.example)}` : ''}`,
  ]);
  return [
    'Read once from the environment at the start. A wrong value stops the start with a sentence\n' +
      'that names the setting; an empty one counts as none. `.env.example` is a file to begin\n' +
      'with.',
    table(['setting', 'default', 'what it does', 'value'], rows),
  ];
}
