/** The television, and the decoder on the sideboard below it. */
import type { HouseView, Osd, PhoneView, TvView } from '../../api.ts';
import { useWords } from '../words/context.tsx';
import { cardText, timeText, timeZoneOf } from '../words/words.ts';
import { Picture, sceneOf } from './scenes.tsx';
import { Snow } from './snow.tsx';
import css from './television.module.css';
import { blockedText, helpCode, programmeOf, tvSentence } from './telling.ts';

interface TelevisionProps {
  tv: TvView | null;
  /** Null for a person without a decoder. */
  card: string | null;
  phone: PhoneView;
  services: HouseView['services'];
}

export function Television({ tv, card, phone, services }: TelevisionProps) {
  const { say } = useWords();
  const known = tv ?? (card === null ? 'none' : 'connecting');
  const sentence = tvSentence(known, services, helpCode(phone.serviceCode), say);
  const screen = tv?.screen ?? { kind: 'off' as const };
  const glow = screen.kind === 'picture' ? sceneOf(screen.service).glow : 'transparent';
  return (
    <div className={css.set} style={{ '--glow': glow }}>
      <div
        className={css.television}
        role="img"
        aria-label={`${say('tv.name')}. ${sentence}`}
        data-testid="tv"
        data-screen={tv === null ? 'none' : screen.kind}
        data-code={screen.kind === 'blocked' ? screen.code : undefined}
        data-service={screen.kind === 'picture' ? screen.service : undefined}
      >
        <div className={css.glass}>
          {known === 'none' && <span className={css.absent}>{sentence}</span>}
          <Shown screen={screen} phone={phone} services={services} />
        </div>
        <span className={`${css.standby} ${tv?.power ? css.standbyOn : ''}`} />
      </div>
      <p className="for-ears" aria-live="polite" data-testid="tv-sentence">
        {sentence}
      </p>
    </div>
  );
}

type ShownProps = Omit<TelevisionProps, 'tv' | 'card'> & { screen: TvView['screen'] };

function Shown({ screen, phone, services }: ShownProps) {
  const { say } = useWords();
  if (screen.kind === 'off') return null;
  if (screen.osd?.forced) return <Message osd={screen.osd} />;
  if (screen.kind === 'picture') {
    const { name, number } = programmeOf(services, screen.service);
    return (
      <>
        <Picture service={screen.service} ticker={say('scene.ticker')} />
        <div className={css.programme} key={screen.service}>
          <b>{number}</b> {name}
        </div>
        <Message osd={screen.osd} />
      </>
    );
  }
  const { code, what, advice } = blockedText(screen, helpCode(phone.serviceCode), say);
  return (
    <>
      {code === 'V06' && <Snow />}
      <div className={css.blocked} data-raised={screen.osd !== null}>
        <div className={css.card}>
          <span className={css.code}>{code}</span>
          <b>{what}</b>
          <span>{advice}</span>
        </div>
      </div>
      <Message osd={screen.osd} />
    </>
  );
}

function Message({ osd }: { osd: Osd | null }) {
  if (osd === null) return null;
  return (
    <div className={osd.forced ? css.forced : css.osd} data-testid="tv-osd" key={osd.id}>
      {osd.text}
    </div>
  );
}

/** The decoder: its light, its card, its cable, and when it last heard of its rights. */
export function Decoder({ tv, phone }: { tv: TvView | null; phone: PhoneView }) {
  const { say, language } = useWords();
  if (tv === null) return <div className={css.sideboard} />;
  const received =
    tv.receivedAt === null
      ? say('decoder.never')
      : say('decoder.received', {
          time: timeText(tv.receivedAt, language, timeZoneOf(phone.msisdn)),
        });
  return (
    <div className={css.sideboard}>
      <div className={css.decoder}>
        <span className={css.led} data-on={tv.power} />
        <span className={css.display}>{tv.power ? cardText(tv.card) : ''}</span>
        <span className={css.slot}>
          <span className={css.inserted} data-in={tv.cardIn} />
        </span>
      </div>
      <svg className={css.cable} viewBox="0 0 60 40" data-plugged={tv.signal} aria-hidden="true">
        <path d={tv.signal ? 'M0 14h12c20 0 4 24 46 24' : 'M16 30c14-2 10 8 42 8'} />
        <rect x={tv.signal ? 0 : 8} y={tv.signal ? 10 : 26} width="10" height="8" rx="2" />
      </svg>
      <p className={css.state} data-testid="decoder">
        {say(tv.power ? 'decoder.on' : 'decoder.off')}, {received}
      </p>
    </div>
  );
}
