import * as fc from 'fast-check';
import { decodeTurn } from './decode.ts';

const turn = (cumulative: string, previous: string | undefined) => {
  const request = { sessionId: 's', msisdn: null, serviceCode: '*1#', cumulative };
  const { phase, input, dialled } = decodeTurn(request, previous);
  return { phase, input, dialled };
};

describe('decoding of cumulative USSD strings', () => {
  it('begins where no session is known, with what was dialled behind the code', () => {
    expect(turn('', undefined)).toEqual({ phase: 'begin', input: null, dialled: null });
    expect(turn('5*2', undefined)).toEqual({ phase: 'begin', input: null, dialled: '5*2' });
    expect(turn('5#', undefined)).toEqual({ phase: 'begin', input: null, dialled: '5' });
  });

  it('takes the difference to the previous string', () => {
    expect(turn('1', '')).toEqual({ phase: 'input', input: '1', dialled: null });
    expect(turn('1*2', '1').input).toBe('2');
    expect(turn('7*', '7').input).toBe('');
    expect(turn('7*a*b*****', '7*a*b').input).toBe('****');
    expect(turn('1*KEY BAR KEY', '1').input).toBe('KEY BAR KEY');
  });

  it('tells a replay as an empty input', () => {
    expect(turn('7*3', '7*3')).toEqual({ phase: 'input', input: '', dialled: null });
    expect(turn('', '')).toEqual({ phase: 'input', input: '', dialled: null });
  });

  it('takes a string that continues nothing for a fresh session', () => {
    expect(turn('12', '1')).toEqual({ phase: 'begin', input: null, dialled: '12' });
    expect(turn('', '1*2')).toEqual({ phase: 'begin', input: null, dialled: null });
  });

  it('gives back any sequence of inputs, also with stars, hashes and blanks in them', () => {
    const typed = fc.oneof(
      fc.string({ unit: fc.constantFrom('*', '#', ' ', '1', '0') }),
      fc.string(),
    );
    const first = typed.filter((text) => text !== '');
    fc.assert(
      fc.property(first, fc.array(typed), (head, rest) => {
        let previous = '';
        for (const input of [head, ...rest]) {
          const cumulative = previous === '' ? input : `${previous}*${input}`;
          expect(turn(cumulative, previous).input).toBe(input);
          previous = cumulative;
        }
      }),
    );
  });
});
