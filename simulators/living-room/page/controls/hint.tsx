/** Three steps for newcomers, which follow what was done. */
import type { PhoneView, Prompt, RoadStep, TvView } from '../../api.ts';
import { nextStage, type Stage } from '../hint.ts';
import { useWords } from '../words/context.tsx';
import css from './hint.module.css';

interface HintProps {
  phone: PhoneView;
  road: RoadStep[];
  prompt: Prompt | null;
  tv: TvView | null;
}

const ORDER: readonly Stage[] = ['dial', 'pay', 'watch', 'done'];

export function Hint({ phone, road, prompt, tv }: HintProps) {
  const { say } = useWords();
  const now = nextStage(road, prompt, tv);
  const pay = phone.mobileMoney ? 'hint.pay' : 'hint.pay.units';
  const values = { code: phone.serviceCode, pin: phone.pin };
  const advice = { dial: 'hint.dial', pay, watch: 'hint.watch', done: 'hint.done' } as const;
  const steps = { dial: say('hint.dial'), pay: say(pay, values), watch: say('hint.watch') };
  return (
    <section className={css.hint} aria-label={say('hint.title')} data-testid="hint" data-next={now}>
      <ol>
        {(['dial', 'pay', 'watch'] as const).map((stage, i) => (
          <li
            key={stage}
            data-done={ORDER.indexOf(stage) < ORDER.indexOf(now)}
            aria-current={stage === now ? 'step' : undefined}
          >
            <i aria-hidden="true">{ORDER.indexOf(stage) < ORDER.indexOf(now) ? '✓' : i + 1}</i>
            {steps[stage]}
          </li>
        ))}
      </ol>
      <p aria-live="polite">{say(`${advice[now]}.do`, values)}</p>
    </section>
  );
}
