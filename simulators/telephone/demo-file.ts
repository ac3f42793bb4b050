/** `demo.json` in the data folder: where a running demonstration can be reached. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { UssdChannel } from './telephone.ts';

const demoFile = z.object({
  format: z.literal('vip-demo/1'),
  gateway: z.url(),
  ussd: z.array(
    z.object({
      channel: z.string(),
      provider: z.enum(['africastalking', 'safaricom']),
      country: z.string(),
      serviceCode: z.string().regex(/^\*[\d*]+#$/),
      networkCode: z.string().default(''),
      url: z.url(),
      endUrl: z.url().optional(),
    }),
  ),
  mobileMoneySimulator: z.url(),
  textSimulator: z.url(),
  phones: z.array(
    z.object({
      msisdn: z.string().regex(/^\+\d{7,15}$/),
      name: z.string().default(''),
      note: z.string().default(''),
      pin: z.string().default('1234'),
    }),
  ),
});

export type Demo = z.infer<typeof demoFile>;

export type DemoResult = { ok: true; demo: Demo } | { ok: false; sentence: string };

/** Reads the file; the sentence says what to do when that fails. */
export function readDemo(dataFolder: string): DemoResult {
  const file = join(dataFolder, 'demo.json');
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    const sentence = `There is no ${file}: start the demonstration first (npm start).`;
    return { ok: false, sentence };
  }
  try {
    const read = demoFile.safeParse(JSON.parse(text));
    if (read.success) return { ok: true, demo: read.data };
    const issue = read.error.issues[0];
    const sentence = `${file} cannot be used: ${issue?.path.join('.')}: ${issue?.message}`;
    return { ok: false, sentence };
  } catch {
    return { ok: false, sentence: `${file} is not JSON: start the demonstration anew.` };
  }
}

/** A channel by name; without a name the first of the phone's country, else the first of all. */
export function chooseChannel(
  demo: Demo,
  name: string | undefined,
  msisdn: string,
): UssdChannel | null {
  if (name !== undefined) return demo.ussd.find(({ channel }) => channel === name) ?? null;
  const country = COUNTRY_OF_PREFIX.find(([prefix]) => msisdn.startsWith(prefix))?.[1];
  return demo.ussd.find((channel) => channel.country === country) ?? demo.ussd[0] ?? null;
}

const COUNTRY_OF_PREFIX = [
  ['+254', 'KE'],
  ['+225', 'CI'],
] as const;
