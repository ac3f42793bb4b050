/**
 * Texts from subscribers. A text is kept first, then acted on, then answered together with the
 * note that it was; whatever breaks in between, the gateway's repeat of the same text goes on from
 * there. Nothing is done twice: money is ordered under the text's own key, the answer is written
 * with the note.
 */
import type { Pool } from 'pg';
import type { PictureDesk } from '../../../entitlement/picture/desk.ts';
import type { Clock, Ids } from '../../../platform/ports.ts';
import type { SmsIn } from '../../canonical.ts';
import { createDates, type Languages } from '../../language.ts';
import type { DialogueChannel, DialogueServices } from '../../ussd/services.ts';
import { createWords } from '../../ussd/words.ts';
import { type AnswersDeps, answerTo, type Writer } from './answers.ts';
import { keptBody, parseText } from './grammar.ts';
import { finishText, keepIgnored, keepText, lastReset, type OpenText } from './store.ts';

export interface TextInbound {
  /**
   * Keeps a text, does what it asks for and queues the answer; the same text again does nothing.
   * Fulfilled after the commit. Rejects when the database is lost: the gateway shall repeat it.
   */
  take(message: SmsIn, channel: DialogueChannel): Promise<void>;
}

export interface TextInboundDeps {
  pool: Pool;
  ids: Ids;
  clock: Clock;
  languages: Languages;
  services: AnswersDeps['services'] & Pick<DialogueServices, 'caller'>;
  picture: Pick<PictureDesk, 'refresh' | 'report'>;
  /** Reminders are wanted, or no longer; receipts come in any case. */
  setReminders(choice: { msisdn: string; wanted: boolean; at: Date }): Promise<void>;
  /** An answer waits to be sent. */
  onAnswer(): void;
  /** After each text that was acted on, with what it was understood as; for counting. */
  onTaken?(intent: string): void;
}

/** An answer that comes later than this is about something else. */
const ANSWER_LIFE_MS = 3_600_000;
/** For how long "1" and "2" are about the card that was blocked. */
const RESET_LIFE_MS = 24 * 3_600_000;
/** What a gateway may call a sender that is no phone. */
const SENDER_CHARS_MAX = 32;

/** Nothing runs before the first text. */
export function createTextInbound(deps: TextInboundDeps): TextInbound {
  const dates = createDates();
  const wordsFor = (channel: DialogueChannel, language: Writer['words']['language']) =>
    createWords({ languages: deps.languages, dates }, channel, language);

  return {
    async take(message, channel) {
      const { pool, ids, clock } = deps;
      const at = clock.now();
      const arrival = {
        id: await ids.take(),
        channelId: channel.id,
        providerId: message.id,
        msisdn: message.from.replaceAll('\0', '').slice(0, SENDER_CHARS_MAX),
        body: keptBody(message.text),
        at,
      };
      if (message.ignore) return keepIgnored(pool, arrival);
      const intent = parseText(message.text);
      const isChoice = intent.kind === 'stop' || intent.kind === 'start';
      const open = await keepText(pool, arrival, isChoice);
      if (open === null) return;
      const { msisdn } = arrival;
      const caller = await deps.services.caller(channel, msisdn, true);
      const words = wordsFor(channel, caller.language);
      const key = `text:${channel.id}:${open.providerId}`;
      const writer = { channel, msisdn, key, caller, words, now: at };
      const answer = await answerTo(answersDeps(deps), writer, intent);
      await finish(deps, writer, open, answer);
    },
  };
}

const answersDeps = (deps: TextInboundDeps) => ({
  services: deps.services,
  picture: deps.picture,
  setReminders: deps.setReminders,
  lastReset: (msisdn: string, now: Date) =>
    lastReset(deps.pool, msisdn, new Date(now.getTime() - RESET_LIFE_MS)),
});

async function finish(
  deps: TextInboundDeps,
  { channel, msisdn, now }: Writer,
  open: OpenText,
  { intent, template, body }: Awaited<ReturnType<typeof answerTo>>,
): Promise<void> {
  const row = {
    id: await deps.ids.take(),
    siteId: channel.siteId,
    msisdn,
    template,
    body,
    at: now,
    notAfter: new Date(now.getTime() + ANSWER_LIFE_MS),
  };
  const isFirst = await finishText(deps.pool, open.id, intent, open.isSilent ? null : row);
  if (!isFirst) return;
  deps.onTaken?.(intent.replace(/:.*/, ''));
  if (!open.isSilent) deps.onAnswer();
}
