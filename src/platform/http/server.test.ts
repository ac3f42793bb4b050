import { Agent, get } from 'node:http';
import express from 'express';
import { silentLogger } from '../log.ts';
import { type HttpServer, listen } from './server.ts';

const servers: HttpServer[] = [];
const HERE = { host: '127.0.0.1', port: 0, logger: silentLogger };

afterAll(async () => {
  await Promise.all(servers.map((server) => server.close(0)));
});

async function serve(app: express.Express, options = HERE): Promise<HttpServer> {
  const server = await listen(app, options);
  servers.push(server);
  return server;
}

interface Answer {
  status: number | undefined;
  connection: string | undefined;
  text: string;
}

function fetchWith(agent: Agent, url: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    get(url, { agent }, (res) => {
      let text = '';
      res.on('data', (chunk) => {
        text += chunk;
      });
      const { statusCode: status, headers } = res;
      res.on('end', () => resolve({ status, connection: headers.connection, text }));
    }).on('error', reject);
  });
}

describe('the HTTP server', () => {
  it('takes any free port for 0, and says in one sentence when a port is taken', async () => {
    const app = express().get('/', (_req, res) => void res.end('hello'));
    const server = await serve(app);
    expect(await (await fetch(server.url)).text()).toBe('hello');
    await expect(serve(app, { ...HERE, port: server.port })).rejects.toThrow(
      `Port ${server.port} on 127.0.0.1 is in use by another program; ` +
        'set PORT to another number.',
    );
  });

  it('answers what it has in hand before it stops, and lets nobody new in', async () => {
    const arrived = Promise.withResolvers<void>();
    const go = Promise.withResolvers<void>();
    const app = express().get('/slow', async (_req, res) => {
      arrived.resolve();
      await go.promise;
      res.end('done');
    });
    const server = await serve(app);
    const agent = new Agent({ keepAlive: true });
    const slow = fetchWith(agent, `${server.url}/slow`);
    await arrived.promise;
    const closed = server.close(10_000);
    await expect(fetchWith(new Agent(), `${server.url}/slow`)).rejects.toThrow(/ECONNREFUSED/);
    go.resolve();
    expect(await slow).toEqual({ status: 200, connection: 'close', text: 'done' });
    await closed;
  });

  it('drops no request of clients that keep their connections, while it stops', async () => {
    const app = express().get('/', (_req, res) => void res.end('ok'));
    const server = await serve(app);
    let answered = 0;
    let closing: Promise<void> | undefined;
    const client = async () => {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      for (;;) {
        const answer = await fetchWith(agent, server.url).catch((error: Error) => error.message);
        if (typeof answer === 'string') return answer;
        answered += 1;
        if (answered === 200) closing = server.close(10_000);
      }
    };
    const ends = await Promise.all(Array.from({ length: 8 }, client));
    expect(answered).toBeGreaterThanOrEqual(200);
    for (const end of ends) expect(end).toMatch(/ECONNREFUSED/);
    await closing;
  });

  it('closes idle connections and stops soon, even with a long grace', async () => {
    const server = await serve(express().get('/', (_req, res) => void res.end('ok')));
    const agent = new Agent({ keepAlive: true });
    await fetchWith(agent, server.url);
    const started = performance.now();
    await server.close(60_000);
    expect(performance.now() - started).toBeLessThan(5_000);
  });

  it('cuts what does not end within the grace', async () => {
    const arrived = Promise.withResolvers<void>();
    const app = express().get('/', () => arrived.resolve());
    const server = await serve(app);
    const stuck = fetchWith(new Agent(), server.url).catch((error: Error) => error.message);
    await arrived.promise;
    await server.close(20);
    expect(await stuck).toMatch(/hang up|ECONNRESET/);
  });
});
