/**
 * The conditional-access systems of an operator, as their file declares them: what they are, how
 * they are reached, which cards they serve and what they call our products.
 */
import { LineCounter, parseDocument } from 'yaml';
import { z } from 'zod';
import { createProblems, type Problem } from '../../billing/catalogue/file/problems.ts';
import {
  type ControlAddress,
  type ControlRead,
  readControlAddress,
} from '../../platform/control-address.ts';

export interface CasSystem {
  id: string;
  name: string;
  vendor: string | null;
  version: string | null;
  /** The vendor's declaration that it was never broken: its text or the name of its file. */
  declaration: string | null;
  /** Local dates, `2027-12-31`. */
  declaredUntil: string | null;
  inServiceFrom: string | null;
  inServiceTo: string | null;
  driver: 'vcp';
  /** The file of the public key (PEM) it signs its own log with; null: that is not read. */
  logKeyFile: string | null;
  address: ControlAddress;
  /** Its name of each product of ours that it carries; null: all, under our own names. */
  products: ReadonlyMap<string, string> | null;
  /** Whether it carries pay-per-view events under their own names. */
  hasEvents: boolean;
  /** Codes of the sites, and beginnings of the card numbers, that it serves; none: the rest. */
  sites: readonly string[];
  cardPrefixes: readonly string[];
}

/** The system of every card where no file declares another. */
export const ONLY_SYSTEM: Omit<CasSystem, 'address'> = {
  ...{ id: 'vip-control', name: 'VIP Control', vendor: null, version: null },
  ...{ declaration: null, declaredUntil: null, inServiceFrom: null, inServiceTo: null },
  ...{
    driver: 'vcp',
    logKeyFile: null,
    products: null,
    hasEvents: true,
    sites: [],
    cardPrefixes: [],
  },
};

/** Leaves room for epoch, card, revision and number in the 64 characters of a cmdId. */
export const CAS_ID_CHARS_MAX = 16;
const SYSTEMS_MAX = 32;
const PRODUCTS_MAX = 500;
const NAMES_MAX = 200;
const TEXT_CHARS_MAX = 1_000_000;

const id = z
  .string()
  .max(CAS_ID_CHARS_MAX)
  .regex(/^[a-z][a-z0-9-]*$/, 'must begin with a letter and hold a-z, 0-9 and - alone');
const text = z.string().min(1).max(200);
const day = z.iso.date();
const file = z.strictObject({
  systems: z
    .array(
      z.strictObject({
        id,
        name: text,
        vendor: text.optional(),
        version: text.optional(),
        declaration: z.strictObject({ text, validUntil: day.optional() }).optional(),
        inService: z.strictObject({ from: day, to: day.optional() }).optional(),
        driver: z.literal('vcp').default('vcp'),
        url: text,
        tls: z.strictObject({ ca: text, cert: text, key: text }).optional(),
        plain: z.boolean().default(false),
        logKey: text.optional(),
        products: z
          .record(text, text)
          .refine((map) => Object.keys(map).length <= PRODUCTS_MAX, `at most ${PRODUCTS_MAX}`)
          .optional(),
        events: z.boolean().default(true),
        sites: z.array(text).max(NAMES_MAX).default([]),
        cardPrefixes: z
          .array(z.string().regex(/^\d{1,11}$/, 'must be 1 to 11 digits, in quotes'))
          .max(NAMES_MAX)
          .default([]),
      }),
    )
    .min(1)
    .max(SYSTEMS_MAX),
});
type Written = z.infer<typeof file>['systems'][number];

export type SystemsRead =
  | { ok: true; systems: readonly CasSystem[] }
  | { ok: false; problems: readonly Pick<Problem, 'line' | 'path' | 'reason'>[] };

/** The systems that a text (YAML 1.2) declares, or all that is wrong with it, by line. */
export function readSystems(written: string): SystemsRead {
  if (written.length > TEXT_CHARS_MAX) {
    const reason = `is longer than ${TEXT_CHARS_MAX} characters`;
    return { ok: false, problems: [{ line: 1, path: '', reason }] };
  }
  const lines = new LineCounter();
  const document = parseDocument(written, { lineCounter: lines, prettyErrors: false });
  const problems = createProblems(document, lines);
  for (const { pos, message } of document.errors) problems.atOffset(pos[0], message);
  const read = document.errors.length === 0 ? file.safeParse(document.toJS()) : null;
  for (const { path, message } of read?.error?.issues ?? []) {
    problems.at(path as (string | number)[], message);
  }
  const systems = read?.success ? read.data.systems : [];
  if (read?.success) judgeTogether(systems, problems);
  const found = problems.list();
  if (found.length > 0) return { ok: false, problems: found };
  return { ok: true, systems: systems.map(systemOf) };
}

/** What no entry can say alone: ids and cards are of one system, and every card of some. */
function judgeTogether(
  systems: readonly Written[],
  problems: ReturnType<typeof createProblems>,
): void {
  const owners = new Map<string, number>();
  const take = (name: string, index: number, path: (string | number)[]) => {
    const owner = owners.get(name);
    if (owner === undefined) owners.set(name, index);
    else problems.at(path, `is of system ${systems[owner]?.id} already`);
  };
  for (const [i, { id: name, sites, cardPrefixes, inService, ...written }] of systems.entries()) {
    take(`id ${name}`, i, ['systems', i, 'id']);
    sites.forEach((code, n) => void take(`site ${code}`, i, ['systems', i, 'sites', n]));
    cardPrefixes.forEach((digits, n) => {
      take(`card ${digits}`, i, ['systems', i, 'cardPrefixes', n]);
    });
    if (sites.length + cardPrefixes.length === 0) take('rest', i, ['systems', i, 'id']);
    const address = addressOf(written);
    if (!address.ok) problems.at(['systems', i, 'url'], WRONG_ADDRESS[address.error]);
    if (inService?.to !== undefined && inService.to < inService.from) {
      problems.at(['systems', i, 'inService', 'to'], 'is before the beginning');
    }
  }
  if (!owners.has('rest')) {
    problems.at(['systems'], 'one system must serve the rest: without sites and cardPrefixes');
  }
}

const addressOf = ({ url, tls, plain }: Pick<Written, 'url' | 'tls' | 'plain'>): ControlRead =>
  readControlAddress({ url, ...tls, allowPlain: plain });

const WRONG_ADDRESS = {
  bad_url: 'must be an address like tls://host:port or https://host, with nothing after it',
  plain_not_allowed: 'must begin with tls:// or https://, or plain: true must stand beside it',
  files_missing: 'needs the files ca, cert and key below tls',
  files_unused: 'has no use for the files below tls: it must begin with tls:// or https://',
};

function systemOf(written: Written): CasSystem {
  const { declaration, inService, products } = written;
  const { id: name, driver, sites, cardPrefixes } = written;
  const read = addressOf(written);
  if (!read.ok) throw new Error(`The address of ${name} was not judged`);
  return {
    ...{ id: name, name: written.name, driver, address: read.address, sites, cardPrefixes },
    logKeyFile: written.logKey ?? null,
    vendor: written.vendor ?? null,
    version: written.version ?? null,
    declaration: declaration?.text ?? null,
    declaredUntil: declaration?.validUntil ?? null,
    inServiceFrom: inService?.from ?? null,
    inServiceTo: inService?.to ?? null,
    products: products ? new Map(Object.entries(products)) : null,
    hasEvents: written.events,
  };
}
