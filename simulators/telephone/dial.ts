/**
 * `npm run dial [-- FILE] [--phone +254...] [--channel NAME]`: a telephone in the terminal, or a
 * scripted dialogue. Exit code 0, 1 after a failed step, 2 when it could not begin.
 */

import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { systemClock, systemRandom } from '../../src/platform/system.ts';
import { sleep } from '../../src/platform/timers.ts';
import { converse, type Terminal, type Typed } from './conversation.ts';
import { chooseChannel, type Demo, readDemo } from './demo-file.ts';
import { type PlayerDeps, play } from './player.ts';
import { parseScript } from './script.ts';
import { createSurroundings } from './surroundings.ts';
import { createTelephone } from './telephone.ts';

const PROBE_TIMEOUT_MS = 5_000;
const system = { clock: systemClock, random: systemRandom };

process.exitCode = await main(process.argv.slice(2), (line) => console.log(line)).catch(
  (error: unknown) => {
    console.error(`The dialogue broke off: ${(error as Error).message}`);
    return 2;
  },
);

async function main(args: string[], print: (line: string) => void): Promise<number> {
  const options = readOptions(args);
  if (typeof options === 'string') {
    print(options);
    return 2;
  }
  const read = readDemo(process.env.VIP_DATA_DIR ?? './data');
  if (!read.ok) {
    print(read.sentence);
    return 2;
  }
  const { demo } = read;
  const phone = options.phone ?? demo.phones[0]?.msisdn ?? '+254700000001';
  if (!(await answers(demo.gateway))) {
    print(`The gateway at ${demo.gateway} does not answer: is the demonstration running?`);
    return 2;
  }
  return options.file === undefined
    ? talk(demo, phone, options.channel, print)
    : playFile(demo, { ...options, file: options.file, phone }, print);
}

interface Options {
  phone: string | undefined;
  channel: string | undefined;
  file: string | undefined;
}

function readOptions(args: string[]): Options | string {
  const usage = 'Usage: npm run dial -- [FILE] [--phone +254700000001] [--channel ke-ussd]';
  try {
    const { values, positionals } = parseArgs({
      args,
      options: { phone: { type: 'string' }, channel: { type: 'string' } },
      allowPositionals: true,
    });
    if (positionals.length > 1) return usage;
    return { phone: values.phone, channel: values.channel, file: positionals[0] };
  } catch (error) {
    return `${(error as Error).message}\n${usage}`;
  }
}

async function answers(gateway: string): Promise<boolean> {
  try {
    await fetch(gateway, { signal: AbortSignal.timeout(PROBE_TIMEOUT_MS) });
    return true;
  } catch {
    return false;
  }
}

async function talk(
  demo: Demo,
  phone: string,
  name: string | undefined,
  print: (line: string) => void,
): Promise<number> {
  const channel = chooseChannel(demo, name, phone);
  if (channel === null) {
    print(noChannel(demo, name));
    return 2;
  }
  const known = demo.phones.find(({ msisdn }) => msisdn === phone);
  const about = [known?.name, known?.note, known && `PIN ${known.pin}`].filter(Boolean).join(', ');
  print(`Telephone ${phone}${about === '' ? '' : ` (${about})`} on ${channel.channel}.`);
  const terminal = openTerminal(print);
  try {
    await converse({
      telephone: createTelephone({ channel, msisdn: phone, ...system }),
      surroundings: createSurroundings(demo, phone),
      terminal,
      serviceCode: channel.serviceCode,
      sleep,
    });
    return 0;
  } finally {
    terminal.close();
  }
}

async function playFile(
  demo: Demo,
  { file, phone, channel }: Options & { file: string; phone: string },
  print: (line: string) => void,
): Promise<number> {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    print(`${file} cannot be read.`);
    return 2;
  }
  const script = parseScript(text, file);
  if (!script.ok) {
    for (const error of script.errors) print(error);
    return 2;
  }
  const deps: PlayerDeps = {
    telephone(msisdn, name) {
      const chosen = chooseChannel(demo, name ?? channel, msisdn);
      return chosen && createTelephone({ channel: chosen, msisdn, ...system });
    },
    surroundings: (msisdn) => createSurroundings(demo, msisdn),
    defaultPhone: phone,
    print,
    sleep,
  };
  const { passed, failed } = await play(script.steps, deps);
  print(`${passed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

function noChannel(demo: Demo, name: string | undefined): string {
  const names = demo.ussd.map(({ channel }) => channel).join(', ') || 'none';
  return `There is no USSD channel ${name ?? ''}; demo.json has: ${names}.`;
}

/** Lines typed ahead (or piped in) wait in a queue until they are asked for. */
function openTerminal(print: (line: string) => void): Terminal & { close(): void } {
  const lines = createInterface({ input: process.stdin, output: process.stdout });
  const queue: Typed[] = [];
  let waiting: ((typed: Typed) => void) | null = null;
  let closed = false;
  const offer = (typed: Typed) => {
    const take = waiting;
    waiting = null;
    if (take === null) queue.push(typed);
    else take(typed);
  };
  lines.on('line', (line) => offer({ kind: 'line', line }));
  lines.on('SIGINT', () => {
    print('');
    offer({ kind: 'interrupt' });
  });
  lines.on('close', () => {
    closed = true;
    offer({ kind: 'closed' });
  });
  return {
    print,
    ask(question) {
      lines.setPrompt(question);
      const typed = queue.shift();
      if (typed !== undefined) return Promise.resolve(typed);
      if (closed) return Promise.resolve({ kind: 'closed' });
      lines.prompt();
      return new Promise((resolve) => {
        waiting = resolve;
      });
    },
    close: () => lines.close(),
  };
}
