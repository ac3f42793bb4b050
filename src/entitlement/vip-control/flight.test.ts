import { createFlight, type Flight, nextStep } from './flight.ts';

const flight = (fields: Partial<Flight>): Flight => ({
  ...createFlight({} as Flight['wire'], new Date(0), () => undefined),
  ...fields,
});
const seconds = (value: number | undefined) => (value === undefined ? undefined : value * 1_000);

describe('the next step of a command in flight', () => {
  it.each`
    phase         | asked  | accepted     | now    | step         | why
    ${'sent'}     | ${0}   | ${undefined} | ${4}   | ${'wait'}    | ${'T1 has not passed'}
    ${'sent'}     | ${0}   | ${undefined} | ${5}   | ${'ask'}     | ${'no ACK within T1'}
    ${'asked'}    | ${5}   | ${undefined} | ${9}   | ${'wait'}    | ${'STATUS was just asked'}
    ${'asked'}    | ${5}   | ${undefined} | ${10}  | ${'resend'}  | ${'no answer to STATUS'}
    ${'accepted'} | ${0}   | ${1}         | ${29}  | ${'wait'}    | ${'T2 has not passed'}
    ${'accepted'} | ${0}   | ${1}         | ${30}  | ${'ask'}     | ${'no result within T2'}
    ${'accepted'} | ${30}  | ${1}         | ${89}  | ${'wait'}    | ${'asked less than 60 s ago'}
    ${'accepted'} | ${30}  | ${1}         | ${90}  | ${'ask'}     | ${'asked 60 s ago'}
    ${'accepted'} | ${90}  | ${1}         | ${121} | ${'alarm'}   | ${'slower than 2 min'}
    ${'asked'}    | ${595} | ${1}         | ${601} | ${'give_up'} | ${'accepted 10 min ago'}
  `('is $step: $why', ({ phase, asked, accepted, now, step }) => {
    const alarmed = now > 500;
    const at = { askedAtMs: asked * 1_000, acceptedAtMs: seconds(accepted), alarmed };
    expect(nextStep(flight({ phase, ...at }), now * 1_000)).toBe(step);
  });

  it('alarms once', () => {
    const slow = flight({ phase: 'accepted', acceptedAtMs: 0, askedAtMs: 90_000, alarmed: true });
    expect(nextStep(slow, 121_000)).toBe('wait');
  });
});
