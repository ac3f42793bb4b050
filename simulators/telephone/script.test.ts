import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseScript } from './script.ts';

const errorsOf = (text: string) => {
  const script = parseScript(text, 'a.dial');
  return script.ok ? [] : script.errors;
};

describe('parseScript', () => {
  it('reads every step', () => {
    const script = parseScript(
      [
        '# a comment',
        'phone +254700000001',
        'channel ke-ussd',
        'dial *384*100*1#',
        '',
        '  send 1 2  ',
        'expect /Pay (now|later)/i',
        'expect "1. Pay"',
        'expect end',
        'repeat',
        'abort',
        'wait 500ms',
        'wait 2s',
        'wait text /paid to/ 10s',
        'wait text "10s to go" 1s',
        'prompt accept 1234',
        'prompt cancel',
        'prompt wrong',
      ].join('\n'),
      'a.dial',
    );
    const steps = script.ok ? script.steps : [];
    expect(steps.map(({ line: _line, source: _source, ...action }) => action)).toEqual([
      { verb: 'phone', msisdn: '+254700000001' },
      { verb: 'channel', name: 'ke-ussd' },
      { verb: 'dial', code: '*384*100*1#' },
      { verb: 'send', input: '1 2' },
      { verb: 'expect', pattern: { kind: 'regex', regex: /Pay (now|later)/i } },
      { verb: 'expect', pattern: { kind: 'literal', text: '1. Pay' } },
      { verb: 'expect_end' },
      { verb: 'repeat' },
      { verb: 'abort' },
      { verb: 'wait', ms: 500 },
      { verb: 'wait', ms: 2000 },
      { verb: 'wait_text', pattern: { kind: 'regex', regex: /paid to/ }, ms: 10_000 },
      { verb: 'wait_text', pattern: { kind: 'literal', text: '10s to go' }, ms: 1000 },
      { verb: 'prompt_accept', pin: '1234' },
      { verb: 'prompt_cancel' },
      { verb: 'prompt_wrong' },
    ]);
    expect(steps[0]).toMatchObject({ line: 2, source: 'phone +254700000001' });
  });

  it('tells every bad line with file and line', () => {
    expect(errorsOf('dial *384*100#\nsing 1\nsend\n')).toEqual([
      expect.stringMatching(/^a\.dial:2: "sing" is not a step; there are: phone, /),
      'a.dial:3: send takes what is typed',
    ]);
  });

  it.each([
    'phone 0700000001',
    'dial 384',
    'channel',
    'expect Pay',
    'expect /(/',
    'expect /a/g',
    'wait soon',
    'wait 61s',
    'wait text /paid/',
    'wait text paid 10s',
    'prompt accept',
    'prompt perhaps',
    'abort now',
    'repeat 2',
  ])('refuses "%s"', (line) => {
    expect(errorsOf(line)).toEqual([expect.stringMatching(/^a\.dial:1: /)]);
  });

  it('refuses a script without steps', () => {
    expect(errorsOf('# nothing\n')).toEqual(['a.dial: no steps']);
  });

  it.each(['pay-month', 'move-payment'])('reads the script %s that comes along', (name) => {
    const text = readFileSync(join(import.meta.dirname, `scripts/${name}.dial`), 'utf8');
    expect(parseScript(text, `${name}.dial`).ok).toBe(true);
  });
});
