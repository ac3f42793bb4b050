/** The keys of the phone, each a real button. */
import type { ReactNode } from 'react';
import { useWords } from '../words/context.tsx';
import type { Digit, Key } from './handset.ts';
import { lettersOn } from './multitap.ts';
import css from './phone.module.css';

const DIGITS: readonly Digit[] = ['1', '2', '3', '4', '5', '6', '7', '8', '9', '*', '0', '#'];

interface KeypadProps {
  press(key: Key): void;
  /** What the soft keys do now; null: nothing. */
  left: string | null;
  right: string | null;
  /** After a key was touched, a real keyboard goes on where the thumb was. */
  focusScreen(): void;
}

export function Keypad({ press, left, right, focusScreen }: KeypadProps) {
  const { say } = useWords();
  const button = (key: Key, label: string, shown: ReactNode, look: string | undefined) => (
    <button
      key={key}
      type="button"
      className={`${css.key} ${look}`}
      aria-label={label}
      data-testid={`key-${key}`}
      onPointerDown={(event) => event.preventDefault()}
      onClick={({ detail }) => {
        // A click of a keyboard has no count: there the focus stays where it is.
        if (detail > 0) focusScreen();
        press(key);
      }}
    >
      {shown}
    </button>
  );
  return (
    <>
      {button('left', left ?? say('soft.none'), <i className={css.dash} />, css.softLeft)}
      {button('right', right ?? say('soft.none'), <i className={css.dash} />, css.softRight)}
      {button('up', say('phone.up'), <Icon path="M5 15l7-7 7 7" />, css.up)}
      {button('down', say('phone.down'), <Icon path="M5 9l7 7 7-7" />, css.down)}
      {button('call', say('phone.call'), <Icon path={HANDSET} filled />, css.call)}
      {button('end', say('phone.end'), <Icon path={HANDSET} filled down />, css.end)}
      <div className={css.digits}>
        {DIGITS.map((digit) =>
          button(
            digit,
            digit,
            <>
              <b>{digit}</b>
              <small data-letters={digit === '0' ? '␣' : lettersOn(digit)} />
            </>,
            css.digit,
          ),
        )}
      </div>
    </>
  );
}

const HANDSET =
  'M6.6 3.2l3 4.1-1.7 2.5c1 2.4 3.3 4.8 6 6.1l2.6-1.7 4.2 3c-.7 2.3-2.4 3.8-4.6 3.6' +
  'C9.6 20.3 3.5 13.9 3 7.8 2.9 5.5 4.3 3.8 6.6 3.2z';

function Icon({ path, filled, down }: { path: string; filled?: boolean; down?: boolean }) {
  return (
    <svg viewBox="0 0 24 24" aria-hidden="true" data-filled={filled} data-down={down}>
      <path d={path} />
    </svg>
  );
}
