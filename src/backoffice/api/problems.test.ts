import { REFUSALS } from '../../billing/errors.ts';
import { OWN_PROBLEMS, PROBLEMS, type ProblemCode, problem, problemBody } from './problems.ts';

describe('the catalogue of problems', () => {
  it('has each code once: what billing refuses is called nothing else here', () => {
    const both = Object.keys(OWN_PROBLEMS).filter((code) => code in REFUSALS);
    expect(both).toEqual([]);
  });

  it('has a status and a sentence for every code, and sends them', () => {
    for (const code of Object.keys(PROBLEMS) as ProblemCode[]) {
      const body = problemBody(problem(code, { detail: 'so' }));
      expect(body).toMatchObject({ type: `/api/v1/problems/${code}`, code, detail: 'so' });
      expect(body.status).toBeGreaterThanOrEqual(400);
      expect(body.title).toMatch(/^[A-Z].*\.$/);
    }
  });
});
