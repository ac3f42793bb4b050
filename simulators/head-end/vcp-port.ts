/** A port for VIP Control by HTTP alone. */
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { type DoorTls, mutual } from './door.ts';
import { NOT_FOUND, reply } from './http-answers.ts';
import type { VcpHandler } from './vcp-http.ts';

export interface VcpPort {
  port: number;
  stop(): Promise<void>;
}

/** Listens for `POST /vcp`; rejects when the port cannot be had. 0 takes any free one. */
export async function openVcpPort(
  handle: VcpHandler,
  { host, port, tls }: { host: string; port: number; tls?: DoorTls },
): Promise<VcpPort> {
  const server = tls ? createTlsServer(mutual(tls)) : createServer();
  server.on('request', (request, response) => {
    if (request.url === '/vcp') void handle(request, response);
    else reply(response, NOT_FOUND);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    async stop() {
      const closed = new Promise((done) => server.close(done));
      server.closeAllConnections();
      await closed;
    },
  };
}
