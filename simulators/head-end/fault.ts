/**
 * Makes a running head-end fail, from the command line:
 *
 *     node simulators/head-end/fault.ts --port 7011 drop_before_ack --times 3
 *     node simulators/head-end/fault.ts late --value 90000 --percent 20 --for 600
 *     node simulators/head-end/fault.ts skew --value=-300000
 *     node simulators/head-end/fault.ts list
 *     node simulators/head-end/fault.ts heal [late]
 *     node simulators/head-end/fault.ts restart [--lose queue] [--lose-seconds 300]
 *
 * `--port` is the one of its HTTP window.
 */
import { parseArgs } from 'node:util';
import { createHeadEndClient, type HeadEndClient, type RestartLoss } from './client.ts';
import { FAULT_KINDS, FAULTS, type Fault, type FaultKind, kindOf } from './faults/kinds.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    port: { type: 'string', default: '7011' },
    value: { type: 'string' },
    times: { type: 'string' },
    percent: { type: 'string' },
    for: { type: 'string' },
    lose: { type: 'string' },
    'lose-seconds': { type: 'string' },
  },
});

function fault(kind: FaultKind): Fault {
  const { value, times, percent, for: seconds } = values;
  return {
    kind,
    ...(value === undefined ? {} : { value: Number(value) }),
    ...(times === undefined ? {} : { times: Number(times) }),
    ...(percent === undefined ? {} : { percent: Number(percent) }),
    ...(seconds === undefined ? {} : { forSeconds: Number(seconds) }),
  };
}

function loss(): RestartLoss {
  const { lose, 'lose-seconds': seconds } = values;
  if (seconds !== undefined) return { loseSeconds: Number(seconds) };
  // The head-end says what it does not know.
  return lose === undefined ? {} : { lose: lose as 'queue' };
}

async function list(headEnd: HeadEndClient): Promise<void> {
  const faults = await headEnd.faults();
  if (faults.length === 0) console.log('No fault is in force.');
  for (const { kind, value, percent, left, met } of faults) {
    const { unit } = kindOf(kind).value ?? {};
    const size = unit === undefined ? '' : ` ${value} ${unit}`;
    console.log(`${kind}${size}, ${percent} %, met ${met}, ${left ?? 'any number'} to come`);
  }
}

function isKind(text: string | undefined): text is FaultKind {
  return text !== undefined && Object.hasOwn(FAULTS, text);
}

async function run(headEnd: HeadEndClient, [act, kind]: string[]): Promise<void> {
  if (isKind(act)) await headEnd.setFault(fault(act));
  else if (act === 'heal' && (kind === undefined || isKind(kind))) await headEnd.heal(kind);
  else if (act === 'restart') await headEnd.restart(loss());
  else if (act !== 'list') {
    const usage = FAULT_KINDS.map((name) => `  ${name.padEnd(16)} ${FAULTS[name].does}`);
    throw new Error(`Say list, heal, restart, or what goes wrong:\n${usage.join('\n')}`);
  }
  await list(headEnd);
}

try {
  await run(createHeadEndClient(`http://127.0.0.1:${values.port}`), positionals);
} catch (error) {
  const reason = error instanceof Error ? error.message : String(error);
  console.error(reason === 'fetch failed' ? `No head-end at port ${values.port}.` : reason);
  process.exitCode = 1;
}
