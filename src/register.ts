/** `npm run register -- CHANNEL`: tells the operator where our paybill is asked and confirmed. */
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { readConfig } from './platform/config.ts';
import { createLogger } from './platform/log.ts';
import { StartError } from './platform/start-error.ts';
import { systemClock } from './platform/system.ts';
import { callbackBase, readChannels } from './telecom/channels.ts';
import { createDarajaClient } from './telecom/momo/daraja-client.ts';

async function main(id: string | undefined): Promise<void> {
  const { providersFile } = readConfig(process.env);
  if (!id) throw new StartError('Which channel? npm run register -- CHANNEL');
  if (!providersFile) throw new StartError('VIP_PROVIDERS_FILE is not set.');
  const read = readChannels(parse(readFileSync(providersFile, 'utf8')));
  if (!read.ok) throw new StartError(`${providersFile}: ${read.faults.join('; ')}.`);
  const channel = read.channels.ofKind('money').find((money) => money.id === id);
  if (!channel) throw new StartError(`${providersFile} has no money channel ${id}.`);
  const logger = createLogger({ level: 'warn', service: 'vip-register' });
  const client = createDarajaClient(channel, { clock: systemClock, logger });
  const base = callbackBase(channel);
  const done = await client.register(base);
  if (!done.ok) throw new StartError(`The operator did not take it: ${done.answer}`);
  process.stdout.write(
    `Registered: ${channel.shortCode} is asked and confirmed at ${channel.id}.\n`,
  );
}

main(process.argv[2]).catch((error: unknown) => {
  const known = error instanceof StartError || (error as { code?: string }).code === 'ENOENT';
  process.stderr.write(`${known ? (error as Error).message : (error as Error).stack}\n`);
  process.exit(1);
});
