/** A head-end for tests that says only what the test tells it to, over a real loopback socket. */
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { createFrameDecoder, encodeFrame } from './frame.ts';
import {
  type Capabilities,
  type ClientMessage,
  parseClientMessage,
  type ServerMessage,
} from './messages.ts';
import { until } from './testing.ts';

export interface ScriptedHeadEnd {
  port: number;
  /** One for each connection so far, oldest first. */
  calls: ScriptedCall[];
  /** The call of that number (1 is the first), once it was made and answered with WELCOME. */
  call(number: number): Promise<ScriptedCall>;
  stop(): Promise<void>;
}

export interface ScriptedCall {
  received: ClientMessage[];
  /** The `n`th message of that type, once it has come. */
  next<T extends ClientMessage['t']>(
    type: T,
    n?: number,
  ): Promise<Extract<ClientMessage, { t: T }>>;
  send(...messages: ServerMessage[]): void;
  sendBytes(bytes: Uint8Array): void;
  cut(): void;
  isClosed(): boolean;
}

export interface ScriptedOptions {
  caps?: Partial<Capabilities>;
  /** The time WELCOME states. */
  now: () => Date;
  epoch?: number;
  lastCmdSeq?: number;
  /** False: HELLO is left unanswered. */
  welcomes?: boolean;
}

/** Listens on a free port and answers each HELLO with WELCOME, and nothing else. */
export async function createScriptedHeadEnd(options: ScriptedOptions): Promise<ScriptedHeadEnd> {
  const calls: ScriptedCall[] = [];
  const server = createServer((socket) => void calls.push(answerCall(socket, options)));
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  return {
    port: (server.address() as AddressInfo).port,
    calls,
    async call(number) {
      await until(() => calls.length >= number);
      const found = calls[number - 1];
      if (!found) throw new Error(`no call ${number}`);
      await found.next('HELLO');
      return found;
    },
    async stop() {
      const closed = new Promise((done) => server.close(done));
      for (const call of calls) call.cut();
      await closed;
    },
  };
}

function answerCall(socket: Socket, options: ScriptedOptions): ScriptedCall {
  const received: ClientMessage[] = [];
  const decoder = createFrameDecoder();
  let closed = false;
  const send = (message: ServerMessage) => {
    const frame = encodeFrame(message);
    if (frame.ok) socket.write(frame.bytes);
  };
  socket.on('error', () => undefined);
  socket.on('close', () => {
    closed = true;
  });
  socket.on('data', (chunk) => {
    for (const json of decoder.push(chunk).messages) {
      const message = parseClientMessage(json);
      if (!message) throw new Error(`the link sent what is no message: ${JSON.stringify(json)}`);
      received.push(message);
      if (message.t === 'HELLO' && options.welcomes !== false) {
        send(welcomeFor(message.nonce, options));
      }
    }
  });
  return {
    received,
    async next(type, n = 1) {
      type Wanted = Extract<ClientMessage, { t: typeof type }>;
      const found = () =>
        received.filter((message): message is Wanted => message.t === type)[n - 1];
      await until(() => found() !== undefined);
      return found() as Wanted;
    },
    send: (...messages) => messages.forEach(send),
    sendBytes: (bytes) => void socket.write(bytes),
    cut: () => void socket.destroy(),
    isClosed: () => closed,
  };
}

function welcomeFor(nonce: string, options: ScriptedOptions): ServerMessage {
  const caps = { osdMax: 160, maxWindow: 256, supports: ['ENTITLE'], ...options.caps };
  return {
    t: 'WELCOME',
    sessionId: 'scripted',
    nonce,
    caps,
    serverTime: options.now().toISOString(),
    epoch: options.epoch ?? 0,
    ...(options.lastCmdSeq === undefined ? {} : { lastCmdSeq: options.lastCmdSeq }),
  };
}
