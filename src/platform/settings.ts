/** All settings there are, each with what it must be. */
import { resolve } from 'node:path';
import { z } from 'zod';
import { parseAmount } from './money/amount.ts';

/** What a process can do. */
export const ROLES = ['gateway', 'dispatcher', 'scheduler', 'backoffice'] as const;

export interface Setting {
  /** One line for `.env.example`. */
  about: string;
  /** What happens when it is not set, as it would be written; or an example of a value. */
  default?: string;
  example?: string;
  /** What the value must be, for the sentence that refuses another one. */
  must: string;
  /** The value is kept out of that sentence. */
  isSecret?: true;
  schema: z.ZodType<unknown, string>;
}

const postgresUrl = urlOf(['postgres:', 'postgresql:']);

/** All settings there are. `.env.example` says the same, and a test compares the two. */
export const SETTINGS = {
  PORT: {
    about: 'The HTTP port; 0 takes any free one.',
    default: '8080',
    must: 'be a whole number from 0 to 65535',
    schema: portNumber(0),
  },
  VIP_BIND: {
    about: 'The address to listen on; the demo listens on 127.0.0.1 whatever stands here.',
    default: '0.0.0.0',
    must: 'be an address or a host name',
    schema: z.string().regex(/^[\w.:-]+$/),
  },
  VIP_DATA_DIR: {
    about: 'The folder of the embedded database.',
    default: './data',
    must: 'be a folder',
    schema: z.string().transform((path) => resolve(path)),
  },
  DATABASE_URL: {
    about: 'The Postgres server, as the role the product works with; without it: the embedded one.',
    example: 'postgres://vip_app:password@db.example/vip',
    must: 'be an address like postgres://user:password@host:5432/database',
    isSecret: true,
    schema: postgresUrl,
  },
  DATABASE_OWNER_URL: {
    about: 'The same database, as the role that owns the tables and migrates; else DATABASE_URL.',
    example: 'postgres://vip_owner:password@db.example/vip',
    must: 'be an address like postgres://user:password@host:5432/database',
    isSecret: true,
    schema: postgresUrl,
  },
  REDIS_URL: {
    about: 'Redis, which several gateways need to share their USSD sessions; else in memory.',
    example: 'redis://:password@redis.example:6379',
    must: 'be an address like redis://:password@host:6379',
    isSecret: true,
    schema: urlOf(['redis:', 'rediss:']),
  },
  VIP_DEMO: {
    about: '1: demo operator and simulators. Else 0; without DATABASE_URL it is 1.',
    example: '1',
    must: 'be 0 or 1',
    schema: z.enum(['0', '1']).transform((text) => text === '1'),
  },
  VIP_ROLES: {
    about: 'What this process does.',
    default: ROLES.join(','),
    must: `be a list of ${ROLES.join(', ')}, with commas between`,
    schema: z
      .string()
      .transform((text) => text.split(',').map((role) => role.trim()))
      .pipe(z.array(z.enum(ROLES)).min(1)),
  },
  VIP_PROVIDERS_FILE: {
    about: 'The operators and providers to work with; needed outside the demo.',
    example: './config/providers.yaml',
    must: 'be a file',
    schema: z.string().transform((path) => resolve(path)),
  },
  VIP_CAS_FILE: {
    about: 'The conditional-access systems, where there are several; else VIP_CONTROL_URL.',
    example: './config/cas.yaml',
    must: 'be a file',
    schema: z.string().transform((path) => resolve(path)),
  },
  VIP_CONTROL_URL: {
    about: 'The only head-end; needed outside the demo where the dispatcher runs.',
    example: 'tls://head-end.example:7700',
    must: 'be an address like tls://host:port or https://host, with nothing after it',
    schema: z.string(),
  },
  VIP_CONTROL_CA: {
    about: 'PEM file of the authority that signed the certificate of the head-end.',
    example: './config/head-end-ca.pem',
    must: 'be a file',
    schema: z.string(),
  },
  VIP_CONTROL_CERT: {
    about: 'PEM file of the certificate that we show to the head-end.',
    example: './config/vip-billing.pem',
    must: 'be a file',
    schema: z.string(),
  },
  VIP_CONTROL_KEY: {
    about: 'PEM file of the private key of that certificate.',
    example: './config/vip-billing.key',
    must: 'be a file',
    schema: z.string(),
  },
  VIP_CONTROL_PLAIN: {
    about: '1: tcp:// and http:// may leave this machine, for a line that is safe by itself.',
    default: '0',
    must: 'be 0 or 1',
    schema: z.enum(['0', '1']).transform((text) => text === '1'),
  },
  VIP_TRUSTED_PROXIES: {
    about: 'How many proxies of yours stand in front; their X-Forwarded-For is believed.',
    default: '0',
    must: 'be a whole number from 0 to 9',
    schema: z.string().regex(/^\d$/).transform(Number),
  },
  VIP_PUBLIC_URL: {
    about: 'Where the API is reached from outside; else the address it listens on.',
    example: 'https://billing.example',
    must: 'be an address like https://host',
    schema: urlOf(['http:', 'https:']).transform((text) => text.replace(/\/+$/, '')),
  },
  VIP_API_SECRET: {
    about: 'Signs and seals for the API; the same in all processes, needed outside the demo.',
    example: 'at-least-32-characters-made-by-openssl-rand',
    must: 'have at least 32 characters',
    isSecret: true,
    schema: z.string().min(32),
  },
  VIP_APPROVAL_ABOVE: {
    about: 'Above these amounts taking money back needs a second person; else it always does.',
    example: 'KES 5000.00, XOF 30000',
    must: 'be amounts like KES 5000.00, with commas between',
    schema: z.string().transform(readLimits),
  },
  VIP_FIRST_ADMINISTRATOR: {
    about: 'Made at the start while there is no account; the password is changed at sign-in.',
    example: 'login:password-of-12-characters-or-more',
    must: 'be login:password, the password of at least 12 characters',
    isSecret: true,
    schema: z
      .string()
      .regex(/^[a-z0-9][a-z0-9._-]{1,39}:.{12,128}$/)
      .transform((text) => {
        const [login = ''] = text.split(':');
        return { login, password: text.slice(login.length + 1) };
      }),
  },
  VIP_VOUCHER_KEY: {
    about: 'Hashes the codes of scratch cards; never changed, or no card sold is known any more.',
    example: 'at-least-32-characters-made-by-openssl-rand',
    must: 'have at least 32 characters',
    isSecret: true,
    schema: z.string().min(32),
  },
  VIP_ANCHOR_DIR: {
    about: 'Where the heads of all seals are written down each day: a folder outside the database.',
    example: '/var/lib/vip-anchors',
    must: 'be a folder',
    schema: z.string().transform((path) => resolve(path)),
  },
  VIP_ANCHOR_KEY_FILE: {
    about: 'Signs what is written there: an Ed25519 key as PEM, by openssl genpkey.',
    example: '/etc/vip/anchor-key.pem',
    must: 'be a file',
    schema: z.string().transform((path) => resolve(path)),
  },
  VIP_COMMAND_LOG_MONTHS: {
    about: 'How many months of the command log cannot be taken out of the database.',
    default: '24',
    must: 'be a whole number from 24 to 600',
    schema: z
      .string()
      .regex(/^\d{2,3}$/)
      .transform(Number)
      .pipe(z.number().min(24).max(600)),
  },
  VIP_LISTED_DEVICES: {
    about: 'Sites, by code, that put to use only cards and decoders of a file; `all`: every site.',
    example: 'NBO,ABJ',
    must: 'be codes of sites with commas between them, or all',
    schema: z
      .string()
      .regex(/^[\w-]+(,[\w-]+)*$/)
      .transform((text): ReadonlySet<string> => new Set(text.split(','))),
  },
  VIP_DECODER_MODELS: {
    about: 'The models of decoders that a file may name; without it: any.',
    example: 'ZX10,ZX20',
    must: 'be names with commas between them',
    schema: z
      .string()
      .min(1)
      .transform((text): ReadonlySet<string> => new Set(text.split(',').map((m) => m.trim()))),
  },
  LOG_LEVEL: {
    about: 'The least important lines still logged: debug, info, warn or error.',
    default: 'info',
    must: 'be debug, info, warn or error',
    schema: z.enum(['debug', 'info', 'warn', 'error']),
  },
  NODE_ENV: {
    about: 'production refuses the demo and the embedded database.',
    example: 'production',
    must: 'be a word',
    schema: z.string(),
  },
} as const satisfies Record<string, Setting>;

export type Name = keyof typeof SETTINGS;
export type Value<N extends Name> = z.output<(typeof SETTINGS)[N]['schema']>;

/** `KES 5000.00, XOF 30000` */
function readLimits(text: string, context: z.RefinementCtx): ReadonlyMap<string, bigint> {
  const limits = new Map<string, bigint>();
  for (const part of text.split(',')) {
    const [, currency = '', amount = ''] = /^ *([A-Z]{3}) +([\d.]+) *$/.exec(part) ?? [];
    const read = parseAmount(amount, currency);
    if (read.ok) limits.set(currency, read.minor);
    else context.addIssue({ code: 'custom', message: 'not an amount' });
  }
  return limits;
}

function portNumber(min: number) {
  return z
    .string()
    .regex(/^\d{1,5}$/)
    .transform(Number)
    .pipe(z.number().min(min).max(65_535));
}

function urlOf(protocols: string[]) {
  return z.string().refine((text) => {
    const url = URL.parse(text);
    return url !== null && protocols.includes(url.protocol) && url.hostname !== '';
  });
}
