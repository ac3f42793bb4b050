import { faultForm } from '../simulators/head-end/faults/kinds.ts';
import { nameOf } from './havoc.ts';
import {
  ACTIVATED,
  DISAGREEMENTS,
  FAULTS,
  planTroubles,
  TROUBLE_KINDS,
  USUAL_KINDS,
} from './troubles.ts';

const plan = (seed: number) => planTroubles(seed, { loadMs: 3_600_000, kinds: TROUBLE_KINDS });

describe('the troubles of a run', () => {
  it('are the same for the same seed, and others for another', () => {
    expect(plan(4)).toEqual(plan(4));
    expect(plan(4)).not.toEqual(plan(5));
  });

  it('are of all kinds, in order, and leave the end in peace', () => {
    const troubles = plan(1);
    expect(new Set(troubles.map(({ kind }) => kind))).toEqual(new Set(TROUBLE_KINDS));
    const times = troubles.map(({ atMs }) => atMs);
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(times.at(-1)).toBeLessThan(3_595_000);
  });

  it('ask of the head-end only what it can do', () => {
    const asked = plan(2).flatMap((trouble) => (trouble.kind === 'fault' ? [trouble.fault] : []));
    expect(asked.length).toBeGreaterThan(100);
    for (const fault of asked) expect(faultForm.safeParse(fault)).toMatchObject({ success: true });
  });

  it('are, in five minutes, of every kind of disagreement, foreign write and fault', () => {
    const troubles = planTroubles(3, { loadMs: 300_000, kinds: USUAL_KINDS });
    const names = new Set(troubles.map(nameOf));
    for (const what of DISAGREEMENTS) expect(names).toContain(`data: ${what}`);
    for (const whose of ACTIVATED) expect(names).toContain(`foreign write, ${whose}`);
    for (const kind of FAULTS) expect(names).toContain(`fault ${kind}`);
  });

  it('are of the kinds that were asked for alone', () => {
    const some = planTroubles(1, { loadMs: 60_000, kinds: ['link', 'kill'] });
    expect(new Set(some.map(({ kind }) => kind))).toEqual(new Set(['link', 'kill']));
  });
});
