import { classOf, RESULT_CODES } from '../vip-control/results.ts';
import { sentenceOf } from './rules.ts';

/** They heal by themselves: nobody is asked to look before a day has passed. */
const HEALING = ['EXPIRED', 'REV_CONFLICT'];

describe('the sentence for the agent', () => {
  it('is its own for each refusal, and says something to do', () => {
    const refusals = RESULT_CODES.filter((code) =>
      ['state', 'data', 'authority', 'fatal'].includes(classOf(code)),
    ).filter((code) => !HEALING.includes(code));
    const sentences = refusals.map(sentenceOf);
    expect(new Set(sentences).size).toBe(refusals.length);
    for (const sentence of sentences) expect(sentence).not.toMatch(/for a day/);
  });

  it('names a code of which nobody has heard', () => {
    expect(sentenceOf('MELTED')).toMatch(/MELTED/);
    expect(sentenceOf('toString')).toMatch(/toString/);
  });
});
