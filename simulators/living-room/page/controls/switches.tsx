/** The switches with which the picture's life is made hard, each with a line on what to try. */
import { Button, SegmentedControl, Switch } from '@mantine/core';
import type { ReactNode } from 'react';
import type { PhoneView, Switches as SwitchStates, TvView } from '../../api.ts';
import type { Post } from '../house.ts';
import { useWords } from '../words/context.tsx';
import type { WordKey } from '../words/words.ts';
import css from './switches.module.css';

const OPERATOR_MOODS = ['normal', 'repeats', 'delays', 'silent'] as const;
const LATER_MINUTES = [10, 40, 1_440, 43_200] as const;
/** Enough for a month of the smallest bouquet in each country. */
const UNITS = 1_000;

interface SwitchesProps {
  phone: PhoneView;
  tv: TvView | null;
  switches: SwitchStates;
  post: Post;
}

export function Switches({ phone, tv, switches, post }: SwitchesProps) {
  const { say } = useWords();
  return (
    <div className={css.switches} data-testid="switches">
      <p className={css.about}>{say('switches.about')}</p>
      <DecoderSwitches tv={tv} post={post} />
      <Lever
        name="vip"
        on={switches.vipControl}
        flip={(vipControl) => post('switches', { vipControl })}
      />
      <Choice name="switches.operator">
        <SegmentedControl
          fullWidth
          aria-label={say('switches.operator')}
          value={switches.operator}
          onChange={(operator) => void post('switches', { operator })}
          data={OPERATOR_MOODS.map((mood) => ({
            value: mood,
            label: say(`switches.operator.${mood}`),
          }))}
          data-testid="switch-operator"
        />
      </Choice>
      <Choice name="switches.suspend">
        <div className={css.buttons}>
          {[true, false].map((suspended) => (
            <Button
              key={String(suspended)}
              variant="default"
              disabled={tv === null}
              onClick={() => void post('suspend', { card: tv?.card, suspended })}
              data-testid={suspended ? 'suspend' : 'unsuspend'}
            >
              {say(suspended ? 'switches.suspend.on' : 'switches.suspend.off')}
            </Button>
          ))}
        </div>
      </Choice>
      <Choice name="switches.units">
        <Button
          variant="default"
          onClick={() => void post('units', { phone: phone.msisdn, units: UNITS })}
          data-testid="units"
        >
          {say('switches.units.sell', { count: UNITS })}
        </Button>
      </Choice>
    </div>
  );
}

function DecoderSwitches({ tv, post }: { tv: TvView | null; post: Post }) {
  if (tv === null) return null;
  const set = (change: Partial<TvView>) => post('tv', { card: tv.card, ...change });
  return (
    <>
      <Lever name="power" on={tv.power} flip={(power) => set({ power })} />
      <Lever name="signal" on={tv.signal} flip={(signal) => set({ signal })} />
      <Lever name="card" on={tv.cardIn} flip={(cardIn) => set({ cardIn })} />
    </>
  );
}

interface LeverProps {
  name: 'power' | 'signal' | 'card' | 'vip';
  on: boolean;
  flip(on: boolean): Promise<boolean>;
}

function Lever({ name, on, flip }: LeverProps) {
  const { say } = useWords();
  return (
    <Switch
      size="md"
      classNames={{ root: css.lever, body: css.leverBody, description: css.description }}
      label={say(`switches.${name}`)}
      description={say(`switches.${name}.do`)}
      checked={on}
      onChange={({ currentTarget }) => void flip(currentTarget.checked)}
      data-testid={`switch-${name}`}
    />
  );
}

type ChoiceName = 'switches.operator' | 'switches.suspend' | 'switches.units';

function Choice({ name, children }: { name: ChoiceName; children: ReactNode }) {
  const { say } = useWords();
  return (
    <div className={css.choice}>
      <b>{say(name)}</b>
      <span className={css.description}>{say(`${name}.do`)}</span>
      {children}
    </div>
  );
}

/** Moves the clock of the whole house on. */
export function Later({ post }: { post: Post }) {
  const { say } = useWords();
  return (
    <div data-testid="later">
      <p className={css.about}>{say('later.do')}</p>
      <div className={css.later}>
        {LATER_MINUTES.map((minutes) => (
          <Button
            key={minutes}
            variant="default"
            onClick={() => void post('later', { minutes })}
            data-testid={`later-${minutes}`}
          >
            {say(`later.${minutes}` satisfies WordKey)}
          </Button>
        ))}
      </div>
    </div>
  );
}
