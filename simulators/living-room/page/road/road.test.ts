import type { RoadStep, RoadStepName } from '../../api.ts';
import { ridesOf } from './road.ts';

const NOON_MS = Date.parse('2026-11-23T12:00:00.000Z');
let id = 0;
const step = (name: RoadStepName, atMs: number, rest: Partial<RoadStep> = {}): RoadStep => ({
  id: ++id,
  at: new Date(NOON_MS + atMs).toISOString(),
  step: name,
  ...rest,
});
const payment = (from: number, receipt: string): RoadStep[] => [
  step('dialled', from),
  step('prompted', from + 3_000),
  step('answered', from + 5_000),
  step('notice', from + 5_260, { detail: receipt }),
  step('settled', from + 5_300, { card: '1' }),
  step('sent', from + 5_330, { card: '1' }),
  step('accepted', from + 5_420, { card: '1' }),
  step('on_air', from + 5_700, { card: '1' }),
  step('received', from + 5_760, { card: '1' }),
  step('picture', from + 5_800, { card: '1' }),
  step('text', from + 5_900),
];
const names = (steps: RoadStep[]) =>
  ridesOf(steps).map((ride) => ride.stages.map((stage) => stage.step.step).join(' '));

describe('the road', () => {
  it('is empty without steps', () => {
    expect(ridesOf([])).toEqual([]);
  });

  it('tells the time since the step before and since the first', () => {
    const [ride] = ridesOf(payment(0, 'A'));
    expect(ride?.stages[0]).toMatchObject({ sinceBeforeMs: 0, sinceFirstMs: 0 });
    expect(ride?.stages[4]).toMatchObject({ sinceBeforeMs: 40, sinceFirstMs: 5_300 });
    expect(ride).toMatchObject({ card: '1', paid: true });
  });

  it('shows each payment as a ride, newest first', () => {
    const rides = ridesOf([...payment(0, 'A'), ...payment(60_000, 'B')]);
    expect(rides.map(({ stages }) => stages.length)).toEqual([11, 11]);
    expect(rides[0]?.at).toBe(new Date(NOON_MS + 60_000).toISOString());
  });

  it('does not depend on the order of arrival', () => {
    const steps = payment(0, 'A');
    expect(names(steps.toReversed())).toEqual(names(steps));
  });

  it('keeps a repeated notice with its payment, and begins anew with another receipt', () => {
    const repeated = [...payment(0, 'A'), step('notice', 9_000, { detail: 'A' })];
    expect(ridesOf(repeated)).toHaveLength(1);
    expect(ridesOf([...repeated, step('notice', 20_000, { detail: 'B' })])).toHaveLength(2);
  });

  it('forgets a dialling that led nowhere', () => {
    const tries = [step('dialled', 0), step('dialled', 20_000)];
    expect(names(tries)).toEqual(['dialled']);
    expect(ridesOf([...tries, ...payment(40_000, 'A')])).toHaveLength(1);
    expect(names([...payment(80_000, 'B'), step('dialled', 90_000)])).toHaveLength(2);
  });

  it('waits for a decoder that was off, with all sendings in one ride', () => {
    const off = payment(0, 'A').filter(({ step: name }) => !/received|picture/.test(name));
    const healed = [step('sent', 600_000), step('received', 600_400), step('picture', 600_500)];
    expect(names([...off, ...healed])).toHaveLength(1);
  });

  it('shows rights that are sent without money as a ride of their own', () => {
    const rides = ridesOf([...payment(0, 'A'), step('sent', 90_000, { card: '1' })]);
    expect(rides[0]).toMatchObject({ paid: false, card: '1', stages: [{ sinceFirstMs: 0 }] });
  });

  it('begins with the notice of a payment, not with rights that went out before it', () => {
    const furnished = [step('sent', 0, { card: '1' }), step('on_air', 400, { card: '1' })];
    const [paid, rights] = ridesOf([...furnished, ...payment(60_000, 'A').slice(3)]);
    expect(paid).toMatchObject({ paid: true, stages: { length: 8 } });
    expect(rights).toMatchObject({ paid: false, stages: { length: 2 } });
  });

  it('goes by time, and by the order of the road where the time is the same', () => {
    const told = [step('dialled', 0), step('sent', 50), step('picture', 80), step('on_air', 80)];
    expect(names(told)).toEqual(['dialled sent on_air picture']);
  });
});
