/** The living room: a telephone, a television, and the road between them. */
import { useCallback, useEffect, useMemo, useState } from 'react';
import type { HouseView } from '../api.ts';
import css from './app.module.css';
import { Hint } from './controls/hint.tsx';
import { Panel } from './controls/panel.tsx';
import { Seat } from './controls/seat.tsx';
import { Later, Switches } from './controls/switches.tsx';
import { createPost, fetchHouse, useLiving } from './house.ts';
import { Phone } from './phone/phone.tsx';
import { hashOf, type Place, placeOf, seatOf } from './place.ts';
import { BigFigure, Dark, Road } from './road/road.tsx';
import { Remote } from './television/remote.tsx';
import { Decoder, Television } from './television/television.tsx';
import { useWords, WordsProvider } from './words/context.tsx';
import { createSay, languageOf } from './words/words.ts';

const HOUSE_RETRY_MS = 2_000;

export function App() {
  const [place, setPlace] = usePlace();
  const house = useHouse();
  const language = place.language ?? languageOf(navigator.language);
  const words = useMemo(() => ({ language, say: createSay(language) }), [language]);
  const { say } = words;
  useEffect(() => {
    document.documentElement.lang = language;
    document.title = say('page.title');
  }, [language, say]);
  return (
    <WordsProvider value={words}>
      {house === null ? (
        <main className={css.opening}>
          <h1>{say('page.title')}</h1>
          <p aria-live="polite">{say('page.connecting')}</p>
        </main>
      ) : (
        <Room house={house} place={place} setPlace={setPlace} />
      )}
    </WordsProvider>
  );
}

interface RoomProps {
  house: HouseView;
  place: Place;
  setPlace(place: Place): void;
}

function Room({ house, place, setPlace }: RoomProps) {
  const { say } = useWords();
  const { phone, card } = seatOf(house, place);
  const living = useLiving(phone.msisdn, card);
  const [error, setError] = useState<string | null>(null);
  const post = useMemo(() => createPost(setError), []);
  const { tv, prompt, road, timeToPicture, switches } = living;
  const { services } = house;
  return (
    <>
      <header className={css.header}>
        <h1>
          <Logo /> {say('page.title')}
        </h1>
        <Seat {...{ house, phone, card }} move={(change) => setPlace({ ...place, ...change })} />
      </header>
      <Notices connection={living.connection} error={error} close={() => setError(null)} />
      <main className={css.room} data-testid="room" data-connection={living.connection}>
        <div className={css.hint}>
          <Hint {...{ phone, road, prompt, tv }} />
        </div>
        <div className={css.tv}>
          <Television {...{ tv, card, phone, services }} />
          <div className={css.beside}>
            <BigFigure seconds={timeToPicture} />
          </div>
          <div className={css.stand}>
            <Decoder tv={tv} phone={phone} />
          </div>
        </div>
        <div className={css.phone}>
          <Phone
            key={phone.msisdn}
            {...{ phone, prompt, post }}
            texts={living.texts}
            isKnown={living.connection !== 'connecting'}
            aheadMs={living.aheadMs}
          />
        </div>
        <div className={css.controls}>
          <Remote {...{ tv, services, post }} />
          <Panel title={say('switches.title')}>
            <Switches {...{ phone, tv, switches, post }} />
          </Panel>
          <Panel title={say('later.title')}>
            <Later post={post} />
          </Panel>
        </div>
        <div className={css.road}>
          <Panel title={say('road.title')}>
            <Road {...{ phone, road, timeToPicture }} />
          </Panel>
          <Panel title={say('dark.title')}>
            <Dark dark={living.dark} />
          </Panel>
        </div>
      </main>
    </>
  );
}

interface NoticesProps {
  connection: 'connecting' | 'live' | 'again';
  error: string | null;
  close(): void;
}

function Notices({ connection, error, close }: NoticesProps) {
  const { say } = useWords();
  return (
    <div className={css.notices}>
      <p role="status" data-testid="connection" hidden={connection !== 'again'}>
        {connection === 'again' ? say('page.again') : ''}
      </p>
      {error !== null && (
        <p role="alert" data-testid="error">
          {say('page.failed', { error })}
          <button type="button" onClick={close} aria-label={say('page.close')}>
            ×
          </button>
        </p>
      )}
    </div>
  );
}

function Logo() {
  return (
    <svg className={css.logo} viewBox="0 0 32 32" aria-hidden="true">
      <rect x="2" y="6" width="28" height="18" rx="4" />
      <path className={css.play} d="M13 11l8 4-8 4z" />
      <path className={css.foot} d="M10 28h12" />
    </svg>
  );
}

/** The place in the address, and how to move. */
function usePlace(): [Place, (place: Place) => void] {
  const [place, setPlace] = useState(() => placeOf(location.hash));
  useEffect(() => {
    const listen = () => setPlace(placeOf(location.hash));
    addEventListener('hashchange', listen);
    return () => removeEventListener('hashchange', listen);
  }, []);
  const move = useCallback((next: Place) => {
    history.replaceState(null, '', hashOf(next));
    setPlace(next);
  }, []);
  return [place, move];
}

/** The house, asked for until it answers. */
function useHouse(): HouseView | null {
  const [house, setHouse] = useState<HouseView | null>(null);
  useEffect(() => {
    const leaving = new AbortController();
    let retry: ReturnType<typeof setTimeout> | undefined;
    const ask = () => {
      fetchHouse(leaving.signal).then(setHouse, () => {
        if (!leaving.signal.aborted) retry = setTimeout(ask, HOUSE_RETRY_MS);
      });
    };
    ask();
    return () => {
      leaving.abort();
      clearTimeout(retry);
    };
  }, []);
  return house;
}
