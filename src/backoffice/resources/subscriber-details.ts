/** Addresses, place, landline and e-mail of a subscriber, as requests and answers have them. */
import { z } from 'zod';
import { toE164 } from '../../platform/phone.ts';
import {
  type Details,
  EMAIL_CHARS_MAX,
  isEmail,
  LATITUDE_MAX,
  LONGITUDE_MAX,
  readDegrees,
} from '../../registry/details.ts';
import { text } from '../api/fields.ts';
import { type Problem, problem } from '../api/problems.ts';

const ADDRESS_CHARS_MAX = 300;

/** In answers. */
export const detailFields = {
  billingAddress: z.string().nullable(),
  installationAddress: z.string().nullable(),
  position: z
    .strictObject({ latitude: z.string(), longitude: z.string() })
    .meta({ id: 'Position', description: 'Degrees (WGS 84) with six decimals.' })
    .nullable(),
  landline: z.string().nullable(),
  email: z.string().nullable(),
};

const DEGREES = /^-?[0-9]{1,3}(\.[0-9]{1,6})?$/;
const degrees = (max: number) =>
  z
    .string()
    .regex(DEGREES)
    // A refinement is asked also about what the shape refuses.
    .refine((value) => !DEGREES.test(value) || readDegrees(value, max) !== null, 'Out of range')
    .transform((value) => readDegrees(value, max) ?? value);

const address = text(ADDRESS_CHARS_MAX).refine((value) => value.trim() !== '', 'Blank');

/** In requests: left out, it stays; null takes it away. */
export const detailsIn = {
  billingAddress: address.nullable().optional(),
  installationAddress: address.nullable().optional(),
  position: z
    .strictObject({ latitude: degrees(LATITUDE_MAX), longitude: degrees(LONGITUDE_MAX) })
    .meta({ id: 'PositionToKeep', description: 'Of the installation, in degrees (WGS 84).' })
    .nullable()
    .optional(),
  landline: text(32)
    .meta({ description: 'As dialled at the site, or with `+` and the country.' })
    .nullable()
    .optional(),
  email: text(EMAIL_CHARS_MAX).refine(isEmail, 'Not an e-mail address').nullable().optional(),
};

type Given = z.output<z.ZodObject<typeof detailsIn>>;

/** What a request changes of `before`, at a site of `country`; or what is wrong with it. */
export function changedDetails(body: Given, before: Details, country: string): Details | Problem {
  const written = body.landline ?? null;
  const landline = toE164(written, country);
  if (written !== null && landline === null) {
    const message = 'Not a whole telephone number';
    return problem('invalid_body', {
      fields: [{ path: 'landline', code: 'invalid_format', message }],
    });
  }
  const { billingAddress, installationAddress, position, email } = body;
  const orBefore = <T>(value: T | undefined, old: T): T => (value === undefined ? old : value);
  return {
    billingAddress: orBefore(billingAddress, before.billingAddress),
    installationAddress: orBefore(installationAddress, before.installationAddress),
    position: orBefore(position, before.position),
    landline: body.landline === undefined ? before.landline : landline,
    email: orBefore(email, before.email),
  };
}

/** The record's own, and nothing else of it. */
export const detailsOf = (record: Details): Details => ({
  billingAddress: record.billingAddress,
  installationAddress: record.installationAddress,
  position: record.position,
  landline: record.landline,
  email: record.email,
});
