/** A line between a driver and its system that knows nothing of what it carries, and can fail. */
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface Line {
  port: number;
  /** From now on nothing gets through in that direction, on any connection; nobody is told. */
  mute(direction: 'answers' | 'commands'): void;
  /** Cuts all connections; new ones are as good as ever. */
  cut(): void;
  stop(): Promise<void>;
}

/** Listens on a free port and passes everything on to a port that may change. */
export async function createLine(portBehind: () => number): Promise<Line> {
  const sockets = new Set<Socket>();
  const muted = new Set<'answers' | 'commands'>();
  const pass = (from: Socket, to: Socket, direction: 'answers' | 'commands') => {
    sockets.add(from);
    from.setNoDelay(true);
    from.on('data', (chunk) => {
      if (!muted.has(direction)) to.write(chunk);
    });
    from.on('error', () => undefined);
    from.on('close', () => {
      sockets.delete(from);
      to.destroy();
    });
  };
  const server = createServer((client) => {
    const behind = connect(portBehind(), '127.0.0.1');
    pass(client, behind, 'commands');
    pass(behind, client, 'answers');
  });
  const cut = () => {
    muted.clear();
    for (const socket of sockets) socket.destroy();
  };
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  return {
    port: (server.address() as AddressInfo).port,
    mute: (direction) => void muted.add(direction),
    cut,
    async stop() {
      const closed = new Promise((done) => server.close(done));
      cut();
      await closed;
    },
  };
}
