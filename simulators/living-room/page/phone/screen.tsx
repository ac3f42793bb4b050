/** The phone's screen: one of its faces, a bar above, the names of the soft keys below. */
import { type RefObject, useEffect } from 'react';
import type { InboxText, PhoneView, Prompt } from '../../api.ts';
import { useWords } from '../words/context.tsx';
import { timeText, timeZoneOf } from '../words/words.ts';
import { EndedFace, IdleFace, PromptFace, SessionFace } from './faces.tsx';
import { InboxFace, ReadingFace, SentFace, WritingFace } from './faces-texts.tsx';
import type { Face } from './handset.ts';
import css from './screen.module.css';
import type { SoftKeys } from './soft-keys.ts';
import type { LiveHandset } from './use-handset.ts';
import { useHouseTime } from './use-house-time.ts';

export interface ScreenProps {
  phone: PhoneView;
  live: LiveHandset;
  /** Opens a face directly, as a finger on the screen does. */
  show(face: Face): void;
  prompt: Prompt | null;
  texts: InboxText[];
  arrived: InboxText | null;
  aheadMs: number;
  soft: SoftKeys;
  screen: RefObject<HTMLDivElement | null>;
}

export function PhoneScreen(props: ScreenProps) {
  const { say, language } = useWords();
  const { live, prompt, soft, screen, phone } = props;
  const { unread } = live;
  const { at, prompt: asked } = live.handset;
  const nowMs = useHouseTime(props.aheadMs);
  const shown = asked !== null && prompt !== null ? `prompt ${asked.id}` : faceKey(at);
  useEffect(() => {
    if (shown !== '') screen.current?.scrollTo({ top: 0 });
  }, [shown, screen]);
  return (
    <div className={css.screen}>
      <div className={css.bar}>
        <Bars />
        <span className={css.carrier}>{say('phone.carrier')}</span>
        {unread.length > 0 && (
          <span className={css.mail} data-new={props.arrived !== null}>
            <Envelope /> {unread.length}
          </span>
        )}
        <span>{timeText(nowMs, language, timeZoneOf(phone.msisdn))}</span>
      </div>
      {/* biome-ignore lint/a11y/useSemanticElements: it scrolls, and takes the keyboard. */}
      <div
        ref={screen}
        className={css.content}
        role="group"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: the keyboard types on the phone here.
        tabIndex={0}
        aria-label={say('phone.screen')}
        aria-describedby="phone-keys"
        data-testid="phone-screen"
        data-face={asked !== null && prompt !== null ? 'prompt' : at.face}
      >
        {asked !== null && prompt !== null ? (
          <PromptFace prompt={prompt} digits={asked.pin.length} waiting={asked.waiting} />
        ) : (
          <FaceOf {...props} at={at} nowMs={nowMs} />
        )}
      </div>
      <div className={css.soft} aria-hidden="true">
        <span>{soft.left === null ? '' : say(soft.left)}</span>
        <span>{soft.right === null ? '' : say(soft.right)}</span>
      </div>
      <p id="phone-keys" className="for-ears">
        {say('phone.keys')}
      </p>
    </div>
  );
}

/** Changes whenever a text begins anew, and with it at its first line. */
function faceKey(at: Face): string {
  if (at.face === 'session') return `session ${at.screen}`;
  return at.face === 'reading' ? `reading ${at.id}` : at.face;
}

function FaceOf(props: ScreenProps & { at: Face; nowMs: number }) {
  const { at, phone, texts, live, nowMs } = props;
  const { unread } = live;
  switch (at.face) {
    case 'idle':
      return <IdleFace typed={at.typed} {...{ phone, unread, nowMs }} />;
    case 'session':
      return <SessionFace {...at} />;
    case 'ended':
      return <EndedFace {...at} />;
    case 'inbox':
      return <InboxFace row={at.row} {...{ texts, unread, phone }} show={props.show} />;
    case 'reading':
      return <ReadingFace text={texts.find(({ id }) => id === at.id)} phone={phone} />;
    case 'writing':
      return <WritingFace draft={at.draft} show={props.show} />;
    case 'sent':
      return <SentFace />;
  }
}

function Bars() {
  return (
    <svg className={css.icon} viewBox="0 0 16 12" aria-hidden="true">
      <path d="M1 9h2v3H1zM5 6.5h2V12H5zM9 3.5h2V12H9zM13 0h2v12h-2z" />
    </svg>
  );
}

function Envelope() {
  return (
    <svg className={css.icon} viewBox="0 0 16 12" aria-hidden="true">
      <path d="M0 0h16v12H0zM1.5 2v8.5h13V2L8 7.5z" fillRule="evenodd" />
    </svg>
  );
}
