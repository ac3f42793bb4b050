/** Reports as of an instant that has passed. */
import type { ClientBase, Pool } from 'pg';
import { z } from 'zod';
import { makePack } from '../../evidence/compliance/service.ts';
import { operatorAt } from '../../evidence/print/operator.ts';
import { packPdf } from '../../evidence/print/pack.ts';
import { reportPdf } from '../../evidence/print/report.ts';
import { REPORT_NAMES, REPORTS } from '../../evidence/reports/definitions.ts';
import { type Report, reportCsv, runReport } from '../../evidence/reports/service.ts';
import { cardNumber, cardNumberText, instant, instantIn } from '../api/fields.ts';
import { problem } from '../api/problems.ts';
import { type Answer, file, ok, type Route, route } from '../api/route.ts';
import type { Desk } from './desk.ts';

const name = z.enum(REPORT_NAMES as [string, ...string[]]).meta({ id: 'ReportName' });
const described = z.strictObject({ name: z.string(), version: z.int(), definition: z.string() });
const report = z
  .strictObject({
    name: z.string(),
    /** Of the query. */
    version: z.int(),
    definition: z.string(),
    at: instant,
    card: cardNumberText.nullable(),
    columns: z.array(z.string()),
    rows: z.array(z.array(z.union([z.string(), z.number()]))),
    /** Of JSON with name, version, definition, at, card, columns and rows, in this order. */
    sha256: z.string().regex(/^[0-9a-f]{64}$/),
    /** The rows as separated values, where they were asked for. */
    csv: z.string().nullable(),
  })
  .meta({ id: 'Report' });

const pack = z
  .strictObject({
    version: z.int(),
    at: instant,
    knownUntil: instant.nullable(),
    rows: z.array(
      z.strictObject({
        /** `C-3`. */
        number: z.string(),
        requirement: z.string(),
        status: z.enum(['met', 'part', 'not met', 'not applicable']),
        reasons: z.array(z.string()),
        /** What was found, and the query or setting where it can be had again. */
        evidence: z.array(
          z.strictObject({ what: z.string(), found: z.unknown(), source: z.string() }),
        ),
      }),
    ),
    /** Of JSON with version, at, knownUntil and rows, in this order. */
    sha256: z.string().regex(/^[0-9a-f]{64}$/),
  })
  .meta({ id: 'CompliancePack' });

/** The routes of reports; they are of all sites, for who sees all sites. */
export const reportRoutes = (desk: Pick<Desk, 'pool' | 'clock' | 'installation'>): Route[] => [
  route({
    ...{ method: 'get', path: '/compliance-pack', tag: 'Reports', access: 'report.read' },
    summary: 'How each requirement on such a system stands now, and what shows it; of all sites',
    query: z.strictObject({ format: z.enum(['json', 'pdf']).optional() }),
    answers: { 200: pack },
    file: 'application/pdf',
    problems: ['not_found', 'invalid_query'],
    async handler({ principal, query: { format } }) {
      if (principal.sites !== 'all') return problem('not_found');
      const { pool, clock } = desk;
      const made = await makePack({ pool, clock, installation: await desk.installation() });
      if (format !== 'pdf') return ok(made);
      const operator = await operatorAt(pool, new Date(made.at));
      return pdfFile('compliance-pack', made, await packPdf(made, operator));
    },
  }),
  route({
    ...{ method: 'get', path: '/reports', tag: 'Reports', access: 'report.read' },
    summary: 'The reports there are, and what each says',
    answers: { 200: z.strictObject({ reports: z.array(described) }) },
    async handler() {
      return ok({ reports: REPORT_NAMES.map((one) => ({ name: one, ...REPORTS[one] })) });
    },
  }),
  route({
    ...{ method: 'get', path: '/reports/{name}', tag: 'Reports', access: 'report.read' },
    summary: 'A report of all sites as of an instant that has passed; for who sees all sites',
    params: z.strictObject({ name }),
    query: z.strictObject({
      /** Left out: the last instant of which everything is known. */
      at: instantIn.optional(),
      card: cardNumber.optional(),
      format: z.enum(['json', 'csv', 'pdf']).optional(),
    }),
    answers: { 200: report },
    file: 'application/pdf',
    problems: ['too_late', 'invalid_query'],
    async handler({ db, principal, params, query: { at, card, format } }) {
      if (principal.sites !== 'all') return problem('not_found');
      const wanted = REPORT_NAMES.find((one) => one === params.name);
      if (!wanted) return problem('not_found');
      const answer = await runReport(db, { name: wanted, at, card });
      if (answer.ok) return await written(db, answer.report, format);
      if (answer.error === 'too_late') return problem('too_late');
      const fault = { path: 'query.card', code: 'required', message: 'Which card?' };
      return problem('invalid_query', { fields: [fault] });
    },
  }),
];

async function written(
  db: Pool | ClientBase,
  made: Report,
  format: 'json' | 'csv' | 'pdf' | undefined,
): Promise<Answer> {
  if (format !== 'pdf') return ok({ ...made, csv: format === 'csv' ? reportCsv(made) : null });
  const operator = await operatorAt(db, new Date(made.at));
  return pdfFile(made.name, made, await reportPdf(made, operator));
}

/** `active-20261123T120000000Z.pdf` */
const pdfFile = (name: string, { at }: { at: string }, bytes: Buffer): Answer =>
  file('application/pdf', `${name}-${at.replaceAll(/[-:.]/g, '')}.pdf`, bytes);
