/** The head-end as its own process: `--port 7010 --http-port 7011 --data head-end.jsonl`. */
import { parseArgs } from 'node:util';
import { createLogger } from '../../src/platform/log.ts';
import { systemClock } from '../../src/platform/system.ts';
import { createHeadEndHttp } from './http.ts';
import { createVipControlServer } from './server.ts';

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '7010' },
    'http-port': { type: 'string', default: '7011' },
    data: { type: 'string', default: 'data/head-end.jsonl' },
  },
});
const host = '127.0.0.1';
const logger = createLogger({ level: 'info', service: 'head-end' });

const headEnd = await createVipControlServer({
  port: Number(values.port),
  host,
  dataFile: values.data,
  clock: systemClock,
  logger,
});
const http = await createHeadEndHttp({
  headEnd,
  host,
  port: Number(values['http-port']),
  clock: systemClock,
});
logger.info('headend.listening', { port: headEnd.port, httpPort: http.port });

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, async () => {
    await http.stop();
    await headEnd.stop();
  });
}
