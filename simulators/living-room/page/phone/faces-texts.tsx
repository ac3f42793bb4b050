/** The faces of the texts: the list, one of them, writing one, and that it went off. */
import { useEffect, useRef } from 'react';
import type { InboxText, PhoneView } from '../../api.ts';
import { useWords } from '../words/context.tsx';
import { dateText, timeText, timeZoneOf } from '../words/words.ts';
import { Typed } from './faces.tsx';
import { type Face, openRow } from './handset.ts';
import { type Draft, write } from './multitap.ts';
import css from './screen.module.css';

/** What subscribers text most often. */
const QUICK_WORDS = ['BAL', 'RESET', 'PAY', 'HELP'];

/** A touch leaves the focus on the screen, so that a real keyboard goes on there. */
function keepFocus(event: { preventDefault(): void }): void {
  event.preventDefault();
}

interface InboxProps {
  row: number;
  texts: InboxText[];
  unread: InboxText[];
  phone: PhoneView;
  show(face: Face): void;
}

export function InboxFace({ row, texts, unread, phone, show }: InboxProps) {
  const { say, language } = useWords();
  const list = useRef<HTMLUListElement>(null);
  useEffect(() => {
    list.current?.children[row]?.scrollIntoView({ block: 'nearest' });
  }, [row]);
  const ids = texts.map(({ id }) => id);
  const open = (at: number) => show(openRow(at, ids));
  return (
    <ul className={css.list} ref={list} aria-label={say('texts.title')} data-testid="inbox">
      <li data-on={row === 0}>
        <button type="button" onPointerDown={keepFocus} onClick={() => open(0)}>
          <b>+ {say('texts.write')}</b>
        </button>
      </li>
      {texts.map(({ id, at, body, direction }, i) => (
        <li key={id} data-on={row === i + 1}>
          <button type="button" onPointerDown={keepFocus} onClick={() => open(i + 1)}>
            <b>
              {unread.some((text) => text.id === id) ? '● ' : ''}
              {direction === 'in' ? '' : '→ '}
              {timeText(at, language, timeZoneOf(phone.msisdn))}
            </b>{' '}
            <span>{body}</span>
          </button>
        </li>
      ))}
      {texts.length === 0 && <li className={css.quiet}>{say('texts.none')}</li>}
    </ul>
  );
}

export function ReadingFace({ text, phone }: { text: InboxText | undefined; phone: PhoneView }) {
  const { say, language } = useWords();
  if (text === undefined) return null;
  const zone = timeZoneOf(phone.msisdn);
  return (
    <p className={css.text} aria-live="polite" data-testid="text">
      <b className={css.sim}>{say(text.direction === 'in' ? 'texts.from' : 'texts.to')}</b>
      <small>
        {dateText(text.at, language, zone)} {timeText(text.at, language, zone)}
      </small>
      {'\n'}
      {text.body}
    </p>
  );
}

export function WritingFace({ draft, show }: { draft: Draft; show(face: Face): void }) {
  const { say } = useWords();
  return (
    <>
      <b className={css.sim}>{say('texts.to')}</b>
      <Typed typed={draft.body} />
      {draft.body === '' && (
        <fieldset className={css.quick} aria-label={say('texts.quick')}>
          {QUICK_WORDS.map((word) => (
            <button
              key={word}
              type="button"
              className={css.quickWord}
              onPointerDown={keepFocus}
              onClick={() => show({ face: 'writing', draft: write(draft, word) })}
            >
              {word}
            </button>
          ))}
        </fieldset>
      )}
    </>
  );
}

export function SentFace() {
  const { say } = useWords();
  return (
    <p className={css.text} aria-live="polite">
      ✓ {say('texts.sent')}
    </p>
  );
}
