/** The road: what happened between the phone and the picture, and who waits in the dark. */
import type { DarkCard, PhoneView, RoadStep } from '../../api.ts';
import { useWords } from '../words/context.tsx';
import { cardText, decimal, type Say, spanText, timeText, timeZoneOf } from '../words/words.ts';
import { StepIcon } from './icons.tsx';
import css from './road.module.css';
import { type Ride, ridesOf, type Stage } from './road.ts';

/** Older rides are not shown. */
const RIDES_MAX = 6;
const DETAIL_CHARS_MAX = 60;

interface RoadProps {
  phone: PhoneView;
  road: RoadStep[];
  timeToPicture: number | null;
}

export function Road({ phone, road, timeToPicture }: RoadProps) {
  const { say } = useWords();
  const rides = ridesOf(road).slice(0, RIDES_MAX);
  return (
    <div data-testid="road">
      <p className={css.about}>{say('road.about')}</p>
      <BigFigure seconds={timeToPicture} />
      {rides.length === 0 ? (
        <p className={css.empty}>{say('road.empty')}</p>
      ) : (
        rides.map((ride) => <RideList key={ride.id} ride={ride} phone={phone} />)
      )}
    </div>
  );
}

/** How long it took from the money to the picture. */
export function BigFigure({ seconds }: { seconds: number | null }) {
  const { say, language } = useWords();
  return (
    <p className={css.figure} data-testid="time-to-picture" aria-live="polite">
      <b>{seconds === null ? '–.– s' : `${decimal(seconds, 2, language)} s`}</b>{' '}
      <span>{say(seconds === null ? 'road.time.none' : 'road.time')}</span>
    </p>
  );
}

function RideList({ ride, phone }: { ride: Ride; phone: PhoneView }) {
  const { say, language } = useWords();
  const time = timeText(ride.at, language, timeZoneOf(phone.msisdn));
  const last = ride.stages.at(-1);
  return (
    <section className={css.ride} data-testid="ride">
      <h3>
        {rideTitle(ride, time, say)}
        {last !== undefined && last.sinceFirstMs > 0 && (
          <small className={css.total}>
            {say('road.total', { span: spanText(last.sinceFirstMs, language) })}
          </small>
        )}
      </h3>
      <ol>
        {ride.stages.map((stage, i) => (
          <StageItem key={stage.step.id} stage={stage} first={i === 0} />
        ))}
      </ol>
    </section>
  );
}

function rideTitle({ card, paid }: Ride, time: string, say: Say): string {
  if (card === null) return say(paid ? 'road.ride' : 'road.ride.call', { time });
  return say(paid ? 'road.ride.card' : 'road.ride.rights', { time, card: cardText(card) });
}

function StageItem({ stage, first }: { stage: Stage; first: boolean }) {
  const { say, language } = useWords();
  const { step, sinceBeforeMs, sinceFirstMs } = stage;
  const isRefusal = step.step === 'answered' && step.detail === 'cancel';
  const detail = step.step === 'answered' ? '' : (step.detail ?? '');
  return (
    <li className={css.stage} data-step={step.step}>
      <span className={css.icon}>
        <StepIcon step={step.step} />
      </span>
      <span className={css.what}>
        {say(isRefusal ? 'answered.cancel' : step.step)}
        {detail !== '' && <small>{shorten(detail)}</small>}
      </span>
      <span className={css.when}>
        <b>{first ? '0' : `+${spanText(sinceBeforeMs, language)}`}</b>
        {!first && <small>{spanText(sinceFirstMs, language)}</small>}
      </span>
    </li>
  );
}

function shorten(detail: string): string {
  return detail.length <= DETAIL_CHARS_MAX ? detail : `${detail.slice(0, DETAIL_CHARS_MAX - 1)}…`;
}

/** The cards that are paid and have no picture. */
export function Dark({ dark }: { dark: DarkCard[] }) {
  const { say, language } = useWords();
  return (
    <div data-testid="dark">
      <p className={css.about}>{say('dark.about')}</p>
      {dark.length === 0 ? (
        <p className={css.nobody}>{say('dark.nobody')}</p>
      ) : (
        <ul className={css.dark}>
          {dark.map(({ card, seconds, why }) => (
            <li key={card}>
              <b>
                {say('dark.card', {
                  card: cardText(card),
                  span: spanText(seconds * 1_000, language),
                })}
              </b>
              <span>{why}</span>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
