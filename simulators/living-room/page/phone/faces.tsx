/** The faces of a telephone: at rest, in a session, after it, and the mobile-money prompt. */
import type { InboxText, PhoneView, Prompt } from '../../api.ts';
import { useWords } from '../words/context.tsx';
import { dateText, timeText, timeZoneOf } from '../words/words.ts';
import type { EndReason } from './handset.ts';
import css from './screen.module.css';

const PIN_PLACES = [0, 1, 2, 3, 4, 5, 6, 7];
/** Most PINs of mobile money are this long: so many dots are there from the beginning. */
const PIN_DIGITS_USUAL = 4;

interface IdleProps {
  typed: string;
  phone: PhoneView;
  unread: InboxText[];
  nowMs: number;
}

export function IdleFace({ typed, phone, unread, nowMs }: IdleProps) {
  const { say, language } = useWords();
  const zone = timeZoneOf(phone.msisdn);
  if (typed !== '') return <Typed typed={typed} large />;
  const [newest] = unread;
  return (
    <div className={css.idle}>
      <span className={css.clock}>{timeText(nowMs, language, zone)}</span>
      <span>{dateText(nowMs, language, zone)}</span>
      {newest === undefined ? (
        <span className={css.quiet}>{say('phone.idle', { code: phone.serviceCode })}</span>
      ) : (
        <span className={css.preview}>
          <b>{say('texts.unread', { count: unread.length })}</b>
          <span>{newest.body}</span>
        </span>
      )}
    </div>
  );
}

/** What is being typed, with its cursor. */
export function Typed({ typed, large }: { typed: string; large?: boolean }) {
  return (
    <div className={css.typed} data-large={large} data-testid="phone-typed">
      {typed}
      <i className={css.cursor} />
    </div>
  );
}

interface SessionProps {
  screen: string;
  typed: string;
  waiting: boolean;
}

export function SessionFace({ screen, typed, waiting }: SessionProps) {
  const { say } = useWords();
  return (
    <>
      <p className={css.text} aria-live="polite" data-waiting={waiting}>
        {screen === '' ? say('phone.dialling') : screen}
      </p>
      {screen !== '' && (waiting ? <Dots /> : <Typed typed={typed} />)}
    </>
  );
}

function Dots() {
  return (
    <div className={css.dots} aria-hidden="true">
      <i />
      <i />
      <i />
    </div>
  );
}

export function EndedFace({ reason, screen }: { reason: EndReason; screen: string }) {
  const { say } = useWords();
  const words = {
    answered: screen,
    hung_up: say('phone.ended'),
    timed_out: say('phone.timed_out'),
    wrong_code: say('phone.wrong_code', { code: screen }),
    no_answer: say('phone.no_answer'),
    bad_answer: say('phone.bad_answer'),
  };
  return (
    <p className={css.text} aria-live="polite">
      {words[reason]}
    </p>
  );
}

interface PromptProps {
  prompt: Prompt;
  digits: number;
  waiting: boolean;
}

/** What the SIM card shows when a merchant asks for money. */
export function PromptFace({ prompt, digits, waiting }: PromptProps) {
  const { say } = useWords();
  const amount = `${prompt.currency} ${prompt.amount}`;
  return (
    <div className={css.prompt} role="dialog" aria-label={say('prompt.title')} data-testid="prompt">
      <p className={css.text} aria-live="assertive">
        <b className={css.sim}>{say('prompt.title')}</b>
        {say('prompt.ask', { amount, merchant: prompt.merchant })}{' '}
        {waiting ? say('prompt.wait') : say('prompt.pin')}
      </p>
      <div
        className={css.pin}
        role="img"
        aria-label={say('prompt.digits', { count: digits })}
        data-testid="pin"
      >
        {PIN_PLACES.slice(0, Math.max(PIN_DIGITS_USUAL, digits)).map((place) => (
          <i key={place} data-on={place < digits} />
        ))}
      </div>
      <small>{say('prompt.reference', { reference: prompt.reference })}</small>
    </div>
  );
}
