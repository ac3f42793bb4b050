/** The feature phone: a screen, twelve keys, and what the thumb needs around them. */
import { type RefObject, useRef } from 'react';
import type { InboxText, PhoneView, Prompt } from '../../api.ts';
import type { Post } from '../house.ts';
import { useWords } from '../words/context.tsx';
import type { Face, Key } from './handset.ts';
import { Keypad } from './keypad.tsx';
import css from './phone.module.css';
import { PhoneScreen } from './screen.tsx';
import { softKeys } from './soft-keys.ts';
import { useArrival } from './use-arrival.ts';
import { type LiveHandset, useHandset } from './use-handset.ts';
import { useKeyboard } from './use-keyboard.ts';

interface PhoneProps {
  phone: PhoneView;
  prompt: Prompt | null;
  texts: InboxText[];
  /** Whether the server has told what is in the inbox. */
  isKnown: boolean;
  /** Time of the house minus time of this browser. */
  aheadMs: number;
  post: Post;
}

/** How far the arrow keys move the text. */
const SCROLL_PX = 44;

export function Phone({ phone, prompt, texts, isKnown, aheadMs, post }: PhoneProps) {
  const { say } = useWords();
  const live = useHandset({ phone, prompt, texts, post });
  const { handset, unread } = live;
  const arrived = useArrival(texts, isKnown);
  const body = useRef<HTMLElement>(null);
  const screen = useRef<HTMLDivElement>(null);
  const press = (key: Key) => {
    if (key === 'up' || key === 'down') {
      screen.current?.scrollBy({ top: key === 'up' ? -SCROLL_PX : SCROLL_PX });
    }
    live.press(key);
  };
  const show = (face: Face) => {
    live.show(face);
    screen.current?.focus();
  };
  useKeyboard(body, { press, type: live.type });
  const soft = softKeys(handset, unread.length);
  const isBusy = handset.prompt !== null || handset.at.face === 'session';
  return (
    <section
      ref={body}
      className={css.phone}
      data-ringing={prompt !== null || arrived !== null}
      aria-label={say('phone.name', { name: phone.name || say('phone.unknown') })}
      data-testid="phone"
    >
      <div className={css.ear} aria-hidden="true" />
      <div className={css.upper}>
        <PhoneScreen {...{ phone, show, live, prompt, texts, arrived, aheadMs, soft, screen }} />
        <Keypad
          press={press}
          left={soft.left === null ? null : say(soft.left)}
          right={soft.right === null ? null : say(soft.right)}
          focusScreen={() => screen.current?.focus()}
        />
      </div>
      <SpeedDial phone={phone} live={live} disabled={isBusy} screen={screen} />
      <p className="for-ears" aria-live="polite" data-testid="arrival">
        {arrived === null ? '' : `${say('texts.new')}: ${arrived.body}`}
      </p>
    </section>
  );
}

interface SpeedDialProps {
  phone: PhoneView;
  live: LiveHandset;
  disabled: boolean;
  screen: RefObject<HTMLDivElement | null>;
}

function SpeedDial({ phone, live, disabled, screen }: SpeedDialProps) {
  const { say } = useWords();
  return (
    <button
      type="button"
      className={css.speed}
      disabled={disabled}
      data-testid="speed-dial"
      onClick={() => {
        live.dial();
        screen.current?.focus();
      }}
    >
      {say('phone.speed', { code: phone.serviceCode })}
    </button>
  );
}
