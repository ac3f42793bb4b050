/** The catalogue file: the one in force, those before it, checking another and publishing it. */
import { z } from 'zod';
import type { Problem as FileProblem } from '../../billing/catalogue/file/problems.ts';
import {
  type CatalogueReview,
  type NewCatalogue,
  type Published,
  reviewCatalogue,
} from '../../billing/catalogue/publish.ts';
import type { CatalogueVersion } from '../../billing/catalogue/store.ts';
import { id, idText, instant, pageOf, plainPage, reason } from '../api/fields.ts';
import { type FieldFault, type Problem, problem } from '../api/problems.ts';
import { accepted, type Call, ok, type Route, route } from '../api/route.ts';
import { type Act, approvalById, askApproval } from '../people/approvals.ts';
import type { Principal } from '../people/principal.ts';
import { approval, approvalView } from './approval-view.ts';
import { listVersions, versionById } from './catalogue-store.ts';
import type { Desk } from './desk.ts';

export const PUBLICATION = 'catalogue.publication';

const TEXT_CHARS_MAX = 1_000_000;
/** Letters beyond ASCII and escapes take more than a byte; few files have many. */
const BODY_BYTES_MAX = 2_000_000;
const FAULTS_SHOWN_MAX = 20;

/** YAML as it is typed: no control characters but those of lines. */
const fileText = z
  .string()
  .min(1)
  .max(TEXT_CHARS_MAX)
  .regex(/^[\P{Cc}\t\n\r]*$/u)
  .refine((text) => text.isWellFormed(), 'Not well-formed');

const head = {
  id: idText,
  /** Of the text. */
  sha256: z.string(),
  publishedAt: instant,
  publishedBy: z.string(),
  note: z.string(),
};
const version = z.strictObject(head).meta({ id: 'CatalogueVersion' });
const whole = z.strictObject({ ...head, text: z.string() }).meta({ id: 'CatalogueFile' });
const inForce = z
  .strictObject({
    ...head,
    /** Null for who does not see all sites: it is of all of them. */
    text: z.string().nullable(),
  })
  .meta({ id: 'CatalogueInForce' });
const check = z
  .strictObject({
    /** What is wrong with the text, in the order of its lines. */
    problems: z.array(
      z.strictObject({
        line: z.int(),
        column: z.int(),
        path: z.string(),
        reason: z.string(),
        hint: z.string().nullable(),
      }),
    ),
    /** Against the catalogue in force, a sentence each. */
    changes: z.array(z.string()),
    /** Why it cannot be published: it takes away or recodes what was sold. */
    inUse: z.array(z.string()),
    /** Prices of days that have come; publishing them must say that it is meant. */
    past: z.array(z.string()),
  })
  .meta({ id: 'CatalogueCheck' });
const proposal = z
  .strictObject({ approval, text: z.string(), check })
  .meta({ id: 'CatalogueProposal' });

const tag = 'Catalogue';

/** The routes of the file. */
export const catalogueVersionRoutes = (desk: Desk): Route[] => [
  inForceRoute(desk),
  listRoute(),
  oneRoute(),
  checkRoute(desk),
  publishRoute(desk),
  proposalRoute(desk),
];

const headOf = ({ id: of, sha256, publishedAt, publishedBy, note }: CatalogueVersion) => ({
  ...{ id: of.toString(), sha256, publishedAt: publishedAt.toISOString(), publishedBy, note },
});

/** The file in force as this caller sees it; null before the first. */
function shown(desk: Desk, { sites }: Principal) {
  const published = desk.catalogueFile();
  if (!published) return null;
  return { ...headOf(published.version), text: sites === 'all' ? published.text : null };
}

/** A file speaks of all sites: who writes one sees them all. */
const OF_ALL_SITES: Problem = problem('forbidden', { detail: 'A catalogue is of all sites.' });

const inForceRoute = (desk: Desk): Route =>
  route({
    ...{ method: 'get', path: '/catalogue', tag, access: 'catalogue.read', etag: 'read' },
    ...{ summary: 'The catalogue file in force', answers: { 200: inForce } },
    problems: ['not_found'],
    async handler({ principal }) {
      const found = shown(desk, principal);
      return found ? ok(found) : problem('not_found');
    },
  });

const listRoute = (): Route =>
  route({
    ...{ method: 'get', path: '/catalogue/versions', tag, access: 'catalogue.read', paged: true },
    ...{ summary: 'Published catalogues, the newest first', query: plainPage },
    answers: { 200: pageOf(version) },
    async handler({ db, page, pageOf: answer }) {
      const rows = await listVersions(db, { after: page.after, limit: page.fetch });
      return answer(rows, ({ publishedAt: at, id: of }) => ({ at, id: of }), headOf);
    },
  });

const oneRoute = (): Route =>
  route({
    ...{ method: 'get', path: '/catalogue/versions/{versionId}', tag, access: 'catalogue.read' },
    ...{ summary: 'One of them with its text, for who sees all sites' },
    ...{ params: z.strictObject({ versionId: id }), answers: { 200: whole } },
    async handler({ db, principal, params }) {
      const found = principal.sites === 'all' ? await versionById(db, params.versionId) : null;
      return found ? ok({ ...headOf(found), text: found.text }) : problem('not_found');
    },
  });

const EXAMPLE = 'format: vip-catalogue/1\noperator: Savane TV\n';

function checkOf(review: CatalogueReview): z.output<typeof check> {
  if (review.kind === 'read') {
    const { changes, inUse, past } = review;
    return { problems: [], changes, inUse, past };
  }
  return { problems: review.problems, changes: [], inUse: [], past: [] };
}

const checkRoute = (desk: Desk): Route =>
  route({
    ...{ method: 'post', path: '/catalogue/checks', tag, access: 'catalogue.write' },
    summary: 'What is wrong with a file, what it would change, and what speaks against it',
    ...{ body: z.strictObject({ text: fileText }), bodyBytesMax: BODY_BYTES_MAX },
    ...{ write: { object: 'catalogue', commits: 'here' }, example: { text: EXAMPLE } },
    answers: { 200: check },
    async handler({ db, principal, body, now, note }) {
      if (principal.sites !== 'all') return OF_ALL_SITES;
      note({ objectId: desk.catalogueFile()?.version.id ?? null });
      return ok(checkOf(await reviewCatalogue(db, body.text, now)));
    },
  });

const publication = z.strictObject({
  text: fileText,
  reason,
  /** Prices of days that have come may change: what was sold keeps its own. */
  allowPast: z.boolean().default(false),
});

const publishRoute = (desk: Desk): Route =>
  route({
    ...{ method: 'post', path: '/catalogue/versions', tag, access: 'catalogue.write' },
    summary: 'Ask for a file to be published; If-Match names the one in force that you have seen',
    ...{ body: publication, bodyBytesMax: BODY_BYTES_MAX, etag: 'write' },
    ...{ write: { object: 'catalogue', commits: 'here' }, answers: { 202: approval } },
    example: { text: EXAMPLE, reason: 'prices of the new year' },
    problems: ['catalogue_in_use', 'catalogue_past'],
    handler: (call) => askToPublish(desk, call),
  });

async function askToPublish(
  desk: Desk,
  call: Call<unknown, unknown, z.output<typeof publication>>,
) {
  const { db, principal, body, now } = call;
  if (principal.sites !== 'all') return OF_ALL_SITES;
  const current = shown(desk, principal);
  const stale = call.staleness(current);
  if (stale) return stale;
  const review = await reviewCatalogue(db, body.text, now);
  const fault = faultOf(review, body.allowPast);
  if (fault) return fault;
  const { changes } = checkOf(review);
  const approvalId = await desk.ids.take();
  const { text, allowPast, reason: why } = body;
  const made = await askApproval(db, {
    ...{ id: approvalId, requestKey: `${PUBLICATION}:${approvalId}`, act: PUBLICATION },
    ...{ permission: 'catalogue.approve', siteId: null, amount: null, reason: why },
    subject: `A new catalogue: ${changes.length} changes`,
    input: { text, note: why, by: principal.key, allowPast, onto: current?.id ?? null },
    ...{ askedBy: principal.key, now },
  });
  call.note({ objectId: approvalId, after: { allowPast, changes: changes.length }, reason: why });
  return accepted(approvalView(desk, now)(made), `/approvals/${approvalId}`);
}

/** Why it can't even be asked for. */
function faultOf(review: CatalogueReview, allowPast: boolean): Problem | null {
  if (review.kind === 'unreadable') {
    return problem('invalid_body', { fields: faults(review.problems.map(fileFault)) });
  }
  const told = (message: string): FieldFault => ({ path: 'text', code: 'refused', message });
  if (review.inUse.length > 0) {
    return problem('catalogue_in_use', { fields: faults(review.inUse.map(told)) });
  }
  if (review.past.length > 0 && !allowPast) {
    return problem('catalogue_past', { fields: faults(review.past.map(told)) });
  }
  return null;
}

const faults = (all: readonly FieldFault[]): FieldFault[] => all.slice(0, FAULTS_SHOWN_MAX);

const fileFault = ({ line, column, path, reason: why, hint }: FileProblem): FieldFault => ({
  path: `text:${line}:${column}`,
  code: 'invalid',
  message: `${path === '' ? 'file' : path}: ${why}${hint === null ? '' : ` (${hint})`}`,
});

const proposalRoute = (desk: Desk): Route =>
  route({
    ...{ method: 'get', path: '/catalogue/proposals/{approvalId}', tag, access: 'approval.read' },
    summary: 'A catalogue that waits for its second person: the text, and what it changes by now',
    ...{ params: z.strictObject({ approvalId: id }), answers: { 200: proposal } },
    async handler({ db, principal, params: { approvalId }, now }) {
      const isOfAll = principal.sites === 'all';
      const found = isOfAll ? await approvalById(db, approvalId, { sites: null }) : null;
      if (found?.act !== PUBLICATION) return problem('not_found');
      const { text } = input.parse(found.input);
      const review = await reviewCatalogue(db, text, now);
      return ok({ approval: approvalView(desk, now)(found), text, check: checkOf(review) });
    },
  });

const input = z.strictObject({
  text: z.string(),
  note: z.string(),
  by: z.string(),
  allowPast: z.boolean(),
  onto: z.string().transform(BigInt).nullable(),
});

export interface PublishDeps {
  publish(given: NewCatalogue): Promise<Published>;
}

/** The act: published by who asked, onto the file they had seen; done twice, it is done once. */
export const createPublication = ({ publish }: PublishDeps): Act => ({
  permission: 'catalogue.approve',
  async execute(given) {
    const published = await publish(input.parse(given));
    if (!published.ok) return { kind: 'refused', code: published.error };
    return { kind: 'done', result: headOf(published.version) };
  },
});
