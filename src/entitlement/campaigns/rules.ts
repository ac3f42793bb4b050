/** What a campaign sends, whether a conditional-access system can show it, and who decides. */
import type { Capabilities } from '../vip-control/messages.ts';
import type { SentOperation, Target } from '../vip-control/operations.ts';
import type { CampaignTarget, Content, Language, Texts, WantedTarget } from './content.ts';
import { charsOf, fill, type Values, wordsFor } from './templates.ts';

/** What one conditional-access system can show, as it said last. */
export interface CasLimits {
  casId: string;
  /** Null: it was never heard of. */
  said: Pick<Capabilities, 'osdMax' | 'mailMax' | 'fpModes' | 'supports'> | null;
}

/** Every system takes messages of this length; of one never heard of nothing else is known. */
export const OSD_CHARS_SURE = 120;

export type ShownOperation = SentOperation<'OSD' | 'MAIL' | 'FINGERPRINT' | 'FORCE_TUNE'>;

export interface Worded {
  content: Content;
  /** Null: this kind has none. */
  texts: Texts | null;
  siteLanguage: Language;
}

/** To whom: a card with what a template may say of it, or everybody (null). */
export interface Reader {
  language: Language;
  values: Values | null;
}

/** The command's operation; null when a placeholder has no value for this reader. */
export function operationFor(
  { content, texts, siteLanguage }: Worded,
  { language, values }: Reader,
): ShownOperation | null {
  if (content.kind === 'fingerprint') {
    const { kind: _kind, ...args } = content;
    return { op: 'FINGERPRINT', args };
  }
  if (content.kind === 'force_tune') {
    const { service, durationSeconds } = content;
    return { op: 'FORCE_TUNE', args: { service, durationSeconds } };
  }
  const words = texts && wordsFor(texts, language, siteLanguage);
  const body = words ? fill(words.body, values) : null;
  if (!words || body === null) return null;
  if (content.kind === 'mail') {
    const subject = fill(words.subject ?? '', values);
    return subject === null ? null : { op: 'MAIL', args: { subject, body } };
  }
  const lang = texts?.[language] ? language : siteLanguage;
  const { durationSeconds, times, intervalSeconds } = content;
  const shown = { text: body, durationSeconds, times, intervalSeconds, lang };
  return content.kind === 'forced'
    ? { op: 'OSD', args: { ...shown, forced: true } }
    : { op: 'OSD', args: { ...shown, forced: false, position: content.position } };
}

/** What is read of an operation; empty: it has no words. */
export const textOf = (operation: ShownOperation): string => {
  if (operation.op === 'OSD') return operation.args.text;
  return operation.op === 'MAIL' ? `${operation.args.subject}: ${operation.args.body}` : '';
};

/** Characters (of a mail: with its subject), and how many are taken; null: it has no words. */
export function lengthAt(
  operation: ShownOperation,
  { said }: CasLimits,
): { chars: number; max: number } | null {
  if (operation.op === 'OSD') {
    return { chars: charsOf(operation.args.text), max: said?.osdMax ?? OSD_CHARS_SURE };
  }
  if (operation.op !== 'MAIL') return null;
  const { subject, body } = operation.args;
  return {
    chars: charsOf(subject) + charsOf(body),
    max: said === null ? OSD_CHARS_SURE : (said.mailMax ?? 0),
  };
}

/** Why a system can't show it; null when it can. */
export function misfitOf(
  operation: ShownOperation,
  cas: CasLimits,
): 'not_supported' | 'too_long' | null {
  const { said } = cas;
  if (said && !said.supports.includes(operation.op)) return 'not_supported';
  if (operation.op === 'MAIL' && said && said.mailMax === undefined) return 'not_supported';
  if (operation.op === 'FINGERPRINT' && said?.fpModes) {
    return said.fpModes.includes(operation.args.mode ?? 'overt') ? null : 'not_supported';
  }
  const length = lengthAt(operation, cas);
  return length && length.chars > length.max ? 'too_long' : null;
}

/**
 * May it reach cards of other sites? All but `NBO` and `NBO-…` are areas of nobody in particular:
 * such is drafted and decided by who sees all sites.
 */
export const reachesBeyond = (
  wanted: WantedTarget | CampaignTarget,
  { code }: { code: string },
): boolean =>
  wanted.kind === 'all' ||
  (wanted.kind === 'region' && wanted.area !== code && !wanted.area.startsWith(`${code}-`));

/** What the one command of a target for many is broadcast to; null: each card has its own. */
export function broadcastTo(target: CampaignTarget): Target | null {
  if (target.kind === 'all') return { kind: 'all', id: '*' };
  return target.kind === 'region' ? { kind: 'region', id: target.area } : null;
}

/**
 * Does it need a second person? Everybody's screen, another programme on it, or more cards than
 * one person reaches alone.
 */
export const needsSecond = (
  kind: Content['kind'],
  target: CampaignTarget,
  { cards, alone }: { cards: number; alone: number },
): boolean => kind === 'force_tune' || target.kind === 'all' || cards > alone;
