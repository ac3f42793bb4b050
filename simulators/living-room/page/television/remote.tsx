/** The remote control: power, channels up and down, and the choice of a programme. */
import { ActionIcon, NativeSelect } from '@mantine/core';
import type { HouseView, TvView } from '../../api.ts';
import type { Post } from '../house.ts';
import { useWords } from '../words/context.tsx';
import css from './remote.module.css';

interface RemoteProps {
  tv: TvView | null;
  services: HouseView['services'];
  post: Post;
}

export function Remote({ tv, services, post }: RemoteProps) {
  const { say } = useWords();
  const set = (change: Partial<TvView>) => {
    if (tv !== null) void post('tv', { card: tv.card, ...change });
  };
  const zap = (by: number) => {
    const at = services.findIndex(({ code }) => code === tv?.service);
    const next = services[(at + by + services.length) % services.length];
    if (next !== undefined) set({ service: next.code });
  };
  return (
    <section className={css.remote} aria-label={say('remote.name')} data-testid="remote">
      <ActionIcon
        className={css.power}
        aria-label={say(tv?.power ? 'remote.off' : 'remote.on')}
        disabled={tv === null}
        onClick={() => set({ power: !tv?.power })}
        data-testid="remote-power"
      >
        <svg viewBox="0 0 24 24" aria-hidden="true">
          <path d="M12 3v9M6.3 6.8a8 8 0 1 0 11.4 0" />
        </svg>
      </ActionIcon>
      <NativeSelect
        className={css.programme}
        size="md"
        aria-label={say('remote.programme')}
        disabled={tv === null}
        value={tv?.service ?? ''}
        onChange={({ currentTarget }) => set({ service: currentTarget.value })}
        data={services.map(({ code, name, free }, i) => ({
          value: code,
          label: `${i + 1}  ${name}${free ? ` (${say('remote.free')})` : ''}`,
        }))}
        data-testid="remote-programme"
      />
      <ActionIcon.Group>
        <Zap
          label={say('remote.down')}
          sign="M5 9l7 7 7-7"
          disabled={tv === null}
          zap={() => zap(-1)}
        />
        <Zap
          label={say('remote.up')}
          sign="M5 15l7-7 7 7"
          disabled={tv === null}
          zap={() => zap(1)}
        />
      </ActionIcon.Group>
    </section>
  );
}

interface ZapProps {
  label: string;
  /** The path of its arrow. */
  sign: string;
  disabled: boolean;
  zap: () => void;
}

function Zap({ label, sign, disabled, zap }: ZapProps) {
  return (
    <ActionIcon
      className={css.zap}
      variant="default"
      disabled={disabled}
      aria-label={label}
      title={label}
      onClick={zap}
    >
      <svg viewBox="0 0 24 24" aria-hidden="true">
        <path d={sign} />
      </svg>
    </ActionIcon>
  );
}
