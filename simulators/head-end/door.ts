/** The port where clients knock; it can be shut for a while and opened again. */
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';

export interface Door {
  port: number;
  /** Who may come in from now on; until then, and while shut, nobody. */
  admit(onSocket: (socket: Socket) => void): void;
  /** Shuts it and cuts all off, or opens it on the same port; rejects when that is taken. */
  setOpen(isOpen: boolean): Promise<void>;
  isOpen(): boolean;
  /** Lets nobody in any more, and waits until all have gone. */
  close(): Promise<void>;
}

/** PEM texts: who the head-end is, and whose clients it lets in. */
export interface DoorTls {
  key: string;
  cert: string;
  ca: string;
}

const HANDSHAKE_MS_MAX = 10_000;

/** Nobody comes in without a certificate of the authority. */
export function mutual({ key, cert, ca }: DoorTls): TlsOptions {
  return {
    ...{ key, cert, ca, requestCert: true, rejectUnauthorized: true },
    ...{ minVersion: 'TLSv1.2', handshakeTimeout: HANDSHAKE_MS_MAX },
  };
}

/** Listens; rejects when the port cannot be had. 0 takes a free one, and keeps it. */
export async function openDoor(host: string, port: number, tls?: DoorTls): Promise<Door> {
  let onSocket = (socket: Socket): void => void socket.destroy();
  const sockets = new Set<Socket>();
  const enter = (socket: Socket) => onSocket(socket);
  const server = tls ? createTlsServer(mutual(tls), enter) : createServer(enter);
  // Those too who are still showing their certificates.
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  const listen = (wanted: number) =>
    new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(wanted, host, () => {
        server.off('error', reject);
        resolve();
      });
    });
  await listen(port);
  const { port: taken } = server.address() as AddressInfo;
  const close = () => new Promise<void>((closed) => server.close(() => closed()));
  const change = async (isOpen: boolean) => {
    if (isOpen === server.listening) return;
    if (isOpen) {
      await listen(taken);
      return;
    }
    const closed = close();
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  let changes = Promise.resolve();
  return {
    port: taken,
    admit(guest) {
      onSocket = guest;
    },
    setOpen(isOpen) {
      const changed = changes.then(() => change(isOpen));
      changes = changed.catch(() => undefined);
      return changed;
    },
    isOpen: () => server.listening,
    async close() {
      await changes;
      await close();
    },
  };
}
