/** A client for tests that keeps to no rules: our link never breaks any. */
import { connect } from 'node:net';
import {
  createFrameDecoder,
  encodeFrame,
  type JsonObject,
} from '../../src/entitlement/vip-control/frame.ts';
import { until } from '../../src/entitlement/vip-control/testing.ts';

/** Connects to a head-end and says whatever it is told to. */
export function dial(port: number) {
  const answers: JsonObject[] = [];
  const decoder = createFrameDecoder();
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  socket.on('data', (chunk) => answers.push(...decoder.push(chunk).messages));
  return {
    /** All it was told, in order. */
    answers,
    say(...messages: object[]) {
      for (const message of messages) {
        const frame = encodeFrame(message);
        if (frame.ok) socket.write(frame.bytes);
      }
    },
    sayBytes: (bytes: Uint8Array) => socket.write(bytes),
    async answer(n: number) {
      await until(() => answers.length >= n);
      return answers[n - 1];
    },
    isClosed: () => socket.destroyed,
  };
}

/** A log-in. */
export const hello = (fields: object = {}) => ({
  t: 'HELLO',
  v: 1,
  clientId: 'dispatcher-1',
  casId: 'main',
  nonce: 'n',
  epoch: 1,
  takeover: false,
  ...fields,
});

export type RawClient = ReturnType<typeof dial>;

/** A logged-in client that numbers its commands and questions, and knows their answers. */
export async function logInTo(port: number, fields: object = {}) {
  const client = dial(port);
  client.say(hello({ takeover: true, ...fields }));
  const welcome = await client.answer(1);
  let seq = 0;
  const find = async (matches: (answer: JsonObject) => boolean) => {
    await until(() => client.answers.some(matches));
    return client.answers.find(matches) ?? {};
  };
  return {
    ...client,
    welcome,
    find,
    /** What came of a command: RES or NAK. */
    async order(cmdId: string, op: string, id: string, more: Record<string, unknown> = {}) {
      seq += 1;
      client.say({
        ...{ t: 'CMD', seq, cmdId, op, target: { kind: 'card', id }, args: {}, prio: 'SALE' },
        ...{ notAfter: '2027-11-24T14:00:00Z', issuedAt: '2026-11-23T13:00:00Z', ...more },
      });
      return await find(
        (answer) => answer.cmdId === cmdId && (answer.t === 'RES' || answer.t === 'NAK'),
      );
    },
    async ask(op: string, args: object): Promise<unknown> {
      const qid = `q${client.answers.length}.${seq}`;
      client.say({ t: 'QUERY', qid, query: { op, args } });
      return (await find((answer) => answer.qid === qid)).answer;
    },
    /** How many commands it has sent. */
    sent: () => seq,
  };
}
