/** A line for tests that can be cut between a head-end and its client, at a chosen answer. */
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import {
  createFrameDecoder,
  encodeFrame,
  type JsonObject,
} from '../../src/entitlement/vip-control/frame.ts';

export interface LossyLine {
  port: number;
  /** Cuts the line instead of delivering the next answer of that type; once. */
  cutBefore(type: 'ACK' | 'RES'): void;
  /** How often it was cut. */
  cuts(): number;
  /** Every further answer of that type is delivered twice. */
  repeat(type: 'RES'): void;
  stop(): Promise<void>;
}

/** Listens on a free port and passes everything on to a head-end, whose port may change. */
export async function createLossyLine(headEndPort: () => number): Promise<LossyLine> {
  let cutType: string | undefined;
  let repeated: string | undefined;
  let cuts = 0;
  const sockets = new Set<Socket>();
  const deliver = (client: Socket, message: JsonObject) => {
    if (client.destroyed) return;
    if (message.t === cutType) {
      cutType = undefined;
      cuts += 1;
      client.destroy();
      return;
    }
    const frame = encodeFrame(message);
    if (!frame.ok) throw new Error(frame.error);
    client.write(frame.bytes);
    if (message.t === repeated) client.write(frame.bytes);
  };
  const server = createServer((client) => {
    const headEnd = connect(headEndPort(), '127.0.0.1');
    const decoder = createFrameDecoder();
    for (const [socket, other] of [
      [client, headEnd],
      [headEnd, client],
    ] as const) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', () => undefined);
      socket.on('close', () => other.destroy());
    }
    client.pipe(headEnd);
    headEnd.on('data', (chunk) => {
      for (const message of decoder.push(chunk).messages) deliver(client, message);
    });
  });
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  return {
    port: (server.address() as AddressInfo).port,
    cutBefore(type) {
      cutType = type;
    },
    cuts: () => cuts,
    repeat(type) {
      repeated = type;
    },
    async stop() {
      const closed = new Promise((done) => server.close(done));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
